//! Zenlayer's requests and answers, in its own words.

use http::Method;
use lifecycle_core::{
    Action, Call, Draft, Fault, FaultKind, InstanceId, Observation, Page, PageToken, PowerState,
    Receipt, Reply, StopMode,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Config, PROFILE};

/// `StartInstances`, `StopInstances`, `RebootInstances`:
/// <https://docs.console.zenlayer.com/api-reference/compute/zec/instance>
///
/// A stop without its flag is a forced one, and what a reboot without its flag is, is not said; so
/// both are always sent.
pub(crate) fn act(action: &Action, ids: &[InstanceId]) -> Result<Call<Receipt>, Fault> {
    PROFILE.admits(action)?;
    admit_count(ids, PROFILE.limits.of(action.verb()))?;
    let (operation, fields) = match action {
        Action::Start(_) => ("StartInstances", vec![]),
        Action::Stop(stop) => {
            let forced = is_forced(stop.mode)?.into();
            ("StopInstances", vec![("forceShutdown", forced)])
        }
        Action::Reboot(reboot) => {
            let forced = is_forced(reboot.mode)?.into();
            ("RebootInstances", vec![("forceReboot", forced)])
        }
        _ => return Err(unsupported("this action")),
    };
    Ok(Call::new(draft(operation, ids, &fields), read_power))
}

/// `DescribeInstancesStatus`. Its pages have 20 rows unless told otherwise, which would hide most
/// of a hundred instances.
pub(crate) fn observe(
    config: &Config,
    ids: &[InstanceId],
) -> Result<Call<Vec<Observation>>, Fault> {
    let limit = PROFILE.limits.observe;
    admit_count(ids, limit)?;
    let mut fields = vec![("pageSize", limit.into())];
    fields.extend(resource_group(config));
    let draft = draft("DescribeInstancesStatus", ids, &fields);
    Ok(Call::new(draft, read_statuses))
}

/// `DescribeInstances`. The token is the number of the page, counted from one.
pub(crate) fn list(config: &Config, page: Option<&PageToken>) -> Result<Call<Page>, Fault> {
    let number = match page {
        None => 1,
        Some(token) => token
            .as_str()
            .parse()
            .map_err(|_| Fault::new(FaultKind::Invalid, "the page token is no page number"))?,
    };
    let read = reader(number)?;
    let mut fields = vec![("pageSize", PAGE_SIZE.into()), ("pageNum", number.into())];
    fields.extend(resource_group(config));
    Ok(Call::new(draft("DescribeInstances", &[], &fields), read))
}

/// The most rows that a page can have.
const PAGE_SIZE: usize = 1000;

fn draft(operation: &'static str, ids: &[InstanceId], fields: &[(&str, Value)]) -> Draft {
    Draft::new(operation, Method::POST, "/api/v2/zec").with_body(json_object(ids, fields))
}

/// The ids, where there are any, and the other fields. Written out because ids need no escaping:
/// `serde_json`, which looks for something to escape, takes about as long over a hundred ids as the
/// whole signature.
fn json_object(ids: &[InstanceId], fields: &[(&str, Value)]) -> String {
    let mut json = String::with_capacity(64 + 24 * ids.len());
    json.push('{');
    if let [first, others @ ..] = ids {
        json.push_str("\"instanceIds\":[\"");
        json.push_str(first.as_str());
        for id in others {
            json.push_str("\",\"");
            json.push_str(id.as_str());
        }
        json.push_str("\"]");
    }
    for (name, value) in fields {
        let separator = if json.len() > 1 { "," } else { "" };
        json.extend([separator, "\"", name, "\":", &value.to_string()]);
    }
    json.push('}');
    json
}

fn resource_group(config: &Config) -> Option<(&'static str, Value)> {
    let id = config.resource_group()?;
    Some(("resourceGroupId", id.into()))
}

fn is_forced(mode: StopMode) -> Result<bool, Fault> {
    match mode {
        StopMode::Graceful => Ok(false),
        StopMode::Forced => Ok(true),
        _ => Err(unsupported("this stop mode")),
    }
}

fn unsupported(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("{} does not know {what}", PROFILE.title),
    )
}

/// What Zenlayer does with too many ids is unknown, and no ids can mean all instances.
fn admit_count(ids: &[InstanceId], limit: usize) -> Result<(), Fault> {
    let count = ids.len();
    if (1..=limit).contains(&count) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Invalid,
        format!("{count} instances in one call, where 1 to {limit} can be"),
    ))
}

/// The ids in the answer are those that failed; none, null and no list at all mean that all were
/// accepted. Zenlayer gives no reason for a failed one, so whether the action was begun on it is
/// open, and the fault says so.
fn read_power(reply: &Reply) -> Result<Receipt, Fault> {
    let answer: PowerAnswer = read_answer(reply, "instanceIds")?;
    let failed = answer.instance_ids.unwrap_or_default();
    if failed.is_empty() {
        return Ok(Receipt::All);
    }
    let fault = Fault::new(
        FaultKind::Failed,
        "listed as failed, without a reason, in an answer that is otherwise good",
    )
    .with_status(reply.status)
    .with_request_id(crate::fault::request_id(reply));
    failed
        .iter()
        .map(|id| match InstanceId::new(id) {
            Ok(id) => Ok((id, fault.clone())),
            Err(error) => Err(reply.unreadable(&error.to_string())),
        })
        .collect::<Result<_, _>>()
        .map(Receipt::Except)
}

