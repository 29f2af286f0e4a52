//! The requests and responses of Baidu BCC.

use std::collections::BTreeMap;

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceFilter, InstanceId,
    LenientField, LenientId, LenientObject, LenientText, ListPage, ListQuery, NextPage,
    Observation, PageToken, PowerState, Profile, ResponseExt, UnsignedRequest, encode,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::{PROFILE, details, fault::REQUEST_ID, filter};

/// Returns the call for an action: the call of one instance, or the batch call for several instances.
///
/// Start: <https://cloud.baidu.com/doc/BCC/s/Mjwvyobl0>,
/// stop: <https://cloud.baidu.com/doc/BCC/s/Tjwvyobwq>,
/// reboot: <https://cloud.baidu.com/doc/BCC/s/vjwvyoa62>.
/// The batch reboot has no page, so the limit in `profile` is one instance by default.
pub(crate) fn act(
    action: &Action,
    ids: &[InstanceId],
    profile: &Profile,
) -> Result<ApiCall<BatchAck>, Fault> {
    profile.check_batch(action, ids.len())?;
    let (single, batch, query, flags) = match action {
        Action::Start(_) => ("StartInstance", "BatchStartInstance", "start", vec![]),
        Action::Stop(stop) => {
            let flags = vec![
                ("forceStop", stop.mode.is_forced()),
                ("stopWithNoCharge", stop.billing.is_release()),
            ];
            ("StopInstance", "BatchStopInstance", "stop", flags)
        }
        Action::Reboot(reboot) => {
            let flags = vec![("forceStop", reboot.mode.is_forced())];
            ("RebootInstance", "BatchRebootInstance", "reboot", flags)
        }
        _ => return Err(unsupported("this action")),
    };
    let request = match ids {
        [id] if flags.is_empty() => UnsignedRequest::new(single, Method::PUT, instance_path(id)),
        [id] => UnsignedRequest::new(single, Method::PUT, instance_path(id))
            .with_body(json_object(&[], &flags)),
        _ => UnsignedRequest::new(batch, Method::PUT, "/v2/instance/batchAction")
            .with_body(json_object(ids, &flags)),
    };
    let read = match ids {
        [_] => read_power,
        _ => read_batch_power,
    };
    let call = ApiCall::new(request.with_query(query), read);
    Ok(match (action, ids) {
        (Action::Reboot(_), [_, _, ..]) => call.with_refined_faults(undocumented_call),
        _ => call,
    })
}

/// Returns the fault of the batch reboot, which no page documents: `BadRequest` can mean that the cloud does
/// not know the call. The client sends the call of one instance then, after a proof that no instance moved.
fn undocumented_call(fault: Fault) -> Fault {
    match fault.code() {
        Some("BadRequest") => fault.with_kind(FaultKind::Unsupported),
        _ => fault,
    }
}

/// Returns the call that reads one instance (<https://cloud.baidu.com/doc/BCC/s/sjwvyoeqr>) or
/// several instances (<https://cloud.baidu.com/doc/BCC/s/Kksyfijrw>).
pub(crate) fn observe(ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    if let [id] = ids {
        return Ok(one(id, false));
    }
    let path = "/v2/instance/listByInstanceId";
    let request = UnsignedRequest::new("ListInstanceByInstanceIds", Method::POST, path)
        .with_query(format!("maxKeys={}", PROFILE.batch_limits.observe))
        .with_body(json_object(ids, &[]));
    Ok(ApiCall::new(request, |response| read_many(response, false)))
}

/// Returns the call that reads states and details. Several instances are a list with these ids: the rows
/// of `listByInstanceId` have no `spec` (`baiducloud-python-sdk-bcc` 0.0.9).
pub(crate) fn describe(ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    if let [id] = ids {
        return Ok(one(id, true));
    }
    let mut filter = InstanceFilter::default();
    filter.instances = ids.to_vec();
    Ok(ApiCall::new(list_request(&filter, None), |response| {
        read_many(response, true)
    }))
}

