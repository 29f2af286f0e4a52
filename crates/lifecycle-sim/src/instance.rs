//! One simulated instance: its power, what moves it, and what is wrong with it.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::time::Moment;

/// An action that a cloud executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Act {
    /// A boot.
    Start,
    /// A graceful stop.
    Stop,
    /// A stop by cutting the power.
    ForcedStop,
    /// A graceful reboot.
    Reboot,
    /// A reboot by cutting the power.
    ForcedReboot,
}

impl Act {
    fn goal(self) -> State {
        match self {
            Self::Start | Self::Reboot | Self::ForcedReboot => State::Running,
            Self::Stop | Self::ForcedStop => State::Stopped,
        }
    }

    fn passing(self) -> State {
        match self {
            Self::Start => State::Starting,
            Self::Stop | Self::ForcedStop => State::Stopping,
            Self::Reboot | Self::ForcedReboot => State::Rebooting,
        }
    }

    fn is_boot(self) -> bool {
        self.goal() == State::Running
    }
}

/// What a call asks of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Start,
    Stop,
    Reboot,
}

impl Verb {
    /// The act that carries it out; a start has no forced form.
    pub(crate) fn act(self, forced: bool) -> Act {
        match (self, forced) {
            (Self::Start, _) => Act::Start,
            (Self::Stop, false) => Act::Stop,
            (Self::Stop, true) => Act::ForcedStop,
            (Self::Reboot, false) => Act::Reboot,
            (Self::Reboot, true) => Act::ForcedReboot,
        }
    }
}

/// The state of a simulated instance, in words that all clouds share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Being made.
    Creating,
    /// Booting.
    Starting,
    /// Up.
    Running,
    /// Shutting down.
    Stopping,
    /// Down.
    Stopped,
    /// Going down to come up again.
    Rebooting,
    /// Under some other work, such as a resize.
    Changing,
    /// Down because the paid term is over.
    Expired,
    /// Broken.
    Failed,
    /// In the recycle bin.
    Recycled,
}

impl State {
    /// The word for it, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Rebooting => "rebooting",
            Self::Changing => "changing",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Recycled => "recycled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What stands in the way of an instance. It stays until it is taken away with
/// [`Simulator::set_trouble`](crate::Simulator::set_trouble).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// It is still being made. Shown as a state of its own.
    Creating,
    /// Some other work is under way on it. Shown as a state of its own where the cloud has one.
    Changing,
    /// The paid term is over. Shown as a state of its own where the cloud has one.
    Expired,
    /// It is in the recycle bin. Shown as a state of its own where the cloud has one.
    Recycled,
    /// It is broken. Shown as a state of its own where the cloud has one.
    Failed,
    /// The cloud has locked it for security reasons; it keeps its power state.
    Locked,
    /// The account owes money for it; it keeps its power state.
    Arrears,
    /// The cloud has no machine to start it on.
    NoStock,
    /// A start or reboot is accepted, then fails.
    Broken,
    /// The guest ignores a graceful stop: it stays stopping for ever.
    Stubborn,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Creating,
        Self::Changing,
        Self::Expired,
        Self::Recycled,
        Self::Failed,
        Self::Locked,
        Self::Arrears,
        Self::NoStock,
        Self::Broken,
        Self::Stubborn,
    ];

    /// The word for it in a fleet specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Changing => "changing",
            Self::Expired => "expired",
            Self::Recycled => "recycled",
            Self::Failed => "failed",
            Self::Locked => "locked",
            Self::Arrears => "arrears",
            Self::NoStock => "no-stock",
            Self::Broken => "broken",
            Self::Stubborn => "stubborn",
        }
    }

    /// The state that it puts in the place of the power state.
    fn state(self) -> Option<State> {
        match self {
            Self::Creating => Some(State::Creating),
            Self::Changing => Some(State::Changing),
            Self::Expired => Some(State::Expired),
            Self::Recycled => Some(State::Recycled),
            Self::Failed => Some(State::Failed),
            Self::Locked | Self::Arrears | Self::NoStock | Self::Broken | Self::Stubborn => None,
        }
    }
}

