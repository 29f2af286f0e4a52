//! `tidy`: the check of import cycles between the files of one crate.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    files::Files,
    imports::{Import, imports_by_crate},
};

/// Crates in which a cycle is a finding. The cycles of other crates are only listed by `--cycles`.
const CRATES_WITHOUT_CYCLES: [&str; 7] = [
    "crates/lifecycle-cli",
    "crates/lifecycle-client",
    "crates/lifecycle-conformance",
    "crates/lifecycle-controller",
    "crates/lifecycle-facade",
    "crates/lifecycle-store-postgres",
    "xtask",
];

/// Returns a finding for each cycle in one of the [`CRATES_WITHOUT_CYCLES`].
pub(super) fn findings(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (folder, imports) in imports_by_crate(files) {
        if !CRATES_WITHOUT_CYCLES.contains(&folder) {
            continue;
        }
        for cycle in cycles(&imports) {
            let names: Vec<&str> = cycle.iter().map(|file| short(file)).collect();
            findings.push(format!(
                "{folder}: {} files form an import cycle: {}; \
                 see `cargo xtask tidy --cycles`",
                names.len(),
                names.join(", ")
            ));
        }
    }
    findings
}

/// Lists the cycles of all crates with the imports of each cycle.
pub(super) fn list(files: &Files) -> Vec<String> {
    let mut lines = Vec::new();
    for (folder, imports) in imports_by_crate(files) {
        for cycle in cycles(&imports) {
            lines.push(format!("{folder}: a cycle of {} files", cycle.len()));
            let mut seen = BTreeSet::new();
            for import in edges(&imports) {
                let is_inside = cycle.contains(import.from) && cycle.contains(import.to);
                if is_inside && seen.insert((import.from, import.to)) {
                    let target = short(import.to);
                    lines.push(format!("{}:{}: imports {target}", import.from, import.line));
                }
            }
        }
    }
    lines
}

/// Returns the path below `src`.
fn short(file: &str) -> &str {
    file.split_once("/src/").map_or(file, |(_, file)| file)
}

/// Returns the imports that make a file depend on another file. A re-export gives an item a shorter
/// path, and does not make a file depend on the other file.
fn edges<'i, 'a>(imports: &'i [Import<'a>]) -> impl Iterator<Item = &'i Import<'a>> {
    imports.iter().filter(|import| !import.is_re_export)
}

/// Returns the largest sets of files where each file imports all others, directly or through other
/// files (strongly connected components).
fn cycles<'a>(imports: &[Import<'a>]) -> Vec<BTreeSet<&'a str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in edges(imports) {
        next.entry(import.from).or_default().insert(import.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = next
        .keys()
        .map(|file| (*file, reachable(&next, file)))
        .collect();
    let leads = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let mut cycles: Vec<BTreeSet<&str>> = Vec::new();
    for file in next.keys().filter(|file| leads(file, file)) {
        if !cycles.iter().any(|cycle| cycle.contains(file)) {
            let members = next
                .keys()
                .filter(|other| leads(file, other) && leads(other, file));
            cycles.push(members.copied().collect());
        }
    }
    cycles
}

/// Returns the files that `file` imports, directly or through other files.
fn reachable<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut to_visit: Vec<&str> = next.get(file).into_iter().flatten().copied().collect();
    while let Some(file) = to_visit.pop() {
        if reached.insert(file) {
            to_visit.extend(next.get(file).into_iter().flatten());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files::of([
            (
                "crates/lifecycle-cli/src/lib.rs",
                "mod a;\nmod b;\nmod c;\nmod d;\npub use a::A;\n",
            ),
            ("crates/lifecycle-cli/src/a.rs", "use crate::b;\n"),
            (
                "crates/lifecycle-cli/src/b.rs",
                "\nuse crate::c;\nuse crate::d;\n",
            ),
            (
                "crates/lifecycle-cli/src/c.rs",
                "use super::A;\nuse crate::A;\n",
            ),
            ("crates/lifecycle-cli/src/d.rs", ""),
            ("crates/y/src/lib.rs", "mod a;\nuse a::A;\n"),
            ("crates/y/src/a.rs", ""),
        ])
    }

    #[test]
    fn cycle_is_found_with_its_files_only() {
        let findings = findings(&files());

        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(
            findings[0].starts_with(
                "crates/lifecycle-cli: 3 files form an import cycle: a.rs, b.rs, c.rs;"
            ),
            "{findings:?}"
        );
    }

    #[test]
    fn list_has_the_imports_of_the_cycle() {
        assert_eq!(
            list(&files()),
            [
                "crates/lifecycle-cli: a cycle of 3 files",
                "crates/lifecycle-cli/src/a.rs:1: imports b.rs",
                "crates/lifecycle-cli/src/b.rs:2: imports c.rs",
                "crates/lifecycle-cli/src/c.rs:1: imports a.rs"
            ]
        );
    }

    #[test]
    fn two_cycles_are_two_findings() {
        let files = Files::of([
            ("crates/lifecycle-cli/src/lib.rs", ""),
            (
                "crates/lifecycle-cli/src/a.rs",
                "use crate::b;\nuse crate::c;\n",
            ),
            ("crates/lifecycle-cli/src/b.rs", "use crate::a;\n"),
            ("crates/lifecycle-cli/src/c.rs", "use crate::d;\n"),
            ("crates/lifecycle-cli/src/d.rs", "use crate::c;\n"),
        ]);

        assert_eq!(findings(&files).len(), 2);
    }

    #[test]
    fn cycle_in_another_crate_is_reported_only() {
        let files = Files::of([
            ("crates/x/src/a.rs", "use crate::b;\n"),
            ("crates/x/src/b.rs", "use crate::a;\n"),
        ]);

        assert_eq!(findings(&files), Vec::<String>::new());
        assert_eq!(list(&files).len(), 3);
    }
}
