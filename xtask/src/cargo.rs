//! Runs cargo commands.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::exit::{CheckResult, CommandResult, CouldNotRun};

/// One call of cargo, which prints as a line for a shell.
#[derive(Clone, Debug)]
pub(crate) struct Cargo {
    args: Vec<String>,
    envs: Vec<(&'static str, OsString)>,
}

impl Cargo {
    /// Creates a call with the arguments of `line`, which are separated by blanks.
    pub(crate) fn new(line: &str) -> Self {
        Self {
            args: line.split_whitespace().map(str::to_owned).collect(),
            envs: Vec::new(),
        }
    }

    /// Creates the test command of the README.
    pub(crate) fn workspace_tests() -> Self {
        Self::new("test --workspace --all-features")
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.envs.push((name, value.into()));
        self
    }

    /// Runs cargo in `root` and prints the output.
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let status = self
            .command(root)
            .status()
            .map_err(|error| self.not_started(&error))?;
        Ok(CheckResult::passed_if(status.success()))
    }

    /// Runs cargo in `root` and returns the standard output; errors and progress are printed.
    pub(crate) fn read_stdout(&self, root: &Path) -> Result<(CheckResult, String), CouldNotRun> {
        let output = self
            .command(root)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.not_started(&error))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((CheckResult::passed_if(output.status.success()), text))
    }

    /// Runs cargo in `root` and returns the whole output with the errors.
    pub(crate) fn read_all(&self, root: &Path) -> Result<(CheckResult, String), CouldNotRun> {
        let output = self
            .command(root)
            .output()
            .map_err(|error| self.not_started(&error))?;
        let text = [output.stdout, output.stderr]
            .map(|stream| String::from_utf8_lossy(&stream).into_owned())
            .concat();
        Ok((CheckResult::passed_if(output.status.success()), text))
    }

    fn command(&self, root: &Path) -> Command {
        // Cargo sets `CARGO` for the programs that cargo starts: the same toolchain is used again.
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(root)
            .stdin(Stdio::null())
            .args(&self.args);
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        command
    }

    fn not_started(&self, error: &std::io::Error) -> CouldNotRun {
        CouldNotRun(format!("`{self}` did not start: {error}"))
    }
}

impl fmt::Display for Cargo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.envs {
            write!(f, "{name}={} ", quoted(&value.to_string_lossy()))?;
        }
        f.write_str("cargo")?;
        self.args
            .iter()
            .try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// Returns the root of the workspace of this program.
///
/// Cargo sets the variable on every start. A path from the time of compilation would be wrong in a
/// second clone with a shared target folder.
pub(crate) fn workspace_root() -> Result<PathBuf, CouldNotRun> {
    let manifest_folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    manifest_folder
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_owned)
        .ok_or_else(|| {
            CouldNotRun(
                "the workspace is unknown; start this program with `cargo xtask`".to_owned(),
            )
        })
}

/// Returns the target folder of this program, whose path is `<target>/<profile>/xtask`.
pub(crate) fn target_folder() -> Result<PathBuf, CouldNotRun> {
    let program = env::current_exe()
        .map_err(|error| CouldNotRun(format!("this program has no path: {error}")))?;
    program
        .ancestors()
        .nth(2)
        .map(Path::to_owned)
        .ok_or_else(|| CouldNotRun(format!("{} is not in a target folder", program.display())))
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_prints_as_a_shell_line() {
        let call = Cargo::new("doc --no-deps")
            .arg("two words")
            .env("RUSTDOCFLAGS", "-D warnings");

        assert_eq!(
            call.to_string(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'two words'"
        );
    }

    #[test]
    fn exit_status_and_output_are_returned() {
        let root = Path::new(".");

        let (result, text) = Cargo::new("--version")
            .read_stdout(root)
            .expect("cargo runs this test");
        assert_eq!(result, CheckResult::Passed);
        assert!(text.starts_with("cargo "), "{text}");

        let unknown = Cargo::new("no-such-command-of-cargo")
            .run(root)
            .expect("cargo runs this test");
        assert_eq!(unknown, CheckResult::Failed);

        let (result, text) = Cargo::new("no-such-command-of-cargo")
            .read_all(root)
            .expect("cargo runs this test");
        assert_eq!(result, CheckResult::Failed);
        assert!(text.contains("no such command"), "{text}");
    }

    #[test]
    fn call_in_a_missing_folder_could_not_run() {
        let outcome = Cargo::new("--version").run(Path::new("no/such/folder"));

        assert!(matches!(outcome, Err(CouldNotRun(reason)) if reason.contains("cargo --version")));
    }
}
