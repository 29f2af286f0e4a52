//! The measured work of both binaries: repeated starts and observations through a client.

use std::{
    error::Error,
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lifecycle_core::InstanceId;
use lifecycle_facade::Client;
use tokio::{runtime::Runtime, task::JoinSet, time::Instant};

use crate::process;

/// A result with any error.
pub type BenchResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Repeats `iteration` until the end of the run, with `concurrency` iterations at a time, all on this
/// thread.
///
/// # Errors
/// Returns the first error of an iteration, which ends the run.
pub async fn drive<F, T>(concurrency: usize, until: Until, iteration: F) -> BenchResult<Run>
where
    F: Fn() -> T + Clone + Send + 'static,
    T: Future<Output = BenchResult<()>> + Send,
{
    let begun = Arc::new(AtomicU64::new(0));
    let (begin, cpu_before) = (Instant::now(), process::cpu_time());
    let mut tasks = JoinSet::new();
    for _ in 0..concurrency {
        let (begun, iteration) = (Arc::clone(&begun), iteration.clone());
        tasks.spawn(async move {
            let mut iterations = 0;
            while until.allows(begin, begun.fetch_add(1, Ordering::Relaxed)) {
                iteration().await?;
                iterations += 1;
            }
            BenchResult::Ok(iterations)
        });
    }
    let mut iterations: u64 = 0;
    while let Some(task) = tasks.join_next().await {
        iterations += task??;
    }
    let cpu_after = process::cpu_time();
    Ok(Run {
        iterations,
        elapsed: begin.elapsed(),
        cpu: cpu_before
            .and_then(|before| Ok(cpu_after?.saturating_sub(before)))
            .ok(),
    })
}

/// The end of a run. Iterations in flight are finished.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "nothing is built on it elsewhere")]
pub enum Until {
    /// Ends after this time.
    Elapsed(Duration),
    /// Ends after this many iterations.
    Iterations(u64),
}

impl Until {
    fn allows(self, begin: Instant, begun: u64) -> bool {
        match self {
            Self::Elapsed(span) => begin.elapsed() < span,
            Self::Iterations(iterations) => begun < iterations,
        }
    }
}

/// A finished run.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain numbers")]
pub struct Run {
    /// Finished iterations.
    pub iterations: u64,
    /// Duration of the run.
    pub elapsed: Duration,
    /// Processor time of this process during the run, where the system reports it.
    pub cpu: Option<Duration>,
}

impl Run {
    /// Returns the iterations in a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        1.0 / self.seconds()
    }

    /// Returns the seconds for one iteration.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a run has fewer than 2^52 iterations"
    )]
    pub fn seconds(&self) -> f64 {
        self.elapsed.as_secs_f64() / self.iterations as f64
    }
}

/// Starts `ids` until the cloud has accepted the action. Returns the first failure, if any.
///
/// # Errors
/// Fails when nothing could be sent.
pub async fn start(client: &Client, ids: &[InstanceId]) -> BenchResult<Option<String>> {
    let report = client.start(ids).await?;
    let first = report.failures().next().map(ToString::to_string);
    Ok(first)
}

/// Observes `ids` once. Returns the first failure, if any.
///
/// # Errors
/// Fails when nothing could be sent.
pub async fn observe(client: &Client, ids: &[InstanceId]) -> BenchResult<Option<String>> {
    let statuses = client.observe(ids).await?;
    let mut failures = statuses.iter().filter_map(|status| {
        let fault = status.result.as_ref().err()?;
        Some(format!("{}: {fault}", status.instance))
    });
    Ok(failures.next())
}

/// Returns a runtime on this thread alone.
///
/// # Errors
/// Fails when the system cannot make a runtime.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn run_makes_the_requested_iterations_concurrently() {
        let (current, max) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let iteration = {
            let (current, max) = (Arc::clone(&current), Arc::clone(&max));
            move || {
                let (current, max) = (Arc::clone(&current), Arc::clone(&max));
                async move {
                    max.fetch_max(
                        current.fetch_add(1, Ordering::Relaxed) + 1,
                        Ordering::Relaxed,
                    );
                    tokio::task::yield_now().await;
                    current.fetch_sub(1, Ordering::Relaxed);
                    Ok(())
                }
            }
        };
        let run = runtime()
            .unwrap()
            .block_on(drive(3, Until::Iterations(10), iteration));
        assert_eq!(run.unwrap().iterations, 10);
        assert_eq!(max.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn run_ends_in_time_and_with_the_first_error() {
        let runtime = runtime().unwrap();
        let span = Duration::from_millis(20);
        let nap = || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        };
        let run = runtime
            .block_on(drive(2, Until::Elapsed(span), nap))
            .unwrap();
        assert!(run.elapsed >= span && run.iterations > 0, "{run:?}");
        let broken = || async { Err("broken".into()) };
        let error = runtime.block_on(drive(2, Until::Iterations(9), broken));
        assert_eq!(error.unwrap_err().to_string(), "broken");
    }
}
