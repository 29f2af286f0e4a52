//! The check of links in Markdown files that point to files of the repository.
//!
//! It looks at nothing outside the repository, and leaves paths of Rust items (`crate::Client`) to
//! rustdoc.

use super::files::Files;

/// Links to files that do not exist.
pub(super) fn broken(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files.texts("", ".md") {
        for (line, target) in links(text) {
            if !resolve(path, target).is_some_and(|file| files.paths.contains(&file)) {
                findings.push(format!("{path}:{line}: the link to {target} leads nowhere"));
            }
        }
    }
    findings
}

/// The targets of links to files, each with its line number and without its `#section`. Code is
/// skipped.
fn links(markdown: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in markdown.lines().enumerate() {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        in_code ^= fence;
        if in_code || fence {
            continue;
        }
        let targets = inline_targets(line).chain(defined_target(line));
        found.extend(
            targets
                .filter_map(file_target)
                .map(|target| (index + 1, target)),
        );
    }
    found
}

/// The targets of `[text](target)`, outside of `code`.
fn inline_targets(line: &str) -> impl Iterator<Item = &str> {
    let in_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
    let starts = line
        .match_indices("](")
        .filter(move |(at, _)| !in_code(*at));
    starts
        .filter_map(|(at, mark)| line[at + mark.len()..].split_once(')'))
        .map(|(target, _)| target)
}

/// The target of `[name]: target`.
fn defined_target(line: &str) -> Option<&str> {
    let (name, target) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    (!name.contains(']')).then_some(target)
}

fn file_target(target: &str) -> Option<&str> {
    // What follows a blank is a title.
    let target = target.split_whitespace().next()?.trim_matches(['<', '>']);
    let file = target.split('#').next()?;
    let elsewhere = target.contains(':') || file.is_empty();
    (!elsewhere).then_some(file)
}

/// The path from the root of the repository of what `document` calls `target`, unless that lies
/// outside.
fn resolve(document: &str, target: &str) -> Option<String> {
    let mut steps: Vec<&str> = document.split('/').collect();
    steps.pop();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()?),
            name => steps.push(name),
        }
    }
    Some(steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_are_found_and_others_left_alone() {
        let markdown = "\
See [a](docs/a.md) and [![badge](b.svg)](c.md#part \"title\").
[site](https://example.com/x.md), [below](#below), [item](crate::Client), [mail](mailto:a@b.c)
`[not](code.md)` but [d](<d.md>) is
```text
[not](fenced.md)
```
[e]: ./e.md
[Client]: crate::Client
";

        let expected = [
            (1, "docs/a.md"),
            (1, "b.svg"),
            (1, "c.md"),
            (3, "d.md"),
            (7, "./e.md"),
        ];
        assert_eq!(links(markdown), expected);
    }

    #[test]
    fn a_target_is_relative_to_its_document() {
        assert_eq!(
            resolve("docs/clouds/a.md", "../../README.md").as_deref(),
            Some("README.md")
        );
        assert_eq!(
            resolve("docs/a.md", "./clouds/").as_deref(),
            Some("docs/clouds")
        );
        assert_eq!(resolve("README.md", "../outside.md"), None);
    }

    #[test]
    fn only_links_to_what_exists_hold() {
        let files = Files::of([
            (
                "README.md",
                "[a](docs/a.md) [folder](docs) [gone](docs/gone.md)",
            ),
            ("docs/a.md", "\n[up](../README.md) [out](../../x.md)"),
        ]);

        assert_eq!(
            broken(&files),
            [
                "README.md:1: the link to docs/gone.md leads nowhere",
                "docs/a.md:2: the link to ../../x.md leads nowhere"
            ]
        );
    }
}
