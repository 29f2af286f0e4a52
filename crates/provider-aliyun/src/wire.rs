//! What ECS is asked and what it answers, in its own words.
//!
//! Every operation is a POST to `/` with all its parameters in the query and an empty body, as the
//! vendor's SDKs send it.

use std::sync::LazyLock;

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, ListPage, LocalDisk,
    Lock, Observation, PageToken, PowerState, RebootOptions, StartOptions, StopMode, StopOptions,
    StoppedBilling, UnsignedRequest, encode,
};
use serde::Deserialize;

use crate::{
    PROFILE,
    body::{self, Record, Rows, Text},
    config::{Batch, Config},
    fault,
};

/// The version of the API.
pub(crate) const VERSION: &str = "2014-05-26";

/// The greatest number of instances in one call, and of rows on one page.
pub(crate) const LIMIT: usize = 100;

// Requests.

/// One instance goes by the operation for one, several by the batch operation.
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

/// `DescribeInstances` and not `DescribeInstanceStatus`: it has locks, start times and stopped
/// modes, and one page holds all the instances of one call.
/// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeinstances>
pub(crate) fn observe(
    config: &Config,
    ids: &[InstanceId],
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    let query = instances_of(config).with_encoded("InstanceIds", &encoded_array(ids));
    Ok(ApiCall::new(
        post("DescribeInstances", query),
        read_observations,
    ))
}

/// The page after `page`, or the first one.
pub(crate) fn list(config: &Config, page: Option<&PageToken>) -> ApiCall<ListPage> {
    let query = match page {
        Some(token) => instances_of(config).with("NextToken", token.as_str()),
        None => instances_of(config),
    };
    ApiCall::new(post("DescribeInstances", query), read_page)
}

fn start_instance(id: &InstanceId, options: &StartOptions) -> Result<ApiCall<BatchAck>, Fault> {
    let query = Query::default().with("InstanceId", id.as_str());
    let query = match options.local_disk {
        LocalDisk::Keep => query,
        LocalDisk::Initialize => query.with("InitLocalDisk", "true"),
        _ => return Err(unsupported("this treatment of local disks")),
    };
    Ok(single("StartInstance", query))
}

fn start_instances(config: &Config, ids: &[InstanceId]) -> ApiCall<BatchAck> {
    batch("StartInstances", Query::default(), config, ids)
}

fn stop_instance(id: &InstanceId, options: &StopOptions) -> ApiCall<BatchAck> {
    let query = stop_query(options).with("InstanceId", id.as_str());
    single("StopInstance", query)
}

fn stop_instances(config: &Config, ids: &[InstanceId], options: &StopOptions) -> ApiCall<BatchAck> {
    batch("StopInstances", stop_query(options), config, ids)
}

/// `StoppedMode` is always sent: what ECS does without it is a setting of the account, so a plain
/// stop could end billing and give the machine away.
fn stop_query(options: &StopOptions) -> Query<'static> {
    let stopped_mode = if options.billing.is_release() {
        "StopCharging"
    } else {
        "KeepCharging"
    };
    Query::default()
        .with("ForceStop", forced(options.mode))
        .with("StoppedMode", stopped_mode)
}

fn reboot_instance(id: &InstanceId, options: &RebootOptions) -> ApiCall<BatchAck> {
    let query = Query::default()
        .with("ForceStop", forced(options.mode))
        .with("InstanceId", id.as_str());
    single("RebootInstance", query)
}

/// The batch operation has another name for the flag than the operation for one instance.
fn reboot_instances(
    config: &Config,
    ids: &[InstanceId],
    options: &RebootOptions,
) -> ApiCall<BatchAck> {
    let query = Query::default().with("ForceReboot", forced(options.mode));
    batch("RebootInstances", query, config, ids)
}

fn single(operation: &'static str, query: Query<'_>) -> ApiCall<BatchAck> {
    ApiCall::new(post(operation, query), read_single)
}

