//! `cargo xtask tree`: checks the required and the forbidden crates of each dependency tree.
//!
//! A provider does no I/O, the client uses no provider, the simulator shares no code with a provider.
//! One line of a manifest can break such a rule without an error, but the resolved tree shows the
//! mistake.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    cargo::Cargo,
    clouds::CLOUDS,
    exit::{CheckResult, CommandResult, CouldNotRun},
    features::all_combinations,
};

/// Check the dependency trees for missing and for forbidden crates.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Tree {}

impl Tree {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let rules = rules();
        let mut findings = Vec::new();
        for rule in &rules {
            findings.extend(rule.check(root)?);
        }
        findings.extend(duplicates(&read_tree(&Cargo::new(DUPLICATED), root)?));
        for finding in &findings {
            println!("tree: {finding}");
        }
        println!(
            "tree: {} trees checked, {} findings",
            rules.len() + 1,
            findings.len()
        );
        Ok(CheckResult::passed_if(findings.is_empty()))
    }
}

/// Crates for I/O or a runtime.
const INPUT_AND_OUTPUT: [&str; 4] = ["reqwest", "tokio", "hyper", "rustls"];
/// Crates that link OpenSSL. TLS comes from rustls.
const OPENSSL: [&str; 3] = ["openssl", "openssl-sys", "native-tls"];
const ANY_PROVIDER: &str = "provider-*";
const ANY_LIFECYCLE: &str = "lifecycle-*";

fn rules() -> Vec<TreeRule> {
    let mut rules = vec![
        all_features("lifecycle-core")
            .forbids(INPUT_AND_OUTPUT)
            .forbids([ANY_PROVIDER]),
        all_features("lifecycle-client").forbids([ANY_PROVIDER]),
        no_features("lifecycle-client").forbids(["reqwest", "hyper", "rustls"]),
        all_features("lifecycle-sim").forbids([ANY_PROVIDER]),
        all_features("xtask").forbids([ANY_LIFECYCLE, ANY_PROVIDER]),
        workspace().forbids(OPENSSL),
    ];
    for cloud in CLOUDS {
        let provider = all_features(&format!("provider-{cloud}"));
        rules.push(
            provider
                .forbids(INPUT_AND_OUTPUT)
                .forbids([ANY_PROVIDER, "lifecycle-client"]),
        );
    }
    rules.extend(all_combinations().iter().map(|clouds| facade_with(clouds)));
    rules
}

/// The normal dependencies of `package` with all features.
fn all_features(package: &str) -> TreeRule {
    TreeRule::of(&format!("-p {package} -e normal --all-features")).requires(package)
}

/// The normal dependencies of `package` without features.
fn no_features(package: &str) -> TreeRule {
    TreeRule::of(&format!("-p {package} -e normal --no-default-features")).requires(package)
}

/// The facade with these clouds, comma-separated, holds the providers of these clouds only.
fn facade_with(clouds: &str) -> TreeRule {
    let facade = TreeRule::of(&format!(
        "-p lifecycle-facade -e normal --no-default-features --features={clouds}"
    ))
    .requires("lifecycle-facade")
    .forbids([ANY_PROVIDER]);
    clouds.split_terminator(',').fold(facade, |rule, cloud| {
        rule.requires(format!("provider-{cloud}"))
    })
}

/// All crates of the workspace with their tests.
fn workspace() -> TreeRule {
    TreeRule::of("--workspace --all-features -e normal,build,dev")
        .requires("lifecycle-facade")
        .requires("xtask")
}

/// The required and the forbidden packages of one dependency tree. A required package is exempt from
/// the forbidden patterns.
#[derive(Debug)]
struct TreeRule {
    /// The arguments of `cargo tree` that select the tree.
    selection: String,
    required: Vec<String>,
    /// Package names; a `*` at the end matches any ending.
    forbidden: Vec<&'static str>,
}

impl TreeRule {
    fn of(selection: &str) -> Self {
        Self {
            selection: selection.to_owned(),
            required: Vec::new(),
            forbidden: Vec::new(),
        }
    }

    /// Requires a package. Each rule requires a package, so an empty tree is a finding.
    fn requires(mut self, package: impl Into<String>) -> Self {
        self.required.push(package.into());
        self
    }

    fn forbids<const N: usize>(mut self, patterns: [&'static str; N]) -> Self {
        self.forbidden.extend(patterns);
        self
    }

    fn check(&self, root: &Path) -> Result<Vec<String>, CouldNotRun> {
        let call = Cargo::new(&format!("tree --quiet --prefix none {}", self.selection));
        Ok(self.findings(&read_tree(&call, root)?))
    }

    /// Compares `tree`, the output of `cargo tree --prefix none`, with the rule.
    fn findings(&self, tree: &str) -> Vec<String> {
        let names: BTreeSet<&str> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let missing = self
            .required
            .iter()
            .filter(|name| !names.contains(name.as_str()))
            .map(|name| format!("{name} is missing from `cargo tree {}`", self.selection));
        let forbidden = names
            .iter()
            .filter(|name| self.is_forbidden(name))
            .map(|name| {
                format!(
                    "{name} is forbidden; see `cargo tree {} --invert {name}`",
                    self.selection
                )
            });
        missing.chain(forbidden).collect()
    }

    fn is_forbidden(&self, name: &str) -> bool {
        let matches = |pattern: &&str| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == *pattern,
        };
        let is_required = self.required.iter().any(|required| required == name);
        self.forbidden.iter().any(matches) && !is_required
    }
}

