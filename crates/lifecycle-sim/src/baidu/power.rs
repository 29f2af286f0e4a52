//! Start, stop and reboot.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use lifecycle_core::encode::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::{
    Trouble,
    instance::{State, Verb},
    request::Received,
    response::{self, Response},
    site::{Index, Scope, Site},
    time::Moment,
};

use super::{
    MOST_IDS,
    refusal::{self, Refusal},
    switches::{BatchFailure, ClientToken, Duplicates, NoCharge, NoIds, PowerBody},
};

/// What Baidu remembers from call to call: the client tokens of good calls.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    tokens: HashMap<String, Remembered>,
}

#[derive(Debug)]
struct Remembered {
    parameters: String,
    used: Moment,
}

/// A client token counts so long after its last use. Documented for other calls.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The body of a power call. Every field may be missing, and the whole body too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Order {
    instance_ids: Option<Vec<String>>,
    force_stop: bool,
    stop_with_no_charge: bool,
}

/// Acts on the instance named in the path.
pub(super) fn one(
    site: &mut Site,
    request: &Received,
    scope: Scope,
    verb: Verb,
    id: &str,
) -> Result<Response, Refusal> {
    let order = read_order(request)?;
    let index = site
        .find(scope, id)
        .ok_or_else(|| refusal::unknown_ids(site, &[id]))?;
    check_free_stop(site, verb, &order)?;
    judge(site, verb, index)?;
    site.execute(index, verb.act(order.force_stop));
    let object = verb == Verb::Reboot && site.switches.baidu.power_body == PowerBody::Object;
    Ok(done(site, &[], object))
}

/// Acts on the instances named in the body.
pub(super) fn batch(
    site: &mut Site,
    request: &Received,
    scope: Scope,
    verb: Verb,
) -> Result<Response, Refusal> {
    let order = read_order(request)?;
    let ids = order
        .instance_ids
        .as_deref()
        .ok_or(refusal::INAPPROPRIATE_JSON)?;
    let ids = distinct(site, ids)?;
    let token = request.parameter("clientToken");
    if site.replays(token.as_deref(), request)? {
        return Ok(succeeded(site));
    }
    check_free_stop(site, verb, &order)?;
    let failed = carry_out(site, scope, verb, order.force_stop, &ids)?;
    site.remember(token, request);
    if failed.is_empty() {
        return Ok(succeeded(site));
    }
    Ok(done(site, &failed, true))
}

/// How many ids the body names, for the ledger.
pub(super) fn named_ids(request: &Received) -> usize {
    read_order(request)
        .ok()
        .and_then(|order| order.instance_ids)
        .map_or(0, |ids| ids.len())
}

/// Reads the ids of a body that has nothing else.
pub(super) fn read_ids(request: &Received) -> Result<Vec<String>, Refusal> {
    read_order(request)?
        .instance_ids
        .ok_or(refusal::INAPPROPRIATE_JSON)
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
    let mut unknown = Vec::new();
    let mut reason = None;
    for id in ids {
        let Some(index) = site.find(scope, id) else {
            unknown.push(*id);
            failed.push(*id);
            continue;
        };
        match judge(site, verb, index) {
            Ok(()) => fit.push(index),
            Err(refusal) => {
                reason.get_or_insert(refusal);
                failed.push(*id);
            }
        }
    }
    if !unknown.is_empty() {
        reason = Some(refusal::unknown_ids(site, &unknown));
    }
    let how = site.switches.baidu.batch_failure;
    if failed.is_empty() || how != BatchFailure::Whole {
        for index in fit {
            site.execute(index, verb.act(forced));
        }
    }
    match reason {
        Some(refusal) if how != BatchFailure::Partial => Err(refusal),
        _ => Ok(failed),
    }
}

