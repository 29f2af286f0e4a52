//! The requests and responses of Huawei ECS. Jobs are in `job.rs`.

use std::borrow::Cow;

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, JobId, LenientField,
    LenientId, LenientObject, ListPage, ListQuery, Lock, NextPage, Observation, PageToken,
    PowerState, RawText, StopMode, UnsignedRequest, encode,
};
use serde::Deserialize;

use crate::{Config, PROFILE, canonical_id, details, fault, filter};

/// Sends all three actions to one path, where the first key of the body selects the action.
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
    let request =
        UnsignedRequest::new(operation, Method::POST, path).with_body(action_body(key, kind, ids));
    Ok(ApiCall::new(request, read_ack))
}

/// Reads one server (<https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0104.html>) or several
/// (<https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>).
///
/// The second page repeats `server_id` for several ids; Huawei's SDK sends one value with commas.
/// The accepted form is unknown; this function follows the SDK. Without `limit`, the response would
/// end after 25 servers.
pub(crate) fn observe(
    config: &Config,
    ids: &[InstanceId],
    with_details: bool,
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    if let [id] = ids {
        let path = format!("/v1/{}/cloudservers/{id}", config.project_id());
        let request = UnsignedRequest::new("ShowServer", Method::GET, path);
        return Ok(ApiCall::new(request, move |response| {
            read_one(response, with_details)
        }));
    }
    let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
    let request = list_request(config, vec![("server_id", ids.join(",").into())]);
    Ok(ApiCall::new(request, move |response| {
        read_many(response, with_details)
    }))
}

/// Lists one page of all servers: <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>.
///
/// The documentation recommends `marker`, the id of the last server of the previous page, and
/// deprecates page numbers, which shift when servers come and go. Some sites know page numbers only
/// (<https://support.huaweicloud.com/eu/nl-nl/api-ecs/en-us_topic_0094148850.html>). So the list
/// starts with markers, and continues with page numbers if the cloud ignores the marker.
pub(crate) fn list(
    config: &Config,
    query: &ListQuery,
    page: Option<&PageToken>,
) -> ApiCall<ListPage> {
    let start = PageStart::of(page);
    let mut parameters = filter::parameters(&query.filter);
    match &start {
        PageStart::First => {}
        PageStart::After(id) => parameters.push(("marker", id.clone().into())),
        PageStart::Number(number) => parameters.push(("offset", number.to_string().into())),
    }
    let request = list_request(config, parameters);
    let with_details = query.needs_details();
    ApiCall::new(request, move |response| {
        read_page(response, with_details, &start)
    })
}

/// The position of a page in the list.
enum PageStart {
    First,
    /// The page after the server with this id.
    After(String),
    /// The page with this number, counted from 1.
    Number(u64),
}

impl PageStart {
    fn of(page: Option<&PageToken>) -> Self {
        let Some(text) = page.map(PageToken::as_str) else {
            return Self::First;
        };
        // An id never has an equals sign.
        match text.strip_prefix("offset=").map(str::parse) {
            Some(Ok(number)) => Self::Number(number),
            _ => Self::After(text.to_owned()),
        }
    }

    fn numbered(number: u64) -> PageToken {
        PageToken::new(format!("offset={number}"))
    }
}

/// The page size that Huawei recommends, which every region supports.
const PAGE_SIZE: usize = 100;

/// Builds a list request, with the parameters in alphabetical order for the signature.
fn list_request<'a>(
    config: &'a Config,
    mut parameters: Vec<(&'static str, Cow<'a, str>)>,
) -> UnsignedRequest {
    if let Some(id) = config.enterprise_project() {
        parameters.push(("enterprise_project_id", id.into()));
    }
    parameters.push(("limit", PAGE_SIZE.to_string().into()));
    parameters.sort_unstable();
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encode::percent(value)))
        .collect();
    let path = format!("/v1/{}/cloudservers/detail", config.project_id());
    UnsignedRequest::new("ListServersDetails", Method::GET, path).with_query(pairs.join("&"))
}

