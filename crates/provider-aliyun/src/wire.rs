//! The requests and responses of Alibaba ECS.
//!
//! Every operation is a POST to `/` with all parameters in the query and an empty body, as in the
//! vendor's SDKs.

use std::{borrow::Cow, sync::LazyLock};

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, LenientId, LenientList,
    LenientObject, LenientRows, LenientText, ListPage, ListQuery, LocalDisk, Lock, NextPage,
    Observation, PageToken, PowerState, RebootOptions, ResponseExt, StartOptions, StopMode,
    StopOptions, StoppedBilling, UnsignedRequest, encode,
};
use serde::Deserialize;

use crate::{
    PROFILE, body,
    config::{BatchMode, Config},
    details, fault, filter,
    page::{Position, Selection},
};

/// The version of the API.
pub(crate) const VERSION: &str = "2014-05-26";

/// The maximum number of instances in one call, and of rows on one page.
pub(crate) const LIMIT: usize = 100;

// Requests.

/// Uses the single-instance operation for one instance and the batch operation for several.
///
/// Pages: `api-ecs-2014-05-26-startinstance`, `-startinstances`, `-stopinstance`,
/// `-stopinstances`, `-rebootinstance` and `-rebootinstances` under
/// <https://www.alibabacloud.com/help/en/ecs/developer-reference/>.
pub(crate) fn act(
    config: &Config,
    action: &Action,
    ids: &[InstanceId],
) -> Result<ApiCall<BatchAck>, Fault> {
    PROFILE.check_batch(action, ids.len())?;
    match (action, ids) {
        (Action::Start(options), [id]) => start_instance(id, options),
        (Action::Start(_), _) => Ok(start_instances(config, ids)),
        (Action::Stop(options), [id]) => Ok(stop_instance(id, options)),
        (Action::Stop(options), _) => Ok(stop_instances(config, ids, options)),
        (Action::Reboot(options), [id]) => Ok(reboot_instance(id, options)),
        (Action::Reboot(options), _) => Ok(reboot_instances(config, ids, options)),
        _ => Err(unsupported("this action")),
    }
}

/// Calls `DescribeInstances`. Unlike `DescribeInstanceStatus`, the response has locks, start times
/// and stopped modes. One page holds all instances of one call.
/// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeinstances>
pub(crate) fn observe(
    config: &Config,
    ids: &[InstanceId],
    with_details: bool,
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    let query = describe_query(config).with_encoded("InstanceIds", &encoded_array(ids));
    let read = match ids {
        [_] => read_single_observation,
        _ => read_observations,
    };
    Ok(ApiCall::new(
        post("DescribeInstances", query),
        move |response| read(response, with_details),
    ))
}

/// Lists the page at the token, or the first page.
pub(crate) fn list(
    config: &Config,
    query: &ListQuery,
    page: Option<&PageToken>,
) -> ApiCall<ListPage> {
    let with_details = query.needs_details();
    let position = Position::of(page, filter::has_tags(&query.filter));
    let mut parameters = filter::add_conditions(describe_query(config), &query.filter);
    if let Selection::ByTags { .. } = position.selection {
        parameters = filter::add_tags(parameters, &query.filter);
    }
    if let Some(token) = &position.token {
        parameters = parameters.with("NextToken", token);
    }
    ApiCall::new(post("DescribeInstances", parameters), move |response| {
        read_page(response, with_details, &position)
    })
}

fn start_instance(id: &InstanceId, options: &StartOptions) -> Result<ApiCall<BatchAck>, Fault> {
    let query = Query::default().with("InstanceId", id.as_str());
    let query = match options.local_disk {
        LocalDisk::Keep => query,
        LocalDisk::Initialize => query.with("InitLocalDisk", "true"),
        _ => return Err(unsupported("this treatment of local disks")),
    };
    Ok(single_call("StartInstance", query))
}

fn start_instances(config: &Config, ids: &[InstanceId]) -> ApiCall<BatchAck> {
    batch_call("StartInstances", Query::default(), config, ids)
}

fn stop_instance(id: &InstanceId, options: &StopOptions) -> ApiCall<BatchAck> {
    let query = stop_query(options).with("InstanceId", id.as_str());
    single_call("StopInstance", query)
}

fn stop_instances(config: &Config, ids: &[InstanceId], options: &StopOptions) -> ApiCall<BatchAck> {
    batch_call("StopInstances", stop_query(options), config, ids)
}

