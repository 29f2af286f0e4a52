//! `cargo xtask ci`: all steps of CI in the same order.
//!
//! The steps need the Rust toolchain of `rust-toolchain.toml`. `interop` also needs Python and the
//! vendors' SDKs, `fuzz` needs cargo-fuzz, `deny` needs cargo-deny, and `bench -- --check` needs valgrind.
//! A step is skipped with a message where its tools are missing. `postgres` and `promtool` fetch PostgreSQL and promtool
//! with apt-get where they are missing, and the tests with these programs are mandatory.

use std::{
    fmt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    bench::Bench,
    cargo::Cargo,
    deny::Deny,
    exit::{CheckResult, CommandResult},
    features::Features,
    fuzz::Fuzz,
    interop::Interop,
    new_provider::NewProvider,
    postgres, promtool,
    tidy::Tidy,
    tree::Tree,
};

/// Run all steps of CI in the same order, up to the first failure.
#[derive(Debug, clap::Args)]
pub(crate) struct Ci {
    /// Run the remaining steps after a failure, too.
    #[arg(long)]
    keep_going: bool,
}

impl Ci {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let rows = rows(&steps(), self.keep_going, |step| run_step(step, root));
        println!();
        for row in &rows {
            println!("{row}");
        }
        // Readers and programs may see only the end of the log.
        println!("\n{}", summary(&rows));
        overall(&rows)
    }
}

/// The steps of CI. Steps with a similar build follow each other.
fn steps() -> Vec<Step> {
    vec![
        Step::cargo("fmt", Cargo::new("fmt --all --check")),
        Step::cargo(
            "clippy",
            Cargo::new("clippy --workspace --all-targets --all-features -- -D warnings"),
        ),
        Step::xtask("postgres", postgres::install),
        Step::xtask("promtool", promtool::install),
        // Also runs the examples in the documentation.
        Step::cargo(
            "test",
            Cargo::workspace_tests()
                .env("RUST_TEST_THREADS", test_threads().to_string())
                .env(postgres::REQUIRE, "1")
                .env(promtool::REQUIRE, "1"),
        ),
        Step::cargo(
            "doc",
            Cargo::new("doc --workspace --no-deps --all-features")
                .env("RUSTDOCFLAGS", "-D warnings"),
        ),
        Step::xtask("new-provider --check", |root| {
            NewProvider::checking().run(root)
        }),
        Step::xtask("features", |root| Features::default().run(root)),
        Step::xtask("tree", |root| Tree::default().run(root)),
        Step::xtask("tidy", |root| Tidy::default().run(root)),
        Step::xtask("deny", |root| Deny::default().run(root)),
        Step::xtask("interop", |root| Interop::after_tests().run(root)),
        Step::xtask("fuzz", |root| Fuzz::default().run(root)),
        Step::xtask("bench -- --check", |root| Bench::checking().run(root)),
    ]
}

/// Returns the number of tests that run at a time. The tests of `lifecycle-cli` wait for processes and for the
/// simulator most of their time, so more of them run than a small machine has cores.
fn test_threads() -> usize {
    thread::available_parallelism().map_or(8, |cores| cores.get().max(8))
}

struct Step {
    name: &'static str,
    action: StepAction,
}

enum StepAction {
    Cargo(Cargo),
    Xtask(fn(&Path) -> CommandResult),
}

impl Step {
    fn cargo(name: &'static str, call: Cargo) -> Self {
        Self {
            name,
            action: StepAction::Cargo(call),
        }
    }

    /// Creates a step that runs a command of this program in this process.
    fn xtask(name: &'static str, command: fn(&Path) -> CommandResult) -> Self {
        Self {
            name,
            action: StepAction::Xtask(command),
        }
    }

    fn command(&self) -> String {
        match &self.action {
            StepAction::Cargo(call) => call.to_string(),
            StepAction::Xtask(_) if self.name == "postgres" => {
                "apt-get install postgresql, if missing".to_owned()
            }
            StepAction::Xtask(_) if self.name == "promtool" => {
                "apt-get download prometheus, if promtool is missing".to_owned()
            }
            StepAction::Xtask(_) => format!("cargo xtask {}", self.name),
        }
    }
}

/// Runs one step between two lines with the name of the step.
fn run_step(step: &Step, root: &Path) -> StepRun {
    println!("\n== {}: {}", step.name, step.command());
    let begin = now();
    let result = match &step.action {
        StepAction::Cargo(call) => call.run(root),
        StepAction::Xtask(command) => command(root),
    };
    let run = StepRun {
        result,
        took: now().duration_since(begin),
    };
    if let Err(reason) = &run.result {
        println!("{reason}");
    }
    println!("== {}: {} in {}", step.name, run.label(), run.seconds());
    run
}

/// The result and the duration of a step.
struct StepRun {
    result: CommandResult,
    took: Duration,
}

impl StepRun {
    fn is(&self, result: CheckResult) -> bool {
        self.result == Ok(result)
    }

    /// Reports whether the step makes CI fail.
    fn failed(&self) -> bool {
        !self.is(CheckResult::Passed) && !self.is(CheckResult::Skipped)
    }

