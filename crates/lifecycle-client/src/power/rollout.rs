//! Runs a request wave by wave, with all clients of a wave at the same time.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use lifecycle_core::{Fault, FaultKind, InstanceId};
use tokio::{sync::mpsc::UnboundedSender, time::sleep};

use crate::{
    error::Error,
    observe::observer::Observer,
    power::event::Event,
    power::plan::Plan,
    power::report::{InstanceReport, Outcome, Report},
    power::run::run,
    power::tracker::{Listener, OutcomeTracker},
    power::waves::Waves,
    sync::lock,
};

/// The part of a wave that one client carries out.
pub(crate) struct Share<I> {
    pub(crate) observer: Arc<Observer>,
    pub(crate) plan: Plan,
    pub(crate) name: Name<I>,
}

/// Returns the name that an instance of a client has in the request.
pub(crate) type Name<I> = Arc<dyn Fn(InstanceId) -> I + Send + Sync>;

/// Everything that is known about a request under way. Survives the future that carries the request
/// out.
pub(crate) struct RolloutState<I> {
    /// All instances, in the order of the request.
    instances: Arc<[I]>,
    /// The selection of the instances in words.
    selected_by: Option<String>,
    /// The rows of the waves that have ended.
    rows: Vec<InstanceReport<I>>,
    /// The instances of the wave under way.
    wave: Range<usize>,
    /// The clients of the wave under way.
    running: Vec<(Arc<Mutex<OutcomeTracker>>, Name<I>)>,
}

impl<I: Clone + Eq + Hash> RolloutState<I> {
    pub(crate) fn new(instances: Arc<[I]>) -> Self {
        Self {
            instances,
            selected_by: None,
            rows: Vec::new(),
            wave: 0..0,
            running: Vec::new(),
        }
    }

    /// Sets the instances of a request that selects them, and the rows of the instances that the request
    /// leaves alone.
    pub(crate) fn select<E>(
        &mut self,
        instances: Arc<[I]>,
        left_alone: Vec<InstanceReport<I>>,
        description: Option<String>,
        events: Option<&UnboundedSender<Event<I, E>>>,
    ) {
        if let Some(events) = events {
            // Fails only if nobody reads the events.
            let _ = events.send(Event::Selected {
                instances: instances.to_vec(),
            });
            for row in &left_alone {
                let _ = events.send(Event::Settled(row.clone()));
            }
        }
        self.instances = instances;
        self.rows = left_alone;
        self.selected_by = description;
    }

    /// Takes the report of the rows so far and of the instances that were not sent.
    fn take_report(&mut self, unsent: Vec<InstanceReport<I>>) -> Report<I> {
        let rows = mem::take(&mut self.rows).into_iter().chain(unsent);
        let report: Report<I> = rows.collect();
        report.with_selected_by(self.selected_by.take())
    }

    /// Appends the rows of the wave under way, and returns the number of failures.
    fn end_wave(&mut self, report: impl Fn(&mut OutcomeTracker) -> Report) -> usize {
        let mut reports = mem::take(&mut self.running)
            .into_iter()
            .map(|(tracker, name)| {
                let rows = report(&mut lock(&tracker)).into_iter();
                rows.map(move |row| row.rename(&*name))
            });
        let wave = self.wave.clone();
        self.wave.start = wave.end;
        let before = self.rows.len();
        match (reports.next(), reports.next()) {
            (None, _) => {}
            (Some(only), None) => self.rows.extend(only),
            (first, second) => {
                let rows = first.into_iter().chain(second).chain(reports).flatten();
                let mut rows: HashMap<I, InstanceReport<I>> =
                    rows.map(|row| (row.instance.clone(), row)).collect();
                let ordered = self.instances[wave].iter();
                self.rows
                    .extend(ordered.filter_map(|instance| rows.remove(instance)));
            }
        }
        let failed = |row: &&InstanceReport<I>| !row.outcome.is_success();
        self.rows[before..].iter().filter(failed).count()
    }

    /// Ends the request, and returns the report of what is known.
    pub(crate) fn cancel(&mut self) -> Report<I> {
        self.end_wave(OutcomeTracker::cancelled_report);
        let fault = Fault::new(FaultKind::Cancelled, "cancelled before the action was sent");
        let skipped =
            |instance: &I| InstanceReport::new(instance.clone(), Outcome::Skipped(fault.clone()));
        let unsent = self.instances[self.wave.end..].iter().map(skipped);
        let unsent: Vec<_> = unsent.collect();
        self.take_report(unsent)
    }
}

/// Carries a request out. `split` returns the shares of a wave.
pub(crate) async fn run_rollout<I, E>(
    state: &Mutex<RolloutState<I>>,
    waves: Option<Waves>,
    split: impl Fn(&[I]) -> Vec<Share<I>>,
    events: Option<&UnboundedSender<Event<I, E>>>,
) -> Report<I>
where
    I: Clone + Eq + Hash + Send + 'static,
    E: From<Error> + Send + 'static,
{
    let emit = |event| {
        if let Some(events) = events {
            // Fails only if nobody reads the events.
            let _ = events.send(event);
        }
    };
    let instances = lock(state).instances.len();
    let of = waves.unwrap_or_default().ranges(instances).count();
    let mut failures = 0;
    for (number, wave) in (1..).zip(waves.unwrap_or_default().ranges(instances)) {
        if let Some(fault) = waves.and_then(|waves| waves.halt(failures)) {
            let mut state = lock(state);
            for at in wave {
                let instance = state.instances[at].clone();
                let row = InstanceReport::new(instance, Outcome::Skipped(fault.clone()));
                emit(Event::Settled(row.clone()));
                state.rows.push(row);
            }
            state.wave = instances..instances;
            continue;
        }
        let pause = waves.map_or(Duration::ZERO, Waves::pause);
        if number > 1 && !pause.is_zero() {
            emit(Event::Pause {
                number,
                wait: pause,
            });
            sleep(pause).await;
        }
        if waves.is_some() {
            let instances = wave.len();
            emit(Event::Wave {
                number,
                of,
                instances,
            });
        }
        let runs = {
            let mut state = lock(state);
            state.wave = wave.clone();
            let shares = split(&state.instances[wave]);
            let start = |share| start(&mut state, share, events);
            shares.into_iter().map(start).collect::<Vec<_>>()
        };
        join_all(runs).await;
        failures += lock(state).end_wave(OutcomeTracker::take_report);
    }
    lock(state).take_report(Vec::new())
}

/// Starts to track a share, and returns the future that carries the share out.
fn start<I, E>(
    state: &mut RolloutState<I>,
    share: Share<I>,
    events: Option<&UnboundedSender<Event<I, E>>>,
) -> impl Future<Output = ()> + Send + use<I, E>
where
    I: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let Share {
        observer,
        plan,
        name,
    } = share;
    let listener = events.cloned().map(|events| {
        let name = Arc::clone(&name);
        Listener::new(move |event: Event| {
            // Fails only if nobody reads the events.
            let _ = events.send(event.rename(&*name));
        })
    });
    let mutant = observer.engine.mutant();
    let plan = plan.mutated(mutant);
    let tracker = OutcomeTracker::new(&plan, listener, mutant);
    let tracker = Arc::new(Mutex::new(tracker));
    state.running.push((Arc::clone(&tracker), name));
    async move { run(&observer, plan, &tracker).await }
}
