//! The simulated Baidu operations for start, stop and reboot.

use std::{collections::HashMap, time::Duration};

use lifecycle_core::encode::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    power_operation::{ActionKind, OperationOptions},
    request::{ReceivedRequest, distinct},
    response::{self, Response},
    time::Moment,
};

use super::{
    MAX_IDS,
    api_error::{self, ApiError},
    switches::{BatchFailure, ClientToken, Duplicates, NoCharge, NoIds, PowerBody},
};

/// State that only Baidu has: the client tokens of successful calls.
#[derive(Debug, Default)]
pub(crate) struct OwnState {
    tokens: HashMap<String, ClientTokenUse>,
}

#[derive(Debug)]
struct ClientTokenUse {
    parameters: String,
    used: Moment,
}

/// The lifetime of a client token after the last use. Documented for other calls.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The body of a power call. Every field is optional, and also the body.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PowerRequest {
    instance_ids: Option<Vec<String>>,
    force_stop: bool,
    stop_with_no_charge: bool,
}

impl PowerRequest {
    fn execute(&self, cloud: &mut CloudState, action: ActionKind, index: InstanceIndex) {
        let options = OperationOptions {
            releases_billing: self.stop_with_no_charge,
            ..OperationOptions::default()
        };
        cloud.execute_with(index, action.operation(self.force_stop), options);
    }
}

/// Executes a power action on the instance in the path.
pub(super) fn one(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    action: ActionKind,
    id: &str,
) -> Result<Response, ApiError> {
    let power_request = read_body(request)?;
    let index = cloud
        .find(scope, id)
        .ok_or_else(|| api_error::unknown_ids(cloud, &[id]))?;
    check_free_stop(cloud, action, &power_request)?;
    check(cloud, action, index)?;
    power_request.execute(cloud, action, index);
    let body = match action {
        ActionKind::Reboot => cloud.switches.baidu.power_body,
        _ => PowerBody::Empty,
    };
    Ok(power_response(cloud, &[], body))
}

/// Executes a power action on the instances in the body.
pub(super) fn batch(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    action: ActionKind,
) -> Result<Response, ApiError> {
    let power_request = read_body(request)?;
    let ids = power_request
        .instance_ids
        .as_deref()
        .ok_or(api_error::INAPPROPRIATE_JSON)?;
    let ids = checked_ids(cloud, ids)?;
    let token = request.parameter("clientToken");
    if cloud.was_successful(token.as_deref(), request)? {
        return Ok(succeeded(cloud));
    }
    check_free_stop(cloud, action, &power_request)?;
    let failed = execute_batch(cloud, scope, action, &power_request, &ids)?;
    cloud.record_client_token(token, request);
    if failed.is_empty() {
        return Ok(succeeded(cloud));
    }
    Ok(power_response(cloud, &failed, PowerBody::Object))
}

/// Returns the number of ids in the body, for the ledger.
pub(super) fn named_ids(request: &ReceivedRequest) -> usize {
    read_body(request)
        .ok()
        .and_then(|power_request| power_request.instance_ids)
        .map_or(0, |ids| ids.len())
}

/// Reads the ids of a body with no other fields.
pub(super) fn read_ids(request: &ReceivedRequest) -> Result<Vec<String>, ApiError> {
    read_body(request)?
        .instance_ids
        .ok_or(api_error::INAPPROPRIATE_JSON)
}

/// Executes the action on every instance that allows the action, or on no instance. Returns the
/// other instances.
fn execute_batch<'i>(
    cloud: &mut CloudState,
    scope: RegionScope,
    action: ActionKind,
    power_request: &PowerRequest,
    ids: &[&'i str],
) -> Result<Vec<&'i str>, ApiError> {
    let mut accepted = Vec::with_capacity(ids.len());
    let mut failed = Vec::new();
    let mut unknown = Vec::new();
    let mut first_error = None;
    for id in ids {
        let Some(index) = cloud.find(scope, id) else {
            unknown.push(*id);
            failed.push(*id);
            continue;
        };
        match check(cloud, action, index) {
            Ok(()) => accepted.push(index),
            Err(error) => {
                first_error.get_or_insert(error);
                failed.push(*id);
            }
        }
    }
    if !unknown.is_empty() {
        first_error = Some(api_error::unknown_ids(cloud, &unknown));
    }
    let batch_failure = cloud.switches.baidu.batch_failure;
    if failed.is_empty() || batch_failure != BatchFailure::AllFail {
        for index in accepted {
            power_request.execute(cloud, action, index);
        }
    }
    match first_error {
        Some(error) if batch_failure != BatchFailure::Partial => Err(error),
        _ => Ok(failed),
    }
}

