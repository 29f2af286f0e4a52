//! Conformance: runs a fault scenario with the real client against the simulated cloud.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{join_all, join3},
    stream,
};
use lifecycle_facade::{
    Client, Error, Event, InstanceId, PowerRequest, PowerRequestOptions, Report,
    lifecycle_core::Action,
};
use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    scenario::{Request, ResultForm, Scenario, ScheduledList},
    scenario_run::{ListRun, RequestRun, ScenarioRun},
    test_stage::TestStage,
};

/// Runs one scenario under paused time.
///
/// # Errors
/// A text if the run could not be set up, hung or panicked.
pub(crate) fn run(scenario: &Scenario) -> Result<ScenarioRun, String> {
    in_paused_time(run_requests(scenario))
}

/// Runs a future under paused time.
///
/// # Errors
/// The error of the future, or a text after a panic.
pub(crate) fn in_paused_time<T>(
    future: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let panics = panics_so_far();
    let run = AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(future)
    });
    let run = catch_unwind(run).unwrap_or_else(|_| Err(PANICKED.to_owned()));
    // Tokio catches a panic in a task of the client.
    if panics_so_far() > panics {
        return Err(PANICKED.to_owned());
    }
    run
}

/// The message of a run that panicked.
const PANICKED: &str = "the run panicked";

/// Runs all requests of a scenario, with the external changes at their times.
async fn run_requests(scenario: &Scenario) -> Result<ScenarioRun, String> {
    let stage = TestStage::new(scenario).await?;
    let running = run_from(0, &stage, scenario, Instant::now());
    let (requests, lists) = timeout(HANG_LIMIT, running).await.map_err(hangs)??;
    Ok(ScenarioRun {
        stage,
        requests,
        lists,
    })
}

/// Runs the requests of a scenario from number `first` on, the external changes and the lists.
pub(crate) async fn run_from(
    first: usize,
    stage: &TestStage,
    scenario: &Scenario,
    start: Instant,
) -> Result<(Vec<RequestRun>, Vec<ListRun>), String> {
    let numbered = scenario.requests.iter().zip(0..).skip(first);
    let runs: Vec<_> = numbered
        .map(|(request, number)| run_request(stage, request, scenario.seed ^ number, start))
        .collect();
    let count = runs.len();
    let runs = stream::iter(runs).buffered(count.max(1));
    let changes = stream::iter(&scenario.changes).for_each_concurrent(None, async |change| {
        sleep_until(start + change.at).await;
        stage.apply(change);
    });
    let lists: Vec<_> = scenario
        .lists
        .iter()
        .map(|scheduled| list(stage, scheduled, start))
        .collect();
    let (runs, (), lists) = join3(runs.collect::<Vec<_>>(), changes, join_all(lists)).await;
    let requests = runs.into_iter().collect::<Result<_, _>>()?;
    Ok((requests, lists))
}

/// Returns the problem of a run that reached [`HANG_LIMIT`].
pub(crate) fn hangs<E>(_: E) -> String {
    "the run hangs".to_owned()
}

/// A time limit beyond every deadline of a scenario: 2,500 waves of a single instance, which wait ten minutes each,
/// take 17 days.
pub(crate) const HANG_LIMIT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Runs one request.
async fn run_request(
    stage: &TestStage,
    request: &Request,
    seed: u64,
    start: Instant,
) -> Result<RequestRun, String> {
    let ids = stage.request_ids(request, seed)?;
    sleep_until(start + request.starts_at).await;
    let before = stage.states(&ids);
    let started = start.elapsed();
    let sent = send(&stage.client, request, ids.clone());
    let finished = match request.dropped_after {
        Some(span) => timeout(span, sent).await.ok(),
        None => Some(sent.await),
    };
    let (result, events) = finished.unzip();
    Ok(RequestRun {
        before,
        after: stage.states(&ids),
        ids,
        started,
        ended: start.elapsed(),
        result,
        events: events.flatten(),
    })
}

async fn list(stage: &TestStage, scheduled: &ScheduledList, start: Instant) -> ListRun {
    sleep_until(start + scheduled.at).await;
    let started = start.elapsed();
    let result = stage.client.list().filter(scheduled.filter.clone()).await;
    ListRun {
        started,
        ended: start.elapsed(),
        result,
    }
}

type Finished = (Result<Report, Error>, Option<Vec<Event>>);

/// Sends a request to the client under test.
async fn send(client: &Client, request: &Request, ids: Vec<InstanceId>) -> Finished {
    match request.action {
        Action::Start(options) => follow(client.start(ids).options(options), request).await,
        Action::Stop(options) => follow(client.stop(ids).options(options), request).await,
        Action::Reboot(options) => follow(client.reboot(ids).options(options), request).await,
        // `Action` has no further variants today.
        _ => (Ok(Report::default()), None),
    }
}

/// Returns the options of a request.
pub(crate) fn options_of(request: &Request) -> PowerRequestOptions {
    let mut options = PowerRequestOptions::default()
        .with_strict(request.strict)
        .with_when_idle(request.when_idle);
    options.wait = request.wait_timeout.map(Into::into);
    options.force_after = request.force_after;
    options
}

/// Sets the options of a request, and awaits the report or reads the events.
async fn follow<O>(power: PowerRequest<O>, request: &Request) -> Finished
where
    O: Into<Action>,
{
    let mut power = power.request_options(options_of(request));
    if let Some(waves) = request.waves {
        power = power.waves(waves);
    }
    if request.result_form == ResultForm::Report {
        return (power.await, None);
    }
    let mut seen = Vec::new();
    let mut events = power.events();
    let end = request.dropped_after.unwrap_or(HANG_LIMIT);
    let read = async {
        while let Some(event) = events.next().await {
            match event {
                Event::Finished(result) => return result,
                event => seen.push(event),
            }
        }
        Ok(Report::default())
    };
    match timeout(end, read).await {
        Ok(result) => (result, Some(seen)),
        // Open instances have a row, but no event.
        Err(_) => (events.cancel(), None),
    }
}

thread_local! {
    /// The number of panics of this thread.
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

/// Returns the number of panics of this thread, in tasks too.
fn panics_so_far() -> u64 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default_hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            default_hook(info);
        }));
    });
    PANICS.get()
}
