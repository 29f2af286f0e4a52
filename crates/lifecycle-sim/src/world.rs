//! The state of the whole simulator: all clouds, and the path of a call from the request to the
//! outcome.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, HeaderValue};

use crate::{
    Cloud, ExecutionCounts, RetryAfterHint,
    cloud_api::{AuthError, AuthErrorCause, CallInfo},
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    fleet::InstanceGroup,
    injected_fault::{ErrorBody, FaultRules, FaultTiming, InjectedFault},
    instance::Instance,
    ledger::{CallLog, PowerOperationRecord},
    request::ReceivedRequest,
    response::{self, Response},
    throttle::CallLimiter,
    time::Timeline,
};

/// The complete state of a simulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) timeline: Timeline,
    pub(crate) calls: CallLog,
    pub(crate) fault_rules: FaultRules,
    pub(crate) rng: fastrand::Rng,
    pub(crate) clouds: [SimulatedCloud; 4],
}

/// One cloud with its call limit.
#[derive(Debug)]
pub(crate) struct SimulatedCloud {
    pub(crate) state: CloudState,
    pub(crate) limiter: Option<CallLimiter>,
}

/// The outcome of a call.
#[derive(Debug)]
pub(crate) enum CallOutcome {
    /// A response after a delay.
    Response(Response, Duration),
    /// The request does not reach the cloud.
    Unreachable,
    /// The connection breaks without a response.
    Reset,
    /// The connection breaks in the middle of this response.
    Truncated(Response),
    /// The connection stays open without a response.
    Silence,
}

impl World {
    /// Handles a request at the current time.
    pub(crate) fn exchange(&mut self, request: &ReceivedRequest) -> CallOutcome {
        let Some(cloud) = Cloud::ALL
            .into_iter()
            .find(|cloud| cloud.api().serves(request))
        else {
            return CallOutcome::Response(unknown_path(), Duration::ZERO);
        };
        let call = cloud.api().classify(request);
        let fault = self.fault_rules.next_fault(cloud, &call, &mut self.rng);
        if fault == Some(InjectedFault::Unreachable) {
            return CallOutcome::Unreachable;
        }
        let now = self.timeline.now();
        let simulated_cloud = self.cloud_mut(cloud);
        simulated_cloud
            .state
            .begin_call(now, staleness(fault.as_ref()));
        let (outcome, auth_error) = simulated_cloud.handle(request, &call, fault.as_ref());
        self.calls
            .record(cloud, &call, now, outcome.status(), auth_error, fault);
        outcome
    }

    pub(crate) fn state(&self, cloud: Cloud) -> &CloudState {
        &self.clouds[cloud as usize].state
    }

    pub(crate) fn state_mut(&mut self, cloud: Cloud) -> &mut CloudState {
        &mut self.cloud_mut(cloud).state
    }

    pub(crate) fn cloud_mut(&mut self, cloud: Cloud) -> &mut SimulatedCloud {
        &mut self.clouds[cloud as usize]
    }

    /// Returns the instance `cloud/region/id`. A deleted instance counts, too. The region is the region
    /// of the instance, or the region in references.
    pub(crate) fn lookup(&self, reference: &str) -> Option<(Cloud, InstanceIndex)> {
        let mut parts = reference.splitn(3, '/');
        let cloud: Cloud = parts.next()?.parse().ok()?;
        let (region, id) = (parts.next()?, parts.next()?);
        let state = self.state(cloud);
        let index = state.find_any(id)?;
        let own = state.region(index);
        let is_named = own == region || cloud.api().reference_region(own) == region;
        is_named.then_some((cloud, index))
    }

    /// Returns `cloud/region/id`, the reference of a client to the instance.
    pub(crate) fn reference(&self, cloud: Cloud, index: InstanceIndex) -> String {
        let state = self.state(cloud);
        format!(
            "{cloud}/{}/{}",
            cloud.api().reference_region(state.region(index)),
            state.instance(index).id()
        )
    }