/// Always sends `StoppedMode`. The default is a setting of the account: without `StoppedMode`, a
/// stop could end billing and release the compute resources.
fn stop_query(options: &StopOptions) -> Query<'static> {
    let stopped_mode = if options.billing.is_release() {
        "StopCharging"
    } else {
        "KeepCharging"
    };
    Query::default()
        .with("ForceStop", force_flag(options.mode))
        .with("StoppedMode", stopped_mode)
}

fn reboot_instance(id: &InstanceId, options: &RebootOptions) -> ApiCall<BatchAck> {
    let query = Query::default()
        .with("ForceStop", force_flag(options.mode))
        .with("InstanceId", id.as_str());
    single_call("RebootInstance", query)
}

/// Sends `ForceReboot`, where the single-instance operation has `ForceStop`.
fn reboot_instances(
    config: &Config,
    ids: &[InstanceId],
    options: &RebootOptions,
) -> ApiCall<BatchAck> {
    let query = Query::default().with("ForceReboot", force_flag(options.mode));
    batch_call("RebootInstances", query, config, ids)
}

fn single_call(operation: &'static str, query: Query<'_>) -> ApiCall<BatchAck> {
    ApiCall::new(post(operation, query), read_single)
}

fn batch_call<'a>(
    operation: &'static str,
    query: Query<'a>,
    config: &'a Config,
    ids: &'a [InstanceId],
) -> ApiCall<BatchAck> {
    let optimization = match config.batch_mode() {
        BatchMode::SuccessFirst => "SuccessFirst",
        BatchMode::AllTogether => "AllTogether",
    };
    let query = query
        .with("BatchOptimization", optimization)
        .with("RegionId", config.region())
        .with_ids(ids);
    ApiCall::new(post(operation, query), read_batch)
}

fn describe_query(config: &Config) -> Query<'_> {
    Query::default()
        .with("RegionId", config.region())
        .with("MaxResults", &LIMIT.to_string())
}

pub(crate) fn post(operation: &'static str, query: Query<'_>) -> UnsignedRequest {
    UnsignedRequest::new(operation, Method::POST, "/").with_query(query.canonical())
}

/// Returns the value of `ForceStop` and `ForceReboot`, which are always sent.
fn force_flag(mode: StopMode) -> &'static str {
    if mode.is_forced() { "true" } else { "false" }
}

/// Returns `["i-1","i-2"]`, percent-encoded. Ids need no escapes in JSON or in a query.
pub(crate) fn encoded_array(ids: &[InstanceId]) -> String {
    let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
    format!("%5B%22{}%22%5D", ids.join("%22%2C%22"))
}

fn unsupported(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("Alibaba Cloud ECS does not support {what}"),
    )
}

/// The parameters of a request. The order of the query on the wire is the order of the signed text.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    /// The sort key and the text of each parameter.
    parameters: Vec<(Cow<'a, str>, Parameter<'a>)>,
}

#[derive(Debug)]
enum Parameter<'a> {
    /// `key=value&`.
    Text(String),
    /// `InstanceId.1`, `InstanceId.2` and so on, which are adjacent in any sorted query.
    Ids(&'a [InstanceId]),
}

impl<'a> Query<'a> {
    /// Adds a parameter and percent-encodes the value.
    pub(crate) fn with(self, key: impl Into<Cow<'a, str>>, value: &str) -> Self {
        self.with_encoded(key, &encode::percent(value))
    }

    /// Adds a parameter whose value is percent-encoded already. Keys are not encoded: the parameter
    /// names of ECS need no encoding.
    pub(crate) fn with_encoded(mut self, key: impl Into<Cow<'a, str>>, value: &str) -> Self {
        let key = key.into();
        let text = [&key, "=", value, "&"].concat();
        self.parameters.push((key, Parameter::Text(text)));
        self
    }

    /// Adds a numbered parameter for each instance.
    fn with_ids(mut self, ids: &'a [InstanceId]) -> Self {
        self.parameters
            .push(("InstanceId.1".into(), Parameter::Ids(ids)));
        self
    }

    /// Sorts the parameters by key and joins them: the canonical query of the V3 signature.
    pub(crate) fn canonical(mut self) -> String {
        self.parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        let lengths = self.parameters.iter();
        let lengths = lengths.map(|(_, parameter)| parameter.max_len());
        let mut query = String::with_capacity(lengths.sum());
        for (_, parameter) in &self.parameters {
            parameter.write(&mut query);
        }
        query.pop();
        query
    }
}

