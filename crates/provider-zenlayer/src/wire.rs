//! The requests and responses of Zenlayer ZEC.

use std::collections::BTreeMap;

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, LenientField, LenientId,
    LenientObject, LenientText, ListPage, ListQuery, NextPage, Observation, PageToken, PowerState,
    ResponseExt, UnsignedRequest,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{Config, PROFILE, details, filter};

/// Returns the call for an action: `StartInstances`, `StopInstances` or `RebootInstances`
/// (<https://docs.console.zenlayer.com/api-reference/compute/zec/instance>).
///
/// A stop without `forceShutdown` is a forced stop, and the default of `forceReboot` is not
/// documented. So both flags are always sent.
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
    Ok(ApiCall::new(unsigned(operation, ids, &fields), read_power))
}

/// Returns the call `DescribeInstancesStatus`.
pub(crate) fn observe(
    config: &Config,
    ids: &[InstanceId],
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    lookup("DescribeInstancesStatus", config, ids, false)
}

/// Returns the call `DescribeInstances`, which has the details.
pub(crate) fn describe(
    config: &Config,
    ids: &[InstanceId],
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    lookup("DescribeInstances", config, ids, true)
}

/// Returns a call that reads named instances. The default page has 20 rows, too few for 100 instances, so one page
/// holds all instances of one call.
fn lookup(
    operation: &'static str,
    config: &Config,
    ids: &[InstanceId],
    with_details: bool,
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    let mut fields = vec![("pageSize", PROFILE.batch_limits.observe.into())];
    fields.extend(resource_group(config));
    let request = unsigned(operation, ids, &fields);
    Ok(ApiCall::new(request, lookup_reader(ids, with_details)))
}

/// Returns the call `DescribeInstances`. The token is the number of the page, from 1.
pub(crate) fn list(
    config: &Config,
    query: &ListQuery,
    page: Option<&PageToken>,
) -> Result<ApiCall<ListPage>, Fault> {
    let number: usize = match page {
        None => 1,
        Some(token) => token
            .as_str()
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Fault::new(FaultKind::Invalid, "the page token is not a page number"))?,
    };
    let mut fields = vec![("pageSize", PAGE_SIZE.into()), ("pageNum", number.into())];
    fields.extend(resource_group(config));
    fields.extend(filter::fields(&query.filter));
    let request = unsigned("DescribeInstances", filter::ids(&query.filter), &fields);
    let with_details = query.needs_details();
    Ok(ApiCall::new(request, move |response| {
        read_page(response, with_details, number)
    }))
}

/// The maximum number of rows on a page.
const PAGE_SIZE: usize = 1000;

fn unsigned(
    operation: &'static str,
    ids: &[InstanceId],
    fields: &[(&str, Value)],
) -> UnsignedRequest {
    UnsignedRequest::new(operation, Method::POST, "/api/v2/zec").with_body(json_object(ids, fields))
}

/// Returns a JSON object with the ids, if any, and the other fields.
///
/// Ids need no escapes. `serde_json` searches for characters to escape and needs about as much time
/// for 100 ids as the signature.
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
        format!("{} does not support {what}", PROFILE.title),
    )
}

/// Reads the ids of the failed instances. An empty list, `null` and a missing list mean that the
/// cloud accepted all instances.
///
/// The list has no reasons, so the cloud may have executed the action on a failed instance. Every response
/// of the cloud has a request id; another sender, such as a proxy, does not know the id.
fn read_power(response: &HttpResponse) -> Result<BatchAck, Fault> {
    let body: PowerBody = read_body(response, "instanceIds")?;
    let request_id = crate::fault::request_id(response).or(body.request_id.0);
    if request_id.is_none() {
        return Err(response.unreadable("it has no requestId"));
    }
    let failed = body.instance_ids.unwrap_or_default();
    let failed: Vec<String> = failed
        .into_iter()
        .map(|id| id.0.map(|id| id.to_string()).unwrap_or_default())
        .collect();
    BatchAck::without_failed(&failed, response, request_id)
}

/// Returns the reader of a lookup of `ids`.
fn lookup_reader(
    ids: &[InstanceId],
    with_details: bool,
) -> impl Fn(&HttpResponse) -> Result<Vec<Observation>, Fault> + use<> {
    let read = match ids {
        [_] => read_single_lookup,
        _ => read_lookup,
    };
    move |response| read(response, with_details)
}

/// Reads the rows of several requested instances. An instance without a row is unknown to the
/// cloud, so an incomplete list is a fault. Rows without an id are dropped: the client reads each
/// missing instance alone.
fn read_lookup(response: &HttpResponse, with_details: bool) -> Result<Vec<Observation>, Fault> {
    Ok(complete_list(response, with_details)?.observations)
}

