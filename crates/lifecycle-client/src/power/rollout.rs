//! Runs a request wave by wave, with all clients of a wave at the same time.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::{join, join_all};
use lifecycle_core::{ActionKind, Fault, FaultKind};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::timeout,
};

use crate::{
    error::Error,
    observe::observer::Observer,
    power::event::Event,
    power::listener::Listener,
    power::plan::Plan,
    power::recorder::{
        CallRecorder, Name, NamedRecorder, RECORD_TIME_LIMIT, ShareRecorder, is_recorded,
    },
    power::report::{InstanceReport, Report},
    power::resume_point::ResumePoints,
    power::run::run,
    power::tracker::OutcomeTracker,
    power::until::{SignalWatch, WavesUntil},
    power::waves::Waves,
    sync::lock,
};

/// The part of a wave that one client carries out.
pub(crate) struct Share<I> {
    pub(crate) observer: Arc<Observer>,
    pub(crate) plan: Plan,
    pub(crate) name: Name<I>,
}

/// A share under way.
struct Running<I> {
    observer: Arc<Observer>,
    tracker: Arc<Mutex<OutcomeTracker>>,
    name: Name<I>,
}

impl<I> Running<I> {
    /// Ends the share: returns and counts the rows.
    fn end(
        self,
        report: impl Fn(&mut OutcomeTracker) -> Report,
    ) -> impl Iterator<Item = InstanceReport<I>> {
        let (action, rows) = {
            let mut tracker = lock(&self.tracker);
            (tracker.options().kind, report(&mut tracker))
        };
        let outcomes = rows.instances().iter().map(|row| row.outcome.as_str());
        let collector = self.observer.engine.collector();
        collector.outcomes(action, outcomes);
        rows.into_iter().map(move |row| row.rename(&*self.name))
    }
}

/// Everything that is known about a request under way. Survives the future that carries the request
/// out.
pub(crate) struct RolloutState<I> {
    /// All instances, in the order of the request.
    instances: Arc<[I]>,
    /// The selection of the instances in words.
    selected_by: Option<String>,
    /// The rows of the waves and shares that have ended.
    rows: Vec<InstanceReport<I>>,
    /// The instances of the wave under way.
    wave: Range<usize>,
    /// The number of rows before the wave under way, or of all rows between two waves.
    rows_before: usize,
    /// The shares under way.
    running: Vec<Running<I>>,
    /// The action; `None` for a request that only waits.
    action: Option<ActionKind>,
    /// The points that an earlier process reached.
    resume: ResumePoints<I>,
    /// Counts the row of an instance for which no client did anything. Missing before the clients are connected.
    count_unsent: Option<CountRow<I>>,
}

type CountRow<I> = Box<dyn Fn(&InstanceReport<I>) + Send>;

impl<I: Clone + Eq + Hash> RolloutState<I> {
    pub(crate) fn new(
        instances: Arc<[I]>,
        action: Option<ActionKind>,
        resume: ResumePoints<I>,
    ) -> Self {
        Self {
            instances,
            selected_by: None,
            rows: Vec::new(),
            wave: 0..0,
            rows_before: 0,
            running: Vec::new(),
            action,
            resume,
            count_unsent: None,
        }
    }

    /// Sets the function that counts the rows of instances for which no client did anything.
    pub(crate) fn count_unsent_with(
        &mut self,
        count: impl Fn(&InstanceReport<I>) + Send + 'static,
    ) {
        self.count_unsent = Some(Box::new(count));
    }

    /// Returns and counts the rows of instances for which this process did nothing, because of `fault`.
    fn untouched(&self, instances: &[I], fault: &Fault) -> Vec<InstanceReport<I>> {
        let row = |instance| {
            let row = self.resume.untouched(instance, fault);
            let row = row.priced_after(self.action);
            // An instance that an earlier process settled is not counted again.
            if let (None, Some(count)) = (self.resume.settled(instance), &self.count_unsent) {
                count(&row);
            }
            row
        };
        instances.iter().map(row).collect()
    }