fn one(id: &InstanceId, with_details: bool) -> ApiCall<Vec<Observation>> {
    let request = UnsignedRequest::new("GetInstance", Method::GET, instance_path(id));
    ApiCall::new(request, move |response| read_one(response, with_details))
}

/// Returns the call that lists a page of up to 1000 instances, the maximum. The token is the marker of
/// Baidu.
pub(crate) fn list(query: &ListQuery, page: Option<&PageToken>) -> ApiCall<ListPage> {
    let with_details = query.needs_details();
    ApiCall::new(list_request(&query.filter, page), move |response| {
        read_page(response, with_details)
    })
}

/// Returns the request of a list: <https://cloud.baidu.com/doc/BCC/s/Xjwvyodmx>.
fn list_request(filter: &InstanceFilter, page: Option<&PageToken>) -> UnsignedRequest {
    let mut query = match page {
        None => "maxKeys=1000".to_owned(),
        Some(marker) => format!("marker={}&maxKeys=1000", encode::percent(marker.as_str())),
    };
    query += &filter::parameters(filter);
    UnsignedRequest::new("ListInstances", Method::GET, "/v2/instance").with_query(query)
}

fn instance_path(id: &InstanceId) -> String {
    format!("/v2/instance/{id}")
}

/// Returns a JSON object with the ids, if any, and the flags.
///
/// Ids need no escapes. `serde_json` searches for characters to escape and needs more time for 100
/// ids than the signature.
fn json_object(ids: &[InstanceId], flags: &[(&str, bool)]) -> String {
    let mut json = String::with_capacity(64 + 16 * ids.len());
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
    for (name, value) in flags {
        let separator = if json.len() > 1 { "," } else { "" };
        json.extend([
            separator,
            "\"",
            name,
            "\":",
            if *value { "true" } else { "false" },
        ]);
    }
    json.push('}');
    json
}

fn unsupported(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("{} does not support {what}", PROFILE.title),
    )
}

/// Reads the response to a batch. An empty body is a success in the documentation, and what remains of
/// a list of failed instances without the body. An empty object says no more.
fn read_batch_power(response: &HttpResponse) -> Result<BatchAck, Fault> {
    let fields: Option<BTreeMap<String, IgnoredAny>> = response.json().ok();
    let is_empty = response.body().trim_ascii().is_empty();
    match is_empty || fields.is_some_and(|fields| fields.is_empty()) {
        true => Ok(BatchAck::Unlisted),
        false => read_power(response),
    }
}

/// Reads an empty body, or an object with an optional list of failed ids.
///
/// According to the pages of Baidu, a batch is rejected as a whole. The list of failed ids has no
/// reasons, so the cloud may have executed the action on a failed instance.
fn read_power(response: &HttpResponse) -> Result<BatchAck, Fault> {
    if response.body().trim_ascii().is_empty() {
        return Ok(BatchAck::All);
    }
    let fields: BTreeMap<String, IgnoredAny> = response.json()?;
    let is_own = fields.is_empty()
        || response.header(REQUEST_ID).is_some()
        || ["requestId", "failedInstanceIdList"]
            .iter()
            .any(|name| fields.contains_key(*name));
    if !is_own {
        return Err(response.unreadable("it has no field of Baidu"));
    }
    let body: PowerBody = response.json()?;
    let failed = body.failed_instance_id_list.unwrap_or_default();
    let failed: Vec<String> = failed
        .into_iter()
        .map(|id| id.0.map(|id| id.to_string()).unwrap_or_default())
        .collect();
    BatchAck::without_failed(&failed, response, crate::fault::request_id(response))
}

fn read_one(response: &HttpResponse, with_details: bool) -> Result<Vec<Observation>, Fault> {
    let body: InstanceBody = response.json()?;
    let Some(observation) = body.instance.0.and_then(Instance::observation) else {
        return Err(response.unreadable("it has no instance"));
    };
    Ok(vec![match with_details {
        true => observation.with_details(details::of_instance(response)),
        false => observation,
    }])
}

