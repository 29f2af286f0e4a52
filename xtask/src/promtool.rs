//! `cargo xtask ci`: promtool of Prometheus, for the test of the alert rules.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    apt,
    cargo::target_folder,
    exit::{CheckResult, CommandResult, CouldNotRun},
    program,
};

/// The variable that makes the test with promtool mandatory.
pub(crate) const REQUIRE: &str = "LIFECYCLE_REQUIRE_PROMTOOL";
/// The package of Debian with promtool.
const PACKAGE: &str = "prometheus";

/// Puts promtool into the target folder if promtool is missing. The package is unpacked and not installed: an
/// installation would start Prometheus.
pub(crate) fn install(_: &Path) -> CommandResult {
    let folder = target_folder()?.join("promtool");
    if let Some(found) = find(&folder) {
        println!("promtool: {}", found.display());
        return Ok(CheckResult::Passed);
    }
    let unusable = |error| CouldNotRun(format!("{} is not usable: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(unusable)?;
    if apt::run("promtool", &["download", "--quiet", PACKAGE], &folder)? != CheckResult::Passed {
        return Ok(CheckResult::Failed);
    }
    let mut package = None;
    for entry in fs::read_dir(&folder).map_err(unusable)? {
        let path = entry.map_err(unusable)?.path();
        if path.extension().is_some_and(|end| end == "deb") {
            package = Some(path);
        }
    }
    let package =
        package.ok_or_else(|| CouldNotRun(format!("apt-get left no {PACKAGE} package")))?;
    let script =
        "dpkg-deb --fsys-tarfile \"$1\" | tar --extract --strip-components=3 ./usr/bin/promtool";
    let mut unpack = Command::new("sh");
    unpack.args(["-c", script, "sh"]).arg(&package);
    program::output(unpack.current_dir(&folder))?;
    fs::remove_file(&package).map_err(unusable)?;
    Ok(CheckResult::passed_if(find(&folder).is_some()))
}

/// Looks where the test looks: on `PATH` and in `target/promtool`.
fn find(folder: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([folder.to_owned()]);
    let mut programs = folders.map(|folder| folder.join("promtool"));
    programs.find(|program| program.is_file())
}
