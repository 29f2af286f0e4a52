//! The crates that are published: their versions, their folders, and what they need of each other.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{exit::CouldNotRun, manifest::Manifest};

/// The published crates of the workspace, by name.
#[derive(Debug)]
pub(super) struct Crates {
    pub(super) root: PathBuf,
    releases: BTreeMap<String, Release>,
    /// The versions that `[workspace.dependencies]` asks for.
    declared: BTreeMap<String, String>,
}

/// One crate as its manifest would release it today.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) name: String,
    pub(super) version: String,
    /// Relative to the root.
    pub(super) folder: String,
    pub(super) manifest: Manifest,
}

/// A neighbour that a crate needs, and the version that it asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) name: String,
    pub(super) version: String,
}

impl Crates {
    pub(super) fn read(root: &Path) -> Result<Self, CouldNotRun> {
        let unreadable = |path: &Path, error: &std::io::Error| {
            CouldNotRun(format!("{} is not readable: {error}", path.display()))
        };
        let text = |path: &Path| fs::read_to_string(path).map_err(|error| unreadable(path, &error));

        let folder = root.join("crates");
        let mut members = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let name = entry
                .map_err(|error| unreadable(&folder, &error))?
                .file_name();
            let manifest = folder.join(&name).join("Cargo.toml");
            if manifest.exists() {
                members.push((name.to_string_lossy().into_owned(), text(&manifest)?));
            }
        }
        Ok(Self::of(root, &text(&root.join("Cargo.toml"))?, &members))
    }

    /// The crates whose folder below `crates` and manifest are given.
    pub(super) fn of(root: &Path, manifest: &str, members: &[(String, String)]) -> Self {
        let declared = Manifest::read(manifest)
            .dependencies
            .into_iter()
            .filter_map(|dependency| Some((dependency.name, dependency.version?)))
            .collect();
        let releases = members
            .iter()
            .filter_map(|(name, text)| Release::of(name, Manifest::read(text)))
            .map(|release| (release.name.clone(), release))
            .collect();
        Self {
            root: root.to_owned(),
            releases,
            declared,
        }
    }

    pub(super) fn release(&self, name: &str) -> Result<&Release, CouldNotRun> {
        self.releases.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.releases.keys().map(String::as_str).collect();
            CouldNotRun(format!(
                "{name} is not published from here; there are {}",
                names.join(", ")
            ))
        })
    }

    /// What `release` needs of its neighbours, each at the version that its manifest declares.
    pub(super) fn needs(&self, release: &Release) -> Vec<Need> {
        release
            .manifest
            .dependencies
            .iter()
            .filter(|it| it.inherits && self.releases.contains_key(&it.name))
            .filter_map(|it| {
                Some(Need {
                    name: it.name.clone(),
                    version: self.declared.get(&it.name)?.clone(),
                })
            })
            .collect()
    }
}

impl Release {
    fn of(name: &str, manifest: Manifest) -> Option<Self> {
        let version = manifest.text("version")?.to_owned();
        manifest.is_published().then(|| Self {
            name: name.to_owned(),
            version,
            folder: format!("crates/{name}"),
            manifest,
        })
    }

    /// The lines of the manifest by which its tests use a neighbour. They have no version, so
    /// packaging drops them.
    pub(super) fn dropped_in_tests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.manifest
            .dependencies
            .iter()
            .filter(|it| it.is_neighbour_in_tests())
            .map(|it| (it.name.as_str(), it.value.as_str()))
    }

    pub(super) fn tag(&self) -> String {
        format!("{}-v{}", self.name, self.version)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A core, an engine on top of it, a front on top of both, and a simulator that the front's
    /// tests use.
    pub(in crate::release) fn crates() -> Crates {
        let manifest = |name: &str, rest: &str| {
            let text = format!("[package]\nname = \"{name}\"\nversion = \"0.3.1\"\n{rest}");
            (name.to_owned(), text)
        };
        let engine = "engine = { workspace = true }\n";
        let core = "core = { workspace = true }\nbytes = { workspace = true }\n";
        Crates::of(
            Path::new("/src"),
            "[workspace.dependencies]\n\
             core = { path = \"crates/core\", version = \"0.3.0\" }\n\
             engine = { path = \"crates/engine\", version = \"0.3.1\" }\n\
             bytes = { version = \"1.0.0\" }\n",
            &[
                manifest("core", "[dependencies]\nbytes = { workspace = true }\n"),
                manifest("engine", &format!("[dependencies]\n{core}")),
                manifest("sim", &format!("[dependencies]\n{core}{engine}")),
                manifest(
                    "front",
                    &format!(
                        "[dependencies]\n{engine}\
                         [dev-dependencies]\nsim = {{ path = \"../sim\", features = [\"all\"] }}\n"
                    ),
                ),
                manifest("bench", "publish = false\n"),
            ],
        )
    }

    #[test]
    fn a_need_has_the_version_that_the_workspace_declares() {
        let crates = crates();
        let needs = crates.needs(crates.release("sim").expect("sim is published"));

        assert_eq!(
            needs,
            [("core", "0.3.0"), ("engine", "0.3.1")].map(|(name, version)| Need {
                name: name.to_owned(),
                version: version.to_owned()
            })
        );
    }

    #[test]
    fn what_packaging_drops_is_remembered_as_written() {
        let crates = crates();
        let front = crates.release("front").expect("front is published");
        let dropped: Vec<(&str, &str)> = front.dropped_in_tests().collect();

        assert_eq!(
            dropped,
            [("sim", "{ path = \"../sim\", features = [\"all\"] }")]
        );
        assert_eq!(front.tag(), "front-v0.3.1");
    }

    #[test]
    fn an_unpublished_or_unknown_crate_cannot_be_checked() {
        for name in ["bench", "nobody"] {
            let CouldNotRun(reason) = crates().release(name).expect_err("not published");

            assert_eq!(
                reason,
                format!("{name} is not published from here; there are core, engine, front, sim")
            );
        }
    }
}
