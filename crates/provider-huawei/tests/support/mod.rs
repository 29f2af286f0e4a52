//! What the tests of the wire share: the recorded traffic, and a provider to read it with.

use std::sync::LazyLock;

use lifecycle_core::{
    Action, BatchAck, ExecutionStatus, Fault, HttpResponse, InstanceId, JobId, JobProgress,
    JobStatus, ListPage, Observation, Provider, RebootOptions, StartOptions, StopOptions,
};
use provider_huawei::{Config, Huawei};
use provider_testing::http_response;
use serde_json::Value;

pub(crate) const PROJECT: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const JOB: &str = "ff80808288d41e1b018990260955686a";

pub(crate) fn provider() -> &'static Huawei {
    static PROVIDER: LazyLock<Huawei> =
        LazyLock::new(|| Huawei::new(Config::new("cn-north-4", PROJECT).unwrap()));
    &PROVIDER
}

/// `wire.json`: traffic of Huawei's Python SDK, and answers from its documents and from issues.
pub(crate) fn wire(part: &str) -> Vec<Value> {
    let mut wire: Value = serde_json::from_str(include_str!("../vectors/wire.json")).unwrap();
    serde_json::from_value(wire[part].take()).unwrap()
}

pub(crate) fn ids() -> [InstanceId; 2] {
    [
        "616fb98f-46ca-475e-917e-2563e5a8cd19",
        "726fb98f-46ca-475e-917e-2563e5a8cd20",
    ]
    .map(|id| InstanceId::new(id).unwrap())
}

/// An entry of `responses` or of `sdk_error_parsing` as it comes over the wire.
pub(crate) fn reply(entry: &Value) -> HttpResponse {
    let body = match &entry["body"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    let headers = entry["headers"].as_object().into_iter().flatten();
    http_response(
        entry["http_status"].as_u64().unwrap().try_into().unwrap(),
        headers
            .map(|(name, value)| {
                let value = value.as_str().unwrap();
                (name.parse().unwrap(), value.parse().unwrap())
            })
            .collect::<http::HeaderMap>(),
        body,
    )
}

/// The calls whose answers are read in different ways.
pub(crate) const CALLS: [&str; 7] = [
    "batch-start",
    "batch-stop",
    "batch-reboot",
    "show-job",
    "show-server",
    "show-servers",
    "list",
];

/// What `reply` means as the answer to a call, in one line.
pub(crate) fn meaning(call: &str, reply: &HttpResponse) -> String {
    understand(call, reply).unwrap_or_else(|fault| of_fault(&fault))
}

/// The fault that `reply` is as the answer to a call.
pub(crate) fn fault(call: &str, reply: &HttpResponse) -> Option<Fault> {
    understand(call, reply).err()
}

fn understand(call: &str, reply: &HttpResponse) -> Result<String, Fault> {
    let provider = provider();
    provider.check(reply)?;
    match call {
        "batch-start" => act(StartOptions::default(), reply),
        "batch-stop" => act(StopOptions::default(), reply),
        "batch-reboot" => act(RebootOptions::default(), reply),
        "show-job" => {
            let job = JobId::new(JOB).unwrap();
            let call = provider.follow(&job).unwrap();
            call.read(reply).map(|progress| of_progress(&progress))
        }
        "show-server" => {
            let call = provider.observe(&ids()[..1])?;
            call.read(reply).map(|rows| of_rows(&rows))
        }
        "show-servers" => {
            let call = provider.observe(&ids())?;
            call.read(reply).map(|rows| of_rows(&rows))
        }
        "list" => provider.list(None)?.read(reply).map(|page| of_page(&page)),
        other => panic!("{other} is no call of ours"),
    }
}

fn act(action: impl Into<Action>, reply: &HttpResponse) -> Result<String, Fault> {
    let call = provider().act(&action.into(), &ids())?;
    call.read(reply).map(|receipt| match receipt {
        BatchAck::Job(job) => format!("job {job}"),
        other => format!("{other:?}"),
    })
}

fn of_progress(progress: &JobProgress) -> String {
    let mut words = vec![of_verdict(&progress.overall)];
    for (id, verdict) in &progress.parts {
        words.push(format!("{:.8} {}", id.as_str(), of_verdict(verdict)));
    }
    words.join(", ")
}

fn of_verdict(verdict: &JobStatus) -> String {
    match verdict {
        JobStatus::Failed(fault) => of_fault(fault),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn of_rows(rows: &[Observation]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let name = row.name.as_deref().unwrap_or("-");
            assert_eq!(row.started_at, None, "nothing here proves a start");
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

fn of_page(page: &ListPage) -> String {
    match &page.next {
        None => of_rows(&page.observations),
        Some(next) => format!("{} next {}", of_rows(&page.observations), next.as_str()),
    }
}

fn of_fault(fault: &Fault) -> String {
    let effect = match fault.execution_status() {
        ExecutionStatus::NotExecuted => "nothing happened",
        _ => "may have happened",
    };
    let code = fault.code().unwrap_or("-");
    let mut words = format!("{} {code}, {effect}", fault.kind());
    for id in fault.instances() {
        words += &format!(", names {:.8}", id.as_str());
    }
    words
}
