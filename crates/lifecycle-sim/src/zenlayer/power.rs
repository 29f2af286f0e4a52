//! The simulated Zenlayer operations for start, stop and reboot. Where the documentation is silent or
//! contradicts itself, a switch selects the behaviour.

use serde::{Deserialize, Serialize};

use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    power_operation::ActionKind,
    request::{ReceivedRequest, distinct},
    response::Response,
};

use super::{
    MAX_IDS,
    api_error::{self, ApiError, request_id, success},
    read_body,
    switches::{
        BatchFailure, Duplicates, NoIds, NoneFailed, PlainReboot, RecycledCode, StateCodes,
        StopFrom, UnknownId,
    },
};

/// The body of a power call.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PowerRequest {
    instance_ids: Option<Vec<String>>,
    force_shutdown: Option<bool>,
    force_reboot: Option<bool>,
}

/// Executes a power action on the instances in the body.
pub(super) fn execute(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    action: ActionKind,
) -> Result<Response, ApiError> {
    let power_request: PowerRequest = read_body(request)?;
    let ids = checked_ids(cloud, power_request.instance_ids.as_deref())?;
    let forced = power_request.is_forced(cloud, action);
    let failed = execute_batch(cloud, scope, action, forced, &ids)?;
    Ok(power_response(cloud, &failed))
}

impl PowerRequest {
    /// Reports whether the action is forced. A stop is forced by default, as documented. The
    /// default of a reboot is not documented: a switch.
    fn is_forced(&self, cloud: &CloudState, action: ActionKind) -> bool {
        match action {
            ActionKind::Start => false,
            ActionKind::Stop => self.force_shutdown.unwrap_or(true),
            ActionKind::Reboot => self
                .force_reboot
                .unwrap_or(cloud.switches.zenlayer.plain_reboot == PlainReboot::Forced),
        }
    }
}

/// Executes the action on every instance that allows the action. The switch `batch_failure` decides
/// whether one refusal prevents all. Returns the ids of the refused instances, or the error of the
/// batch.
fn execute_batch<'i>(
    cloud: &mut CloudState,
    scope: RegionScope,
    action: ActionKind,
    forced: bool,
    ids: &[&'i str],
) -> Result<Vec<&'i str>, ApiError> {
    let mut accepted = Vec::with_capacity(ids.len());
    let mut failed = Vec::new();
    let mut first_error = None;
    let mut has_unknown = false;
    for id in ids {
        let Some(index) = cloud.find(scope, id) else {
            has_unknown = true;
            first_error.get_or_insert(unknown_id(cloud));
            failed.push(*id);
            continue;
        };
        match check(cloud, action, forced, index) {
            Ok(decision) => accepted.push((index, decision)),
            Err(error) => {
                first_error.get_or_insert(error);
                failed.push(*id);
            }
        }
    }
    let (executes, lists_failed) = match cloud.switches.zenlayer.batch_failure {
        BatchFailure::Listed => (true, true),
        BatchFailure::AllFail => (false, false),
        BatchFailure::AllFailForUnknown => (!has_unknown, !has_unknown),
        BatchFailure::ErrorDespiteExecution => (true, false),
    };
    if executes || failed.is_empty() {
        for (index, decision) in accepted {
            if decision == Decision::Execute {
                cloud.execute(index, action.operation(forced));
            }
        }
    }
    match first_error {
        Some(error) if !lists_failed => Err(error),
        _ => Ok(failed),
    }
}

/// The decision about an instance that allows the action.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Execute,
    /// The action is already in progress.
    Skip,
}

