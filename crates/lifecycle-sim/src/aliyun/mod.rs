//! Alibaba ECS, API version 2014-05-26, as its clients see it.
//!
//! What is simulated: start, stop and reboot, one by one and in batches, `DescribeInstances` and
//! `DescribeInstanceStatus`, over GET and POST, with parameters in the query or in a form, in JSON and
//! XML, under both signatures; the Security Token Service and the metadata service of an instance. What
//! is not: permissions, tags, and filters other than status, lock reason, name and zone.
//!
//! | file | holds |
//! | --- | --- |
//! | `auth` | who asks |
//! | `asked` | what is asked |
//! | `power` | start, stop, reboot |
//! | `describe` | looking |
//! | `sts`, `metadata` | keys for a role |
//! | `standing` | the vendor's words for an instance's state |
//! | `answer`, `refusal` | how it is answered |
//! | `switches` | what nobody knows |

mod answer;
mod asked;
mod auth;
pub(crate) mod behaviours;
mod describe;
mod hmac_sha1;
mod metadata;
mod power;
mod refusal;
mod regions;
mod standing;
mod sts;
pub(crate) mod switches;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, time::Duration};

use self::{
    answer::Envelope,
    asked::{Asked, Format},
    power::StoppedMode,
    refusal::Refusal,
};
use crate::{
    dialect::{Denial, Dialect, Intent, Operation, Reason},
    instance::Verb,
    request::Received,
    response::Response,
    site::{Index, Scope, Site},
    time::Moment,
};

/// Alibaba ECS.
#[derive(Debug)]
pub(crate) struct Aliyun;

impl Dialect for Aliyun {
    /// RPC style: the path says nothing, headers or parameters name the operation. Only the metadata
    /// service has paths.
    fn claims(&self, request: &Received) -> bool {
        request.path == "/"
            || request.headers.contains_key("x-acs-action")
            || metadata::Call::of(request).is_some()
    }

    /// `ecs.<region>.aliyuncs.com` and `ecs-vpc.<region>.aliyuncs.com` (vendor's source). The host
    /// `ecs-cn-hangzhou` serves several regions, and the central host all of them.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str> {
        let region = hostname
            .strip_prefix("ecs.")
            .or_else(|| hostname.strip_prefix("ecs-vpc."))?
            .strip_suffix(".aliyuncs.com")?;
        (!region.contains('.')).then_some(region)
    }

    fn mint(&self, chance: &mut fastrand::Rng) -> String {
        let tail: String = (0..15)
            .map(|_| char::from_digit(chance.u32(..36), 36).unwrap_or('0'))
            .collect();
        format!("i-bp1{tail}")
    }

    fn intent(&self, request: &Received) -> Intent {
        if let Some(call) = metadata::Call::of(request) {
            return Intent {
                operation: Operation::Identify,
                name: call.name(),
                ids: 0,
                key: String::new(),
            };
        }
        let asked = Asked::of(request);
        let (operation, name) = kind(&asked);
        Intent {
            operation,
            name,
            ids: ids(&asked),
            key: auth::claimed_key(request),
        }
    }

    fn authenticate(&self, site: &mut Site, request: &Received) -> Result<(), Denial> {
        if is_unsigned(request) {
            return Ok(());
        }
        let now = site.wall().as_second();
        let verdict = auth::verify(request, &site.account, now, &site.switches.aliyun);
        let at = site.now();
        let verdict = verdict.and_then(|caller| {
            if site.aliyun.nonces.is_new(caller, at) {
                Ok(())
            } else {
                Err((Reason::Other, refusal::NONCE_USED))
            }
        });
        verdict.map_err(|(reason, refusal)| Denial {
            reason,
            response: Box::new(envelope(site, request, &Asked::of(request)).refusal(&refusal)),
        })
    }

    fn perform(&self, site: &mut Site, request: &Received, scope: Scope) -> Response {
        if let Some(call) = metadata::Call::of(request) {
            return metadata::answer(site, request, &call);
        }
        let asked = Asked::of(request);
        let envelope = envelope(site, request, &asked);
        let answer = if request.method == http::Method::GET || request.method == http::Method::POST
        {
            dispatch(site, &asked, scope, &envelope)
        } else {
            Err(refusal::BAD_METHOD)
        };
        answer.unwrap_or_else(|refusal| envelope.refusal(&refusal))
    }

    fn throttled(&self, site: &mut Site, hint: Option<Duration>) -> Response {
        let refusal = refusal::throttled(&site.switches.aliyun, hint);
        unasked(site).refusal(&refusal)
    }

    fn failure(&self, site: &mut Site, status: u16) -> Response {
        unasked(site).refusal(&refusal::failure(status))
    }
}

/// What the cloud remembers from call to call.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    nonces: Nonces,
    /// What the last stop of an instance said of its resources.
    stopped_modes: HashMap<Index, StoppedMode>,
}

