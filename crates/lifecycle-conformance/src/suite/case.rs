//! One case and how it ends.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::time::timeout;

use super::{Missing, Subject};

/// One scenario.
pub struct Case {
    /// What is tried, as a noun phrase; unique.
    pub name: String,
    /// Whether it asks for power actions.
    pub needs: Needs,
    scenario: Box<Scenario>,
}

type Scenario = dyn for<'s> Fn(&'s dyn Subject) -> Work<'s>;

/// A scenario under way.
pub(super) type Work<'s> = Pin<Box<dyn Future<Output = Ran> + 's>>;

impl Case {
    pub(super) fn new(
        name: impl Into<String>,
        needs: Needs,
        scenario: impl for<'s> Fn(&'s dyn Subject) -> Work<'s> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            needs,
            scenario: Box::new(scenario),
        }
    }

    /// Runs it on `subject`.
    pub async fn run(&self, subject: &dyn Subject) -> Verdict {
        match timeout(FOR_EVER, self.try_run(subject)).await {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(Stop::Missing(why))) => Verdict::NotApplicable(why),
            Ok(Err(Stop::Wrong(what))) => Verdict::Failed(what),
            Err(_) => Verdict::Failed("it hangs".to_owned()),
        }
    }

    async fn try_run(&self, subject: &dyn Subject) -> Ran {
        match self.needs {
            Needs::Looks => {}
            Needs::Power => subject.allows_power()?,
            Needs::PowerOnStrangers => {
                subject.allows_power()?;
                subject.allows_power_on_strangers()?;
            }
        }
        (self.scenario)(subject).await
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

/// Far beyond every deadline of a case.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// What a case asks of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Needs {
    /// It only reads: harmless.
    Looks,
    /// It starts, stops or reboots instances that the subject gives.
    Power,
    /// It asks for power actions on an id that no instance has.
    PowerOnStrangers,
}

/// The end of a scenario.
pub type Ran = Result<(), Stop>;

/// Why a scenario ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The subject lacks the means, or the cloud the option.
    Missing(String),
    /// This is wrong.
    Wrong(String),
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing.to_string())
    }
}

impl From<lifecycle_facade::Error> for Stop {
    fn from(error: lifecycle_facade::Error) -> Self {
        Self::Wrong(error.to_string())
    }
}

/// Ends the scenario with `what` unless `right`.
pub(super) fn ensure(right: bool, what: impl FnOnce() -> String) -> Ran {
    if right {
        Ok(())
    } else {
        Err(Stop::Wrong(what()))
    }
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// All is as it should be.
    Passed,
    /// This is wrong.
    Failed(String),
    /// It could not be tried, for this reason.
    NotApplicable(String),
}

impl Verdict {
    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed(_) => "fail",
            Self::NotApplicable(_) => "not applicable",
        }
    }

    /// What is wrong, or why it could not be tried.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed(reason) | Self::NotApplicable(reason) => Some(reason),
        }
    }
}