/// Checks whether the instance allows the action. The required states are documented; the errors of
/// locks, arrears and missing stock are guesses.
fn check(
    cloud: &CloudState,
    action: ActionKind,
    forced: bool,
    index: InstanceIndex,
) -> Result<Decision, ApiError> {
    let impairment = cloud.instance(index).impairment;
    let state = cloud.actual(index).state;
    match (action, state) {
        (_, SimulatedState::Recycled) => return Err(recycled(cloud)),
        (ActionKind::Start, SimulatedState::Stopped)
        | (ActionKind::Stop | ActionKind::Reboot, SimulatedState::Running) => {}
        // An instance with a failed boot is still stopped.
        (ActionKind::Start, SimulatedState::Failed)
            if impairment == Some(Impairment::FailsToBoot) => {}
        (ActionKind::Reboot, SimulatedState::Starting | SimulatedState::Rebooting) if forced => {}
        (ActionKind::Stop, SimulatedState::Stopping)
            if cloud.switches.zenlayer.stop_from == StopFrom::RunningOrStopping =>
        {
            return Ok(if forced {
                Decision::Execute
            } else {
                Decision::Skip
            });
        }
        _ => return Err(wrong_state(cloud, action, state)),
    }
    match (impairment, action) {
        (Some(Impairment::Locked | Impairment::Arrears), _) => Err(api_error::WRONG_STATUS),
        (Some(Impairment::NoStock), ActionKind::Start) => Err(api_error::UNAVAILABLE),
        _ => Ok(Decision::Execute),
    }
}

fn wrong_state(cloud: &CloudState, action: ActionKind, state: SimulatedState) -> ApiError {
    let moves = matches!(
        state,
        SimulatedState::Creating
            | SimulatedState::Starting
            | SimulatedState::Stopping
            | SimulatedState::Rebooting
            | SimulatedState::Changing
    );
    match (cloud.switches.zenlayer.state_codes, action) {
        (StateCodes::Newer, _) if moves => api_error::BUSY,
        (StateCodes::Newer, _) => api_error::WRONG_STATUS,
        (StateCodes::Older, ActionKind::Start) => api_error::NOT_STOPPED,
        (StateCodes::Older, ActionKind::Stop) => api_error::NOT_RUNNING,
        (StateCodes::Older, ActionKind::Reboot) => api_error::NOT_REBOOTABLE,
    }
}

fn recycled(cloud: &CloudState) -> ApiError {
    match cloud.switches.zenlayer.recycled_code {
        RecycledCode::InstanceRecycled => api_error::RECYCLED,
        RecycledCode::RecycleResource => api_error::RECYCLED_RESOURCE,
    }
}

pub(super) fn unknown_id(cloud: &CloudState) -> ApiError {
    match cloud.switches.zenlayer.unknown_id {
        UnknownId::InstanceNotFound => api_error::NO_SUCH_INSTANCE,
        UnknownId::ResourceNotFound => api_error::NO_SUCH_RESOURCE,
    }
}

/// Returns the ids, each once.
fn checked_ids<'i>(
    cloud: &CloudState,
    ids: Option<&'i [String]>,
) -> Result<Vec<&'i str>, ApiError> {
    let ids = ids.ok_or(api_error::MISSING)?;
    if ids.len() > MAX_IDS {
        return Err(api_error::TOO_MANY);
    }
    if ids.is_empty() {
        return match cloud.switches.zenlayer.no_ids {
            NoIds::LessLength => Err(api_error::TOO_FEW),
            NoIds::Missing => Err(api_error::MISSING),
            NoIds::Accepted => Ok(Vec::new()),
        };
    }
    let distinct = distinct(ids.iter().map(String::as_str));
    if distinct.len() < ids.len() && cloud.switches.zenlayer.duplicates == Duplicates::Refused {
        return Err(api_error::BAD_VALUE);
    }
    Ok(distinct)
}

/// Returns a successful response, which lists the instances that **failed**, as Zenlayer documents.
fn power_response(cloud: &mut CloudState, failed: &[&str]) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct PowerResponse<'a> {
        instance_ids: Option<&'a [&'a str]>,
    }
    #[derive(Serialize)]
    struct EmptyResponse {}
    let request_id = request_id(cloud);
    let power_response = |instance_ids| success(&request_id, &PowerResponse { instance_ids });
    if !failed.is_empty() {
        return power_response(Some(failed));
    }
    match cloud.switches.zenlayer.none_failed {
        NoneFailed::Empty => power_response(Some(&[])),
        NoneFailed::Null => power_response(None),
        NoneFailed::Absent => success(&request_id, &EmptyResponse {}),
    }
}
