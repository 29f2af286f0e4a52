//! Start, stop and reboot.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    Trouble,
    instance::{State, Verb},
    request::Received,
    response::Response,
    site::{Index, Scope, Site},
};

use super::{
    MOST_IDS, read_body,
    refusal::{self, Refusal, granted, request_id},
    switches::{
        BatchFailure, Codes, Duplicates, NoIds, NoneFailed, PlainReboot, RecycledCode, StopFrom,
        UnknownId,
    },
};

/// The body of a power call.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Order {
    instance_ids: Option<Vec<String>>,
    force_shutdown: Option<bool>,
    force_reboot: Option<bool>,
}

/// Acts on the instances named in the body.
pub(super) fn act(
    site: &mut Site,
    request: &Received,
    scope: Scope,
    verb: Verb,
) -> Result<Response, Refusal> {
    let order: Order = read_body(request)?;
    let ids = distinct(site, order.instance_ids.as_deref())?;
    let forced = order.is_forced(site, verb);
    let failed = carry_out(site, scope, verb, forced, &ids)?;
    Ok(done(site, &failed))
}

impl Order {
    /// A stop is forced unless told otherwise: documented. A reboot: a switch decides.
    fn is_forced(&self, site: &Site, verb: Verb) -> bool {
        match verb {
            Verb::Start => false,
            Verb::Stop => self.force_shutdown.unwrap_or(true),
            Verb::Reboot => self
                .force_reboot
                .unwrap_or(site.switches.zenlayer.plain_reboot == PlainReboot::Forced),
        }
    }
}

/// Acts on every instance that allows it, or on none; gives those that do not allow it.
fn carry_out<'i>(
    site: &mut Site,
    scope: Scope,
    verb: Verb,
    forced: bool,
    ids: &[&'i str],
) -> Result<Vec<&'i str>, Refusal> {
    let mut fit = Vec::with_capacity(ids.len());
    let mut failed = Vec::new();
    let mut reason = None;
    let mut misses_one = false;
    for id in ids {
        let Some(index) = site.find(scope, id) else {
            misses_one = true;
            reason.get_or_insert(unknown_id(site));
            failed.push(*id);
            continue;
        };
        match judge(site, verb, forced, index) {
            Ok(verdict) => fit.push((index, verdict)),
            Err(refusal) => {
                reason.get_or_insert(refusal);
                failed.push(*id);
            }
        }
    }
    let (acts, lists) = match site.switches.zenlayer.batch_failure {
        BatchFailure::Listed => (true, true),
        BatchFailure::Whole => (false, false),
        BatchFailure::WholeForUnknown => (!misses_one, !misses_one),
        BatchFailure::WholeInName => (true, false),
    };
    if acts || failed.is_empty() {
        for (index, verdict) in fit {
            if verdict == Verdict::Act {
                site.execute(index, verb.act(forced));
            }
        }
    }
    match reason {
        Some(refusal) if !lists => Err(refusal),
        _ => Ok(failed),
    }
}

/// What is done with an instance that allows the action.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Act,
    /// It is doing so already.
    Nothing,
}

/// May the instance be acted on? Preconditions are documented; that locks, arrears and missing stock
/// exist and how they are answered is inferred.
fn judge(site: &Site, verb: Verb, forced: bool, index: Index) -> Result<Verdict, Refusal> {
    let trouble = site.instance(index).trouble;
    let state = site.truth(index).state;
    match (verb, state) {
        (_, State::Recycled) => return Err(recycled(site)),
        (Verb::Start, State::Stopped) | (Verb::Stop | Verb::Reboot, State::Running) => {}
        // A boot that failed leaves the instance where it was.
        (Verb::Start, State::Failed) if trouble == Some(Trouble::Broken) => {}
        (Verb::Reboot, State::Starting | State::Rebooting) if forced => {}
        (Verb::Stop, State::Stopping)
            if site.switches.zenlayer.stop_from == StopFrom::RunningOrStopping =>
        {
            return Ok(if forced {
                Verdict::Act
            } else {
                Verdict::Nothing
            });
        }
        _ => return Err(wrong_state(site, verb, state)),
    }
    match (trouble, verb) {
        (Some(Trouble::Locked | Trouble::Arrears), _) => Err(refusal::WRONG_STATUS),
        (Some(Trouble::NoStock), Verb::Start) => Err(refusal::UNAVAILABLE),
        _ => Ok(Verdict::Act),
    }
}

fn wrong_state(site: &Site, verb: Verb, state: State) -> Refusal {
    let moves = matches!(
        state,
        State::Creating | State::Starting | State::Stopping | State::Rebooting | State::Changing
    );
    match (site.switches.zenlayer.codes, verb) {
        (Codes::Newer, _) if moves => refusal::BUSY,
        (Codes::Newer, _) => refusal::WRONG_STATUS,
        (Codes::Older, Verb::Start) => refusal::NOT_STOPPED,
        (Codes::Older, Verb::Stop) => refusal::NOT_RUNNING,
        (Codes::Older, Verb::Reboot) => refusal::NOT_REBOOTABLE,
    }
}

fn recycled(site: &Site) -> Refusal {
    match site.switches.zenlayer.recycled_code {
        RecycledCode::InstanceRecycled => refusal::RECYCLED,
        RecycledCode::RecycleResource => refusal::RECYCLED_RESOURCE,
    }
}

pub(super) fn unknown_id(site: &Site) -> Refusal {
    match site.switches.zenlayer.unknown_id {
        UnknownId::InstanceNotFound => refusal::NO_SUCH_INSTANCE,
        UnknownId::ResourceNotFound => refusal::NO_SUCH_RESOURCE,
    }
}

/// The ids, each once.
fn distinct<'i>(site: &Site, ids: Option<&'i [String]>) -> Result<Vec<&'i str>, Refusal> {
    let ids = ids.ok_or(refusal::MISSING)?;
    if ids.len() > MOST_IDS {
        return Err(refusal::TOO_MANY);
    }
    if ids.is_empty() {
        return match site.switches.zenlayer.no_ids {
            NoIds::LessLength => Err(refusal::TOO_FEW),
            NoIds::Missing => Err(refusal::MISSING),
            NoIds::Accepted => Ok(Vec::new()),
        };
    }
    let mut seen = HashSet::with_capacity(ids.len());
    let distinct: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| seen.insert(*id))
        .collect();
    if distinct.len() < ids.len() && site.switches.zenlayer.duplicates == Duplicates::Refused {
        return Err(refusal::BAD_VALUE);
    }
    Ok(distinct)
}

/// A good answer lists the instances that **failed**. Documented.
fn done(site: &mut Site, failed: &[&str]) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Done<'a> {
        instance_ids: Option<&'a [&'a str]>,
    }
    #[derive(Serialize)]
    struct Nothing {}
    let request_id = request_id(site);
    let done = |instance_ids| granted(&request_id, &Done { instance_ids });
    if !failed.is_empty() {
        return done(Some(failed));
    }
    match site.switches.zenlayer.none_failed {
        NoneFailed::Empty => done(Some(&[])),
        NoneFailed::Null => done(None),
        NoneFailed::Absent => granted(&request_id, &Nothing {}),
    }
}
