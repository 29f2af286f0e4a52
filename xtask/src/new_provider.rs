//! `cargo xtask new-provider`: creates the files of a provider with questions as comments.
//!
//! The new crate implements the API of an imaginary cloud and passes all tests. The author answers the
//! questions and changes the code step by step.

mod mentions;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    cargo::Cargo,
    exit::{CheckResult, CommandResult, CouldNotRun},
};
use mentions::MENTIONS;

/// Create a provider crate that passes the conformance tests, with questions as comments.
#[derive(Debug, clap::Args)]
pub(crate) struct NewProvider {
    /// The name of the cloud: lower-case letters and digits; the first is a letter.
    #[arg(required_unless_present = "check", value_parser = cloud_name)]
    name: Option<String>,
    /// Create a separate workspace in this folder instead of a crate of this workspace.
    #[arg(long, value_name = "FOLDER")]
    outside: Option<PathBuf>,
    /// Only create a provider below target/ and run the tests of the provider.
    #[arg(long, conflicts_with_all = ["name", "outside"])]
    check: bool,
}

impl NewProvider {
    /// Creates the command that tests a new provider.
    pub(crate) fn checking() -> Self {
        Self {
            name: None,
            outside: None,
            check: true,
        }
    }

    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let Some(name) = &self.name else {
            return check(root);
        };
        let folder = match &self.outside {
            Some(folder) => folder.clone(),
            None => root.join(format!("crates/provider-{name}")),
        };
        if folder.exists() {
            let folder = folder.display();
            println!("{folder} already exists; nothing was created");
            return Ok(CheckResult::Failed);
        }
        let kind = match self.outside {
            Some(_) => WorkspaceKind::Separate,
            None => WorkspaceKind::Member,
        };
        create(name, &folder, kind, root).map_err(|error| could_not_create(&error))?;
        // The name of the cloud can change the order of imports.
        Cargo::new("fmt").run(&folder)?;
        println!("created {}", folder.display());
        print!("{}", advice(kind));
        Ok(CheckResult::Passed)
    }
}

/// Returns the remaining steps.
fn advice(kind: WorkspaceKind) -> String {
    let mut text = String::from("Answer the questions in:\n");
    for (path, _) in FILES {
        text += &format!("  {path}\n");
    }
    text += "Then run the tests. docs/adding-a-provider.md describes the next steps.\n";
    if kind == WorkspaceKind::Member {
        text += "To use the cloud in references, add the cloud to:\n";
        for mention in MENTIONS {
            text += &format!("  {}: {}\n", mention.path, mention.what);
        }
    }
    text
}

fn could_not_create(error: &io::Error) -> CouldNotRun {
    CouldNotRun(format!("the crate cannot be created: {error}"))
}

/// Tests a provider in a separate workspace, so this workspace and its lock file do not change.
fn check(root: &Path) -> CommandResult {
    let folder = root.join("target/new-provider/provider-trial");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(could_not_create(&error));
        }
        _ => {}
    }
    create("trial", &folder, WorkspaceKind::Separate, root)
        .map_err(|error| could_not_create(&error))?;
    // The same versions as in this workspace need no download.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| could_not_create(&error))?;
    Cargo::new("test --offline --quiet")
        .env("RUSTFLAGS", "-D warnings")
        .run(&folder)
}

/// The workspace of a new provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WorkspaceKind {
    /// A crate of this workspace.
    Member,
    /// A separate workspace.
    Separate,
}

fn create(name: &str, folder: &Path, kind: WorkspaceKind, root: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        write(&folder.join(path), &named(text, name))?;
    }
    let manifest = manifest(name, kind, &root.join("crates"));
    write(&folder.join("Cargo.toml"), &manifest)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../templates/provider/", $path)))),+]
    };
}

const FILES: &[(&str, &str)] = files!(
    "src/lib.rs",
    "src/config.rs",
    "src/credentials.rs",
    "src/credentials/tests.rs",
    "src/wire.rs",
    "src/sign.rs",
    "src/fault.rs",
    "tests/conformance.rs",
    "tests/documents.rs",
    "tests/cloud/mod.rs",
    "README.md",
    "CHANGELOG.md",
);

/// Replaces the name of the imaginary cloud.
fn named(text: &str, name: &str) -> String {
    let mut title = name.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.replace("EXAMPLE", &name.to_uppercase())
        .replace("Example", &title)
        // The reserved domain `example.com` stays.
        .replace("example.com", "\0")
        .replace("example", name)
        .replace('\0', "example.com")
}

