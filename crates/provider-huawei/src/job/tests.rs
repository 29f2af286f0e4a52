//! Tests of the progress of a job and of the parts of a job (Huawei).

use lifecycle_core::{ExecutionStatus, FaultKind};
use provider_testing::response;
use serde_json::{Value, json};

use super::*;

fn progress(body: &Value) -> Result<JobProgress, Fault> {
    read_progress(&response(200, body))
}

fn kind(status: &JobStatus) -> Option<FaultKind> {
    match status {
        JobStatus::Failed(fault) => Some(fault.kind()),
        _ => None,
    }
}

#[test]
fn follow_requests_the_job_by_id() {
    let config = Config::new("cn-north-4", "p").unwrap();
    let request = follow(&config, &JobId::new("ff80").unwrap()).request;
    assert_eq!(
        (request.operation, request.target().as_str()),
        ("ShowJob", "/v1/p/jobs/ff80")
    );
    assert_eq!(request.method, Method::GET);
}

#[test]
fn only_success_and_fail_are_final() {
    for (status, expected) in [
        (json!("SUCCESS"), "Succeeded"),
        (json!("FAIL"), "Failed"),
        (json!("INIT"), "Running"),
        (json!("RUNNING"), "Running"),
        (json!("PENDING_PAYMENT"), "Unknown"),
        (json!("SKIPPED"), "Unknown"),
        (json!(7), "Unknown"),
    ] {
        let progress = progress(&json!({ "status": status })).unwrap();
        let found = format!("{:?}", progress.overall);
        assert!(found.starts_with(expected), "{status}: {found}");
    }
    assert_eq!(
        progress(&json!({"job_id": "a"})).unwrap_err().kind(),
        FaultKind::Unreadable
    );
}

#[test]
fn failed_query_is_a_fault_and_not_a_failed_job() {
    let body = json!({"code": "Common.0025", "message": "The job query failed."});
    let fault = progress(&body).unwrap_err();
    assert_eq!(
        (fault.kind(), fault.code()),
        (FaultKind::Unavailable, Some("Common.0025"))
    );
}

/// The job can fail while some parts still run.
#[test]
fn every_part_has_its_own_status() {
    let part = |id: Value, status: &str| json!({"status": status, "entities": {"server_id": id}, "error_code": "Ecs.0100"});
    let progress = progress(&json!({
        "status": "FAIL",
        "error_code": "Common.0021",
        "entities": {"server_id": "parent", "sub_jobs": [
            part(json!("a"), "SUCCESS"),
            part(json!("b"), "FAIL"),
            part(json!("c"), "RUNNING"),
            part(json!(null), "FAIL"),
            part(json!("d/e"), "FAIL"),
            json!({"status": "FAIL"}),
            json!("odd"),
        ]},
    }))
    .unwrap();
    assert_eq!(kind(&progress.overall), Some(FaultKind::Failed));
    let parts: Vec<_> = progress
        .parts
        .iter()
        .map(|(id, status)| (id.as_str(), status))
        .collect();
    assert!(
        matches!(
            parts[..],
            [
                ("a", JobStatus::Succeeded),
                ("b", JobStatus::Failed(_)),
                ("c", JobStatus::Running)
            ]
        ),
        "{parts:?}"
    );
    assert_eq!(kind(parts[1].1), Some(FaultKind::WrongState));
}

#[test]
fn job_without_parts_may_name_the_server() {
    for sub_jobs in [json!(null), json!([]), json!("odd")] {
        let progress = progress(&json!({
            "status": "FAIL",
            "error_code": "Ecs.0227",
            "fail_reason": "why",
            "entities": {"server_id": "a", "sub_jobs": sub_jobs},
        }))
        .unwrap();
        let [(id, status)] = &progress.parts[..] else {
            panic!("{progress:?}");
        };
        assert_eq!((id.as_str(), kind(status)), ("a", Some(FaultKind::Failed)));
    }
}

#[test]
fn fault_of_a_part_has_the_most_specific_reason() {
    for (row, code, message, kind, execution_status) in [
        (
            json!({"error_code": "Ecs.0605", "fail_reason": "sub-job failed", "entities": {"errorcode_message": "ECS locked."}}),
            Some("Ecs.0605"),
            "ECS locked.",
            FaultKind::Locked,
            ExecutionStatus::NotExecuted,
        ),
        (
            json!({"error_code": "Ecs.0319", "fail_reason": "no capacity"}),
            Some("Ecs.0319"),
            "no capacity",
            FaultKind::Capacity,
            ExecutionStatus::NotExecuted,
        ),
        (
            json!({"error_code": "Ecs.7777", "fail_reason": "new"}),
            Some("Ecs.7777"),
            "new",
            FaultKind::Failed,
            ExecutionStatus::Unknown,
        ),
        (
            json!({"fail_reason": "{\"itemNotFound\": {\"code\": 404, \"message\": \"gone\"}}"}),
            None,
            "{\"itemNotFound\": {\"code\": 404, \"message\": \"gone\"}}",
            FaultKind::NotFound,
            ExecutionStatus::Unknown,
        ),
        (
            json!({}),
            None,
            "",
            FaultKind::Failed,
            ExecutionStatus::Unknown,
        ),
        (
            json!({"error_code": 5, "fail_reason": [], "entities": {"errorcode_message": {}}}),
            None,
            "",
            FaultKind::Failed,
            ExecutionStatus::Unknown,
        ),
    ] {
        let mut row = row.clone();
        row["status"] = "FAIL".into();
        row["entities"]["server_id"] = "a".into();
        let job = json!({"status": "FAIL", "entities": {"sub_jobs": [row]}});
        let progress = progress(&job).unwrap();
        let [(_, JobStatus::Failed(fault))] = &progress.parts[..] else {
            panic!("{progress:?}");
        };
        assert_eq!(fault.code(), code, "{job}");
        assert_eq!(fault.message(), message, "{job}");
        assert_eq!(
            (fault.kind(), fault.execution_status()),
            (kind, execution_status),
            "{job}"
        );
    }
}
