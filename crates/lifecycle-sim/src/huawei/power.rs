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
    jobs::{Failure, Job, Part},
    refusal::{self, Refusal},
    switches::{BusyServer, Switches, UnfitServer, UnknownServer},
};
use crate::{
    instance::{Act, State, Trouble, Verb},
    request::Received,
    response::{self, Response},
    site::{Index, Scope, Site},
    time::Moment,
};

/// Carries out a power call.
pub(super) fn act(site: &mut Site, request: &Received, scope: Scope) -> Result<Response, Refusal> {
    let order = Order::read(request)?;
    let servers = order.servers(&site.switches.huawei)?;
    site.check_limit(servers.len())?;
    let verdicts: Vec<_> = servers
        .into_iter()
        .map(|id| (id, order.judge(site, scope, id)))
        .collect();
    if let Some(refusal) = refused_at_once(&verdicts, &site.switches.huawei) {
        return Err(refusal);
    }
    let parts = verdicts
        .into_iter()
        .map(|(id, verdict)| order.carry_out(site, id, verdict))
        .collect();
    let job_id = format!("ff808082{:024x}", site.chance.u128(..) >> 32);
    let job = Job::new(order.verb, site.now(), parts);
    site.huawei.jobs.insert(job_id.clone(), job);
    let status = site.switches.huawei.accepted_status;
    Ok(response::json(status, &Accepted { job_id: &job_id }))
}

#[derive(Serialize)]
struct Accepted<'a> {
    job_id: &'a str,
}

/// What a power call asks for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) verb: Verb,
    act: Act,
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

impl Order {
    pub(super) fn read(request: &Received) -> Result<Self, Refusal> {
        if request.body.is_empty() {
            return Err(refusal::EMPTY_BODY);
        }
        let bodies: BTreeMap<String, Body> = request.json().map_err(|_| refusal::BAD_PARAMETER)?;
        let mut bodies = bodies.into_iter();
        let (Some((key, body)), None) = (bodies.next(), bodies.next()) else {
            return Err(refusal::BAD_PARAMETER);
        };
        let (verb, forced) = match (key.as_str(), body.r#type.as_deref()) {
            ("os-start", None) => (Verb::Start, false),
            ("os-stop", None | Some("SOFT")) => (Verb::Stop, false),
            ("os-stop", Some("HARD")) => (Verb::Stop, true),
            ("reboot", Some("SOFT")) => (Verb::Reboot, false),
            ("reboot", Some("HARD")) => (Verb::Reboot, true),
            _ => return Err(refusal::BAD_PARAMETER),
        };
        Ok(Self {
            verb,
            act: verb.act(forced),
            ids: body.servers.into_iter().map(|server| server.id).collect(),
        })
    }

