//! Helpers of the tests: recorded traffic, and a provider that reads the recordings.

use std::sync::LazyLock;

use lifecycle_core::{
    Action, BatchAck, ExecutionStatus, Fault, HttpResponse, InstanceId, JobId, JobProgress,
    JobStatus, ListPage, ListQuery, Observation, Provider, RebootOptions, StartOptions,
    StopOptions,
};
use provider_huawei::{Config, Huawei};
use provider_testing::read_vectors;
use serde_json::Value;

pub(crate) const PROJECT: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const JOB: &str = "ff80808288d41e1b018990260955686a";

pub(crate) fn provider() -> &'static Huawei {
    static PROVIDER: LazyLock<Huawei> =
        LazyLock::new(|| Huawei::new(Config::new("cn-north-4", PROJECT).unwrap()));
    &PROVIDER
}

/// Returns a part of `wire.json`: traffic of Huawei's Python SDK, and responses from documentation
/// and issues.
pub(crate) fn recordings(part: &str) -> Vec<Value> {
    let mut recordings = read_vectors(env!("CARGO_MANIFEST_DIR"), "wire.json");
    serde_json::from_value(recordings[part].take()).unwrap()
}

/// Returns a part of `list.json`: lists with conditions, and regions.
pub(crate) fn list_recordings(part: &str) -> Vec<Value> {
    let mut recordings = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    serde_json::from_value(recordings[part].take()).unwrap()
}

pub(crate) fn ids() -> [InstanceId; 2] {
    [
        "616fb98f-46ca-475e-917e-2563e5a8cd19",
        "726fb98f-46ca-475e-917e-2563e5a8cd20",
    ]
    .map(|id| InstanceId::new(id).unwrap())
}

/// The calls whose responses are read in different ways.
pub(crate) const CALLS: [&str; 7] = [
    "batch-start",
    "batch-stop",
    "batch-reboot",
    "show-job",
    "show-server",
    "show-servers",
    "list",
];

/// Describes the meaning of a response to a call, in one line.
pub(crate) fn describe(call: &str, response: &HttpResponse) -> String {
    read_as(call, response).unwrap_or_else(|fault| describe_fault(&fault))
}

/// Returns the fault of a response to a call.
pub(crate) fn fault(call: &str, response: &HttpResponse) -> Option<Fault> {
    read_as(call, response).err()
}

fn read_as(call: &str, response: &HttpResponse) -> Result<String, Fault> {
    let provider = provider();
    provider.check(response)?;
    match call {
        "batch-start" => act(StartOptions::default(), response),
        "batch-stop" => act(StopOptions::default(), response),
        "batch-reboot" => act(RebootOptions::default(), response),
        "show-job" => {
            let job = JobId::new(JOB).unwrap();
            let call = provider.follow(&job).unwrap();
            call.read(response)
                .map(|progress| describe_progress(&progress))
        }
        "show-server" => {
            let call = provider.describe(&ids()[..1])?;
            call.read(response).map(|rows| describe_rows(&rows))
        }
        "show-servers" => {
            let call = provider.describe(&ids())?;
            call.read(response).map(|rows| describe_rows(&rows))
        }
        "list" => provider
            .list(&ListQuery::default().with_details(), None)?
            .read(response)
            .map(|page| describe_page(&page)),
        other => panic!("unknown call {other}"),
    }
}

fn act(action: impl Into<Action>, response: &HttpResponse) -> Result<String, Fault> {
    let call = provider().act(&action.into(), &ids())?;
    call.read(response).map(|ack| match ack {
        BatchAck::Job(job) => format!("job {job}"),
        other => format!("{other:?}"),
    })
}

fn describe_progress(progress: &JobProgress) -> String {
    let mut text = vec![of_verdict(&progress.overall)];
    for (id, status) in &progress.parts {
        text.push(format!("{:.8} {}", id.as_str(), of_verdict(status)));
    }
    text.join(", ")
}

fn of_verdict(status: &JobStatus) -> String {
    match status {
        JobStatus::Failed(fault) => describe_fault(fault),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn describe_rows(rows: &[Observation]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let name = row.name.as_deref().unwrap_or("-");
            assert_eq!(row.started_at, None, "no field is evidence of a start");
            format!(
                "{:.8} {name} {} ({})",
                row.instance.as_str(),
                row.state,
                row.raw
            )
        })
        .collect();
    format!("[{}]", rows.join(", "))
}

/// Describes the rows of a page. Lists and lookups have the same rows.
fn describe_page(page: &ListPage) -> String {
    describe_rows(&page.observations)
}

fn describe_fault(fault: &Fault) -> String {
    let execution = match fault.execution_status() {
        ExecutionStatus::NotExecuted => "not executed",
        _ => "maybe executed",
    };
    let code = fault.code().unwrap_or("-");
    let mut text = format!("{} {code}, {execution}", fault.kind());
    for id in fault.instances() {
        text += &format!(", names {:.8}", id.as_str());
    }
    text
}
