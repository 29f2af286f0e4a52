//! Where the facade, the command and the checks name each cloud.
//!
//! A provider works without them: a `Client` takes it as it is. A cloud that references can name has
//! to be named here too, by hand: what it needs beyond a region, and which settings it has, nobody
//! else knows.

/// A file that names each cloud, and what it says of it.
pub(super) struct Mention {
    pub(super) path: &'static str,
    pub(super) what: &'static str,
}

const fn mention(path: &'static str, what: &'static str) -> Mention {
    Mention { path, what }
}

/// In the order in which they are best changed: what does not compile yet leads to the next.
pub(super) const MENTIONS: &[Mention] = &[
    mention(
        "Cargo.toml",
        "the crate among the dependencies of the workspace",
    ),
    mention(
        "crates/lifecycle-facade/Cargo.toml",
        "a feature, also within `full`, and the optional dependency",
    ),
    mention(
        "crates/lifecycle-facade/src/lib.rs",
        "the conditions that ask for any cloud, and the crate under the cloud's name",
    ),
    mention(
        "crates/lifecycle-facade/src/fleet/cloud.rs",
        "the variant of `Cloud`, its `PROFILE`, its `origins` and `endpoint_from`, its name",
    ),
    mention(
        "crates/lifecycle-facade/src/fleet/connect.rs",
        "`build`: from a place to its `Config`",
    ),
    mention(
        "crates/lifecycle-facade/src/fleet/configured.rs",
        "`files`, and `exchange` where somebody can be asked for keys",
    ),
    mention(
        "crates/lifecycle-facade/src/config/known.rs",
        "its `CloudName`, and which settings and sources of keys it has",
    ),
    mention(
        "crates/lifecycle-facade/lifecycle.sample.toml",
        "its name among the clouds of an account",
    ),
    mention(
        "crates/lifecycle-cli/src/locations.rs",
        "`usual_region`: the region of its own tools, else one in which a key can be tried",
    ),
    mention(
        "crates/lifecycle-facade/tests/features.rs",
        "its feature; from here on the simulator has to know the cloud",
    ),
    mention(
        "crates/lifecycle-facade/tests/readme.rs",
        "its row in the README",
    ),
    mention(
        "xtask/src/main.rs",
        "`CLOUDS`: trees, features and files of providers are checked by it",
    ),
    mention(
        "xtask/src/tidy/source.rs",
        "`CLOUD_NAMES`: what core and client must not say",
    ),
];

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::CLOUDS;

    fn root() -> &'static Path {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        own.parent().expect("a member has a workspace around it")
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn each_file_names_each_cloud() {
        for mention in MENTIONS {
            let text = read(&root().join(mention.path)).to_lowercase();
            for cloud in CLOUDS {
                assert!(
                    text.contains(cloud),
                    "{} does not name {cloud}",
                    mention.path
                );
            }
        }
    }

    #[test]
    fn what_is_said_of_a_file_is_there() {
        for mention in MENTIONS {
            let text = read(&root().join(mention.path));
            let names = mention.what.split('`').skip(1).step_by(2);
            for name in names {
                assert!(text.contains(name), "{} has no {name}", mention.path);
            }
        }
    }

    #[test]
    fn the_recipe_has_the_same_list() {
        let recipe = read(&root().join("docs/adding-a-provider.md"));
        let rows = |mention: &Mention| format!("| `{}` | {} |\n", mention.path, mention.what);
        let table: String = MENTIONS.iter().map(rows).collect();
        assert!(recipe.contains(&table), "write in it:\n{table}");
    }

    /// A source that tells clouds apart and is not mentioned would be forgotten.
    #[test]
    fn no_other_source_tells_clouds_apart() {
        let mut sources = Vec::new();
        for krate in ["lifecycle-facade", "lifecycle-cli"] {
            collect(&root().join("crates").join(krate).join("src"), &mut sources);
        }
        let telling: Vec<String> = sources
            .iter()
            .filter(|path| tells_apart(&read(path)))
            .map(|path| relative(path))
            .collect();
        assert!(telling.len() >= 5, "{telling:?}");
        for path in telling {
            assert!(
                MENTIONS.iter().any(|mention| mention.path == path),
                "{path}"
            );
        }
    }

    /// Whether the code in front of the tests has a branch for one cloud.
    fn tells_apart(text: &str) -> bool {
        let code = text.split("mod tests {").next().unwrap_or_default();
        let marks = [
            "Cloud::Zenlayer",
            "CloudName(\"zenlayer\")",
            "provider_zenlayer",
            "feature = \"zenlayer\"",
        ];
        marks.iter().any(|mark| code.contains(mark))
    }

    fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(folder).expect("the tests run in a checkout");
        for path in entries.map(|entry| entry.expect("it is there").path()) {
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                into.push(path);
            }
        }
    }

    fn relative(path: &Path) -> String {
        let path = path.strip_prefix(root()).expect("it is below the root");
        path.to_string_lossy().replace('\\', "/")
    }
}
