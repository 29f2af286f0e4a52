//! Starting cargo: the one thing that most commands do.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::exit::{CouldNotRun, Verdict};

/// One call of cargo. It prints as a line that can be pasted into a shell.
#[derive(Clone, Debug)]
pub(crate) struct Cargo {
    args: Vec<String>,
    envs: Vec<(&'static str, OsString)>,
}

impl Cargo {
    /// A call with the words of `line`, which are separated by blanks.
    pub(crate) fn new(line: &str) -> Self {
        Self {
            args: line.split_whitespace().map(str::to_owned).collect(),
            envs: Vec::new(),
        }
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.envs.push((name, value.into()));
        self
    }

    /// Runs it in `root` and lets its output through.
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        let status = self
            .command(root)
            .status()
            .map_err(|error| self.not_started(&error))?;
        Ok(Verdict::passed_if(status.success()))
    }

    /// Runs it in `root` and takes its standard output; errors and progress are let through.
    pub(crate) fn read(&self, root: &Path) -> Result<(Verdict, String), CouldNotRun> {
        let output = self
            .command(root)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.not_started(&error))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((Verdict::passed_if(output.status.success()), text))
    }

    /// Runs it in `root` and takes all that it says, errors included.
    pub(crate) fn ask(&self, root: &Path) -> Result<(Verdict, String), CouldNotRun> {
        let output = self
            .command(root)
            .output()
            .map_err(|error| self.not_started(&error))?;
        let text = [output.stdout, output.stderr]
            .map(|stream| String::from_utf8_lossy(&stream).into_owned())
            .concat();
        Ok((Verdict::passed_if(output.status.success()), text))
    }

    fn command(&self, root: &Path) -> Command {
        // Cargo names itself to what it starts: the same toolchain then does the work.
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

/// The root of the workspace that this program belongs to.
///
/// Cargo tells it on every start. A path fixed at compile time would be wrong in a second clone
/// with a shared target folder.
pub(crate) fn workspace_root() -> Result<PathBuf, CouldNotRun> {
    let manifest_folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    manifest_folder
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_owned)
        .ok_or_else(|| {
            CouldNotRun(
                "start it as `cargo xtask`, which tells it where the workspace is".to_owned(),
            )
        })
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
    fn a_call_prints_as_a_shell_line() {
        let call = Cargo::new("doc --no-deps")
            .arg("two words")
            .env("RUSTDOCFLAGS", "-D warnings");

        assert_eq!(
            call.to_string(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'two words'"
        );
    }

    #[test]
    fn the_exit_status_and_the_output_come_back() {
        let root = Path::new(".");

        let (verdict, text) = Cargo::new("--version")
            .read(root)
            .expect("cargo runs this test");
        assert_eq!(verdict, Verdict::Passed);
        assert!(text.starts_with("cargo "), "{text}");

        let unknown = Cargo::new("no-such-command-of-cargo")
            .run(root)
            .expect("cargo runs this test");
        assert_eq!(unknown, Verdict::Failed);

        let (verdict, text) = Cargo::new("no-such-command-of-cargo")
            .ask(root)
            .expect("cargo runs this test");
        assert_eq!(verdict, Verdict::Failed);
        assert!(text.contains("no such command"), "{text}");
    }

    #[test]
    fn a_missing_folder_is_could_not_run() {
        let outcome = Cargo::new("--version").run(Path::new("no/such/folder"));

        assert!(matches!(outcome, Err(CouldNotRun(reason)) if reason.contains("cargo --version")));
    }
}
