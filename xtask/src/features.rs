//! `cargo xtask features`: builds of each crate with common combinations of features.
//!
//! `--powerset` builds all combinations and runs the tests of the facade, too.

use std::path::Path;

use crate::{
    cargo::Cargo,
    clouds::CLOUDS,
    exit::{CheckResult, CommandResult},
};

/// Check that the crates compile with none, one and all of their features.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Features {
    /// Check every combination of clouds, and run the tests of the facade with each combination.
    #[arg(long)]
    powerset: bool,
}

impl Features {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let mut failed = Vec::new();
        for call in self.calls() {
            println!("features: {call}");
            if call.run(root)? == CheckResult::Failed {
                failed.push(call);
            }
        }
        for call in &failed {
            println!("features: failed: {call}");
        }
        Ok(CheckResult::passed_if(failed.is_empty()))
    }

    fn calls(&self) -> Vec<Cargo> {
        let (checked, tested) = if self.powerset {
            (all_combinations(), all_combinations())
        } else {
            (usual_combinations(), Vec::new())
        };
        let checks = checked
            .iter()
            .map(|features| check("lifecycle-facade", features));
        let tests = tested.iter().map(|features| {
            with_features(Cargo::new("test --quiet -p lifecycle-facade"), features)
        });
        checks
            .chain([
                check("lifecycle-client", ""),
                check("lifecycle-sim", ""),
                check("lifecycle-cli", ""),
            ])
            .chain(tests)
            .collect()
    }
}

/// Returns a call of clippy, which can deny warnings without a new build of every dependency.
///
/// A warning would be an import that only one feature uses.
fn check(package: &str, features: &str) -> Cargo {
    let call = Cargo::new("clippy --quiet -p").arg(package);
    with_features(call, features)
        .arg("--")
        .arg("-D")
        .arg("warnings")
}

/// Adds exactly these features, comma-separated, to a call.
fn with_features(call: Cargo, features: &str) -> Cargo {
    let call = call.arg("--no-default-features");
    if features.is_empty() {
        return call;
    }
    call.arg("--features").arg(features)
}

/// No cloud, each cloud alone and the feature for all clouds, without and with the configuration
/// file.
fn usual_combinations() -> Vec<String> {
    let clouds = || [""].into_iter().chain(CLOUDS).chain(["full"]);
    let with_file = clouds().map(|clouds| match clouds {
        "" => "config".to_owned(),
        clouds => format!("{clouds},config"),
    });
    clouds().map(str::to_owned).chain(with_file).collect()
}

/// Returns every subset of the clouds, comma-separated.
pub(crate) fn all_combinations() -> Vec<String> {
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
    fn usual_run_checks_no_cloud_each_cloud_and_all_clouds_with_and_without_the_file() {
        let calls: Vec<String> = Features::default()
            .calls()
            .iter()
            .map(Cargo::to_string)
            .collect();

        assert_eq!(calls.len(), 15);
        assert_eq!(
            calls[0],
            "cargo clippy --quiet -p lifecycle-facade --no-default-features -- -D warnings"
        );
        assert_eq!(
            calls[1],
            "cargo clippy --quiet -p lifecycle-facade --no-default-features --features baidu -- -D warnings"
        );
        assert_eq!(
            calls[5],
            "cargo clippy --quiet -p lifecycle-facade --no-default-features --features full -- -D warnings"
        );
        assert_eq!(
            calls[6],
            "cargo clippy --quiet -p lifecycle-facade --no-default-features --features config -- -D warnings"
        );
        assert_eq!(
            calls[11],
            "cargo clippy --quiet -p lifecycle-facade --no-default-features --features full,config -- -D warnings"
        );
        assert_eq!(
            calls[13],
            "cargo clippy --quiet -p lifecycle-sim --no-default-features -- -D warnings"
        );
    }

    #[test]
    fn powerset_is_compiled_and_tested() {
        let calls = Features { powerset: true }.calls();
        let tests: Vec<String> = calls
            .iter()
            .map(Cargo::to_string)
            .filter(|call| call.starts_with("cargo test"))
            .collect();

        assert_eq!((calls.len(), tests.len()), (35, 16));
        assert_eq!(
            tests[0],
            "cargo test --quiet -p lifecycle-facade --no-default-features"
        );
        assert_eq!(
            tests[15],
            "cargo test --quiet -p lifecycle-facade --no-default-features --features baidu,aliyun,zenlayer,huawei"
        );
    }

    #[test]
    fn powerset_has_every_subset_once() {
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
