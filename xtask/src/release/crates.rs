//! The published crates with versions, folders and requirements.

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
    /// The required versions in `[workspace.dependencies]`.
    declared: BTreeMap<String, String>,
}

/// One crate with the version in the manifest.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) name: String,
    pub(super) version: String,
    /// The folder relative to the root.
    pub(super) folder: String,
    pub(super) manifest: Manifest,
}

/// A requirement for a neighbour, which is another crate of this workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Requirement {
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

    /// Creates the crates from manifests, by folder below `crates`.
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
                "{name} is not a published crate of this workspace; published crates: {}",
                names.join(", ")
            ))
        })
    }

    /// Returns the neighbours of `release` with the required versions.
    pub(super) fn requirements(&self, release: &Release) -> Vec<Requirement> {
        release
            .manifest
            .dependencies
            .iter()
            .filter(|it| it.inherits && self.releases.contains_key(&it.name))
            .filter_map(|it| {
                Some(Requirement {
                    name: it.name.clone(),
                    version: self.declared.get(&it.name)?.clone(),
                })
            })
            .collect()
    }
}

impl Crates {
    /// Returns the crates in the order of publishing: each layer needs earlier layers only.
    ///
    /// # Errors
    /// Crates that need each other.
    pub(super) fn layers(&self) -> Result<Vec<Vec<&str>>, CouldNotRun> {
        let mut left: BTreeMap<&str, Vec<Requirement>> = self
            .releases
            .values()
            .map(|release| (release.name.as_str(), self.requirements(release)))
            .collect();
        let mut layers = Vec::new();
        while !left.is_empty() {
            let is_ready = |needs: &[Requirement]| {
                needs
                    .iter()
                    .all(|need| !left.contains_key(need.name.as_str()))
            };
            let ready = left.iter().filter(|(_, needs)| is_ready(needs));
            let layer: Vec<&str> = ready.map(|(name, _)| *name).collect();
            if layer.is_empty() {
                let names: Vec<&str> = left.into_keys().collect();
                return Err(CouldNotRun(format!(
                    "crates that need each other have no order: {}",
                    names.join(", ")
                )));
            }
            left.retain(|name, _| !layer.contains(name));
            layers.push(layer);
        }
        Ok(layers)
    }

    /// Returns the order of publishing as a list in Markdown.
    pub(super) fn order(&self) -> Result<String, CouldNotRun> {
        let layers = self.layers()?;
        let lines = layers.iter().zip(1..).map(|(layer, number)| {
            let names: Vec<String> = layer.iter().map(|name| format!("`{name}`")).collect();
            format!("{number}. {}\n", names.join(", "))
        });
        Ok(lines.collect())
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

    /// Returns the dependencies of tests on neighbours. Cargo removes dependencies without a version
    /// from the package.
    pub(super) fn removed_test_dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
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

    /// The crates `core`, `engine` (uses `core`), `front` (uses `engine`) and `sim`, which the tests of
    /// `front` use.
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
    fn requirement_has_the_version_of_the_workspace() {
        let crates = crates();
        let requirements = crates.requirements(crates.release("sim").expect("sim is published"));

        assert_eq!(
            requirements,
            [("core", "0.3.0"), ("engine", "0.3.1")].map(|(name, version)| Requirement {
                name: name.to_owned(),
                version: version.to_owned()
            })
        );
    }

    #[test]
    fn removed_dependencies_are_kept_as_written() {
        let crates = crates();
        let front = crates.release("front").expect("front is published");
        let removed: Vec<(&str, &str)> = front.removed_test_dependencies().collect();

        assert_eq!(
            removed,
            [("sim", "{ path = \"../sim\", features = [\"all\"] }")]
        );
        assert_eq!(front.tag(), "front-v0.3.1");
    }

    #[test]
    fn layer_needs_only_earlier_layers() {
        let crates = crates();

        assert_eq!(
            crates.order().as_deref(),
            Ok("1. `core`\n2. `engine`\n3. `front`, `sim`\n")
        );
    }

    #[test]
    fn crates_that_need_each_other_have_no_order() {
        let manifest = |name: &str, need: &str| {
            let text = format!(
                "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n\
                 [dependencies]\n{need} = {{ workspace = true }}\n"
            );
            (name.to_owned(), text)
        };
        let crates = Crates::of(
            Path::new("/src"),
            "[workspace.dependencies]\na = \"1\"\nb = \"1\"\n",
            &[manifest("a", "b"), manifest("b", "a")],
        );

        let CouldNotRun(reason) = crates.order().expect_err("a circle");
        assert!(reason.ends_with(": a, b"), "{reason}");
    }

    #[test]
    fn order_in_the_documents_has_every_published_crate() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let order = Crates::read(&root).and_then(|crates| crates.order());
        let order = order.expect("the manifests are readable");
        let page = fs::read_to_string(root.join("docs/releasing.md")).expect("the page exists");

        assert!(
            page.contains(&format!("\n\n{order}\n")),
            "expected\n{order}"
        );
        assert!(order.contains("`lifecycle-store-postgres`"), "{order}");
    }

    #[test]
    fn unpublished_or_unknown_crate_could_not_run() {
        for name in ["bench", "nobody"] {
            let CouldNotRun(reason) = crates().release(name).expect_err("not published");

            assert_eq!(
                reason,
                format!(
                    "{name} is not a published crate of this workspace; published crates: core, engine, front, sim"
                )
            );
        }
    }
}
