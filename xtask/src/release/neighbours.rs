//! The neighbours of a packaged crate: from the registry, or from a local overlay.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use super::crates::{Crates, Release, Requirement};
use crate::{
    cargo::Cargo,
    exit::{CheckResult, CouldNotRun},
};

/// The direct and indirect neighbours of one crate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Neighbours {
    /// Neighbours from the registry, with exactly the required version.
    pub(super) published: BTreeSet<Requirement>,
    /// Neighbours with an unpublished required version, and the version in the workspace. The local
    /// package replaces the registry.
    pub(super) overlaid: BTreeMap<Requirement, String>,
    /// Neighbours of tests, without a required version.
    pub(super) for_tests: BTreeSet<String>,
}

impl Neighbours {
    pub(super) fn of(
        release: &Release,
        crates: &Crates,
        is_published: impl Fn(&Requirement) -> Result<bool, CouldNotRun>,
    ) -> Result<Self, CouldNotRun> {
        let mut all = Self::default();
        let mut to_visit = vec![release];
        for (name, _) in release.removed_test_dependencies() {
            all.for_tests.insert(name.to_owned());
            to_visit.push(crates.release(name)?);
        }
        while let Some(visited) = to_visit.pop() {
            for requirement in crates.requirements(visited) {
                if all.published.contains(&requirement) || all.overlaid.contains_key(&requirement) {
                    continue;
                }
                if is_published(&requirement)? {
                    all.published.insert(requirement);
                } else {
                    let here = crates.release(&requirement.name)?;
                    to_visit.push(here);
                    all.overlaid.insert(requirement, here.version.clone());
                }
            }
        }
        Ok(all)
    }

    /// Returns the neighbours to package and unpack.
    pub(super) fn local(&self) -> BTreeSet<&str> {
        let overlaid = self
            .overlaid
            .keys()
            .map(|requirement| requirement.name.as_str());
        overlaid
            .chain(self.for_tests.iter().map(String::as_str))
            .collect()
    }
}

impl fmt::Display for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let published: Vec<String> = self.published.iter().map(Requirement::to_string).collect();
        let overlaid: Vec<String> = self
            .overlaid
            .iter()
            .map(|(requirement, here)| match requirement.version == *here {
                true => requirement.to_string(),
                false => format!("{requirement} (workspace: {here})"),
            })
            .collect();
        let mut parts = Vec::new();
        if !published.is_empty() {
            parts.push(format!("from the registry: {}", published.join(", ")));
        }
        if !overlaid.is_empty() {
            parts.push(format!(
                "not published yet, from a local overlay: {}",
                overlaid.join(", ")
            ));
        }
        if !self.for_tests.is_empty() {
            let names: Vec<&str> = self.for_tests.iter().map(String::as_str).collect();
            parts.push(format!(
                "for tests, from the workspace: {}",
                names.join(", ")
            ));
        }
        if parts.is_empty() {
            parts.push("no neighbours".to_owned());
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Asks the registry. Without a clear answer, the check could not run.
pub(super) fn is_published(root: &Path, requirement: &Requirement) -> Result<bool, CouldNotRun> {
    let call = Cargo::new("info --quiet --registry crates-io")
        .arg(format!("{}@{}", requirement.name, requirement.version));
    match call.read_all(root)? {
        (CheckResult::Passed, _) => Ok(true),
        (CheckResult::Failed, text) if text.contains("could not find") => Ok(false),
        (_, text) => Err(CouldNotRun(format!("`{call}`: {}", text.trim()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::crates::tests::crates;

    /// Returns the neighbours of `name` for a registry with `published`.
    fn neighbours(name: &str, published: &[&str]) -> String {
        let crates = crates();
        let release = crates.release(name).expect("published in this workspace");
        Neighbours::of(release, &crates, |requirement| {
            Ok(published.contains(&requirement.to_string().as_str()))
        })
        .expect("the registry answers")
        .to_string()
    }

    #[test]
    fn neighbours_of_neighbours_are_in_the_overlay() {
        assert_eq!(neighbours("core", &[]), "no neighbours");
        assert_eq!(
            neighbours("front", &[]),
            "not published yet, from a local overlay: core 0.3.0 (workspace: 0.3.1), engine 0.3.1; for tests, from the workspace: sim"
        );
    }

    #[test]
    fn neighbours_of_a_published_neighbour_come_from_the_registry() {
        assert_eq!(
            neighbours("engine", &["core 0.3.0"]),
            "from the registry: core 0.3.0"
        );
        assert_eq!(
            neighbours("sim", &["core 0.3.0", "core 0.3.1"]),
            "from the registry: core 0.3.0; not published yet, from a local overlay: engine 0.3.1"
        );
    }

    #[test]
    fn registry_without_answer_could_not_run() {
        let crates = crates();
        let sim = crates.release("sim").expect("published in this workspace");

        let ending = Neighbours::of(sim, &crates, |_| Err(CouldNotRun("no route".to_owned())));

        assert_eq!(ending, Err(CouldNotRun("no route".to_owned())));
    }
}