impl Parameter<'_> {
    fn max_len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Ids(ids) => ids
                .iter()
                .map(|id| "InstanceId.100=&".len() + id.as_str().len())
                .sum(),
        }
    }

    /// Appends the parameter without encoding: ids need none.
    fn write(&self, query: &mut String) {
        match self {
            Self::Text(text) => query.push_str(text),
            Self::Ids(ids) => {
                for (index, key) in NUMBERED_KEYS.iter() {
                    if let Some(id) = ids.get(*index) {
                        query.push_str(key);
                        query.push_str(id.as_str());
                    }
                }
                query.push('&');
            }
        }
    }
}

/// `InstanceId.1=` to `InstanceId.100=` with the index of the instance, sorted by key: 1, 10, 100,
/// 11. The equals sign is added after the sort, because `=` is greater than any digit.
static NUMBERED_KEYS: LazyLock<Vec<(usize, String)>> = LazyLock::new(|| {
    let mut keys: Vec<_> = (0..LIMIT)
        .map(|index| (index, format!("InstanceId.{}", index + 1)))
        .collect();
    keys.sort_by(|(_, a), (_, b)| a.cmp(b));
    for (index, key) in &mut keys {
        key.push('=');
        if *index > 0 {
            key.insert(0, '&');
        }
    }
    keys
});

// Responses.

/// Reads the response of a single-instance operation, which has a request id and nothing else.
/// Another sender than ECS, such as a proxy, does not know the id.
fn read_single(response: &HttpResponse) -> Result<BatchAck, Fault> {
    let body = Body::read(response)?;
    if body.request_id.0.is_none() && fault::request_id(response).is_none() {
        return Err(response.unreadable("it has no RequestId"));
    }
    Ok(BatchAck::All)
}

/// Reads one row per instance. Without a row, or without a code in the row, the outcome of an
/// instance is unknown.
fn read_batch(response: &HttpResponse) -> Result<BatchAck, Fault> {
    let body = Body::read(response)?;
    let mut accepted = Vec::new();
    let mut refused = Vec::new();
    let responses = body.instance_responses.0.unwrap_or_default();
    for row in responses.instance_response.0 {
        let (Some(id), Some(code)) = (row.instance_id.0, row.code.0) else {
            continue;
        };
        if code == ACCEPTED {
            accepted.push(id);
        } else {
            let fault =
                fault::from_row(&code, row.message.0).with_request_id(body.request_id.0.clone());
            refused.push((id, fault));
        }
    }
    Ok(BatchAck::Each { accepted, refused })
}

/// Reads the rows of several requested instances. Rows without an id are dropped: the client reads
/// each missing instance alone.
fn read_observations(
    response: &HttpResponse,
    with_details: bool,
) -> Result<Vec<Observation>, Fault> {
    let page = Body::read(response)?.page(response, with_details)?;
    Ok(page.observations)
}

/// Reads the row of the only requested instance. An instance without a row is unknown to the cloud,
/// so a row without an id, which may be the row of the instance, is a fault.
fn read_single_observation(
    response: &HttpResponse,
    with_details: bool,
) -> Result<Vec<Observation>, Fault> {
    let page = Body::read(response)?.page(response, with_details)?;
    if page.unidentified > 0 {
        return Err(response.unreadable("the row has no InstanceId"));
    }
    Ok(page.observations)
}

/// Reads a page of the list. The last page has an empty token or no token.
///
/// According to the documents, `TotalCount` has no meaning in a list with tokens, and the count of a page
/// with a token is ignored. A last page that counts more instances than the list has is most likely the
/// first page of a server that ignores the tokens. A list that may lack instances is an error.
fn read_page(
    response: &HttpResponse,
    with_details: bool,
    position: &Position,
) -> Result<ListPage, Fault> {
    let mut body = Body::read(response)?;
    let total = body.total_count.0.take();
    let token = body.next_token.0.take();
    let page = body.page(response, with_details)?;
    Ok(match position.next(page.rows(), token.as_deref()) {
        NextPage::End => page.with_total(total.and_then(|total| total.parse().ok())),
        next => page.with_next(next),
    })
}

