//! Benchmark: the share of a cloud's rate limit that a client uses, and the share of rejected
//! calls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lifecycle_bench::BenchResult;
use lifecycle_core::InstanceId;
use lifecycle_facade::{Client, Cloud};
use lifecycle_sim::{RetryAfterHint, Simulator, Switches, Throttle};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    rounds::median,
    settings::BenchSettings,
    simulated::{Simulated, under_paused_time},
    table::{Table, verdict},
};

/// Measures many callers of one client. Each caller observes one instance in a loop, at a cloud that
/// accepts 20 calls per second.
pub(crate) fn measure(_: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Pace under a limit of 20 calls a second",
        [
            "callers, hints",
            "goodput / limit",
            "refused %",
            "slowest / median caller",
            "back after s",
            "target",
        ],
    );
    for &cloud in Cloud::ALL {
        for (callers, hint) in [
            (1, RetryAfterHint::Withheld),
            (10, RetryAfterHint::Withheld),
            (100, RetryAfterHint::Withheld),
            (100, RetryAfterHint::Given),
        ] {
            let pace = under_paused_time(observe(cloud, callers, hint, SPAN))?;
            let hints = match hint {
                RetryAfterHint::Given => "hints",
                _ => "no hints",
            };
            table.row([
                format!("{cloud}, {callers}, {hints}"),
                format!("{:.2}", pace.goodput),
                format!("{:.1}", 100.0 * pace.refused),
                format!("{:.2}", pace.slowest),
                pace.back_after.map_or("never".to_owned(), |span| {
                    format!("{:.1}", span.as_secs_f64())
                }),
                verdict(
                    "goodput 0.9, refused 5 %, back in 10 s",
                    pace.meets_target(),
                ),
            ]);
        }
    }
    Ok(table)
}

/// Shares of the five minutes under one limit, the beginning included.
struct Pace {
    /// Executed calls, divided by the calls that the cloud accepts at most.
    goodput: f64,
    /// Refused calls, as a share of all sent calls.
    refused: f64,
    /// Calls of the slowest caller, divided by the calls of the median caller.
    slowest: f64,
    /// Time from the return of a limit that had fallen to a tenth for half a minute, until nine
    /// tenths of the limit are used; `None` if this takes more than five minutes.
    back_after: Option<Duration>,
}

impl Pace {
    fn meets_target(&self) -> bool {
        let is_back = |after| after <= Duration::from_secs(10);
        self.goodput >= 0.9 && self.refused < 0.05 && self.back_after.is_some_and(is_back)
    }
}

/// The limit of the cloud, in calls per second.
const LIMIT: u32 = 20;
/// The measured time under one limit.
const SPAN: Duration = Duration::from_secs(300);

/// Runs the callers for `span` under the limit, lowers the limit for half a minute, and runs the
/// callers for `span` again.
async fn observe(
    cloud: Cloud,
    callers: usize,
    hint: RetryAfterHint,
    span: Duration,
) -> BenchResult<Pace> {
    let mut switches = Switches::default();
    switches.throttle_hint = hint;
    let settings = Simulator::builder()
        .latency(Duration::from_millis(20))
        .switches(switches);
    let world = Simulated::new(cloud, callers, "running", settings)?;
    let limit = |calls: u32| {
        let throttle = Throttle::PerSecond {
            rate: f64::from(calls),
            burst: calls,
        };
        world.simulator.throttle(world.cloud, Some(throttle));
    };
    limit(LIMIT);
    let work = Work::default();
    let mut tasks = JoinSet::new();
    for id in &world.ids {
        tasks.spawn(call(world.client.clone(), id.clone(), work.clone()));
    }
    sleep(span).await;
    let (done, sent) = (work.callers(), world.client.calls().total());
    let executed: u32 = done.iter().sum();
    limit(LIMIT / 10);
    sleep(Duration::from_secs(30)).await;
    limit(LIMIT);
    let returned = Instant::now();
    sleep(span).await;
    tasks.abort_all();
    while let Some(task) = tasks.join_next().await {
        // A caller ends before its abort only when a call has failed.
        if let Ok(failed) = task {
            failed?;
        }
    }
    Ok(Pace {
        goodput: f64::from(executed) / (f64::from(LIMIT) * span.as_secs_f64()),
        refused: 1.0 - (f64::from(executed) / sent as f64).min(1.0),
        slowest: slowest_to_median(&done),
        back_after: back_after(&work.times(), returned),
    })
}

/// Repeats calls. Ends with the first call that fails for good.
async fn call(client: Client, id: InstanceId, work: Work) -> BenchResult<()> {
    let caller = work.join();
    loop {
        for status in client.observe([&id]).await? {
            status.result?;
        }
        work.note(caller);
    }
}

/// Executed calls so far, by caller and time.
#[derive(Clone, Default)]
struct Work(Arc<Mutex<(Vec<u32>, Vec<Instant>)>>);

impl Work {
    /// Adds a caller, and returns its number.
    fn join(&self) -> usize {
        let (callers, _) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        callers.push(0);
        callers.len() - 1
    }

    /// Records an executed call.
    fn note(&self, caller: usize) {
        let (callers, times) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = callers.get_mut(caller) {
            *calls += 1;
        }
        times.push(Instant::now());
    }

    /// Returns the number of calls of each caller.
    fn callers(&self) -> Vec<u32> {
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work.0.clone()
    }

    /// Returns the time of each call.
    fn times(&self) -> Vec<Instant> {
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work.1.clone()
    }
}

fn slowest_to_median(callers: &[u32]) -> f64 {
    let slowest = callers.iter().min().copied().unwrap_or_default();
    let calls = callers.iter().copied().map(f64::from).collect();
    f64::from(slowest) / median(calls)
}

/// Returns the time after `returned` at which the callers use nine tenths of the limit again: the
/// start of the first five seconds with enough calls, in steps of 0.1 s.
fn back_after(times: &[Instant], returned: Instant) -> Option<Duration> {
    const WINDOW: Duration = Duration::from_secs(5);
    let enough = 0.9 * f64::from(LIMIT) * WINDOW.as_secs_f64();
    let steps = (0..SPAN.as_millis() as u64).step_by(100);
    steps.map(Duration::from_millis).find(|&after| {
        let window = returned + after..returned + after + WINDOW;
        times.iter().filter(|at| window.contains(at)).count() as f64 >= enough
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_caller_is_seen_beside_the_median() {
        assert_eq!(slowest_to_median(&[8, 2, 4]), 0.5);
        assert_eq!(slowest_to_median(&[7]), 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_made_use_of_again_when_five_seconds_are_full() {
        let returned = Instant::now();
        let every = |millis: u64| {
            (0..10_000 / millis).map(move |n| returned + Duration::from_millis(n * millis))
        };
        // Two a second, and 20 a second from the third second on.
        let later = every(50).map(|at| at + Duration::from_secs(3));
        let times: Vec<_> = every(500).take(6).chain(later).collect();
        let after = back_after(&times, returned).unwrap().as_secs_f64();
        assert!((2.3..2.8).contains(&after), "{after}");
        assert_eq!(back_after(&every(500).collect::<Vec<_>>(), returned), None);
    }

    #[test]
    fn one_caller_makes_use_of_the_limit() {
        let span = Duration::from_secs(20);
        let pace =
            under_paused_time(observe(Cloud::Aliyun, 1, RetryAfterHint::Withheld, span)).unwrap();
        assert!((0.9..=1.1).contains(&pace.goodput), "{}", pace.goodput);
        assert!((0.0..0.05).contains(&pace.refused), "{}", pace.refused);
    }
}
