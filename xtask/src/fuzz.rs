//! `cargo xtask fuzz`: runs the fuzz targets of `crates/lifecycle-fuzz` with cargo-fuzz.
//!
//! Without a sanitizer, cargo-fuzz needs no nightly toolchain: panics and failed assertions are the
//! findings.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    cargo::{Cargo, target_folder},
    exit::{CheckResult, CommandResult, CouldNotRun},
};

/// Run the fuzz targets of every parser of outside data.
#[derive(Debug, clap::Args)]
pub(crate) struct Fuzz {
    /// The target; all targets by default.
    target: Option<String>,
    /// Seconds for each target.
    #[arg(long, default_value_t = SHORT_RUN)]
    seconds: u64,
    /// Write the seeds that come from the recorded vectors of the providers, and run nothing.
    #[arg(long, conflicts_with = "target")]
    seeds: bool,
    /// End with "could not run" if cargo-fuzz is missing. Without this option, the command prints a
    /// message and skips the check.
    #[arg(long)]
    required: bool,
}

/// Seconds for each target in CI: the seeds, and a first look around each seed.
const SHORT_RUN: u64 = 10;
/// The longest input. Mutations of longer inputs find little, and run for a long time.
const MAX_BYTES: u32 = 16_384;
/// Seconds after which one input counts as a hang, and memory in MiB that counts as unbounded.
const LIMITS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=2048"];

impl Default for Fuzz {
    fn default() -> Self {
        Self {
            target: None,
            seconds: SHORT_RUN,
            seeds: false,
            required: false,
        }
    }
}

impl Fuzz {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        if self.seeds {
            return seeds_call(root).run(root);
        }
        if let Some(reason) = missing_tool(root)? {
            return self.skip(&reason);
        }
        let targets = self.targets(root)?;
        let output = target_folder()?;
        let mut failed = Vec::new();
        for target in &targets {
            let corpus = corpus(&output, target);
            fs::create_dir_all(&corpus).map_err(|error| {
                CouldNotRun(format!("{} cannot be created: {error}", corpus.display()))
            })?;
            println!("fuzz: {target} for {} s", self.seconds);
            let call = self.call(root, target, &output);
            let (result, log) = call.read_all(root)?;
            if result != CheckResult::Passed {
                println!("{log}");
                failed.push(target.as_str());
            }
            println!("fuzz: {target}: {}", figures(&log));
        }
        println!(
            "fuzz: {} targets, {} failed{}{}",
            targets.len(),
            failed.len(),
            if failed.is_empty() { "" } else { ": " },
            failed.join(", ")
        );
        Ok(CheckResult::passed_if(failed.is_empty()))
    }

    fn skip(&self, reason: &str) -> CommandResult {
        if self.required {
            return Err(CouldNotRun(format!("fuzz: {reason}")));
        }
        println!("fuzz: skipped, because {reason}");
        Ok(CheckResult::Skipped)
    }

    fn targets(&self, root: &Path) -> Result<Vec<String>, CouldNotRun> {
        let all = targets(root)?;
        match &self.target {
            None => Ok(all),
            Some(target) if all.contains(target) => Ok(vec![target.clone()]),
            Some(target) => Err(CouldNotRun(format!(
                "fuzz: no target {target:?}; the targets are {}",
                all.join(", ")
            ))),
        }
    }

    /// Returns the run of one target. New inputs go to a corpus in the target folder; the seeds in the
    /// repository stay small.
    fn call(&self, root: &Path, target: &str, output: &Path) -> Cargo {
        let call = Cargo::new("fuzz run --sanitizer none --fuzz-dir")
            .arg(path(&fuzz_crate(root)))
            .arg("--target-dir")
            .arg(path(output))
            .arg(target)
            .arg(path(&corpus(output, target)))
            .arg(path(&fuzz_crate(root).join("seeds").join(target)))
            .arg("--")
            .arg(format!("-max_total_time={}", self.seconds))
            .arg(format!("-max_len={MAX_BYTES}"))
            .arg("-print_final_stats=1");
        LIMITS.into_iter().fold(call, Cargo::arg)
    }
}

fn fuzz_crate(root: &Path) -> PathBuf {
    root.join("crates/lifecycle-fuzz")
}

