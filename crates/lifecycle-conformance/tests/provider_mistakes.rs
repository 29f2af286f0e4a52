//! Tests that the conformance suite fails for each typical mistake of a provider, and that the named
//! case finds the mistake.
//!
//! [`FaultyProvider`] delegates to a real provider and makes one [`Mistake`]. A case of the table must
//! pass without the mistake and fail with the mistake.

use std::sync::Arc;

use bytes::Bytes;
use lifecycle_conformance::suite::{Case, CaseStatus, SimulatedCloud, cases};
use lifecycle_facade::{
    Credential, Fault, FaultKind, InstanceId, Observation, PowerState, Profile, Provider,
    StopBilling, StopMode, aliyun, baidu, huawei,
    lifecycle_core::{
        Action, ApiCall, BatchAck, ExecutionStatus, HttpResponse, JobId, JobProgress, JobStatus,
        ListPage, ListQuery, NextPage, PageToken, SigningContext, UnsignedRequest,
    },
    zenlayer,
};
use lifecycle_sim::Cloud;
use serde_json::Value;

/// A mistake that the author of a provider can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    SwapsBilling,
    SwapsForcedAndGraceful,
    DropsTheLastId,
    ClaimsAnIgnoredOption,
    DoublesTheBatchLimit,
    LosesTheStateWord,
    LosesTheName,
    LosesTheRequestId,
    LosesTheRetryHint,
    SignsWithoutTheSessionToken,
    SkewedClockIsAWrongKey,
    WrongStateIsAFailure,
    InternalErrorIsNotExecuted,
    NotFoundIsAPermission,
    ThrottledIsInvalid,
    CapacityIsUnknown,
    LockedIsBusy,
    IgnoresRefusedInstances,
    FailedJobIsASuccess,
    NeverReadsJobs,
    ListEndsAfterTheFirstPage,
    StoppingIsStopped,
    StartingIsRunning,
    UnknownStateIsRunning,
    UnknownIdIsStopped,
}

/// Each mistake, a cloud at which the mistake is possible, and the case that finds the mistake.
const TABLE: [(Mistake, Cloud, &str); 26] = [
    (
        Mistake::SwapsBilling,
        Cloud::Aliyun,
        "stop, billing released: running",
    ),
    (
        Mistake::SwapsForcedAndGraceful,
        Cloud::Huawei,
        "stop: running",
    ),
    (
        Mistake::DropsTheLastId,
        Cloud::Baidu,
        "start of a full batch",
    ),
    (
        Mistake::ClaimsAnIgnoredOption,
        Cloud::Zenlayer,
        "stop, billing released: running",
    ),
    (
        Mistake::DoublesTheBatchLimit,
        Cloud::Baidu,
        "start of a full batch",
    ),
    (
        Mistake::LosesTheStateWord,
        Cloud::Huawei,
        "the cloud's word for the state",
    ),
    (
        Mistake::LosesTheName,
        Cloud::Zenlayer,
        "the name of an instance",
    ),
    (
        Mistake::LosesTheRequestId,
        Cloud::Baidu,
        "the request id of an accepted start",
    ),
    (
        Mistake::LosesTheRequestId,
        Cloud::Aliyun,
        "the request id of a refusal",
    ),
    (
        Mistake::LosesTheRetryHint,
        Cloud::Huawei,
        "start: the time of a retry hint",
    ),
    (
        Mistake::SignsWithoutTheSessionToken,
        Cloud::Aliyun,
        "a temporary key",
    ),
    (
        Mistake::SkewedClockIsAWrongKey,
        Cloud::Zenlayer,
        "expired signatures",
    ),
    (
        Mistake::WrongStateIsAFailure,
        Cloud::Aliyun,
        "the reason of a refused stop: starting",
    ),
    (
        Mistake::InternalErrorIsNotExecuted,
        Cloud::Aliyun,
        "reboot: executed, internal error",
    ),
    (
        Mistake::NotFoundIsAPermission,
        Cloud::Aliyun,
        "start of an unknown id",
    ),
    (
        Mistake::ThrottledIsInvalid,
        Cloud::Zenlayer,
        "start: throttled without a hint",
    ),
    (
        Mistake::CapacityIsUnknown,
        Cloud::Aliyun,
        "the reason of a refused start: without capacity",
    ),
    (
        Mistake::LockedIsBusy,
        Cloud::Aliyun,
        "the reason of a refused start: locked",
    ),
    (
        Mistake::IgnoresRefusedInstances,
        Cloud::Aliyun,
        "start of a batch of which one is locked",
    ),
    (
        Mistake::FailedJobIsASuccess,
        Cloud::Huawei,
        "start: without capacity",
    ),
    (
        Mistake::NeverReadsJobs,
        Cloud::Huawei,
        "start of a batch of which one is locked",
    ),
    (
        Mistake::ListEndsAfterTheFirstPage,
        Cloud::Baidu,
        "listing more than one page",
    ),
    (Mistake::StoppingIsStopped, Cloud::Baidu, "stop: running"),
    (Mistake::StartingIsRunning, Cloud::Aliyun, "start: stopped"),
    (
        Mistake::UnknownStateIsRunning,
        Cloud::Zenlayer,
        "observing an undocumented state",
    ),
    (
        Mistake::UnknownIdIsStopped,
        Cloud::Aliyun,
        "observing an unknown id",
    ),
];

