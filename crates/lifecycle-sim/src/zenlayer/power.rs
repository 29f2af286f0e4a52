//! Start, stop and reboot.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    power_operation::ActionKind,
    request::ReceivedRequest,
    response::Response,
};

use super::{
    MOST_IDS,
    api_error::{self, ApiError, request_id, success},
    read_body,
    switches::{
        BatchFailure, Codes, Duplicates, NoIds, NoneFailed, PlainReboot, RecycledCode, StopFrom,
        UnknownId,
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

/// Acts on the instances named in the body.
pub(super) fn operation(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    action: ActionKind,
) -> Result<Response, ApiError> {
    let power_request: PowerRequest = read_body(request)?;
    let ids = distinct(cloud, power_request.instance_ids.as_deref())?;
    let forced = power_request.is_forced(cloud, action);
    let failed = execute_batch(cloud, scope, action, forced, &ids)?;
    Ok(done(cloud, &failed))
}

impl PowerRequest {
    /// A stop is forced unless told otherwise: documented. A reboot: a switch decides.
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
    let mut reason = None;
    let mut misses_one = false;
    for id in ids {
        let Some(index) = cloud.find(scope, id) else {
            misses_one = true;
            reason.get_or_insert(unknown_id(cloud));
            failed.push(*id);
            continue;
        };
        match check(cloud, action, forced, index) {
            Ok(decision) => fit.push((index, decision)),
            Err(error) => {
                reason.get_or_insert(error);
                failed.push(*id);
            }
        }
    }
    let (operations, lists) = match cloud.switches.zenlayer.batch_failure {
        BatchFailure::Listed => (true, true),
        BatchFailure::Whole => (false, false),
        BatchFailure::WholeForUnknown => (!misses_one, !misses_one),
        BatchFailure::WholeInName => (true, false),
    };
    if operations || failed.is_empty() {
        for (index, decision) in fit {
            if decision == Decision::PowerOperation {
                cloud.execute(index, action.operation(forced));
            }
        }
    }
    match reason {
        Some(error) if !lists => Err(error),
        _ => Ok(failed),
    }
}

/// What is done with an instance that allows the action.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    PowerOperation,
    /// It is doing so already.
    Nothing,
}

/// May the instance be acted on? Preconditions are documented; that locks, arrears and missing stock
/// exist and how they are answered is inferred.
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
        // A boot that failed leaves the instance where it was.
        (ActionKind::Start, SimulatedState::Failed) if impairment == Some(Impairment::Broken) => {}
        (ActionKind::Reboot, SimulatedState::Starting | SimulatedState::Rebooting) if forced => {}
        (ActionKind::Stop, SimulatedState::Stopping)
            if cloud.switches.zenlayer.stop_from == StopFrom::RunningOrStopping =>
        {
            return Ok(if forced {
                Decision::PowerOperation
            } else {
                Decision::Nothing
            });
        }
        _ => return Err(wrong_state(cloud, action, state)),
    }
    match (impairment, action) {
        (Some(Impairment::Locked | Impairment::Arrears), _) => Err(api_error::WRONG_STATUS),
        (Some(Impairment::NoStock), ActionKind::Start) => Err(api_error::UNAVAILABLE),
        _ => Ok(Decision::PowerOperation),
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
    match (cloud.switches.zenlayer.codes, action) {
        (Codes::Newer, _) if moves => api_error::BUSY,
        (Codes::Newer, _) => api_error::WRONG_STATUS,
        (Codes::Older, ActionKind::Start) => api_error::NOT_STOPPED,
        (Codes::Older, ActionKind::Stop) => api_error::NOT_RUNNING,
        (Codes::Older, ActionKind::Reboot) => api_error::NOT_REBOOTABLE,
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

/// The ids, each once.
fn distinct<'i>(cloud: &CloudState, ids: Option<&'i [String]>) -> Result<Vec<&'i str>, ApiError> {
    let ids = ids.ok_or(api_error::MISSING)?;
    if ids.len() > MOST_IDS {
        return Err(api_error::TOO_MANY);
    }
    if ids.is_empty() {
        return match cloud.switches.zenlayer.no_ids {
            NoIds::LessLength => Err(api_error::TOO_FEW),
            NoIds::Missing => Err(api_error::MISSING),
            NoIds::Accepted => Ok(Vec::new()),
        };
    }
    let mut seen = HashSet::with_capacity(ids.len());
    let distinct: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| seen.insert(*id))
        .collect();
    if distinct.len() < ids.len() && cloud.switches.zenlayer.duplicates == Duplicates::Refused {
        return Err(api_error::BAD_VALUE);
    }
    Ok(distinct)
}

/// A good answer lists the instances that **failed**. Documented.
fn done(cloud: &mut CloudState, failed: &[&str]) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Done<'a> {
        instance_ids: Option<&'a [&'a str]>,
    }
    #[derive(Serialize)]
    struct Nothing {}
    let request_id = request_id(cloud);
    let done = |instance_ids| success(&request_id, &Done { instance_ids });
    if !failed.is_empty() {
        return done(Some(failed));
    }
    match cloud.switches.zenlayer.none_failed {
        NoneFailed::Empty => done(Some(&[])),
        NoneFailed::Null => done(None),
        NoneFailed::Absent => success(&request_id, &Nothing {}),
    }
}