fn manifest(name: &str, kind: WorkspaceKind, crates: &Path) -> String {
    let head = |inherited: &str, own: &str| match kind {
        WorkspaceKind::Member => inherited.to_owned(),
        WorkspaceKind::Separate => own.to_owned(),
    };
    let neighbour = |krate: &str| match kind {
        WorkspaceKind::Member => format!("{{ path = \"../{krate}\" }}"),
        WorkspaceKind::Separate => format!("{{ path = {:?} }}", crates.join(krate)),
    };
    let (core, facade, suite, testing) = (
        head("{ workspace = true }", &neighbour("lifecycle-core")),
        neighbour("lifecycle-facade"),
        neighbour("lifecycle-conformance"),
        neighbour("provider-testing"),
    );
    let common = head(
        "edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\n\
         [package.metadata.docs.rs]\nall-features = true\n\n[lints]\nworkspace = true",
        "edition = \"2024\"\nrust-version = \"1.89\"\n\n[workspace]\n\n[lints.rust]\n\
         unsafe_code = \"forbid\"\nmissing_docs = \"warn\"\nmissing_debug_implementations = \"warn\"\n\
         unreachable_pub = \"warn\"",
    );
    let of = |version: &str, features: &str| match (kind, features) {
        (WorkspaceKind::Member, "") => "{ workspace = true }".to_owned(),
        (WorkspaceKind::Member, _) => format!("{{ workspace = true, features = [{features}] }}"),
        (WorkspaceKind::Separate, "") => format!("{version:?}"),
        (WorkspaceKind::Separate, _) => {
            format!("{{ version = {version:?}, features = [{features}] }}")
        }
    };
    format!(
        "[package]
name = \"provider-{name}\"
version = \"0.1.0\"
description = \"A cloud for lifecycle: wire format, signature, error codes and limits as pure functions\"
readme = \"README.md\"
keywords = [\"cloud\", \"vm\", \"ecs\", \"lifecycle\"]
categories = [\"api-bindings\"]
{common}

[dependencies]
bytes = {bytes}
http = {http}
lifecycle-core = {core}
serde = {serde}
serde_json = {json}

[dev-dependencies]
async-trait = {async_trait}
httpdate = {httpdate}
lifecycle-conformance = {suite}
lifecycle-facade = {facade}
provider-testing = {testing}
tokio = {tokio}
",
        bytes = of("1", ""),
        http = of("1", ""),
        serde = of("1", "\"derive\", \"std\""),
        json = of("1", "\"std\""),
        async_trait = of("0.1", ""),
        httpdate = of("1", ""),
        tokio = of("1", "\"rt\", \"test-util\", \"time\""),
    )
}

fn cloud_name(text: &str) -> Result<String, String> {
    let begins_well = text.starts_with(|letter: char| letter.is_ascii_lowercase());
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if begins_well && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("use lower-case letters and digits; the first must be a letter".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_the_cloud_replaces_the_example() {
        assert_eq!(
            named("Example EXAMPLE_KEY provider_example r.example.com", "acme"),
            "Acme ACME_KEY provider_acme r.example.com"
        );
    }

    #[test]
    fn name_is_one_word_in_lower_case() {
        for name in ["acme", "cloud9"] {
            assert_eq!(cloud_name(name).as_deref(), Ok(name));
        }
        for name in ["", "Acme", "9cloud", "a-b", "a_b", "../x", "é"] {
            assert!(cloud_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn each_of_the_six_files_has_questions() {
        for name in ["lib", "config", "credentials", "wire", "sign", "fault"] {
            let path = format!("src/{name}.rs");
            let (_, text) = FILES.iter().find(|(file, _)| *file == path).unwrap();
            let asks = |line: &str| line.trim_start().starts_with("// ") && line.contains('?');
            assert!(
                text.lines().filter(|line| asks(line)).count() >= 2,
                "{path}"
            );
        }
    }

    #[test]
    fn advice_lists_other_files_only_inside_this_workspace() {
        let facade = "crates/lifecycle-facade/src/cloud/mod.rs: a `mod` line";
        assert!(advice(WorkspaceKind::Member).contains(facade));
        assert!(!advice(WorkspaceKind::Separate).contains(facade));
        for (path, _) in FILES {
            assert!(advice(WorkspaceKind::Separate).contains(path));
        }
    }

    #[test]
    fn manifest_inherits_only_inside_this_workspace() {
        let crates = Path::new("/somewhere/crates");
        let inside = manifest("acme", WorkspaceKind::Member, crates);
        assert!(inside.contains("name = \"provider-acme\""));
        assert!(inside.contains("lifecycle-core = { workspace = true }"));
        assert!(!inside.contains("/somewhere"));
        let outside = manifest("acme", WorkspaceKind::Separate, crates);
        assert!(outside.contains("[workspace]"));
        assert!(
            outside.contains("lifecycle-core = { path = \"/somewhere/crates/lifecycle-core\" }")
        );
        assert!(!outside.contains("workspace = true"));
    }
}
