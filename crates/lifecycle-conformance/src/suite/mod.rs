//! The conformance suite: scenarios that every provider must pass, on whatever [`Subject`].
//!
//! [`cases`] is the table of contents. A case is a plain async function over a subject; the
//! [`Profile`](lifecycle_facade::Profile) of the subject's client decides which ones apply. The
//! simulated clouds are [`Simulated`], named instances of a real account are [`Live`], and a third
//! party brings its own.

mod case;
mod faults;
mod keys;
mod live;
mod looks;
mod matrix;
mod page;
mod power;
mod simulated;
mod skewed;
mod subject;

pub use case::{Case, Needs, Ran, Stop, Verdict};
pub use live::{Live, Permission, RefusedToRun};
pub use matrix::{Column, Matrix};
pub use page::page;
pub use simulated::{Simulated, simulated};
pub use skewed::SkewedClock;
pub use subject::{Condition, Deeds, Disturbance, Missing, Setting, Subject, Target};

/// All cases, in the order of the matrix.
pub fn cases() -> Vec<Case> {
    [
        looks::cases(),
        power::from_every_state(),
        power::in_trouble(),
        power::in_bulk(),
        power::past_the_deadline(),
        faults::cases(),
        keys::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs every case on a subject of its own, each under paused time on a runtime of its own.
///
/// `subject` is called within the runtime of the case, so that clocks begin there.
pub fn run_apart<S: Subject>(
    name: impl Into<String>,
    subject: impl Fn() -> Result<S, String>,
) -> Column {
    let verdicts = cases()
        .iter()
        .map(|case| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(async {
                    match subject() {
                        Ok(subject) => case.run(&subject).await,
                        Err(problem) => Verdict::Failed(problem),
                    }
                }),
                Err(problem) => Verdict::Failed(problem.to_string()),
            }
        })
        .collect();
    Column::new(name, verdicts)
}

/// Runs every case on this runtime, one after the other, each on a subject of its own.
pub async fn run_in_turn<S: Subject>(
    name: impl Into<String>,
    subject: impl AsyncFn() -> S,
) -> Column {
    let mut verdicts = Vec::new();
    for case in cases() {
        verdicts.push(case.run(&subject().await).await);
    }
    Column::new(name, verdicts)
}
