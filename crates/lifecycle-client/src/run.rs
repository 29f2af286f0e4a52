//! One power request from its first call to its last outcome.
//!
//! Four things go on side by side within the caller's own future: actions are sent, jobs are
//! followed, what does not stop in time is forced, and sights from the poller are written into the
//! book. Dropping the future ends all four.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, future::join, stream};
use lifecycle_core::{Action, ActionKind, Fault, FaultKind, InstanceId, JobId, Observation};
use tokio::{
    sync::{
        Notify,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
    },
    time::{Instant, sleep_until},
};

use crate::{
    book::Book,
    client::Inner,
    escalate::Graces,
    event::Event,
    execute::{Effort, Purpose},
    look::{Sight, Sights, not_shown},
    plan::{Plan, batches},
    report::Report,
    watch::Subscription,
};

/// Carries `plan` out.
pub(crate) async fn run(
    inner: &Arc<Inner>,
    plan: Plan,
    events: Option<UnboundedSender<Event>>,
) -> Report {
    let plan = inner.mutant.plan(plan);
    let inbox = Arc::new(Inbox::default());
    let time = plan.patience().unwrap_or(inner.timeouts.request);
    let deadline = Instant::now() + inner.mutant.time(time);
    let action = plan.action;
    let force = action.and_then(|action| plan.terms.force(&action).ok()?);
    let (graces, ended) = force.map(|force| Graces::new(force.after)).unzip();
    // What is in doubt is not given up before it could be forced.
    let grace = force.map_or(Duration::ZERO, |force| force.after);
    let run = Run {
        inner,
        book: Mutex::new(inner.mutant.book(Book::new(&plan, events))),
        subscription: Subscription::new(inner, Arc::clone(&inbox)),
        deadline,
        settle: inner.timeouts.settle + grace,
        graces,
        acted: AtomicBool::new(false),
        inbox,
    };
    let waits = plan.patience().is_some();
    let (jobs, opened) = waits.then(mpsc::unbounded_channel).unzip();
    let acting = async {
        run.act(plan, jobs).await;
        run.acted.store(true, Ordering::Release);
        run.nudge();
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
pub(crate) struct Run<'a> {
    pub(crate) inner: &'a Arc<Inner>,
    book: Mutex<Book>,
    pub(crate) subscription: Subscription,
    pub(crate) deadline: Instant,
    /// How long an unclear action is looked at.
    settle: Duration,
    /// Only where a graceful stop is forced later.
    graces: Option<Graces>,
    /// Everything was sent.
    acted: AtomicBool,
    /// Where sights arrive.
    inbox: Arc<Inbox>,
}

/// Sights on their way from the poller to one request. It costs nothing until something arrives.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    sights: Mutex<Vec<(InstanceId, Sight)>>,
    changed: Notify,
}

impl Inbox {
    pub(crate) fn put(&self, id: InstanceId, sight: Sight) {
        self.sights
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((id, sight));
        self.changed.notify_one();
    }

