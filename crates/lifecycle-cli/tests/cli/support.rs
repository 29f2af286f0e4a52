//! Running the binary, and reading what it says.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

/// The variables of all four clouds, with one key and one project.
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

/// What became of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as the array that `--output json` promises, and nothing else.
    pub(crate) fn rows(&self) -> Vec<Value> {
        match serde_json::from_str(&self.stdout) {
            Ok(Value::Array(rows)) => rows,
            other => panic!("no array but {other:?}: {self:#?}"),
        }
    }

    /// One field of every row.
    pub(crate) fn column(&self, field: &str) -> Vec<Value> {
        let rows = self.rows();
        rows.iter().map(|row| row[field].clone()).collect()
    }

    /// Asserts the exit code, and shows everything when it is another.
    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts that the only words are one line on standard error.
    #[track_caller]
    pub(crate) fn says_only(self, expected: &str) -> Self {
        assert_eq!(self.stdout, "", "{self:#?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:#?}");
        assert!(self.stderr.contains(expected), "{self:#?}");
        self
    }
}

/// Runs the command in an empty environment.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, &[], "")
}

/// Runs the command with these variables, and this on standard input.
pub(crate) fn run_with(args: &[&str], variables: &[(&str, String)], stdin: &str) -> Ran {
    run_within(60, args, variables, stdin)
}

/// Like [`run_with`], and kills it after so many seconds. The exit code is -1 then.
pub(crate) fn run_within(
    seconds: u64,
    args: &[&str],
    variables: &[(&str, String)],
    stdin: &str,
) -> Ran {
    let output = assert_cmd::cargo::cargo_bin_cmd!("lifecycle")
        .args(args)
        .env_clear()
        // No file of whoever runs the tests.
        .env("HOME", "/nonexistent")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .write_stdin(stdin)
        .timeout(Duration::from_secs(seconds))
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Begins a run whose streams can be read while it goes on.
pub(crate) fn begin(args: &[&str], variables: &[(&str, String)]) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("lifecycle"))
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the end of a run that was begun.
pub(crate) fn end(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a signal to a run that was begun.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success(), "the process is gone");
}

/// A `lifecycle simulate` of this test alone.
pub(crate) struct Served {
    child: Child,
    introduction: Value,
}

impl Served {
    /// Starts one and reads its first line.
    pub(crate) fn with(args: &[&str]) -> Self {
        let args = [&["simulate", "--listen", "127.0.0.1:0"], args].concat();
        let mut child = begin(&args, &[]);
        let stdout = child.stdout.as_mut().unwrap();
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        Self {
            introduction: serde_json::from_str(&line).unwrap(),
            child,
        }
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.introduction[name].as_str().unwrap()
    }

    /// The references of all its instances.
    pub(crate) fn instances(&self) -> Vec<&str> {
        let instances = self.introduction["instances"].as_array().unwrap();
        instances.iter().map(|one| one.as_str().unwrap()).collect()
    }

    /// The variables with its key.
    pub(crate) fn keys(&self) -> Vec<(&'static str, String)> {
        keys(
            self.field("access_key"),
            self.field("secret_key"),
            self.field("project_id"),
        )
    }

    /// Runs the command against it, with its key.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run_with(&self.args(args), &self.keys(), "")
    }

    /// Begins a run against it, with its key.
    pub(crate) fn begin(&self, args: &[&str]) -> Child {
        begin(&self.args(args), &self.keys())
    }

    /// Ends it by a signal and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn end_by(mut self, name: &str) -> Option<i32> {
        signal(&self.child, name);
        self.child.wait().unwrap().code()
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--endpoint", self.field("url")]].concat()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