/// Returns the body of a power action: `{"os-stop":{"type":"SOFT","servers":[{"id":".."},..]}}`.
///
/// Concatenates text, because no part needs an escape (`InstanceId` guarantees this for ids) and a
/// serializer is several times slower for a hundred ids.
fn action_body(key: &str, kind: Option<&str>, ids: &[InstanceId]) -> String {
    // An id with its JSON has 46 bytes, the text around the ids at most 58.
    let mut body = String::with_capacity(64 + 48 * ids.len());
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

/// Returns the type of a stop or reboot, which is always sent: a default of the cloud could change.
fn type_of(mode: StopMode) -> &'static str {
    if mode.is_forced() { "HARD" } else { "SOFT" }
}

fn unsupported(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("{} does not support {what}", PROFILE.title),
    )
}

/// Reads the job id. A response without a job id is not an acceptance.
///
/// <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_07_0005.html>
fn read_ack(response: &HttpResponse) -> Result<BatchAck, Fault> {
    let body: JobBody = fault::read(response)?;
    let job = body.job_id.0.and_then(|id| JobId::new(&id));
    job.map(BatchAck::Job)
        .ok_or_else(|| fault::missing_field(response, "usable job_id"))
}

/// Requires a server with an id in the response: an empty result means that the server does not
/// exist.
fn read_one(response: &HttpResponse, with_details: bool) -> Result<Vec<Observation>, Fault> {
    let body: ServerBody = fault::read(response)?;
    let server = body.server.0.filter(|server| server.id().is_some());
    let server = server.ok_or_else(|| fault::missing_field(response, "server"))?;
    let observation = server.observation().map(|observation| match with_details {
        true => observation.with_details(details::of_server(response)),
        false => observation,
    });
    Ok(observation.into_iter().collect())
}

fn read_many(response: &HttpResponse, with_details: bool) -> Result<Vec<Observation>, Fault> {
    let rows = read_rows(response)?.servers;
    Ok(page(response, rows, Server::observation, with_details).observations)
}

/// Converts the rows, and reads the details of the rows if requested.
fn page(
    response: &HttpResponse,
    rows: Vec<LenientObject<Server>>,
    convert: fn(Server) -> Option<Observation>,
    with_details: bool,
) -> ListPage {
    let rows = rows.into_iter().map(|row| row.0.and_then(convert));
    match with_details {
        true => ListPage::from_rows(rows, details::of_list(response)),
        false => rows.collect(),
    }
}

/// Reads a page. The field `count` is the total of all pages.
fn read_page(
    response: &HttpResponse,
    with_details: bool,
    start: &PageStart,
) -> Result<ListPage, Fault> {
    let ServerRows { total, servers } = read_rows(response)?;
    let is_full = servers.len() >= PAGE_SIZE;
    let page = page(response, servers, Server::listed, with_details).with_total(total);
    let next = match (start, page.observations.last()) {
        (_, None) => NextPage::End,
        (PageStart::After(marker), Some(_)) if ignores_marker(&page, marker) => {
            NextPage::Named(PageStart::numbered(2))
        }
        (PageStart::Number(number), Some(_)) => {
            next_page(is_full, PageStart::numbered(number.saturating_add(1)))
        }
        (_, Some(last)) => next_page(is_full, PageToken::new(last.instance.as_str())),
    };
    let page = page.with_next(next);
    Ok(match start {
        PageStart::Number(_) => page.with_numbered_pages(),
        _ => page,
    })
}

fn next_page(is_full: bool, token: PageToken) -> NextPage {
    if is_full {
        NextPage::Expected(token)
    } else {
        NextPage::Possible(token)
    }
}