    fn take(&self) -> Vec<(InstanceId, Sight)> {
        std::mem::take(&mut self.sights.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Run<'_> {
    /// Sends the action to everything.
    async fn act(&self, plan: Plan, jobs: Jobs) {
        let Some(action) = plan.action else {
            self.subscription.add_as_they_are(plan.ids);
            return;
        };
        let batches = if plan.looks_first() {
            self.sort(&action, plan.ids).await
        } else {
            self.batches(&plan.ids, &action)
        };
        self.send(action, batches, jobs).await;
    }

    pub(crate) fn batches(&self, ids: &[InstanceId], action: &Action) -> Vec<Vec<InstanceId>> {
        let batches = batches(ids, action, self.inner.provider.profile());
        batches.map(<[_]>::to_vec).collect()
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while it was held would have ended this request already.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the watching part that something has changed that it cannot see by itself.
    pub(crate) fn nudge(&self) {
        self.inbox.changed.notify_one();
    }

    /// When an unclear action must be settled.
    pub(crate) fn settle_by(&self) -> Instant {
        self.deadline.min(Instant::now() + self.settle)
    }

    pub(crate) fn effort<'e>(
        &self,
        purpose: Purpose,
        instances: usize,
        tell: &'e (dyn Fn(Event) + Send + Sync),
    ) -> Effort<'e> {
        Effort {
            purpose,
            instances,
            deadline: self.deadline,
            tell,
        }
    }

    /// Looks at instances once, now.
    pub(crate) async fn look(&self, ids: &[InstanceId]) -> Sights {
        let tell = |event| self.book().tell(event);
        let effort = self.effort(Purpose::Observe, ids.len(), &tell);
        self.inner.look(ids, &effort).await
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
            let mut book = self.book();
            for (id, fault) in certain {
                book.refused(&id, fault);
            }
        }
        if !doubtful.is_empty() {
            let ids: Vec<InstanceId> = doubtful.iter().map(|(id, _)| id.clone()).collect();
            let sights = self.look(&ids).await;
            for (id, fault) in doubtful {
                match sights.get(&id) {
                    Some(Sight::Seen(seen)) => self.refuse_as_seen(&id, fault, Some(seen)),
                    // A failure without a reason has one now.
                    Some(Sight::Absent) if fault.code().is_none() => {
                        let fault = not_shown().with_request_id(fault.request_id());
                        self.book().refused(&id, fault);
                    }
                    Some(Sight::Absent) => self.book().refused(&id, fault),
                    _ => self.refuse_as_seen(&id, fault, None),
                }
            }
        }
        self.nudge();
    }

    /// A state says nothing about a reboot: what is there and may have begun is watched.
    async fn refuse_reboots(&self, refused: Vec<(InstanceId, Fault)>) {
        let (open, certain): (Vec<_>, Vec<_>) = refused
            .into_iter()
            .partition(|(_, fault)| fault.maybe_executed());
        for (id, fault) in certain {
            self.book().refused(&id, fault);
        }
        let ids: Vec<InstanceId> = open.iter().map(|(id, _)| id.clone()).collect();
        let sights = self.look(&ids).await;
        for (id, fault) in open {
            if let Some(Sight::Absent) = sights.get(&id) {
                let fault = not_shown().with_request_id(fault.request_id());
                self.book().refused(&id, fault);
            } else {
                self.book().unclear(&id, &fault, self.settle_by());
                self.subscription.add([id]);
            }
        }
        self.nudge();
    }

    pub(crate) fn refuse_as_seen(&self, id: &InstanceId, fault: Fault, seen: Option<&Observation>) {
        let settle_by = self.settle_by();
        let watched = self.book().refused_as_seen(id, fault, seen, settle_by);
        if watched {
            self.begin_grace(std::slice::from_ref(id));
            self.subscription.add([id.clone()]);
        }
    }

    /// From now on these have so long to stop before they are forced.
    pub(crate) fn begin_grace(&self, ids: &[InstanceId]) {
        if let Some(graces) = &self.graces {
            graces.begin(ids.to_vec());
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
            for (id, sight) in self.inbox.take() {
                self.write(&id, sight);
            }
            let now = Instant::now();
            let acted = self.acted.load(Ordering::Acquire);
            let next = {
                let mut book = self.book();
                book.expire(now);
                if now >= self.deadline {
                    book.deadline(acted);
                }
                if book.open() == 0 && acted {
                    return;
                }
                // What is open after the deadline is still being sent, and will nudge.
                (now < self.deadline).then(|| book.next_expiry().unwrap_or(self.deadline))
            };
            tokio::select! {
                () = self.inbox.changed.notified() => {}
                () = sleep_until(next.unwrap_or(self.deadline)), if next.is_some() => {}
            }
        }
    }

    fn write(&self, id: &InstanceId, sight: Sight) {
        let mut book = self.book();
        book.sight(id, sight);
        if !book.is_open(id) {
            self.subscription.remove(id);
        }
    }

    fn into_report(self) -> Report {
        self.book
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_report()
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
