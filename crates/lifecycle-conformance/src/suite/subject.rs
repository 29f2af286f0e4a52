//! What scenarios run on.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use lifecycle_facade::{Client, InstanceId, PowerState};

/// One cloud with its provider, and the means to bring instances into a condition.
///
/// A subject that lacks some means says so with [`Missing`]; the cases that need it are then not
/// applicable, for this reason.
#[async_trait(?Send)]
pub trait Subject {
    /// A client of the provider under test.
    ///
    /// # Errors
    /// [`Missing`] when there is no such setting here.
    async fn client(&self, setting: Setting) -> Result<Client, Missing>;

    /// So many different instances in this condition, none of which an earlier call gave in the
    /// same case.
    ///
    /// # Errors
    /// [`Missing`] when instances cannot be brought into the condition, or not as many.
    async fn instances(
        &self,
        count: usize,
        condition: Condition,
    ) -> Result<Vec<InstanceId>, Missing>;

    /// An id in the cloud's own shape that no instance has.
    ///
    /// # Errors
    /// [`Missing`] when there is none to try.
    fn strange_id(&self) -> Result<InstanceId, Missing>;

    /// May power actions be asked for at all?
    ///
    /// # Errors
    /// [`Missing`] with the reason when they may not.
    fn allows_power(&self) -> Result<(), Missing> {
        Ok(())
    }

    /// May power actions be asked for [`strange_id`](Self::strange_id)?
    ///
    /// # Errors
    /// [`Missing`] with the reason when they may not.
    fn allows_power_on_strangers(&self) -> Result<(), Missing> {
        Ok(())
    }

    /// Lets something go wrong from now on. Asked for before [`instances`](Self::instances), so that
    /// nothing is touched where it cannot be brought about.
    ///
    /// # Errors
    /// [`Missing`] when it cannot be brought about.
    fn disturb(&self, disturbance: Disturbance, target: Target) -> Result<(), Missing>;

    /// How the instance really is now, where that is known otherwise than through the client.
    fn truth(&self, id: &InstanceId) -> Option<PowerState>;

    /// What was really carried out on the instance since it was given, where that is counted.
    fn deeds(&self, id: &InstanceId) -> Option<Deeds>;
}

/// Means that a subject lacks, as a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(String);

impl Missing {
    /// With the reason as a clause, such as `a live account cannot be disturbed`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a client is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// As it should be.
    Usual,
    /// With a key whose secret half is wrong.
    WrongKey,
    /// With a clock that is ahead by so many seconds; behind, when negative.
    ClockOff(i64),
    /// With a clock that is a day behind and cannot be corrected: every signature has expired.
    StaleSignatures,
}

/// What an instance is like when a case begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Whatever it is: it is only looked at.
    Any,
    /// Down.
    Stopped,
    /// Up.
    Running,
    /// Booting.
    Starting,
    /// Shutting down.
    Stopping,
    /// Going down to come up again.
    Rebooting,
    /// Still being made.
    Creating,
    /// Under some other work.
    Changing,
    /// Down, its term over.
    Expired,
    /// In the recycle bin.
    Recycled,
    /// Broken by the cloud's own word.
    Failed,
    /// Stopped, and locked by the cloud.
    Locked,
    /// Stopped, and not paid for.
    Unpaid,
    /// Stopped, with no machine to start it on.
    OutOfStock,
    /// Stopped; a start is taken on, then fails.
    FailsToBoot,
    /// Running, and deaf to a graceful stop.
    Stubborn,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Any,
        Self::Stopped,
        Self::Running,
        Self::Starting,
        Self::Stopping,
        Self::Rebooting,
        Self::Creating,
        Self::Changing,
        Self::Expired,
        Self::Recycled,
        Self::Failed,
        Self::Locked,
        Self::Unpaid,
        Self::OutOfStock,
        Self::FailsToBoot,
        Self::Stubborn,
    ];

    /// The words for it, as an adjective.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "as it is",
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Rebooting => "rebooting",
            Self::Creating => "still being made",
            Self::Changing => "busy with other work",
            Self::Expired => "expired",
            Self::Recycled => "in the recycle bin",
            Self::Failed => "failed",
            Self::Locked => "locked",
            Self::Unpaid => "unpaid",
            Self::OutOfStock => "without a machine to run on",
            Self::FailsToBoot => "failing to boot",
            Self::Stubborn => "deaf to a graceful stop",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disturbance {
    /// The next call is throttled and told to wait for [`Self::HINT`].
    ThrottledWithHint,
    /// The next call is throttled and told nothing.
    ThrottledWithoutHint,
    /// Every call is throttled.
    ThrottledForEver,
    /// The next call arrives and is carried out; its answer is lost.
    LostAnswer,
    /// The next call may have left, and never arrives.
    LostRequest,
    /// Nobody answers at the address of the next call: it provably never left.
    NoConnection,
    /// The next call is carried out and answered with bytes that are no text.
    GarbledAnswer,
    /// The next call is carried out and answered with half a body.
    HalfAnswer,
    /// The next call is carried out and answered with nothing.
    EmptyAnswer,
    /// The next call meets a proxy that fails with status 502 and a page.
    ServerError,
    /// Running instances show a state of which nobody has ever heard.
    UnknownState,
}

impl Disturbance {
    /// The hint of [`Self::ThrottledWithHint`].
    pub const HINT: Duration = Duration::from_secs(7);
}

/// Which calls a disturbance strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Power actions.
    Actions,
    /// Observations.
    Looks,
}

/// How often each action was carried out on an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Boots.
    pub starts: u32,
    /// Stops, graceful and forced.
    pub stops: u32,
    /// Reboots, graceful and forced.
    pub reboots: u32,
    /// Stops and reboots by cutting the power; counted above too.
    pub forced: u32,
}
