//! The steps of the release check, and their results.

use crate::exit::{CheckResult, CommandResult, CouldNotRun};

/// The result of a step, with details.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StepResult {
    Passed(String),
    /// The step could not run for a reason outside of the crate.
    Skipped(String),
    Failed(String),
}

/// One step of the check.
pub(crate) struct Step<'a> {
    name: &'static str,
    action: Box<dyn FnOnce() -> Result<StepResult, CouldNotRun> + 'a>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(
        name: &'static str,
        action: impl FnOnce() -> Result<StepResult, CouldNotRun> + 'a,
    ) -> Self {
        Self {
            name,
            action: Box::new(action),
        }
    }
}

/// Runs the steps up to the first failure and passes a line for each step to `print`.
pub(crate) fn run_steps(steps: Vec<Step<'_>>, mut print: impl FnMut(String)) -> CommandResult {
    let mut failed = false;
    for step in steps {
        let (label, text) = match (failed, step.action) {
            (true, _) => ("not run", String::new()),
            (false, action) => match action()? {
                StepResult::Passed(text) => ("passed", text),
                StepResult::Skipped(text) => ("skipped", text),
                StepResult::Failed(text) => {
                    failed = true;
                    ("failed", text)
                }
            },
        };
        print(
            format!("{label:<7}  {:<10}  {text}", step.name)
                .trim_end()
                .to_owned(),
        );
    }
    Ok(CheckResult::passed_if(!failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(second: StepResult) -> (CheckResult, Vec<String>) {
        let mut lines = Vec::new();
        let steps = vec![
            Step::new("tag", || Ok(StepResult::Passed("a-v1.0.0".to_owned()))),
            Step::new("package", || Ok(second)),
            Step::new("test", || Ok(StepResult::Passed("all".to_owned()))),
        ];
        let result = run_steps(steps, |line| lines.push(line)).expect("each step has a result");
        (result, lines)
    }

    #[test]
    fn check_passes_if_a_step_is_skipped() {
        let (result, lines) = lines(StepResult::Skipped("no such tool".to_owned()));

        assert_eq!(result, CheckResult::Passed);
        assert_eq!(
            lines,
            [
                "passed   tag         a-v1.0.0",
                "skipped  package     no such tool",
                "passed   test        all"
            ]
        );
    }

    #[test]
    fn first_failure_ends_the_check() {
        let (result, lines) = lines(StepResult::Failed("no licence".to_owned()));

        assert_eq!(result, CheckResult::Failed);
        assert_eq!(
            lines[1..],
            ["failed   package     no licence", "not run  test"]
        );
    }
}