/// The response body of all operations. Each list is wrapped in two objects.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Body {
    request_id: LenientText,
    code: LenientText,
    #[serde(rename = "code")]
    lower_code: LenientText,
    message: LenientText,
    #[serde(rename = "message")]
    lower_message: LenientText,
    instance_responses: LenientObject<InstanceResponses>,
    instances: LenientObject<Instances>,
    next_token: LenientText,
    total_count: LenientText,
}

/// The code of an accepted row, which the pages show as a text and as a number.
const ACCEPTED: &str = "200";

impl Body {
    /// Reads the body of a successful response. A body with an error code is a fault, whatever the
    /// status.
    fn read(response: &HttpResponse) -> Result<Self, Fault> {
        let body: Self = body::read(response)?;
        let codes = [&body.code, &body.lower_code].into_iter();
        let code = codes
            .filter_map(|code| code.0.clone())
            .find(|code| code != ACCEPTED);
        match code {
            Some(code) => {
                let message = body.message.0.or(body.lower_message.0);
                Err(fault::from_response(response, &code, message))
            }
            None => Ok(body),
        }
    }

    /// Returns the rows. In XML, an empty list can be an element without content, which has no rows.
    fn page(self, response: &HttpResponse, with_details: bool) -> Result<ListPage, Fault> {
        let instances = self.instances.0;
        let rows = match instances.map(|instances| instances.instance.0) {
            Some(Some(rows)) => rows,
            _ if body::has_empty_element(response, "Instances") => Vec::new(),
            _ => return Err(response.unreadable("it has no list of instances")),
        };
        let rows = rows.into_iter();
        let rows = rows.map(|row| row.and_then(Instance::observation));
        Ok(match with_details {
            false => rows.collect(),
            true => ListPage::from_rows(rows, details::read(response)),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct InstanceResponses {
    instance_response: LenientList<InstanceResponse>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct InstanceResponse {
    instance_id: LenientId,
    code: LenientText,
    message: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Instances {
    instance: LenientRows<Instance>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Instance {
    instance_id: LenientId,
    instance_name: LenientText,
    status: LenientText,
    start_time: LenientText,
    stopped_mode: LenientText,
    operation_locks: LenientObject<OperationLocks>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct OperationLocks {
    lock_reason: LenientList<LockReason>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct LockReason {
    lock_reason: LenientText,
}

impl Instance {
    /// Converts the row; `None` for a row without an instance id.
    fn observation(self) -> Option<Observation> {
        let id = self.instance_id.0?;
        let raw = self.status.0.unwrap_or_default();
        let mut observation = Observation::new(id, power_state(&raw), raw);
        observation.name = self.instance_name.0;
        observation.started_at = self.start_time.0;
        observation.lock = self.operation_locks.0.and_then(OperationLocks::lock);
        observation.stopped_billing = stopped_billing(self.stopped_mode.0.as_deref());
        Some(observation)
    }
}

/// <https://www.alibabacloud.com/help/en/ecs/user-guide/instance-lifecycle>
fn power_state(status: &str) -> PowerState {
    match status {
        "Pending" => PowerState::Creating,
        "Starting" => PowerState::Starting,
        "Running" => PowerState::Running,
        "Stopping" => PowerState::Stopping,
        "Stopped" => PowerState::Stopped,
        _ => PowerState::Unknown,
    }
}

/// Maps `StoppedMode`, which is `Not-applicable` for a running instance.
fn stopped_billing(mode: Option<&str>) -> StoppedBilling {
    match mode {
        Some("KeepCharging") => StoppedBilling::Billed,
        Some("StopCharging") => StoppedBilling::NotBilled,
        _ => StoppedBilling::Unknown,
    }
}

impl OperationLocks {
    /// Returns the lock to report: a security lock first, because only a security lock forbids
    /// every power action.
    /// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-behavior-when-an-instance-is-locked-for-security-reasons>
    fn lock(self) -> Option<Lock> {
        let reasons = self.lock_reason.0.into_iter();
        let locks = reasons.filter_map(|row| row.lock_reason.0.map(lock));
        locks.min_by_key(|lock| *lock != Lock::Security)
    }
}

/// Ignores case, because the pages spell `Recycling` both ways.
fn lock(reason: String) -> Lock {
    match reason.to_ascii_lowercase().as_str() {
        "security" => Lock::Security,
        "financial" | "dedicatedhostfinancial" => Lock::Financial,
        "recycling" => Lock::Recycling,
        _ => Lock::Other(reason),
    }
}

#[cfg(test)]
mod tests;
