//! `cargo xtask vectors`: checks the signatures of every cloud against recorded vectors.
//!
//! The folder is an argument, because the files may be outside of the repository. The unit test
//! `sign::tests::vectors` of each provider reads the folder from `LIFECYCLE_VECTORS` and prints a
//! count.

use std::path::{self, Path, PathBuf};

use crate::{
    cargo::Cargo,
    clouds::CLOUDS,
    exit::{CheckResult, CommandResult, CouldNotRun},
};

/// Check the signatures of every cloud against `DIR/<cloud>/signing.json`.
#[derive(Debug, clap::Args)]
pub(crate) struct Vectors {
    /// The folder with one folder per cloud.
    dir: PathBuf,
}

impl Vectors {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let folder = path::absolute(&self.dir).map_err(|error| {
            CouldNotRun(format!("{} is not a path: {error}", self.dir.display()))
        })?;
        let mut all_hold = true;
        for cloud in CLOUDS {
            all_hold &= self.check(cloud, &folder, root)? == CheckResult::Passed;
        }
        Ok(CheckResult::passed_if(all_hold))
    }

    fn check(&self, cloud: &str, folder: &Path, root: &Path) -> CommandResult {
        let inside = Path::new(cloud).join("signing.json");
        if !folder.join(&inside).is_file() {
            println!(
                "{cloud}: file {} is missing",
                self.dir.join(&inside).display()
            );
            return Ok(CheckResult::Failed);
        }
        let (result, output) = test(cloud, folder).read_stdout(root)?;
        let Some(count) = Count::find(cloud, &output) else {
            println!(
                "{cloud}: {TEST} of provider-{cloud} printed no count, so nothing was checked"
            );
            return Ok(CheckResult::Failed);
        };
        Ok(count.report(cloud, result))
    }
}

/// The unit test in each provider.
const TEST: &str = "sign::tests::vectors";

fn test(cloud: &str, folder: &Path) -> Cargo {
    Cargo::new(&format!(
        "test -q -p provider-{cloud} --lib -- --exact {TEST} --nocapture"
    ))
    .env("LIFECYCLE_VECTORS", folder)
}

/// The count that the test of one cloud printed.
#[derive(Debug, PartialEq, Eq)]
struct Count<'a> {
    passed: usize,
    failed: usize,
    /// The lines before the count: the names of the failed vectors.
    failures: Vec<&'a str>,
}

impl<'a> Count<'a> {
    /// Reads the last line `<cloud>: N passed, M failed` of the output of a test.
    fn find(cloud: &str, output: &'a str) -> Option<Self> {
        let lines: Vec<&str> = output.lines().map(str::trim).collect();
        let (at, (passed, failed)) = lines
            .iter()
            .enumerate()
            .rev()
            .find_map(|(at, line)| Some((at, numbers(cloud, line)?)))?;
        let is_from_test = |line: &&str| !line.is_empty() && !line.starts_with("running ");
        Some(Self {
            passed,
            failed,
            failures: lines.into_iter().take(at).filter(is_from_test).collect(),
        })
    }

    /// Prints the count and compares the count with the result of cargo.
    fn report(&self, cloud: &str, test: CheckResult) -> CheckResult {
        if self.failed > 0 {
            self.failures.iter().for_each(|line| println!("  {line}"));
        }
        println!("{cloud}: {} passed, {} failed", self.passed, self.failed);
        match (self.passed, self.failed, test) {
            (0, 0, _) => println!("{cloud}: the file has no vectors"),
            (_, 0, CheckResult::Failed) => {
                println!("{cloud}: the test failed, but no vector failed");
            }
            _ => {}
        }
        CheckResult::passed_if(self.passed > 0 && self.failed == 0 && test == CheckResult::Passed)
    }
}

/// Reads the numbers of a line `<cloud>: N passed, M failed`.
fn numbers(cloud: &str, line: &str) -> Option<(usize, usize)> {
    let counts = line
        .strip_prefix(cloud)?
        .strip_prefix(": ")?
        .strip_suffix(" failed")?;
    let (passed, failed) = counts.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEN: &str = "
running 1 test
baidu: 41 passed, 0 failed
.
test result: ok. 1 passed; 0 failed; 0 ignored
";
    const RED: &str = "
running 1 test
host only: signature
with token: canonical text
baidu: 39 passed, 2 failed
F
";
    const NOT_FOUND: &str =
        "\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 9 filtered out\n";

    #[test]
    fn count_is_read_from_a_passed_test() {
        let count = Count::find("baidu", GREEN).expect("a count");

        assert_eq!(
            count,
            Count {
                passed: 41,
                failed: 0,
                failures: vec![]
            }
        );
        assert_eq!(
            count.report("baidu", CheckResult::Passed),
            CheckResult::Passed
        );
    }

    #[test]
    fn names_of_failed_vectors_are_read_from_a_failed_test() {
        let count = Count::find("baidu", RED).expect("a count");

        assert_eq!(count.failed, 2);
        assert_eq!(
            count.failures,
            ["host only: signature", "with token: canonical text"]
        );
        assert_eq!(
            count.report("baidu", CheckResult::Failed),
            CheckResult::Failed
        );
    }

    #[test]
    fn missing_test_has_no_count() {
        assert_eq!(Count::find("baidu", NOT_FOUND), None);
        assert_eq!(Count::find("baidu", ""), None);
    }

    #[test]
    fn count_of_another_cloud_is_ignored() {
        assert_eq!(Count::find("aliyun", GREEN), None);
    }

    #[test]
    fn count_of_zero_or_a_contradicting_exit_code_is_a_failure() {
        let count = |passed, failed| Count {
            passed,
            failed,
            failures: vec![],
        };

        assert_eq!(
            count(41, 0).report("baidu", CheckResult::Failed),
            CheckResult::Failed
        );
        assert_eq!(
            count(40, 1).report("baidu", CheckResult::Passed),
            CheckResult::Failed
        );
        assert_eq!(
            count(0, 0).report("baidu", CheckResult::Passed),
            CheckResult::Failed
        );
    }

    #[test]
    fn test_gets_the_folder() {
        assert_eq!(
            test("huawei", Path::new("/known answers")).to_string(),
            "LIFECYCLE_VECTORS='/known answers' \
             cargo test -q -p provider-huawei --lib -- --exact sign::tests::vectors --nocapture"
        );
    }
}
