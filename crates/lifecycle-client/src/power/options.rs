//! On what terms a request is carried out: how long it waits and how much it insists.

use std::time::Duration;

use lifecycle_core::{Action, StopMode, StopOptions};

use crate::{
    call::policy::{WaitTimeout, YEAR},
    error::Error,
};

/// On what terms a power request is carried out. The default ends with acceptance, takes what is
/// so already for good, and forces nothing.
///
/// The methods of [`PowerRequest`](crate::PowerRequest) set these one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PowerRequestOptions {
    /// How long to wait for the goal; `None` ends with acceptance.
    pub patience: Option<WaitTimeout>,
    /// Instances that are at the goal already, or on the way to it, are refused instead of reported
    /// as unchanged, and what cannot be looked at is skipped. Says nothing to a reboot.
    pub strict: bool,
    /// How long after the cloud took a graceful stop on a forced one follows, for what is not down
    /// by then. Must be shorter than the patience. Says nothing to a start or a reboot.
    pub force_after: Option<Duration>,
}

impl PowerRequestOptions {
    /// The patience of a request that has to wait: the one given, or ten minutes, counted from the
    /// moment of force where there is one.
    pub fn patience_or_default(&self) -> WaitTimeout {
        let implied = || {
            let after = self.force_after.unwrap_or_default().min(YEAR);
            WaitTimeout::from(after + WaitTimeout::DEFAULT.duration())
        };
        self.patience.unwrap_or_else(implied)
    }

    /// The time to wait for. Waves and a stop that is to be forced later have to wait in any case.
    pub(crate) fn patience(&self, in_waves: bool) -> Option<Duration> {
        let waits = self.patience.is_some() || self.force_after.is_some() || in_waves;
        waits.then(|| self.patience_or_default().duration())
    }

    /// The action that follows when a graceful stop takes too long.
    pub(crate) fn force(&self, action: &Action) -> Result<Option<Force>, Error> {
        let (Some(after), Action::Stop(stop)) = (self.force_after, action) else {
            return Ok(None);
        };
        let patience = self.patience(false).unwrap_or_default();
        if after >= patience {
            return Err(Error::NeverForced { after, patience });
        }
        let mut forced: StopOptions = *stop;
        forced.mode = StopMode::Forced;
        Ok(Some(Force {
            after,
            action: forced.into(),
        }))
    }
}

/// What follows a graceful stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Force {
    /// Counted for each instance from the moment at which the cloud took its stop on.
    pub(crate) after: Duration,
    pub(crate) action: Action,
}
