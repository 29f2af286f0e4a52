//! `cargo xtask tree`: what each crate's dependency tree must hold and must not hold.
//!
//! The cut of the workspace is mostly absences: a provider does no I/O, the client names no cloud,
//! the simulator shares no code with a provider. A manifest line can break each of them unseen; the
//! resolved tree cannot hide it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    CLOUDS,
    cargo::Cargo,
    exit::{CouldNotRun, Verdict},
    features::all_combinations,
};

/// Check the dependency trees: which crate must not hold which.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Tree {}

impl Tree {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        let claims = claims();
        let mut findings = Vec::new();
        for claim in &claims {
            findings.extend(claim.examine(root)?);
        }
        findings.extend(duplicates(&read(&Cargo::new(DUPLICATED), root)?));
        for finding in &findings {
            println!("tree: {finding}");
        }
        println!(
            "tree: {} trees examined, {} findings",
            claims.len() + 1,
            findings.len()
        );
        Ok(Verdict::passed_if(findings.is_empty()))
    }
}

/// What does I/O or needs a runtime.
const INPUT_AND_OUTPUT: [&str; 4] = ["reqwest", "tokio", "hyper", "rustls"];
/// What links the system's OpenSSL; TLS here is rustls.
const OPENSSL: [&str; 3] = ["openssl", "openssl-sys", "native-tls"];
const ANY_PROVIDER: &str = "provider-*";
const ANY_LIFECYCLE: &str = "lifecycle-*";

fn claims() -> Vec<Claim> {
    let mut claims = vec![
        whole("lifecycle-core")
            .lacks(INPUT_AND_OUTPUT)
            .lacks([ANY_PROVIDER]),
        whole("lifecycle-client").lacks([ANY_PROVIDER]),
        bare("lifecycle-client").lacks(["reqwest", "hyper", "rustls"]),
        whole("lifecycle-sim").lacks([ANY_PROVIDER]),
        whole("xtask").lacks([ANY_LIFECYCLE, ANY_PROVIDER]),
        everything().lacks(OPENSSL),
    ];
    for cloud in CLOUDS {
        let provider = whole(&format!("provider-{cloud}"));
        claims.push(
            provider
                .lacks(INPUT_AND_OUTPUT)
                .lacks([ANY_PROVIDER, "lifecycle-client"]),
        );
    }
    claims.extend(all_combinations().iter().map(|clouds| facade_with(clouds)));
    claims
}

/// The normal dependencies of `package` with all its features.
fn whole(package: &str) -> Claim {
    Claim::of(&format!("-p {package} -e normal --all-features")).holds(package)
}

/// The normal dependencies of `package` with none of its features.
fn bare(package: &str) -> Claim {
    Claim::of(&format!("-p {package} -e normal --no-default-features")).holds(package)
}

/// The facade with these clouds, comma-separated, holds their providers and no other.
fn facade_with(clouds: &str) -> Claim {
    let facade = Claim::of(&format!(
        "-p lifecycle-facade -e normal --no-default-features --features={clouds}"
    ))
    .holds("lifecycle-facade")
    .lacks([ANY_PROVIDER]);
    clouds.split_terminator(',').fold(facade, |claim, cloud| {
        claim.holds(format!("provider-{cloud}"))
    })
}

/// The whole workspace with its tests.
fn everything() -> Claim {
    Claim::of("--workspace --all-features -e normal,build,dev")
        .holds("lifecycle-facade")
        .holds("xtask")
}

/// What one dependency tree holds and lacks. A name that it holds is exempt from the patterns that
/// it lacks.
#[derive(Debug)]
struct Claim {
    /// The arguments of `cargo tree` that pick the tree.
    selection: String,
    holds: Vec<String>,
    /// Package names; a trailing `*` stands for any ending.
    lacks: Vec<&'static str>,
}

impl Claim {
    fn of(selection: &str) -> Self {
        Self {
            selection: selection.to_owned(),
            holds: Vec::new(),
            lacks: Vec::new(),
        }
    }

    /// Every claim names a package that is there, so that an empty answer is a finding.
    fn holds(mut self, package: impl Into<String>) -> Self {
        self.holds.push(package.into());
        self
    }

    fn lacks<const N: usize>(mut self, patterns: [&'static str; N]) -> Self {
        self.lacks.extend(patterns);
        self
    }

    fn examine(&self, root: &Path) -> Result<Vec<String>, CouldNotRun> {
        let call = Cargo::new(&format!("tree --quiet --prefix none {}", self.selection));
        Ok(self.findings(&read(&call, root)?))
    }

    /// Where `tree`, the output of `cargo tree --prefix none`, differs from the claim.
    fn findings(&self, tree: &str) -> Vec<String> {
        let names: BTreeSet<&str> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let missing = self
            .holds
            .iter()
            .filter(|name| !names.contains(name.as_str()))
            .map(|name| format!("{name} is missing from `cargo tree {}`", self.selection));
        let unwanted = names.iter().filter(|name| self.forbids(name)).map(|name| {
            format!(
                "{name} must not be there; see `cargo tree {} --invert {name}`",
                self.selection
            )
        });
        missing.chain(unwanted).collect()
    }

    fn forbids(&self, name: &str) -> bool {
        let matches = |pattern: &&str| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == *pattern,
        };
        self.lacks.iter().any(matches) && !self.holds.iter().any(|held| held == name)
    }
}

