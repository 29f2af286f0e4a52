//! The retry loop: retries a call while a retry is useful, harmless and affordable.

use std::{sync::Mutex, time::Duration};

use lifecycle_core::{ExecutionStatus, Fault, FaultKind};
use tokio::time::{Instant, sleep};

use crate::{
    call::context::{CallContext, CallError, CallOutput},
    call::policy::RetryPolicy,
    sync::lock,
};

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct AttemptError {
    pub(crate) fault: Fault,
    /// The cause is already removed, for example by a renewed key, and the cloud did not execute the
    /// call: the next attempt follows at once, without policy or budget. The attempt sets `corrected`
    /// at most once per cause and call.
    pub(crate) corrected: bool,
    /// The request left, or the fault repeats the cloud's rejection of the key.
    pub(crate) sent: bool,
    /// The response did not arrive within the time limit of an attempt.
    pub(crate) timed_out: bool,
}

impl AttemptError {
    /// Returns the error of a request that left.
    pub(crate) fn answered(fault: Fault) -> Self {
        Self {
            sent: true,
            ..fault.into()
        }
    }
}

/// Converts the fault of a request that never left.
impl From<Fault> for AttemptError {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            corrected: false,
            sent: false,
            timed_out: false,
        }
    }
}

/// Runs `attempt` until it succeeds, or until policy, budget or deadline forbid a retry. A
/// corrected attempt is always retried.
///
/// `attempt` receives its number, counted from 1. `random` returns numbers from 0 up to 1.
/// `on_retry` receives the fault, the number of the next attempt and the wait before it.
pub(crate) async fn retry_loop<T, A>(
    attempt: impl Fn(u32) -> A,
    ctx: &CallContext<'_>,
    policy: &RetryPolicy,
    budget: &RetryBudget,
    random: impl Fn() -> f64,
    on_retry: impl Fn(Fault, u32, Duration),
) -> Result<CallOutput<T>, CallError>
where
    A: Future<Output = Result<CallOutput<T>, AttemptError>>,
{
    let mut attempts = 0;
    let mut execution = ExecutionStatus::NotExecuted;
    loop {
        attempts += 1;
        let AttemptError {
            fault,
            corrected,
            sent,
            timed_out,
        } = match attempt(attempts).await {
            Ok(output) => {
                budget.deposit();
                return Ok(CallOutput {
                    execution,
                    ..output
                });
            }
            Err(error) => error,
        };
        if fault.maybe_executed() {
            execution = ExecutionStatus::Unknown;
        }
        if corrected {
            continue;
        }
        let retry = may_retry(&fault, ctx, attempts, policy)
            // A slow cloud may have executed the call: an observation is cheaper than the next time limit.
            && (!timed_out || ctx.observer.is_still_needed().await);
        let wait = retry
            .then(|| backoff(&fault, attempts, policy, &random))
            .filter(|wait| *wait < ctx.send_by.saturating_duration_since(Instant::now()))
            .filter(|_| budget.withdraw());
        let Some(wait) = wait else {
            return Err(CallError {
                fault: fault.with_attempts(attempts),
                attempts,
                execution,
                sent,
            });
        };
        on_retry(fault, attempts + 1, wait);
        sleep(wait).await;
    }
}

/// Returns `true` if a retry can succeed, cannot do harm, and is within the attempts of the policy.
fn may_retry(fault: &Fault, ctx: &CallContext<'_>, attempts: u32, policy: &RetryPolicy) -> bool {
    if fault.maybe_executed() && !ctx.kind.is_idempotent() {
        return false;
    }
    match fault.kind() {
        // Rejected before execution, and the cloud asks for the wait: deadline and budget are the
        // limits, not the number of attempts.
        FaultKind::Throttled => policy.attempts > 1,
        FaultKind::Unreachable | FaultKind::NoAnswer | FaultKind::Unavailable => {
            attempts < policy.attempts
        }
        // An action with an unreadable response is not retried: an observation will show the result.
        FaultKind::Unreadable => ctx.kind.is_read() && attempts < policy.attempts,
        // In a batch, the busy instance must be found first. A reboot can be the reason why the instance is busy.
        FaultKind::Busy => {
            ctx.instances == 1 && ctx.kind.is_idempotent() && attempts < policy.attempts
        }
        _ => false,
    }
}

/// Returns the wait before the next attempt: the cloud's hint, or an exponential backoff with full
/// jitter.
fn backoff(
    fault: &Fault,
    attempts: u32,
    policy: &RetryPolicy,
    random: impl Fn() -> f64,
) -> Duration {
    let jitter = |max: Duration| max.mul_f64(random());
    match fault.retry_after() {
        Some(hint) => hint.saturating_add(jitter(policy.base)),
        None => jitter(policy.ceiling(attempts)),
    }
}