/// Nonces that have been used. That they are remembered for fifteen minutes is what third parties say.
#[derive(Debug, Default)]
struct Nonces {
    used: HashMap<auth::Caller, Moment>,
    swept: Moment,
}

impl Nonces {
    fn is_new(&mut self, caller: auth::Caller, now: Moment) -> bool {
        let memory = Duration::from_secs(auth::WINDOW);
        if now.since(self.swept) > memory {
            self.used.retain(|_, used| now.since(*used) <= memory);
            self.swept = now;
        }
        self.used
            .insert(caller, now)
            .is_none_or(|used| now.since(used) > memory)
    }
}

/// Is the request one that carries no signature?
fn is_unsigned(request: &Received) -> bool {
    let asked = Asked::of(request);
    metadata::Call::of(request).is_some()
        || asked.version == sts::VERSION && asked.action == sts::UNSIGNED
}

fn dispatch(
    site: &mut Site,
    asked: &Asked,
    scope: Scope,
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    match asked.version.as_str() {
        "2014-05-26" => {}
        sts::VERSION => return issue(site, asked, envelope),
        _ => return Err(refusal::NO_API),
    }
    match asked.action.as_str() {
        "StartInstance" => power::single(site, asked, scope, Verb::Start, envelope),
        "StopInstance" => power::single(site, asked, scope, Verb::Stop, envelope),
        "RebootInstance" => power::single(site, asked, scope, Verb::Reboot, envelope),
        "StartInstances" => power::batch(site, asked, scope, Verb::Start, envelope),
        "StopInstances" => power::batch(site, asked, scope, Verb::Stop, envelope),
        "RebootInstances" => power::batch(site, asked, scope, Verb::Reboot, envelope),
        "DescribeInstanceStatus" => describe::statuses(site, asked, scope, envelope),
        "DescribeInstances" => describe::instances(site, asked, scope, envelope),
        _ => Err(refusal::NO_API),
    }
}

/// The calls of the Security Token Service.
fn issue(site: &mut Site, asked: &Asked, envelope: &Envelope) -> Result<Response, Refusal> {
    match asked.action.as_str() {
        "AssumeRole" => sts::assume_role(site, asked, envelope),
        sts::UNSIGNED => sts::assume_role_with_oidc(site, asked, envelope),
        _ => Err(refusal::NO_API),
    }
}

fn kind(asked: &Asked) -> (Operation, &'static str) {
    let looking = if ids(asked) > 0 {
        Operation::Observe
    } else {
        Operation::List
    };
    match asked.action.as_str() {
        "StartInstance" => (Operation::Start, "StartInstance"),
        "StopInstance" => (Operation::Stop, "StopInstance"),
        "RebootInstance" => (Operation::Reboot, "RebootInstance"),
        "StartInstances" => (Operation::Start, "StartInstances"),
        "StopInstances" => (Operation::Stop, "StopInstances"),
        "RebootInstances" => (Operation::Reboot, "RebootInstances"),
        "DescribeInstanceStatus" => (looking, "DescribeInstanceStatus"),
        "DescribeInstances" => (looking, "DescribeInstances"),
        "AssumeRole" => (Operation::Identify, "AssumeRole"),
        sts::UNSIGNED => (Operation::Identify, sts::UNSIGNED),
        _ => (Operation::Other, "unknown"),
    }
}

fn ids(asked: &Asked) -> usize {
    let in_text = asked.json_ids("InstanceIds").ok().flatten();
    asked.members("InstanceId").len()
        + usize::from(asked.text("InstanceId").is_some())
        + in_text.map_or(0, |ids| ids.len())
}

fn envelope(site: &mut Site, request: &Received, asked: &Asked) -> Envelope {
    let usual = if site.switches.aliyun.xml_by_default {
        Format::Xml
    } else {
        Format::Json
    };
    Envelope {
        format: asked.format.unwrap_or(usual),
        action: asked.action.clone(),
        product: if asked.version == sts::VERSION {
            "Sts"
        } else {
            "Ecs"
        },
        host: request.hostname().to_owned(),
        request_id: site.uuid().to_uppercase(),
    }
}

/// The envelope of an answer that is given without looking at the request.
fn unasked(site: &mut Site) -> Envelope {
    Envelope {
        format: Format::Json,
        action: String::new(),
        product: "Ecs",
        host: "ecs.aliyuncs.com".to_owned(),
        request_id: site.uuid().to_uppercase(),
    }
}

/// The instances that a call can see which names a region.
fn named_region(site: &Site, asked: &Asked, scope: Scope) -> Result<Scope, Refusal> {
    let switches = &site.switches.aliyun;
    let name = asked.required("RegionId", switches)?;
    let named = site.scope(name);
    if named == Scope::Nowhere && !regions::is_known(name) {
        return Err(refusal::NO_REGION);
    }
    match scope {
        Scope::Everywhere => Ok(named),
        _ if scope == named => Ok(scope),
        _ if switches.refuses_foreign_regions => Err(refusal::NO_REGION),
        _ => Ok(Scope::Nowhere),
    }
}