/// Reads the rows of several instances. An instance without a row is unknown to the cloud, so an
/// incomplete list is a fault.
fn read_many(response: &HttpResponse, with_details: bool) -> Result<Vec<Observation>, Fault> {
    let page = read_page(response, with_details)?;
    match page.next {
        NextPage::End => Ok(page.observations),
        _ => Err(response.unreadable("the list is incomplete")),
    }
}

fn read_page(response: &HttpResponse, with_details: bool) -> Result<ListPage, Fault> {
    let list: InstanceList = response.json()?;
    let next = list.next(response)?;
    if list.instances.is_none() && list.is_truncated.is_none() {
        return Err(response.unreadable("it has no list of instances"));
    }
    let rows = list.instances.unwrap_or_default().into_iter();
    let rows = rows.map(|row| row.0.and_then(Instance::observation));
    let page = match with_details {
        true => ListPage::from_rows(rows, details::of_list(response)),
        false => rows.collect(),
    };
    Ok(page.with_next(next))
}

/// `BatchOperationResp` in the Go SDK of Baidu, since December 2025.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PowerBody {
    failed_instance_id_list: Option<Vec<LenientId>>,
}

#[derive(Deserialize)]
struct InstanceBody {
    #[serde(default)]
    instance: LenientObject<Instance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceList {
    is_truncated: Option<Value>,
    #[serde(default)]
    next_marker: LenientField<LenientText>,
    instances: Option<Vec<LenientObject<Instance>>>,
}

impl InstanceList {
    /// Returns the position of the next page. The last page is not truncated. Without `isTruncated`,
    /// the last page has no marker or an empty marker, as the command line of Baidu reads the list.
    fn next(&self, response: &HttpResponse) -> Result<NextPage, Fault> {
        let marker = self.next_marker.0.as_ref();
        let marker = marker.and_then(|marker| marker.0.as_deref());
        let named = marker.map(|marker| NextPage::Named(PageToken::new(marker)));
        Ok(match &self.is_truncated {
            None => named.unwrap_or(NextPage::End),
            Some(Value::Bool(false)) => NextPage::End,
            Some(Value::Bool(true)) => named.unwrap_or(NextPage::Unnamed),
            Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => NextPage::End,
            Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => {
                named.unwrap_or(NextPage::Unnamed)
            }
            Some(_) => {
                named.ok_or_else(|| response.unreadable("isTruncated is not true or false"))?
            }
        })
    }
}

/// <https://cloud.baidu.com/doc/BCC/s/6jwvyo0q2>
#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    id: LenientField<LenientId>,
    #[serde(default)]
    name: LenientField<String>,
    #[serde(default)]
    status: LenientField<String>,
}

impl Instance {
    fn observation(self) -> Option<Observation> {
        let id = self.id.0?.0?;
        let raw = self.status.0.unwrap_or_default();
        let mut observation = Observation::new(id, power_state(&raw), raw);
        observation.name = self.name.0.filter(|name| !name.is_empty());
        Some(observation)
    }
}

/// Maps the values of the Go SDK of Baidu (`services/bcc/model_instance_status.go`). An instance that
/// the cloud creates or reboots has the status `Starting`.
fn power_state(status: &str) -> PowerState {
    match status {
        "Starting" => PowerState::Starting,
        "Running" => PowerState::Running,
        "Stopping" => PowerState::Stopping,
        "Stopped" => PowerState::Stopped,
        "Expired" => PowerState::Expired,
        "Error" => PowerState::Failed,
        "Recycled" => PowerState::Recycled,
        "Deleted" => PowerState::Deleted,
        "Scaling" | "SnapshotProcessing" | "ImageProcessing" | "ChangeVpc" | "ChangeSubnet"
        | "Recharging" | "BillingChanging" | "VolumeResizing" | "AttachingPort"
        | "DetachingPort" | "Moving" => PowerState::Changing,
        _ => PowerState::Unknown,
    }
}

#[cfg(test)]
mod tests;
