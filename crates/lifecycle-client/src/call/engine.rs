//! The one path on which every call goes out: pace, stamp, sign, send, check, read, decide.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use lifecycle_core::{
    ApiCall, Credential, ExecutionStatus, Fault, FaultKind, HttpResponse, Idempotency, ResponseExt,
    Secret,
};
use tokio::{
    sync::MutexGuard,
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{
    call::policy::RetryPolicy,
    call::rate_limit::Permit,
    client::{Inner, admit_address},
    power::event::Event,
    transport::TransportError,
};

/// What a call is for. It decides on the queue, the counter and whether a repeat is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    Act(Idempotency),
    Observe,
    List,
    Follow,
}

impl CallKind {
    fn is_repeatable(self) -> bool {
        !matches!(self, Self::Act(Idempotency::NotIdempotent(_)))
    }
}

/// How far to go for a call, and whom to tell on the way.
pub(crate) struct CallContext<'a> {
    pub(crate) purpose: CallKind,
    /// How many instances the call names, for logs.
    pub(crate) instances: usize,
    pub(crate) deadline: Instant,
    pub(crate) observer: &'a (dyn Fn(Event) + Send + Sync),
}

/// A call that worked.
#[derive(Debug)]
pub(crate) struct CallOutput<T> {
    pub(crate) value: T,
    pub(crate) request_id: Option<String>,
    /// Whether an attempt before the one that worked may have been carried out.
    pub(crate) effect: ExecutionStatus,
}

/// A call that did not work.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) fault: Fault,
    pub(crate) attempts: u32,
    /// Some attempt, not only the last one, may have been carried out.
    pub(crate) effect: ExecutionStatus,
}

impl CallError {
    /// The call could not even be built.
    pub(crate) fn unsent(fault: Fault) -> Self {
        Self {
            fault,
            attempts: 0,
            effect: ExecutionStatus::NotExecuted,
        }
    }
}

impl Inner {
    pub(crate) async fn execute<T>(
        &self,
        call: &ApiCall<T>,
        effort: &CallContext<'_>,
    ) -> Result<CallOutput<T>, CallError> {
        let mut attempts = 0;
        let mut effect = ExecutionStatus::NotExecuted;
        let mut signed_anew = false;
        let mut key_replaced = false;
        loop {
            attempts += 1;
            let Attempt { result, lesson } = self.attempt(call, effort).await;
            let fault = match result {
                Ok(answer) => return Ok(CallOutput { effect, ..answer }),
                Err(fault) => fault,
            };
            log(call, effort, attempts, &fault);
            if fault.maybe_executed() {
                effect = ExecutionStatus::Unknown;
            }
            let give_up = |fault| CallError {
                fault,
                attempts,
                effect,
            };
            match lesson {
                Recovery::Time if !signed_anew => {
                    signed_anew = true;
                    continue;
                }
                Recovery::KeyRefused(key) if !key_replaced && self.replaced(&key, effort).await => {
                    key_replaced = true;
                    continue;
                }
                _ => {}
            }
            let Some(wait) = self.wait_before_repeat(&fault, effort, attempts) else {
                return Err(give_up(fault));
            };
            let left = effort.deadline.saturating_duration_since(Instant::now());
            if wait >= left || !self.retry_budget.withdraw() {
                return Err(give_up(fault));
            }
            self.calls.repeats.fetch_add(1, Ordering::Relaxed);
            (effort.observer)(match fault.kind() {
                FaultKind::Throttled => Event::Throttled {
                    operation: call.request.operation,
                    wait,
                },
                _ => Event::Retrying {
                    operation: call.request.operation,
                    attempt: attempts + 1,
                    wait,
                    fault,
                },
            });
            sleep(wait).await;
        }
    }

    async fn attempt<T>(&self, call: &ApiCall<T>, effort: &CallContext<'_>) -> Attempt<T> {
        let pass = match self.pass(effort).await {
            Ok(pass) => pass,
            Err(fault) => return Attempt::failed(fault),
        };
        let signed = Signed {
            at: self.clock.now(),
            offset: self.skew.offset(),
        };
        match self.exchange(call, effort, &pass.key, signed).await {
            Ok(reply) => self.judge(call, effort.purpose, &reply, &pass, signed),
            Err(fault) => Attempt::failed(fault),
        }
    }

