//! `cargo xtask new-provider`: lays the files of a provider, with their questions as comments.
//!
//! What is laid speaks the dialect of a cloud that does not exist, and is green from the start: its
//! author changes it answer by answer.

mod mentions;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    cargo::Cargo,
    exit::{CheckResult, CouldNotRun},
};
use mentions::MENTIONS;

/// Lay a new provider crate that compiles and conforms, with its questions as comments.
#[derive(Debug, clap::Args)]
pub(crate) struct NewProvider {
    /// The name of the cloud: lower-case letters and digits, a letter first.
    #[arg(required_unless_present = "check", value_parser = cloud_name)]
    name: Option<String>,
    /// Lay it as a workspace of its own in this folder, instead of among the crates.
    #[arg(long, value_name = "FOLDER")]
    outside: Option<PathBuf>,
    /// Lay one below target/ and run its tests instead.
    #[arg(long, conflicts_with_all = ["name", "outside"])]
    check: bool,
}

impl NewProvider {
    /// Proves that what is laid compiles and conforms.
    pub(crate) fn checking() -> Self {
        Self {
            name: None,
            outside: None,
            check: true,
        }
    }

    pub(crate) fn run(&self, root: &Path) -> Result<CheckResult, CouldNotRun> {
        let Some(name) = &self.name else {
            return check(root);
        };
        let folder = match &self.outside {
            Some(folder) => folder.clone(),
            None => root.join(format!("crates/provider-{name}")),
        };
        if folder.exists() {
            let folder = folder.display();
            println!("{folder} exists already; nothing was laid");
            return Ok(CheckResult::Failed);
        }
        let place = match self.outside {
            Some(_) => Place::Outside,
            None => Place::Inside,
        };
        lay(name, &folder, place, root).map_err(|error| could_not_lay(&error))?;
        // The name of the cloud has its own place in the order of imports.
        Cargo::new("fmt").run(&folder)?;
        println!("{} is laid.", folder.display());
        print!("{}", advice(place));
        Ok(CheckResult::Passed)
    }
}

/// What is left to do.
fn advice(place: Place) -> String {
    let mut text = String::from("Answer the questions in:\n");
    for (path, _) in FILES {
        text += &format!("  {path}\n");
    }
    text += "Then run its tests; docs/adding-a-provider.md has the rest.\n";
    if place == Place::Inside {
        text += "For references to name the cloud, name it where the others are:\n";
        for mention in MENTIONS {
            text += &format!("  {}: {}\n", mention.path, mention.what);
        }
    }
    text
}

fn could_not_lay(error: &io::Error) -> CouldNotRun {
    CouldNotRun(format!("the crate cannot be laid: {error}"))
}

/// In a workspace of its own, so that the members and the lock file of this one stay as they are.
fn check(root: &Path) -> Result<CheckResult, CouldNotRun> {
    let folder = root.join("target/laid/provider-trial");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(could_not_lay(&error)),
        _ => {}
    }
    lay("trial", &folder, Place::Outside, root).map_err(|error| could_not_lay(&error))?;
    // The same versions as here: nothing has to be fetched.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| could_not_lay(&error))?;
    Cargo::new("test --offline --quiet")
        .env("RUSTFLAGS", "-D warnings")
        .run(&folder)
}

/// Where a provider is laid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Among the crates of this workspace.
    Inside,
    /// Anywhere else.
    Outside,
}

fn lay(name: &str, folder: &Path, place: Place, root: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        write(&folder.join(path), &named(text, name))?;
    }
    let manifest = manifest(name, place, &root.join("crates"));
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
    "tests/cloud/mod.rs",
    "README.md",
    "CHANGELOG.md",
);

/// The text with the name of the cloud in the place of the one that does not exist.
fn named(text: &str, name: &str) -> String {
    let mut title = name.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.replace("EXAMPLE", &name.to_uppercase())
        .replace("Example", &title)
        // The domain that stands for none keeps its name.
        .replace("example.com", "\0")
        .replace("example", name)
        .replace('\0', "example.com")
}

fn manifest(name: &str, place: Place, crates: &Path) -> String {
    let head = |inherited: &str, own: &str| match place {
        Place::Inside => inherited.to_owned(),
        Place::Outside => own.to_owned(),
    };
    let neighbour = |krate: &str| match place {
        Place::Inside => format!("{{ path = \"../{krate}\" }}"),
        Place::Outside => format!("{{ path = {:?} }}", crates.join(krate)),
    };
    let (core, facade, suite) = (
        head("{ workspace = true }", &neighbour("lifecycle-core")),
        neighbour("lifecycle-facade"),
        neighbour("lifecycle-conformance"),
    );
    let common = head(
        "edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\n\
         [package.metadata.docs.rs]\nall-features = true\n\n[lints]\nworkspace = true",
        "edition = \"2024\"\nrust-version = \"1.89\"\n\n[workspace]\n\n[lints.rust]\n\
         unsafe_code = \"forbid\"\nmissing_docs = \"warn\"\nmissing_debug_implementations = \"warn\"\n\
         unreachable_pub = \"warn\"",
    );
    let of = |version: &str, features: &str| match (place, features) {
        (Place::Inside, "") => "{ workspace = true }".to_owned(),
        (Place::Inside, _) => format!("{{ workspace = true, features = [{features}] }}"),
        (Place::Outside, "") => format!("{version:?}"),
        (Place::Outside, _) => format!("{{ version = {version:?}, features = [{features}] }}"),
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
lifecycle-conformance = {suite}
lifecycle-facade = {facade}
tokio = {tokio}
",
        bytes = of("1", ""),
        http = of("1", ""),
        serde = of("1", "\"derive\", \"std\""),
        json = of("1", "\"std\""),
        async_trait = of("0.1", ""),
        tokio = of("1", "\"rt\", \"test-util\", \"time\""),
    )
}

fn cloud_name(text: &str) -> Result<String, String> {
    let begins_well = text.starts_with(|letter: char| letter.is_ascii_lowercase());
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if begins_well && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("lower-case letters and digits, a letter first".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_the_place_of_the_example() {
        assert_eq!(
            named("Example EXAMPLE_KEY provider_example r.example.com", "acme"),
            "Acme ACME_KEY provider_acme r.example.com"
        );
    }

    #[test]
    fn a_name_is_one_word_in_lower_case() {
        for name in ["acme", "cloud9"] {
            assert_eq!(cloud_name(name).as_deref(), Ok(name));
        }
        for name in ["", "Acme", "9cloud", "a-b", "a_b", "../x", "é"] {
            assert!(cloud_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn each_of_the_six_files_asks() {
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
    fn only_a_crate_of_this_workspace_is_named_elsewhere() {
        let facade = "crates/lifecycle-facade/src/fleet/connect.rs: `build`";
        assert!(advice(Place::Inside).contains(facade));
        assert!(!advice(Place::Outside).contains(facade));
        for (path, _) in FILES {
            assert!(advice(Place::Outside).contains(path));
        }
    }

    #[test]
    fn inside_it_inherits_and_outside_it_stands_alone() {
        let crates = Path::new("/somewhere/crates");
        let inside = manifest("acme", Place::Inside, crates);
        assert!(inside.contains("name = \"provider-acme\""));
        assert!(inside.contains("lifecycle-core = { workspace = true }"));
        assert!(!inside.contains("/somewhere"));
        let outside = manifest("acme", Place::Outside, crates);
        assert!(outside.contains("[workspace]"));
        assert!(
            outside.contains("lifecycle-core = { path = \"/somewhere/crates/lifecycle-core\" }")
        );
        assert!(!outside.contains("workspace = true"));
    }
}