    /// Creates instances.
    pub(crate) fn populate(&mut self, groups: &[InstanceGroup]) {
        let now = self.timeline.now();
        // Once for all groups: each freed step of a growing map would raise the size from which glibc returns memory.
        for cloud in Cloud::ALL {
            let of_cloud = groups.iter().filter(|group| group.cloud == cloud);
            let instances = of_cloud.map(|group| group.count).sum();
            self.state_mut(cloud).reserve(instances);
        }
        for group in groups {
            let state = self.state_mut(group.cloud);
            state.begin_call(now, Duration::ZERO);
            let condition = (group.state, group.impairment);
            state.add_group(
                &group.region,
                group.count,
                condition,
                group.template.as_ref(),
            );
        }
    }

    pub(crate) fn executed(&self, reference: &str) -> Option<ExecutionCounts> {
        let (cloud, index) = self.lookup(reference)?;
        Some(self.state(cloud).instance(index).executed)
    }

    /// Returns the instances of one cloud that are not deleted, as `cloud/region/id`.
    pub(crate) fn references(&self, cloud: Cloud) -> impl Iterator<Item = String> {
        let state = self.state(cloud);
        let existing = state.instances();
        let existing = existing.filter(|index| !state.instance(*index).deleted);
        existing.map(move |index| self.reference(cloud, index))
    }

    pub(crate) fn all_instances(&self) -> impl Iterator<Item = &Instance> {
        self.clouds.iter().flat_map(|simulated_cloud| {
            simulated_cloud
                .state
                .instances()
                .map(|index| simulated_cloud.state.instance(index))
        })
    }

    pub(crate) fn power_operations(&self) -> Vec<PowerOperationRecord> {
        let mut operations: Vec<_> = Cloud::ALL
            .into_iter()
            .flat_map(|cloud| {
                self.state(cloud)
                    .operations()
                    .iter()
                    .map(move |operation| (cloud, operation))
            })
            .map(|(cloud, operation)| PowerOperationRecord {
                instance: self.reference(cloud, operation.index),
                operation: operation.operation,
                at: operation.at.elapsed(),
            })
            .collect();
        operations.sort_by_key(|operation| operation.at);
        operations
    }
}

impl SimulatedCloud {
    fn handle(
        &mut self,
        request: &ReceivedRequest,
        call: &CallInfo,
        fault: Option<&InjectedFault>,
    ) -> (CallOutcome, Option<AuthErrorCause>) {
        if let Some(outcome) = self.intercept(fault) {
            return (outcome, None);
        }
        let (response, auth_error) = self.respond(request, call);
        (
            apply_fault(self.with_date(response), fault, &mut self.state),
            auth_error,
        )
    }

    /// Returns the outcome of a call that an injected fault keeps from the cloud.
    fn intercept(&mut self, fault: Option<&InjectedFault>) -> Option<CallOutcome> {
        match fault? {
            InjectedFault::Unreachable => Some(CallOutcome::Unreachable),
            InjectedFault::Reset(FaultTiming::Before) => Some(CallOutcome::Reset),
            InjectedFault::Silence(FaultTiming::Before) => Some(CallOutcome::Silence),
            InjectedFault::ServerError {
                status,
                body,
                when: FaultTiming::Before,
            } => {
                let response = server_error(&mut self.state, *status, *body);
                Some(CallOutcome::Response(
                    self.with_date(response),
                    Duration::ZERO,
                ))
            }
            InjectedFault::Challenged => Some(CallOutcome::Response(challenge(), Duration::ZERO)),
            InjectedFault::Blocked => {
                let response = response::with_body(451, "text/plain", Bytes::new());
                Some(CallOutcome::Response(response, Duration::ZERO))
            }
            InjectedFault::Throttled { hint } => {
                let response = self.state.kind.api().throttled(&mut self.state, *hint);
                Some(CallOutcome::Response(
                    self.with_date(response),
                    Duration::ZERO,
                ))
            }
            _ => None,
        }
    }

