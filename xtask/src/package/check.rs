//! Installation of each package into a folder of its own, and commands that the installed program runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::files::{Format, unusable};
use crate::{exit::CouldNotRun, program, python::PYTHON, step::StepResult};

/// A way to install the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Installation {
    Tar,
    Dpkg,
    Rpm,
    Pip,
}

impl Installation {
    pub(super) const ALL: [Self; 4] = [Self::Tar, Self::Dpkg, Self::Rpm, Self::Pip];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm2cpio",
            Self::Pip => "pip",
        }
    }

    /// Returns the format of the package; `None` for a wheel.
    pub(super) fn format(self) -> Option<Format> {
        match self {
            Self::Tar => Some(Format::Archive),
            Self::Dpkg => Some(Format::Deb),
            Self::Rpm => Some(Format::Rpm),
            Self::Pip => None,
        }
    }

    /// Installs `package` into the empty `folder` and returns the path of the program.
    pub(super) fn install(self, package: &Path, folder: &Path) -> Result<PathBuf, CouldNotRun> {
        match self {
            Self::Tar => {
                let mut tar = Command::new("tar");
                tar.arg("-xzf").arg(package).arg("-C").arg(folder);
                program::output(&mut tar)?;
                let name = package.file_name().unwrap_or_default().to_string_lossy();
                let inner = name.trim_end_matches(".tar.gz");
                Ok(folder.join(inner).join("lifecycle"))
            }
            Self::Dpkg => {
                // An empty system: neither its packages nor a shell are there, so the script runs outside
                // and works on the folder that dpkg names.
                let database = folder.join("var/lib/dpkg");
                fs::create_dir_all(database.join("info"))
                    .and_then(|()| fs::create_dir_all(database.join("updates")))
                    .and_then(|()| fs::write(database.join("status"), ""))
                    .and_then(|()| fs::create_dir_all(folder.join("etc")))
                    .map_err(|error| unusable(&database, &error))?;
                let mut dpkg = Command::new("dpkg");
                dpkg.arg(format!("--root={}", folder.display()))
                    .args(["--force-depends", "--force-script-chrootless"])
                    .args(["--force-architecture", "--force-not-root", "--install"])
                    .arg(package);
                program::output(&mut dpkg)?;
                check_user(folder)?;
                Ok(folder.join("usr/bin/lifecycle"))
            }
            Self::Rpm => {
                let script = "rpm2cpio \"$1\" | cpio --extract --make-directories --quiet";
                let mut shell = Command::new("sh");
                shell
                    .args(["-c", script, "sh"])
                    .arg(package)
                    .current_dir(folder);
                program::output(&mut shell)?;
                Ok(folder.join("usr/bin/lifecycle"))
            }
            Self::Pip => {
                let venv = folder.join("venv");
                program::output(Command::new(PYTHON).args(["-m", "venv"]).arg(&venv))?;
                let mut pip = Command::new(venv.join("bin/python"));
                pip.args(["-m", "pip", "install", "--quiet", "--no-index"])
                    .arg("--disable-pip-version-check")
                    .arg(package);
                program::output(&mut pip)?;
                Ok(venv.join("bin/lifecycle"))
            }
        }
    }
}

/// Checks that the script of the package has created the user of the units. The script does nothing on a
/// machine without `systemd-sysusers`.
fn check_user(folder: &Path) -> Result<(), CouldNotRun> {
    let users = folder.join("etc/passwd");
    match fs::read_to_string(&users) {
        Ok(text) if text.lines().any(|line| line.starts_with("lifecycle:")) => Ok(()),
        Ok(_) => Err(CouldNotRun(
            "the package created no user lifecycle".to_owned(),
        )),
        Err(_)
            if Command::new("systemd-sysusers")
                .arg("--version")
                .output()
                .is_err() =>
        {
            Ok(())
        }
        Err(error) => Err(unusable(&users, &error)),
    }
}

/// Runs the installed program: version, help, a list and a start in simulated clouds.
pub(super) fn run_commands(program: &Path, version: &str) -> Result<StepResult, CouldNotRun> {
    let run = |line: &str| program::output(Command::new(program).args(line.split(' ')));
    let printed = run("--version")?;
    if printed.trim() != format!("lifecycle {version}") {
        return Ok(StepResult::Failed(format!(
            "--version printed {printed:?}, but the manifest has {version}"
        )));
    }
    let listed = run("list baidu/bj --state stopped --sim --output ids")?;
    let Some(instance) = listed.lines().find(|line| line.starts_with("baidu/bj/")) else {
        return Ok(StepResult::Failed(format!(
            "no stopped instance in {listed:?}"
        )));
    };
    let started = run(&format!("start {instance} --sim --output jsonl"))?;
    Ok(if started.contains("\"outcome\":\"reached\"") {
        StepResult::Passed(format!("lifecycle {version} listed and started instances"))
    } else {
        StepResult::Failed(format!("the start of {instance} printed {started}"))
    })
}
