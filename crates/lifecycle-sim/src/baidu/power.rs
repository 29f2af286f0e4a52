//! Start, stop and reboot.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use lifecycle_core::encode::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    power_operation::ActionKind,
    request::ReceivedRequest,
    response::{self, Response},
    time::Moment,
};

use super::{
    MOST_IDS,
    api_error::{self, ApiError},
    switches::{BatchFailure, ClientToken, Duplicates, NoCharge, NoIds, PowerBody},
};

/// What Baidu remembers from call to call: the client tokens of good calls.
#[derive(Debug, Default)]
pub(crate) struct OwnState {
    tokens: HashMap<String, ClientTokenUse>,
}

#[derive(Debug)]
struct ClientTokenUse {
    parameters: String,
    used: Moment,
}

/// A client token counts so long after its last use. Documented for other calls.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The body of a power call. Every field may be missing, and the whole body too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PowerRequest {
    instance_ids: Option<Vec<String>>,
    force_stop: bool,
    stop_with_no_charge: bool,
}

/// Acts on the instance named in the path.
pub(super) fn one(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    action: ActionKind,
    id: &str,
) -> Result<Response, ApiError> {
    let power_request = read_order(request)?;
    let index = cloud
        .find(scope, id)
        .ok_or_else(|| api_error::unknown_ids(cloud, &[id]))?;
    check_free_stop(cloud, action, &power_request)?;
    check(cloud, action, index)?;
    cloud.execute(index, action.operation(power_request.force_stop));
    let object =
        action == ActionKind::Reboot && cloud.switches.baidu.power_body == PowerBody::Object;
    Ok(done(cloud, &[], object))
}

/// Acts on the instances named in the body.
pub(super) fn batch(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    action: ActionKind,
) -> Result<Response, ApiError> {
    let power_request = read_order(request)?;
    let ids = power_request
        .instance_ids
        .as_deref()
        .ok_or(api_error::INAPPROPRIATE_JSON)?;
    let ids = distinct(cloud, ids)?;
    let token = request.parameter("clientToken");
    if cloud.replays(token.as_deref(), request)? {
        return Ok(succeeded(cloud));
    }
    check_free_stop(cloud, action, &power_request)?;
    let failed = execute_batch(cloud, scope, action, power_request.force_stop, &ids)?;
    cloud.remember(token, request);
    if failed.is_empty() {
        return Ok(succeeded(cloud));
    }
    Ok(done(cloud, &failed, true))
}

/// How many ids the body names, for the ledger.
pub(super) fn named_ids(request: &ReceivedRequest) -> usize {
    read_order(request)
        .ok()
        .and_then(|power_request| power_request.instance_ids)
        .map_or(0, |ids| ids.len())
}

/// Reads the ids of a body that has nothing else.
pub(super) fn read_ids(request: &ReceivedRequest) -> Result<Vec<String>, ApiError> {
    read_order(request)?
        .instance_ids
        .ok_or(api_error::INAPPROPRIATE_JSON)
}

/// Acts on every instance that allows it, or on none; gives those that do not allow it.
fn execute_batch<'i>(
    cloud: &mut CloudState,
    scope: RegionScope,
    action: ActionKind,
    forced: bool,
    ids: &[&'i str],
) -> Result<Vec<&'i str>, ApiError> {
    let mut fit = Vec::with_capacity(ids.len());
    let mut failed = Vec::new();
    let mut unknown = Vec::new();
    let mut reason = None;
    for id in ids {
        let Some(index) = cloud.find(scope, id) else {
            unknown.push(*id);
            failed.push(*id);
            continue;
        };
        match check(cloud, action, index) {
            Ok(()) => fit.push(index),
            Err(error) => {
                reason.get_or_insert(error);
                failed.push(*id);
            }
        }
    }
    if !unknown.is_empty() {
        reason = Some(api_error::unknown_ids(cloud, &unknown));
    }
    let how = cloud.switches.baidu.batch_failure;
    if failed.is_empty() || how != BatchFailure::Whole {
        for index in fit {
            cloud.execute(index, action.operation(forced));
        }
    }
    match reason {
        Some(error) if how != BatchFailure::Partial => Err(error),
        _ => Ok(failed),
    }
}

/// May the instance be acted on? Documented, but for locks and missing stock.
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

/// The ids, each once.
fn distinct<'i>(cloud: &CloudState, ids: &'i [String]) -> Result<Vec<&'i str>, ApiError> {
    if ids.len() > MOST_IDS {
        return Err(api_error::bad_list(cloud));
    }
    if ids.is_empty() && cloud.switches.baidu.no_ids == NoIds::Refused {
        return Err(api_error::bad_list(cloud));
    }
    let mut seen = HashSet::with_capacity(ids.len());
    let distinct: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| seen.insert(*id))
        .collect();
    if distinct.len() < ids.len() && cloud.switches.baidu.duplicates == Duplicates::Refused {
        return Err(api_error::BAD_REQUEST);
    }
    Ok(distinct)
}

fn read_order(request: &ReceivedRequest) -> Result<PowerRequest, ApiError> {
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
    let object = cloud.switches.baidu.power_body == PowerBody::Object;
    done(cloud, &[], object)
}

/// A good answer: documented as empty; the Go SDK reads the object.
fn done(cloud: &mut CloudState, failed: &[&str], object: bool) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Done<'a> {
        request_id: &'a str,
        failed_instance_id_list: &'a [&'a str],
    }
    let request_id = cloud.uuid();
    let response = if object {
        let body = Done {
            request_id: &request_id,
            failed_instance_id_list: failed,
        };
        response::json(200, &body)
    } else {
        response::with_body(200, "application/json", "")
    };
    api_error::with_common_headers(response, &request_id)
}

/// Client tokens. Whether power calls honour them is a switch; how is documented for other calls.
impl CloudState {
    /// Was this very call answered before?
    fn replays(&self, token: Option<&str>, request: &ReceivedRequest) -> Result<bool, ApiError> {
        if self.switches.baidu.client_token == ClientToken::Ignored {
            return Ok(false);
        }
        let Some(known) = token.and_then(|token| self.baidu.tokens.get(token)) else {
            return Ok(false);
        };
        if self.now().since(known.used) > TOKEN_LIFETIME {
            return Ok(false);
        }
        if known.parameters != parameters(request) {
            return Err(api_error::TOKEN_REUSED);
        }
        Ok(true)
    }

    fn remember(&mut self, token: Option<String>, request: &ReceivedRequest) {
        if self.switches.baidu.client_token == ClientToken::Ignored {
            return;
        }
        let Some(token) = token else {
            return;
        };
        let now = self.now();
        let known = &mut self.baidu.tokens;
        known.retain(|_, remembered| now.since(remembered.used) <= TOKEN_LIFETIME);
        known.insert(
            token,
            ClientTokenUse {
                parameters: parameters(request),
                used: now,
            },
        );
    }
}

/// What makes two calls with one token the same.
fn parameters(request: &ReceivedRequest) -> String {
    let mut whole = format!("{} {}?{}\n", request.method, request.path, request.query).into_bytes();
    whole.extend_from_slice(&request.body);
    sha256_hex(&whole)
}
