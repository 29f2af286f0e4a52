//! Runs other programs: git for tags, tar for packages.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::exit::CouldNotRun;

/// Runs `program` in `folder` and returns the standard output. A failure of the program is an error.
pub(super) fn read_stdout(
    program: &str,
    args: &[&str],
    folder: &Path,
) -> Result<String, CouldNotRun> {
    let line = || format!("`{program} {}`", args.join(" "));
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| CouldNotRun(format!("{} did not start: {error}", line())))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(CouldNotRun(format!("{} failed: {reason}", line())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_or_missing_program_could_not_run() {
        let here = Path::new(".");

        assert!(
            read_stdout("git", &["--version"], here).is_ok_and(|text| text.starts_with("git "))
        );
        for (program, args) in [("git", "no-such-command-of-git"), ("no-such-program", "x")] {
            let CouldNotRun(reason) =
                read_stdout(program, &[args], here).expect_err("it cannot run");
            assert!(
                reason.starts_with(&format!("`{program} {args}`")),
                "{reason}"
            );
        }
    }
}
