//! The table of [`answers`]: each end of a call, and the answer that is recorded for each instance.

use super::*;

fn ids(count: usize) -> Vec<InstanceId> {
    let id = |n| InstanceId::new(&format!("i-{n}")).unwrap();
    (0..count).map(id).collect()
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "no")
}

fn output(value: BatchAck, execution: ExecutionStatus) -> Result<CallOutput<BatchAck>, CallError> {
    Ok(CallOutput {
        value,
        request_id: None,
        execution,
    })
}

fn error(
    kind: FaultKind,
    execution: ExecutionStatus,
    sent: bool,
) -> Result<CallOutput<BatchAck>, CallError> {
    Err(CallError {
        fault: fault(kind),
        attempts: 1,
        execution,
        sent,
    })
}

/// Returns the names of the answers to a call for two instances.
fn words(result: &Result<CallOutput<BatchAck>, CallError>, count: usize) -> Vec<&'static str> {
    let answers = answers(&ids(count), result).into_iter();
    let word = |(_, answer)| match answer {
        CallAnswer::Accepted { job: None, .. } => "accepted",
        CallAnswer::Accepted { .. } => "job",
        CallAnswer::Refused(_) => "refused",
        CallAnswer::Rejected(_) => "rejected",
        CallAnswer::Unclear(_) => "unclear",
        CallAnswer::NotSent(_) => "not-sent",
    };
    answers.map(word).collect()
}

#[test]
fn answer_follows_from_the_end_of_the_call() {
    use ExecutionStatus::{NotExecuted, Unknown};
    let [first, second] = [&ids(2)[0], &ids(2)[1]].map(Clone::clone);
    let except = |kind| BatchAck::Except(vec![(second.clone(), fault(kind))]);
    let each = BatchAck::Each {
        accepted: vec![first.clone()],
        refused: Vec::new(),
    };
    let second_refused = BatchAck::Each {
        accepted: vec![first],
        refused: vec![(second.clone(), fault(FaultKind::Locked))],
    };
    let job = BatchAck::Job(JobId::new("j-1").unwrap());
    for (result, expected) in [
        (output(BatchAck::All, NotExecuted), ["accepted"; 2]),
        (output(BatchAck::Unlisted, NotExecuted), ["accepted"; 2]),
        (output(job, Unknown), ["job"; 2]),
        (
            output(except(FaultKind::Locked), NotExecuted),
            ["accepted", "refused"],
        ),
        // An earlier attempt of the call may have been executed.
        (
            output(except(FaultKind::Locked), Unknown),
            ["accepted", "unclear"],
        ),
        (
            output(except(FaultKind::Failed), NotExecuted),
            ["accepted", "unclear"],
        ),
        (output(each, NotExecuted), ["accepted", "unclear"]),
        (output(second_refused, NotExecuted), ["accepted", "refused"]),
        (
            error(FaultKind::Deadline, NotExecuted, false),
            ["not-sent"; 2],
        ),
        (
            error(FaultKind::Unreachable, NotExecuted, false),
            ["not-sent"; 2],
        ),
        // One of the instances may be the reason: the cloud may have executed the others.
        (error(FaultKind::Locked, NotExecuted, true), ["rejected"; 2]),
        (
            error(FaultKind::Permission, NotExecuted, true),
            ["refused"; 2],
        ),
        (error(FaultKind::NoAnswer, Unknown, true), ["unclear"; 2]),
        (error(FaultKind::Failed, Unknown, true), ["unclear"; 2]),
        // The last attempt did not leave, and an earlier one did.
        (
            error(FaultKind::Unreachable, Unknown, false),
            ["unclear"; 2],
        ),
    ] {
        assert_eq!(words(&result, 2), expected, "{result:?}");
    }
    let single = error(FaultKind::Locked, NotExecuted, true);
    assert_eq!(words(&single, 1), ["refused"]);
}

#[test]
fn error_of_a_recorder_has_the_source_of_its_reason() {
    use std::error::Error as _;

    let error = RecordError::new(crate::Error::Unsupported(fault(FaultKind::Unsupported)));
    let source = error.source().map(ToString::to_string);
    let expected = fault(FaultKind::Unsupported).to_string();
    assert_eq!(source, Some(expected));
    assert!(RecordError::new("the disk is full").source().is_none());
}