/// The call that lists duplicate packages for all systems.
const DUPLICATED: &str = "tree --quiet --prefix none --duplicates --workspace --all-features --target all -e normal,build,dev";

/// The crates with two versions. `docs/decisions/dependencies.md` gives the reasons.
const ALLOWED_DUPLICATES: [&str; 7] = [
    "base64",
    "getrandom",
    "r-efi",
    "rand",
    "rand_core",
    "syn",
    "wasi",
];

/// Lists crates with two versions without a reason, and reasons for crates with one version.
fn duplicates(tree: &str) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    // Cargo also lists one version with two sets of features.
    versions.retain(|_, versions| versions.len() > 1);
    let unexplained = versions
        .keys()
        .filter(|name| !ALLOWED_DUPLICATES.contains(name))
        .map(|name| format!("{name} has two versions; see `cargo {DUPLICATED}`"));
    let outdated = ALLOWED_DUPLICATES
        .iter()
        .filter(|name| !versions.contains_key(*name))
        .map(|name| format!("{name} has one version only; correct docs/decisions/dependencies.md and `ALLOWED_DUPLICATES`"));
    unexplained.chain(outdated).collect()
}

fn read_tree(call: &Cargo, root: &Path) -> Result<String, CouldNotRun> {
    match call.read_stdout(root)? {
        (CheckResult::Passed, tree) => Ok(tree),
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
    fn tree_that_follows_the_rule_has_no_findings() {
        assert_eq!(
            facade_with("baidu").forbids(OPENSSL).findings(FACADE),
            Vec::<String>::new()
        );
    }

    #[test]
    fn forbidden_package_is_found_once_with_the_command_to_run() {
        let findings = facade_with("baidu")
            .forbids(INPUT_AND_OUTPUT)
            .findings(FACADE);

        assert_eq!(
            findings,
            [
                "tokio is forbidden; see `cargo tree -p lifecycle-facade -e normal --no-default-features --features=baidu --invert tokio`"
            ]
        );
    }

    #[test]
    fn wrong_provider_is_both_missing_and_forbidden() {
        let findings = facade_with("huawei").findings(FACADE);

        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("provider-huawei is missing"));
        assert!(findings[1].starts_with("provider-baidu is forbidden"));
    }

    #[test]
    fn duplicate_needs_a_reason_and_a_reason_needs_a_duplicate() {
        let both = |name: &&str| format!("{name} v1.0.0\n{name} v2.0.0 (*)\n");
        let explained: String = ALLOWED_DUPLICATES.iter().map(both).collect();
        let without_one: String = ALLOWED_DUPLICATES[1..].iter().map(both).collect();
        let check = |tree: &str, expected: &[&str]| {
            let findings = duplicates(tree);
            assert_eq!(findings.len(), expected.len(), "{findings:?}");
            for (finding, beginning) in findings.iter().zip(expected) {
                assert!(finding.starts_with(beginning), "{finding}");
            }
        };

        check(&explained, &[]);
        check(&format!("{explained}http v1.4.0\nhttp v1.4.0 (*)\n"), &[]);
        check(
            &format!("{explained}http v0.2.0\nhttp v1.4.0\n"),
            &["http has two versions"],
        );
        check(&without_one, &["base64 has one version only"]);
    }

    #[test]
    fn empty_tree_is_a_finding() {
        assert_eq!(all_features("lifecycle-core").findings("").len(), 1);
    }

    #[test]
    fn pattern_without_star_matches_the_whole_name_only() {
        let rule = all_features("tokio-util").forbids(["tokio"]);

        assert_eq!(
            rule.findings("tokio-util v0.7.20\ntokio-macros v2.0.0"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_provider_and_every_feature_has_a_rule() {
        let selections: Vec<String> = rules().into_iter().map(|rule| rule.selection).collect();

        for cloud in CLOUDS {
            let of_provider = format!("-p provider-{cloud} -e normal --all-features");
            let of_facade =
                format!("-p lifecycle-facade -e normal --no-default-features --features={cloud}");
            assert!(selections.contains(&of_provider), "{selections:?}");
            assert!(selections.contains(&of_facade), "{selections:?}");
        }
    }

    #[test]
    fn other_provider_is_forbidden_in_every_other_tree() {
        let allows = |rule: &TreeRule| {
            !rule
                .findings("provider-fifth v0.1.0")
                .iter()
                .any(|found| found.contains("fifth"))
        };
        let allowing: Vec<String> = rules()
            .into_iter()
            .filter(allows)
            .map(|rule| rule.selection)
            .collect();

        assert_eq!(
            allowing,
            [
                "-p lifecycle-client -e normal --no-default-features",
                "--workspace --all-features -e normal,build,dev"
            ]
        );
    }
}
