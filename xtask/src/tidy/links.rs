//! `tidy`: the check of links from Markdown files to other files of the repository.
//!
//! Rustdoc checks the paths of Rust items, such as `crate::Client`.

use super::files::Files;

/// Returns a finding for each link to a file that does not exist.
pub(super) fn broken(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files.texts("", ".md") {
        for (line, target) in links(text) {
            if !resolve(path, target).is_some_and(|file| files.paths.contains(&file)) {
                findings.push(format!(
                    "{path}:{line}: the target of the link does not exist: {target}"
                ));
            }
        }
    }
    findings
}

/// Returns the targets of links to files with line numbers, without `#section`. Links in code do not
/// count.
fn links(markdown: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (index, line) in markdown.lines().enumerate() {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        in_code ^= fence;
        if in_code || fence {
            continue;
        }
        let targets = inline_targets(line).chain(defined_target(line));
        links.extend(
            targets
                .filter_map(file_target)
                .map(|target| (index + 1, target)),
        );
    }
    links
}

/// Returns the targets of `[text](target)` outside of `code`.
fn inline_targets(line: &str) -> impl Iterator<Item = &str> {
    let in_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
    let starts = line
        .match_indices("](")
        .filter(move |(at, _)| !in_code(*at));
    starts
        .filter_map(|(at, mark)| line[at + mark.len()..].split_once(')'))
        .map(|(target, _)| target)
}

/// Returns the target of `[name]: target`.
fn defined_target(line: &str) -> Option<&str> {
    let (name, target) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    (!name.contains(']')).then_some(target)
}

/// Returns the file in the target of a link; `None` for a web address or a section of the same file.
fn file_target(target: &str) -> Option<&str> {
    // A title follows the first blank.
    let target = target.split_whitespace().next()?.trim_matches(['<', '>']);
    let file = target.split('#').next()?;
    let elsewhere = target.contains(':') || file.is_empty();
    (!elsewhere).then_some(file)
}

/// Returns the path of `target` from the root of the repository, unless the target is outside. The
/// link is in `document`.
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
    fn only_links_to_files_are_found() {
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
    fn target_is_relative_to_the_document() {
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
    fn link_to_a_missing_file_is_a_finding() {
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
                "README.md:1: the target of the link does not exist: docs/gone.md",
                "docs/a.md:2: the target of the link does not exist: ../../x.md"
            ]
        );
    }
}
