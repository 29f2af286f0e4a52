//! `--check`: compares instruction counts with recorded counts.
//!
//! An instruction count does not depend on the load of the machine, so the comparison is possible where
//! times are noise. Valgrind runs this program with few and with many repetitions, three times each where
//! sockets wake the program up, and the fewest instructions count; the difference is the cost of the work alone. Valgrind offers no SHA instructions, so hashing costs more
//! instructions here than a processor needs: counts of different works are not comparable.

use std::{collections::BTreeMap, env, fs, io, process::Command};

use clap::ValueEnum;
use lifecycle_bench::BenchResult;
use lifecycle_facade::Cloud;

use crate::{
    count::{CountedWork, Work},
    table::{Form, Table},
};

/// The counts by cloud and work.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// The file with the recorded counts, relative to the root of the workspace.
const FILE: &str = "crates/lifecycle-bench/instructions.json";

/// The measured works.
const WORKS: [Work; 5] = [
    Work::Sign,
    Work::SignBatch,
    Work::Read,
    Work::Call,
    Work::Iteration,
];

/// The increase in percent at which the check fails. Sockets move the count of one run of a call by up to 30 %,
/// and the fewest instructions of three runs by one or two percent.
const TOLERATED: f64 = 10.0;

/// Counts every work of every cloud, and prints the counts beside the recorded counts.
///
/// # Errors
/// Fails if a count is more than 10 % above the recorded count, and if nothing can be counted. The current
/// folder must be the root of the workspace.
pub(crate) fn check(form: Form) -> BenchResult<()> {
    let recorded = fs::read(FILE).map_err(|error| format!("{FILE} cannot be read: {error}"))?;
    let recorded: Counts = serde_json::from_slice(&recorded)?;
    let comparison = Comparison::new(&recorded, &count_all()?);
    println!("{}", comparison.table.text(form).trim_end());
    match comparison.worse {
        0 => Ok(()),
        worse => Err(format!(
            "{worse} counts are more than {TOLERATED} % above {FILE}; if the work has to cost more now, \
             record the counts with --record and explain the increase in the commit"
        )
        .into()),
    }
}

/// Counts every work of every cloud, and writes the counts into the file that [`check`] compares with.
///
/// # Errors
/// Fails if nothing can be counted, or if the file cannot be written: the current folder must be the root of
/// the workspace.
pub(crate) fn record() -> BenchResult<()> {
    let text = serde_json::to_string_pretty(&count_all()?)?;
    fs::write(FILE, text + "\n").map_err(|error| format!("{FILE} cannot be written: {error}"))?;
    println!("recorded in {FILE}");
    Ok(())
}

/// Recorded and new counts.
struct Comparison {
    table: Table,
    /// The number of counts that are too high, or that have no recorded count.
    worse: usize,
}

impl Comparison {
    fn new(recorded: &Counts, counted: &Counts) -> Self {
        let mut table = Table::new(
            "Instructions",
            ["work", "recorded", "now", "change %", "target"],
        );
        let mut worse = 0;
        for (cloud, works) in counted {
            for (work, &now) in works {
                let before = recorded.get(cloud).and_then(|works| works.get(work));
                let change = before.map(|&before| {
                    let before = before as f64;
                    100.0 * (now as f64 - before) / before
                });
                let met = change.is_some_and(|change| change <= TOLERATED);
                worse += usize::from(!met);
                table.row([
                    format!("{cloud}, {work}"),
                    before.map_or_else(|| "none".to_owned(), u64::to_string),
                    now.to_string(),
                    change.map_or_else(String::new, |change| format!("{change:+.1}")),
                    crate::table::verdict("at most 10 % more", met),
                ]);
            }
        }
        Self { table, worse }
    }
}

fn count_all() -> BenchResult<Counts> {
    let mut counts = Counts::new();
    for &cloud in Cloud::ALL {
        let works = counts.entry(cloud.to_string()).or_default();
        for work in WORKS {
            works.insert(name(work), instructions_of(work, cloud)?);
        }
    }
    Ok(counts)
}

/// Returns the instructions for one repetition of the work.
fn instructions_of(work: Work, cloud: Cloud) -> BenchResult<u64> {
    const FEW: u32 = 20;
    const MANY: u32 = 60;
    // Wake-ups by a socket differ from run to run: the fewest instructions of some runs are repeatable.
    let runs = match work {
        Work::Call | Work::ReqwestCall | Work::Iteration | Work::TypedIteration => 3,
        _ => 1,
    };
    let counted = |repetitions| -> BenchResult<u64> {
        let work = CountedWork {
            work,
            cloud,
            repetitions,
        };
        let mut fewest = u64::MAX;
        for _ in 0..runs {
            fewest = fewest.min(instructions(&work)?);
        }
        Ok(fewest)
    };
    let (few, many) = (counted(FEW)?, counted(MANY)?);
    Ok(many.saturating_sub(few) / u64::from(MANY - FEW))
}

/// Returns the instructions of a process of this program.
fn instructions(counted: &CountedWork) -> BenchResult<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["count", &name(counted.work), counted.cloud.as_str()])
        .arg(counted.repetitions.to_string())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "valgrind is not installed".to_owned(),
            _ => format!("valgrind did not start: {error}"),
        })?;
    let log = String::from_utf8_lossy(&output.stderr);
    match read_collected(&log) {
        Some(instructions) if output.status.success() => Ok(instructions),
        _ => Err(format!("valgrind failed: {}", log.trim()).into()),
    }
}

/// Reads the line `==42== Collected : 14549639` of callgrind.
fn read_collected(log: &str) -> Option<u64> {
    let collected = log.lines().find_map(|line| line.split_once("Collected : "));
    collected?.1.trim().parse().ok()
}

fn name(work: Work) -> String {
    let value = work.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(read: u64) -> Counts {
        let works = [("read".to_owned(), read), ("sign".to_owned(), 100)];
        [("aliyun".to_owned(), works.into())].into()
    }

    #[test]
    fn count_more_than_a_tenth_above_the_record_is_worse_and_a_lower_count_is_not() {
        for (now, worse) in [(1_000, 0), (500, 0), (1_100, 0), (1_101, 1)] {
            let comparison = Comparison::new(&counts(1_000), &counts(now));
            assert_eq!(comparison.worse, worse, "{now}");
        }
        let text = Comparison::new(&counts(1_000), &counts(1_250))
            .table
            .text(Form::Terminal);
        assert!(text.contains("+25.0"), "{text}");
    }

    #[test]
    fn count_without_a_record_is_worse() {
        assert_eq!(Comparison::new(&Counts::new(), &counts(1)).worse, 2);
    }

    #[test]
    fn every_work_of_every_cloud_is_recorded() {
        let recorded = include_str!("../instructions.json");
        let recorded: Counts = serde_json::from_str(recorded).unwrap();
        for cloud in Cloud::ALL {
            for work in WORKS {
                assert!(
                    recorded[cloud.as_str()][&name(work)] > 1_000,
                    "{cloud} {work:?}"
                );
            }
        }
    }

    #[test]
    fn instructions_are_read_from_the_log_of_callgrind() {
        let log = "==7== Events    : Ir\n==7== Collected : 14549639\n==7== \n";
        assert_eq!(read_collected(log), Some(14_549_639));
        assert_eq!(read_collected("==7== no figure"), None);
    }
}