/// How often each action was executed on an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executed {
    /// Boots.
    pub starts: u32,
    /// Stops, graceful and forced.
    pub stops: u32,
    /// Stops by cutting the power; counted in `stops` too.
    pub forced_stops: u32,
    /// Reboots, graceful and forced.
    pub reboots: u32,
    /// Reboots by cutting the power; counted in `reboots` too.
    pub forced_reboots: u32,
}

impl Executed {
    pub(crate) fn count(&mut self, act: Act) {
        match act {
            Act::Start => self.starts += 1,
            Act::Stop => self.stops += 1,
            Act::ForcedStop => {
                self.stops += 1;
                self.forced_stops += 1;
            }
            Act::Reboot => self.reboots += 1,
            Act::ForcedReboot => {
                self.reboots += 1;
                self.forced_reboots += 1;
            }
        }
    }
}

/// An instance as it is at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Its state.
    pub(crate) state: State,
    /// What is under way on it.
    pub(crate) act: Option<Act>,
    /// How much of it is done, 0 to 1. Lets a reboot show two states one after the other.
    pub(crate) progress: f64,
}

/// One instance. Its state is never written: it follows from the last action and the moment at
/// which one looks.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    id: Arc<str>,
    /// Counts the instances of one cloud from 0, in the order in which they were made.
    pub(crate) number: u32,
    /// Which of the cloud's regions.
    pub(crate) region: u16,
    /// Gone: no call finds it any more.
    pub(crate) deleted: bool,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) executed: Executed,
    /// The power before `motion`.
    before: Power,
    motion: Option<Motion>,
    /// Microseconds since 1970 of the last boot before `motion`.
    booted_before: i64,
}

/// Whether an instance is up when nothing moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    Running,
    Stopped,
}

#[derive(Clone, Copy, Debug)]
struct Motion {
    act: Act,
    accepted: Moment,
    visible: Moment,
    due: Moment,
}