    /// A key that may be used, and the permission to send one call now.
    async fn pass(&self, effort: &CallContext<'_>) -> Result<Admission<'_>, Fault> {
        let admission = async {
            let mut key = self.key().await?;
            let mut first_use_lock = self.trust.first_use_lock(&key).await;
            let grant = self.pacer(effort.purpose).acquire().await;
            loop {
                // It can be replaced or refused while this call stands in the queue.
                let now = self.key().await?;
                if now.same_key(&key) {
                    return Ok(Admission {
                        key: now,
                        grant,
                        _first_use_lock: first_use_lock,
                    });
                }
                drop(first_use_lock);
                first_use_lock = self.trust.first_use_lock(&now).await;
                key = now;
            }
        };
        timeout_at(effort.deadline, admission)
            .await
            .unwrap_or_else(|_| Err(too_late()))
    }

    /// The key of the moment, unless it was refused before. Then its source is asked whether there
    /// is another one by now.
    async fn key(&self) -> Result<Arc<Credential>, Fault> {
        let key = self.any_key().await?;
        let Err(refusal) = self.mutant.admission(self.trust.admit(&key)) else {
            return Ok(key);
        };
        if !self.credentials.invalidate(&key) {
            return Err(refusal);
        }
        let key = self.any_key().await?;
        self.mutant.admission(self.trust.admit(&key))?;
        Ok(key)
    }

    async fn any_key(&self) -> Result<Arc<Credential>, Fault> {
        let key = self.credentials.credential().await;
        key.map_err(|missing| missing.fault().clone())
    }

    /// Whether there is another key than the refused one. The call was not carried out, so it can
    /// go out again with that.
    async fn replaced(&self, refused: &Credential, effort: &CallContext<'_>) -> bool {
        if !self.credentials.invalidate(refused) {
            return false;
        }
        let next = timeout_at(effort.deadline, self.credentials.credential()).await;
        matches!(next, Ok(Ok(key)) if !key.same_key(refused))
    }

    /// From the draft to the answer. Every fault of this half is ours or the transport's.
    async fn exchange<T>(
        &self,
        call: &ApiCall<T>,
        effort: &CallContext<'_>,
        key: &Credential,
        signed: Signed,
    ) -> Result<HttpResponse, Fault> {
        let left = effort.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(too_late());
        }
        let stamp = self.clock.stamp(signed.offset);
        let request = self.provider.sign(&call.request, key, &stamp)?;
        admit_address(request.uri(), self.plain_http)?;
        self.calls.count(effort.purpose);
        let limit = self.timeouts.attempt.min(left);
        match timeout(limit, self.transport.send(request)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(transport_fault(&error)),
            Err(_) => Err(silence(limit)),
        }
    }

    /// What the answer means, and what the client learns from it.
    fn judge<T>(
        &self,
        call: &ApiCall<T>,
        purpose: CallKind,
        reply: &HttpResponse,
        pass: &Admission<'_>,
        signed: Signed,
    ) -> Attempt<T> {
        let request_id = self.provider.request_id(reply);
        let result = self
            .provider
            .check(reply)
            .and_then(|()| call.read(reply))
            .map_err(|fault| complete(fault, request_id.as_deref(), &pass.key));
        let mut lesson = Recovery::None;
        match &result {
            Ok(_) => {
                self.pacer(purpose).succeeded(pass.grant);
                self.retry_budget.deposit();
                self.trust.confirm(&pass.key);
                self.skew.confirm(reply.date(), signed.at);
            }
            Err(fault) => match fault.kind() {
                FaultKind::Throttled => {
                    self.pacer(purpose)
                        .throttled(pass.grant, fault.retry_after());
                }
                FaultKind::Credential => {
                    self.trust.revoke(&pass.key, fault);
                    if !fault.maybe_executed() {
                        lesson = Recovery::KeyRefused(Arc::clone(&pass.key));
                    }
                }
                FaultKind::ClockSkew if self.skew.learn(reply.date(), signed.at, signed.offset) => {
                    if !fault.maybe_executed() {
                        lesson = Recovery::Time;
                    }
                }
                FaultKind::ClockSkew
                | FaultKind::Unavailable
                | FaultKind::Unreadable
                | FaultKind::Unknown => {}
                // The cloud looked behind the signature, so the key is good.
                _ => self.trust.confirm(&pass.key),
            },
        }
        Attempt {
            result: result.map(|value| CallOutput {
                value,
                request_id,
                effect: ExecutionStatus::NotExecuted,
            }),
            lesson,
        }
    }

