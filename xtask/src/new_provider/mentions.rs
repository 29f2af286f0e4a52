//! The files of the facade, the command and the checks that name each cloud, and so need a new
//! provider.
//!
//! A `Client` accepts any provider. A cloud in references must also be in these files, because only
//! the author knows the settings of the cloud. `cargo xtask tidy` finds other files that name a cloud.

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
        "crates/lifecycle-facade/src/cloud/mod.rs",
        "a `mod` line and a line of `clouds!`; beside this file, a file for the cloud, similar to `zenlayer`",
    ),
    mention(
        "crates/lifecycle-facade/lifecycle.sample.toml",
        "the name among the clouds of an account",
    ),
    mention(
        "crates/lifecycle-facade/tests/features.rs",
        "the feature; the simulator must know the cloud from now on",
    ),
    mention(
        "xtask/src/clouds.rs",
        "`CLOUDS`: the clouds in the checks of trees, features and files",
    ),
    mention(
        "xtask/src/tidy/source.rs",
        "`CLOUD_NAMES` and `CLOUD_FILES`: the code that may name a cloud",
    ),
];

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

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
}
