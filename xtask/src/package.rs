//! `cargo xtask package`: the command for systems with glibc 2.17 and later, as archive, Debian package,
//! RPM package and Python wheel.
//!
//! maturin builds the program and packs the wheel, with zig as the linker for an old glibc. Both come from
//! PyPI into a virtual environment below the target folder. `dpkg-deb` and `rpmbuild` come from the system.

mod check;
mod files;
mod names;
mod symbols;
mod system;
mod target;

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use check::Installation;
use files::{Format, SHELLS, Sources, files, place, renew, unusable};
use names::Metadata;
use symbols::{GLIBC, Imports, leaked_folders};
use target::Target;

use crate::{
    cargo::{Cargo, target_folder},
    exit::{CommandResult, CouldNotRun},
    program,
    python::{Environment, Preparation},
    step::{Step, StepResult, run_steps},
};

/// Build the command for systems with glibc 2.17 and later, and pack the command for pip, dpkg, rpm and tar.
#[derive(Debug, clap::Args)]
pub(crate) struct Package {
    /// The processor; default: the processor of this machine.
    #[arg(long, value_enum)]
    target: Option<Target>,
    /// Pack twice and compare, install each package into a folder of its own, and run the command.
    #[arg(long)]
    check: bool,
}

impl Package {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let target = self.target.or_else(Target::host).ok_or_else(|| {
            CouldNotRun("no packages for this system; name a processor with --target".to_owned())
        })?;
        let packaging = Packaging::new(root, target)?;
        println!(
            "package: {} for {}",
            packaging.metadata.name,
            target.triple()
        );
        let result = run_steps(packaging.steps(self.check), |line| println!("{line}"))?;
        println!(
            "package: the packages are in {}",
            packaging.packages().display()
        );
        Ok(result)
    }
}

/// The profile of the packages in the root manifest.
const PROFILE: &str = "dist";
const MANIFEST: &str = "crates/lifecycle-cli/Cargo.toml";
const TEMPLATES: &str = "xtask/templates/package";

/// Returns the folder with the finished packages of all processors.
fn packages_folder(target_folder: &Path) -> PathBuf {
    target_folder.join("package/finished")
}

/// The inputs of one run.
#[derive(Debug)]
struct Packaging<'a> {
    root: &'a Path,
    target: Target,
    metadata: Metadata,
    target_folder: PathBuf,
    tools: Environment,
    /// The time of the last commit, in seconds since 1970: the time of all packaged files.
    epoch: String,
}

impl<'a> Packaging<'a> {
    fn new(root: &'a Path, target: Target) -> Result<Self, CouldNotRun> {
        let path = root.join(MANIFEST);
        let manifest = fs::read_to_string(&path).map_err(|error| unusable(&path, &error))?;
        let target_folder = target_folder()?;
        let epoch = match env::var("SOURCE_DATE_EPOCH") {
            Ok(epoch) => epoch,
            Err(_) => program::read_stdout("git", &["log", "-1", "--format=%ct"], root)?,
        };
        Ok(Self {
            root,
            target,
            metadata: Metadata::read(&manifest).map_err(CouldNotRun)?,
            tools: Environment::new(
                "package",
                &root.join(TEMPLATES),
                &["requirements.txt"],
                &target_folder.join("package"),
            ),
            target_folder,
            epoch: epoch.trim().to_owned(),
        })
    }