/// Returns the folder of the inputs that earlier runs of `target` found.
fn corpus(output: &Path, target: &str) -> PathBuf {
    output.join("fuzz/corpus").join(target)
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn seeds_call(root: &Path) -> Cargo {
    Cargo::new("run --quiet -p provider-testing --example fuzz_seeds --")
        .arg(path(&fuzz_crate(root).join("seeds")))
}

/// Returns why cargo-fuzz cannot run; `None` if cargo-fuzz is installed.
fn missing_tool(root: &Path) -> Result<Option<String>, CouldNotRun> {
    let (result, _) = Cargo::new("fuzz --version").read_all(root)?;
    Ok((result != CheckResult::Passed)
        .then(|| "cargo-fuzz is not installed (`cargo install cargo-fuzz`)".to_owned()))
}

/// Returns the targets, which are the files in `fuzz_targets`.
fn targets(root: &Path) -> Result<Vec<String>, CouldNotRun> {
    let folder = fuzz_crate(root).join("fuzz_targets");
    let unreadable = |error| CouldNotRun(format!("{} cannot be read: {error}", folder.display()));
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        targets.extend(
            name.to_string_lossy()
                .strip_suffix(".rs")
                .map(str::to_owned),
        );
    }
    targets.sort();
    Ok(targets)
}

/// Returns the number of executed inputs in a log of libFuzzer.
fn figures(log: &str) -> String {
    let value = |name: &str| log.lines().find_map(|line| line.strip_prefix(name));
    match value("stat::number_of_executed_units:") {
        Some(number) => format!("{} inputs", number.trim()),
        None => "no figures".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn parsed(words: &[&str]) -> Fuzz {
        match crate::Command::try_parse_from(["xtask", "fuzz"].iter().chain(words)) {
            Ok(crate::Command::Fuzz(fuzz)) => fuzz,
            other => panic!("no fuzz: {other:?}"),
        }
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn missing_cargo_fuzz_skips_the_check_unless_required() {
        let reason = "cargo-fuzz is not installed";

        assert_eq!(parsed(&[]).skip(reason), Ok(CheckResult::Skipped));
        assert_eq!(
            parsed(&["--required"]).skip(reason),
            Err(CouldNotRun("fuzz: cargo-fuzz is not installed".to_owned()))
        );
    }

    #[test]
    fn run_without_arguments_is_the_short_run_of_every_target() {
        let fuzz = parsed(&[]);

        assert_eq!(fuzz.seconds, Fuzz::default().seconds);
        assert_eq!(fuzz.targets(&root()), targets(&root()));
    }

    #[test]
    fn new_inputs_go_to_the_target_folder() {
        let call =
            parsed(&["--seconds", "60", "headers"]).call(Path::new("r"), "headers", Path::new("t"));

        assert_eq!(
            call.to_string(),
            "cargo fuzz run --sanitizer none --fuzz-dir r/crates/lifecycle-fuzz --target-dir t headers \
             t/fuzz/corpus/headers r/crates/lifecycle-fuzz/seeds/headers -- -max_total_time=60 -max_len=16384 \
             -print_final_stats=1 -timeout=20 -rss_limit_mb=2048"
        );
    }

    #[test]
    fn unknown_target_names_the_targets() {
        let Err(CouldNotRun(reason)) = parsed(&["heders"]).targets(&root()) else {
            panic!("the target is unknown");
        };
        assert!(reason.contains("headers, "), "{reason}");
    }

    #[test]
    fn every_target_has_seeds_and_an_entry_in_the_manifest() {
        let manifest = fs::read_to_string(fuzz_crate(&root()).join("Cargo.toml"))
            .expect("the tests run in a checkout");
        for target in targets(&root()).expect("the tests run in a checkout") {
            let seeds = fuzz_crate(&root()).join("seeds").join(&target);
            let count = fs::read_dir(&seeds).map_or(0, Iterator::count);
            assert!(count > 0, "{target} has no seeds");
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
        }
    }

    #[test]
    fn number_of_inputs_is_read_from_the_log() {
        let log = "Done 3 runs\nstat::number_of_executed_units: 4711\n";
        assert_eq!(figures(log), "4711 inputs");
        assert_eq!(figures(""), "no figures");
    }
}
