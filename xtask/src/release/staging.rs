//! A small workspace outside of this workspace, where one packaged crate is built and tested.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use super::{crates::Release, neighbours::Neighbours};
use crate::{
    cargo::Cargo,
    exit::{CheckResult, CouldNotRun},
    program,
    step::StepResult,
};

/// The folders of one check below the target folder.
#[derive(Debug)]
pub(super) struct StagingWorkspace<'a> {
    root: &'a Path,
    release: &'a Release,
    allow_dirty: bool,
    /// The packages of all crates.
    packed: PathBuf,
    /// The build results of all checks.
    built: PathBuf,
    /// The small workspace.
    folder: PathBuf,
}

/// The files that users of a package need.
const REQUIRED: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

impl<'a> StagingWorkspace<'a> {
    /// Creates an empty workspace for `release`.
    pub(super) fn new(
        root: &'a Path,
        release: &'a Release,
        allow_dirty: bool,
    ) -> Result<Self, CouldNotRun> {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let base = root.join(target).join("release-check");
        let folder = base.join(&release.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
        }
        Ok(Self {
            root,
            release,
            allow_dirty,
            packed: base.join("packed"),
            built: base.join("built"),
            folder,
        })
    }

    /// Packages and unpacks the crate.
    pub(super) fn package(&self) -> Result<StepResult, CouldNotRun> {
        let call = self.package_call(&self.release.name);
        if call.run(self.root)? == CheckResult::Failed {
            return Ok(StepResult::Failed(format!("`{call}`")));
        }
        let copy = self.unpack(self.release)?;
        let missing: Vec<&str> = REQUIRED
            .into_iter()
            .filter(|name| !copy.join(name).is_file())
            .collect();
        Ok(if missing.is_empty() {
            StepResult::Passed(format!("holds {}", REQUIRED.join(", ")))
        } else {
            StepResult::Failed(format!("lacks {}", missing.join(", ")))
        })
    }

    /// Adds the neighbours of the packaged crate.
    pub(super) fn add_neighbours(
        &self,
        neighbours: &Neighbours,
        release: impl Fn(&str) -> Result<&'a Release, CouldNotRun>,
    ) -> Result<StepResult, CouldNotRun> {
        for name in neighbours.local() {
            let call = self.package_call(name);
            if call.run(self.root)? == CheckResult::Failed {
                return Ok(StepResult::Failed(format!("`{call}`")));
            }
            self.unpack(release(name)?)?;
        }
        let write = |path: PathBuf, text: &str| {
            fs::write(&path, text).map_err(|error| unusable(&path, &error))
        };
        write(
            self.folder.join("Cargo.toml"),
            &workspace_manifest(&self.release.name, neighbours),
        )?;
        let copy = self.copy(&self.release.name).join("Cargo.toml");
        let manifest = fs::read_to_string(&copy).map_err(|error| unusable(&copy, &error))?;
        write(copy, &with_test_dependencies(&manifest, self.release))?;
        // CI tests the same versions of other crates.
        let lock = self.root.join("Cargo.lock");
        fs::copy(&lock, self.folder.join("Cargo.lock")).map_err(|error| unusable(&lock, &error))?;
        self.pin_versions(neighbours)
    }

    /// Pins published neighbours to the required version instead of the newest compatible version.
    /// The crate must work with each version that the manifest allows.
    fn pin_versions(&self, neighbours: &Neighbours) -> Result<StepResult, CouldNotRun> {
        let pins = neighbours.published.iter().map(|requirement| {
            self.cargo("update --quiet")
                .arg(&requirement.name)
                .arg("--precise")
                .arg(&requirement.version)
        });
        // In the copied lock file, the neighbours are members of the workspace until the first update.
        let calls = std::iter::once(self.cargo("update --quiet --workspace")).chain(pins);
        for call in calls {
            if call.run(self.root)? == CheckResult::Failed {
                return Ok(StepResult::Failed(format!("`{call}`")));
            }
        }
        Ok(StepResult::Passed(neighbours.to_string()))
    }

    /// Builds the packaged crate with its default features.
    pub(super) fn build(&self) -> Result<StepResult, CouldNotRun> {
        self.run_in_package(self.cargo("build").arg("--quiet"))
    }

    /// Runs the tests and the documentation examples of the package.
    pub(super) fn test(&self) -> Result<StepResult, CouldNotRun> {
        self.run_in_package(self.cargo("test").arg("--quiet").arg("--all-features"))
    }

