//! Test of the rows of the library: programs read the rows of the library and of the command in one way.

use lifecycle_facade::{
    Cloud, Fault, FaultKind, FleetRow, InstanceId, InstanceReference, Observation, Outcome,
    Pending, PowerState, StoppedBilling, lifecycle_core::Lock,
};

use crate::row::{RequestKind, Row};

#[test]
fn row_of_the_library_has_the_fields_and_words_of_the_command() {
    let fault = Fault::new(FaultKind::Capacity, "sold out").with_code("NoStock");
    let reference = format!("prod@{}/r1/a", Cloud::ALL[0]);
    let reference: InstanceReference = reference.parse().unwrap();
    let id = InstanceId::new("a").unwrap();
    let mut seen = Observation::new(id, PowerState::Stopping, "STOPPING");
    seen.lock = Some(Lock::Financial);
    for (outcome, kind) in [
        (Outcome::Refused(fault), RequestKind::Action),
        (Outcome::Pending(Pending::Vanished), RequestKind::Stop),
        (Outcome::Accepted, RequestKind::Stop),
    ] {
        let mut report = FleetRow::new(reference.clone(), outcome)
            .with_last_seen(seen.clone())
            .with_request_id("r-1");
        if kind == RequestKind::Stop {
            report = report.with_billing(StoppedBilling::NotBilled);
        }
        let library = serde_json::to_value(&report).unwrap();
        let command = serde_json::to_value(Row::of_report(&report, kind)).unwrap();
        for (field, value) in library.as_object().unwrap() {
            assert_eq!(Some(value), command.get(field), "{field} of {library}");
        }
    }
}
