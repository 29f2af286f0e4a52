//! What is known of each instance of one request, and what follows from it.
//!
//! Every fact passes through here once: it becomes an event, and in the end the report. No I/O.

use std::collections::{HashMap, VecDeque};

use lifecycle_core::{
    Effect, Fault, FaultKind, InstanceId, JobId, Observation, PowerState, StoppedBilling, Verb,
};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use crate::{
    event::{Event, tell},
    look::{Sight, not_shown},
    plan::Plan,
    report::{Evidence, InstanceReport, Outcome, Pending, Report},
    sort::is_on_the_way,
};

/// The facts of one request.
#[derive(Debug)]
pub(crate) struct Book {
    /// `None` for a request that only waits.
    verb: Option<Verb>,
    goal: PowerState,
    /// Whether the goal is waited for, or acceptance is the end.
    waits: bool,
    /// Whether what is so already counts as refused.
    strict: bool,
    /// Whether what does not stop in time is forced.
    forces: bool,
    rows: Vec<Row>,
    index: HashMap<InstanceId, usize>,
    open: usize,
    /// When unclear rows must be settled, the earliest first.
    settle: VecDeque<(Instant, usize)>,
    events: Option<UnboundedSender<Event>>,
}

#[derive(Debug)]
struct Row {
    id: InstanceId,
    phase: Phase,
    /// As it was before the action was sent, where that was looked up.
    before: Option<Observation>,
    last: Option<Observation>,
    /// It was seen up, so that being seen down later means that it left.
    up: bool,
    /// It was seen leaving after the action was sent.
    left: bool,
    /// Since it is in doubt, it was seen as it was before.
    still: bool,
    /// Looks in a row that did not show it.
    absent: u8,
    job: Option<JobId>,
    /// Its job says that it is done.
    done: bool,
    request_id: Option<String>,
    /// Its grace is over: a forced stop followed the graceful one.
    forced: bool,
    /// What has gone wrong since the cloud took the action on, while there is still hope.
    trouble: Option<Pending>,
}

#[derive(Debug)]
enum Phase {
    /// No answer to the action yet.
    Unsent,
    /// The cloud took it on.
    Accepted,
    /// Only looking can tell whether the cloud took it on.
    Unclear(Fault, Doubt),
    Closed(Outcome),
}

/// Why it is unclear, and so what it is when looking does not settle it.
#[derive(Clone, Copy, Debug)]
enum Doubt {
    /// The answer was lost: uncertain.
    Lost,
    /// The cloud refused because of a state that it does not show; its view may lag behind:
    /// refused.
    Contradicted,
    /// The cloud refused a batch, and may have carried out a part of it all the same: refused
    /// where it is seen as it was until the end, and uncertain otherwise.
    InName,
}

impl Doubt {
    fn about(refusal: &Fault) -> Self {
        match refusal.effect() {
            Effect::None => Self::Contradicted,
            _ => Self::InName,
        }
    }

    fn outcome(self, fault: Fault, still: bool) -> Outcome {
        match self {
            Self::InName if still => Outcome::Refused(fault),
            Self::Lost | Self::InName => Outcome::Uncertain(fault),
            Self::Contradicted => Outcome::Refused(fault),
        }
    }
}

/// Looks that must agree before an instance counts as vanished.
const ABSENCES: u8 = 3;

impl Book {
    pub(crate) fn new(plan: &Plan, events: Option<UnboundedSender<Event>>) -> Self {
        let index = plan.ids.iter().cloned().zip(0..).collect();
        let verb = plan.action.map(|action| action.verb());
        let phase = || match verb {
            Some(_) => Phase::Unsent,
            None => Phase::Accepted,
        };
        let rows: Vec<Row> = plan
            .ids
            .iter()
            .map(|id| Row {
                id: id.clone(),
                phase: phase(),
                before: None,
                last: None,
                up: false,
                left: false,
                still: false,
                absent: 0,
                job: None,
                done: false,
                request_id: None,
                forced: false,
                trouble: None,
            })
            .collect();
        Self {
            verb,
            goal: plan.goal,
            waits: plan.patience().is_some(),
            strict: plan.terms.strict,
            forces: plan.terms.force_after.is_some(),
            open: rows.len(),
            rows,
            index,
            settle: VecDeque::new(),
            events,
        }
    }

