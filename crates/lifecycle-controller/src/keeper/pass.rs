//! The pass of a keeper, and the loop of passes.

use std::{
    collections::BTreeSet,
    future::{pending, ready},
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::{
    bundles::bundles,
    calendar::calendar_warning,
    handle::Keeper,
    notify::Message,
    outage::Outage,
    report::{ActionResult, Look, PassReport, Unsent},
};
use crate::{
    decide::{Decision, Edges, Fact, FactKind, PlannedAction, decide, decide_with},
    machine::machine_name,
    record::{Edge, Notice, OperationId, Pass, Record},
    state::State,
    store::{Store, StoreError},
};

/// A calendar that ends is reported once in this time.
const CALENDAR_REMINDER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// After a wait the clock of the machine can be a little behind the timer.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The time until the next pass after an action that could not be recorded.
const UNRECORDED_RETRY: SignedDuration = SignedDuration::from_secs(15);

/// The maximum number of records of one append.
const MAX_APPEND: usize = 2_000;

/// The end of a pass before its time.
pub(super) type Stop<'s> = Shared<BoxFuture<'s, ()>>;

impl Keeper {
    /// Looks at all machines, and decides for a state of the store. Records and sends nothing.
    pub async fn plan(&self, state: &State) -> (Look, Decision) {
        let look = self.look().await;
        let decision = decide(&self.settings.rules, &look.machines, state, self.now());
        (look, decision)
    }

    /// Makes one pass, over the groups of this controller.
    ///
    /// # Errors
    /// The store cannot be read or written. Nothing is sent that is not recorded.
    pub async fn pass(&self) -> Result<PassReport, StoreError> {
        self.pass_until(pending()).await
    }

    /// Makes one pass, which ends early when `stop` ends: nothing more is sent, and the report has the results known at
    /// this moment. The next pass settles the open calls.
    ///
    /// # Errors
    /// See [`pass`](Self::pass).
    pub async fn pass_until(
        &self,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<PassReport, StoreError> {
        let stop = stop.boxed().shared();
        let Some(leases) = &self.leases else {
            return self.pass_over_all(&stop).await;
        };
        let bundles = bundles(&self.settings.members);
        let Some(share) = before(&stop, leases.begin_pass(&bundles)).await? else {
            return Ok(PassReport::stopped());
        };
        let keeper = Self {
            store: Arc::clone(&share.store),
            settings: Arc::new(self.settings.only(&share.groups)),
            ..self.clone()
        };
        let mut report = keeper.pass_over_all(&stop).await?;
        report.elsewhere.clone_from(&share.elsewhere);
        Ok(report)
    }

    async fn pass_over_all(&self, stop: &Stop<'_>) -> Result<PassReport, StoreError> {
        let mut report = PassReport::default();
        let seen = before(stop, self.settle_and_look(&mut report)).await?;
        let Some((state, open, began, look)) = seen else {
            report.stopped = true;
            return Ok(report);
        };
        report.machines = look.machines.len();
        report.problems.extend_from_slice(&look.problems);

        let state = self.as_seen_by_this_controller(state);
        let rules = &self.settings.rules;
        let edges = Edges::new(rules, &state, began);
        let mut decision = decide_with(rules, &edges, &look.machines, &state, began);
        report.facts.append(&mut decision.facts);
        report.facts.extend(self.ending_calendars(&state, began));
        report.blocked = decision.problem;
        report.waiting = decision.waiting;
        let recorded = self.append(decision.edges.into_iter().map(Record::Edge));
        if before(stop, recorded).await?.is_none() {
            report.stopped = true;
            return Ok(report);
        }

        report.actions = self.act(decision.actions, &mut report.problems, stop).await;
        if stop.peek().is_some() {
            report.stopped = true;
            // The edges are recorded, so no later pass has these facts.
            let recorded = self.append(self.notices(&report).into_iter()).await;
            self.keep_going(recorded, &mut report)?;
            return Ok(report);
        }
        let now = self.now();
        let settled = self.settled(&report.actions, now).await;
        let retries = settled
            .iter()
            .filter_map(|edge| edge.progress.retry_at(now));
        let is_unrecorded =
            |(_, result): &(_, ActionResult)| result.unsent == Some(Unsent::NotRecorded);
        let unrecorded = report.actions.iter().any(is_unrecorded);
        let again = now.checked_add(UNRECORDED_RETRY).ok();
        let retries = retries.chain(again.filter(|_| unrecorded));
        let change = retries.chain(decision.next).min();
        report.next = self.next(change, now);
        let appended = self.append(settled.into_iter().map(Record::Edge)).await;
        self.keep_going(appended, &mut report)?;
        report.facts.extend(report.uncertain());
        report.status = self.status(&report, &look, &state, &open, &edges, began);
        let recorded = self.record_pass(&report, began).await;
        if recorded.as_ref().is_err_and(StoreError::is_temporary) {
            self.keep_late(self.notices(&report));
        }
        self.keep_going(recorded, &mut report)?;
        Ok(report)
    }

    /// Settles the open calls of an earlier process, and looks. Returns the state, the operations of the open calls, and
    /// the time of the look.
    async fn settle_and_look(
        &self,
        report: &mut PassReport,
    ) -> Result<(State, Vec<OperationId>, Timestamp, Look), StoreError> {
        self.append_late().await?;
        let state = self.store.state().await?;
        let unfinished = state.unfinished();
        let unfinished: Vec<_> = unfinished
            .map(|operation| operation.request.operation.clone())
            .collect();
        let mut open = Vec::new();
        let state = match unfinished.is_empty() {
            true => state,
            false => {
                open = self.store.take_over(unfinished).await?;
                // The program before can have recorded more until its operation was taken over.
                let state = self.store.state().await?;
                self.settle_open(&state, &open, report).await;
                self.store.state().await?
            }
        };
        let began = self.now();
        let look = self.look().await;
        Ok((state, open, began, look))
    }

    /// Returns the state with the problem of the last pass of this controller: a problem that lasts is reported once,
    /// whatever other controllers do in the meantime.
    fn as_seen_by_this_controller(&self, mut state: State) -> State {
        if let (Some(_), Some(pass)) = (&self.leases, &mut state.last_pass) {
            pass.problem = state.problems.get(&self.by).cloned();
        }
        state
    }

    /// Returns the edges after the actions.
    async fn settled(
        &self,
        actions: &[(PlannedAction, ActionResult)],
        now: Timestamp,
    ) -> Vec<Edge> {
        let mut results = actions.iter().map(|(_, result)| result);
        let open = match results.any(|result| result.unsent.is_some()) {
            true => self
                .store
                .state()
                .await
                .ok()
                .map(|state| unfinished_machines(&state)),
            false => None,
        };
        let edges = actions.iter();
        edges
            .filter_map(|(action, result)| result.settle(action, open.as_ref(), now))
            .collect()
    }

    /// Reports a store that does not answer after the actions of a pass: the report stays. The next pass looks
    /// again, so no result is lost.
    fn keep_going(
        &self,
        recorded: Result<(), StoreError>,
        report: &mut PassReport,
    ) -> Result<(), StoreError> {
        match recorded {
            Err(error) if error.is_temporary() => {
                report.problems.push(format!("not recorded: {error}"));
                report.unrecorded = true;
                Ok(())
            }
            recorded => recorded,
        }
    }

    /// Appends the records that an earlier pass could not append. Keeps the records up to the success.
    async fn append_late(&self) -> Result<(), StoreError> {
        let late = self.late().clone();
        self.append(late.iter().cloned()).await?;
        self.late().drain(..late.len());
        Ok(())
    }

    pub(super) fn keep_late(&self, records: impl IntoIterator<Item = Record>) {
        self.late().extend(records);
    }

    fn late(&self) -> MutexGuard<'_, Vec<Record>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes passes until `stop` ends: at each change of a schedule, and at least every `resync`.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn run(
        &self,
        stop: impl Future<Output = ()>,
        on_pass: impl FnMut(&PassReport),
    ) -> Result<(), StoreError> {
        let open = || ready(Ok(Arc::clone(&self.store)));
        self.run_with(open, stop, on_pass).await
    }

    /// Makes passes as [`run`](Self::run) does, with a store that is opened for each pass: between two
    /// passes other programs can use a journal. A store in use is tried again until `resync` is over.
    ///
    /// A store that does not answer for a while ends nothing: nothing is sent, `on_pass` gets a report for each try,
    /// the first one with the problem, and the passes go on when the store answers.
    ///
    /// # Errors
    /// The store cannot be opened, read or written, and waiting does not help.
    pub async fn run_with<F>(
        &self,
        open: impl Fn() -> F,
        stop: impl Future<Output = ()>,
        mut on_pass: impl FnMut(&PassReport),
    ) -> Result<(), StoreError>
    where
        F: Future<Output = Result<Arc<dyn Store>, StoreError>>,
    {
        let passes = async {
            let mut outage = Outage::default();
            loop {
                let pass = self.open_and_pass(&open);
                let result = self.tell_of_outage(pass, &mut outage, &mut on_pass).await;
                let (report, wait) = match result {
                    Ok(mut report) => {
                        let ended = (!report.unrecorded).then(|| outage.end(self.now()));
                        if let Some(fact) = ended.flatten() {
                            self.keep_late([self.notice(&fact)]);
                            report.status.facts.push(fact.kind);
                            report.facts.push(fact);
                        }
                        let wait = self.wait_until(report.next);
                        (report, wait)
                    }
                    // The groups moved during the pass: the next pass begins with the new share.
                    Err(StoreError::TakenOver { .. }) => {
                        sleep(SHORTEST_WAIT).await;
                        continue;
                    }
                    Err(error) if error.is_temporary() => {
                        let (report, wait) = outage.go_on(&error, self.now());
                        (report, wait)
                    }
                    Err(error) => return Err(error),
                };
                self.notify_in_background(&report);
                on_pass(&report);
                tokio::select! {
                    () = sleep(wait) => {}
                    () = self.share_changed() => {}
                }
            }
        };
        tokio::select! {
            ended = passes => ended,
            () = stop => Ok(()),
        }
    }

    async fn open_and_pass<F>(&self, open: impl Fn() -> F) -> Result<PassReport, StoreError>
    where
        F: Future<Output = Result<Arc<dyn Store>, StoreError>>,
    {
        let store = self.open(open).await?;
        let keeper = Self {
            store,
            ..self.clone()
        };
        keeper.pass().await
    }

    /// Makes a pass, and reports a store that does not answer before the pass ends.
    async fn tell_of_outage(
        &self,
        pass: impl Future<Output = Result<PassReport, StoreError>>,
        outage: &mut Outage,
        on_pass: &mut impl FnMut(&PassReport),
    ) -> Result<PassReport, StoreError> {
        let mut pass = std::pin::pin!(pass);
        loop {
            tokio::select! {
                result = &mut pass => return result,
                error = self.store_unavailable(), if !outage.has_begun() => {
                    let report = outage.report(&error, self.now());
                    self.notify_in_background(&report);
                    on_pass(&report);
                }
            }
        }
    }

    /// Waits until the leases notice that the store does not answer; forever without leases.
    async fn store_unavailable(&self) -> StoreError {
        match &self.leases {
            Some(leases) => leases.unavailable().await,
            None => pending().await,
        }
    }

    /// Waits until this controller has another group; forever without leases.
    async fn share_changed(&self) {
        match &self.leases {
            Some(leases) => leases.changed().await,
            None => pending().await,
        }
    }

    /// Opens the store of a pass. Another program has a journal for a short time only.
    async fn open<F>(&self, open: impl Fn() -> F) -> Result<Arc<dyn Store>, StoreError>
    where
        F: Future<Output = Result<Arc<dyn Store>, StoreError>>,
    {
        let deadline = Instant::now() + self.settings.resync;
        loop {
            match open().await {
                Err(StoreError::Locked { .. }) if Instant::now() < deadline => {
                    sleep(SHORTEST_WAIT).await;
                }
                opened => return opened,
            }
        }
    }

    /// Sends the facts of a pass to the notifier, and records a failure. The notifier bounds its time.
    pub async fn notify(&self, report: &PassReport) {
        if let Some(failure) = self.notification_failure(report).await {
            // The store reports its own failure at the next pass.
            let _ = self.store.append(vec![failure]).await;
        }
    }

    /// Sends the facts of a pass while further passes are made. The next pass records a failure.
    fn notify_in_background(&self, report: &PassReport) {
        if self.notifier.is_none() || report.facts.is_empty() {
            return;
        }
        let (keeper, report) = (self.clone(), report.clone());
        tokio::spawn(async move {
            let failure = keeper.notification_failure(&report).await;
            keeper.keep_late(failure);
        });
    }

    async fn notification_failure(&self, report: &PassReport) -> Option<Record> {
        let notifier = self.notifier.as_ref()?;
        if report.facts.is_empty() {
            return None;
        }
        let message = Message::new(self.now(), &self.by, &report.facts);
        let problem = notifier.notify(message).await.err()?;
        Some(Record::Notice(Notice {
            at: self.now(),
            kind: "notification-failed".to_owned(),
            subject: None,
            message: problem,
        }))
    }

    /// Returns the calendars that end soon, at most once a week.
    fn ending_calendars(&self, state: &State, now: Timestamp) -> Vec<Fact> {
        // The week of the Unix epoch in which a moment lies: no record is needed.
        let week = |at: Timestamp| at.as_second().div_euclid(CALENDAR_REMINDER.as_secs());
        let is_reminded = |group: &str| {
            let last = state.log.last_calendar_reminder(group);
            last.is_some_and(|last| week(last) == week(now))
        };
        let groups = self.settings.rules.groups.iter();
        groups
            .filter(|group| !is_reminded(&group.name))
            .filter_map(|group| {
                let calendar = self.settings.calendars.get(&group.name)?;
                let today = now.to_zoned(group.schedule.zone.clone()).date();
                Some(Fact {
                    kind: FactKind::CalendarEnding,
                    subject: group.name.clone(),
                    message: calendar_warning(calendar, today)?,
                })
            })
            .collect()
    }

    async fn record_pass(&self, report: &PassReport, began: Timestamp) -> Result<(), StoreError> {
        let notices = self.notices(report);
        let pass = Record::Pass(Pass {
            at: began,
            by: self.by.clone(),
            instances: report.machines,
            changes: report.actions.len(),
            groups: self.leases.as_ref().map(|_| {
                let groups = self.settings.members.keys();
                groups.cloned().collect()
            }),
            problem: report.blocked.clone(),
        });
        self.append(notices.into_iter().chain([pass])).await
    }

    fn notices(&self, report: &PassReport) -> Vec<Record> {
        let facts = report.facts.iter();
        facts.map(|fact| self.notice(fact)).collect()
    }

    fn notice(&self, fact: &Fact) -> Record {
        Record::Notice(Notice {
            at: self.now(),
            kind: fact.kind.as_str().to_owned(),
            subject: Some(fact.subject.clone()),
            message: fact.message.clone(),
        })
    }

    /// Appends records of a pass: each record has its effect alone, and a pass over many machines can have more than a
    /// store writes within its time limit.
    async fn append(&self, records: impl Iterator<Item = Record>) -> Result<(), StoreError> {
        let records: Vec<_> = records.collect();
        for chunk in records.chunks(MAX_APPEND) {
            self.store.append(chunk.to_vec()).await?;
        }
        Ok(())
    }

    /// Returns the time of the next pass: the next change, and `resync` at the latest.
    fn next(&self, change: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let resync = now.checked_add(self.settings.resync).ok();
        change.into_iter().chain(resync).min()
    }

    /// Returns the wait until the next pass. A clock that is set back does not make the wait longer than
    /// `resync`.
    fn wait_until(&self, next: Option<Timestamp>) -> Duration {
        let wait = next.map(|next| next.duration_since(self.now()));
        let wait = wait.and_then(|wait| Duration::try_from(wait).ok());
        wait.unwrap_or_default()
            .clamp(SHORTEST_WAIT, self.settings.resync.max(SHORTEST_WAIT))
    }
}

/// Runs a step of a pass, up to its end or to `stop`. Returns `None` at `stop`.
async fn before<T>(
    stop: &Stop<'_>,
    step: impl Future<Output = Result<T, StoreError>>,
) -> Result<Option<T>, StoreError> {
    tokio::select! {
        biased;
        () = stop.clone() => Ok(None),
        result = step => result.map(Some),
    }
}

/// Returns the machines of unfinished operations, by [`machine_name`].
fn unfinished_machines(state: &State) -> BTreeSet<String> {
    let operations = state.unfinished();
    operations
        .flat_map(|operation| &operation.request.instances)
        .map(|instance| machine_name(instance))
        .collect()
}
