//! The simulated Huawei operation `POST /v1/{project_id}/cloudservers/action`. The only key of the
//! body selects start, stop or reboot.
//!
//! Documented: the bodies, the mandatory type of a reboot, the graceful stop without a type, `HARD`
//! for a server that is stuck in stopping or rebooting, the limit, the codes. Inferred: the states
//! that allow each action, from the checks in the vendor's tools.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    api_error::{self, ApiError},
    jobs::{Job, ServerTask, SubJobFailure},
    switches::{BusyServer, Switches, UnfitServer, UnknownServer},
};
use crate::{
    Impairment, PowerOperation, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    power_operation::ActionKind,
    request::{ReceivedRequest, distinct},
    response::{self, Response},
    time::Moment,
};

/// Executes a power call.
pub(super) fn execute(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
) -> Result<Response, ApiError> {
    let power_request = PowerRequest::read(request)?;
    let servers = power_request.servers(&cloud.switches.huawei)?;
    cloud.check_limit(servers.len())?;
    let decisions: Vec<_> = servers
        .into_iter()
        .map(|id| (id, power_request.check(cloud, scope, id)))
        .collect();
    if let Some(error) = batch_rejection(&decisions, &cloud.switches.huawei) {
        return Err(error);
    }
    let tasks = decisions
        .into_iter()
        .map(|(id, decision)| power_request.execute(cloud, id, decision))
        .collect();
    let job_id = format!("ff808082{:024x}", cloud.rng.u128(..) >> 32);
    let job = Job::new(power_request.action, cloud.now(), tasks);
    cloud.huawei.jobs.insert(job_id.clone(), job);
    let status = cloud.switches.huawei.accepted_status;
    Ok(response::json(status, &Accepted { job_id: &job_id }))
}

#[derive(Serialize)]
struct Accepted<'a> {
    job_id: &'a str,
}