/// May the instance be acted on? Documented, but for locks and missing stock.
fn judge(site: &Site, verb: Verb, index: Index) -> Result<(), Refusal> {
    let state = site.truth(index).state;
    match (verb, state) {
        (Verb::Start, State::Stopped) | (Verb::Stop | Verb::Reboot, State::Running) => {}
        (Verb::Start, State::Creating) => return Err(refusal::CREATING),
        (Verb::Start, State::Expired) => return Err(refusal::EXPIRED),
        (Verb::Start, _) => return Err(refusal::NOT_STOPPED),
        (Verb::Stop, _) => return Err(refusal::NOT_RUNNING_AT_STOP),
        (Verb::Reboot, _) => return Err(refusal::NOT_RUNNING_AT_REBOOT),
    }
    match (site.instance(index).trouble, verb) {
        (Some(Trouble::Locked | Trouble::Arrears), _) => Err(refusal::LOCKED),
        (Some(Trouble::NoStock), Verb::Start) => Err(refusal::no_stock(site)),
        _ => Ok(()),
    }
}

fn check_free_stop(site: &Site, verb: Verb, order: &Order) -> Result<(), Refusal> {
    if verb != Verb::Stop || !order.stop_with_no_charge {
        return Ok(());
    }
    match site.switches.baidu.no_charge {
        NoCharge::Possible => Ok(()),
        NoCharge::Prepaid => Err(refusal::FREE_STOP_OF_PREPAID),
        NoCharge::LocalDisk => Err(refusal::FREE_STOP_WITH_LOCAL_DISK),
        NoCharge::Unsupported => Err(refusal::FREE_STOP_OF_TYPE),
    }
}

/// The ids, each once.
fn distinct<'i>(site: &Site, ids: &'i [String]) -> Result<Vec<&'i str>, Refusal> {
    if ids.len() > MOST_IDS {
        return Err(refusal::bad_list(site));
    }
    if ids.is_empty() && site.switches.baidu.no_ids == NoIds::Refused {
        return Err(refusal::bad_list(site));
    }
    let mut seen = HashSet::with_capacity(ids.len());
    let distinct: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| seen.insert(*id))
        .collect();
    if distinct.len() < ids.len() && site.switches.baidu.duplicates == Duplicates::Refused {
        return Err(refusal::BAD_REQUEST);
    }
    Ok(distinct)
}

fn read_order(request: &Received) -> Result<Order, Refusal> {
    if request.body.is_empty() {
        return Ok(Order::default());
    }
    request.json().map_err(|error| {
        if error.is_data() {
            refusal::INAPPROPRIATE_JSON
        } else {
            refusal::MALFORMED_JSON
        }
    })
}

fn succeeded(site: &mut Site) -> Response {
    let object = site.switches.baidu.power_body == PowerBody::Object;
    done(site, &[], object)
}

/// A good answer: documented as empty; the Go SDK reads the object.
fn done(site: &mut Site, failed: &[&str], object: bool) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Done<'a> {
        request_id: &'a str,
        failed_instance_id_list: &'a [&'a str],
    }
    let request_id = site.uuid();
    let answer = if object {
        let body = Done {
            request_id: &request_id,
            failed_instance_id_list: failed,
        };
        response::json(200, &body)
    } else {
        response::with_body(200, "application/json", "")
    };
    refusal::signed_off(answer, &request_id)
}

/// Client tokens. Whether power calls honour them is a switch; how is documented for other calls.
impl Site {
    /// Was this very call answered before?
    fn replays(&self, token: Option<&str>, request: &Received) -> Result<bool, Refusal> {
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
            return Err(refusal::TOKEN_REUSED);
        }
        Ok(true)
    }

    fn remember(&mut self, token: Option<String>, request: &Received) {
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
            Remembered {
                parameters: parameters(request),
                used: now,
            },
        );
    }
}

/// What makes two calls with one token the same.
fn parameters(request: &Received) -> String {
    let mut whole = format!("{} {}?{}\n", request.method, request.path, request.query).into_bytes();
    whole.extend_from_slice(&request.body);
    sha256_hex(&whole)
}
