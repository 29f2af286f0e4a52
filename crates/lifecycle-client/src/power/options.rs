//! The options of a power request besides the action, such as the wait timeout and strictness.

use std::time::Duration;

use lifecycle_core::{Action, StopMode, StopOptions};

use crate::{
    call::policy::{WaitTimeout, YEAR},
    error::Error,
};

/// The options of a power request besides the options of the action. By default a request ends when
/// the cloud accepts the action, counts an instance already at the goal as success, and forces
/// nothing.
///
/// The methods of [`PowerRequest`](crate::PowerRequest) set these options one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PowerRequestOptions {
    /// The time limit for reaching the goal; with `None` the request ends when the cloud accepts the
    /// action.
    pub wait: Option<WaitTimeout>,
    /// Reports an instance already at the goal, or changing to the goal, as refused instead of
    /// unchanged. Skips an instance whose state cannot be read. No effect on a reboot.
    pub strict: bool,
    /// The time from the acceptance of a graceful stop to the forced stop of an instance that still
    /// runs. Must be shorter than the time limit. No effect on a start or a reboot.
    pub force_after: Option<Duration>,
    /// Looks at each instance first, waits for the end of a transition that does not lead to the goal, and
    /// sends the action then.
    pub when_idle: bool,
}

impl PowerRequestOptions {
    /// Sets the time limit for reaching the goal.
    #[must_use]
    pub fn with_wait(mut self, timeout: impl Into<WaitTimeout>) -> Self {
        self.wait = Some(timeout.into());
        self
    }

    /// Sets whether an instance already at the goal is reported as refused.
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets the time after which a graceful stop is followed by a forced one.
    #[must_use]
    pub fn with_force_after(mut self, after: Duration) -> Self {
        self.force_after = Some(after);
        self
    }

    /// Sets whether an instance in a transition is sent when the transition has ended.
    #[must_use]
    pub fn with_when_idle(mut self, when_idle: bool) -> Self {
        self.when_idle = when_idle;
        self
    }

    /// Waits in any case: for ten minutes after the moment of force, unless a time limit is set.
    pub(crate) fn waiting(self) -> Self {
        let after = self.force_after.unwrap_or_default().min(YEAR);
        let implied = WaitTimeout::from(after + WaitTimeout::DEFAULT.duration());
        self.with_wait(self.wait.unwrap_or(implied))
    }

    /// Returns the time limit. A stop that is to be forced later waits in any case.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let options = match self.force_after {
            Some(_) => self.waiting(),
            None => *self,
        };
        options.wait.map(WaitTimeout::duration)
    }

    /// Returns the action that follows when a graceful stop takes too long.
    pub(crate) fn force(&self, action: &Action) -> Result<Option<Force>, Error> {
        let (Some(after), Action::Stop(stop)) = (self.force_after, action) else {
            return Ok(None);
        };
        let timeout = self.timeout().unwrap_or_default();
        if after >= timeout {
            return Err(Error::NeverForced { after, timeout });
        }
        let mut forced: StopOptions = *stop;
        forced.mode = StopMode::Forced;
        Ok(Some(Force {
            after,
            action: forced.into(),
        }))
    }
}

/// The action that follows a graceful stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Force {
    /// Counted for each instance from the acceptance of the graceful stop.
    pub(crate) after: Duration,
    pub(crate) action: Action,
}
