//! `cargo xtask ci`: all that CI runs, in the same order.
//!
//! It needs the Rust toolchain of `rust-toolchain.toml` and, for `interop`, Python and the vendors'
//! SDKs; where those are not to be had, that step is skipped and says so.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    cargo::Cargo,
    exit::{CouldNotRun, Verdict},
    features::Features,
    interop::Interop,
    new_provider::NewProvider,
    tidy::Tidy,
    tree::Tree,
};

/// Run all that CI runs, in the same order, up to the first failure.
#[derive(Debug, clap::Args)]
pub(crate) struct Ci {
    /// Run the remaining steps after a failure too.
    #[arg(long)]
    keep_going: bool,
}

impl Ci {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        let rows = rows(&steps(), self.keep_going, |step| announce(step, root));
        println!();
        for row in &rows {
            println!("{row}");
        }
        // The last line is what a reader or a machine that sees only the end of the log can judge
        // by.
        println!("\n{}", summary(&rows));
        verdict(&rows)
    }
}

/// The steps of CI. Those that share most of their build stand next to each other.
fn steps() -> Vec<Step> {
    vec![
        Step::cargo("fmt", Cargo::new("fmt --all --check")),
        Step::cargo(
            "clippy",
            Cargo::new("clippy --workspace --all-targets --all-features -- -D warnings"),
        ),
        // The test command of the README, word for word. It runs the examples in the documentation
        // too.
        Step::cargo("test", Cargo::new("test --workspace --all-features")),
        Step::cargo(
            "doc",
            Cargo::new("doc --workspace --no-deps --all-features")
                .env("RUSTDOCFLAGS", "-D warnings"),
        ),
        Step::own("new-provider --check", |root| {
            NewProvider::checking().run(root)
        }),
        Step::own("features", |root| Features::default().run(root)),
        Step::own("tree", |root| Tree::default().run(root)),
        Step::own("tidy", |root| Tidy::default().run(root)),
        Step::own("interop", |root| Interop::default().run(root)),
    ]
}

struct Step {
    name: &'static str,
    work: Work,
}

enum Work {
    Cargo(Cargo),
    Own(fn(&Path) -> Result<Verdict, CouldNotRun>),
}

impl Step {
    fn cargo(name: &'static str, call: Cargo) -> Self {
        Self {
            name,
            work: Work::Cargo(call),
        }
    }

    /// A command of this program, which runs in this process.
    fn own(name: &'static str, command: fn(&Path) -> Result<Verdict, CouldNotRun>) -> Self {
        Self {
            name,
            work: Work::Own(command),
        }
    }

    fn command(&self) -> String {
        match &self.work {
            Work::Cargo(call) => call.to_string(),
            Work::Own(_) => format!("cargo xtask {}", self.name),
        }
    }
}

/// Runs one step between two lines that name it.
fn announce(step: &Step, root: &Path) -> Done {
    println!("\n== {}: {}", step.name, step.command());
    let begin = now();
    let ending = match &step.work {
        Work::Cargo(call) => call.run(root),
        Work::Own(command) => command(root),
    };
    let done = Done {
        ending,
        took: now().duration_since(begin),
    };
    if let Err(reason) = &done.ending {
        println!("{reason}");
    }
    println!("== {}: {} in {}", step.name, done.word(), done.seconds());
    done
}

type Ending = Result<Verdict, CouldNotRun>;

/// A step that was run.
struct Done {
    ending: Ending,
    took: Duration,
}

impl Done {
    fn is(&self, verdict: Verdict) -> bool {
        self.ending == Ok(verdict)
    }

    /// Whether it stands in the way of a good end.
    fn failed(&self) -> bool {
        !self.is(Verdict::Passed) && !self.is(Verdict::Skipped)
    }

    fn word(&self) -> &'static str {
        match self.ending {
            Ok(Verdict::Passed) => "passed",
            Ok(Verdict::Failed) => "failed",
            Ok(Verdict::Skipped) => "skipped",
            Err(_) => "could not run",
        }
    }

    fn seconds(&self) -> String {
        format!("{:.1} s", self.took.as_secs_f64())
    }
}

/// One line of the table at the end.
struct Row {
    name: &'static str,
    command: String,
    /// Nothing, when an earlier failure ended the run.
    done: Option<Done>,
}

