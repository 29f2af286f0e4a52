//! `cargo xtask features`: every crate with features compiles without warnings under the
//! combinations that users pick.

use std::path::Path;

use crate::{
    CLOUDS,
    cargo::Cargo,
    exit::{CouldNotRun, Verdict},
};

/// Check that the crates compile with none, one and all of their features.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Features {
    /// Check every combination of clouds, not only none, each alone and all.
    #[arg(long)]
    powerset: bool,
}

impl Features {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        let mut failed = Vec::new();
        for call in self.calls() {
            println!("features: {call}");
            if call.run(root)? == Verdict::Failed {
                failed.push(call);
            }
        }
        for call in &failed {
            println!("features: failed: {call}");
        }
        Ok(Verdict::passed_if(failed.is_empty()))
    }

    fn calls(&self) -> Vec<Cargo> {
        let combinations = if self.powerset {
            all_combinations()
        } else {
            usual_combinations()
        };
        let facade = combinations
            .iter()
            .map(|features| check("lifecycle-facade", features));
        facade
            .chain([check("lifecycle-client", ""), check("lifecycle-sim", "")])
            .collect()
    }
}

/// Clippy where `cargo check` would do: it builds the same, and it alone can deny a warning, such
/// as an import that only one feature uses, without building every dependency again.
fn check(package: &str, features: &str) -> Cargo {
    let mut call = Cargo::new("clippy --quiet --no-default-features -p").arg(package);
    if !features.is_empty() {
        call = call.arg("--features").arg(features);
    }
    call.arg("--").arg("-D").arg("warnings")
}

/// None, each cloud alone, and the feature that stands for all.
fn usual_combinations() -> Vec<String> {
    ["".to_owned()]
        .into_iter()
        .chain(CLOUDS.map(str::to_owned))
        .chain(["full".to_owned()])
        .collect()
}

/// Every subset of the clouds, comma-separated.
fn all_combinations() -> Vec<String> {
    CLOUDS.iter().fold(vec![String::new()], |smaller, cloud| {
        let larger = smaller.iter().map(|chosen| match chosen.as_str() {
            "" => (*cloud).to_owned(),
            clouds => format!("{clouds},{cloud}"),
        });
        smaller.iter().cloned().chain(larger).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_usual_run_takes_none_each_and_all() {
        let calls: Vec<String> = Features::default()
            .calls()
            .iter()
            .map(Cargo::to_string)
            .collect();

        assert_eq!(calls.len(), 8);
        assert_eq!(
            calls[0],
            "cargo clippy --quiet --no-default-features -p lifecycle-facade -- -D warnings"
        );
        assert_eq!(
            calls[1],
            "cargo clippy --quiet --no-default-features -p lifecycle-facade --features baidu -- -D warnings"
        );
        assert_eq!(
            calls[5],
            "cargo clippy --quiet --no-default-features -p lifecycle-facade --features full -- -D warnings"
        );
        assert_eq!(
            calls[7],
            "cargo clippy --quiet --no-default-features -p lifecycle-sim -- -D warnings"
        );
    }

    #[test]
    fn the_powerset_has_every_subset_once() {
        let combinations = all_combinations();
        let distinct: BTreeSet<BTreeSet<&str>> = combinations
            .iter()
            .map(|chosen| chosen.split(',').collect())
            .collect();

        assert_eq!(combinations.len(), 16);
        assert_eq!(distinct.len(), 16);
        assert!(combinations.contains(&"baidu,aliyun,zenlayer,huawei".to_owned()));
    }
}
