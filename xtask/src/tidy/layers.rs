//! `tidy`: the check of the layers of `lifecycle-client`: imports go down only.

use super::{files::Files, imports::imports_by_crate};

/// The layers from the bottom to the top.
const LAYERS: [&[&str]; 8] = [
    &["error", "file", "instant", "mutation", "sync"],
    &["transport"],
    &["call"],
    &["credentials"],
    &["observe"],
    &["power"],
    &["client"],
    &["lib"],
];
const CLIENT: &str = "crates/lifecycle-client";

/// Returns a finding for each import of a higher layer, and for each file outside of the layers.
pub(super) fn upward(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for import in imports_by_crate(files).remove(CLIENT).unwrap_or_default() {
        let (from, to) = (layer(import.from), layer(import.to));
        match (rank(from), rank(to)) {
            (Some(own), Some(target)) if from == to || target < own => {}
            (None, _) => findings.push(format!("{} belongs to no layer", import.from)),
            _ => findings.push(format!(
                "{}:{}: `{from}` must not import `{to}`",
                import.from, import.line
            )),
        }
    }
    findings.dedup();
    findings
}

/// Returns the name of the folder or file directly below `src`.
fn layer(path: &str) -> &str {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    inside.split(['/', '.']).next().unwrap_or(inside)
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&layer))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the imports of one file in a client with all layers.
    #[track_caller]
    fn check(file: &str, text: &str, expected: &[&str]) {
        let path = |file: &str| format!("{CLIENT}/src/{file}");
        let others = [
            "error",
            "mutation",
            "transport/mod",
            "call/mod",
            "credentials/mod",
            "observe/mod",
        ]
        .into_iter()
        .chain(["power/mod", "client"])
        .map(|name| (path(&format!("{name}.rs")), String::new()));
        let root = "pub use client::Client;\nmod client;\npub use power::Report;\nmod power;\n";
        let mut files = Files::default();
        files.texts.extend(others);
        files.texts.insert(path("lib.rs"), root.to_owned());
        files.texts.insert(path(file), text.to_owned());
        let findings: Vec<String> = upward(&files)
            .iter()
            .map(|finding| finding.replace(&path(""), ""))
            .collect();
        assert_eq!(findings, expected, "{file}: {text}");
    }

    #[test]
    fn lower_layers_are_free() {
        check(
            "power/send.rs",
            "use crate::{call, credentials, error, observe, transport};\n",
            &[],
        );
        check(
            "credentials/chain.rs",
            "use crate::{call, error, transport};\nuse super::host;\n",
            &[],
        );
        check("client.rs", "use crate::{Report, observe};\n", &[]);
    }

    #[test]
    fn higher_layers_are_refused() {
        check(
            "call/engine.rs",
            "use crate::{observe, power::Event};\nuse crate::credentials;\n",
            &[
                "call/engine.rs:1: `call` must not import `observe`",
                "call/engine.rs:1: `call` must not import `power`",
                "call/engine.rs:2: `call` must not import `credentials`",
            ],
        );
        check(
            "transport/mod.rs",
            "fn f(it: &super::call::Clock) {}\n",
            &["transport/mod.rs:1: `transport` must not import `call`"],
        );
        check(
            "observe/poller.rs",
            "use crate::Report;\n",
            &["observe/poller.rs:1: `observe` must not import `power`"],
        );
        check(
            "credentials/chain.rs",
            "use super::super::observe::Poller;\n",
            &["credentials/chain.rs:1: `credentials` must not import `observe`"],
        );
    }

    #[test]
    fn only_the_root_imports_client() {
        check(
            "power/send.rs",
            "use crate::Client;\n",
            &["power/send.rs:1: `power` must not import `client`"],
        );
    }

    #[test]
    fn bottom_imports_nothing() {
        check(
            "error.rs",
            "use crate::mutation;\n",
            &["error.rs:1: `error` must not import `mutation`"],
        );
        check(
            "mutation.rs",
            "use crate::transport;\n",
            &["mutation.rs:1: `mutation` must not import `transport`"],
        );
    }

    #[test]
    fn file_outside_of_the_layers_is_found() {
        check(
            "other.rs",
            "use crate::error;\n",
            &["other.rs belongs to no layer"],
        );
    }
}