/// Reads the row of the only requested instance. A row without an id may be the row of the
/// instance, so the row is a fault.
fn read_single_lookup(
    response: &HttpResponse,
    with_details: bool,
) -> Result<Vec<Observation>, Fault> {
    let page = complete_list(response, with_details)?;
    if page.unidentified > 0 {
        return Err(response.unreadable("the row has no instance id"));
    }
    Ok(page.observations)
}

fn complete_list(response: &HttpResponse, with_details: bool) -> Result<ListPage, Fault> {
    let page = InstanceList::read(response)?.page(response, with_details)?;
    if page.total.is_some_and(|total| total > page.rows()) {
        return Err(response.unreadable("the list has fewer rows than instances"));
    }
    Ok(page)
}

/// Reads a page of the list.
///
/// The command line of Zenlayer ends at a page that is not full, despite the total. The cloud may
/// send fewer rows than requested, so a short page is the last page only if the total is reached.
fn read_page(
    response: &HttpResponse,
    with_details: bool,
    number: usize,
) -> Result<ListPage, Fault> {
    let page = InstanceList::read(response)?.page(response, with_details)?;
    let token = PageToken::new(number.saturating_add(1).to_string());
    let next = match page.rows() {
        0 => NextPage::End,
        PAGE_SIZE.. => NextPage::Expected(token),
        _ => NextPage::Possible(token),
    };
    Ok(page.with_next(next).with_numbered_pages())
}

/// Reads the fields of `response` in a body, or, as on an older vendor page, the fields of the body
/// with the name `field` at the top level.
pub(crate) fn read_body<T: DeserializeOwned>(
    response: &HttpResponse,
    field: &str,
) -> Result<T, Fault> {
    // One pass over a large page: almost every body has this form.
    if let Ok(text) = str::from_utf8(response.body())
        && let Ok(LenientObject(Some(envelope))) = serde_json::from_str(text)
        && let Envelope {
            response: LenientObject(Some(fields)),
        } = envelope
    {
        return Ok(fields);
    }
    let unreadable = |error: serde_json::Error| response.unreadable(&error.to_string());
    let body: BTreeMap<String, &RawValue> =
        serde_json::from_slice(response.body()).map_err(unreadable)?;
    match body.get("response") {
        Some(fields) if fields.get().starts_with('{') => {
            serde_json::from_str(fields.get()).map_err(unreadable)
        }
        None if body.contains_key(field) => response.json(),
        _ => Err(response.unreadable("it has no field response")),
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    response: LenientObject<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PowerBody {
    #[serde(default)]
    request_id: LenientText,
    instance_ids: Option<Vec<LenientId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceList {
    #[serde(default)]
    total_count: LenientField<usize>,
    data_set: Option<Vec<LenientObject<Instance>>>,
}

impl InstanceList {
    fn read(response: &HttpResponse) -> Result<Self, Fault> {
        read_body(response, "dataSet")
    }

    /// Returns the rows and the total. The list may be missing only if the total is 0.
    fn page(self, response: &HttpResponse, with_details: bool) -> Result<ListPage, Fault> {
        let rows = match (self.data_set, self.total_count.0) {
            (Some(rows), _) => rows,
            (None, Some(0)) => Vec::new(),
            (None, _) => return Err(response.unreadable("it has no list of instances")),
        };
        let rows = rows
            .into_iter()
            .map(|row| row.0.and_then(Instance::observation));
        let page = match with_details {
            true => ListPage::from_rows(rows, details::read(response)),
            false => rows.collect(),
        };
        Ok(page.with_total(self.total_count.0))
    }
}

/// A row of `DescribeInstances`, with `status`, or of `DescribeInstancesStatus`, with
/// `instanceStatus`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    #[serde(default)]
    instance_id: LenientField<LenientId>,
    #[serde(default)]
    instance_name: LenientField<String>,
    #[serde(default)]
    instance_status: LenientField<String>,
    #[serde(default)]
    status: LenientField<String>,
}

impl Instance {
    fn observation(self) -> Option<Observation> {
        let id = self.instance_id.0?.0?;
        let raw = self.instance_status.0.or(self.status.0).unwrap_or_default();
        let mut observation = Observation::new(id, power_state(&raw), raw);
        observation.name = self.instance_name.0.filter(|name| !name.is_empty());
        Some(observation)
    }
}

/// Maps the values in the tables of the vendor pages, and the values in the text of the pages or in the
/// Terraform provider: `STARTING` (in the tables `BOOTING`), `RECYCLED` (in the tables `RECYCLE`),
/// `PENDING` and `REINSTALL_FAILED`.
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
