//! A small workspace away from ours, in which one packaged crate is built and tested.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use super::{Finding, crates::Release, neighbours::Neighbours, program};
use crate::{
    cargo::Cargo,
    exit::{CouldNotRun, Verdict},
};

/// The folders of one check, below the target folder.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    root: &'a Path,
    release: &'a Release,
    allow_dirty: bool,
    /// What cargo packs, for every crate.
    packed: PathBuf,
    /// What cargo builds, shared by all checks.
    built: PathBuf,
    /// The small workspace.
    folder: PathBuf,
}

/// What a package must hold for those who only have the package.
const REQUIRED: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

impl<'a> Stage<'a> {
    /// An empty stage for `release`.
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

    /// Packages the crate and unpacks it.
    pub(super) fn package(&self) -> Result<Finding, CouldNotRun> {
        let call = self.pack(&self.release.name);
        if call.run(self.root)? == Verdict::Failed {
            return Ok(Finding::Failed(format!("`{call}`")));
        }
        let copy = self.unpack(self.release)?;
        let missing: Vec<&str> = REQUIRED
            .into_iter()
            .filter(|name| !copy.join(name).is_file())
            .collect();
        Ok(if missing.is_empty() {
            Finding::Passed(format!("holds {}", REQUIRED.join(", ")))
        } else {
            Finding::Failed(format!("lacks {}", missing.join(", ")))
        })
    }

    /// Lays the neighbours around the packaged crate.
    pub(super) fn lay(
        &self,
        neighbours: &Neighbours,
        release: impl Fn(&str) -> Result<&'a Release, CouldNotRun>,
    ) -> Result<Finding, CouldNotRun> {
        for name in neighbours.local() {
            let call = self.pack(name);
            if call.run(self.root)? == Verdict::Failed {
                return Ok(Finding::Failed(format!("`{call}`")));
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
        write(copy, &with_dropped_lines(&manifest, self.release))?;
        // Other crates stay at the versions that CI tests with.
        let lock = self.root.join("Cargo.lock");
        fs::copy(&lock, self.folder.join("Cargo.lock")).map_err(|error| unusable(&lock, &error))?;
        self.pin(neighbours)
    }

    /// Takes published neighbours at the version that is declared, not at the newest that fits it:
    /// what the crate claims to work with, it has to work with.
    fn pin(&self, neighbours: &Neighbours) -> Result<Finding, CouldNotRun> {
        let pins = neighbours.published.iter().map(|need| {
            self.in_stage("update --quiet")
                .arg(&need.name)
                .arg("--precise")
                .arg(&need.version)
        });
        // First the copied lock file has to forget that neighbours were members of our workspace.
        let calls = std::iter::once(self.in_stage("update --quiet --workspace")).chain(pins);
        for call in calls {
            if call.run(self.root)? == Verdict::Failed {
                return Ok(Finding::Failed(format!("`{call}`")));
            }
        }
        Ok(Finding::Passed(neighbours.to_string()))
    }

    /// Builds the packaged crate as a user gets it who says nothing about features.
    pub(super) fn build(&self) -> Result<Finding, CouldNotRun> {
        self.carry_out(self.in_stage("build").arg("--quiet"))
    }

    /// Runs the tests that are in the package, and the examples of its documentation.
    pub(super) fn test(&self) -> Result<Finding, CouldNotRun> {
        self.carry_out(self.in_stage("test").arg("--quiet").arg("--all-features"))
    }

    fn carry_out(&self, call: Cargo) -> Result<Finding, CouldNotRun> {
        let call = call
            .arg("--package")
            .arg(&self.release.name)
            .env("CARGO_TARGET_DIR", &self.built)
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        Ok(match call.run(self.root)? {
            Verdict::Passed => Finding::Passed("the packaged copy".to_owned()),
            _ => Finding::Failed(format!("`{call}`")),
        })
    }

    fn in_stage(&self, command: &str) -> Cargo {
        Cargo::new(command)
            .arg("--manifest-path")
            .arg(self.folder.join("Cargo.toml").to_string_lossy())
    }

    /// Without a lock file of its own, which cargo could not make for lack of published neighbours,
    /// and without cargo's build, for the same lack: we build.
    fn pack(&self, name: &str) -> Cargo {
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

    /// Unpacks to where a path from one crate to its neighbour leads as it does in the workspace.
    fn unpack(&self, release: &Release) -> Result<PathBuf, CouldNotRun> {
        let name = format!("package/{}-{}.crate", release.name, release.version);
        let archive = self.packed.join(name);
        let copy = self.copy(&release.name);
        fs::create_dir_all(&copy).map_err(|error| unusable(&copy, &error))?;
        let archive = archive.to_string_lossy();
        // `-m`: files of today. The archive's files are all of one day, by which cargo would take them
        // for the ones that an earlier check has built.
        let args = ["-m", "-xzf", &archive, "--strip-components=1"];
        program::read("tar", &args, &copy)?;
        Ok(copy)
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.folder.join("crates").join(name)
    }
}

/// One member, and patches for what the registry does not have.
fn workspace_manifest(name: &str, neighbours: &Neighbours) -> String {
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = [\"crates/{name}\"]\n");
    if !neighbours.overlaid.is_empty() {
        text.push_str("\n[patch.crates-io]\n");
    }
    for need in neighbours.overlaid.keys() {
        text.push_str(&format!("{0} = {{ path = \"crates/{0}\" }}\n", need.name));
    }
    text
}

/// The packaged manifest with the neighbours of tests, which packaging drops.
fn with_dropped_lines(manifest: &str, release: &Release) -> String {
    let lines: Vec<String> = release
        .dropped_in_tests()
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
    fn only_what_is_not_published_is_patched() {
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
    fn the_neighbours_of_tests_come_back() {
        let crates = crates();
        let back = |name| {
            with_dropped_lines(
                "[package]\n",
                crates.release(name).expect("it is published"),
            )
        };

        assert_eq!(back("core"), "[package]\n");
        assert_eq!(
            back("front"),
            "[package]\n\n[dev-dependencies]\nsim = { path = \"../sim\", features = [\"all\"] }\n"
        );
    }

    #[test]
    fn a_crate_is_packed_alone() {
        let crates = crates();
        let core = crates.release("core").expect("core is published");
        let stage = Stage::new(Path::new("/src"), core, true).expect("nothing has to be removed");

        let line = stage.pack("core").to_string();

        assert!(
            line.starts_with(
                "cargo package --quiet --no-verify --exclude-lockfile --package core "
            ),
            "{line}"
        );
        assert!(line.ends_with("--allow-dirty"), "{line}");
    }
}