/// A real provider with one mistake, or without a mistake.
#[derive(Debug)]
struct FaultyProvider {
    inner: Arc<dyn Provider>,
    profile: Profile,
    mistake: Option<Mistake>,
}

impl FaultyProvider {
    fn new(cloud: &SimulatedCloud, name: Cloud, mistake: Option<Mistake>) -> Result<Self, String> {
        let problem = |error: &dyn std::error::Error| error.to_string();
        let inner: Arc<dyn Provider> = match name {
            Cloud::Baidu => {
                let config = baidu::Config::new("bj").map_err(|error| problem(&error))?;
                Arc::new(baidu::Baidu::new(config))
            }
            Cloud::Aliyun => {
                let config = aliyun::Config::new("cn-hangzhou").map_err(|error| problem(&error))?;
                Arc::new(aliyun::Aliyun::new(config))
            }
            Cloud::Zenlayer => Arc::new(zenlayer::Zenlayer::new(zenlayer::Config::new())),
            _ => {
                let config = huawei::Config::new("cn-north-4", &cloud.project_id())
                    .map_err(|error| problem(&error))?;
                Arc::new(huawei::Huawei::new(config))
            }
        };
        let mut profile = inner.profile().clone();
        match mistake {
            Some(Mistake::DoublesTheBatchLimit) => profile.batch_limits.start *= 2,
            Some(Mistake::ClaimsAnIgnoredOption) => profile.support.release_billing = true,
            _ => {}
        }
        Ok(Self {
            inner,
            profile,
            mistake,
        })
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Returns the call for a start of a batch of up to twice the limit of the cloud.
    fn act_on_too_many(
        &self,
        action: &Action,
        ids: &[InstanceId],
    ) -> Result<ApiCall<BatchAck>, Fault> {
        let limit = self.inner.profile().batch_limits.start;
        let (first, rest) = ids.split_at(ids.len().min(limit));
        let mut call = self.inner.act(action, first)?;
        let mut body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
        if let Some(listed) = body["instanceIds"].as_array_mut() {
            listed.extend(rest.iter().map(|id| id.as_str().into()));
            call.request.body = body.to_string().into();
        }
        Ok(call)
    }

    /// Returns the call with another reading of the response.
    fn reread<T: 'static>(
        &self,
        call: ApiCall<T>,
        change: impl Fn(T) -> T + Send + Sync + 'static,
    ) -> ApiCall<T> {
        let mistake = self.mistake;
        ApiCall::new(call.request.clone(), move |response| {
            let result = call.read(response);
            result.map(&change).map_err(|fault| misread(fault, mistake))
        })
    }

    fn reread_rows(&self, call: ApiCall<Vec<Observation>>) -> ApiCall<Vec<Observation>> {
        let mistake = self.mistake;
        self.reread(call, move |rows| mistaken_rows(rows, mistake))
    }
}

