//! Helpers of the tests of the command: runs of the binary, and servers with simulated clouds.

#[cfg(unix)]
use std::sync::{Arc, Once};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

/// Returns the variables of all four clouds, with one key and one project.
pub(crate) fn keys(id: &str, secret: &str, project: &str) -> Vec<(&'static str, String)> {
    let mut variables = vec![("HW_PROJECT_ID", project.to_owned())];
    for (id_name, secret_name) in [
        ("BCE_ACCESS_KEY_ID", "BCE_SECRET_ACCESS_KEY"),
        (
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ),
        ("ZENLAYER_ACCESS_KEY_ID", "ZENLAYER_ACCESS_KEY_SECRET"),
        ("HW_ACCESS_KEY", "HW_SECRET_KEY"),
    ] {
        variables.push((id_name, id.to_owned()));
        variables.push((secret_name, secret.to_owned()));
    }
    variables
}

/// The exit code and the output of a run.
#[derive(Debug)]
pub(crate) struct RunResult {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl RunResult {
    /// Parses standard output as one JSON array.
    pub(crate) fn rows(&self) -> Vec<Value> {
        match serde_json::from_str(&self.stdout) {
            Ok(Value::Array(rows)) => rows,
            other => panic!("not an array: {other:?}: {self:#?}"),
        }
    }

    /// Returns one field of every row.
    pub(crate) fn column(&self, field: &str) -> Vec<Value> {
        let rows = self.rows();
        rows.iter().map(|row| row[field].clone()).collect()
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts that the only output is one line on standard error with `expected`.
    #[track_caller]
    pub(crate) fn has_only_error(self, expected: &str) -> Self {
        assert_eq!(self.stdout, "", "{self:#?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:#?}");
        assert!(self.stderr.contains(expected), "{self:#?}");
        self
    }
}

/// Runs the command in an empty environment.
pub(crate) fn run(args: &[&str]) -> RunResult {
    run_with(args, &[], "")
}

/// Runs the command with environment variables and standard input.
pub(crate) fn run_with(args: &[&str], variables: &[(&str, String)], stdin: &str) -> RunResult {
    run_within(60, args, variables, stdin)
}

/// Runs the command as [`run_with`] does, and kills the process after `seconds` with exit code -1.
pub(crate) fn run_within(
    seconds: u64,
    args: &[&str],
    variables: &[(&str, String)],
    stdin: &str,
) -> RunResult {
    let output = assert_cmd::cargo::cargo_bin_cmd!("lifecycle")
        .args(args)
        .env_clear()
        // Files in the home directory of the user must not affect the tests.
        .env("HOME", "/nonexistent")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .write_stdin(stdin)
        .timeout(Duration::from_secs(seconds))
        .output()
        .unwrap();
    RunResult {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Starts the command without waiting for its end.
pub(crate) fn spawn(args: &[&str], variables: &[(&str, String)]) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("lifecycle"));
    spawn_with(command.args(args), variables)
}

/// Starts a command with these variables only, and with piped output.
fn spawn_with(command: &mut Command, variables: &[(&str, String)]) -> Child {
    #[cfg(unix)]
    stop_ignoring_signals();
    command
        .env_clear()
        .env("HOME", "/nonexistent")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Handles the signals that this process may ignore since its start, as jobs in the background and under `nohup` do. A
/// started process inherits an ignored signal, and not a handled one.
#[cfg(unix)]
fn stop_ignoring_signals() {
    use signal_hook::{
        consts::{SIGHUP, SIGINT},
        flag::{register, register_conditional_default},
    };
    static HANDLED: Once = Once::new();
    HANDLED.call_once(|| {
        register(SIGHUP, Arc::default()).unwrap();
        // Ctrl-C still ends the tests.
        register_conditional_default(SIGINT, Arc::new(true.into())).unwrap();
    });
}

/// Starts the command with an ignored signal, as `nohup` does.
#[cfg(unix)]
pub(crate) fn spawn_ignoring(name: &str, args: &[&str], variables: &[(&str, String)]) -> Child {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("trap '' {name}; exec \"$0\" \"$@\"")])
        .arg(assert_cmd::cargo::cargo_bin!("lifecycle"));
    spawn_with(command.args(args), variables)
}

/// Waits for the end of a process. The code of a process that a signal ended is 128 plus the number of
/// the signal, as in a shell.
pub(crate) fn wait_for_end(child: Child) -> RunResult {
    let output = child.wait_with_output().unwrap();
    #[cfg(unix)]
    let by_signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    #[cfg(not(unix))]
    let by_signal: Option<i32> = None;
    let code = output.status.code();
    RunResult {
        code: by_signal.map_or(code.unwrap_or(-1), |number| 128 + number),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success(), "the process is gone");
}

/// Reports a program that a test cannot start, so that the checks with this program are left out. The line passes by
/// the test harness, which hides the output of passed tests: a silent omission would look like a check.
#[cfg(unix)]
pub(crate) fn report_skipped(program: &str, error: &std::io::Error) {
    use std::io::Write as _;

    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("skipped: {test}: checks with {program}: {error}\n");
    // A closed standard error is no failure of the test.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Runs the command on a pseudo-terminal; `None`, with a line on standard error, if this machine has no
/// `script`.
#[cfg(target_os = "linux")]
pub(crate) fn on_terminal(args: &str, answer: &str) -> Option<(bool, String)> {
    use std::io::Write as _;

    let binary = assert_cmd::cargo::cargo_bin!("lifecycle");
    // Without a terminal of its own, `script` creates one without columns.
    let command = format!("stty cols 200 rows 50; exec {} {args}", binary.display());
    let mut child = Command::new("/usr/bin/script")
        .args(["-qec", &command, "/dev/null"])
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .inspect_err(|error| report_skipped("script", error))
        .ok()?;
    // The answer must not arrive before the question, and the terminal must stay open.
    std::thread::sleep(Duration::from_secs(4));
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(answer.as_bytes()).unwrap();
    stdin.flush().unwrap();
    let output = child.wait_with_output().unwrap();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    ))
}

