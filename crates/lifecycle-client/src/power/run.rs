//! Runs one power request of one client, from the first call to the last outcome.
//!
//! Five parts run side by side within the caller's own future: sending, sending again what was not idle,
//! following jobs, forcing, and recording the results of the poller. Dropping the future ends all five.

use std::{
    future::pending,
    mem,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use futures_util::future::{join, join3};
use lifecycle_core::InstanceId;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};

use super::{
    batch::ActionBatch,
    escalate::escalate,
    force_timers::ForceTimers,
    idle::send_when_idle,
    job::{Jobs, follow_jobs},
    plan::Plan,
    recorder::ShareRecorder,
    resume::resume,
    runner::RequestRunner,
    send::send,
    tracker::OutcomeTracker,
    triage::triage,
};
use crate::{
    instant::after,
    observe::{lookup::ObserveResult, mailbox::Mailbox, observer::Observer},
};

/// Executes `plan`. Every instance of `tracker` has an outcome afterwards.
pub(crate) async fn run(
    observer: &Observer,
    plan: Plan,
    tracker: &Mutex<OutcomeTracker>,
    recorder: Option<Arc<dyn ShareRecorder>>,
) {
    let mailbox = Arc::new(Mailbox::new());
    let timeouts = observer.engine.timeouts;
    let limit = plan.options.timeout().unwrap_or(timeouts.request);
    let deadline = after(Instant::now(), limit);
    let kind = plan.action.map(|action| action.kind());
    let force = plan
        .action
        .and_then(|action| plan.options.force(&action).ok()?);
    let (force_timers, deadlines) = force.map(|force| ForceTimers::new(force.after)).unzip();
    // An ambiguous stop stays open until the forced stop is due.
    let force_after = force.map_or(Duration::ZERO, |force| force.after);
    let subscription = Arc::new(observer.subscribe(Arc::clone(&mailbox)));
    let runner = RequestRunner {
        observer,
        tracker,
        subscription,
        started: Instant::now(),
        deadline,
        settle: timeouts.settle + force_after,
        force_timers,
        senders: AtomicUsize::new(1),
        changed: Notify::new(),
        mailbox,
        recorder,
    };
    let waits = plan.options.timeout().is_some();
    let (jobs, opened) = waits.then(mpsc::unbounded_channel).unzip();
    let action = plan.action.filter(|_| plan.options.when_idle);
    let idle_jobs = jobs.clone();
    let sending = async {
        send_all(&runner, plan, jobs).await;
        runner.finish_sending();
    };
    // Parts that few requests have are on the heap: a request moves its future several times.
    let following = async {
        if let (Some(kind), Some(opened)) = (kind, opened) {
            Box::pin(follow_jobs(&runner, kind, opened)).await;
        }
    };
    let forcing = async {
        if let (Some(force), Some(deadlines)) = (force, deadlines) {
            Box::pin(escalate(&runner, force.action, deadlines)).await;
        }
    };
    let waiting = async {
        if let Some(action) = action {
            Box::pin(send_when_idle(&runner, action, idle_jobs)).await;
        }
    };
    // The other parts only lead to outcomes: they do not end the request.
    let helping = async {
        join3(following, forcing, waiting).await;
        pending::<()>().await;
    };
    tokio::select! {
        // A fixed order makes simulations repeatable.
        biased;
        _ = join(sending, record_results(&runner)) => {}
        () = helping => {}
    }
}

async fn send_all(runner: &RequestRunner<'_>, mut plan: Plan, jobs: Jobs) {
    let Some(action) = plan.action else {
        runner.subscription.add_as_they_are(plan.ids);
        return;
    };
    let mut again = Vec::new();
    if !plan.resume.is_empty() {
        let mut resumed = mem::take(&mut plan.resume);
        let (sent, unsent): (Vec<_>, Vec<_>) = plan
            .ids
            .into_iter()
            .partition(|id| resumed.contains_key(id));
        plan.ids = unsent;
        let points = sent.into_iter();
        let points = points.filter_map(|id| resumed.remove_entry(&id)).collect();
        again = Box::pin(resume(runner, &action, points, &jobs)).await;
    }
    let mut batches = if plan.observes_first() && !plan.ids.is_empty() {
        Box::pin(triage(runner, &action, plan.ids)).await
    } else {
        runner.batches(&plan.ids, &action)
    };
    let again = runner.batches(&again, &action).into_iter();
    batches.extend(again.map(ActionBatch::again));
    send(runner, action, batches, jobs).await;
}

/// Records the results of the poller until no instance is open.
async fn record_results(runner: &RequestRunner<'_>) {
    loop {
        for (ids, event) in runner.mailbox.take_events() {
            runner.record_read_event(&ids, event);
        }
        for (id, result) in runner.mailbox.take() {
            record(runner, &id, &result);
        }
        let now = Instant::now();
        let sending_finished = runner.sending_finished();
        let next = {
            let mut tracker = runner.tracker();
            tracker.expire(now);
            if now >= runner.deadline {
                tracker.deadline_passed(sending_finished, runner.longest_silence());
            }
            if tracker.open() == 0 && sending_finished {
                return;
            }
            // An instance that is open after the deadline is in a call, whose end notifies.
            (now < runner.deadline).then(|| tracker.next_expiry().unwrap_or(runner.deadline))
        };
        tokio::select! {
            biased;
            () = runner.mailbox.wait_for_change() => runner.subscription.ensure_polling(),
            () = sleep_until(next.unwrap_or(runner.deadline)), if next.is_some() => {}
        }
    }
}

fn record(runner: &RequestRunner<'_>, id: &InstanceId, result: &ObserveResult) {
    let mut tracker = runner.tracker();
    tracker.looked_up(id, result);
    if !tracker.is_open(id) {
        runner.subscription.remove(id);
    }
}
