//! Python virtual environments with fixed packages: the vendors' SDKs, and the tools that build packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::exit::CouldNotRun;

/// A virtual environment below the target folder. A change of Python or of one of the requirements
/// files leads to a new environment.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The command of xtask that uses the environment.
    user: &'static str,
    /// The requirements files in the order of installation.
    requirements: Vec<PathBuf>,
    folder: PathBuf,
}

/// The result of preparing the environment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Preparation {
    /// The path of the environment's Python.
    Ready(PathBuf),
    /// The reason why the environment cannot be created on this machine now.
    Unavailable(String),
    /// The error in the requirements: a package does not have the required hash.
    InvalidRequirements(String),
}

/// The oldest version that the requirements support.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

impl Environment {
    /// Creates an environment in `folder` with the packages of the files `names` in `scripts`.
    pub(crate) fn new(user: &'static str, scripts: &Path, names: &[&str], folder: &Path) -> Self {
        Self {
            user,
            requirements: names.iter().map(|name| scripts.join(name)).collect(),
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn prepare(&self) -> Result<Preparation, CouldNotRun> {
        let version = match python_version() {
            Ok(version) => version,
            Err(reason) => return Ok(Preparation::Unavailable(reason)),
        };
        let fingerprint = self.fingerprint(&version)?;
        if is_current(&self.fingerprint_path(), &fingerprint) {
            return Ok(Preparation::Ready(self.python()));
        }
        println!(
            "{}: creating a virtual environment in {}; please wait",
            self.user,
            self.venv().display()
        );
        if let Err(error) = self.create() {
            return Ok(error.preparation());
        }
        write(&self.fingerprint_path(), &fingerprint)?;
        Ok(Preparation::Ready(self.python()))
    }

    /// Returns all inputs of the environment: the version of Python and the requirements.
    fn fingerprint(&self, version: &str) -> Result<String, CouldNotRun> {
        let mut fingerprint = format!("python {version}\n");
        for path in &self.requirements {
            let text = fs::read_to_string(path).map_err(|error| {
                CouldNotRun(format!("{} is not readable: {error}", path.display()))
            })?;
            fingerprint.push_str(&text);
        }
        Ok(fingerprint)
    }

    fn create(&self) -> Result<(), StepError> {
        run(Command::new(PYTHON)
            .args(["-m", "venv", "--clear"])
            .arg(self.venv()))?;
        self.requirements
            .iter()
            .try_for_each(|file| run(&mut self.pip(file)))
    }

    /// Returns the call of pip for one file. Source packages are built by the tools of an earlier file,
    /// which have fixed versions, too.
    fn pip(&self, file: &Path) -> Command {
        let mut pip = Command::new(self.python());
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--no-build-isolation", "--require-hashes", "--requirement"])
        .arg(file);
        pip
    }

    fn venv(&self) -> PathBuf {
        self.folder.join("venv")
    }

    fn fingerprint_path(&self) -> PathBuf {
        self.venv().join("made-from.txt")
    }

    fn python(&self) -> PathBuf {
        self.programs().join(if cfg!(windows) {
            "python.exe"
        } else {
            "python"
        })
    }

    /// Returns the folder with the programs of the environment.
    pub(crate) fn programs(&self) -> PathBuf {
        self.venv()
            .join(if cfg!(windows) { "Scripts" } else { "bin" })
    }
}

pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Returns the version of Python, or the reason why Python is missing or too old.
fn python_version() -> Result<String, String> {
    let print_version = "import platform; print(platform.python_version())";
    let output = Command::new(PYTHON)
        .args(["-c", print_version])
        .output()
        .map_err(|error| format!("{PYTHON} did not start: {error}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if is_new_enough(&version) {
        Ok(version)
    } else {
        let (major, minor) = OLDEST_PYTHON;
        Err(format!(
            "{PYTHON} has version {version:?}, but {major}.{minor} is required"
        ))
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST_PYTHON,
        _ => false,
    }
}

/// Reports whether the environment is complete and has the same inputs.
fn is_current(path: &Path, fingerprint: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|written| written == fingerprint)
}

/// A failed step of creating the environment.
#[derive(Debug)]
struct StepError {
    step: String,
    output: String,
}

impl StepError {
    /// Classifies the error: a wrong hash is a failure; other errors come from the machine.
    fn preparation(&self) -> Preparation {
        let reason = format!("`{}` failed: {}", self.step, self.error_line());
        let hash_errors = ["DO NOT MATCH THE HASHES", "Hashes are required"];
        if hash_errors.iter().any(|words| self.output.contains(words)) {
            Preparation::InvalidRequirements(reason)
        } else {
            Preparation::Unavailable(reason)
        }
    }

    /// Returns the last error line of pip, or the last line.
    fn error_line(&self) -> &str {
        let lines = || self.output.lines().rev().map(str::trim);
        lines()
            .find(|line| line.starts_with("ERROR:"))
            .or_else(|| lines().find(|line| !line.is_empty()))
            .unwrap_or("no output")
    }
}

fn run(command: &mut Command) -> Result<(), StepError> {
    let step = short_command(command);
    let output = match command.output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => [output.stdout, output.stderr].concat(),
        Err(error) => error.to_string().into_bytes(),
    };
    Err(StepError {
        step,
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

/// Returns the arguments of a command without the folders of programs and files.
fn short_command(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let names: Vec<_> = words
        .filter_map(|word| Path::new(word).file_name())
        .map(|name| name.to_string_lossy())
        .collect();
    names.join(" ")
}

fn write(path: &Path, text: &str) -> Result<(), CouldNotRun> {
    fs::write(path, text)
        .map_err(|error| CouldNotRun(format!("{} is not writable: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::{env, process};

    use super::*;

    const FILES: [&str; 2] = ["requirements-build.txt", "requirements.txt"];

    fn environment(folder: &Path) -> Environment {
        Environment::new("interop", folder, &FILES, folder)
    }

    fn prepared(output: &str) -> Preparation {
        let step = "python -m pip install".to_owned();
        let output = output.to_owned();
        StepError { step, output }.preparation()
    }

    #[test]
    fn error_of_the_network_makes_the_environment_unavailable() {
        let output = "WARNING: Retrying\n\
                      ERROR: No matching distribution found for six==1.17.0\n\
                      \n\
                      [notice] A new release of pip is available\n";
        assert_eq!(
            prepared(output),
            Preparation::Unavailable(
                "`python -m pip install` failed: ERROR: No matching distribution found for six==1.17.0"
                    .to_owned()
            )
        );
        let reason = "`python -m pip install` failed: No module named venv";
        assert_eq!(
            prepared("No module named venv\n"),
            Preparation::Unavailable(reason.to_owned())
        );
    }

    #[test]
    fn package_with_another_hash_is_a_failure() {
        for output in [
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "ERROR: Hashes are required in --require-hashes mode, but they are missing",
        ] {
            assert!(
                matches!(prepared(output), Preparation::InvalidRequirements(_)),
                "{output}"
            );
        }
    }

    #[test]
    fn old_and_invalid_versions_of_python_are_refused() {
        for (version, good) in [
            ("3.11.7", true),
            ("3.12.0rc1", true),
            ("4.0.0", true),
            ("3.9.2", false),
            ("2.7.18", false),
            ("", false),
            ("three", false),
        ] {
            assert_eq!(is_new_enough(version), good, "{version}");
        }
    }

    #[test]
    fn environment_is_used_until_an_input_changes() {
        let folder = env::temp_dir().join(format!("xtask-interop-{}", process::id()));
        let environment = environment(&folder);
        fs::create_dir_all(environment.venv()).expect("a temporary folder");
        for file in FILES {
            write(&folder.join(file), "six==1.17.0\n").expect("a temporary file");
        }
        let fingerprint = environment
            .fingerprint("3.11.7")
            .expect("both files are there");
        assert!(!is_current(&environment.fingerprint_path(), &fingerprint));

        write(&environment.fingerprint_path(), &fingerprint).expect("a temporary file");
        assert!(is_current(&environment.fingerprint_path(), &fingerprint));
        assert_ne!(environment.fingerprint("3.12.0").as_ref(), Ok(&fingerprint));

        write(&folder.join(FILES[1]), "six==1.16.0\n").expect("a temporary file");
        let changed = environment
            .fingerprint("3.11.7")
            .expect("both files are there");
        assert!(!is_current(&environment.fingerprint_path(), &changed));
        fs::remove_dir_all(&folder).expect("the temporary folder");
    }

    #[test]
    fn packages_are_installed_with_hashes() {
        let environment = environment(Path::new("folder"));

        let line = short_command(&environment.pip(Path::new("scripts/requirements.txt")));

        assert!(
            line.contains("--require-hashes --requirement requirements.txt"),
            "{line}"
        );
        assert!(!line.contains("index"), "{line}");
    }

    #[test]
    fn failed_step_has_its_output() {
        let cargo = env::var_os("CARGO").expect("cargo runs this test");

        let error = run(Command::new(&cargo).arg("no-such-command-of-cargo"))
            .expect_err("cargo has no such command");
        assert!(
            error.step.ends_with("no-such-command-of-cargo"),
            "{error:?}"
        );
        assert!(error.output.contains("no such command"), "{error:?}");

        assert!(run(Command::new(&cargo).arg("--version")).is_ok());
        assert!(run(&mut Command::new("no-such-program")).is_err());
    }
}