fn batch<'a>(
    operation: &'static str,
    query: Query<'a>,
    config: &'a Config,
    ids: &'a [InstanceId],
) -> ApiCall<BatchAck> {
    let optimization = match config.batch() {
        Batch::SuccessFirst => "SuccessFirst",
        Batch::AllTogether => "AllTogether",
    };
    let query = query
        .with("BatchOptimization", optimization)
        .with("RegionId", config.region())
        .with_ids(ids);
    ApiCall::new(post(operation, query), read_batch)
}

fn instances_of(config: &Config) -> Query<'_> {
    Query::default()
        .with("RegionId", config.region())
        .with("MaxResults", &LIMIT.to_string())
}

fn post(operation: &'static str, query: Query<'_>) -> UnsignedRequest {
    UnsignedRequest::new(operation, Method::POST, "/").with_query(query.canonical())
}

/// `ForceStop` and `ForceReboot`: always sent, in lower case.
fn forced(mode: StopMode) -> &'static str {
    if mode.is_forced() { "true" } else { "false" }
}

/// `["i-1","i-2"]`, percent-encoded. Ids need no encoding, neither for JSON nor for a query.
fn encoded_array(ids: &[InstanceId]) -> String {
    let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
    format!("%5B%22{}%22%5D", ids.join("%22%2C%22"))
}

fn unsupported(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("Alibaba Cloud ECS does not take {what}"),
    )
}

/// The parameters of a request. They are sent in the order in which they are signed, so that the
/// text on the wire is the text under the signature.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    /// Keys to sort by, and what stands behind each.
    parameters: Vec<(&'a str, Parameter<'a>)>,
}

#[derive(Debug)]
enum Parameter<'a> {
    /// `key=value&`.
    Text(String),
    /// `InstanceId.1`, `InstanceId.2` and so on, which stand together in any sorted query.
    Ids(&'a [InstanceId]),
}

impl<'a> Query<'a> {
    /// With one more parameter, whose value is percent-encoded.
    pub(crate) fn with(self, key: &'a str, value: &str) -> Self {
        self.with_encoded(key, &encode::percent(value))
    }

    /// With one more parameter, whose value is percent-encoded already. Keys are taken as they
    /// are, which the names of ECS allow and the vendor's SDKs do.
    fn with_encoded(mut self, key: &'a str, value: &str) -> Self {
        let text = [key, "=", value, "&"].concat();
        self.parameters.push((key, Parameter::Text(text)));
        self
    }

    /// With a numbered parameter for each of these instances.
    fn with_ids(mut self, ids: &'a [InstanceId]) -> Self {
        self.parameters.push(("InstanceId.1", Parameter::Ids(ids)));
        self
    }

    /// Sorted by key and joined: the canonical query of the V3 signature.
    pub(crate) fn canonical(mut self) -> String {
        self.parameters.sort_by_key(|(key, _)| *key);
        let longest = self
            .parameters
            .iter()
            .map(|(_, parameter)| parameter.longest());
        let mut query = String::with_capacity(longest.sum());
        for (_, parameter) in &self.parameters {
            parameter.write(&mut query);
        }
        query.pop();
        query
    }
}

impl Parameter<'_> {
    fn longest(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Ids(ids) => ids
                .iter()
                .map(|id| "InstanceId.100=&".len() + id.as_str().len())
                .sum(),
        }
    }

    /// Ids need no encoding.
    fn write(&self, query: &mut String) {
        match self {
            Self::Text(text) => query.push_str(text),
            Self::Ids(ids) => {
                for (place, key) in NUMBERED_KEYS.iter() {
                    if let Some(id) = ids.get(*place) {
                        query.push_str(key);
                        query.push_str(id.as_str());
                    }
                }
                query.push('&');
            }
        }
    }
}

/// `InstanceId.1=` to `InstanceId.100=` with their places in a list, sorted by key: 1, 10, 100, 11.
/// The equals sign comes after sorting, because it would count: it is greater than any digit.
static NUMBERED_KEYS: LazyLock<Vec<(usize, String)>> = LazyLock::new(|| {
    let mut keys: Vec<_> = (0..LIMIT)
        .map(|place| (place, format!("InstanceId.{}", place + 1)))
        .collect();
    keys.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (place, key) in &mut keys {
        key.push('=');
        if *place > 0 {
            key.insert(0, '&');
        }
    }
    keys
});

