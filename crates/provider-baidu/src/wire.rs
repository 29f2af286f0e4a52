//! Baidu's requests and answers, in its own words.

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceId, LenientField,
    LenientObject, ListPage, Observation, PageToken, PowerState, ResponseExt, UnsignedRequest,
    encode,
};
use serde::Deserialize;

use crate::PROFILE;

/// One instance goes by its own address, several by the batch call.
///
/// Start: <https://cloud.baidu.com/doc/BCC/s/Mjwvyobl0>,
/// stop: <https://cloud.baidu.com/doc/BCC/s/Tjwvyobwq>,
/// reboot: <https://cloud.baidu.com/doc/BCC/s/vjwvyoa62>.
/// The batch reboot has no page; Baidu's SDKs have it since March 2026.
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
    let draft = match ids {
        [id] if flags.is_empty() => UnsignedRequest::new(single, Method::PUT, instance_path(id)),
        [id] => UnsignedRequest::new(single, Method::PUT, instance_path(id))
            .with_body(json_object(&[], &flags)),
        _ => UnsignedRequest::new(batch, Method::PUT, "/v2/instance/batchAction")
            .with_body(json_object(ids, &flags)),
    };
    Ok(ApiCall::new(draft.with_query(query), read_power))
}

/// One instance: <https://cloud.baidu.com/doc/BCC/s/sjwvyoeqr>,
/// several: <https://cloud.baidu.com/doc/BCC/s/Kksyfijrw>.
pub(crate) fn observe(ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    if let [id] = ids {
        let draft = UnsignedRequest::new("GetInstance", Method::GET, instance_path(id));
        return Ok(ApiCall::new(draft, read_one));
    }
    let path = "/v2/instance/listByInstanceId";
    let draft = UnsignedRequest::new("ListInstanceByInstanceIds", Method::POST, path)
        .with_query(format!("maxKeys={}", PROFILE.batch_limits.observe))
        .with_body(json_object(ids, &[]));
    Ok(ApiCall::new(draft, read_many))
}

/// A page of up to 1000 instances, the most that is usual:
/// <https://cloud.baidu.com/doc/BCC/s/Xjwvyodmx>. The token is Baidu's marker.
pub(crate) fn list(page: Option<&PageToken>) -> ApiCall<ListPage> {
    let query = match page {
        None => "maxKeys=1000".to_owned(),
        Some(marker) => format!("marker={}&maxKeys=1000", encode::percent(marker.as_str())),
    };
    let draft =
        UnsignedRequest::new("ListInstances", Method::GET, "/v2/instance").with_query(query);
    ApiCall::new(draft, read_page)
}

fn instance_path(id: &InstanceId) -> String {
    format!("/v2/instance/{id}")
}

/// The ids, where there are any, and the flags. Written out because ids need no escaping:
/// `serde_json`, which looks for something to escape, takes longer over a hundred ids than the
/// whole signature does.
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
        format!("{} does not know {what}", PROFILE.title),
    )
}

/// Nothing, an object without failed ids, or one with some. Baidu gives no reason for a failed
/// one, and its documents say that such a batch is refused as a whole; so whether the action was
/// begun on it is open, and the fault says so.
fn read_power(reply: &HttpResponse) -> Result<BatchAck, Fault> {
    if reply.body().trim_ascii().is_empty() {
        return Ok(BatchAck::All);
    }
    let answer: PowerAnswer = reply.json()?;
    let failed = answer.failed_instance_id_list.unwrap_or_default();
    BatchAck::without_failed(&failed, reply, crate::fault::request_id(reply))
}

fn read_one(reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    let answer: InstanceAnswer = reply.json()?;
    match answer.instance.0.and_then(Instance::observation) {
        Some(observation) => Ok(vec![observation]),
        None => Err(reply.unreadable("it describes no instance")),
    }
}

/// An instance without a row counts as unknown to the cloud, so a list that is cut short must not
/// pass for the whole one.
fn read_many(reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    let answer: InstanceList = reply.json()?;
    if answer.is_truncated.0 == Some(true) {
        return Err(reply.unreadable("it is the first of several pages"));
    }
    answer.observations(reply)
}

fn read_page(reply: &HttpResponse) -> Result<ListPage, Fault> {
    let answer: InstanceList = reply.json()?;
    let next = answer.next();
    Ok(ListPage::new(answer.observations(reply)?).with_next(next))
}

/// In Baidu's Go SDK since December 2025: `BatchOperationResp`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PowerAnswer {
    failed_instance_id_list: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct InstanceAnswer {
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
    /// The last page is not truncated and has no next marker. Baidu's command line takes an empty
    /// marker for the end too.
    fn next(&self) -> Option<PageToken> {
        let marker = self.next_marker.0.as_deref().filter(|m| !m.is_empty())?;
        (self.is_truncated.0 != Some(false)).then(|| PageToken::new(marker))
    }

    /// The rows that name an instance.
    fn observations(self, reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
        if self.instances.is_none() && self.is_truncated.0.is_none() {
            return Err(reply.unreadable("it is no list of instances"));
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

/// The values of Baidu's Go SDK (`services/bcc/model_instance_status.go`). There is none for
/// creating or rebooting: both show `Starting`.
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