/// Returns true if the page after the server `marker` is an earlier page again. A page that begins with
/// the server and goes on is a page of a cloud that counts the marker in.
fn ignores_marker(page: &ListPage, marker: &str) -> bool {
    let mut rows = page.observations.iter();
    match rows.position(|row| row.instance.as_str() == marker) {
        None => false,
        Some(place) => place > 0 || page.observations.len() == 1,
    }
}

/// The rows of a list, and the number of servers on all pages.
struct ServerRows {
    total: Option<usize>,
    servers: Vec<LenientObject<Server>>,
}

fn read_rows(response: &HttpResponse) -> Result<ServerRows, Fault> {
    let body: ServerListBody = fault::read(response)?;
    let Some(servers) = body.servers else {
        return Err(fault::missing_field(response, "servers"));
    };
    Ok(ServerRows {
        total: body.count.0,
        servers,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobBody {
    job_id: LenientField<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServerBody {
    server: LenientObject<Server>,
}

#[derive(Deserialize)]
struct ServerListBody {
    #[serde(default)]
    count: LenientField<usize>,
    servers: Option<Vec<LenientObject<Server>>>,
}

/// The fields of a server that this crate uses. `OS-SRV-USG:launched_at` is not evidence of a start
/// or a reboot: no page says that an action changes the field.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Server {
    id: LenientField<LenientId>,
    name: LenientField<String>,
    status: RawText,
    #[serde(rename = "OS-EXT-STS:vm_state")]
    vm_state: RawText,
    #[serde(rename = "OS-EXT-STS:task_state")]
    task_state: RawText,
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
        Some(canonical_id(self.id.0.as_ref()?.0.as_ref()?))
    }

    /// Converts a row of a lookup; `None` for a row without a usable id, and for a row with an id
    /// only, which the cloud returns for an unknown id.
    fn observation(self) -> Option<Observation> {
        let task = self.task_state.0.as_deref().unwrap_or_default();
        if self.status.0.is_none()
            && self.vm_state.0.is_none()
            && task.is_empty()
            && self.name.0.is_none()
        {
            return None;
        }
        self.listed()
    }

    /// Converts a row of the list; `None` for a row without a usable id.
    fn listed(self) -> Option<Observation> {
        let id = self.id()?;
        let (status, vm_state) = (self.status.0, self.vm_state.0);
        let task = self.task_state.0.filter(|task| !task.is_empty());
        let implied = vm_state.as_deref().and_then(implied_status);
        let state = power_state(status.as_deref().or(implied), task.as_deref());
        let raw: Vec<String> = status.or(vm_state).into_iter().chain(task).collect();
        let mut observation = Observation::new(id, state, raw.join("/"));
        observation.name = self.name.0.filter(|name| !name.is_empty());
        observation.lock = lock(&self.locked, self.metadata);
        Some(observation)
    }
}

/// Returns the lock of a server. A server can be frozen (冻结) because of arrears, a violation or the
/// police; the response does not have the reason.
fn lock(locked: &LenientField<bool>, metadata: LenientField<Metadata>) -> Option<Lock> {
    let resource_status = metadata.0.and_then(|metadata| metadata.resource_status.0);
    match (resource_status.as_deref(), locked.0) {
        (Some("freeze"), _) => Some(Lock::Other("freeze".to_owned())),
        (_, Some(true)) => Some(Lock::Other("locked".to_owned())),
        _ => None,
    }
}

/// Maps status and task. A stopping server is still `ACTIVE` and a starting server is still
/// `SHUTOFF`: only the task shows the transition.
///
/// <https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/appendix/ecs_statuses.html>
fn power_state(status: Option<&str>, task: Option<&str>) -> PowerState {
    let Some(status) = status else {
        return PowerState::Unknown;
    };
    match (status, task) {
        ("DELETED", _) | (_, Some("deleting")) => PowerState::Deleted,
        ("ACTIVE", None) => PowerState::Running,
        // A shelved server is stopped too, although a start alone does not bring the server back.
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

/// Returns the status that the cloud derives from `vm_state`, for a row without `status`.
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

#[cfg(test)]
mod tests;
