//! Running a scenario with the real client against the simulated cloud.

use std::{
    cell::Cell,
    collections::HashMap,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
    time::Duration,
};

use futures_util::{StreamExt, future::join, stream};
use lifecycle_facade::{
    Client, Error, Event, InstanceId, PowerRequest, PowerRequestOptions, Report, core::Action,
};
use lifecycle_sim::{Ledger, State};
use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    judge::{Violation, judge},
    scenario::{Reading, Request, Scenario},
    stage::Stage,
};

/// What became of a scenario.
#[derive(Debug)]
pub struct Verdict {
    /// Every promise that was broken; none is what should be.
    pub violations: Vec<Violation>,
    /// How many instances were asked for.
    pub instances: usize,
    /// What the cloud received and executed.
    pub ledger: Ledger,
}

/// Runs one scenario under paused time, and judges it.
///
/// # Errors
/// A text when the run could not be set up, hung or panicked.
pub fn simulate(scenario: &Scenario) -> Result<Verdict, String> {
    let run = play(scenario)?;
    Ok(Verdict {
        violations: judge(scenario, &run),
        instances: run.episodes.iter().map(|e| e.asked.len()).sum(),
        ledger: run.stage.simulator.ledger(),
    })
}

/// Runs one scenario under paused time.
pub(crate) fn play(scenario: &Scenario) -> Result<Run, String> {
    let panics = panics_so_far();
    let run = AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(run(scenario))
    });
    let run = catch_unwind(run).unwrap_or_else(|_| Err("it panicked".to_owned()));
    // A panic of a task that the client has started ends nothing else.
    if panics_so_far() > panics {
        return Err("it panicked".to_owned());
    }
    run
}

/// A finished run, and what is needed to judge it.
pub(crate) struct Run {
    pub(crate) stage: Stage,
    /// One for each request.
    pub(crate) episodes: Vec<Episode>,
}

/// What became of one request.
pub(crate) struct Episode {
    /// The ids in the order of the request, with unknown ones and duplicates.
    pub(crate) asked: Vec<InstanceId>,
    /// How the instances really were when it began.
    pub(crate) before: HashMap<InstanceId, State>,
    /// How they really were when it ended.
    pub(crate) after: HashMap<InstanceId, State>,
    pub(crate) begun: Duration,
    pub(crate) ended: Duration,
    /// `None` for a request that was dropped.
    pub(crate) result: Option<Result<Report, Error>>,
    /// All but the last one.
    pub(crate) events: Option<Vec<Event>>,
}

async fn run(scenario: &Scenario) -> Result<Run, String> {
    let stage = Stage::new(scenario).await?;
    let start = Instant::now();
    let requests = scenario.requests.iter().zip(0..);
    let episodes: Vec<_> = requests
        .map(|(request, number)| episode(&stage, request, scenario.seed ^ number, start))
        .collect();
    let count = episodes.len();
    let episodes = stream::iter(episodes).buffered(count);
    let incidents = stream::iter(&scenario.incidents).for_each_concurrent(None, async |incident| {
        sleep_until(start + incident.at).await;
        stage.happen(incident);
    });
    let all = join(episodes.collect::<Vec<_>>(), incidents);
    let (episodes, ()) = timeout(FOR_EVER, all)
        .await
        .map_err(|_| "it hangs".to_owned())?;
    let episodes = episodes.into_iter().collect::<Result<_, _>>()?;
    Ok(Run { stage, episodes })
}

/// Far beyond every deadline of a scenario.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

async fn episode(
    stage: &Stage,
    request: &Request,
    seed: u64,
    start: Instant,
) -> Result<Episode, String> {
    let asked = stage.asked(request, seed)?;
    sleep_until(start + request.begins).await;
    let before = stage.states(&asked);
    let begun = start.elapsed();
    let work = ask(&stage.client, request, asked.clone());
    let ended = match request.dropped_after {
        Some(span) => timeout(span, work).await.ok(),
        None => Some(work.await),
    };
    let (result, events) = ended.unzip();
    Ok(Episode {
        before,
        after: stage.states(&asked),
        asked,
        begun,
        ended: start.elapsed(),
        result,
        events: events.flatten(),
    })
}

type Ending = (Result<Report, Error>, Option<Vec<Event>>);

async fn ask(client: &Client, request: &Request, asked: Vec<InstanceId>) -> Ending {
    match request.action {
        Action::Start(options) => follow(client.start(asked).options(options), request).await,
        Action::Stop(options) => follow(client.stop(asked).options(options), request).await,
        Action::Reboot(options) => follow(client.reboot(asked).options(options), request).await,
        // There are no others, and none is drawn.
        _ => (Ok(Report::default()), None),
    }
}

async fn follow<O>(power: PowerRequest<O>, request: &Request) -> Ending
where
    O: Into<Action>,
{
    let mut options = PowerRequestOptions::default().with_strict(request.strict);
    options.wait = request.patience.map(Into::into);
    options.force_after = request.force_after;
    let mut power = power.request_options(options);
    if let Some(waves) = request.waves {
        power = power.waves(waves);
    }
    if request.reading == Reading::Report {
        return (power.await, None);
    }
    let mut seen = Vec::new();
    let mut events = power.events();
    while let Some(event) = events.next().await {
        match event {
            Event::Finished(result) => return (result, Some(seen)),
            event => seen.push(event),
        }
    }
    (Ok(Report::default()), Some(seen))
}

thread_local! {
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread has panicked, in whatever task.
fn panics_so_far() -> u64 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
    PANICS.get()
}
