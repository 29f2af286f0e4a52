//! The simulated API of Alibaba ECS, version 2014-05-26.
//!
//! Simulated: start, stop and reboot, single and in batches, `DescribeInstances` and
//! `DescribeInstanceStatus`, `DescribeRegions`, over GET and POST, with parameters in the query or in a form, in JSON
//! and XML, with both signatures; the Security Token Service and the metadata service of an
//! instance. Not simulated: permissions within a region, and filters by image, network, security group,
//! key pair and resource group.
//!
//! | file | content |
//! | --- | --- |
//! | `auth`, `hmac_sha1` | authentication |
//! | `params` | parameters of a request |
//! | `power` | start, stop, reboot |
//! | `describe`, `filter`, `record` | lists and observations |
//! | `regions` | regions |
//! | `sts`, `metadata` | keys for a role |
//! | `status` | the vendor's names for the state of an instance |
//! | `envelope`, `api_error` | responses and errors |
//! | `switches` | unknown behaviour |

mod api_error;
mod auth;
pub(crate) mod behaviours;
mod describe;
mod envelope;
mod filter;
mod hmac_sha1;
mod metadata;
mod params;
mod power;
mod record;
mod regions;
mod status;
mod sts;
pub(crate) mod switches;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, time::Duration};

use self::{
    api_error::ApiError,
    envelope::Envelope,
    params::{Format, Params},
    power::StoppedMode,
    switches::ForbiddenList,
};
use crate::{
    Operation,
    cloud_api::{AuthError, CallInfo, CloudApi},
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    power_operation::ActionKind,
    request::ReceivedRequest,
    response::Response,
    time::Moment,
};

/// Alibaba ECS.
#[derive(Debug)]
pub(crate) struct Aliyun;

impl CloudApi for Aliyun {
    /// Recognises RPC style: headers or parameters name the operation, and the path is `/`. Only
    /// the metadata service has paths.
    fn serves(&self, request: &ReceivedRequest) -> bool {
        request.path == "/"
            || request.headers.contains_key("x-acs-action")
            || metadata::MetadataCall::of(request).is_some()
    }

    /// Parses `ecs.<region>.aliyuncs.com` and `ecs-vpc.<region>.aliyuncs.com` (vendor's source).
    /// The host `ecs-cn-hangzhou` serves several regions, and the central host all regions.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str> {
        let region = hostname
            .strip_prefix("ecs.")
            .or_else(|| hostname.strip_prefix("ecs-vpc."))?
            .strip_suffix(".aliyuncs.com")?;
        (!region.contains('.')).then_some(region)
    }

    fn generate_id(&self, rng: &mut fastrand::Rng) -> String {
        let tail: String = (0..15)
            .map(|_| char::from_digit(rng.u32(..36), 36).unwrap_or('0'))
            .collect();
        format!("i-bp1{tail}")
    }

    fn classify(&self, request: &ReceivedRequest) -> CallInfo {
        if let Some(call) = metadata::MetadataCall::of(request) {
            return CallInfo {
                operation: Operation::Identify,
                name: call.name(),
                id_count: 0,
                key: String::new(),
            };
        }
        let params = Params::of(request);
        let (operation, name) = kind(&params);
        CallInfo {
            operation,
            name,
            id_count: id_count(&params),
            key: auth::key_id(request),
        }
    }

    fn authenticate(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
    ) -> Result<(), AuthError<Box<Response>>> {
        if is_unsigned(request) {
            return Ok(());
        }
        let now = cloud.wall_time().as_second();
        let verified = auth::verify(request, &cloud.account, now, &cloud.switches.aliyun);
        let at = cloud.now();
        let result = verified.and_then(|key_nonce| {
            if cloud.aliyun.nonces.is_new(key_nonce, at) {
                Ok(())
            } else {
                Err(AuthError::other(api_error::NONCE_USED))
            }
        });
        result.map_err(|auth_error| {
            let envelope = envelope(cloud, request, &Params::of(request));
            auth_error.into_response(|error| envelope.error(error))
        })
    }

    fn handle(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
        scope: RegionScope,
    ) -> Response {
        if let Some(call) = metadata::MetadataCall::of(request) {
            return metadata::respond(cloud, request, &call);
        }
        let params = Params::of(request);
        let envelope = envelope(cloud, request, &params);
        let response =
            if request.method == http::Method::GET || request.method == http::Method::POST {
                dispatch(cloud, &params, scope, &envelope)
            } else {
                Err(api_error::BAD_METHOD)
            };
        response.unwrap_or_else(|error| envelope.error(&error))
    }

    fn throttled(&self, cloud: &mut CloudState, hint: Option<Duration>) -> Response {
        let error = api_error::throttled(&cloud.switches.aliyun, hint);
        default_envelope(cloud).error(&error)
    }

    fn server_error(&self, cloud: &mut CloudState, status: u16) -> Response {
        default_envelope(cloud).error(&api_error::server_error(status))
    }
}

/// State that only Alibaba has.
#[derive(Debug, Default)]
pub(crate) struct OwnState {
    nonces: UsedNonces,
    /// The stopped mode in the last stop of an instance.
    stopped_modes: HashMap<InstanceIndex, StoppedMode>,
}

/// The used nonces. The memory of fifteen minutes is known from third parties.
#[derive(Debug, Default)]
struct UsedNonces {
    used: HashMap<auth::KeyNonce, Moment>,
    swept: Moment,
}

impl UsedNonces {
    fn is_new(&mut self, key_nonce: auth::KeyNonce, now: Moment) -> bool {
        let memory = Duration::from_secs(auth::MAX_CLOCK_SKEW);
        if now.since(self.swept) > memory {
            self.used.retain(|_, used| now.since(*used) <= memory);
            self.swept = now;
        }
        self.used
            .insert(key_nonce, now)
            .is_none_or(|used| now.since(used) > memory)
    }
}

