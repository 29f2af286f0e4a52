//! `ResumePoint`: the point that an earlier process reached in a request.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use lifecycle_core::{Fault, InstanceId, JobId, Observation};

use super::report::{InstanceReport, Outcome, Pending};

/// The point that an earlier process reached for one instance of a request.
///
/// A request with resume points continues where the other process ended; see
/// [`PowerRequest::resume`](crate::PowerRequest::resume). An instance without a resume point was never sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResumePoint<I = InstanceId> {
    /// The outcome is final. The report has this row, and nothing is sent or read.
    Settled(Box<InstanceReport<I>>),
    /// The cloud accepted the action. The request waits for the goal, and sends nothing.
    Accepted {
        /// The instance as seen before the action.
        before: Option<Observation>,
        /// The cloud's id of the request that carried the action.
        request_id: Option<String>,
        /// The job of the cloud that carries the action out.
        job: Option<JobId>,
    },
    /// The cloud may have executed the action. Lookups settle the question: the outcome is
    /// [`Reached`](crate::Outcome::Reached) with evidence, or [`Uncertain`](crate::Outcome::Uncertain).
    Unclear {
        /// The instance as seen before the action.
        before: Option<Observation>,
        /// The reason why no answer is known.
        fault: Fault,
        /// Sends the action again if lookups show that the instance is not at the goal and does not change to
        /// it. No effect on an action that may not be repeated, such as a reboot.
        resend: bool,
    },
}

/// The resume points of a request; empty for a request that begins.
#[derive(Clone, Debug)]
pub(crate) struct ResumePoints<I>(Arc<HashMap<I, ResumePoint<I>>>);

impl<I: Clone + Eq + Hash> ResumePoints<I> {
    pub(crate) fn new(points: impl IntoIterator<Item = (I, ResumePoint<I>)>) -> Self {
        Self(Arc::new(points.into_iter().collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the row of an instance whose outcome is final.
    pub(crate) fn settled(&self, instance: &I) -> Option<&InstanceReport<I>> {
        match self.0.get(instance) {
            Some(ResumePoint::Settled(row)) => Some(row),
            _ => None,
        }
    }

    /// Returns whether an earlier process sent the instance.
    pub(crate) fn contains(&self, instance: &I) -> bool {
        self.0.contains_key(instance)
    }

    /// Returns the row of an instance for which this process did nothing, because of `fault`.
    pub(crate) fn untouched(&self, instance: &I, fault: &Fault) -> InstanceReport<I> {
        let outcome = match self.0.get(instance) {
            Some(ResumePoint::Settled(row)) => return (**row).clone(),
            Some(ResumePoint::Accepted { before, .. }) => {
                let state = before.as_ref().map(|before| before.state);
                Outcome::Pending(Pending::Cancelled(state))
            }
            Some(ResumePoint::Unclear { fault, .. }) => Outcome::Uncertain(fault.clone()),
            None => Outcome::Skipped(fault.clone()),
        };
        InstanceReport::new(instance.clone(), outcome)
    }

    /// Returns the resume points of one client by id, without the settled instances. `name` returns the name
    /// of an id in the request.
    pub(crate) fn of_client(
        &self,
        ids: &[InstanceId],
        name: impl Fn(InstanceId) -> I,
    ) -> HashMap<InstanceId, ClientPoint> {
        if self.is_empty() {
            return HashMap::new();
        }
        let point = |id: &InstanceId| {
            let point = match self.0.get(&name(id.clone()))? {
                ResumePoint::Settled(_) => return None,
                ResumePoint::Accepted {
                    before,
                    request_id,
                    job,
                } => ClientPoint {
                    before: before.clone(),
                    progress: ClientProgress::Accepted {
                        request_id: request_id.clone(),
                        job: job.clone(),
                    },
                },
                ResumePoint::Unclear {
                    before,
                    fault,
                    resend,
                } => ClientPoint {
                    before: before.clone(),
                    progress: ClientProgress::Unclear {
                        fault: fault.clone(),
                        resend: *resend,
                    },
                },
            };
            Some((id.clone(), point))
        };
        ids.iter().filter_map(point).collect()
    }
}

impl<I> Default for ResumePoints<I> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// The resume point of an instance that is not settled.
#[derive(Clone, Debug)]
pub(crate) struct ClientPoint {
    pub(crate) before: Option<Observation>,
    pub(crate) progress: ClientProgress,
}

/// The progress of an instance that is not settled.
#[derive(Clone, Debug)]
pub(crate) enum ClientProgress {
    Accepted {
        request_id: Option<String>,
        job: Option<JobId>,
    },
    Unclear {
        fault: Fault,
        resend: bool,
    },
}
