//! The trait of clouds under test, and the parameters of the trait's methods.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use lifecycle_facade::{ActionKind, Client, InstanceId, PowerState};

/// One cloud with the provider under test, and the means to prepare instances and faults.
///
/// A method returns [`NotSupported`] if the cloud under test lacks a feature; the case is then not
/// applicable, for this reason.
#[async_trait(?Send)]
pub trait CloudUnderTest {
    /// Creates a client of the provider under test.
    ///
    /// # Errors
    /// [`NotSupported`] for an unavailable setup.
    async fn client(&self, setup: ClientSetup) -> Result<Client, NotSupported>;

    /// Returns `count` different instances in this condition, which no earlier call of the same case
    /// returned.
    ///
    /// # Errors
    /// [`NotSupported`] if the condition or the number of instances is not available.
    async fn instances(
        &self,
        count: usize,
        condition: Condition,
    ) -> Result<Vec<InstanceId>, NotSupported>;

    /// Creates an instance with a name, tags and other facts.
    ///
    /// # Errors
    /// [`NotSupported`] if the facts cannot be set.
    async fn described_instance(
        &self,
        condition: Condition,
        facts: &InstanceFacts,
    ) -> Result<InstanceId, NotSupported> {
        let _ = (condition, facts);
        Err(NotSupported::new(
            "the facts of an instance cannot be set here",
        ))
    }

    /// Makes the cloud ignore the filters of lists from now on.
    ///
    /// # Errors
    /// [`NotSupported`] if the cloud cannot ignore filters.
    fn ignore_filters(&self) -> Result<(), NotSupported> {
        Err(NotSupported::new("the cloud cannot ignore filters here"))
    }

    /// Returns a valid id without an instance.
    ///
    /// # Errors
    /// [`NotSupported`] without such an id.
    fn unknown_id(&self) -> Result<InstanceId, NotSupported>;

    /// Checks that power actions are allowed.
    ///
    /// # Errors
    /// [`NotSupported`] with the reason of the prohibition.
    fn check_power(&self) -> Result<(), NotSupported> {
        Ok(())
    }

    /// Checks that power actions on [`unknown_id`](Self::unknown_id) are allowed.
    ///
    /// # Errors
    /// [`NotSupported`] with the reason of the prohibition.
    fn check_power_on_unknown_ids(&self) -> Result<(), NotSupported> {
        Ok(())
    }

    /// Injects a fault from now on. Cases inject faults before the call of
    /// [`instances`](Self::instances), so an unsupported fault changes no instance.
    ///
    /// # Errors
    /// [`NotSupported`] for an unavailable fault.
    fn inject(&self, fault: CallFault, target: FaultTarget) -> Result<(), NotSupported>;

    /// Returns the actual state of the instance, if known from another source than the client.
    fn actual_state(&self, id: &InstanceId) -> Option<PowerState>;

    /// Returns the executed actions since the instance was returned by
    /// [`instances`](Self::instances), if counted.
    fn executions(&self, id: &InstanceId) -> Option<ExecutionCounts>;

    /// Returns the cloud's own word for the current state of the instance, if known from another
    /// source than the client.
    fn state_word(&self, id: &InstanceId) -> Option<String> {
        let _ = id;
        None
    }

    /// Checks that the responses of the cloud have request ids.
    ///
    /// # Errors
    /// [`NotSupported`] for a cloud without request ids.
    fn check_request_ids(&self) -> Result<(), NotSupported> {
        Ok(())
    }

    /// Returns whether the cloud sent this request id, if the responses are recorded.
    fn sent_request_id(&self, request_id: &str) -> Option<bool> {
        let _ = request_id;
        None
    }

    /// Checks that the cloud refuses `kind` on an instance in `condition`, and gives the reason.
    ///
    /// # Errors
    /// [`NotSupported`] if the cloud executes the action, or refuses the action without this reason.
    fn check_reason(&self, kind: ActionKind, condition: Condition) -> Result<(), NotSupported> {
        let _ = (kind, condition);
        Ok(())
    }

    /// Checks that the cloud refuses an expired signature with another error than a wrong key.
    ///
    /// # Errors
    /// [`NotSupported`] if the cloud has one error for both.
    fn check_clock_error(&self) -> Result<(), NotSupported> {
        Ok(())
    }
}

