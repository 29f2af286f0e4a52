//! The files of the facade, the command and the checks that name each cloud.
//!
//! A `Client` accepts any provider. A cloud in references must also be in these files, because only
//! the author knows the settings of the cloud.

/// A file that names each cloud, and the content of the file.
pub(super) struct Mention {
    pub(super) path: &'static str,
    pub(super) what: &'static str,
}

const fn mention(path: &'static str, what: &'static str) -> Mention {
    Mention { path, what }
}

/// The files in the best order of changes: errors of the compiler lead to the next file.
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
        "the variant of `Cloud`, its `PROFILE`, its `sources` and `endpoint_from`, its name",
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
        "xtask/src/clouds.rs",
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
    use crate::clouds::CLOUDS;

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
    fn file_has_the_names_in_the_text() {
        for mention in MENTIONS {
            let text = read(&root().join(mention.path));
            let names = mention.what.split('`').skip(1).step_by(2);
            for name in names {
                assert!(text.contains(name), "{} has no {name}", mention.path);
            }
        }
    }

    #[test]
    fn recipe_has_the_same_list() {
        let recipe = read(&root().join("docs/adding-a-provider.md"));
        let rows = |mention: &Mention| format!("| `{}` | {} |\n", mention.path, mention.what);
        let table: String = MENTIONS.iter().map(rows).collect();
        assert!(recipe.contains(&table), "write in it:\n{table}");
    }

    /// Checks the sources for a file that distinguishes clouds but is not in the list.
    #[test]
    fn no_other_source_distinguishes_clouds() {
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

    /// Reports whether the code before the tests has a branch for one cloud.
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
