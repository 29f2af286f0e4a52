//! `cargo xtask vectors`: the signatures of every cloud against files of known answers.
//!
//! The answers may come from outside the repository, so the folder is an argument. The work is done
//! by the unit test `sign::tests::vectors` of each provider, which reads the folder from
//! `LIFECYCLE_VECTORS` and prints its count.

use std::path::{self, Path, PathBuf};

use crate::{
    CLOUDS,
    cargo::Cargo,
    exit::{CouldNotRun, Verdict},
};

/// Check the signatures of every cloud against `DIR/<cloud>/signing.json`.
#[derive(Debug, clap::Args)]
pub(crate) struct Vectors {
    /// The folder that holds one folder per cloud.
    dir: PathBuf,
}

impl Vectors {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        let folder = path::absolute(&self.dir).map_err(|error| {
            CouldNotRun(format!("{} is not a path: {error}", self.dir.display()))
        })?;
        let mut all_hold = true;
        for cloud in CLOUDS {
            all_hold &= self.check(cloud, &folder, root)? == Verdict::Passed;
        }
        Ok(Verdict::passed_if(all_hold))
    }

    fn check(&self, cloud: &str, folder: &Path, root: &Path) -> Result<Verdict, CouldNotRun> {
        let inside = Path::new(cloud).join("signing.json");
        if !folder.join(&inside).is_file() {
            println!(
                "{cloud}: file {} is missing",
                self.dir.join(&inside).display()
            );
            return Ok(Verdict::Failed);
        }
        let (verdict, output) = test(cloud, folder).read(root)?;
        let Some(count) = Count::find(cloud, &output) else {
            println!("{cloud}: {TEST} of provider-{cloud} printed no count, so nothing is known");
            return Ok(Verdict::Failed);
        };
        Ok(count.judge(cloud, verdict))
    }
}

const TEST: &str = "sign::tests::vectors";

fn test(cloud: &str, folder: &Path) -> Cargo {
    Cargo::new(&format!(
        "test -q -p provider-{cloud} --lib -- --exact {TEST} --nocapture"
    ))
    .env("LIFECYCLE_VECTORS", folder)
}

/// What the test of one cloud counted.
#[derive(Debug, PartialEq, Eq)]
struct Count<'a> {
    passed: usize,
    failed: usize,
    /// What the test printed before its count: the names of the vectors that failed.
    failures: Vec<&'a str>,
}

impl<'a> Count<'a> {
    /// The last line `<cloud>: N passed, M failed` in what the test printed, if it got that far.
    fn find(cloud: &str, output: &'a str) -> Option<Self> {
        let lines: Vec<&str> = output.lines().map(str::trim).collect();
        let (at, (passed, failed)) = lines
            .iter()
            .enumerate()
            .rev()
            .find_map(|(at, line)| Some((at, numbers(cloud, line)?)))?;
        let printed_by_test = |line: &&str| !line.is_empty() && !line.starts_with("running ");
        Some(Self {
            passed,
            failed,
            failures: lines.into_iter().take(at).filter(printed_by_test).collect(),
        })
    }

    /// Prints the count and judges it together with what cargo said about the test.
    fn judge(&self, cloud: &str, test: Verdict) -> Verdict {
        if self.failed > 0 {
            self.failures.iter().for_each(|line| println!("  {line}"));
        }
        println!("{cloud}: {} passed, {} failed", self.passed, self.failed);
        match (self.passed, self.failed, test) {
            (0, 0, _) => println!("{cloud}: there was no vector to check"),
            (_, 0, Verdict::Failed) => println!("{cloud}: the test failed although no vector did"),
            _ => {}
        }
        Verdict::passed_if(self.passed > 0 && self.failed == 0 && test == Verdict::Passed)
    }
}

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
    fn the_count_is_read_from_a_green_run() {
        let count = Count::find("baidu", GREEN).expect("a count");

        assert_eq!(
            count,
            Count {
                passed: 41,
                failed: 0,
                failures: vec![]
            }
        );
        assert_eq!(count.judge("baidu", Verdict::Passed), Verdict::Passed);
    }

    #[test]
    fn the_names_come_with_a_red_run() {
        let count = Count::find("baidu", RED).expect("a count");

        assert_eq!(count.failed, 2);
        assert_eq!(
            count.failures,
            ["host only: signature", "with token: canonical text"]
        );
        assert_eq!(count.judge("baidu", Verdict::Failed), Verdict::Failed);
    }

    #[test]
    fn a_test_that_does_not_exist_or_compile_gives_no_count() {
        assert_eq!(Count::find("baidu", NOT_FOUND), None);
        assert_eq!(Count::find("baidu", ""), None);
    }

    #[test]
    fn the_count_of_another_cloud_is_not_taken() {
        assert_eq!(Count::find("aliyun", GREEN), None);
    }

    #[test]
    fn a_count_must_agree_with_the_exit_status_and_hold_something() {
        let count = |passed, failed| Count {
            passed,
            failed,
            failures: vec![],
        };

        assert_eq!(
            count(41, 0).judge("baidu", Verdict::Failed),
            Verdict::Failed
        );
        assert_eq!(
            count(40, 1).judge("baidu", Verdict::Passed),
            Verdict::Failed
        );
        assert_eq!(count(0, 0).judge("baidu", Verdict::Passed), Verdict::Failed);
    }

    #[test]
    fn the_folder_reaches_the_test() {
        assert_eq!(
            test("huawei", Path::new("/known answers")).to_string(),
            "LIFECYCLE_VECTORS='/known answers' \
             cargo test -q -p provider-huawei --lib -- --exact sign::tests::vectors --nocapture"
        );
    }
}
