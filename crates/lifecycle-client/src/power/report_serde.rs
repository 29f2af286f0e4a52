//! `serde` of outcomes, rows and reports, behind the feature `serde`.
//!
//! A row has the fields of the command's JSON output, with the same words, so that a program reads rows of
//! both in one way. Messages are for people and may change. Rows are written only.

use lifecycle_core::{Fault, Lock};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::report::{InstanceReport, Outcome, Pending, Report};

/// The version of the fields, as in the output of the command.
const SCHEMA: u64 = 1;

impl<I: Serialize> Serialize for Report<I> {
    /// Writes an array of the rows, in the order of the request.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.instances())
    }
}

impl<I: Serialize> Serialize for InstanceReport<I> {
    /// Writes `schema`, `instance`, `outcome`, `state`, `code`, `kind`, `message`, `request_id`, `name`, `cloud_state`
    /// and `lock`; a pending row also `pending`, and a row of a stop also `billing`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let seen = self.last_seen.as_ref();
        map.serialize_entry("schema", &SCHEMA)?;
        map.serialize_entry("instance", &self.instance)?;
        map.serialize_entry("outcome", self.outcome.as_str())?;
        map.serialize_entry("state", &seen.map(|seen| seen.state))?;
        self.outcome.serialize_reason::<S>(&mut map)?;
        let fault = self.outcome.fault();
        let request_id = self.request_id.as_deref();
        let request_id = request_id.or_else(|| fault?.request_id());
        map.serialize_entry("request_id", &request_id)?;
        if let Some(billing) = self.billing {
            map.serialize_entry("billing", &billing)?;
        }
        map.serialize_entry("name", &seen.and_then(|seen| seen.name.as_deref()))?;
        map.serialize_entry("cloud_state", &seen.map(|seen| &*seen.raw))?;
        let lock = seen.and_then(|seen| seen.lock.as_ref());
        map.serialize_entry("lock", &lock.map(Lock::to_string))?;
        map.end()
    }
}

impl Serialize for Outcome {
    /// Writes `outcome`, `code`, `kind`, `message` and `request_id`; a pending outcome also `pending`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("outcome", self.as_str())?;
        self.serialize_reason::<S>(&mut map)?;
        let request_id = self.fault().and_then(Fault::request_id);
        map.serialize_entry("request_id", &request_id)?;
        map.end()
    }
}

impl Outcome {
    fn serialize_reason<S: Serializer>(&self, map: &mut S::SerializeMap) -> Result<(), S::Error> {
        let fault = self.fault();
        let pending = match self {
            Self::Pending(pending) => Some(pending.as_str()),
            _ => None,
        };
        let kind = fault.map(|fault| fault.kind().as_str()).or(pending);
        map.serialize_entry("code", &fault.and_then(Fault::code))?;
        map.serialize_entry("kind", &kind)?;
        if let Some(pending) = pending {
            map.serialize_entry("pending", pending)?;
        }
        map.serialize_entry("message", &self.explanation())
    }

    /// Returns the explanation for people, without the name of the outcome.
    fn explanation(&self) -> Option<String> {
        match self {
            Self::Reached(evidence) => Some(evidence.to_string()),
            Self::Accepted | Self::Unchanged => None,
            Self::Refused(fault) | Self::Skipped(fault) => {
                let advice = fault.kind().advice();
                Some(format!("{}; {advice}", fault.description()))
            }
            Self::Uncertain(fault) => Some(format!(
                "{}; check the instance before you repeat the request",
                fault.description()
            )),
            Self::Pending(pending) => Some(Pending::to_string(pending)),
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::{FaultKind, InstanceId, Observation, PowerState, StoppedBilling};
    use serde_json::{json, to_value};

    use super::*;

    fn id() -> InstanceId {
        InstanceId::new("i-1").unwrap()
    }

    #[test]
    fn row_has_the_fields_of_the_command() {
        let seen = Observation::new(id(), PowerState::Stopping, "STOPPING");
        let pending = Outcome::Pending(Pending::Deadline(Some(PowerState::Stopping)));
        let row = InstanceReport::new(id(), pending)
            .with_last_seen(seen)
            .with_request_id("r-1")
            .with_billing(StoppedBilling::NotBilled);
        let expected = json!({
            "schema": 1, "instance": "i-1", "outcome": "pending", "state": "stopping", "code": null,
            "kind": "deadline", "pending": "deadline",
            "message": "time limit reached; the instance is still stopping", "request_id": "r-1",
            "billing": "not-billed", "name": null, "cloud_state": "STOPPING", "lock": null,
        });
        assert_eq!(to_value(&row).unwrap(), expected);
        let report: Report = [row].into_iter().collect();
        assert_eq!(to_value(&report).unwrap(), json!([expected]));
    }

    #[test]
    fn outcome_has_code_kind_and_request_id_of_its_fault() {
        let fault = Fault::new(FaultKind::Locked, "no")
            .with_code("Locked")
            .with_request_id(Some("r-2"));
        let outcome = Outcome::Refused(fault);
        let advice = FaultKind::Locked.advice();
        let expected = json!({"outcome": "refused", "code": "Locked", "kind": "locked",
            "message": format!("no; {advice}"), "request_id": "r-2"});
        assert_eq!(to_value(&outcome).unwrap(), expected);
        let row = to_value(InstanceReport::new(id(), outcome)).unwrap();
        assert_eq!(row["request_id"], "r-2");
        assert_eq!(
            to_value(Outcome::Unchanged).unwrap()["message"],
            json!(null)
        );
    }
}
