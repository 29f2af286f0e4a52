//! `POST /v1/{project_id}/cloudservers/action`: start, stop and reboot. The one key of the body decides.
//!
//! Documented: the bodies, that a reboot needs a type and a stop is graceful without one, that `HARD`
//! helps a server which is stuck in stopping or rebooting, the limit, the codes. Inferred: which state
//! allows what, after what the vendor's tools check before they call.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
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
    request::ReceivedRequest,
    response::{self, Response},
    time::Moment,
};

/// Carries out a power call.
pub(super) fn operation(
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

/// What a power call asks for.
#[derive(Debug)]
pub(super) struct PowerRequest {
    pub(super) action: ActionKind,
    operation: PowerOperation,
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    servers: Vec<Server>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct Server {
    id: String,
}

impl PowerRequest {
    pub(super) fn read(request: &ReceivedRequest) -> Result<Self, ApiError> {
        if request.body.is_empty() {
            return Err(api_error::EMPTY_BODY);
        }
        let bodies: BTreeMap<String, Body> =
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

    /// How many servers it names.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    fn servers(&self, switches: &Switches) -> Result<Vec<&str>, ApiError> {
        if self.ids.len() > LIMIT {
            return Err(api_error::TOO_MANY);
        }
        let mut seen = HashSet::new();
        let servers: Vec<_> = self
            .ids
            .iter()
            .map(String::as_str)
            .filter(|id| seen.insert(*id))
            .collect();
        let has_duplicates = servers.len() < self.ids.len();
        if has_duplicates && !switches.folds_duplicates
            || servers.is_empty() && !switches.accepts_empty_batch
        {
            return Err(api_error::BAD_PARAMETER);
        }
        Ok(servers)
    }

    /// Would the cloud do it?
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
                if cloud.switches.huawei.idle_succeeds =>
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

    /// The refusal that this trouble causes, whatever the state.
    fn impairment_error(&self, impairment: Impairment) -> Option<ApiError> {
        let start = self.action == ActionKind::Start;
        match impairment {
            Impairment::Creating | Impairment::Failed | Impairment::Recycled => {
                Some(api_error::WRONG_STATE)
            }
            Impairment::Changing => Some(api_error::BUSY),
            Impairment::Locked => Some(api_error::LOCKED),
            Impairment::Expired => Some(api_error::FROZEN),
            Impairment::Arrears if start => Some(api_error::RESTRICTED),
            Impairment::NoStock if start => Some(api_error::NO_CAPACITY),
            Impairment::Arrears
            | Impairment::NoStock
            | Impairment::Broken
            | Impairment::Stubborn => None,
        }
    }

    fn execute(&self, cloud: &mut CloudState, id: &str, decision: ServerDecision) -> ServerTask {
        let at_once = |failure| ServerTask {
            server: Arc::from(id),
            due: cloud.now(),
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
        let due = cloud.execute(index, self.operation);
        if due == Moment::NEVER && cloud.switches.huawei.stuck_stop_fails {
            return ServerTask {
                server,
                due: cloud.now().after(STUCK),
                failure: Some(SubJobFailure {
                    code: "Ecs.1002",
                    reason: "The guest did not shut down in time.".to_owned(),
                }),
            };
        }
        let failure = match (impairment, self.action) {
            (Some(Impairment::Broken), ActionKind::Start) => {
                Some(("Ecs.0226", "Failed to start the ECS."))
            }
            (Some(Impairment::Broken), ActionKind::Reboot) => {
                Some(("Ecs.0227", "Failed to restart the ECS."))
            }
            _ => None,
        };
        ServerTask {
            server,
            due,
            failure: failure.map(|(code, reason)| SubJobFailure {
                code,
                reason: reason.to_owned(),
            }),
        }
    }
}

/// At most so many servers in a call, or in a minute: two generations of the page.
const LIMIT: usize = 1000;

/// How long a graceful stop may take where it may not take for ever.
const STUCK: Duration = Duration::from_secs(5 * 60);

/// What is to become of one server of a batch.
enum ServerDecision {
    Execute(InstanceIndex),
    /// The server already has the requested state.
    AlreadyDone,
    Rejected(ApiError),
    Unknown,
}

impl ServerDecision {
    /// Why the server cannot be acted on; nothing when it can, or there is none.
    fn rejection(&self) -> Option<&ApiError> {
        match self {
            Self::Rejected(error) => Some(error),
            Self::Execute(_) | Self::AlreadyDone | Self::Unknown => None,
        }
    }
}

/// The refusal of the whole call, unless it is accepted and only its sub-jobs fail.
fn batch_rejection(decisions: &[(&str, ServerDecision)], switches: &Switches) -> Option<ApiError> {
    let one_is_unknown = decisions
        .iter()
        .any(|(_, decision)| matches!(decision, ServerDecision::Unknown));
    match switches.unknown_server {
        UnknownServer::Ecs0114 if one_is_unknown => return Some(api_error::NO_SERVER),
        UnknownServer::Ecs0614 if one_is_unknown => return Some(api_error::NO_SERVER_TOO),
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

/// How many servers were acted on, and when.
#[derive(Debug, Default)]
pub(super) struct RecentActions(VecDeque<(Moment, usize)>);

impl RecentActions {
    /// Do so many more still fit into the last minute? If so, they are taken note of.
    fn admit(&mut self, servers: usize, now: Moment) -> bool {
        let is_old = |at: Moment| now.since(at) >= Duration::from_secs(60);
        while self.0.front().is_some_and(|(at, _)| is_old(*at)) {
            self.0.pop_front();
        }
        let taken: usize = self.0.iter().map(|(_, servers)| servers).sum();
        let admit = taken + servers <= LIMIT;
        if admit {
            self.0.push_back((now, servers));
        }
        admit
    }
}

impl CloudState {
    fn check_limit(&mut self, servers: usize) -> Result<(), ApiError> {
        let now = self.now();
        let admit = self.huawei.recent.admit(servers, now);
        if self.switches.huawei.limit_is_per_minute && !admit {
            return Err(api_error::TOO_MANY);
        }
        Ok(())
    }
}