/// The number of retries that all clones of a client may still make. Each success pays a part of a
/// retry back: a healthy cloud is retried freely, and a broken one is left alone.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    balance: Mutex<f64>,
    limit: f64,
}

impl RetryBudget {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            balance: Mutex::new(f64::from(limit)),
            limit: f64::from(limit),
        }
    }

    /// Takes one retry from the budget; `false` if the budget is spent.
    fn withdraw(&self) -> bool {
        let mut balance = lock(&self.balance);
        let granted = *balance >= 1.0;
        if granted {
            *balance -= 1.0;
        }
        granted
    }

    /// Pays a fifth of a retry back.
    fn deposit(&self) {
        let mut balance = lock(&self.balance);
        *balance = (*balance + 0.2).min(self.limit);
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::Idempotency;

    use super::*;
    use crate::call::{
        context::CallKind,
        event::{CallEvent, CallObserver, IgnoreEvents},
    };

    #[test]
    fn failed_call_is_retried_only_if_useful_and_harmless() {
        const READ: CallKind = CallKind::Observe;
        const START: CallKind = CallKind::Act(Idempotency::Idempotent("same goal"));
        const REBOOT: CallKind = CallKind::Act(Idempotency::NotIdempotent("reboots again"));
        for (kind, instances, fault, expected) in [
            (READ, 9, FaultKind::Unavailable, true),
            (START, 9, FaultKind::Unavailable, true),
            (REBOOT, 1, FaultKind::Unavailable, false),
            (REBOOT, 1, FaultKind::NoAnswer, false),
            (REBOOT, 9, FaultKind::Unreachable, true),
            (REBOOT, 9, FaultKind::Throttled, true),
            (READ, 9, FaultKind::Unreadable, true),
            (START, 9, FaultKind::Unreadable, false),
            (START, 1, FaultKind::Busy, true),
            (REBOOT, 1, FaultKind::Busy, false),
            (START, 9, FaultKind::Busy, false),
            (READ, 1, FaultKind::Credential, false),
            (READ, 1, FaultKind::Invalid, false),
        ] {
            let ctx = CallContext::of_read(kind, instances, Instant::now(), &IgnoreEvents);
            let fault = Fault::new(fault, "no");
            let policy = RetryPolicy::default();
            let found = may_retry(&fault, &ctx, 1, &policy);
            assert_eq!(found, expected, "{kind:?} of {instances}: {fault}");
            let is_throttled = fault.kind() == FaultKind::Throttled;
            let found = may_retry(&fault, &ctx, policy.attempts, &policy);
            assert_eq!(found, is_throttled, "last attempt: {fault}");
            assert!(!may_retry(&fault, &ctx, 1, &RetryPolicy::never()));
        }
    }

    /// Runs attempts that fail with `error`. Returns the retries (number of the next attempt and wait), and the
    /// final error.
    async fn fail(
        error: impl Fn() -> AttemptError,
        time: Duration,
        budget: &RetryBudget,
    ) -> (Vec<(u32, Duration)>, CallError) {
        let retries = Mutex::new(Vec::new());
        let policy = RetryPolicy::default();
        let deadline = Instant::now() + time;
        let ctx = CallContext::of_read(CallKind::Observe, 1, deadline, &IgnoreEvents);
        let result = retry_loop(
            async |_| Err::<CallOutput<()>, _>(error()),
            &ctx,
            &policy,
            budget,
            || 0.5,
            |_, number, wait| lock(&retries).push((number, wait)),
        );
        let error = result.await.unwrap_err();
        (retries.into_inner().unwrap(), error)
    }

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_numbered_and_wait_longer_each_time() {
        let unavailable =
            || AttemptError::answered(Fault::new(FaultKind::Unavailable, "try later"));
        let budget = RetryBudget::new(50);
        let (retries, error) = fail(unavailable, millis(60_000), &budget).await;
        let waits = [(2, 250), (3, 500), (4, 1_000), (5, 2_000)];
        assert_eq!(retries, waits.map(|(number, wait)| (number, millis(wait))));
        assert_eq!((error.attempts, error.fault.attempts()), (5, 5));
        assert_eq!(error.execution, ExecutionStatus::Unknown);
        assert!(error.sent);
    }

    #[tokio::test(start_paused = true)]
    async fn no_retry_waits_until_the_deadline_and_none_is_paid_without_a_retry() {
        let refused = || Fault::new(FaultKind::Unreachable, "no connection").into();
        let budget = RetryBudget::new(1);
        let (retries, error) = fail(refused, millis(250), &budget).await;
        assert_eq!((retries.len(), error.attempts), (0, 1));
        assert_eq!(error.execution, ExecutionStatus::NotExecuted);
        assert!(!error.sent);
        let (retries, error) = fail(refused, millis(251), &budget).await;
        assert_eq!((retries.len(), error.attempts), (1, 2));
        let (retries, _) = fail(refused, millis(60_000), &budget).await;
        assert_eq!(retries.len(), 0, "the budget is spent");
    }

    #[tokio::test(start_paused = true)]
    async fn lookup_without_a_response_in_time_is_repeated() {
        let timed_out = || AttemptError {
            timed_out: true,
            ..AttemptError::answered(Fault::new(FaultKind::NoAnswer, "no response"))
        };
        let (retries, error) = fail(timed_out, millis(60_000), &RetryBudget::new(50)).await;
        assert_eq!((retries.len(), error.attempts), (4, 5));
    }

    /// The observer of a call whose purpose is reached without its response.
    struct NoLongerNeeded;

    #[async_trait::async_trait]
    impl CallObserver for NoLongerNeeded {
        fn on_event(&self, _: CallEvent) {}

        async fn is_still_needed(&self) -> bool {
            false
        }
    }

    #[tokio::test(start_paused = true)]
    async fn call_without_a_response_in_time_is_repeated_only_if_still_needed() {
        let policy = RetryPolicy::default();
        let deadline = Instant::now() + millis(60_000);
        let ctx = CallContext::of_read(CallKind::Observe, 1, deadline, &NoLongerNeeded);
        for (timed_out, expected) in [(true, 1), (false, 5)] {
            let attempt = async |_| {
                Err::<CallOutput<()>, _>(AttemptError {
                    timed_out,
                    ..AttemptError::answered(Fault::new(FaultKind::NoAnswer, "no response"))
                })
            };
            let budget = RetryBudget::new(50);
            let result = retry_loop(attempt, &ctx, &policy, &budget, || 0.5, |_, _, _| {});
            assert_eq!(result.await.unwrap_err().attempts, expected, "{timed_out}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn success_after_an_ambiguous_attempt_has_an_unknown_execution_status() {
        let policy = RetryPolicy::default();
        let deadline = Instant::now() + millis(60_000);
        let ctx = CallContext::of_read(CallKind::Observe, 1, deadline, &IgnoreEvents);
        for (first, expected) in [
            (FaultKind::Unavailable, ExecutionStatus::Unknown),
            (FaultKind::Unreachable, ExecutionStatus::NotExecuted),
        ] {
            let attempt = async |number| match number {
                1 => Err(AttemptError::answered(Fault::new(first, "no"))),
                _ => Ok(CallOutput {
                    value: number,
                    request_id: None,
                    execution: ExecutionStatus::NotExecuted,
                }),
            };
            let budget = RetryBudget::new(50);
            let result = retry_loop(attempt, &ctx, &policy, &budget, || 0.5, |_, _, _| {});
            let output = result.await.unwrap();
            assert_eq!((output.value, output.execution), (2, expected), "{first:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hint_of_the_cloud_is_kept_and_half_of_the_base_is_added() {
        let hint = Some(millis(7_000));
        let throttled = || {
            AttemptError::answered(Fault::new(FaultKind::Throttled, "no").with_retry_after(hint))
        };
        let (retries, error) = fail(throttled, millis(15_000), &RetryBudget::new(50)).await;
        assert_eq!(retries, [(2, millis(7_250)), (3, millis(7_250))]);
        assert_eq!(error.attempts, 3);
        assert_eq!(error.execution, ExecutionStatus::NotExecuted);
    }

    #[tokio::test(start_paused = true)]
    async fn corrected_attempt_is_repeated_at_once_without_the_budget() {
        let attempts = Mutex::new(0);
        let corrected_once = || {
            *lock(&attempts) += 1;
            AttemptError {
                corrected: *lock(&attempts) == 1,
                ..AttemptError::answered(Fault::new(FaultKind::Credential, "no"))
            }
        };
        let start = Instant::now();
        let (retries, error) = fail(corrected_once, millis(9), &RetryBudget::new(0)).await;
        assert_eq!((retries.len(), error.attempts), (0, 2));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[test]
    fn spent_retry_budget_is_paid_back_by_successes() {
        let budget = RetryBudget::new(2);
        assert!(budget.withdraw());
        assert!(budget.withdraw());
        assert!(!budget.withdraw());
        for _ in 0..5 {
            budget.deposit();
        }
        assert!(budget.withdraw());
        assert!(!budget.withdraw());
    }
}
