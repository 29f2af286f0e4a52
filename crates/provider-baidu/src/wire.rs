//! The requests and responses of Baidu BCC.

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, LenientField,
    LenientObject, ListPage, Observation, PageToken, PowerState, ResponseExt, UnsignedRequest,
    encode,
};
use serde::Deserialize;

use crate::PROFILE;

/// Returns the call for an action: the call of one instance, or the batch call for several instances.
///
/// Start: <https://cloud.baidu.com/doc/BCC/s/Mjwvyobl0>,
/// stop: <https://cloud.baidu.com/doc/BCC/s/Tjwvyobwq>,
/// reboot: <https://cloud.baidu.com/doc/BCC/s/vjwvyoa62>.
/// The batch reboot has no page; the SDKs of Baidu have the call since March 2026.
pub(crate) fn act(action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
    PROFILE.check_batch(action, ids.len())?;
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
    Ok(ApiCall::new(request.with_query(query), read))
}

/// Returns the call that reads one instance (<https://cloud.baidu.com/doc/BCC/s/sjwvyoeqr>) or
/// several instances (<https://cloud.baidu.com/doc/BCC/s/Kksyfijrw>).
pub(crate) fn observe(ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    if let [id] = ids {
        let request = UnsignedRequest::new("GetInstance", Method::GET, instance_path(id));
        return Ok(ApiCall::new(request, read_one));
    }
    let path = "/v2/instance/listByInstanceId";
    let request = UnsignedRequest::new("ListInstanceByInstanceIds", Method::POST, path)
        .with_query(format!("maxKeys={}", PROFILE.batch_limits.observe))
        .with_body(json_object(ids, &[]));
    Ok(ApiCall::new(request, read_many))
}

/// Returns the call that lists a page of up to 1000 instances, the maximum
/// (<https://cloud.baidu.com/doc/BCC/s/Xjwvyodmx>). The token is the marker of Baidu.
pub(crate) fn list(page: Option<&PageToken>) -> ApiCall<ListPage> {
    let query = match page {
        None => "maxKeys=1000".to_owned(),
        Some(marker) => format!("marker={}&maxKeys=1000", encode::percent(marker.as_str())),
    };
    let request =
        UnsignedRequest::new("ListInstances", Method::GET, "/v2/instance").with_query(query);
    ApiCall::new(request, read_page)
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

/// Reads an empty body, or an object with an optional list of failed ids.
///
/// According to the pages of Baidu, a batch is rejected as a whole. The list of failed ids has no
/// reasons, so the cloud may have executed the action on a failed instance.
/// Reads the response to a batch. An empty body is a success in the documentation, and what remains of
/// a list of failed instances without the body.
fn read_batch_power(response: &HttpResponse) -> Result<BatchAck, Fault> {
    match response.body().trim_ascii() {
        [] => Ok(BatchAck::Unlisted),
        _ => read_power(response),
    }
}

fn read_power(response: &HttpResponse) -> Result<BatchAck, Fault> {
    if response.body().trim_ascii().is_empty() {
        return Ok(BatchAck::All);
    }
    let body: PowerBody = response.json()?;
    let failed = body.failed_instance_id_list.unwrap_or_default();
    BatchAck::without_failed(&failed, response, crate::fault::request_id(response))
}

fn read_one(response: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    let body: InstanceBody = response.json()?;
    match body.instance.0.and_then(Instance::observation) {
        Some(observation) => Ok(vec![observation]),
        None => Err(response.unreadable("it has no instance")),
    }
}

/// Reads the rows of several instances. An instance without a row is unknown to the cloud, so an
/// incomplete list is a fault.
fn read_many(response: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    let list: InstanceList = response.json()?;
    if list.is_truncated.0 == Some(true) {
        return Err(response.unreadable("the list is incomplete"));
    }
    list.observations(response)
}

fn read_page(response: &HttpResponse) -> Result<ListPage, Fault> {
    let list: InstanceList = response.json()?;
    let next = list.next();
    Ok(ListPage::new(list.observations(response)?).with_next(next))
}

/// `BatchOperationResp` in the Go SDK of Baidu, since December 2025.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PowerBody {
    failed_instance_id_list: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct InstanceBody {
    #[serde(default)]
    instance: LenientField<Instance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceList {
    #[serde(default)]
    is_truncated: LenientField<bool>,
    #[serde(default)]
    next_marker: LenientField<String>,
    instances: Option<Vec<LenientObject<Instance>>>,
}

impl InstanceList {
    /// Returns the token of the next page. The last page is not truncated, or has no marker or an
    /// empty marker, as the command line of Baidu reads the list.
    fn next(&self) -> Option<PageToken> {
        let marker = self.next_marker.0.as_deref().filter(|m| !m.is_empty())?;
        (self.is_truncated.0 != Some(false)).then(|| PageToken::new(marker))
    }

    /// Returns the rows with an instance id.
    fn observations(self, response: &HttpResponse) -> Result<Vec<Observation>, Fault> {
        if self.instances.is_none() && self.is_truncated.0.is_none() {
            return Err(response.unreadable("it has no list of instances"));
        }
        let rows = self.instances.unwrap_or_default().into_iter();
        Ok(rows
            .filter_map(|row| row.0.and_then(Instance::observation))
            .collect())
    }
}

/// <https://cloud.baidu.com/doc/BCC/s/6jwvyo0q2>
#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    id: LenientField<String>,
    #[serde(default)]
    name: LenientField<String>,
    #[serde(default)]
    status: LenientField<String>,
}

impl Instance {
    fn observation(self) -> Option<Observation> {
        let id = InstanceId::new(&self.id.0?).ok()?;
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
