//! Zenlayer's requests and answers, in its own words.

use std::collections::BTreeMap;

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, LenientField,
    LenientObject, ListPage, Observation, PageToken, PowerState, ResponseExt, UnsignedRequest,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{Config, PROFILE};

/// `StartInstances`, `StopInstances`, `RebootInstances`:
/// <https://docs.console.zenlayer.com/api-reference/compute/zec/instance>
///
/// A stop without its flag is a forced one, and what a reboot without its flag is, is not said; so
/// both are always sent.
pub(crate) fn act(action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
    PROFILE.check_batch(action, ids.len())?;
    let (operation, fields) = match action {
        Action::Start(_) => ("StartInstances", vec![]),
        Action::Stop(stop) => {
            let forced = stop.mode.is_forced().into();
            ("StopInstances", vec![("forceShutdown", forced)])
        }
        Action::Reboot(reboot) => {
            let forced = reboot.mode.is_forced().into();
            ("RebootInstances", vec![("forceReboot", forced)])
        }
        _ => return Err(unsupported("this action")),
    };
    Ok(ApiCall::new(draft(operation, ids, &fields), read_power))
}

/// `DescribeInstancesStatus`. Its pages have 20 rows unless told otherwise, which would hide most
/// of a hundred instances.
pub(crate) fn observe(
    config: &Config,
    ids: &[InstanceId],
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    let mut fields = vec![("pageSize", PROFILE.batch_limits.observe.into())];
    fields.extend(resource_group(config));
    let draft = draft("DescribeInstancesStatus", ids, &fields);
    Ok(ApiCall::new(draft, read_statuses))
}

/// `DescribeInstances`. The token is the number of the page, counted from one.
pub(crate) fn list(config: &Config, page: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault> {
    let number: usize = match page {
        None => 1,
        Some(token) => token
            .as_str()
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Fault::new(FaultKind::Invalid, "the page token is no page number"))?,
    };
    let mut fields = vec![("pageSize", PAGE_SIZE.into()), ("pageNum", number.into())];
    fields.extend(resource_group(config));
    let draft = draft("DescribeInstances", &[], &fields);
    Ok(ApiCall::new(draft, move |reply| read_page(reply, number)))
}

/// The most rows that a page can have.
const PAGE_SIZE: usize = 1000;

fn draft(operation: &'static str, ids: &[InstanceId], fields: &[(&str, Value)]) -> UnsignedRequest {
    UnsignedRequest::new(operation, Method::POST, "/api/v2/zec").with_body(json_object(ids, fields))
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

fn unsupported(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("{} does not know {what}", PROFILE.title),
    )
}

/// The ids in the answer are those that failed; none, null and no list at all mean that all were
/// accepted. Zenlayer gives no reason for a failed one, so whether the action was begun on it is
/// open, and the fault says so.
fn read_power(reply: &HttpResponse) -> Result<BatchAck, Fault> {
    let answer: PowerAnswer = read_answer(reply, "instanceIds")?;
    let failed = answer.instance_ids.unwrap_or_default();
    BatchAck::without_failed(&failed, reply, crate::fault::request_id(reply))
}

/// An instance without a row counts as unknown to the cloud, so a list that is cut short must not
/// pass for the whole one.
fn read_statuses(reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
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
fn read_page(reply: &HttpResponse, number: usize) -> Result<ListPage, Fault> {
    let answer = InstanceList::read(reply)?;
    let total = answer.total_count.0.filter(|total| *total > 0);
    let rows = answer.rows(reply)?;
    let more = match total {
        Some(total) => {
            !rows.is_empty()
                && number.saturating_sub(1).saturating_mul(PAGE_SIZE) + rows.len() < total
        }
        None => rows.len() >= PAGE_SIZE,
    };
    let next = more.then(|| PageToken::new(number.saturating_add(1).to_string()));
    Ok(ListPage::new(observations(rows)).with_next(next))
}

/// The fields of an answer: those of its `response`, or those beside `field` at the top level, as
/// one older page of the documents has it.
fn read_answer<T: DeserializeOwned>(reply: &HttpResponse, field: &str) -> Result<T, Fault> {
    let unreadable = |error: serde_json::Error| reply.unreadable(&error.to_string());
    let body: BTreeMap<String, &RawValue> =
        serde_json::from_slice(reply.body()).map_err(unreadable)?;
    match body.get("response") {
        Some(fields) if fields.get().starts_with('{') => {
            serde_json::from_str(fields.get()).map_err(unreadable)
        }
        None if body.contains_key(field) => reply.json(),
        _ => Err(reply.unreadable("it has no response in it")),
    }
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
    total_count: LenientField<usize>,
    data_set: Option<Vec<LenientObject<Instance>>>,
}

impl InstanceList {
    fn read(reply: &HttpResponse) -> Result<Self, Fault> {
        read_answer(reply, "dataSet")
    }

    /// All rows, readable or not. They may be missing only where there are none.
    fn rows(self, reply: &HttpResponse) -> Result<Vec<LenientObject<Instance>>, Fault> {
        match (self.data_set, self.total_count.0) {
            (Some(rows), _) => Ok(rows),
            (None, Some(0)) => Ok(Vec::new()),
            (None, _) => Err(reply.unreadable("it is no list of instances")),
        }
    }
}

/// The rows that name an instance.
fn observations(rows: Vec<LenientObject<Instance>>) -> Vec<Observation> {
    rows.into_iter()
        .filter_map(|row| row.0.and_then(Instance::observation))
        .collect()
}

/// A row of either list. The state is `instanceStatus` in one and `status` in the other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    #[serde(default)]
    instance_id: LenientField<String>,
    #[serde(default)]
    instance_name: LenientField<String>,
    #[serde(default)]
    instance_status: LenientField<String>,
    #[serde(default)]
    status: LenientField<String>,
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

#[cfg(test)]
mod tests;