/// Checks whether the instance allows the action. Documented, except locks and missing stock.
fn check(cloud: &CloudState, action: ActionKind, index: InstanceIndex) -> Result<(), ApiError> {
    let state = cloud.actual(index).state;
    match (action, state) {
        (ActionKind::Start, SimulatedState::Stopped)
        | (ActionKind::Stop | ActionKind::Reboot, SimulatedState::Running) => {}
        (ActionKind::Start, SimulatedState::Creating) => return Err(api_error::CREATING),
        (ActionKind::Start, SimulatedState::Expired) => return Err(api_error::EXPIRED),
        (ActionKind::Start, _) => return Err(api_error::NOT_STOPPED),
        (ActionKind::Stop, _) => return Err(api_error::NOT_RUNNING_AT_STOP),
        (ActionKind::Reboot, _) => return Err(api_error::NOT_RUNNING_AT_REBOOT),
    }
    match (cloud.instance(index).impairment, action) {
        (Some(Impairment::Locked | Impairment::Arrears), _) => Err(api_error::LOCKED),
        (Some(Impairment::NoStock), ActionKind::Start) => Err(api_error::no_stock(cloud)),
        _ => Ok(()),
    }
}

fn check_free_stop(
    cloud: &CloudState,
    action: ActionKind,
    power_request: &PowerRequest,
) -> Result<(), ApiError> {
    if action != ActionKind::Stop || !power_request.stop_with_no_charge {
        return Ok(());
    }
    match cloud.switches.baidu.no_charge {
        NoCharge::Possible => Ok(()),
        NoCharge::Prepaid => Err(api_error::FREE_STOP_OF_PREPAID),
        NoCharge::LocalDisk => Err(api_error::FREE_STOP_WITH_LOCAL_DISK),
        NoCharge::Unsupported => Err(api_error::FREE_STOP_OF_TYPE),
    }
}

/// Returns the ids, each once.
fn checked_ids<'i>(cloud: &CloudState, ids: &'i [String]) -> Result<Vec<&'i str>, ApiError> {
    if ids.len() > MAX_IDS {
        return Err(api_error::bad_list(cloud));
    }
    if ids.is_empty() && cloud.switches.baidu.no_ids == NoIds::Refused {
        return Err(api_error::bad_list(cloud));
    }
    let distinct = distinct(ids.iter().map(String::as_str));
    if distinct.len() < ids.len() && cloud.switches.baidu.duplicates == Duplicates::Refused {
        return Err(api_error::BAD_REQUEST);
    }
    Ok(distinct)
}

/// Reads the body of a power call.
fn read_body(request: &ReceivedRequest) -> Result<PowerRequest, ApiError> {
    if request.body.is_empty() {
        return Ok(PowerRequest::default());
    }
    request.json().map_err(|error| {
        if error.is_data() {
            api_error::INAPPROPRIATE_JSON
        } else {
            api_error::MALFORMED_JSON
        }
    })
}

fn succeeded(cloud: &mut CloudState) -> Response {
    let body = cloud.switches.baidu.power_body;
    power_response(cloud, &[], body)
}

/// Returns a successful response: documented as empty; the Go SDK reads the object.
fn power_response(cloud: &mut CloudState, failed: &[&str], body: PowerBody) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct PowerResponse<'a> {
        request_id: &'a str,
        failed_instance_id_list: &'a [&'a str],
    }
    let request_id = cloud.uuid();
    let response = if body == PowerBody::Object {
        let body = PowerResponse {
            request_id: &request_id,
            failed_instance_id_list: failed,
        };
        response::json(200, &body)
    } else {
        response::with_body(200, "application/json", "")
    };
    api_error::with_common_headers(response, &request_id)
}

/// Client tokens. A switch decides whether power calls honour them; the rules are documented for
/// other calls.
impl CloudState {
    /// Reports whether the same call was successful before.
    fn was_successful(
        &self,
        token: Option<&str>,
        request: &ReceivedRequest,
    ) -> Result<bool, ApiError> {
        if self.switches.baidu.client_token == ClientToken::Ignored {
            return Ok(false);
        }
        let Some(token_use) = token.and_then(|token| self.baidu.tokens.get(token)) else {
            return Ok(false);
        };
        if self.now().since(token_use.used) > TOKEN_LIFETIME {
            return Ok(false);
        }
        if token_use.parameters != parameters(request) {
            return Err(api_error::TOKEN_REUSED);
        }
        Ok(true)
    }

    fn record_client_token(&mut self, token: Option<String>, request: &ReceivedRequest) {
        if self.switches.baidu.client_token == ClientToken::Ignored {
            return;
        }
        let Some(token) = token else {
            return;
        };
        let now = self.now();
        let tokens = &mut self.baidu.tokens;
        tokens.retain(|_, token_use| now.since(token_use.used) <= TOKEN_LIFETIME);
        tokens.insert(
            token,
            ClientTokenUse {
                parameters: parameters(request),
                used: now,
            },
        );
    }
}

/// Returns the text that is equal for two equal calls with one token.
fn parameters(request: &ReceivedRequest) -> String {
    let mut whole = format!("{} {}?{}\n", request.method, request.path, request.query).into_bytes();
    whole.extend_from_slice(&request.body);
    sha256_hex(&whole)
}
