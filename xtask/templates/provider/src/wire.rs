//! Requests and responses of the cloud.
//!
//! A template: the code talks to an invented API. The vendor's documentation must answer each `//`
//! question. Replace the question by the answer.

use std::collections::BTreeMap;

use http::Method;
use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, FaultKind, HttpResponse, InstanceDetails, InstanceFilter,
    InstanceId, LenientField, LenientText, ListPage, ListQuery, NextPage, Observation, PageToken,
    PowerState, Region, ResponseExt, Tag, UnsignedRequest, encode,
};
use serde::{Deserialize, Serialize};

use crate::{PROFILE, fault};

// Which operation, method, path and body does each action have?
// What is the default of each option? Send every option each time: a default may be a forced stop.
// What does a response without an error hold: nothing, the refused IDs, the accepted IDs, or
// the ID of a job to poll?
// Does one invalid ID fail the whole batch? Can the cloud execute a part of a failed batch?
/// Builds the call for a power action on a batch.
pub(crate) fn act(action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
    PROFILE.check_batch(action, ids.len())?;
    let (operation, force, release) = match action {
        Action::Start(_) => ("start", None, None),
        Action::Stop(stop) => {
            let release = stop.billing.is_release();
            ("stop", Some(stop.mode.is_forced()), Some(release))
        }
        Action::Reboot(reboot) => ("reboot", Some(reboot.mode.is_forced()), None),
        _ => return Err(Fault::new(FaultKind::Unsupported, "unsupported action")),
    };
    let body = RequestBody {
        ids,
        force,
        release,
    };
    let request = post(operation, &body)?;
    Ok(ApiCall::new(request, read_ack))
}

// How can one call read several instances? Is an unknown ID left out of the response, or
// is an unknown ID an error?
// Does the response have the details: tags, zone, type, addresses? If not, which call has the details?
/// Builds the call that reads the states of `ids`, and the details if requested.
pub(crate) fn observe(
    ids: &[InstanceId],
    with_details: bool,
) -> Result<ApiCall<Vec<Observation>>, Fault> {
    PROFILE.check_observe(ids.len())?;
    let body = RequestBody {
        ids,
        force: None,
        release: None,
    };
    let request = post("observe", &body)?;
    Ok(ApiCall::new(request, move |response| {
        let body: InstancesResponse = response.json()?;
        observations(&body, response, with_details)
    }))
}

// How does a request select a page: by token, by marker, by number? How is the last page marked?
// Can a query be impossible, such as a page token that is not a number? Return a `Fault` of kind `Invalid`.
// Can the cloud send fewer rows than requested? Does a response have the number of all instances?
/// Builds the call that reads one page of the instances of `query`.
pub(crate) fn list(
    query: &ListQuery,
    page: Option<&PageToken>,
) -> Result<ApiCall<ListPage>, Fault> {
    let mut parameters = conditions(&query.filter);
    if let Some(token) = page {
        parameters.push(format!("page={}", encode::percent(token.as_str())));
    }
    let request = UnsignedRequest::new("list", Method::GET, "/v1/instances");
    let request = request.with_query(parameters.join("&"));
    let with_details = query.needs_details();
    Ok(ApiCall::new(request, move |response| {
        let body: InstancesResponse = response.json()?;
        let page = ListPage::new(observations(&body, response, with_details)?);
        let named = |token| NextPage::Named(PageToken::new(token));
        Ok(page.with_next(body.next.map_or(NextPage::End, named)))
    }))
}

// Which conditions can the cloud apply, and how are several values combined? `FilterSupport` in the
// profile must agree. The cloud must return every match: leave out a condition that a parameter cannot
// express, and every condition that excludes a tag. The client applies all conditions.
/// Returns the parameters of `filter`, percent-encoded.
fn conditions(filter: &InstanceFilter) -> Vec<String> {
    match filter.zones.as_slice() {
        [zone] => vec![format!("zone={}", encode::percent(zone))],
        _ => Vec::new(),
    }
}

// Which call lists the regions, and which permission does the call need? Does the response show the
// regions that the key cannot use? A cloud with one endpoint for all regions has no such call.
/// Builds the call that reads all regions.
pub(crate) fn regions() -> ApiCall<Vec<Region>> {
    let request = UnsignedRequest::new("regions", Method::GET, "/v1/regions");
    ApiCall::new(request, |response| {
        let body: RegionsResponse = response.json()?;
        Ok(body.regions.into_iter().map(Region::new).collect())
    })
}