    fn steps(&self, check: bool) -> Vec<Step<'_>> {
        let mut steps = vec![
            Step::new("programs", move || Ok(find_programs(check))),
            Step::new("tools", || self.install_tools()),
            Step::new("build", || self.build(&self.packages())),
            Step::new("symbols", || self.check_symbols()),
            Step::new("texts", || self.write_texts()),
            Step::new("archive", || self.pack(Format::Archive, &self.packages())),
            Step::new("deb", || self.pack(Format::Deb, &self.packages())),
            Step::new("rpm", || self.pack(Format::Rpm, &self.packages())),
            Step::new("checksums", || self.write_checksums()),
        ];
        if check {
            steps.push(Step::new("repeat", || self.pack_again()));
            for kind in Installation::ALL {
                steps.push(Step::new(kind.label(), move || self.install(kind)));
            }
        }
        steps
    }

    fn install_tools(&self) -> Result<StepResult, CouldNotRun> {
        Ok(match self.tools.prepare()? {
            Preparation::Ready(_) => {
                renew_packages(&self.packages(), &self.names()?)?;
                let pinned = self.root.join(TEMPLATES).join("requirements.in");
                let text =
                    fs::read_to_string(&pinned).map_err(|error| unusable(&pinned, &error))?;
                let tools = text.lines().filter(|line| line.contains("=="));
                StepResult::Passed(tools.collect::<Vec<_>>().join(", "))
            }
            Preparation::Unavailable(reason) => return Err(CouldNotRun(reason)),
            Preparation::InvalidRequirements(reason) => StepResult::Failed(reason),
        })
    }

    /// Builds the command and packs the wheel into `folder`. maturin calls cargo with the linker of
    /// cargo-zigbuild, which maturin contains. Every other package has the program of the wheel.
    fn build(&self, folder: &Path) -> Result<StepResult, CouldNotRun> {
        let wheels = self.work().join("wheel");
        renew(&wheels)?;
        let glibc = GLIBC.to_string().replace('.', "_");
        let mut maturin = Command::new(self.tools.programs().join("maturin"));
        maturin
            .args(["build", "--locked", "--zig", "--profile", PROFILE])
            .args(["--target", &self.target.triple()])
            .args(["--compatibility", &format!("manylinux_{glibc}")])
            .args(["--manifest-path", MANIFEST])
            .arg("--out")
            .arg(&wheels)
            .current_dir(self.root)
            .envs(self.build_environment()?);
        let status = maturin
            .status()
            .map_err(|error| CouldNotRun(format!("maturin did not start: {error}")))?;
        if !status.success() {
            return Ok(StepResult::Failed(format!("maturin: {status}")));
        }
        let names = file_names(&wheels).map_err(|error| unusable(&wheels, &error))?;
        let (begin, end) = self.metadata.wheel(self.target);
        let [name] = names.as_slice() else {
            return Ok(StepResult::Failed(format!(
                "expected one wheel, found {names:?}"
            )));
        };
        if !name.starts_with(&begin) || !name.ends_with(&end) {
            return Ok(StepResult::Failed(format!(
                "expected a wheel {begin}…{end}, found {name}"
            )));
        }
        let package = folder.join(name);
        fs::copy(wheels.join(name), &package).map_err(|error| unusable(&package, &error))?;
        described(&package)
    }

    /// Takes the program out of the wheel.
    fn unpack_program(&self) -> Result<(), CouldNotRun> {
        let unpacked = self.work().join("unpacked");
        renew(&unpacked)?;
        let mut unzip = Command::new(self.tools.programs().join("python"));
        unzip
            .args(["-m", "zipfile", "-e"])
            .arg(self.packages().join(self.wheel()?))
            .arg(&unpacked);
        program::output(&mut unzip)?;
        let names = file_names(&unpacked).map_err(|error| unusable(&unpacked, &error))?;
        let data = names.iter().find(|name| name.ends_with(".data"));
        let data = data.ok_or_else(|| CouldNotRun("the wheel has no program".to_owned()))?;
        let inner = unpacked.join(data).join("scripts/lifecycle");
        let program = self.program();
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(&inner).arg(&program);
        program::output(&mut install).map(drop)
    }

    /// Returns the name of the finished wheel.
    fn wheel(&self) -> Result<String, CouldNotRun> {
        let (begin, end) = self.metadata.wheel(self.target);
        let is_wheel = |name: &String| name.starts_with(&begin) && name.ends_with(&end);
        let wheel = self.names()?.into_iter().find(is_wheel);
        wheel.ok_or_else(|| CouldNotRun("the wheel is missing".to_owned()))
    }

    /// Returns the variables of the build. Paths of this machine are replaced, so that two machines build
    /// the same program, and the tools are found before others.
    fn build_environment(&self) -> Result<BTreeMap<&'static str, String>, CouldNotRun> {
        let search = env::var_os("PATH").unwrap_or_default();
        let search = [self.tools.programs()]
            .into_iter()
            .chain(env::split_paths(&search));
        let search = env::join_paths(search)
            .map_err(|error| CouldNotRun(format!("PATH is not usable: {error}")))?;
        let remapped = [
            (cargo_home(), "/cargo"),
            (Some(self.root.to_owned()), "/lifecycle"),
        ];
        let flags: Vec<String> = remapped
            .into_iter()
            .filter_map(|(folder, name)| {
                Some(format!("--remap-path-prefix={}={name}", folder?.display()))
            })
            .collect();
        Ok(BTreeMap::from([
            ("CARGO_INCREMENTAL", "0".to_owned()),
            ("CARGO_TARGET_DIR", self.target_folder.display().to_string()),
            ("PATH", search.to_string_lossy().into_owned()),
            ("RUSTFLAGS", flags.join(" ")),
            ("SOURCE_DATE_EPOCH", self.epoch.clone()),
        ]))
    }

    fn check_symbols(&self) -> Result<StepResult, CouldNotRun> {
        self.unpack_program()?;
        let path = self.program();
        let program = fs::read(&path).map_err(|error| unusable(&path, &error))?;
        let imports = match Imports::read(&program) {
            Ok(imports) => imports,
            Err(reason) => return Ok(StepResult::Failed(reason)),
        };
        let home = cargo_home().unwrap_or_default();
        let leaked = leaked_folders(&program, &[self.root, &home]);
        let leaked = leaked
            .iter()
            .map(|path| format!("contains {}", path.display()));
        let findings: Vec<String> = imports
            .findings(self.target)
            .into_iter()
            .chain(leaked)
            .collect();
        let newest = imports
            .newest()
            .map_or("none".to_owned(), |it| it.to_string());
        Ok(if findings.is_empty() {
            StepResult::Passed(format!(
                "latest glibc {newest}, allowed {GLIBC}; {:.1} MB",
                program.len() as f64 / 1e6
            ))
        } else {
            StepResult::Failed(findings.join("; "))
        })
    }

    /// Lets the command write manual pages and completion scripts. A command for another processor does
    /// not run here, so this machine's own build of the same sources writes the same texts.
    fn write_texts(&self) -> Result<StepResult, CouldNotRun> {
        let program = if self.runs_here() {
            self.program()
        } else {
            let call = Cargo::new("build --quiet --locked --package")
                .arg(&self.metadata.name)
                .env("CARGO_TARGET_DIR", &self.target_folder);
            if call.run(self.root)? != crate::exit::CheckResult::Passed {
                return Ok(StepResult::Failed(format!("`{call}`")));
            }
            self.target_folder.join("debug/lifecycle")
        };
        let pages = self.work().join("pages");
        renew(&pages)?;
        program::output(Command::new(&program).args(["man", "--folder"]).arg(&pages))?;
        let completions = self.work().join("completions");
        renew(&completions)?;
        for shell in SHELLS {
            let text = program::output(Command::new(&program).args(["completions", shell]))?;
            let path = completions.join(shell);
            fs::write(&path, text).map_err(|error| unusable(&path, &error))?;
        }
        let pages = self.pages()?;
        Ok(StepResult::Passed(format!(
            "{} manual pages, completions of {}",
            pages.len(),
            SHELLS.join(", ")
        )))
    }

    fn pages(&self) -> Result<Vec<String>, CouldNotRun> {
        let folder = self.work().join("pages");
        file_names(&folder).map_err(|error| unusable(&folder, &error))
    }

    fn package_files(&self, format: Format) -> Result<Vec<files::PackagedFile>, CouldNotRun> {
        let sources = Sources {
            root: self.root,
            program: &self.program(),
            page_folder: self.work().join("pages"),
            pages: self.pages()?,
            completions: self.work().join("completions"),
        };
        Ok(files(format, &self.metadata.name, &sources))
    }

    /// Packs archive, Debian package or RPM package into `folder`.
    fn pack(&self, format: Format, folder: &Path) -> Result<StepResult, CouldNotRun> {
        let files = self.package_files(format)?;
        let (metadata, target, epoch) = (&self.metadata, self.target, &self.epoch);
        let staged = match format {
            Format::Archive => self.work().join(metadata.archive_folder(target)),
            Format::Deb => self.work().join("deb"),
            Format::Rpm => self.work().join("rpm"),
        };
        place(&files, &staged)?;
        let package = folder.join(self.name(format));
        match format {
            Format::Archive => self.pack_archive(&package)?,
            Format::Deb => {
                system::build_deb(metadata, target, &files, &staged, &package, epoch)?;
            }
            Format::Rpm => {
                system::build_rpm(metadata, target, &files, &staged, &package, epoch)?;
            }
        }
        described(&package)
    }

    fn name(&self, format: Format) -> String {
        match format {
            Format::Archive => self.metadata.archive(self.target),
            Format::Deb => self.metadata.deb(self.target),
            Format::Rpm => self.metadata.rpm(self.target),
        }
    }

    fn pack_archive(&self, package: &Path) -> Result<(), CouldNotRun> {
        let mut tar = Command::new("tar");
        tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .arg(format!("--mtime=@{}", self.epoch))
            .args(["--use-compress-program", "gzip -9 -n", "--create", "--file"])
            .arg(package)
            .arg(self.metadata.archive_folder(self.target))
            .current_dir(self.work());
        program::output(&mut tar).map(drop)
    }

    fn write_checksums(&self) -> Result<StepResult, CouldNotRun> {
        let mut sums = Command::new("sha256sum");
        sums.args(self.names()?).current_dir(self.packages());
        let text = program::output(&mut sums)?;
        let name = self.metadata.checksums(self.target);
        let path = self.packages().join(&name);
        fs::write(&path, &text).map_err(|error| unusable(&path, &error))?;
        Ok(StepResult::Passed(name))
    }

    /// Returns the names of the finished packages.
    fn names(&self) -> Result<Vec<String>, CouldNotRun> {
        let folder = self.packages();
        fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
        let found = file_names(&folder).map_err(|error| unusable(&folder, &error))?;
        let formats = [Format::Archive, Format::Deb, Format::Rpm];
        let (begin, end) = self.metadata.wheel(self.target);
        Ok(found
            .into_iter()
            .filter(|name| {
                formats.iter().any(|format| *name == self.name(*format))
                    || (name.starts_with(&begin) && name.ends_with(&end))
            })
            .collect())
    }

    /// Packs once more and compares each package with the first one.
    fn pack_again(&self) -> Result<StepResult, CouldNotRun> {
        let folder = self.work().join("again");
        renew(&folder)?;
        for format in [Format::Archive, Format::Deb, Format::Rpm] {
            self.pack(format, &folder)?;
        }
        if let StepResult::Failed(reason) = self.build(&folder)? {
            return Ok(StepResult::Failed(reason));
        }
        let names = self.names()?;
        let read = |path: PathBuf| fs::read(&path).map_err(|error| unusable(&path, &error));
        let mut different = Vec::new();
        for name in &names {
            if read(self.packages().join(name))? != read(folder.join(name))? {
                different.push(name.as_str());
            }
        }
        Ok(if different.is_empty() {
            StepResult::Passed(format!("{} packages have the same bytes", names.len()))
        } else {
            StepResult::Failed(format!("other bytes: {}", different.join(", ")))
        })
    }

    fn install(&self, kind: Installation) -> Result<StepResult, CouldNotRun> {
        let format = kind.format();
        let package = match format {
            Some(format) => self.name(format),
            None => self.wheel()?,
        };
        let expected = match format {
            Some(format) => self.package_files(format)?,
            None => Vec::new(),
        };
        let folder = self.work().join("installed").join(kind.label());
        renew(&folder)?;
        let program = kind.install(&self.packages().join(&package), &folder)?;
        let base = match format {
            Some(Format::Archive) => folder.join(self.metadata.archive_folder(self.target)),
            _ => folder,
        };
        let missing: Vec<String> = expected
            .iter()
            .map(files::PackagedFile::installed)
            .filter(|path| {
                fs::metadata(base.join(path)).is_ok_and(|it| it.len() == 0)
                    || !base.join(path).exists()
            })
            .collect();
        if !missing.is_empty() {
            return Ok(StepResult::Failed(format!("lacks {}", missing.join(", "))));
        }
        let read = |path: &Path| fs::read(path).map_err(|error| unusable(path, &error));
        if read(&program)? != read(&self.program())? {
            return Ok(StepResult::Failed(
                "has another program than the build".to_owned(),
            ));
        }
        if !self.runs_here() {
            return Ok(StepResult::Skipped(format!(
                "installed, but a program for {} does not run here",
                self.target.processor()
            )));
        }
        check::run_commands(&program, &self.metadata.version)
    }

    fn runs_here(&self) -> bool {
        Target::host() == Some(self.target)
    }

    /// Returns the path of the program in all packages.
    fn program(&self) -> PathBuf {
        self.work().join("lifecycle")
    }

    /// Returns the folder for files of this run.
    fn work(&self) -> PathBuf {
        self.target_folder
            .join("package")
            .join(self.target.processor())
    }

    fn packages(&self) -> PathBuf {
        packages_folder(&self.target_folder)
    }
}

/// Looks for the programs of the system, because the build before their use takes long.
fn find_programs(check: bool) -> StepResult {
    match system::missing_programs(check, &env::var_os("PATH").unwrap_or_default()) {
        None => StepResult::Passed("all programs are there".to_owned()),
        Some(missing) => StepResult::Failed(missing),
    }
}

/// Removes the packages of an earlier run for the same processor.
fn renew_packages(folder: &Path, names: &[String]) -> Result<(), CouldNotRun> {
    names.iter().try_for_each(|name| {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|error| unusable(&path, &error))
    })
}

/// Returns the folder of cargo with the sources of dependencies.
fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
}

/// Returns the names of the files in `folder`, sorted.
fn file_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Returns name and size of a package.
fn described(package: &Path) -> Result<StepResult, CouldNotRun> {
    let size = fs::metadata(package).map_err(|error| unusable(package, &error))?;
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    Ok(StepResult::Passed(format!(
        "{name}, {:.1} MB",
        size.len() as f64 / 1e6
    )))
}