    fn run_in_package(&self, call: Cargo) -> Result<StepResult, CouldNotRun> {
        let call = call
            .arg("--package")
            .arg(&self.release.name)
            .env("CARGO_TARGET_DIR", &self.built)
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        Ok(match call.run(self.root)? {
            CheckResult::Passed => StepResult::Passed("the packaged copy".to_owned()),
            _ => StepResult::Failed(format!("`{call}`")),
        })
    }

    fn cargo(&self, command: &str) -> Cargo {
        Cargo::new(command)
            .arg("--manifest-path")
            .arg(self.folder.join("Cargo.toml").to_string_lossy())
    }

    /// Returns the call that packages a crate without a lock file and without a build. Cargo can do
    /// neither before the neighbours are published.
    fn package_call(&self, name: &str) -> Cargo {
        let call = Cargo::new("package --quiet --no-verify --exclude-lockfile --package")
            .arg(name)
            .arg("--target-dir")
            .arg(self.packed.to_string_lossy());
        if self.allow_dirty {
            call.arg("--allow-dirty")
        } else {
            call
        }
    }

    /// Unpacks a package to a folder where relative paths to neighbours work as in the workspace.
    fn unpack(&self, release: &Release) -> Result<PathBuf, CouldNotRun> {
        let name = format!("package/{}-{}.crate", release.name, release.version);
        let archive = self.packed.join(name);
        let copy = self.copy(&release.name);
        fs::create_dir_all(&copy).map_err(|error| unusable(&copy, &error))?;
        let archive = archive.to_string_lossy();
        // `-m` sets the time of the files to now. All archives have the same old time, so cargo would
        // use the build of an earlier check.
        let args = ["-m", "-xzf", &archive, "--strip-components=1"];
        program::read_stdout("tar", &args, &copy)?;
        Ok(copy)
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.folder.join("crates").join(name)
    }
}

/// Returns a manifest with one member, and patches for neighbours that the registry does not have.
fn workspace_manifest(name: &str, neighbours: &Neighbours) -> String {
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = [\"crates/{name}\"]\n");
    if !neighbours.overlaid.is_empty() {
        text.push_str("\n[patch.crates-io]\n");
    }
    for requirement in neighbours.overlaid.keys() {
        text.push_str(&format!(
            "{0} = {{ path = \"crates/{0}\" }}\n",
            requirement.name
        ));
    }
    text
}

/// Adds the neighbours of tests to the packaged manifest, because packaging removes the neighbours.
fn with_test_dependencies(manifest: &str, release: &Release) -> String {
    let lines: Vec<String> = release
        .removed_test_dependencies()
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect();
    if lines.is_empty() {
        return manifest.to_owned();
    }
    format!("{manifest}\n[dev-dependencies]\n{}", lines.concat())
}

fn unusable(path: &Path, error: &io::Error) -> CouldNotRun {
    CouldNotRun(format!("{} is not usable: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::crates::tests::crates;

    #[test]
    fn only_unpublished_neighbours_are_patched() {
        let crates = crates();
        let front = crates.release("front").expect("front is published");
        let neighbours = |published: bool| {
            Neighbours::of(front, &crates, |_| Ok(published)).expect("the registry answers")
        };
        let member = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/front\"]\n";

        assert_eq!(workspace_manifest("front", &neighbours(true)), member);
        assert_eq!(
            workspace_manifest("front", &neighbours(false)),
            format!(
                "{member}\n[patch.crates-io]\n\
                 core = {{ path = \"crates/core\" }}\nengine = {{ path = \"crates/engine\" }}\n"
            )
        );
    }

    #[test]
    fn neighbours_of_tests_are_added_again() {
        let crates = crates();
        let manifest = |name| {
            with_test_dependencies(
                "[package]\n",
                crates.release(name).expect("published in this workspace"),
            )
        };

        assert_eq!(manifest("core"), "[package]\n");
        assert_eq!(
            manifest("front"),
            "[package]\n\n[dev-dependencies]\nsim = { path = \"../sim\", features = [\"all\"] }\n"
        );
    }

    #[test]
    fn crate_is_packaged_alone() {
        let crates = crates();
        let core = crates.release("core").expect("core is published");
        let staging = StagingWorkspace::new(Path::new("/src"), core, true)
            .expect("nothing has to be removed");

        let line = staging.package_call("core").to_string();

        assert!(
            line.starts_with(
                "cargo package --quiet --no-verify --exclude-lockfile --package core "
            ),
            "{line}"
        );
        assert!(line.ends_with("--allow-dirty"), "{line}");
    }
}
