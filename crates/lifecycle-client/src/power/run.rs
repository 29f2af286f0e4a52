//! One power request from its first call to its last outcome.
//!
//! Four things go on side by side within the caller's own future: actions are sent, jobs are
//! followed, what does not stop in time is forced, and sights from the poller are written into the
//! book. Dropping the future ends all four.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, future::join, stream};
use lifecycle_core::{Action, ActionKind, Fault, FaultKind, InstanceId, JobId, Observation};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep_until},
};

use crate::{
    call::context::{CallContext, CallKind},
    call::event::{CallEvent, CallObserver},
    mutation::Mutation,
    observe::lookup::{ObserveResult, ObserveResults, not_shown},
    observe::mailbox::Mailbox,
    observe::observer::Observer,
    observe::poller::Subscription,
    power::escalate::ForceTimers,
    power::event::Event,
    power::plan::{Plan, batches},
    power::report::Report,
    power::tracker::OutcomeTracker,
    sync,
};

/// Carries `plan` out.
pub(crate) async fn run(
    observer: &Arc<Observer>,
    plan: Plan,
    events: Option<UnboundedSender<Event>>,
) -> Report {
    let mutant = observer.engine.mutant();
    let plan = plan.mutated(mutant);
    let inbox = Arc::new(Mailbox::default());
    let timeouts = observer.engine.timeouts;
    let deadline = Instant::now() + plan.patience().unwrap_or(timeouts.request);
    let action = plan.action;
    let force = action.and_then(|action| plan.terms.force(&action).ok()?);
    let (force_timers, ended) = force.map(|force| ForceTimers::new(force.after)).unzip();
    // What is in doubt is not given up before it could be forced.
    let grace = force.map_or(Duration::ZERO, |force| force.after);
    let subscription = Arc::new(observer.subscribe(Arc::clone(&inbox)));
    if mutant.is(Mutation::LooksForNobody) {
        std::mem::forget(Arc::clone(&subscription));
    }
    let run = RequestRunner {
        observer,
        tracker: Mutex::new(OutcomeTracker::new(&plan, events, mutant)),
        subscription,
        deadline,
        settle: timeouts.settle + grace,
        force_timers,
        acted: AtomicBool::new(false),
        inbox,
    };
    let waits = plan.patience().is_some();
    let (jobs, opened) = waits.then(mpsc::unbounded_channel).unzip();
    let acting = async {
        run.act(plan, jobs).await;
        run.acted.store(true, Ordering::Release);
        run.notify();
    };
    let following = async {
        if let (Some(action), Some(opened)) = (action, opened) {
            run.follow(action.kind(), opened).await;
        }
    };
    let forcing = async {
        if let (Some(force), Some(ended)) = (force, ended) {
            run.escalate(force.action, ended).await;
        }
    };
    // The last two only bring outcomes about: when none is open any more, they have nothing to do.
    let helping = async {
        join(following, forcing).await;
        pending::<()>().await;
    };
    tokio::select! {
        _ = join(acting, run.watch()) => {}
        () = helping => {}
    }
    run.into_report()
}

/// The state that the four share.
pub(crate) struct RequestRunner<'a> {
    pub(crate) observer: &'a Observer,
    tracker: Mutex<OutcomeTracker>,
    pub(crate) subscription: Arc<Subscription>,
    pub(crate) deadline: Instant,
    /// How long an unclear action is looked at.
    settle: Duration,
    /// Only where a graceful stop is forced later.
    force_timers: Option<ForceTimers>,
    /// Everything was sent.
    acted: AtomicBool,
    /// Where sights arrive.
    inbox: Arc<Mailbox>,
}

