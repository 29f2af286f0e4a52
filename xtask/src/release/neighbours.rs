//! Where the neighbours of a packaged crate come from: the registry, or a local overlay.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use super::crates::{Crates, Need, Release};
use crate::{
    cargo::Cargo,
    exit::{CheckResult, CouldNotRun},
};

/// The neighbours of one crate, and those of its neighbours.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Neighbours {
    /// Taken from the registry, at exactly the version that is declared.
    pub(super) published: BTreeSet<Need>,
    /// Declared with a version that is not published yet: their packages are laid over the registry.
    /// With the version that they have here.
    pub(super) overlaid: BTreeMap<Need, String>,
    /// Only tests use them, and no version is declared.
    pub(super) of_tests: BTreeSet<String>,
}

impl Neighbours {
    pub(super) fn of(
        release: &Release,
        crates: &Crates,
        is_published: impl Fn(&Need) -> Result<bool, CouldNotRun>,
    ) -> Result<Self, CouldNotRun> {
        let mut all = Self::default();
        let mut to_visit = vec![release];
        for (name, _) in release.dropped_in_tests() {
            all.of_tests.insert(name.to_owned());
            to_visit.push(crates.release(name)?);
        }
        while let Some(visited) = to_visit.pop() {
            for need in crates.needs(visited) {
                if all.published.contains(&need) || all.overlaid.contains_key(&need) {
                    continue;
                }
                if is_published(&need)? {
                    all.published.insert(need);
                } else {
                    let here = crates.release(&need.name)?;
                    to_visit.push(here);
                    all.overlaid.insert(need, here.version.clone());
                }
            }
        }
        Ok(all)
    }

    /// The crates whose packages have to be made and unpacked.
    pub(super) fn local(&self) -> BTreeSet<&str> {
        let overlaid = self.overlaid.keys().map(|need| need.name.as_str());
        overlaid
            .chain(self.of_tests.iter().map(String::as_str))
            .collect()
    }
}

impl fmt::Display for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let published: Vec<String> = self.published.iter().map(Need::to_string).collect();
        let overlaid: Vec<String> = self
            .overlaid
            .iter()
            .map(|(need, here)| match need.version == *here {
                true => need.to_string(),
                false => format!("{need} (here {here})"),
            })
            .collect();
        let mut parts = Vec::new();
        if !published.is_empty() {
            parts.push(format!("from the registry: {}", published.join(", ")));
        }
        if !overlaid.is_empty() {
            parts.push(format!(
                "not published yet, so over a local overlay: {}",
                overlaid.join(", ")
            ));
        }
        if !self.of_tests.is_empty() {
            let names: Vec<&str> = self.of_tests.iter().map(String::as_str).collect();
            parts.push(format!("for tests, from here: {}", names.join(", ")));
        }
        if parts.is_empty() {
            parts.push("needs none".to_owned());
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Asks the registry. No answer is no statement, so it is an error.
pub(super) fn is_published(root: &Path, need: &Need) -> Result<bool, CouldNotRun> {
    let question = Cargo::new("info --quiet --registry crates-io")
        .arg(format!("{}@{}", need.name, need.version));
    match question.read_all(root)? {
        (CheckResult::Passed, _) => Ok(true),
        (CheckResult::Failed, text) if text.contains("could not find") => Ok(false),
        (_, text) => Err(CouldNotRun(format!("`{question}`: {}", text.trim()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::crates::tests::crates;

    /// The neighbours of `name` when the registry has `published`.
    fn neighbours(name: &str, published: &[&str]) -> String {
        let crates = crates();
        let release = crates.release(name).expect("it is published from here");
        Neighbours::of(release, &crates, |need| {
            Ok(published.contains(&need.to_string().as_str()))
        })
        .expect("the registry answers")
        .to_string()
    }

    #[test]
    fn neighbours_of_neighbours_are_laid_over_too() {
        assert_eq!(neighbours("core", &[]), "needs none");
        assert_eq!(
            neighbours("front", &[]),
            "not published yet, so over a local overlay: core 0.3.0 (here 0.3.1), engine 0.3.1; for tests, from here: sim"
        );
    }

    #[test]
    fn a_published_neighbour_brings_its_own_from_the_registry() {
        assert_eq!(
            neighbours("engine", &["core 0.3.0"]),
            "from the registry: core 0.3.0"
        );
        assert_eq!(
            neighbours("sim", &["core 0.3.0", "core 0.3.1"]),
            "from the registry: core 0.3.0; not published yet, so over a local overlay: engine 0.3.1"
        );
    }

    #[test]
    fn a_registry_without_answer_ends_the_check() {
        let crates = crates();
        let sim = crates.release("sim").expect("it is published from here");

        let ending = Neighbours::of(sim, &crates, |_| Err(CouldNotRun("no route".to_owned())));

        assert_eq!(ending, Err(CouldNotRun("no route".to_owned())));
    }
}
