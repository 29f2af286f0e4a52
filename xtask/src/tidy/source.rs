//! `tidy`: the checks of Rust files: documentation, length, and forbidden code (names of clouds, access to the
//! host, requests outside of the engine).

use super::{
    files::Files,
    rust::{Part, keep, without_tests},
};

/// Returns a finding for each file without documentation in the first line. `tests.rs` needs no
/// documentation.
pub(super) fn undocumented_modules(files: &Files) -> Vec<String> {
    let is_documented = |text: &str| {
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
        .filter(|(path, text)| !path.ends_with("/tests.rs") && !is_documented(text))
        .map(|(path, _)| format!("{path} does not begin with `//!` documentation"))
        .collect()
}

/// Returns a finding for each name of a cloud in the code of crates that support any cloud. A
/// comment may name a cloud as a reason.
pub(super) fn named_clouds(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files
        .sources()
        .filter(|(path, _)| CLOUD_NEUTRAL.iter().any(|folder| path.starts_with(folder)))
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

/// Returns a finding for each file of the facade and the command that names a cloud, other than
/// [`CLOUD_FILES`]; also for each entry of [`CLOUD_FILES`] that names no cloud.
pub(super) fn clouds_outside_of_their_files(files: &Files) -> Vec<String> {
    let names_cloud = |text: &str| {
        let code = keep(&[Part::Code, Part::Literal], &without_tests(text)).to_lowercase();
        CLOUD_NAMES.iter().any(|name| code.contains(name))
    };
    let checked = files.sources().filter(|(path, _)| {
        let mut folders = NAMING_CLOUDS.iter();
        folders.any(|folder| path.starts_with(folder)) && !is_test(path)
    });
    let findings =
        checked.filter_map(
            |(path, text)| match (CLOUD_FILES.contains(&path), names_cloud(text)) {
                (false, true) => Some(format!("{path} names a cloud outside of `cloud/`")),
                (true, false) => Some(format!("{path} names no cloud: remove it from CLOUD_FILES")),
                _ => None,
            },
        );
    findings.collect()
}

/// Returns a finding for each access to the host in crates without I/O. A dependency tree does not
/// show the use of `std`.
pub(super) fn host_access(files: &Files) -> Vec<String> {
    let is_pure = |path: &str| {
        let is_provider = path.starts_with("crates/provider-");
        let is_for_tests = path.starts_with("crates/provider-testing/");
        path.starts_with("crates/lifecycle-core/") || (is_provider && !is_for_tests)
    };
    let mut findings = Vec::new();
    for (path, text) in files
        .sources()
        .filter(|(path, _)| is_pure(path) && !is_test(path))
    {
        for (number, code) in code_lines(&without_tests(text)) {
            if let Some(access) = HOST_ACCESS.iter().find(|access| code.contains(*access)) {
                findings.push(format!(
                    "{path}:{number}: {access} is access to the host; use `ProviderContext`"
                ));
            }
        }
    }
    findings
}

/// Requests outside of the engine and the other permitted files.
pub(super) fn requests_outside_of_the_engine(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files
        .sources()
        .filter(|(path, _)| PRODUCT.iter().any(|folder| path.starts_with(folder)))
        .filter(|(path, _)| !SENDERS.contains(path) && !is_test(path))
    {
        for (number, code) in code_lines(&without_tests(text)) {
            if code.contains("transport.send(") {
                findings.push(format!(
                    "{path}:{number}: sends a request outside of `call/attempt.rs`"
                ));
            }
        }
    }
    findings
}

/// Long files, which may have several purposes.
pub(super) fn long_files(files: &Files) -> Vec<String> {
    files
        .sources()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| format!("{path} has {lines} lines, more than {MAX_LINES}"))
        .collect()
}

const MAX_LINES: usize = 700;
const CLOUD_NEUTRAL: [&str; 2] = ["crates/lifecycle-core/", "crates/lifecycle-client/"];
/// Crates with clouds, each cloud in a file of the facade.
const NAMING_CLOUDS: [&str; 2] = ["crates/lifecycle-facade/src/", "crates/lifecycle-cli/src/"];
/// The table of clouds, the file of each cloud, and texts of the command: simulated fleets, and
/// examples in messages.
const CLOUD_FILES: [&str; 12] = [
    "crates/lifecycle-facade/src/cloud/mod.rs",
    "crates/lifecycle-facade/src/cloud/aliyun.rs",
    "crates/lifecycle-facade/src/cloud/baidu.rs",
    "crates/lifecycle-facade/src/cloud/huawei.rs",
    "crates/lifecycle-facade/src/cloud/zenlayer.rs",
    "crates/lifecycle-cli/src/commands/demo.rs",
    "crates/lifecycle-cli/src/commands/demo_schedule.rs",
    "crates/lifecycle-cli/src/commands/doctor.rs",
    "crates/lifecycle-cli/src/commands/simulate.rs",
    "crates/lifecycle-cli/src/locations.rs",
    "crates/lifecycle-cli/src/simulated.rs",
    "crates/lifecycle-cli/src/targets.rs",
];
const CLOUD_NAMES: [&str; 5] = ["baidu", "aliyun", "alibaba", "zenlayer", "huawei"];

/// Code for direct access to variables, files, programs, sockets and clocks.
const HOST_ACCESS: [&str; 9] = [
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
/// Crates in programs of users. Benchmarks and test suites may send requests.
const PRODUCT: [&str; 3] = [
    "crates/lifecycle-client/",
    "crates/lifecycle-facade/",
    "crates/lifecycle-cli/",
];
/// Files for calls of a cloud, for credential exchanges, and for the probe without a key.
const SENDERS: [&str; 3] = [
    "crates/lifecycle-client/src/call/attempt.rs",
    "crates/lifecycle-client/src/credentials/driver.rs",
    "crates/lifecycle-facade/src/fleet/probe.rs",
];

pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Returns the lines without comments, numbered from 1.
fn code_lines(text: &str) -> Vec<(usize, String)> {
    let code = keep(&[Part::Code, Part::Literal], text);
    (1..).zip(code.lines().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloud_is_found_outside_of_the_files_of_clouds() {
        let [table, own, ..] = CLOUD_FILES;
        let files = Files::of([
            (table, "mod huawei;"),
            (own, "// Huawei\nconst NAME: &str = \"acme\";"),
            (
                "crates/lifecycle-facade/src/fleet/mod.rs",
                "// Huawei\n#[cfg(test)]\nmod tests { Huawei }",
            ),
            ("crates/lifecycle-cli/src/usage/tests.rs", "Cloud::Huawei"),
            (
                "crates/lifecycle-cli/src/main.rs",
                "if cloud == Cloud::Huawei {}",
            ),
            ("crates/lifecycle-sim/src/lib.rs", "Cloud::Huawei"),
        ]);

        assert_eq!(
            clouds_outside_of_their_files(&files),
            [
                "crates/lifecycle-cli/src/main.rs names a cloud outside of `cloud/`".to_owned(),
                format!("{own} names no cloud: remove it from CLOUD_FILES"),
            ]
        );
    }

    #[test]
    fn file_without_documentation_at_the_beginning_is_found() {
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
    fn name_of_a_cloud_is_found_in_code_but_not_in_comments() {
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
    fn host_access_is_found_in_providers_and_core_only() {
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
            ("crates/provider-testing/src/vectors.rs", "use std::env;"),
            ("crates/lifecycle-core/src/origin.rs", "fs::read(path)"),
            (
                "crates/lifecycle-client/src/credentials/machine.rs",
                "use std::env;",
            ),
        ]);

        assert_eq!(
            host_access(&files),
            [
                "crates/lifecycle-core/src/origin.rs:1: fs::read is access to the host; use `ProviderContext`",
                "crates/provider-a/src/credentials.rs:4: std::env is access to the host; use `ProviderContext`",
            ]
        );
    }

    #[test]
    fn request_is_found_outside_of_permitted_files() {
        let text = "self.transport.send(request)";
        let [attempt, driver, probe] = SENDERS;
        let files = Files::of([
            (attempt, text),
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
            requests_outside_of_the_engine(&files),
            ["crates/lifecycle-client/src/list.rs:2: sends a request outside of `call/attempt.rs`"]
        );
    }

    #[test]
    fn file_with_701_lines_is_long() {
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