    /// Returns the response of the cloud without injected faults.
    fn respond(
        &mut self,
        request: &ReceivedRequest,
        call: &CallInfo,
    ) -> (Response, Option<AuthErrorCause>) {
        let api = self.state.kind.api();
        if let Err(AuthError { cause, error }) = api.authenticate(&mut self.state, request) {
            return (*error, Some(cause));
        }
        self.state.account.count_call(&call.key);
        let now = self.state.now();
        if let Some(Err(wait)) = self.limiter.as_mut().map(|limiter| limiter.admit(now)) {
            let hint = (self.state.switches.throttle_hint == RetryAfterHint::Given).then_some(wait);
            return (api.throttled(&mut self.state, hint), None);
        }
        let scope = match api.region_of(request.hostname()) {
            Some(region) => self.state.scope(region),
            None => RegionScope::AllRegions,
        };
        (api.handle(&mut self.state, request, scope), None)
    }

    /// Adds the time of the cloud as the `Date` header.
    fn with_date(&self, mut response: Response) -> Response {
        let text = self
            .state
            .wall_time()
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(DATE, value);
        }
        response
    }
}

impl CallOutcome {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Response(response, _) => Some(response.status().as_u16()),
            _ => None,
        }
    }
}

fn staleness(fault: Option<&InjectedFault>) -> Duration {
    match fault {
        Some(InjectedFault::Stale(age)) => *age,
        _ => Duration::ZERO,
    }
}

/// Applies an injected fault to the response of the cloud.
fn apply_fault(
    mut response: Response,
    fault: Option<&InjectedFault>,
    state: &mut CloudState,
) -> CallOutcome {
    let mut delay = Duration::ZERO;
    match fault {
        Some(InjectedFault::Reset(_)) => return CallOutcome::Reset,
        Some(InjectedFault::Silence(_)) => return CallOutcome::Silence,
        Some(InjectedFault::Truncated) => return CallOutcome::Truncated(response),
        Some(InjectedFault::ServerError { status, body, .. }) => {
            let date = response.headers_mut().remove(DATE);
            response = server_error(state, *status, *body);
            if let Some(date) = date {
                response.headers_mut().insert(DATE, date);
            }
        }
        Some(InjectedFault::HalfBody) => {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
        }
        Some(InjectedFault::Garbage) => {
            *response.body_mut() = Bytes::from_static(b"\x00\xff\x1f\x8b{\"\xfe");
        }
        Some(InjectedFault::EmptyBody) => *response.body_mut() = Bytes::new(),
        Some(InjectedFault::WrongContentType) => {
            let html = HeaderValue::from_static("text/html");
            response.headers_mut().insert(CONTENT_TYPE, html);
        }
        Some(InjectedFault::Slow(wait)) => delay = *wait,
        // The first four faults are handled before the call.
        Some(
            InjectedFault::Unreachable
            | InjectedFault::Challenged
            | InjectedFault::Blocked
            | InjectedFault::Throttled { .. }
            | InjectedFault::Stale(_),
        )
        | None => {}
    }
    CallOutcome::Response(response, delay)
}

fn server_error(state: &mut CloudState, status: u16, body: ErrorBody) -> Response {
    match body {
        ErrorBody::Empty => response::with_body(status, "text/plain", Bytes::new()),
        ErrorBody::Html => response::with_body(
            status,
            "text/html",
            format!("<html><body><h1>{status}</h1></body></html>"),
        ),
        ErrorBody::Json => state.kind.api().server_error(state, status),
    }
}

/// Returns the response of a protection service that requires a browser.
fn challenge() -> Response {
    let page = "<html><body>checking your browser</body></html>";
    let response = response::with_body(403, "text/html", page);
    response::with_header(response, "cf-mitigated", "challenge")
}

/// Returns the response to a request that belongs to no cloud.
fn unknown_path() -> Response {
    response::with_body(
        404,
        "text/plain",
        "no simulated cloud has this path; see the documentation of lifecycle-sim",
    )
}