    /// With a flaw: whatever is seen running was away before.
    pub(crate) fn trusting(mut self) -> Self {
        for row in &mut self.rows {
            row.left = true;
        }
        self
    }

    /// With a flaw: nobody hears anything.
    pub(crate) fn silent(mut self) -> Self {
        self.events = None;
        self
    }

    /// How many instances have no outcome yet.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn is_open(&self, id: &InstanceId) -> bool {
        self.row(id).is_some_and(Row::is_open)
    }

    pub(crate) fn tell(&self, event: Event) {
        tell(self.events.as_ref(), || event);
    }

    /// It was like this before anything was sent.
    pub(crate) fn before(&mut self, observation: Observation) {
        self.tell(Event::State(observation.clone()));
        if let Some(row) = self.row_mut(&observation.id.clone()) {
            row.up = is_up(&observation);
            row.last = Some(observation.clone());
            row.before = Some(observation);
        }
    }

    /// Whether an instance is as it was before the action. One that was not looked at before is
    /// not known to be.
    pub(crate) fn is_still(&self, seen: &Observation) -> bool {
        let before = self.row(&seen.id).and_then(|row| row.before.as_ref());
        before.is_some_and(|before| {
            before.state == seen.state && before.started_at == seen.started_at
        })
    }

    /// The cloud took the action on. `true` when the goal is to be waited for.
    pub(crate) fn accepted(&mut self, id: &InstanceId, request_id: Option<&str>) -> bool {
        let waits = self.waits;
        let Some(row) = self.row_mut(id).filter(|row| row.is_open()) else {
            return false;
        };
        row.phase = Phase::Accepted;
        row.request_id = request_id.map(Into::into);
        self.tell(Event::Accepted {
            instance: id.clone(),
            request_id: request_id.map(Into::into),
        });
        if !waits {
            self.close(id, Outcome::Accepted);
        }
        waits
    }

    /// The cloud may have taken the action on, and `settle_by` is the time to find out.
    pub(crate) fn unclear(&mut self, id: &InstanceId, fault: &Fault, settle_by: Instant) {
        match self.row(id) {
            Some(row) if !row.is_open() => return,
            // The graceful stop before a forced one is what counts.
            Some(row) if row.forced => {}
            _ => self.doubt(id, fault.clone(), Doubt::Lost, settle_by),
        }
        self.tell(Event::Unclear {
            instance: id.clone(),
            fault: fault.clone(),
        });
    }

    fn doubt(&mut self, id: &InstanceId, fault: Fault, doubt: Doubt, settle_by: Instant) {
        if let Some(&at) = self.index.get(id)
            && self.rows[at].is_open()
        {
            self.rows[at].request_id = fault.request_id().map(Into::into);
            self.rows[at].phase = Phase::Unclear(fault, doubt);
            self.rows[at].still = false;
            self.settle.push_back((settle_by, at));
        }
    }

    /// Of these, the ones that are still open: they are forced from now on.
    pub(crate) fn force(&mut self, ids: Vec<InstanceId>) -> Vec<InstanceId> {
        let mut late = ids;
        late.retain(|id| {
            let row = self.row_mut(id).filter(|row| row.is_open() && !row.forced);
            row.map(|row| row.forced = true).is_some()
        });
        for id in &late {
            self.tell(Event::Forcing {
                instance: id.clone(),
            });
        }
        late
    }

    /// The cloud did not carry the action out.
    pub(crate) fn refused(&mut self, id: &InstanceId, fault: Fault) {
        match self.row_mut(id) {
            // It has taken the graceful stop on before, which may still succeed.
            Some(row) if row.forced => row.trouble = Some(Pending::NotForced(fault)),
            _ => self.close(id, Outcome::Refused(fault)),
        }
    }

    /// The cloud refused a start or a stop for a reason that can mean that it is so already; the
    /// instance was seen like this since. `true` when it has to be watched.
    pub(crate) fn refused_as_seen(
        &mut self,
        id: &InstanceId,
        fault: Fault,
        seen: Option<&Observation>,
        settle_by: Instant,
    ) -> bool {
        let Some(row) = self.row(id).filter(|row| row.is_open()) else {
            return false;
        };
        if row.forced {
            return self.not_forced(id, fault, seen);
        }
        // A job takes instances on before it looks at them.
        let was_accepted = matches!(row.phase, Phase::Accepted);
        // Then it was not so, and has come there since.
        let was_looked_at = row.before.is_some();
        let certain = fault.effect() == Effect::None;
        if self.strict && certain && !was_accepted {
            self.close(id, Outcome::Refused(fault));
            return false;
        }
        let doubt = Doubt::about(&fault);
        let Some(seen) = seen else {
            self.doubt(id, fault, doubt, settle_by);
            return true;
        };
        self.note(seen);
        let state = seen.state;
        let on_the_way = is_on_the_way(self.goal, state);
        if state == self.goal && was_looked_at {
            self.close(id, Outcome::Reached(Evidence::Seen));
            false
        } else if state == self.goal || (on_the_way && !self.waits && !was_looked_at) {
            self.close(id, self.unchanged(fault));
            false
        } else if on_the_way && (!was_looked_at || was_accepted) {
            if let Some(row) = self.row_mut(id) {
                row.phase = Phase::Accepted;
            }
            true
        } else if on_the_way || (self.is_ready(state) && is_believed_late(&fault)) {
            self.doubt(id, fault, doubt, settle_by);
            true
        } else {
            self.close(id, Outcome::Refused(fault));
            false
        }
    }

    /// It is so already, and the cloud has refused it for that.
    fn unchanged(&self, fault: Fault) -> Outcome {
        if self.strict {
            Doubt::about(&fault).outcome(fault, false)
        } else {
            Outcome::Unchanged
        }
    }

    /// The forced stop that followed a graceful one was refused: the graceful one may still
    /// succeed, or has done so by now.
    fn not_forced(&mut self, id: &InstanceId, fault: Fault, seen: Option<&Observation>) -> bool {
        if let Some(seen) = seen {
            self.note(seen);
        }
        if seen.is_some_and(|seen| seen.state == self.goal) {
            self.close(id, Outcome::Reached(Evidence::Seen));
            return false;
        }
        self.refused(id, fault);
        true
    }

    /// The time was over before the action could be sent.
    pub(crate) fn skipped(&mut self, id: &InstanceId, fault: Fault) {
        if !self.row(id).is_some_and(|row| row.forced) {
            self.close(id, Outcome::Skipped(fault));
        }
    }

    /// The cloud's job for the instance succeeded: it was carried out. The goal is still to be
    /// seen.
    pub(crate) fn job_succeeded(&mut self, id: &InstanceId, job: &JobId) {
        if let Some(row) = self.row_mut(id) {
            row.job = Some(job.clone());
            row.done = true;
        }
    }

    /// The cloud took the action on and says that it failed at it.
    pub(crate) fn job_failed(&mut self, id: &InstanceId, fault: Fault) {
        let forces = self.forces;
        match self.row_mut(id).filter(|row| row.is_open()) {
            // Perhaps because the system within does not listen: that is what force is for.
            Some(row) if forces => row.trouble = Some(Pending::JobFailed(fault)),
            _ => self.end(id, |_| Pending::JobFailed(fault)),
        }
    }

    /// The whole job succeeded without a word about this instance. That is evidence that it left,
    /// not that it has returned.
    pub(crate) fn job_over(&mut self, id: &InstanceId, job: &JobId) {
        if let Some(row) = self.row_mut(id) {
            row.job = Some(job.clone());
        }
    }

    /// The poller looked.
    pub(crate) fn sight(&mut self, id: &InstanceId, sight: Sight) {
        if !self.is_open(id) {
            return;
        }
        match sight {
            Sight::Seen(observation) => self.seen(&observation),
            Sight::Absent => self.absent(id),
            Sight::Missed(fault) => match fault.kind() {
                FaultKind::Credential | FaultKind::Permission | FaultKind::Unsupported => {
                    self.end(id, |_| Pending::Blind(fault));
                }
                _ => {}
            },
        }
    }

    fn seen(&mut self, observation: &Observation) {
        self.note(observation);
        let (goal, verb) = (self.goal, self.verb);
        let on_the_way = is_on_the_way(self.goal, observation.state);
        let ready = self.is_ready(observation.state);
        let id = &observation.id;
        let Some(row) = self.row_mut(id) else { return };
        row.absent = 0;
        row.still = ready;
        // A job that succeeded is no proof against what is seen after it.
        row.done &= observation.state == goal;
        let state = observation.state;
        let evidence = match verb {
            Some(Verb::Reboot) => row.reboot_evidence(observation),
            _ => (state == goal).then_some(Evidence::Seen),
        };
        let done = state == goal && evidence.is_some();
        let moved = match verb {
            Some(Verb::Reboot) => row.left || evidence.is_some(),
            _ => on_the_way,
        };
        let was_unclear = matches!(row.phase, Phase::Unclear(..));
        let contradicted = match &row.phase {
            Phase::Unclear(fault, Doubt::Contradicted) => Some(fault.clone()),
            _ => None,
        };
        match (evidence, contradicted) {
            // Refused, and not because of us: the view has caught up with the refusal.
            (_, Some(fault)) if done || (moved && !self.waits) => {
                self.close(id, self.unchanged(fault));
            }
            (_, Some(_)) if moved => {
                if let Some(row) = self.row_mut(id) {
                    row.phase = Phase::Accepted;
                }
            }
            (Some(evidence), None) if done => self.close(id, Outcome::Reached(evidence)),
            _ if state.is_dead_end() && state != goal => {
                self.end(id, |_| Pending::DeadEnd(state));
            }
            _ if was_unclear && moved => {
                // Seen at work: the lost answer was a yes.
                let request_id = self.row(id).and_then(|row| row.request_id.clone());
                self.accepted(id, request_id.as_deref());
            }
            _ => {}
        }
    }

    fn absent(&mut self, id: &InstanceId) {
        let only_waits = self.verb.is_none();
        let Some(row) = self.row_mut(id) else { return };
        row.absent += 1;
        let never_seen = row.last.is_none();
        if only_waits && never_seen {
            self.close(id, Outcome::Refused(not_shown()));
        } else if row.absent >= ABSENCES {
            self.end(id, |_| Pending::Vanished);
        }
    }

    /// Settles what can wait no longer. Gives the instances that are closed by it.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(&(due, at)) = self.settle.front() {
            if due > now {
                return;
            }
            self.settle.pop_front();
            let row = &self.rows[at];
            if let Phase::Unclear(fault, doubt) = &row.phase {
                let (id, outcome) = (row.id.clone(), doubt.outcome(fault.clone(), row.still));
                self.close(&id, outcome);
            }
        }
    }

    /// The next time at which [`expire`](Self::expire) has something to do.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.settle.front().map(|(due, _)| *due)
    }

    /// The time is over: whatever the cloud has answered for and is still open ends as it is. With
    /// `acted`, nothing more is sent either.
    pub(crate) fn deadline(&mut self, acted: bool) {
        let open: Vec<InstanceId> = self
            .rows
            .iter()
            .filter(|row| matches!(row.phase, Phase::Accepted | Phase::Unclear(..)))
            .map(|row| row.id.clone())
            .collect();
        if acted {
            let unsent = self
                .rows
                .iter()
                .filter(|row| matches!(row.phase, Phase::Unsent));
            for id in unsent.map(|row| row.id.clone()).collect::<Vec<_>>() {
                self.skipped(&id, Fault::new(FaultKind::Deadline, "the time was over"));
            }
        }
        let rebooted = self.verb == Some(Verb::Reboot);
        for id in &open {
            let job = self.row(id).filter(|row| row.done);
            if let Some(job) = job.and_then(|row| row.job.clone()) {
                // It could not be seen any more, but the cloud has said so.
                self.close(id, Outcome::Reached(Evidence::Job(job)));
            }
            self.end(id, |row| {
                let state = row.last.as_ref().map(|last| last.state);
                match (&row.trouble, state) {
                    (Some(trouble), _) => trouble.clone(),
                    (None, Some(PowerState::Running)) if rebooted => Pending::Unproved,
                    (None, state) => Pending::Deadline(state),
                }
            });
        }
    }

    /// The report, once nothing is open.
    pub(crate) fn into_report(self) -> Report {
        let verb = self.verb;
        let rows = self.rows.into_iter().map(|row| {
            let outcome = match row.phase {
                Phase::Closed(outcome) => outcome,
                // Cannot happen once nothing is open; said as what it would be.
                Phase::Unclear(fault, doubt) => doubt.outcome(fault, false),
                Phase::Accepted => Outcome::Accepted,
                Phase::Unsent => Outcome::Skipped(Fault::new(FaultKind::Deadline, "never sent")),
            };
            instance_report(verb, row.id, outcome, row.last, row.request_id)
        });
        Report::new(rows.collect())
    }

    /// Ends a row without its goal: what was taken on is pending, what is unclear is uncertain.
    fn end(&mut self, id: &InstanceId, pending: impl FnOnce(&Row) -> Pending) {
        let Some(row) = self.row(id) else { return };
        let outcome = match &row.phase {
            Phase::Accepted => Outcome::Pending(pending(row)),
            Phase::Unclear(fault, doubt) => doubt.outcome(fault.clone(), false),
            Phase::Unsent | Phase::Closed(_) => return,
        };
        self.close(id, outcome);
    }

    fn close(&mut self, id: &InstanceId, outcome: Outcome) {
        let Some(&at) = self.index.get(id) else {
            return;
        };
        let row = &mut self.rows[at];
        if matches!(row.phase, Phase::Closed(_)) {
            return;
        }
        if row.request_id.is_none() {
            let fault = outcome.fault();
            row.request_id = fault.and_then(|f| f.request_id()).map(Into::into);
        }
        let outcome = match outcome {
            // Whatever it was when it came in.
            Outcome::Refused(fault) => Outcome::Refused(fault.with_effect(Effect::None)),
            outcome => outcome,
        };
        row.phase = Phase::Closed(outcome.clone());
        self.open -= 1;
        if self.events.is_some() {
            let (id, last, request_id) = (row.id.clone(), row.last.clone(), row.request_id.clone());
            let settled = instance_report(self.verb, id, outcome, last, request_id);
            self.tell(Event::Settled(settled));
        }
    }

    /// Keeps an observation, and tells when it shows something new.
    fn note(&mut self, observation: &Observation) {
        let Some(row) = self.row_mut(&observation.id) else {
            return;
        };
        let before = row.last.replace(observation.clone());
        if before.is_none_or(|before| before.raw != observation.raw) {
            self.tell(Event::State(observation.clone()));
        }
    }

    /// In the state from which the action leads to the goal.
    fn is_ready(&self, state: PowerState) -> bool {
        match self.goal {
            PowerState::Running => state == PowerState::Stopped,
            PowerState::Stopped => state == PowerState::Running,
            _ => false,
        }
    }

    fn row(&self, id: &InstanceId) -> Option<&Row> {
        self.index.get(id).map(|&at| &self.rows[at])
    }

    fn row_mut(&mut self, id: &InstanceId) -> Option<&mut Row> {
        self.index.get(id).map(|&at| &mut self.rows[at])
    }
}

