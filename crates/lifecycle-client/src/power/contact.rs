//! The record of reads about an instance: the age of the last state, and the reason for its age.

use std::time::Duration;

use lifecycle_core::{Fault, FaultKind, PowerState};
use tokio::time::Instant;

use super::report::Pending;

/// The last answer of the cloud about an instance, and the last failure to get one.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    /// The time of the last answer about the instance, or of the start of the request.
    answered_at: Instant,
    /// The time at which a lookup returned the instance.
    seen_at: Option<Instant>,
    /// The fault of the last read, if it failed.
    fault: Option<Fault>,
}

impl Contact {
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            answered_at: start,
            seen_at: None,
            fault: None,
        }
    }

    /// Records an answer about the instance without a state, such as the progress of a job.
    pub(crate) fn answered(&mut self, now: Instant) {
        self.answered_at = now;
        self.fault = None;
    }

    /// Records that a lookup returned the instance.
    pub(crate) fn seen(&mut self, now: Instant) {
        self.answered(now);
        self.seen_at = Some(now);
    }

    /// Records a read that failed.
    pub(crate) fn failed(&mut self, fault: &Fault) {
        self.fault = Some(fault.clone());
    }

    /// Adds the last failure of a read to the message of `fault`, which no lookup settled.
    pub(crate) fn explain(&self, fault: Fault) -> Fault {
        let last = self.fault.as_ref().map(Fault::message);
        match last.filter(|last| !fault.message().contains(last)) {
            Some(last) => {
                let message = format!("{}; a look at the instance failed: {last}", fault.message());
                fault.with_message(message)
            }
            None => fault,
        }
    }

    /// Returns the reason to report at the time limit, if the state `last` is older than lookups
    /// without a problem leave it: the last read failed, or no answer came for longer than `silence`.
    pub(crate) fn outdated(
        &self,
        last: Option<PowerState>,
        now: Instant,
        silence: Duration,
    ) -> Option<Pending> {
        let silent_for = now.saturating_duration_since(self.answered_at);
        let fault = match &self.fault {
            Some(fault) => fault.clone(),
            None if silent_for > silence => Fault::new(
                FaultKind::NoAnswer,
                format!(
                    "no lookup was answered for {} s: the cloud did not respond, or this program \
                     was suspended",
                    silent_for.as_secs()
                ),
            ),
            None => return None,
        };
        Some(Pending::StateOutdated {
            last,
            age: self.seen_at.map(|at| now.saturating_duration_since(at)),
            fault,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(9);

    #[test]
    fn state_is_outdated_after_a_failed_read_until_the_next_answer() {
        let start = Instant::now();
        let mut contact = Contact::new(start);
        contact.seen(start);
        contact.failed(&Fault::new(FaultKind::Unreachable, "no connection"));
        let now = start + Duration::from_secs(3);
        let outdated = contact.outdated(Some(PowerState::Starting), now, SILENCE);
        assert_eq!(
            outdated.unwrap().to_string(),
            "time limit reached; the instance was starting when last observed, 3 s before; no \
             newer state: no connection; check the network, the endpoint and the proxy"
        );
        contact.answered(now);
        assert!(contact.outdated(None, now, SILENCE).is_none());
    }

    #[test]
    fn state_is_outdated_after_a_silence_without_any_failure() {
        let start = Instant::now();
        let contact = Contact::new(start);
        let after = |seconds| {
            let now = start + Duration::from_secs(seconds);
            contact.outdated(None, now, SILENCE)
        };
        assert!(after(9).is_none());
        let text = after(600).unwrap().to_string();
        assert!(text.contains("no lookup was answered for 600 s"), "{text}");
    }
}