/// An instance without a row counts as unknown to the cloud, so a list that is cut short must not
/// pass for the whole one.
fn read_statuses(reply: &Reply) -> Result<Vec<Observation>, Fault> {
    let answer = InstanceList::read(reply)?;
    let total = answer.total_count.0;
    let rows = answer.rows(reply)?;
    if total.is_some_and(|total| total > rows.len()) {
        return Err(reply.unreadable("it has fewer rows than instances"));
    }
    Ok(observations(rows))
}

/// The last page is the one that reaches the total. Where there is no total, it is the first that
/// is not full.
///
/// Zenlayer's command line stops at a page that is not full whatever the total says. Going on costs
/// one more call then, and loses nothing should the cloud have sent less than it was asked for.
fn read_page(reply: &Reply, number: usize) -> Result<Page, Fault> {
    let answer = InstanceList::read(reply)?;
    let total = answer.total_count.0.filter(|total| *total > 0);
    let rows = answer.rows(reply)?;
    let more = match total {
        Some(total) => !rows.is_empty() && (number - 1) * PAGE_SIZE + rows.len() < total,
        None => rows.len() >= PAGE_SIZE,
    };
    Ok(Page {
        observations: observations(rows),
        next: more.then(|| PageToken::new((number + 1).to_string())),
    })
}

type ReadPage = fn(&Reply) -> Result<Page, Fault>;

/// The reader of this page. The function in a [`Call`] sees the answer alone, and Zenlayer's answer
/// does not say which page it is; so every page has a function of its own.
fn reader(number: usize) -> Result<ReadPage, Fault> {
    fn read<const NUMBER: usize>(reply: &Reply) -> Result<Page, Fault> {
        read_page(reply, NUMBER)
    }
    macro_rules! readers {
        ($($number:literal)*) => { [$(read::<$number> as ReadPage),*] };
    }
    let readers = readers![
        1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33
        34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
    ];
    match number.checked_sub(1).and_then(|at| readers.get(at)) {
        Some(read) => Ok(*read),
        None => Err(Fault::new(
            FaultKind::Unsupported,
            format!("a list has pages 1 to {}, not {number}", readers.len()),
        )),
    }
}

/// The fields of an answer: those of its `response`, or those beside `field` at the top level, as
/// one older page of the documents has it.
fn read_answer<T: DeserializeOwned>(reply: &Reply, field: &str) -> Result<T, Fault> {
    let mut body: Map<String, Value> = reply.json()?;
    let fields = match body.remove("response") {
        Some(Value::Object(fields)) => fields,
        None if body.contains_key(field) => body,
        _ => return Err(reply.unreadable("it has no response in it")),
    };
    T::deserialize(Value::Object(fields)).map_err(|error| reply.unreadable(&error.to_string()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PowerAnswer {
    instance_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceList {
    #[serde(default)]
    total_count: Lenient<usize>,
    data_set: Option<Vec<Lenient<Instance>>>,
}

impl InstanceList {
    fn read(reply: &Reply) -> Result<Self, Fault> {
        read_answer(reply, "dataSet")
    }

    /// All rows, readable or not. They may be missing only where there are none.
    fn rows(self, reply: &Reply) -> Result<Vec<Lenient<Instance>>, Fault> {
        match (self.data_set, self.total_count.0) {
            (Some(rows), _) => Ok(rows),
            (None, Some(0)) => Ok(Vec::new()),
            (None, _) => Err(reply.unreadable("it is no list of instances")),
        }
    }
}

/// The rows that name an instance.
fn observations(rows: Vec<Lenient<Instance>>) -> Vec<Observation> {
    rows.into_iter()
        .filter_map(|row| row.0.and_then(Instance::observation))
        .collect()
}

/// A row of either list. The state is `instanceStatus` in one and `status` in the other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    #[serde(default)]
    instance_id: Lenient<String>,
    #[serde(default)]
    instance_name: Lenient<String>,
    #[serde(default)]
    instance_status: Lenient<String>,
    #[serde(default)]
    status: Lenient<String>,
}

impl Instance {
    fn observation(self) -> Option<Observation> {
        let id = InstanceId::new(&self.instance_id.0?).ok()?;
        let raw = self.instance_status.0.or(self.status.0).unwrap_or_default();
        let mut observation = Observation::new(id, power_state(&raw), raw);
        observation.name = self.instance_name.0.filter(|name| !name.is_empty());
        Some(observation)
    }
}

/// The values that Zenlayer's pages enumerate, and those that only their prose or its Terraform
/// provider has: `STARTING` (elsewhere `BOOTING`), `RECYCLED` (elsewhere `RECYCLE`), `PENDING` and
/// `REINSTALL_FAILED`.
fn power_state(status: &str) -> PowerState {
    match status {
        "PENDING" | "DEPLOYING" => PowerState::Creating,
        "BOOTING" | "STARTING" => PowerState::Starting,
        "RUNNING" => PowerState::Running,
        "STOPPING" => PowerState::Stopping,
        "STOPPED" => PowerState::Stopped,
        "REBOOT" => PowerState::Rebooting,
        "REBUILDING" | "IMAGING" | "RESIZING" => PowerState::Changing,
        "CREATE_FAILED" | "REINSTALL_FAILED" => PowerState::Failed,
        "RECYCLING" | "RECYCLE" | "RECYCLED" => PowerState::Recycled,
        "RELEASING" => PowerState::Deleted,
        _ => PowerState::Unknown,
    }
}

/// A value that is dropped when it is of another type than documented, so that one odd field does
/// not cost the rest of the answer.
pub(crate) struct Lenient<T>(pub(crate) Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(T::deserialize(value).ok()))
    }
}

#[cfg(test)]
mod tests;