/// Whether a refusal of what is ready for the action is believed only after a while.
fn is_believed_late(refusal: &Fault) -> bool {
    refusal.kind() == FaultKind::WrongState || refusal.effect() == Effect::Possible
}

fn instance_report(
    verb: Option<Verb>,
    instance: InstanceId,
    outcome: Outcome,
    last_seen: Option<Observation>,
    request_id: Option<String>,
) -> InstanceReport {
    let billing = || match &last_seen {
        Some(seen) if seen.state == PowerState::Stopped => seen.stopped_billing,
        _ => StoppedBilling::Unknown,
    };
    InstanceReport {
        billing: (verb == Some(Verb::Stop)).then(billing),
        instance,
        outcome,
        last_seen,
        request_id,
    }
}

impl Row {
    fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Closed(_))
    }

    /// What proves that the instance was rebooted since the request, if anything does. Being seen
    /// running proves nothing.
    fn reboot_evidence(&mut self, now: &Observation) -> Option<Evidence> {
        // One that was not up before the request would be seen rebooting or starting, and with a
        // new start time, without it.
        self.left |= self.up
            && matches!(
                now.state,
                PowerState::Rebooting
                    | PowerState::Stopping
                    | PowerState::Stopped
                    | PowerState::Starting
            );
        self.up |= is_up(now);
        let started = |seen: &Observation| seen.started_at.clone();
        let before = self.before.as_ref().filter(|before| is_up(before));
        let before = before.and_then(started);
        if before.is_some() && started(now).is_some_and(|at| Some(at) != before) {
            return Some(Evidence::StartTimeChanged);
        }
        if let Some(job) = &self.job {
            return Some(Evidence::Job(job.clone()));
        }
        self.left.then_some(Evidence::LeftAndReturned)
    }
}

fn is_up(seen: &Observation) -> bool {
    seen.state == PowerState::Running
}
