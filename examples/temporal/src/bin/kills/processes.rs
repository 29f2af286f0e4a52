//! The processes that are killed: the Temporal server and the workers.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context;

/// A program that can be killed and started again with the same arguments.
pub(crate) struct Program {
    path: PathBuf,
    args: Vec<String>,
    variables: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Program {
    pub(crate) fn new(path: &Path, args: &[&str], log: PathBuf) -> Self {
        Self {
            path: path.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            variables: Vec::new(),
            log,
            child: None,
        }
    }

    /// Sets the variables of the process. No other variables are passed on, except `PATH`.
    pub(crate) fn variables(mut self, variables: &[(&str, String)]) -> Self {
        let variables = variables.iter();
        self.variables = variables
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        self
    }

    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().append(true).create(true).open(&self.log)?;
        let child = Command::new(&self.path)
            .args(&self.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.log.parent().unwrap_or(Path::new(".")))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} did not start", self.path.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Kills the process, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The process may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts the process again if the process has ended by itself. A worker that starts before its server ends.
    pub(crate) fn keep_alive(&mut self) -> anyhow::Result<()> {
        let ended = match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => false,
        };
        match ended {
            true => self.start(),
            false => Ok(()),
        }
    }

    /// Returns the last lines of the output.
    pub(crate) fn last_lines(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(15)..];
        format!("{}:\n{}\n", self.log.display(), last.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns a free port of the loopback interface.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