    /// Returns the rows of the instances that the request leaves alone, and the selection in words.
    pub(crate) fn selection(&self) -> (Vec<InstanceReport<I>>, Option<String>) {
        (self.rows.clone(), self.selected_by.clone())
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
        let left_alone = left_alone.into_iter();
        let left_alone = left_alone.map(|row| row.priced_after(self.action));
        let left_alone: Vec<_> = left_alone.collect();
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
        let mut rows = mem::take(&mut self.rows);
        rows.extend(unsent);
        rows.shrink_to_fit();
        self.rows_before = 0;
        let report: Report<I> = rows.into_iter().collect();
        report.with_selected_by(self.selected_by.take())
    }

    /// Begins a wave. The rows of the waves before are in the order of the request.
    fn begin_wave(&mut self, wave: Range<usize>) {
        self.rows_before = self.rows.len();
        self.wave = wave;
    }

    /// Moves the rows of a share from its tracker to the report. All instances of the share have an outcome.
    fn end_share(&mut self, tracker: &Arc<Mutex<OutcomeTracker>>) {
        let is_ended = |running: &Running<I>| Arc::ptr_eq(&running.tracker, tracker);
        if let Some(at) = self.running.iter().position(is_ended) {
            let running = self.running.swap_remove(at);
            self.add_rows(running.end(OutcomeTracker::take_report));
        }
    }

    fn add_rows(&mut self, rows: impl Iterator<Item = InstanceReport<I>>) {
        if self.rows.is_empty() {
            // In the memory of the tracker, where a row is not larger than what the tracker has of the instance.
            self.rows = rows.collect();
        } else {
            let wave_rows = self.rows.len() - self.rows_before;
            self.rows.reserve(self.wave.len().saturating_sub(wave_rows));
            self.rows.extend(rows);
        }
    }

    /// Ends the wave under way with the rows of its shares that have not ended, and returns the number of failures.
    fn end_wave(&mut self, report: impl Fn(&mut OutcomeTracker) -> Report) -> usize {
        let wave = self.wave.clone();
        self.wave.start = wave.end;
        for running in mem::take(&mut self.running) {
            self.add_rows(running.end(&report));
        }
        let settled = self.settled_rows(wave.clone());
        self.rows.extend(settled);
        let (rows, instances) = (&mut self.rows[self.rows_before..], &self.instances[wave]);
        if !rows.iter().map(|row| &row.instance).eq(instances) {
            let positions: HashMap<&I, usize> = instances.iter().zip(0..).collect();
            let position = |row: &InstanceReport<I>| positions.get(&row.instance).copied();
            rows.sort_by_cached_key(position);
        }
        rows.iter().filter(|row| !row.outcome.is_success()).count()
    }

    /// Ends the request, and returns the report of what is known.
    pub(crate) fn cancel(&mut self) -> Report<I> {
        self.end_wave(OutcomeTracker::cancelled_report);
        let fault = Fault::new(FaultKind::Cancelled, "cancelled before the action was sent");
        let unsent = self.untouched(&self.instances[self.wave.end..], &fault);
        self.take_report(unsent)
    }

    /// Returns the instances of a wave whose outcome is not known from an earlier process.
    fn open_instances(&self, wave: Range<usize>) -> Vec<I> {
        let instances = self.instances[wave].iter();
        let is_open = |instance: &&I| self.resume.settled(instance).is_none();
        instances.filter(is_open).cloned().collect()
    }

    /// Returns the rows of a wave that are known from an earlier process.
    fn settled_rows(&self, wave: Range<usize>) -> Vec<InstanceReport<I>> {
        let instances = self.instances[wave].iter();
        instances
            .filter_map(|instance| self.settled_row(instance))
            .collect()
    }

    /// Returns the row of an instance that is known from an earlier process.
    fn settled_row(&self, instance: &I) -> Option<InstanceReport<I>> {
        let row = self.resume.settled(instance)?.clone();
        Some(row.priced_after(self.action))
    }

