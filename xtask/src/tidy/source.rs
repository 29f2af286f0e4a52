//! Checks of the Rust files: what each is for, how long it is, and what its code must not say: the
//! name of a cloud, a look at the machine, a request sent past the one path.

use super::files::Files;

/// Every file begins by saying what it is for. The name of a `tests.rs` says it.
pub(super) fn undocumented_modules(files: &Files) -> Vec<String> {
    let says_what_for = |text: &str| {
        let first = text
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        let under_condition =
            first.starts_with("#![cfg_attr(") && text.contains("doc = include_str!(");
        first.starts_with("//!") || first.starts_with("#![doc") || under_condition
    };
    files
        .sources()
        .filter(|(path, text)| !path.ends_with("/tests.rs") && !says_what_for(text))
        .map(|(path, _)| format!("{path} does not begin with `//!` documentation"))
        .collect()
}

/// Names of clouds in the code of crates that know no cloud. Comments may name one, to say why
/// something is as it is.
pub(super) fn named_clouds(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files
        .sources()
        .filter(|(path, _)| KNOW_NO_CLOUD.iter().any(|folder| path.starts_with(folder)))
    {
        for (number, code) in code_lines(text) {
            let code = code.to_lowercase();
            if let Some(name) = CLOUD_NAMES.iter().find(|name| code.contains(*name)) {
                findings.push(format!("{path}:{number}: code names {name}"));
            }
        }
    }
    findings
}

/// Looks at the machine where everything comes in from outside: no dependency tree shows a use of the
/// standard library.
pub(super) fn looks_at_the_machine(files: &Files) -> Vec<String> {
    let is_pure = |path: &str| {
        path.starts_with("crates/lifecycle-core/") || path.starts_with("crates/provider-")
    };
    let mut findings = Vec::new();
    for (path, text) in files
        .sources()
        .filter(|(path, _)| is_pure(path) && !is_test(path))
    {
        for (number, code) in code_lines(before_tests(text)) {
            if let Some(look) = LOOKS.iter().find(|look| code.contains(*look)) {
                findings.push(format!(
                    "{path}:{number}: {look} looks at the machine; take it from `ProviderContext`"
                ));
            }
        }
    }
    findings
}

/// Requests sent from elsewhere than the few files that may.
pub(super) fn side_paths(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files
        .sources()
        .filter(|(path, _)| PRODUCT.iter().any(|folder| path.starts_with(folder)))
        .filter(|(path, _)| !SENDERS.contains(path) && !is_test(path))
    {
        for (number, code) in code_lines(before_tests(text)) {
            if code.contains("transport.send(") {
                findings.push(format!("{path}:{number}: sends past `call/engine.rs`"));
            }
        }
    }
    findings
}

/// Files so long that they deserve a look; some are still one thing.
pub(super) fn long_files(files: &Files) -> Vec<String> {
    files
        .sources()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONG)
        .map(|(path, lines)| format!("{path} has {lines} lines, more than {LONG}"))
        .collect()
}

const LONG: usize = 700;
const KNOW_NO_CLOUD: [&str; 2] = ["crates/lifecycle-core/", "crates/lifecycle-client/"];
const CLOUD_NAMES: [&str; 5] = ["baidu", "aliyun", "alibaba", "zenlayer", "huawei"];

/// How code gets at variables, files, programs, sockets and clocks without asking its caller.
const LOOKS: [&str; 9] = [
    "std::env",
    "env::var",
    "std::fs",
    "fs::read",
    "fs::File",
    "std::process",
    "TcpStream",
    "UdpSocket",
    "Time::now(",
];
/// What users link; benchmarks and suites send what they like.
const PRODUCT: [&str; 3] = [
    "crates/lifecycle-client/",
    "crates/lifecycle-facade/",
    "crates/lifecycle-cli/",
];
/// Calls to a cloud, steps to a key, and the probe that has no key.
const SENDERS: [&str; 3] = [
    "crates/lifecycle-client/src/call/engine.rs",
    "crates/lifecycle-client/src/credentials/driver.rs",
    "crates/lifecycle-facade/src/fleet/probe.rs",
];

pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
}

/// The lines without their comments, numbered from 1.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines().map(without_comment))
}