    /// How long to wait before the next attempt; `None` when there must not be one.
    fn wait_before_repeat(
        &self,
        fault: &Fault,
        effort: &CallContext<'_>,
        attempts: u32,
    ) -> Option<Duration> {
        let policy = &self.retry;
        may_repeat(fault, effort, attempts, policy).then(|| {
            let jitter = |most: Duration| most.mul_f64(self.chance());
            match fault.retry_after() {
                Some(hint) => hint.saturating_add(jitter(policy.base)),
                None => jitter(policy.ceiling(attempts)),
            }
        })
    }
}

/// Whether another attempt can help and can do no harm.
fn may_repeat(
    fault: &Fault,
    effort: &CallContext<'_>,
    attempts: u32,
    policy: &RetryPolicy,
) -> bool {
    if fault.maybe_executed() && !effort.purpose.is_repeatable() {
        return false;
    }
    let reading = !matches!(effort.purpose, CallKind::Act(_));
    match fault.kind() {
        // Refused before execution, and the wait is the cloud's own: only time is the limit.
        FaultKind::Throttled => policy.attempts > 1,
        FaultKind::Unreachable | FaultKind::NoAnswer | FaultKind::Unavailable => {
            attempts < policy.attempts
        }
        // An action that was answered with garbage is settled by looking instead.
        FaultKind::Unreadable => reading && attempts < policy.attempts,
        // In a batch somebody has to find out first which instance is busy.
        FaultKind::Busy => effort.instances == 1 && attempts < policy.attempts,
        _ => false,
    }
}

struct Admission<'a> {
    key: Arc<Credential>,
    grant: Permit,
    /// Held until the answer is judged, while the key has never worked.
    _first_use_lock: Option<MutexGuard<'a, ()>>,
}

/// When a call was signed, and by how much the cloud's clock was taken to be ahead.
#[derive(Clone, Copy)]
struct Signed {
    at: SystemTime,
    offset: i64,
}

struct Attempt<T> {
    result: Result<CallOutput<T>, Fault>,
    lesson: Recovery,
}

impl<T> Attempt<T> {
    fn failed(fault: Fault) -> Self {
        Self {
            result: Err(fault),
            lesson: Recovery::None,
        }
    }
}

/// What an attempt taught about the next one.
enum Recovery {
    None,
    /// The cloud's time is known now: a new signature can succeed at once.
    Time,
    /// The cloud refused this key, and did nothing.
    KeyRefused(Arc<Credential>),
}

pub(crate) fn transport_fault(error: &TransportError) -> Fault {
    let kind = match error.execution_status() {
        ExecutionStatus::NotExecuted => FaultKind::Unreachable,
        _ => FaultKind::NoAnswer,
    };
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    Fault::new(kind, message)
}

/// Adds the request id, and takes out what must not be seen: an answer can quote the request.
fn complete(mut fault: Fault, request_id: Option<&str>, key: &Credential) -> Fault {
    if fault.request_id().is_none() {
        fault = fault.with_request_id(request_id);
    }
    for secret in key.secrets().map(Secret::expose) {
        if !secret.is_empty() && fault.message().contains(secret) {
            let message = fault.message().replace(secret, "[secret]");
            fault = fault.with_message(message);
        }
    }
    fault
}

fn too_late() -> Fault {
    Fault::new(
        FaultKind::Deadline,
        "the time was over before the call could be made",
    )
}

pub(crate) fn silence(limit: Duration) -> Fault {
    Fault::new(
        FaultKind::NoAnswer,
        format!("no answer within {:.1} s", limit.as_secs_f64()),
    )
}

fn log<T>(call: &ApiCall<T>, effort: &CallContext<'_>, attempt: u32, fault: &Fault) {
    tracing::debug!(
        operation = call.request.operation,
        instances = effort.instances,
        attempt,
        kind = fault.kind().as_str(),
        code = fault.code(),
        request_id = fault.request_id(),
        "call failed"
    );
}