    /// Returns whether an earlier process began a wave.
    fn is_begun(&self, wave: Range<usize>) -> bool {
        let mut instances = self.instances[wave].iter();
        instances.any(|instance| self.resume.contains(instance))
    }
}

/// Ends a request of which nothing is sent, because of `fault`.
pub(crate) fn skip_all<I, E>(
    state: &Mutex<RolloutState<I>>,
    fault: &Fault,
    events: Option<&UnboundedSender<Event<I, E>>>,
) -> Report<I>
where
    I: Clone + Eq + Hash,
{
    let mut state = lock(state);
    let rows = state.untouched(&state.instances, fault);
    if let Some(events) = events {
        for row in &rows {
            // Fails only if nobody reads the events.
            let _ = events.send(Event::Settled(row.clone()));
        }
    }
    let end = state.instances.len();
    state.wave = end..end;
    state.take_report(rows)
}

/// Carries a request out. `split` returns the shares of a wave.
pub(crate) async fn run_rollout<I, E>(
    state: &Mutex<RolloutState<I>>,
    waves: Option<WavesUntil>,
    split: impl Fn(&[I]) -> Vec<Share<I>>,
    recorder: Option<Arc<dyn CallRecorder<I>>>,
    events: Option<&UnboundedSender<Event<I, E>>>,
) -> Report<I>
where
    I: Clone + Eq + Hash + Send + Sync + 'static,
    E: From<Error> + Send + 'static,
{
    let emit = |event| {
        if let Some(events) = events {
            // Fails only if nobody reads the events.
            let _ = events.send(event);
        }
    };
    let instances = lock(state).instances.len();
    let (waves, signal) = waves.map(|waves| (waves.waves, waves.signal)).unzip();
    let mut signal = SignalWatch::new(signal.flatten());
    let of = waves.unwrap_or_default().ranges(instances).count();
    let mut failures = 0;
    let mut is_complete = true;
    for (number, wave) in (1..).zip(waves.unwrap_or_default().ranges(instances)) {
        let settled = lock(state).settled_rows(wave.clone());
        let is_settled = settled.len() == wave.len();
        for row in settled {
            emit(Event::Settled(row));
        }
        if is_settled {
            let mut state = lock(state);
            state.begin_wave(wave);
            failures += state.end_wave(OutcomeTracker::take_report);
            continue;
        }
        let mut end = waves.and_then(|waves| waves.halt(failures, instances));
        end = end.or_else(|| signal.fault());
        let pause = waves.map_or(Duration::ZERO, Waves::pause);
        let is_begun = lock(state).is_begun(wave.clone());
        if end.is_none() && number > 1 && !pause.is_zero() && !is_begun {
            emit(Event::Pause {
                number,
                wait: pause,
            });
            signal.sleep(pause).await;
            end = signal.fault();
        }
        if let Some(fault) = end {
            let halted = {
                let mut state = lock(state);
                let rows = state.untouched(&state.instances[wave.clone()], &fault);
                state.rows.extend_from_slice(&rows);
                state.begin_wave(wave.end..wave.end);
                rows
            };
            for row in &halted {
                emit(Event::Settled(row.clone()));
            }
            if let Some(recorder) = &recorder {
                // A resume reports the wave in the same way.
                record_rows(&**recorder, halted).await;
            }
            continue;
        }
        if waves.is_some() && events.is_some() {
            emit(Event::Wave {
                number,
                of,
                instances: lock(state).instances[wave.clone()].to_vec(),
            });
        }
        let (settled, mut to_record) = mpsc::unbounded_channel();
        let recording = recorder
            .as_ref()
            .map(|recorder| Recording { recorder, settled });
        let runs = {
            let open = {
                let mut state = lock(state);
                state.begin_wave(wave.clone());
                state.open_instances(wave)
            };
            let start = |share| start(state, share, recording.as_ref(), events);
            split(&open).into_iter().map(start).collect::<Vec<_>>()
        };
        match recording {
            None => drop(signal.beside(join_all(runs)).await),
            Some(Recording { recorder, settled }) => {
                let running = async {
                    join_all(runs).await;
                    // Fails only if the receiver is gone.
                    let _ = settled.send(None);
                };
                let recording = record_settled(&**recorder, &mut to_record);
                let ((), all_recorded) = signal.beside(join(running, recording)).await;
                is_complete &= all_recorded;
            }
        }
        failures += lock(state).end_wave(OutcomeTracker::take_report);
    }
    if let Some(recorder) = &recorder {
        // Without a recorded end, a resume finds every outcome.
        let _ = timeout(RECORD_TIME_LIMIT, recorder.finished(is_complete)).await;
    }
    lock(state).take_report(Vec::new())
}

