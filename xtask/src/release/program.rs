//! Programs beside cargo: git knows the tags, tar unpacks.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::exit::CouldNotRun;

/// Runs `program` in `folder` and takes its standard output. A failure of the program is an error.
pub(super) fn read(program: &str, args: &[&str], folder: &Path) -> Result<String, CouldNotRun> {
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
    fn a_program_that_fails_or_is_missing_could_not_run() {
        let here = Path::new(".");

        assert!(read("git", &["--version"], here).is_ok_and(|text| text.starts_with("git ")));
        for (program, args) in [("git", "no-such-command-of-git"), ("no-such-program", "x")] {
            let CouldNotRun(reason) = read(program, &[args], here).expect_err("it cannot run");
            assert!(
                reason.starts_with(&format!("`{program} {args}`")),
                "{reason}"
            );
        }
    }
}
