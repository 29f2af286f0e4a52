//! The table of [`resume_step`]: each progress of an instance, for each kind of action.

use super::*;
use crate::record::{ActionRecord, OperationId, Request, RequestOptionsRecord};

const START: ActionRecord = ActionRecord::Start {
    initialize_local_disk: false,
};
const INITIALIZE: ActionRecord = ActionRecord::Start {
    initialize_local_disk: true,
};
const STOP: ActionRecord = ActionRecord::Stop {
    forced: false,
    release: false,
};
const REBOOT: ActionRecord = ActionRecord::Reboot { forced: false };

fn operation(action: ActionRecord) -> Operation {
    let request = Request {
        operation: OperationId("a".to_owned()),
        at: "2026-11-20T18:00:00Z".parse().unwrap(),
        by: "ops".to_owned(),
        why: "test".to_owned(),
        action,
        options: RequestOptionsRecord::default(),
        waves: None,
        selected_by: None,
        left_alone: Vec::new(),
        instances: vec!["i-1".to_owned()],
    };
    let mut state = crate::state::State::default();
    state.apply(&crate::record::Record::Request(request));
    state.operations.remove(0)
}

fn fault() -> FaultRecord {
    (&Fault::new(FaultKind::WrongState, "no")).into()
}

fn word(step: &ResumeStep) -> &'static str {
    match step {
        ResumeStep::Report(_) => "report",
        ResumeStep::Settle(outcome) => outcome.as_str(),
        ResumeStep::Send => "send",
        ResumeStep::Wait { .. } => "wait",
        ResumeStep::Look { resend: true, .. } => "look, send again",
        ResumeStep::Look { resend: false, .. } => "look",
    }
}

#[test]
fn step_follows_from_progress_action_and_mode() {
    let answered = SendPhase::Answered;
    let accepted = AnswerRecord::Accepted {
        request_id: None,
        job: None,
    };
    let fault = fault();
    // Phase; for a start or a stop; for an action that may not be repeated; for a report only of both kinds.
    let table = [
        (SendPhase::NotSent, "send", "send", "skipped", "skipped"),
        (
            answered(AnswerRecord::NotSent {
                fault: fault.clone(),
            }),
            "send",
            "send",
            "skipped",
            "skipped",
        ),
        (SendPhase::Sent, "look, send again", "look", "look", "look"),
        (answered(accepted), "wait", "wait", "wait", "wait"),
        (
            answered(AnswerRecord::Refused {
                fault: fault.clone(),
            }),
            "send",
            "refused",
            "refused",
            "refused",
        ),
        (
            answered(AnswerRecord::Rejected {
                fault: fault.clone(),
            }),
            "look, send again",
            "look",
            "look",
            "look",
        ),
        (
            answered(AnswerRecord::Unclear { fault }),
            "look, send again",
            "look",
            "look",
            "look",
        ),
    ];
    for (phase, repeatable, once, report, report_once) in table {
        for (action, finish, report) in [
            (START, repeatable, report),
            (STOP, repeatable, report),
            (INITIALIZE, once, report_once),
            (REBOOT, once, report_once),
        ] {
            let operation = operation(action);
            let mut progress = operation.progress("i-1").clone();
            progress.phase = phase.clone();
            let step = resume_step(&operation, &progress, ResumeMode::Finish);
            assert_eq!(word(&step), finish, "{action}: {phase:?}");
            let step = resume_step(&operation, &progress, ResumeMode::ReportOnly);
            assert_eq!(word(&step), report, "{action}, report only: {phase:?}");
            if let ResumeStep::Look { fault, .. } = step {
                assert!(fault.maybe_executed, "{phase:?}");
            }
            let row = InstanceReport::new("i-1", Outcome::Unchanged);
            progress.outcome = Some((&row).into());
            for mode in [ResumeMode::Finish, ResumeMode::ReportOnly] {
                let step = resume_step(&operation, &progress, mode);
                assert_eq!(word(&step), "report", "{action}: {phase:?}");
            }
        }
    }
}