/// Returns the fault that a provider with this mistake makes of a response.
fn misread(fault: Fault, mistake: Option<Mistake>) -> Fault {
    use FaultKind as Kind;
    let is_internal = fault.status().is_some_and(|status| status >= 500);
    match (mistake, fault.kind()) {
        (Some(Mistake::SkewedClockIsAWrongKey), Kind::ClockSkew) => {
            fault.with_kind(Kind::Credential)
        }
        (Some(Mistake::WrongStateIsAFailure), Kind::WrongState) => fault.with_kind(Kind::Failed),
        (Some(Mistake::InternalErrorIsNotExecuted), _) if is_internal => {
            fault.with_execution_status(ExecutionStatus::NotExecuted)
        }
        (Some(Mistake::NotFoundIsAPermission), Kind::NotFound) => fault.with_kind(Kind::Permission),
        (Some(Mistake::ThrottledIsInvalid), Kind::Throttled) => fault.with_kind(Kind::Invalid),
        (Some(Mistake::CapacityIsUnknown), Kind::Capacity) => fault.with_kind(Kind::Unknown),
        (Some(Mistake::LockedIsBusy), Kind::Locked) => fault.with_kind(Kind::Busy),
        (Some(Mistake::LosesTheRequestId), _) => fault.with_request_id(None::<String>),
        (Some(Mistake::LosesTheRetryHint), _) => fault.with_retry_after(None),
        _ => fault,
    }
}

fn mistaken_rows(rows: Vec<Observation>, mistake: Option<Mistake>) -> Vec<Observation> {
    let change = |mut row: Observation| {
        match (mistake, row.state) {
            (Some(Mistake::LosesTheStateWord), _) => row.raw.clear(),
            (Some(Mistake::LosesTheName), _) => row.name = None,
            (Some(Mistake::StoppingIsStopped), PowerState::Stopping) => {
                row.state = PowerState::Stopped;
            }
            (Some(Mistake::StartingIsRunning), PowerState::Starting)
            | (Some(Mistake::UnknownStateIsRunning), PowerState::Unknown) => {
                row.state = PowerState::Running;
            }
            _ => {}
        }
        row
    };
    rows.into_iter().map(change).collect()
}

fn mistaken_ack(ack: BatchAck, mistake: Option<Mistake>) -> BatchAck {
    let misread = |refused: Vec<(InstanceId, Fault)>| {
        let rows = refused.into_iter();
        rows.map(|(id, fault)| (id, misread(fault, mistake)))
            .collect()
    };
    match ack {
        BatchAck::Except(_) | BatchAck::Each { .. }
            if mistake == Some(Mistake::IgnoresRefusedInstances) =>
        {
            BatchAck::All
        }
        BatchAck::Except(refused) => BatchAck::Except(misread(refused)),
        BatchAck::Each { accepted, refused } => BatchAck::Each {
            accepted,
            refused: misread(refused),
        },
        ack => ack,
    }
}

fn mistaken_progress(progress: JobProgress, mistake: Option<Mistake>) -> JobProgress {
    let status = |status: JobStatus| match status {
        JobStatus::Failed(_) if mistake == Some(Mistake::FailedJobIsASuccess) => {
            JobStatus::Succeeded
        }
        JobStatus::Failed(fault) => JobStatus::Failed(misread(fault, mistake)),
        status => status,
    };
    let parts = progress.parts.into_iter();
    let parts = parts.map(|(id, part)| (id, status(part))).collect();
    JobProgress::new(status(progress.overall)).with_parts(parts)
}