/// Reports whether the call has no signature.
fn is_unsigned(request: &ReceivedRequest) -> bool {
    let params = Params::of(request);
    metadata::MetadataCall::of(request).is_some()
        || params.version == sts::VERSION && params.action == sts::UNSIGNED
}

fn dispatch(
    cloud: &mut CloudState,
    params: &Params,
    scope: RegionScope,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    match params.version.as_str() {
        "2014-05-26" => {}
        sts::VERSION => return dispatch_sts(cloud, params, envelope),
        _ => return Err(api_error::NO_API),
    }
    let named = params.text("RegionId").map(|name| cloud.scope(name));
    let is_forbidden = [Some(scope), named].contains(&Some(RegionScope::Forbidden));
    if is_forbidden && params.action != "DescribeRegions" {
        return forbidden(cloud, params, scope, envelope);
    }
    match params.action.as_str() {
        "StartInstance" => power::single(cloud, params, scope, ActionKind::Start, envelope),
        "StopInstance" => power::single(cloud, params, scope, ActionKind::Stop, envelope),
        "RebootInstance" => power::single(cloud, params, scope, ActionKind::Reboot, envelope),
        "StartInstances" => power::batch(cloud, params, scope, ActionKind::Start, envelope),
        "StopInstances" => power::batch(cloud, params, scope, ActionKind::Stop, envelope),
        "RebootInstances" => power::batch(cloud, params, scope, ActionKind::Reboot, envelope),
        "DescribeInstanceStatus" => describe::statuses(cloud, params, scope, envelope),
        "DescribeInstances" => describe::instances(cloud, params, scope, envelope),
        "DescribeRegions" => Ok(regions::describe(cloud, params, envelope)),
        _ => Err(api_error::NO_API),
    }
}

/// Returns the response to a call in a region without access.
fn forbidden(
    cloud: &CloudState,
    params: &Params,
    scope: RegionScope,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let shows_nothing = cloud.switches.aliyun.forbidden_list == ForbiddenList::Empty;
    match params.action.as_str() {
        "DescribeInstances" if shows_nothing => describe::instances(cloud, params, scope, envelope),
        _ => Err(api_error::FORBIDDEN),
    }
}

/// Handles the calls of the Security Token Service.
fn dispatch_sts(
    cloud: &mut CloudState,
    params: &Params,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    match params.action.as_str() {
        "AssumeRole" => sts::assume_role(cloud, params, envelope),
        sts::UNSIGNED => sts::assume_role_with_oidc(cloud, params, envelope),
        _ => Err(api_error::NO_API),
    }
}

fn kind(params: &Params) -> (Operation, &'static str) {
    let read_operation = if id_count(params) > 0 {
        Operation::Observe
    } else {
        Operation::List
    };
    match params.action.as_str() {
        "StartInstance" => (Operation::Start, "StartInstance"),
        "StopInstance" => (Operation::Stop, "StopInstance"),
        "RebootInstance" => (Operation::Reboot, "RebootInstance"),
        "StartInstances" => (Operation::Start, "StartInstances"),
        "StopInstances" => (Operation::Stop, "StopInstances"),
        "RebootInstances" => (Operation::Reboot, "RebootInstances"),
        "DescribeInstanceStatus" => (read_operation, "DescribeInstanceStatus"),
        "DescribeInstances" => (read_operation, "DescribeInstances"),
        "DescribeRegions" => (Operation::Other, "DescribeRegions"),
        "AssumeRole" => (Operation::Identify, "AssumeRole"),
        sts::UNSIGNED => (Operation::Identify, sts::UNSIGNED),
        _ => (Operation::Other, "unknown"),
    }
}

fn id_count(params: &Params) -> usize {
    let in_text = params.json_ids("InstanceIds").ok().flatten();
    params.members("InstanceId").len()
        + usize::from(params.text("InstanceId").is_some())
        + in_text.map_or(0, |ids| ids.len())
}

fn envelope(cloud: &mut CloudState, request: &ReceivedRequest, params: &Params) -> Envelope {
    let default_format = if cloud.switches.aliyun.xml_by_default {
        Format::Xml
    } else {
        Format::Json
    };
    Envelope {
        format: params.format.unwrap_or(default_format),
        action: params.action.clone(),
        product: if params.version == sts::VERSION {
            "Sts"
        } else {
            "Ecs"
        },
        host: request.hostname().to_owned(),
        request_id: cloud.uuid().to_uppercase(),
    }
}

/// Returns the envelope of a response that does not depend on the request.
fn default_envelope(cloud: &mut CloudState) -> Envelope {
    Envelope {
        format: Format::Json,
        action: String::new(),
        product: "Ecs",
        host: "ecs.aliyuncs.com".to_owned(),
        request_id: cloud.uuid().to_uppercase(),
    }
}

/// Returns the instances that a call with a region name can see.
fn named_region(
    cloud: &CloudState,
    params: &Params,
    scope: RegionScope,
) -> Result<RegionScope, ApiError> {
    let switches = &cloud.switches.aliyun;
    let name = params.required("RegionId", switches)?;
    let named = cloud.scope(name);
    if named == RegionScope::NoRegion && !regions::is_known(name) {
        return Err(api_error::NO_REGION);
    }
    match scope {
        RegionScope::AllRegions => Ok(named),
        _ if scope == named => Ok(scope),
        _ if switches.refuses_foreign_regions => Err(api_error::NO_REGION),
        _ => Ok(RegionScope::NoRegion),
    }
}