fn rows(steps: &[Step], keep_going: bool, mut run: impl FnMut(&Step) -> Done) -> Vec<Row> {
    let mut stopped = false;
    let mut row = |step: &Step| {
        let done = (!stopped).then(|| run(step));
        stopped |= !keep_going && done.as_ref().is_some_and(Done::failed);
        Row {
            name: step.name,
            command: step.command(),
            done,
        }
    };
    steps.iter().map(&mut row).collect()
}

fn summary(rows: &[Row]) -> String {
    let done = || rows.iter().filter_map(|row| row.done.as_ref());
    let passed = done().filter(|done| done.is(Verdict::Passed)).count();
    let failed = done().filter(|done| done.failed()).count();
    let skipped = match done().filter(|done| done.is(Verdict::Skipped)).count() {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    format!("{passed} passed, {failed} failed{skipped}")
}

/// Failed when anything failed; otherwise the reason why a step could not run, if there is one.
fn verdict(rows: &[Row]) -> Ending {
    let endings = || {
        rows.iter()
            .filter_map(|row| row.done.as_ref())
            .map(|done| &done.ending)
    };
    if endings().any(|ending| *ending == Ok(Verdict::Failed)) {
        return Ok(Verdict::Failed);
    }
    endings()
        .find(|ending| ending.is_err())
        .cloned()
        .unwrap_or(Ok(Verdict::Passed))
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.done.as_ref().map_or("not run", Done::word);
        let seconds = self.done.as_ref().map(Done::seconds).unwrap_or_default();
        write!(
            f,
            "{:<9} {word:<13} {seconds:>8}  {}",
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

    /// Runs three steps of which the second ends with `second`.
    fn run(second: &Ending, keep_going: bool) -> Vec<Row> {
        let steps = ["first", "second", "third"].map(|name| Step::cargo(name, Cargo::new(name)));
        rows(&steps, keep_going, |step| {
            let ending = if step.name == "second" {
                second.clone()
            } else {
                Ok(Verdict::Passed)
            };
            Done {
                ending,
                took: Duration::from_millis(1200),
            }
        })
    }

    #[test]
    fn all_steps_passing_is_a_pass() {
        let rows = run(&Ok(Verdict::Passed), false);

        assert_eq!(summary(&rows), "3 passed, 0 failed");
        assert_eq!(verdict(&rows), Ok(Verdict::Passed));
        assert_eq!(
            rows[0].to_string(),
            "first     passed           1.2 s  cargo first"
        );
    }

    #[test]
    fn the_first_failure_ends_the_run() {
        let rows = run(&Ok(Verdict::Failed), false);

        assert_eq!(summary(&rows), "1 passed, 1 failed");
        assert_eq!(verdict(&rows), Ok(Verdict::Failed));
        assert_eq!(
            rows[2].to_string(),
            "third     not run                 cargo third"
        );
    }

    #[test]
    fn keeping_going_runs_the_rest_and_fails_still() {
        let rows = run(&Ok(Verdict::Failed), true);

        assert_eq!(summary(&rows), "2 passed, 1 failed");
        assert_eq!(verdict(&rows), Ok(Verdict::Failed));
    }

    #[test]
    fn a_step_that_could_not_run_is_no_pass() {
        let rows = run(&Err(CouldNotRun("no cargo".to_owned())), true);

        assert_eq!(summary(&rows), "2 passed, 1 failed");
        assert_eq!(verdict(&rows), Err(CouldNotRun("no cargo".to_owned())));
    }

    #[test]
    fn a_skipped_step_is_named_and_no_failure() {
        let rows = run(&Ok(Verdict::Skipped), false);

        assert_eq!(summary(&rows), "2 passed, 0 failed, 1 skipped");
        assert_eq!(verdict(&rows), Ok(Verdict::Passed));
        assert!(rows[1].to_string().starts_with("second    skipped"));
    }

    #[test]
    fn the_steps_stand_in_the_promised_order() {
        let names: Vec<&str> = steps().iter().map(|step| step.name).collect();

        assert_eq!(
            names,
            [
                "fmt",
                "clippy",
                "test",
                "doc",
                "new-provider --check",
                "features",
                "tree",
                "tidy",
                "interop"
            ]
        );
    }
}
