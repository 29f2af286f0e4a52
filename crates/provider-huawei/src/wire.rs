//! Huawei's requests and answers, in its own words. Jobs have a file of their own.

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, JobId, LenientField,
    LenientObject, ListPage, Lock, Observation, PageToken, PowerState, ResponseExt, StopMode,
    UnsignedRequest, encode,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{Config, PROFILE, fault};

/// All three go to one address, where the first key of the body decides.
///
/// Start: <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0301.html>,
/// stop: <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0303.html>,
/// reboot: <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0302.html>.
pub(crate) fn act(
    config: &Config,
    action: &Action,
    ids: &[InstanceId],
) -> Result<ApiCall<BatchAck>, Fault> {
    PROFILE.check_batch(action, ids.len())?;
    let (operation, key, kind) = match action {
        Action::Start(_) => ("BatchStartServers", "os-start", None),
        Action::Stop(stop) => ("BatchStopServers", "os-stop", Some(type_of(stop.mode))),
        Action::Reboot(reboot) => ("BatchRebootServers", "reboot", Some(type_of(reboot.mode))),
        _ => return Err(unsupported("this action")),
    };
    let path = format!("/v1/{}/cloudservers/action", config.project_id());
    let draft =
        UnsignedRequest::new(operation, Method::POST, path).with_body(batch(key, kind, ids));
    Ok(ApiCall::new(draft, read_receipt))
}

/// One server: <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0104.html>, several:
/// <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>.
///
/// That page repeats `server_id` for several ids, Huawei's SDK sends them in one value with commas,
/// and which of the two the server takes is unknown; this is the SDK's. Without a limit the answer
/// would end after 25 servers.
pub(crate) fn observe(
    config: &Config,
    ids: &[InstanceId],
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    if let [id] = ids {
        let path = format!("/v1/{}/cloudservers/{id}", config.project_id());
        let draft = UnsignedRequest::new("ShowServer", Method::GET, path);
        return Ok(ApiCall::new(draft, read_one));
    }
    let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
    let draft = list_draft(config, Some(("server_id", &ids.join(","))));
    Ok(ApiCall::new(draft, read_many))
}

/// A page of all servers: <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>.
///
/// That page counts on the marker, the id of the last server of the page before. Those of some
/// sites (<https://support.huaweicloud.com/eu/nl-nl/api-ecs/en-us_topic_0094148850.html>) do not
/// know it and number the pages instead, which that one deprecates: servers that come or go shift
/// them. So a list goes by marker, and by number where the marker turns out to be ignored.
pub(crate) fn list(config: &Config, page: Option<&PageToken>) -> ApiCall<ListPage> {
    let begin = Begin::of(page);
    let choice = match &begin {
        Begin::First => None,
        Begin::After(id) => Some(("marker", id.clone())),
        Begin::Number(number) => Some(("offset", number.to_string())),
    };
    let choice = choice.as_ref().map(|(name, value)| (*name, value.as_str()));
    ApiCall::new(list_draft(config, choice), move |reply| {
        read_page(reply, &begin)
    })
}

/// Where a page begins.
enum Begin {
    First,
    /// After the server with this id.
    After(String),
    /// Counted from 1.
    Number(u64),
}

impl Begin {
    fn of(page: Option<&PageToken>) -> Self {
        let Some(text) = page.map(PageToken::as_str) else {
            return Self::First;
        };
        // No id has an equals sign.
        match text.strip_prefix("offset=").map(str::parse) {
            Some(Ok(number)) => Self::Number(number),
            _ => Self::After(text.to_owned()),
        }
    }

    fn numbered(number: u64) -> PageToken {
        PageToken::new(format!("offset={number}"))
    }
}

/// The page size that Huawei suggests. Every region's page allows as many, some not many more.
const PAGE_SIZE: usize = 100;

/// The parameters are in alphabetical order, as the signature wants them.
fn list_draft(config: &Config, choice: Option<(&str, &str)>) -> UnsignedRequest {
    let mut query = String::new();
    if let Some(id) = config.enterprise_project() {
        query = format!("enterprise_project_id={}&", encode::percent(id));
    }
    query += &format!("limit={PAGE_SIZE}");
    if let Some((name, value)) = choice {
        query += &format!("&{name}={}", encode::percent(value));
    }
    let path = format!("/v1/{}/cloudservers/detail", config.project_id());
    UnsignedRequest::new("ListServersDetails", Method::GET, path).with_query(query)
}