    /// How many servers it names.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    fn servers(&self, switches: &Switches) -> Result<Vec<&str>, Refusal> {
        if self.ids.len() > LIMIT {
            return Err(refusal::TOO_MANY);
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
            return Err(refusal::BAD_PARAMETER);
        }
        Ok(servers)
    }

    /// Would the cloud do it?
    fn judge(&self, site: &Site, scope: Scope, id: &str) -> Verdict {
        let Some(index) = site.find(scope, id) else {
            return Verdict::Unknown;
        };
        let hindered = site
            .instance(index)
            .trouble
            .and_then(|trouble| self.hindered(trouble));
        match hindered {
            Some(refusal) => Verdict::Unfit(refusal),
            None => self.judge_state(site, index),
        }
    }

    fn judge_state(&self, site: &Site, index: Index) -> Verdict {
        let forced = matches!(self.act, Act::ForcedStop | Act::ForcedReboot);
        match (self.verb, site.truth(index).state) {
            (Verb::Start, State::Stopped) | (Verb::Stop | Verb::Reboot, State::Running) => {
                Verdict::Fit(index)
            }
            (Verb::Stop | Verb::Reboot, State::Stopping | State::Rebooting) if forced => {
                Verdict::Fit(index)
            }
            (Verb::Start, State::Running) | (Verb::Stop, State::Stopped)
                if site.switches.huawei.idle_succeeds =>
            {
                Verdict::Idle
            }
            (_, State::Starting | State::Stopping | State::Rebooting) => {
                Verdict::Unfit(refusal::BUSY)
            }
            _ => Verdict::Unfit(refusal::WRONG_STATE),
        }
    }

    /// The refusal that this trouble causes, whatever the state.
    fn hindered(&self, trouble: Trouble) -> Option<Refusal> {
        let start = self.verb == Verb::Start;
        match trouble {
            Trouble::Creating | Trouble::Failed | Trouble::Recycled => Some(refusal::WRONG_STATE),
            Trouble::Changing => Some(refusal::BUSY),
            Trouble::Locked => Some(refusal::LOCKED),
            Trouble::Expired => Some(refusal::FROZEN),
            Trouble::Arrears if start => Some(refusal::RESTRICTED),
            Trouble::NoStock if start => Some(refusal::NO_CAPACITY),
            Trouble::Arrears | Trouble::NoStock | Trouble::Broken | Trouble::Stubborn => None,
        }
    }

    fn carry_out(&self, site: &mut Site, id: &str, verdict: Verdict) -> Part {
        let at_once = |failure| Part {
            server: Arc::from(id),
            due: site.now(),
            failure,
        };
        match verdict {
            Verdict::Fit(index) => self.begin(site, index),
            Verdict::Idle => at_once(None),
            Verdict::Unknown => at_once(Some(failure(&refusal::NO_SERVER))),
            Verdict::Unfit(refusal) => at_once(Some(failure(&refusal))),
        }
    }

    fn begin(&self, site: &mut Site, index: Index) -> Part {
        let trouble = site.instance(index).trouble;
        let server = site.instance(index).shared_id();
        let due = site.execute(index, self.act);
        if due == Moment::NEVER && site.switches.huawei.stuck_stop_fails {
            return Part {
                server,
                due: site.now().after(STUCK),
                failure: Some(Failure {
                    code: "Ecs.1002",
                    reason: "The guest did not shut down in time.".to_owned(),
                }),
            };
        }
        let failure = match (trouble, self.verb) {
            (Some(Trouble::Broken), Verb::Start) => Some(("Ecs.0226", "Failed to start the ECS.")),
            (Some(Trouble::Broken), Verb::Reboot) => {
                Some(("Ecs.0227", "Failed to restart the ECS."))
            }
            _ => None,
        };
        Part {
            server,
            due,
            failure: failure.map(|(code, reason)| Failure {
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
enum Verdict {
    Fit(Index),
    /// It is already there.
    Idle,
    Unfit(Refusal),
    Unknown,
}

impl Verdict {
    /// Why the server cannot be acted on; nothing when it can, or there is none.
    fn objection(&self) -> Option<&Refusal> {
        match self {
            Self::Unfit(refusal) => Some(refusal),
            Self::Fit(_) | Self::Idle | Self::Unknown => None,
        }
    }
}

/// The refusal of the whole call, unless it is accepted and only its sub-jobs fail.
fn refused_at_once(verdicts: &[(&str, Verdict)], switches: &Switches) -> Option<Refusal> {
    let one_is_unknown = verdicts
        .iter()
        .any(|(_, verdict)| matches!(verdict, Verdict::Unknown));
    match switches.unknown_server {
        UnknownServer::Ecs0114 if one_is_unknown => return Some(refusal::NO_SERVER),
        UnknownServer::Ecs0614 if one_is_unknown => return Some(refusal::NO_SERVER_TOO),
        _ => {}
    }
    let objections: Vec<_> = verdicts
        .iter()
        .filter_map(|(id, verdict)| Some((*id, verdict.objection()?)))
        .collect();
    let one_is_busy = objections
        .iter()
        .any(|(_, refusal)| **refusal == refusal::BUSY);
    if one_is_busy && switches.busy_server == BusyServer::Refused {
        return Some(refusal::BUSY);
    }
    let (_, first) = objections.first()?;
    match switches.unfit_server {
        UnfitServer::SubJobFails => None,
        UnfitServer::Refused => Some((*first).clone()),
        UnfitServer::RefusedWithDetails => Some(refusal::batch_failed(objections)),
    }
}

fn failure(refusal: &Refusal) -> Failure {
    Failure {
        code: refusal.code,
        reason: refusal.message.clone().into_owned(),
    }
}

/// How many servers were acted on, and when.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<(Moment, usize)>);

impl Recent {
    /// Do so many more still fit into the last minute? If so, they are taken note of.
    fn admits(&mut self, servers: usize, now: Moment) -> bool {
        let is_old = |at: Moment| now.since(at) >= Duration::from_secs(60);
        while self.0.front().is_some_and(|(at, _)| is_old(*at)) {
            self.0.pop_front();
        }
        let taken: usize = self.0.iter().map(|(_, servers)| servers).sum();
        let admits = taken + servers <= LIMIT;
        if admits {
            self.0.push_back((now, servers));
        }
        admits
    }
}

impl Site {
    fn check_limit(&mut self, servers: usize) -> Result<(), Refusal> {
        let now = self.now();
        let admits = self.huawei.recent.admits(servers, now);
        if self.switches.huawei.limit_is_per_minute && !admits {
            return Err(refusal::TOO_MANY);
        }
        Ok(())
    }
}