/// The parsed body of a power call.
#[derive(Debug)]
pub(super) struct PowerRequest {
    pub(super) action: ActionKind,
    operation: PowerOperation,
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct PowerBody {
    servers: Vec<ServerId>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct ServerId {
    id: String,
}

impl PowerRequest {
    pub(super) fn read(request: &ReceivedRequest) -> Result<Self, ApiError> {
        if request.body.is_empty() {
            return Err(api_error::EMPTY_BODY);
        }
        let bodies: BTreeMap<String, PowerBody> =
            request.json().map_err(|_| api_error::BAD_PARAMETER)?;
        let mut bodies = bodies.into_iter();
        let (Some((key, body)), None) = (bodies.next(), bodies.next()) else {
            return Err(api_error::BAD_PARAMETER);
        };
        let (action, forced) = match (key.as_str(), body.r#type.as_deref()) {
            ("os-start", None) => (ActionKind::Start, false),
            ("os-stop", None | Some("SOFT")) => (ActionKind::Stop, false),
            ("os-stop", Some("HARD")) => (ActionKind::Stop, true),
            ("reboot", Some("SOFT")) => (ActionKind::Reboot, false),
            ("reboot", Some("HARD")) => (ActionKind::Reboot, true),
            _ => return Err(api_error::BAD_PARAMETER),
        };
        Ok(Self {
            action,
            operation: action.operation(forced),
            ids: body.servers.into_iter().map(|server| server.id).collect(),
        })
    }

    /// Returns the number of named servers.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    fn servers(&self, switches: &Switches) -> Result<Vec<&str>, ApiError> {
        if self.ids.len() > MAX_SERVERS {
            return Err(api_error::TOO_MANY);
        }
        let servers = distinct(self.ids.iter().map(String::as_str));
        let has_duplicates = servers.len() < self.ids.len();
        if has_duplicates && !switches.folds_duplicates
            || servers.is_empty() && !switches.accepts_empty_batch
        {
            return Err(api_error::BAD_PARAMETER);
        }
        Ok(servers)
    }

    /// Checks whether the cloud would execute the action.
    fn check(&self, cloud: &CloudState, scope: RegionScope, id: &str) -> ServerDecision {
        let Some(index) = cloud.find(scope, id) else {
            return ServerDecision::Unknown;
        };
        let impairment_error = cloud
            .instance(index)
            .impairment
            .and_then(|impairment| self.impairment_error(impairment));
        match impairment_error {
            Some(error) => ServerDecision::Rejected(error),
            None => self.check_state(cloud, index),
        }
    }

    fn check_state(&self, cloud: &CloudState, index: InstanceIndex) -> ServerDecision {
        let forced = matches!(
            self.operation,
            PowerOperation::ForcedStop | PowerOperation::ForcedReboot
        );
        match (self.action, cloud.actual(index).state) {
            (ActionKind::Start, SimulatedState::Stopped)
            | (ActionKind::Stop | ActionKind::Reboot, SimulatedState::Running) => {
                ServerDecision::Execute(index)
            }
            (
                ActionKind::Stop | ActionKind::Reboot,
                SimulatedState::Stopping | SimulatedState::Rebooting,
            ) if forced => ServerDecision::Execute(index),
            (ActionKind::Start, SimulatedState::Running)
            | (ActionKind::Stop, SimulatedState::Stopped)
                if cloud.switches.huawei.succeeds_in_target_state =>
            {
                ServerDecision::AlreadyDone
            }
            (
                _,
                SimulatedState::Starting | SimulatedState::Stopping | SimulatedState::Rebooting,
            ) => ServerDecision::Rejected(api_error::BUSY),
            _ => ServerDecision::Rejected(api_error::WRONG_STATE),
        }
    }

    /// Returns the error that this impairment causes in any state.
    fn impairment_error(&self, impairment: Impairment) -> Option<ApiError> {
        let start = self.action == ActionKind::Start;
        match impairment {
            Impairment::Creating | Impairment::BrokenDisk | Impairment::Recycled => {
                Some(api_error::WRONG_STATE)
            }
            Impairment::Changing => Some(api_error::BUSY),
            Impairment::Locked => Some(api_error::LOCKED),
            Impairment::Expired => Some(api_error::FROZEN),
            Impairment::Arrears if start => Some(api_error::RESTRICTED),
            Impairment::NoStock if start => Some(api_error::NO_CAPACITY),
            Impairment::Arrears
            | Impairment::NoStock
            | Impairment::FailsToBoot
            | Impairment::Stubborn => None,
        }
    }

    fn execute(&self, cloud: &mut CloudState, id: &str, decision: ServerDecision) -> ServerTask {
        let at_once = |failure| ServerTask {
            server: Arc::from(id),
            done_at: cloud.now(),
            failure,
        };
        match decision {
            ServerDecision::Execute(index) => self.begin(cloud, index),
            ServerDecision::AlreadyDone => at_once(None),
            ServerDecision::Unknown => at_once(Some(failure(&api_error::NO_SERVER))),
            ServerDecision::Rejected(error) => at_once(Some(failure(&error))),
        }
    }

    fn begin(&self, cloud: &mut CloudState, index: InstanceIndex) -> ServerTask {
        let impairment = cloud.instance(index).impairment;
        let server = cloud.instance(index).shared_id();
        let done_at = cloud.execute(index, self.operation);
        if done_at == Moment::NEVER && cloud.switches.huawei.stuck_stop_fails {
            return ServerTask {
                server,
                done_at: cloud.now().after(MAX_STOP_DURATION),
                failure: Some(SubJobFailure {
                    code: "Ecs.1002",
                    reason: "The guest did not shut down in time.".to_owned(),
                }),
            };
        }
        let failure = match (impairment, self.action) {
            (Some(Impairment::FailsToBoot), ActionKind::Start) => {
                Some(("Ecs.0226", "Failed to start the ECS."))
            }
            (Some(Impairment::FailsToBoot), ActionKind::Reboot) => {
                Some(("Ecs.0227", "Failed to restart the ECS."))
            }
            _ => None,
        };
        ServerTask {
            server,
            done_at,
            failure: failure.map(|(code, reason)| SubJobFailure {
                code,
                reason: reason.to_owned(),
            }),
        }
    }
}

/// The maximum number of servers in a call, or in a minute: two generations of the page.
const MAX_SERVERS: usize = 1000;

/// The maximum duration of a graceful stop, for the switch that limits the duration.
const MAX_STOP_DURATION: Duration = Duration::from_secs(5 * 60);

/// The decision about one server of a batch.
enum ServerDecision {
    Execute(InstanceIndex),
    /// The server already has the requested state.
    AlreadyDone,
    Rejected(ApiError),
    Unknown,
}

impl ServerDecision {
    /// Returns the error of a rejected server.
    fn rejection(&self) -> Option<&ApiError> {
        match self {
            Self::Rejected(error) => Some(error),
            Self::Execute(_) | Self::AlreadyDone | Self::Unknown => None,
        }
    }
}

/// Returns the error of the whole call, or `None` for an accepted call with failed sub-jobs.
fn batch_rejection(decisions: &[(&str, ServerDecision)], switches: &Switches) -> Option<ApiError> {
    let one_is_unknown = decisions
        .iter()
        .any(|(_, decision)| matches!(decision, ServerDecision::Unknown));
    match switches.unknown_server {
        UnknownServer::Ecs0114 if one_is_unknown => return Some(api_error::NO_SERVER),
        UnknownServer::Ecs0614 if one_is_unknown => return Some(api_error::NO_SERVER_0614),
        _ => {}
    }
    let rejections: Vec<_> = decisions
        .iter()
        .filter_map(|(id, decision)| Some((*id, decision.rejection()?)))
        .collect();
    let one_is_busy = rejections
        .iter()
        .any(|(_, error)| **error == api_error::BUSY);
    if one_is_busy && switches.busy_server == BusyServer::Refused {
        return Some(api_error::BUSY);
    }
    let (_, first) = rejections.first()?;
    match switches.unfit_server {
        UnfitServer::SubJobFails => None,
        UnfitServer::Refused => Some((*first).clone()),
        UnfitServer::RefusedWithDetails => Some(api_error::batch_failed(rejections)),
    }
}

fn failure(error: &ApiError) -> SubJobFailure {
    SubJobFailure {
        code: error.code,
        reason: error.message.clone().into_owned(),
    }
}

/// The numbers of servers in recent calls.
#[derive(Debug, Default)]
pub(super) struct RecentActions(VecDeque<(Moment, usize)>);

impl RecentActions {
    /// Reports whether this number of servers fits into the last minute, and records the number if
    /// so.
    fn admit(&mut self, servers: usize, now: Moment) -> bool {
        let is_old = |at: Moment| now.since(at) >= Duration::from_secs(60);
        while self.0.front().is_some_and(|(at, _)| is_old(*at)) {
            self.0.pop_front();
        }
        let taken: usize = self.0.iter().map(|(_, servers)| servers).sum();
        let fits = taken + servers <= MAX_SERVERS;
        if fits {
            self.0.push_back((now, servers));
        }
        fits
    }
}

impl CloudState {
    fn check_limit(&mut self, servers: usize) -> Result<(), ApiError> {
        let now = self.now();
        let admitted = self.huawei.recent.admit(servers, now);
        if self.switches.huawei.limit_is_per_minute && !admitted {
            return Err(api_error::TOO_MANY);
        }
        Ok(())
    }
}