/// What cargo finds twice, for any system that users may build on.
const DUPLICATED: &str = "tree --quiet --prefix none --duplicates --workspace --all-features --target all -e normal,build,dev";

/// The crates that may be there in two versions. Why is in `docs/decisions/dependencies.md`.
const TWICE: [&str; 2] = ["base64", "syn"];

/// Where `tree` holds two versions of a crate without a reason, and where a reason is outlived.
fn duplicates(tree: &str) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    // Cargo also lists one version that is built twice, with different features.
    versions.retain(|_, versions| versions.len() > 1);
    let unexplained = versions
        .keys()
        .filter(|name| !TWICE.contains(name))
        .map(|name| format!("{name} is there in two versions; see `cargo {DUPLICATED}`"));
    let outlived = TWICE
        .iter()
        .filter(|name| !versions.contains_key(*name))
        .map(|name| format!("{name} is there once; say so in docs/decisions/dependencies.md"));
    unexplained.chain(outlived).collect()
}

fn read(call: &Cargo, root: &Path) -> Result<String, CouldNotRun> {
    match call.read(root)? {
        (Verdict::Passed, tree) => Ok(tree),
        _ => Err(CouldNotRun(format!("`{call}` failed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACADE: &str = "\
lifecycle-facade v0.1.0 (/src/crates/lifecycle-facade)
lifecycle-client v0.1.0 (/src/crates/lifecycle-client)
tokio v1.54.1
openssl-probe v0.2.2
tokio v1.54.1 (*)

provider-baidu v0.1.0 (/src/crates/provider-baidu)
serde_derive v1.0.229 (proc-macro)
";

    #[test]
    fn a_tree_as_claimed_has_no_findings() {
        assert_eq!(
            facade_with("baidu").lacks(OPENSSL).findings(FACADE),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_forbidden_package_is_found_once_and_says_where_to_look() {
        let findings = facade_with("baidu")
            .lacks(INPUT_AND_OUTPUT)
            .findings(FACADE);

        assert_eq!(
            findings,
            [
                "tokio must not be there; see `cargo tree -p lifecycle-facade -e normal --no-default-features --features=baidu --invert tokio`"
            ]
        );
    }

    #[test]
    fn the_wrong_provider_is_both_missing_and_unwanted() {
        let findings = facade_with("huawei").findings(FACADE);

        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("provider-huawei is missing"));
        assert!(findings[1].starts_with("provider-baidu must not be there"));
    }

    #[test]
    fn two_versions_need_a_reason_and_a_reason_needs_two_versions() {
        let explained = "base64 v0.22.1\nbase64 v0.23.1\nsyn v2.0.1\nsyn v3.0.0 (*)\n";
        let check = |tree: &str, expected: &[&str]| {
            let findings = duplicates(tree);
            assert_eq!(findings.len(), expected.len(), "{findings:?}");
            for (finding, beginning) in findings.iter().zip(expected) {
                assert!(finding.starts_with(beginning), "{finding}");
            }
        };

        check(explained, &[]);
        check(&format!("{explained}http v1.4.0\nhttp v1.4.0 (*)\n"), &[]);
        check(
            &format!("{explained}http v0.2.0\nhttp v1.4.0\n"),
            &["http is there in two versions"],
        );
        check("syn v2.0.1\nsyn v3.0.0\n", &["base64 is there once"]);
    }

    #[test]
    fn an_empty_tree_proves_nothing() {
        assert_eq!(whole("lifecycle-core").findings("").len(), 1);
    }

    #[test]
    fn a_pattern_without_star_is_the_whole_name() {
        let claim = whole("tokio-util").lacks(["tokio"]);

        assert_eq!(
            claim.findings("tokio-util v0.7.20\ntokio-macros v2.0.0"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_provider_and_every_feature_is_examined() {
        let selections: Vec<String> = claims().into_iter().map(|claim| claim.selection).collect();

        for cloud in CLOUDS {
            let of_provider = format!("-p provider-{cloud} -e normal --all-features");
            let of_facade =
                format!("-p lifecycle-facade -e normal --no-default-features --features={cloud}");
            assert!(selections.contains(&of_provider), "{selections:?}");
            assert!(selections.contains(&of_facade), "{selections:?}");
        }
    }

    #[test]
    fn no_crate_takes_in_a_provider_that_is_not_its_own() {
        let admits = |claim: &Claim| {
            !claim
                .findings("provider-fifth v0.1.0")
                .iter()
                .any(|found| found.contains("fifth"))
        };
        let admitting: Vec<String> = claims()
            .into_iter()
            .filter(admits)
            .map(|claim| claim.selection)
            .collect();

        assert_eq!(
            admitting,
            [
                "-p lifecycle-client -e normal --no-default-features",
                "--workspace --all-features -e normal,build,dev"
            ]
        );
    }
}