    fn label(&self) -> &'static str {
        match self.result {
            Ok(CheckResult::Passed) => "passed",
            Ok(CheckResult::Failed) => "failed",
            Ok(CheckResult::Skipped) => "skipped",
            Err(_) => "could not run",
        }
    }

    fn seconds(&self) -> String {
        format!("{:.1} s", self.took.as_secs_f64())
    }
}

/// One line of the table at the end of the run.
struct StepRow {
    name: &'static str,
    command: String,
    /// `None` if an earlier failure ended the run.
    run: Option<StepRun>,
}

fn rows(steps: &[Step], keep_going: bool, mut run: impl FnMut(&Step) -> StepRun) -> Vec<StepRow> {
    let mut stopped = false;
    let mut row = |step: &Step| {
        let run = (!stopped).then(|| run(step));
        stopped |= !keep_going && run.as_ref().is_some_and(StepRun::failed);
        StepRow {
            name: step.name,
            command: step.command(),
            run,
        }
    };
    steps.iter().map(&mut row).collect()
}

fn summary(rows: &[StepRow]) -> String {
    let runs = || rows.iter().filter_map(|row| row.run.as_ref());
    let passed = runs().filter(|run| run.is(CheckResult::Passed)).count();
    let failed = runs().filter(|run| run.failed()).count();
    let skipped = match runs().filter(|run| run.is(CheckResult::Skipped)).count() {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    format!("{passed} passed, {failed} failed{skipped}")
}

/// Returns a failure if a step failed, otherwise the reason if a step could not run.
fn overall(rows: &[StepRow]) -> CommandResult {
    let results = || {
        rows.iter()
            .filter_map(|row| row.run.as_ref())
            .map(|run| &run.result)
    };
    if results().any(|result| *result == Ok(CheckResult::Failed)) {
        return Ok(CheckResult::Failed);
    }
    results()
        .find(|result| result.is_err())
        .cloned()
        .unwrap_or(Ok(CheckResult::Passed))
}

impl fmt::Display for StepRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.run.as_ref().map_or("not run", StepRun::label);
        let seconds = self.run.as_ref().map(StepRun::seconds).unwrap_or_default();
        write!(
            f,
            "{:<9} {label:<13} {seconds:>8}  {}",
            self.name, self.command
        )
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "xtask measures real time and links no tokio"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::CouldNotRun;

    /// Runs three steps; the second step has the given result.
    fn run(second: &CommandResult, keep_going: bool) -> Vec<StepRow> {
        let steps = ["first", "second", "third"].map(|name| Step::cargo(name, Cargo::new(name)));
        rows(&steps, keep_going, |step| {
            let result = if step.name == "second" {
                second.clone()
            } else {
                Ok(CheckResult::Passed)
            };
            StepRun {
                result,
                took: Duration::from_millis(1200),
            }
        })
    }

    #[test]
    fn run_passes_if_every_step_passes() {
        let rows = run(&Ok(CheckResult::Passed), false);

        assert_eq!(summary(&rows), "3 passed, 0 failed");
        assert_eq!(overall(&rows), Ok(CheckResult::Passed));
        assert_eq!(
            rows[0].to_string(),
            "first     passed           1.2 s  cargo first"
        );
    }

    #[test]
    fn first_failure_ends_the_run() {
        let rows = run(&Ok(CheckResult::Failed), false);

        assert_eq!(summary(&rows), "1 passed, 1 failed");
        assert_eq!(overall(&rows), Ok(CheckResult::Failed));
        assert_eq!(
            rows[2].to_string(),
            "third     not run                 cargo third"
        );
    }

    #[test]
    fn keep_going_runs_the_remaining_steps_and_the_run_fails() {
        let rows = run(&Ok(CheckResult::Failed), true);

        assert_eq!(summary(&rows), "2 passed, 1 failed");
        assert_eq!(overall(&rows), Ok(CheckResult::Failed));
    }

    #[test]
    fn run_fails_if_a_step_could_not_run() {
        let rows = run(&Err(CouldNotRun("no cargo".to_owned())), true);

        assert_eq!(summary(&rows), "2 passed, 1 failed");
        assert_eq!(overall(&rows), Err(CouldNotRun("no cargo".to_owned())));
    }

    #[test]
    fn run_passes_if_a_step_is_skipped() {
        let rows = run(&Ok(CheckResult::Skipped), false);

        assert_eq!(summary(&rows), "2 passed, 0 failed, 1 skipped");
        assert_eq!(overall(&rows), Ok(CheckResult::Passed));
        assert!(rows[1].to_string().starts_with("second    skipped"));
    }

    #[test]
    fn steps_have_the_documented_order() {
        let names: Vec<&str> = steps().iter().map(|step| step.name).collect();

        assert_eq!(
            names,
            [
                "fmt",
                "clippy",
                "postgres",
                "promtool",
                "test",
                "doc",
                "new-provider --check",
                "features",
                "tree",
                "tidy",
                "deny",
                "interop",
                "fuzz",
                "bench -- --check"
            ]
        );
    }
}