impl Instance {
    pub(crate) fn new(id: Arc<str>, number: u32, region: u16, power: Power, booted: i64) -> Self {
        Self {
            id,
            number,
            region,
            deleted: false,
            trouble: None,
            executed: Executed::default(),
            before: power,
            motion: None,
            booted_before: booted,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// The name that its owner gave it.
    pub(crate) fn name(&self) -> String {
        format!("vm-{:06}", self.number)
    }

    /// Begins `act`, whatever the state; gives the moment at which it is done.
    pub(crate) fn begin(
        &mut self,
        act: Act,
        now: Moment,
        lag: Duration,
        span: Duration,
        epoch: i64,
    ) -> Moment {
        self.booted_before = self.booted(now, epoch);
        self.before = match self.truth(now).state {
            State::Running => Power::Running,
            // On its way: until the action is visible it shows as not yet there.
            State::Starting | State::Stopping | State::Rebooting if act != Act::Start => {
                Power::Running
            }
            _ => Power::Stopped,
        };
        let due = if self.trouble == Some(Trouble::Stubborn) && act == Act::Stop {
            Moment::NEVER
        } else {
            now.after(span)
        };
        self.motion = Some(Motion {
            act,
            accepted: now,
            visible: now.after(lag).min(due),
            due,
        });
        due
    }

    /// How it really is.
    pub(crate) fn truth(&self, at: Moment) -> View {
        self.view(at, |motion| motion.accepted)
    }

    /// How an observation shows it: an action that was just accepted may not be visible yet.
    pub(crate) fn shown(&self, at: Moment) -> View {
        self.view(at, |motion| motion.visible)
    }

    fn view(&self, at: Moment, begins: fn(&Motion) -> Moment) -> View {
        let settled = |state| View {
            state,
            act: None,
            progress: 1.0,
        };
        if let Some(state) = self.trouble.and_then(Trouble::state) {
            return settled(state);
        }
        let resting = match self.before {
            Power::Running => State::Running,
            Power::Stopped => State::Stopped,
        };
        let Some(motion) = &self.motion else {
            return settled(resting);
        };
        if at < begins(motion) {
            return settled(resting);
        }
        if at < motion.due {
            let whole = motion.due.since(motion.accepted).as_secs_f64();
            return View {
                state: motion.act.passing(),
                act: Some(motion.act),
                progress: at.since(motion.accepted).as_secs_f64() / whole.max(f64::MIN_POSITIVE),
            };
        }
        if self.trouble == Some(Trouble::Broken) && motion.act.is_boot() {
            return settled(State::Failed);
        }
        settled(motion.act.goal())
    }

    /// When it was last booted, as an observation at `at` shows it.
    pub(crate) fn started_at(&self, at: Moment, epoch: i64) -> Timestamp {
        Timestamp::from_microsecond(self.booted(at, epoch)).unwrap_or_default()
    }

    fn booted(&self, at: Moment, epoch: i64) -> i64 {
        match &self.motion {
            Some(motion) if motion.act.is_boot() && at >= motion.due => {
                let after = i64::try_from(motion.due.elapsed().as_micros()).unwrap_or_default();
                epoch.saturating_add(after)
            }
            _ => self.booted_before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: i64 = 1_000_000_000_000_000;

    fn at(seconds: u64) -> Moment {
        Moment::since_start(Duration::from_secs(seconds))
    }

    fn running() -> Instance {
        Instance::new("i-1".into(), 0, 0, Power::Running, EPOCH)
    }

    fn begin(instance: &mut Instance, act: Act, now: u64) {
        instance.begin(
            act,
            at(now),
            Duration::from_secs(2),
            Duration::from_secs(10),
            EPOCH,
        );
    }

    #[test]
    fn a_reboot_passes_and_leaves_a_new_start_time() {
        let mut instance = running();
        let before = instance.started_at(at(5), EPOCH);
        begin(&mut instance, Act::Reboot, 10);
        assert_eq!(instance.truth(at(10)).state, State::Rebooting);
        assert_eq!(
            instance.shown(at(11)).state,
            State::Running,
            "not visible yet"
        );
        assert_eq!(instance.shown(at(12)).state, State::Rebooting);
        assert_eq!(instance.started_at(at(19), EPOCH), before);
        assert_eq!(instance.shown(at(20)).state, State::Running);
        assert_ne!(instance.started_at(at(20), EPOCH), before);
    }

    #[test]
    fn what_is_stopped_while_it_boots_is_not_shown_stopped_before_it_is() {
        let mut instance = Instance::new("i-1".into(), 0, 0, Power::Stopped, EPOCH);
        begin(&mut instance, Act::Start, 0);
        begin(&mut instance, Act::Stop, 5);
        assert_eq!(instance.shown(at(6)).state, State::Running);
        assert_eq!(instance.shown(at(7)).state, State::Stopping);
        assert_eq!(instance.shown(at(15)).state, State::Stopped);
    }

    #[test]
    fn troubles_show_and_act() {
        let mut stubborn = running();
        stubborn.trouble = Some(Trouble::Stubborn);
        begin(&mut stubborn, Act::Stop, 0);
        assert_eq!(stubborn.truth(at(100_000)).state, State::Stopping);
        begin(&mut stubborn, Act::ForcedStop, 100_000);
        assert_eq!(stubborn.truth(at(100_010)).state, State::Stopped);

        let mut broken = Instance::new("i-2".into(), 0, 0, Power::Stopped, EPOCH);
        broken.trouble = Some(Trouble::Broken);
        begin(&mut broken, Act::Start, 0);
        assert_eq!(broken.truth(at(9)).state, State::Starting);
        assert_eq!(broken.truth(at(10)).state, State::Failed);

        let mut locked = running();
        locked.trouble = Some(Trouble::Locked);
        assert_eq!(locked.shown(at(0)).state, State::Running);
        locked.trouble = Some(Trouble::Expired);
        assert_eq!(locked.shown(at(0)).state, State::Expired);
    }

    #[test]
    fn an_instance_is_lean() {
        assert!(
            size_of::<Instance>() <= 120,
            "{} bytes",
            size_of::<Instance>()
        );
    }
}