/// The body of a power action: `{"os-stop":{"type":"SOFT","servers":[{"id":".."},..]}}`.
///
/// Nothing in it needs an escape; of instance ids their type promises it. So it is put together as
/// text, in a fraction of the time that a serializer takes for a hundred ids.
fn batch(key: &str, kind: Option<&str>, ids: &[InstanceId]) -> String {
    let length: usize = ids.iter().map(|id| id.as_str().len() + 9).sum();
    let mut body = String::with_capacity(length + 64);
    body.extend([r#"{""#, key, r#"":{"#]);
    if let Some(kind) = kind {
        body.extend([r#""type":""#, kind, r#"","#]);
    }
    let mut before = r#""servers":[{"id":""#;
    for id in ids {
        body.extend([before, id.as_str()]);
        before = r#""},{"id":""#;
    }
    body.push_str(r#""}]}}"#);
    body
}

/// Sent with every stop and every reboot, so that no default of the cloud decides.
fn type_of(mode: StopMode) -> &'static str {
    if mode.is_forced() { "HARD" } else { "SOFT" }
}

fn unsupported(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("{} does not know {what}", PROFILE.title),
    )
}

/// Accepted is what has become a job; an answer without one is not.
///
/// <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_07_0005.html>
fn read_receipt(reply: &HttpResponse) -> Result<BatchAck, Fault> {
    let answer: Accepted = fault::read(reply)?;
    let job = answer.job_id.0.and_then(|id| JobId::new(&id));
    job.map(BatchAck::Job)
        .ok_or_else(|| fault::instead_of(reply, "usable job_id"))
}

/// No row is a statement, so it takes an answer about some server to make it.
fn read_one(reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    let answer: Shown = fault::read(reply)?;
    match answer.server.0 {
        Some(server) if server.id().is_some() => Ok(server.observation().into_iter().collect()),
        _ => Err(fault::instead_of(reply, "server")),
    }
}

fn read_many(reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    Ok(read_rows(reply)?.observations)
}

/// A page that is not full is the last one. `count` does not help: it counts all pages, and this
/// function sees one.
fn read_page(reply: &HttpResponse, begin: &Begin) -> Result<ListPage, Fault> {
    let Rows {
        count,
        observations,
    } = read_rows(reply)?;
    if let Begin::After(marker) = begin
        && observations
            .iter()
            .any(|row| row.instance.as_str() == marker)
    {
        // The first page again: the marker was ignored.
        return Ok(ListPage::new(Vec::new()).with_next(Some(Begin::numbered(2))));
    }
    let next = match (begin, observations.last()) {
        _ if count < PAGE_SIZE => None,
        (Begin::Number(number), _) => Some(Begin::numbered(number.saturating_add(1))),
        (_, Some(last)) => Some(PageToken::new(last.instance.as_str())),
        (_, None) => return Err(reply.unreadable("it is a full page without a usable id")),
    };
    Ok(ListPage::new(observations).with_next(next))
}

/// The rows of a list: how many there are, and those that tell something.
struct Rows {
    count: usize,
    observations: Vec<Observation>,
}

fn read_rows(reply: &HttpResponse) -> Result<Rows, Fault> {
    let answer: Listed = fault::read(reply)?;
    let Some(servers) = answer.servers else {
        return Err(fault::instead_of(reply, "servers"));
    };
    Ok(Rows {
        count: servers.len(),
        observations: servers
            .into_iter()
            .filter_map(|row| row.0.and_then(Server::observation))
            .collect(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Accepted {
    job_id: LenientField<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Shown {
    server: LenientField<Server>,
}

#[derive(Deserialize)]
struct Listed {
    servers: Option<Vec<LenientObject<Server>>>,
}

/// A server, as far as it matters here. `OS-SRV-USG:launched_at` does not: no page says that a
/// start or a reboot changes it, so it proves neither.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Server {
    id: LenientField<String>,
    name: LenientField<String>,
    status: Word,
    #[serde(rename = "OS-EXT-STS:vm_state")]
    vm_state: Word,
    #[serde(rename = "OS-EXT-STS:task_state")]
    task_state: Word,
    locked: LenientField<bool>,
    metadata: LenientField<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "EcmResStatus")]
    resource_status: LenientField<String>,
}

impl Server {
    fn id(&self) -> Option<InstanceId> {
        InstanceId::new(self.id.0.as_deref()?).ok()
    }

    /// `None` for a row without a usable id, and for one with an id and nothing else: that is how
    /// the cloud shows an id that it does not know.
    fn observation(self) -> Option<Observation> {
        let id = self.id()?;
        let (status, vm_state) = (self.status.0, self.vm_state.0);
        let task = self.task_state.0.filter(|task| !task.is_empty());
        if status.is_none() && vm_state.is_none() && task.is_none() && self.name.0.is_none() {
            return None;
        }
        let implied = vm_state.as_deref().and_then(implied_status);
        let state = power_state(status.as_deref().or(implied), task.as_deref());
        let raw: Vec<String> = status.or(vm_state).into_iter().chain(task).collect();
        let mut observation = Observation::new(id, state, raw.join("/"));
        observation.name = self.name.0.filter(|name| !name.is_empty());
        observation.lock = lock(&self.locked, self.metadata);
        Some(observation)
    }
}

/// A resource is frozen for the bill, for a violation or by the police; this field says that it is,
/// not why.
fn lock(locked: &LenientField<bool>, metadata: LenientField<Metadata>) -> Option<Lock> {
    let resource_status = metadata.0.and_then(|metadata| metadata.resource_status.0);
    match (resource_status.as_deref(), locked.0) {
        (Some("freeze"), _) => Some(Lock::Other("freeze".to_owned())),
        (_, Some(true)) => Some(Lock::Other("locked".to_owned())),
        _ => None,
    }
}

/// A server that stops is still `ACTIVE`, and one that starts is still `SHUTOFF`: only the task
/// tells.
///
/// <https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/appendix/ecs_statuses.html>
fn power_state(status: Option<&str>, task: Option<&str>) -> PowerState {
    let Some(status) = status else {
        return PowerState::Unknown;
    };
    match (status, task) {
        ("DELETED", _) | (_, Some("deleting")) => PowerState::Deleted,
        ("ACTIVE", None) => PowerState::Running,
        // A shelved server is down as well, although it takes more than a start to bring it back.
        ("SHUTOFF" | "SHELVED" | "SHELVED_OFFLOADED", None) => PowerState::Stopped,
        ("ACTIVE" | "SHUTOFF", Some("powering-off")) => PowerState::Stopping,
        ("ACTIVE" | "SHUTOFF", Some("powering-on")) => PowerState::Starting,
        ("ACTIVE" | "SHUTOFF", Some(task)) if is_reboot(task) => PowerState::Rebooting,
        ("ACTIVE" | "SHUTOFF" | "SHELVED" | "SHELVED_OFFLOADED", Some(_)) => PowerState::Changing,
        ("REBOOT" | "HARD_REBOOT", _) => PowerState::Rebooting,
        ("BUILD", _) => PowerState::Creating,
        ("REBUILD" | "MIGRATING" | "RESIZE" | "REVERT_RESIZE" | "VERIFY_RESIZE", _) => {
            PowerState::Changing
        }
        ("ERROR", _) => PowerState::Failed,
        _ => PowerState::Unknown,
    }
}

fn is_reboot(task: &str) -> bool {
    matches!(
        task,
        "rebooting"
            | "reboot_pending"
            | "reboot_started"
            | "rebooting_hard"
            | "reboot_pending_hard"
            | "reboot_started_hard"
    )
}

/// The status that the cloud makes of a `vm_state` without a task, for a row that lacks the former.
fn implied_status(vm_state: &str) -> Option<&'static str> {
    Some(match vm_state {
        "building" => "BUILD",
        "active" => "ACTIVE",
        "stopped" => "SHUTOFF",
        "resized" => "VERIFY_RESIZE",
        "error" => "ERROR",
        "deleted" => "DELETED",
        "shelved" => "SHELVED",
        "shelved_offloaded" => "SHELVED_OFFLOADED",
        _ => return None,
    })
}

/// A word of the cloud's own. What is no text is kept as the JSON that it is; `null` is nothing.
#[derive(Default)]
pub(crate) struct Word(pub(crate) Option<String>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match json {
            "null" => None,
            _ => Some(serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())),
        }))
    }
}

#[cfg(test)]
mod tests;