/// The line up to a comment. The slashes of an address follow a colon, those of a comment a blank
/// or nothing.
pub(super) fn without_comment(line: &str) -> &str {
    let begins_comment = |at: &usize| {
        line[..*at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace)
    };
    let comment = line
        .match_indices("//")
        .map(|(at, _)| at)
        .find(begins_comment);
    comment.map_or(line, |at| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_must_begin_with_its_documentation() {
        let files = Files::of([
            (
                "crates/a/src/lib.rs",
                "#![doc = include_str!(\"../README.md\")]\n",
            ),
            (
                "crates/a/src/when.rs",
                "#![cfg_attr(\n    not(doctest),\n    doc = include_str!(\"../README.md\")\n)]\n",
            ),
            (
                "crates/a/src/never.rs",
                "#![cfg_attr(test, allow(dead_code))]\n",
            ),
            ("crates/a/src/told.rs", "\n//! Told.\n"),
            ("crates/a/src/late.rs", "use std::fmt;\n//! Late.\n"),
            ("crates/a/src/empty.rs", ""),
            ("crates/a/src/late/tests.rs", "use super::*;\n"),
            ("crates/a/tests/free.rs", "fn main() {}\n"),
        ]);

        assert_eq!(
            undocumented_modules(&files),
            ["empty", "late", "never"].map(|name| format!(
                "crates/a/src/{name}.rs does not begin with `//!` documentation"
            ))
        );
    }

    #[test]
    fn core_and_client_name_clouds_in_comments_only() {
        let text = "//! Unlike Baidu.
    /// Zenlayer
fn pace() {} // Huawei locks a key
let url = \"https://ecs.Aliyun.com\";
";
        let files = Files::of([
            ("crates/lifecycle-core/src/lib.rs", text),
            (
                "crates/lifecycle-client/src/deep/a.rs",
                "enum Cloud { Huawei }",
            ),
            (
                "crates/lifecycle-client/tests/a.rs",
                "enum Cloud { Huawei }",
            ),
            (
                "crates/lifecycle-facade/src/lib.rs",
                "enum Cloud { Huawei }",
            ),
        ]);

        assert_eq!(
            named_clouds(&files),
            [
                "crates/lifecycle-client/src/deep/a.rs:1: code names huawei",
                "crates/lifecycle-core/src/lib.rs:4: code names aliyun"
            ]
        );
    }

    #[test]
    fn providers_and_core_look_at_nothing_themselves() {
        let text = "//! Not std::fs.
#[cfg(test)]
mod tests;
use std::env;
// std::env is somebody else's
#[cfg(test)]
mod tests { use std::fs; }
";
        let files = Files::of([
            ("crates/provider-a/src/credentials.rs", text),
            ("crates/provider-a/src/sign/tests.rs", "use std::env;"),
            ("crates/lifecycle-core/src/origin.rs", "fs::read(path)"),
            (
                "crates/lifecycle-client/src/credentials/machine.rs",
                "use std::env;",
            ),
        ]);

        assert_eq!(
            looks_at_the_machine(&files),
            [
                "crates/lifecycle-core/src/origin.rs:1: fs::read looks at the machine; take it from `ProviderContext`",
                "crates/provider-a/src/credentials.rs:4: std::env looks at the machine; take it from `ProviderContext`",
            ]
        );
    }

    #[test]
    fn only_a_few_files_send() {
        let text = "self.transport.send(request)";
        let [engine, driver, probe] = SENDERS;
        let files = Files::of([
            (engine, text),
            (driver, text),
            (probe, text),
            ("crates/lifecycle-bench/src/record.rs", text),
            (
                "crates/lifecycle-client/src/list.rs",
                "\nlet reply = self.transport.send(request); // sent",
            ),
            ("crates/lifecycle-client/src/job.rs", "// transport.send("),
        ]);

        assert_eq!(
            side_paths(&files),
            ["crates/lifecycle-client/src/list.rs:2: sends past `call/engine.rs`"]
        );
    }

    #[test]
    fn a_file_is_long_from_701_lines_on() {
        let (fits, long) = ("\n".repeat(700), "\n".repeat(701));
        let files = Files::of([
            ("crates/a/src/fits.rs", &fits),
            ("crates/a/src/long.rs", &long),
        ]);

        assert_eq!(
            long_files(&files),
            ["crates/a/src/long.rs has 701 lines, more than 700"]
        );
    }
}
