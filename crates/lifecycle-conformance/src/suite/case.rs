//! A case of the conformance suite, and its status.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::time::timeout;

use super::{CloudUnderTest, NotSupported};

/// A case of the suite.
pub struct Case {
    /// The unique name, a noun phrase.
    pub name: String,
    /// The access to instances that the case needs.
    pub access: Access,
    test: Box<Test>,
}

type Test = dyn for<'s> Fn(&'s dyn CloudUnderTest) -> CaseFuture<'s>;

/// The future of a running case.
pub(super) type CaseFuture<'s> = Pin<Box<dyn Future<Output = CaseResult> + 's>>;

impl Case {
    pub(super) fn new(
        name: impl Into<String>,
        access: Access,
        test: impl for<'s> Fn(&'s dyn CloudUnderTest) -> CaseFuture<'s> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            access,
            test: Box::new(test),
        }
    }

    /// Runs the case on `cloud`.
    pub async fn run(&self, cloud: &dyn CloudUnderTest) -> CaseStatus {
        match timeout(HANG_LIMIT, self.try_run(cloud)).await {
            Ok(Ok(())) => CaseStatus::Passed,
            Ok(Err(CaseError::NotApplicable(reason))) => CaseStatus::NotApplicable(reason),
            Ok(Err(CaseError::Failed(reason))) => CaseStatus::Failed(reason),
            Err(_) => CaseStatus::Failed("the case hangs".to_owned()),
        }
    }

    /// Runs the case on a new cloud under test and a new runtime with paused time.
    ///
    /// `cloud` is called within the runtime, so that clocks start there.
    pub fn run_in_paused_time<S: CloudUnderTest>(
        &self,
        cloud: impl Fn() -> Result<S, String>,
    ) -> CaseStatus {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(async {
                match cloud() {
                    Ok(cloud) => self.run(&cloud).await,
                    Err(problem) => CaseStatus::Failed(problem),
                }
            }),
            Err(problem) => CaseStatus::Failed(problem.to_string()),
        }
    }

    async fn try_run(&self, cloud: &dyn CloudUnderTest) -> CaseResult {
        match self.access {
            Access::Read => {}
            Access::Power => cloud.check_power()?,
            Access::PowerOnUnknownIds => {
                cloud.check_power()?;
                cloud.check_power_on_unknown_ids()?;
            }
        }
        (self.test)(cloud).await
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// A time limit far beyond every deadline of a case.
const HANG_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The access to instances that a case needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Reads only.
    Read,
    /// Starts, stops or reboots instances of the cloud under test.
    Power,
    /// Requests power actions on an id without an instance.
    PowerOnUnknownIds,
}

/// The result of a case.
pub type CaseResult = Result<(), CaseError>;

/// The reason of an early end of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaseError {
    /// The cloud under test lacks a condition, a fault or an option.
    NotApplicable(String),
    /// The behaviour is wrong.
    Failed(String),
}

impl From<NotSupported> for CaseError {
    fn from(reason: NotSupported) -> Self {
        Self::NotApplicable(reason.to_string())
    }
}

impl From<lifecycle_facade::Error> for CaseError {
    fn from(error: lifecycle_facade::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Fails the case with `problem` unless `holds`.
pub(super) fn ensure(holds: bool, problem: impl FnOnce() -> String) -> CaseResult {
    if holds {
        Ok(())
    } else {
        Err(CaseError::Failed(problem()))
    }
}

/// The status of a finished case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaseStatus {
    /// The behaviour is right.
    Passed,
    /// The behaviour is wrong, for this reason.
    Failed(String),
    /// The cloud under test cannot run the case, for this reason.
    NotApplicable(String),
}

impl CaseStatus {
    /// Returns the word of the status.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed(_) => "fail",
            Self::NotApplicable(_) => "not applicable",
        }
    }

    /// Returns the reason of a failure, or of a case that is not applicable.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed(reason) | Self::NotApplicable(reason) => Some(reason),
        }
    }
}