/// The recorder of a wave, and the channel of the final rows; `None` in the channel ends the wave.
struct Recording<'r, I> {
    recorder: &'r Arc<dyn CallRecorder<I>>,
    settled: UnboundedSender<Option<InstanceReport<I>>>,
}

/// Records final rows as they come, until the end of the wave. Returns false if the recorder kept an instance from
/// being sent: such a row is not recorded.
async fn record_settled<I: 'static>(
    recorder: &dyn CallRecorder<I>,
    rows: &mut UnboundedReceiver<Option<InstanceReport<I>>>,
) -> bool {
    let mut all_recorded = true;
    let mut received = Vec::new();
    while rows.recv_many(&mut received, 1_024).await > 0 {
        let is_last = received.iter().any(Option::is_none);
        let mut batch: Vec<_> = received.drain(..).flatten().collect();
        let final_rows = batch.len();
        batch.retain(is_recorded);
        all_recorded &= batch.len() == final_rows;
        if !batch.is_empty() {
            record_rows(recorder, batch).await;
        }
        if is_last {
            break;
        }
    }
    all_recorded
}

async fn record_rows<I: 'static>(recorder: &dyn CallRecorder<I>, rows: Vec<InstanceReport<I>>) {
    // The end of the request is the second chance, and a resume looks at instances without a recorded outcome.
    let _ = timeout(RECORD_TIME_LIMIT, recorder.settled(rows)).await;
}

/// Starts to track a share, and returns the future that carries the share out.
fn start<'s, I, E>(
    state: &'s Mutex<RolloutState<I>>,
    share: Share<I>,
    recording: Option<&Recording<'_, I>>,
    events: Option<&UnboundedSender<Event<I, E>>>,
) -> impl Future<Output = ()> + Send + use<'s, I, E>
where
    I: Clone + Eq + Hash + Send + Sync + 'static,
    E: From<Error> + Send + 'static,
{
    let Share {
        observer,
        plan,
        name,
    } = share;
    let recorder = recording.map(|recording| -> Arc<dyn ShareRecorder> {
        Arc::new(NamedRecorder {
            recorder: Arc::clone(recording.recorder),
            name: Arc::clone(&name),
        })
    });
    let settled = recording.map(|recording| recording.settled.clone());
    let events = events.cloned();
    let listener = (events.is_some() || settled.is_some()).then(|| {
        let name = Arc::clone(&name);
        Listener::new(move |event: Event| {
            let event: Event<I, E> = event.rename(&*name);
            if let (Some(settled), Event::Settled(row)) = (&settled, &event) {
                // Fails only after the end of the wave.
                let _ = settled.send(Some(row.clone()));
            }
            if let Some(events) = &events {
                // Fails only if nobody reads the events.
                let _ = events.send(event);
            }
        })
    });
    let mutant = observer.engine.mutant();
    let plan = plan.mutated(mutant);
    let tracker = OutcomeTracker::new(&plan, listener, mutant);
    let tracker = Arc::new(Mutex::new(tracker));
    lock(state).running.push(Running {
        observer: Arc::clone(&observer),
        tracker: Arc::clone(&tracker),
        name,
    });
    async move {
        run(&observer, plan, &tracker, recorder).await;
        lock(state).end_share(&tracker);
    }
}