/// A `lifecycle simulate` process for one test.
pub(crate) struct SimulatorServer {
    child: Child,
    info: Value,
}

impl SimulatorServer {
    /// Starts the process and reads the first line of its output.
    pub(crate) fn with(args: &[&str]) -> Self {
        let args = [&["simulate", "--listen", "127.0.0.1:0"], args].concat();
        let mut child = spawn(&args, &[]);
        let stdout = child.stdout.as_mut().unwrap();
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        Self {
            info: serde_json::from_str(&line).unwrap(),
            child,
        }
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.info[name].as_str().unwrap()
    }

    /// Returns the references of all instances.
    pub(crate) fn instances(&self) -> Vec<&str> {
        let instances = self.info["instances"].as_array().unwrap();
        instances.iter().map(|one| one.as_str().unwrap()).collect()
    }

    /// Returns the variables with the key of the simulated clouds.
    pub(crate) fn keys(&self) -> Vec<(&'static str, String)> {
        keys(
            self.field("access_key"),
            self.field("secret_key"),
            self.field("project_id"),
        )
    }

    /// Runs the command with the endpoint and the key of the simulated clouds.
    pub(crate) fn run(&self, args: &[&str]) -> RunResult {
        run_with(&self.args(args), &self.keys(), "")
    }

    /// Starts the command with the endpoint and the key of the simulated clouds.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        spawn(&self.args(args), &self.keys())
    }

    /// Ends the process by a signal and returns the exit code.
    #[cfg(unix)]
    pub(crate) fn stop_with(mut self, name: &str) -> Option<i32> {
        signal(&self.child, name);
        self.child.wait().unwrap().code()
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--endpoint", self.field("url")]].concat()
    }
}

impl Drop for SimulatorServer {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
