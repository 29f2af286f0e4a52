//! Requests and answers in the cloud's own words.

use http::Method;
use lifecycle_core::{
    Action, ApiCall, UnsignedRequest, Fault, FaultKind, InstanceId, Observation, ListPage, PageToken, PowerState,
    BatchAck, HttpResponse, ResponseExt,
};
use serde::{Deserialize, Serialize};

use crate::{PROFILE, fault};

// Which operation, method, path and body does each action have?
// What happens when an option is left out? Say what is wanted each time: a default may be a forced stop.
// What does a good answer hold: nothing, the failed ids, the accepted ids, a job?
// Does one bad id spoil the whole batch, and does the cloud have acted all the same?
pub(crate) fn act(action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
    PROFILE.check_batch(action, ids.len())?;
    let (operation, force) = match action {
        Action::Start(_) => ("start", None),
        Action::Stop(stop) => ("stop", Some(stop.mode.is_forced())),
        Action::Reboot(reboot) => ("reboot", Some(reboot.mode.is_forced())),
        _ => return Err(Fault::new(FaultKind::Unsupported, "no such action")),
    };
    let draft = post(operation, &Asked { ids, force })?;
    Ok(ApiCall::new(draft, read_receipt))
}

// How are many instances read at once? Is a row left out for an id that there is not, or is it an error?
pub(crate) fn observe(ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    let draft = post("observe", &Asked { ids, force: None })?;
    Ok(ApiCall::new(draft, |reply| {
        let rows: Rows = reply.json()?;
        observations(&rows, reply)
    }))
}

// How are pages asked for: by token, by marker, by number? How is the last one known?
pub(crate) fn list(page: Option<&PageToken>) -> ApiCall<ListPage> {
    let draft = UnsignedRequest::new("list", Method::GET, "/v1/instances");
    let draft = match page {
        Some(token) => draft.with_query(format!(
            "page={}",
            lifecycle_core::encode::percent(token.as_str())
        )),
        None => draft,
    };
    ApiCall::new(draft, |reply| {
        let rows: Rows = reply.json()?;
        Ok(ListPage {
            observations: observations(&rows, reply)?,
            next: rows.next.map(PageToken::new),
        })
    })
}

fn post(operation: &'static str, asked: &Asked<'_>) -> Result<UnsignedRequest, Fault> {
    let body = serde_json::to_vec(asked)
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let path = format!("/v1/instances/{operation}");
    Ok(UnsignedRequest::new(operation, Method::POST, path).with_body(body))
}

#[derive(Serialize)]
struct Asked<'a> {
    #[serde(serialize_with = "texts")]
    ids: &'a [InstanceId],
    #[serde(skip_serializing_if = "Option::is_none")]
    force: Option<bool>,
}

fn texts<S: serde::Serializer>(ids: &[InstanceId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(InstanceId::as_str))
}

#[derive(Deserialize)]
struct Refusals {
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    id: String,
    code: String,
}

fn read_receipt(reply: &HttpResponse) -> Result<BatchAck, Fault> {
    let answer: Refusals = reply.json()?;
    let refused = answer.refused.into_iter().map(|row| {
        let id = id(&row.id, reply)?;
        Ok((id, fault::coded(reply, row.code, String::new())))
    });
    let refused: Vec<_> = refused.collect::<Result<_, Fault>>()?;
    if refused.is_empty() {
        return Ok(BatchAck::All);
    }
    Ok(BatchAck::Except(refused))
}

#[derive(Deserialize)]
struct Rows {
    instances: Vec<Row>,
    next: Option<String>,
}

// Which fields can be missing or null? Does one tell the time of the last start, or a lock?
#[derive(Deserialize)]
struct Row {
    id: String,
    state: String,
}

fn observations(rows: &Rows, reply: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    let rows = rows.instances.iter();
    rows.map(|row| {
        let state = power_state(&row.state);
        Ok(Observation::new(id(&row.id, reply)?, state, &*row.state))
    })
    .collect()
}

fn id(text: &str, reply: &HttpResponse) -> Result<InstanceId, Fault> {
    InstanceId::new(text).map_err(|error| reply.unreadable(&error.to_string()))
}

// Which words are there, and which did the vendor add later? What does a reboot look like?
// A word that is not known stays readable in `Observation::raw`; decoding never fails on it.
fn power_state(word: &str) -> PowerState {
    match word {
        "running" => PowerState::Running,
        "stopped" => PowerState::Stopped,
        "starting" => PowerState::Starting,
        "stopping" => PowerState::Stopping,
        "rebooting" => PowerState::Rebooting,
        _ => PowerState::Unknown,
    }
}