impl Provider for FaultyProvider {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        let swapped = |mode: StopMode| match mode {
            StopMode::Graceful => StopMode::Forced,
            _ => StopMode::Graceful,
        };
        let mut action = *action;
        match (&mut action, self.mistake) {
            (Action::Stop(stop), Some(Mistake::SwapsBilling)) => {
                stop.billing = match stop.billing {
                    StopBilling::Keep => StopBilling::Release,
                    _ => StopBilling::Keep,
                };
            }
            (Action::Stop(stop), Some(Mistake::ClaimsAnIgnoredOption)) => {
                stop.billing = StopBilling::Keep;
            }
            (Action::Stop(stop), Some(Mistake::SwapsForcedAndGraceful)) => {
                stop.mode = swapped(stop.mode);
            }
            (Action::Reboot(reboot), Some(Mistake::SwapsForcedAndGraceful)) => {
                reboot.mode = swapped(reboot.mode);
            }
            _ => {}
        }
        let ids = match ids.split_last() {
            Some((_, others)) if self.makes(Mistake::DropsTheLastId) && !others.is_empty() => {
                others
            }
            _ => ids,
        };
        let call = match self.makes(Mistake::DoublesTheBatchLimit) {
            true => self.act_on_too_many(&action, ids)?,
            false => self.inner.act(&action, ids)?,
        };
        let mistake = self.mistake;
        Ok(self.reread(call, move |ack| mistaken_ack(ack, mistake)))
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        let call = self.inner.observe(ids)?;
        if !self.makes(Mistake::UnknownIdIsStopped) {
            return Ok(self.reread_rows(call));
        }
        let requested = ids.to_vec();
        Ok(self.reread(call, move |mut rows| {
            for id in &requested {
                if !rows.iter().any(|row| row.instance == *id) {
                    rows.push(Observation::new(id.clone(), PowerState::Stopped, "Stopped"));
                }
            }
            rows
        }))
    }

    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        Ok(self.reread_rows(self.inner.describe(ids)?))
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        let mistake = self.mistake;
        let call = self.inner.list(query, page)?;
        Ok(self.reread(call, move |mut page| {
            page.observations = mistaken_rows(page.observations, mistake);
            if mistake == Some(Mistake::ListEndsAfterTheFirstPage) {
                page.next = NextPage::End;
            }
            page
        }))
    }

    fn follow(&self, job: &JobId) -> Option<ApiCall<JobProgress>> {
        if self.makes(Mistake::NeverReadsJobs) {
            return None;
        }
        let mistake = self.mistake;
        let call = self.inner.follow(job)?;
        Some(self.reread(call, move |progress| mistaken_progress(progress, mistake)))
    }

    fn canonical_id(&self, id: &InstanceId) -> InstanceId {
        self.inner.canonical_id(id)
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        context: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        match key {
            Credential::Keys { id, secret, .. }
                if self.makes(Mistake::SignsWithoutTheSessionToken) =>
            {
                let key = Credential::keys(id, secret.expose());
                self.inner.sign(request, &key, context)
            }
            key => self.inner.sign(request, key, context),
        }
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        let result = self.inner.check(response);
        result.map_err(|fault| misread(fault, self.mistake))
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        match self.makes(Mistake::LosesTheRequestId) {
            true => None,
            false => self.inner.request_id(response),
        }
    }
}

fn run(case: &Case, name: Cloud, mistake: Option<Mistake>) -> CaseStatus {
    case.run_in_paused_time(|| {
        let cloud = SimulatedCloud::new(name);
        let provider = FaultyProvider::new(&cloud, name, mistake)?;
        Ok(cloud.with_provider(Arc::new(provider)))
    })
}

#[test]
fn suite_finds_each_mistake_of_a_provider_by_the_named_case() {
    let cases = cases();
    let mut unnoticed = Vec::new();
    for (mistake, cloud, name) in TABLE {
        let case = cases.iter().find(|case| case.name == name);
        let case = case.unwrap_or_else(|| panic!("no case {name:?}"));
        let without = run(case, cloud, None);
        let is_right = match mistake {
            Mistake::ClaimsAnIgnoredOption => matches!(without, CaseStatus::NotApplicable(_)),
            _ => without == CaseStatus::Passed,
        };
        match run(case, cloud, Some(mistake)) {
            CaseStatus::Failed(reason) if is_right => {
                println!("{mistake:?} at {cloud}, {name}: {reason}");
            }
            with => unnoticed.push(format!(
                "{mistake:?} at {cloud}, {name}: {without:?} without the mistake, {with:?} with"
            )),
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}