fn post(operation: &'static str, body: &RequestBody<'_>) -> Result<UnsignedRequest, Fault> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let path = format!("/v1/instances/{operation}");
    Ok(UnsignedRequest::new(operation, Method::POST, path).with_body(body))
}

#[derive(Serialize)]
struct RequestBody<'a> {
    #[serde(serialize_with = "serialize_ids")]
    ids: &'a [InstanceId],
    #[serde(skip_serializing_if = "Option::is_none")]
    force: Option<bool>,
    /// Stops billing of the stopped instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<bool>,
}

fn serialize_ids<S: serde::Serializer>(ids: &[InstanceId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(InstanceId::as_str))
}

#[derive(Deserialize)]
struct ActionResponse {
    refused: Vec<RefusedRow>,
}

#[derive(Deserialize)]
struct RefusedRow {
    id: String,
    code: String,
}

/// Reads which instances of a batch the cloud refused.
fn read_ack(response: &HttpResponse) -> Result<BatchAck, Fault> {
    let body: ActionResponse = response.json()?;
    let refused = body.refused.into_iter().map(|row| {
        let id = id(&row.id, response)?;
        Ok((id, fault::coded(response, row.code, String::new())))
    });
    let refused: Vec<_> = refused.collect::<Result<_, Fault>>()?;
    if refused.is_empty() {
        return Ok(BatchAck::All);
    }
    Ok(BatchAck::Except(refused))
}

#[derive(Deserialize)]
struct InstancesResponse {
    instances: Vec<InstanceRow>,
    next: Option<String>,
}

// Which fields can be missing or null? Is there a field for the last start time, or for a lock?
// Which reason has a lock (`Observation::with_lock`)? `Security` forbids power actions, `Financial` needs a payment,
// `Recycling` is the recycle bin, and `Other` has the word of the cloud.
#[derive(Deserialize)]
struct InstanceRow {
    id: String,
    state: String,
    #[serde(default)]
    name: LenientText,
    #[serde(default)]
    zone: LenientText,
    #[serde(default)]
    tags: Option<LenientField<BTreeMap<String, String>>>,
}

#[derive(Deserialize)]
struct RegionsResponse {
    regions: Vec<String>,
}

fn observations(
    body: &InstancesResponse,
    response: &HttpResponse,
    with_details: bool,
) -> Result<Vec<Observation>, Fault> {
    let rows = body.instances.iter();
    rows.map(|row| {
        let state = power_state(&row.state);
        let observation = Observation::new(id(&row.id, response)?, state, &*row.state);
        let observation = observation.with_name(row.name.0.clone());
        Ok(observation.with_details(if with_details { row.details() } else { None }))
    })
    .collect()
}

impl InstanceRow {
    // Which field has each detail, and in which form? A detail of another type is left out. A row with
    // unreadable tags has no details: without its tags, a protected instance is not protected.
    fn details(&self) -> Option<InstanceDetails> {
        let mut details = InstanceDetails::default();
        if let Some(tags) = &self.tags {
            let tags = tags.0.as_ref()?.iter();
            details.tags = tags.map(|(key, value)| Tag::new(key.as_str(), value.as_str())).collect();
        }
        details.zone = self.zone.0.as_deref().map(Into::into);
        Some(details)
    }
}

fn id(text: &str, response: &HttpResponse) -> Result<InstanceId, Fault> {
    InstanceId::new(text).map_err(|error| response.unreadable(&error.to_string()))
}

// Which states exist, and which states did the vendor add later? Which states
// does an instance pass through during a reboot?
// Which states have an instance in the recycle bin, an instance whose deletion runs, and an instance that the
// cloud will release (`Recycled`, `Deleted`)? A recycled instance that can be restored is `Recycled`: no power action
// and no waiting helps.
// `Observation::raw` keeps an unknown state as text, so reading never fails on an unknown state.
fn power_state(state: &str) -> PowerState {
    match state {
        "running" => PowerState::Running,
        "stopped" => PowerState::Stopped,
        "starting" => PowerState::Starting,
        "stopping" => PowerState::Stopping,
        "rebooting" => PowerState::Rebooting,
        "creating" => PowerState::Creating,
        "changing" => PowerState::Changing,
        "expired" => PowerState::Expired,
        "recycled" => PowerState::Recycled,
        "broken" => PowerState::Failed,
        _ => PowerState::Unknown,
    }
}