impl RequestRunner<'_> {
    /// Sends the action to everything.
    async fn act(&self, plan: Plan, jobs: Jobs) {
        let Some(action) = plan.action else {
            self.subscription.add_as_they_are(plan.ids);
            return;
        };
        let batches = if plan.looks_first() {
            self.triage(&action, plan.ids).await
        } else {
            self.batches(&plan.ids, &action)
        };
        self.send(action, batches, jobs).await;
    }

    pub(crate) fn batches(&self, ids: &[InstanceId], action: &Action) -> Vec<Vec<InstanceId>> {
        let engine = &self.observer.engine;
        let batches = batches(ids, action, engine.profile(), engine.mutant());
        batches.map(<[_]>::to_vec).collect()
    }

    pub(crate) fn tracker(&self) -> MutexGuard<'_, OutcomeTracker> {
        sync::lock(&self.tracker)
    }

    /// Tells the watching part that something has changed that it cannot see by itself.
    pub(crate) fn notify(&self) {
        self.inbox.notify();
    }

    /// When an unclear action must be settled.
    pub(crate) fn settle_by(&self) -> Instant {
        self.deadline.min(Instant::now() + self.settle)
    }

    pub(crate) fn effort(&self, kind: CallKind, instances: usize) -> CallContext<'_> {
        CallContext {
            kind,
            instances,
            deadline: self.deadline,
            observer: self,
        }
    }

    /// Looks at instances once, now.
    pub(crate) async fn look(&self, ids: &[InstanceId]) -> ObserveResults {
        let effort = self.effort(CallKind::Observe, ids.len());
        self.observer.observe_once(ids, &effort).await
    }

    /// The cloud refused these one by one. Where the refusal may only mean that it is so already,
    /// their states decide.
    pub(crate) async fn refuse(&self, verb: ActionKind, refused: Vec<(InstanceId, Fault)>) {
        if verb == ActionKind::Reboot {
            return self.refuse_reboots(refused).await;
        }
        let (doubtful, certain): (Vec<_>, Vec<_>) = refused
            .into_iter()
            .partition(|(_, fault)| may_be_so_already(fault.kind()) || fault.maybe_executed());
        {
            let mut tracker = self.tracker();
            for (id, fault) in certain {
                tracker.rejected(&id, &fault);
            }
        }
        if !doubtful.is_empty() {
            let ids: Vec<InstanceId> = doubtful.iter().map(|(id, _)| id.clone()).collect();
            let results = self.look(&ids).await;
            for (id, fault) in doubtful {
                match results.get(&id) {
                    Some(ObserveResult::Found(seen)) => self.refuse_as_seen(&id, fault, Some(seen)),
                    // A failure without a reason has one now.
                    Some(ObserveResult::NotFound) if fault.code().is_none() => {
                        let fault = not_shown().with_request_id(fault.request_id());
                        self.tracker().rejected(&id, &fault);
                    }
                    Some(ObserveResult::NotFound) => self.tracker().rejected(&id, &fault),
                    _ => self.refuse_as_seen(&id, fault, None),
                }
            }
        }
        self.notify();
    }

    /// A state says nothing about a reboot: what is there and may have begun is watched.
    async fn refuse_reboots(&self, refused: Vec<(InstanceId, Fault)>) {
        let (open, certain): (Vec<_>, Vec<_>) = refused
            .into_iter()
            .partition(|(_, fault)| fault.maybe_executed());
        for (id, fault) in certain {
            self.tracker().rejected(&id, &fault);
        }
        let ids: Vec<InstanceId> = open.iter().map(|(id, _)| id.clone()).collect();
        let results = self.look(&ids).await;
        for (id, fault) in open {
            if let Some(ObserveResult::NotFound) = results.get(&id) {
                let fault = not_shown().with_request_id(fault.request_id());
                self.tracker().rejected(&id, &fault);
            } else {
                self.tracker().answer_lost(&id, &fault, self.settle_by());
                self.subscription.add([id]);
            }
        }
        self.notify();
    }

    pub(crate) fn refuse_as_seen(&self, id: &InstanceId, fault: Fault, seen: Option<&Observation>) {
        let settle_by = self.settle_by();
        let watched = self
            .tracker()
            .rejected_after_observe(id, &fault, seen, settle_by);
        if watched {
            self.begin_grace(std::slice::from_ref(id));
            self.subscription.add([id.clone()]);
        }
    }

    /// From now on these have so long to stop before they are forced.
    pub(crate) fn begin_grace(&self, ids: &[InstanceId]) {
        if let Some(force_timers) = &self.force_timers {
            force_timers.begin(ids.to_vec());
        }
    }

    /// Follows jobs until the sender is gone and all of them are over.
    pub(crate) async fn follow(&self, verb: ActionKind, mut opened: UnboundedReceiver<Box<Job>>) {
        let jobs = stream::poll_fn(move |context| opened.poll_recv(context));
        jobs.for_each_concurrent(None, |job| self.follow_job(verb, *job))
            .await;
    }

    /// Writes sights into the book until nothing is open.
    async fn watch(&self) {
        loop {
            for (id, result) in self.inbox.take() {
                self.write(&id, result);
            }
            let now = Instant::now();
            let acted = self.acted.load(Ordering::Acquire);
            let next = {
                let mut tracker = self.tracker();
                tracker.expire(now);
                if now >= self.deadline {
                    tracker.deadline_passed(acted);
                }
                if tracker.open() == 0 && acted {
                    return;
                }
                // What is open after the deadline is still being sent, and will nudge.
                (now < self.deadline).then(|| tracker.next_expiry().unwrap_or(self.deadline))
            };
            tokio::select! {
                () = self.inbox.changed() => {}
                () = sleep_until(next.unwrap_or(self.deadline)), if next.is_some() => {}
            }
        }
    }

    fn write(&self, id: &InstanceId, result: ObserveResult) {
        let mut tracker = self.tracker();
        tracker.looked_up(id, &result);
        if !tracker.is_open(id) {
            self.subscription.remove(id);
        }
    }

    fn into_report(self) -> Report {
        sync::into_inner(self.tracker).into_report()
    }
}

impl CallObserver for RequestRunner<'_> {
    fn on_event(&self, event: CallEvent) {
        self.tracker().emit(event.into());
    }
}

/// Clouds refuse to start what runs and to stop what is stopped, in words that fit other cases too.
pub(crate) fn may_be_so_already(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::WrongState | FaultKind::Busy | FaultKind::Failed | FaultKind::Unknown
    )
}

/// A job and the instances that went into it.
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) instances: Vec<InstanceId>,
}

/// Where jobs are handed over to be followed; `None` where nothing is waited for.
pub(crate) type Jobs = Option<UnboundedSender<Box<Job>>>;