// Answers.

/// A single power operation answers with a request id and nothing else.
fn read_single(reply: &HttpResponse) -> Result<BatchAck, Fault> {
    Answer::read(reply).map(|_| BatchAck::All)
}

/// A batch answers with a row per instance. A row without a verdict leaves its instance unclear,
/// and so does a missing row.
fn read_batch(reply: &HttpResponse) -> Result<BatchAck, Fault> {
    let answer = Answer::read(reply)?;
    let mut accepted = Vec::new();
    let mut refused = Vec::new();
    for row in answer.instance_responses.0.instance_response.0 {
        let (Some(id), Some(code)) = (row.instance_id.id(), row.code.0) else {
            continue;
        };
        if code == DONE {
            accepted.push(id);
        } else {
            let fault =
                fault::of_row(&code, row.message.0).with_request_id(answer.request_id.0.clone());
            refused.push((id, fault));
        }
    }
    Ok(BatchAck::Each { accepted, refused })
}

fn read_observations(reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    Answer::read(reply).map(Answer::observations)
}

/// The last page has an empty token or none.
fn read_page(reply: &HttpResponse) -> Result<ListPage, Fault> {
    let mut answer = Answer::read(reply)?;
    let next = answer.next_token.0.take().map(PageToken::new);
    Ok(ListPage::new(answer.observations()).with_next(next))
}

/// What any of the operations answers. Lists are wrapped twice.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    request_id: Text,
    code: Text,
    message: Text,
    instance_responses: Record<InstanceResponses>,
    instances: Record<Instances>,
    next_token: Text,
}

/// The code of a row that was accepted. The pages show it as text and as a number.
const DONE: &str = "200";

impl Answer {
    /// Reads a good answer. One that carries an error code is none, whatever its status.
    fn read(reply: &HttpResponse) -> Result<Self, Fault> {
        let answer: Self = body::read(reply)?;
        match answer.code.0 {
            Some(code) if code != DONE => Err(fault::of_answer(reply, &code, answer.message.0)),
            _ => Ok(answer),
        }
    }

    fn observations(self) -> Vec<Observation> {
        let rows = self.instances.0.instance.0.into_iter();
        rows.filter_map(Instance::observation).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct InstanceResponses {
    instance_response: Rows<InstanceResponse>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct InstanceResponse {
    instance_id: Text,
    code: Text,
    message: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Instances {
    instance: Rows<Instance>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Instance {
    instance_id: Text,
    instance_name: Text,
    status: Text,
    start_time: Text,
    stopped_mode: Text,
    operation_locks: Record<OperationLocks>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct OperationLocks {
    lock_reason: Rows<LockReason>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct LockReason {
    lock_reason: Text,
}

impl Instance {
    /// `None` for a row that does not say which instance it is about.
    fn observation(self) -> Option<Observation> {
        let id = self.instance_id.id()?;
        let raw = self.status.0.unwrap_or_default();
        let mut observation = Observation::new(id, power_state(&raw), raw);
        observation.name = self.instance_name.0;
        observation.started_at = self.start_time.0;
        observation.lock = self.operation_locks.0.lock();
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

/// A running instance has the mode `Not-applicable`.
fn stopped_billing(mode: Option<&str>) -> StoppedBilling {
    match mode {
        Some("KeepCharging") => StoppedBilling::Billed,
        Some("StopCharging") => StoppedBilling::NotBilled,
        _ => StoppedBilling::Unknown,
    }
}

impl OperationLocks {
    /// The lock that counts: the security lock before all others, because it alone forbids every
    /// power action.
    /// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-behavior-when-an-instance-is-locked-for-security-reasons>
    fn lock(self) -> Option<Lock> {
        let reasons = self.lock_reason.0.into_iter();
        let locks = reasons.filter_map(|row| row.lock_reason.0.map(lock));
        locks.min_by_key(|lock| *lock != Lock::Security)
    }
}

/// The pages spell `Recycling` both ways, so case does not count.
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