/// The facts about an instance besides the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceFacts {
    /// The name.
    pub name: String,
    /// The keys and values of the tags.
    pub tags: Vec<(String, String)>,
    /// The availability zone; a zone of the cloud by default.
    pub zone: Option<String>,
    /// The instance type; a type of the cloud by default.
    pub instance_type: Option<String>,
    /// The private address; an address of the cloud by default.
    pub private_ip: Option<String>,
    /// The public address; none by default.
    pub public_ip: Option<String>,
}

impl InstanceFacts {
    /// Creates facts with this name, without tags.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }
}

/// A missing feature of a cloud under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSupported(String);

impl NotSupported {
    /// Creates the error from a clause, such as `faults cannot be injected into a live account`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for NotSupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The setup of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientSetup {
    /// A valid key and a right clock.
    Valid,
    /// A valid temporary key, with a session token or another sign of a limited lifetime.
    TemporaryKey,
    /// A key with a wrong secret.
    WrongKey,
    /// A clock that is ahead by this number of seconds, or behind if negative.
    ClockSkew(i64),
    /// A clock that stays a day behind, so every signature has expired.
    ExpiredSignatures,
}

/// The condition of an instance at the start of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Any condition, for cases without power actions.
    Any,
    /// Powered off.
    Stopped,
    /// Powered on.
    Running,
    /// Booting up.
    Starting,
    /// Shutting down.
    Stopping,
    /// Shutting down for a reboot, or booting again.
    Rebooting,
    /// Being created by the cloud.
    Creating,
    /// Busy with another operation.
    Changing,
    /// Stopped after the end of the subscription.
    Expired,
    /// Moved to the recycle bin.
    Recycled,
    /// Failed according to the cloud.
    Failed,
    /// Stopped, and locked by the cloud.
    Locked,
    /// Stopped because of arrears.
    Unpaid,
    /// Stopped, without capacity for a start.
    OutOfStock,
    /// Stopped; an accepted start fails later.
    FailsToBoot,
    /// Running, without reaction to a graceful stop.
    IgnoresStop,
}

impl Condition {
    /// All conditions.
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
        Self::IgnoresStop,
    ];

    /// Returns the condition as an adjective or a participle.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Rebooting => "rebooting",
            Self::Creating => "being created",
            Self::Changing => "busy with another operation",
            Self::Expired => "expired",
            Self::Recycled => "in the recycle bin",
            Self::Failed => "failed",
            Self::Locked => "locked",
            Self::Unpaid => "in arrears",
            Self::OutOfStock => "without capacity",
            Self::FailsToBoot => "failing to boot",
            Self::IgnoresStop => "ignoring a graceful stop",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fault of a call or of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallFault {
    /// The cloud throttles the next call and asks for a retry after [`Self::HINT`].
    ThrottledWithHint,
    /// The cloud throttles the next call without a retry hint.
    ThrottledWithoutHint,
    /// The cloud throttles every call.
    ThrottledForEver,
    /// The cloud executes the next call; the answer is lost.
    LostAnswer,
    /// The next call is lost after the connection was made.
    LostRequest,
    /// The connection of the next call fails, so the call provably has no effect.
    NoConnection,
    /// The cloud executes the next call; the answer is not text.
    GarbledAnswer,
    /// The cloud executes the next call; the answer breaks off in the middle.
    HalfAnswer,
    /// The cloud executes the next call; the answer has an empty body.
    EmptyAnswer,
    /// A proxy answers the next call with status 502 and an HTML page.
    ServerError,
    /// The cloud executes the next call, and returns an internal error in the cloud's own format.
    InternalError,
    /// The cloud shows the undocumented state [`Self::STATE_WORD`] for running instances.
    UnknownState,
}

impl CallFault {
    /// The retry hint of [`Self::ThrottledWithHint`].
    pub const HINT: Duration = Duration::from_secs(7);

    /// The undocumented state of [`Self::UnknownState`].
    pub const STATE_WORD: &'static str = "levitating";
}

/// The calls with an injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultTarget {
    /// Power actions.
    Actions,
    /// Observation calls.
    Observations,
}

/// The number of executions of each action on an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecutionCounts {
    /// The number of starts.
    pub starts: u32,
    /// The number of stops, graceful and forced.
    pub stops: u32,
    /// The number of reboots, graceful and forced.
    pub reboots: u32,
    /// The number of forced stops and reboots, which the other counts include.
    pub forced: u32,
    /// The number of stops that asked for released billing; `stops` includes these stops.
    pub released: u32,
    /// The number of starts that asked for initialised local disks; `starts` includes these starts.
    pub initialised: u32,
}
