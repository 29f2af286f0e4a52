//! Probes: runs of this program in a process of their own, because a process keeps freed memory.

use std::{env, process::Command};

use lifecycle_bench::BenchResult;
use serde::{Serialize, de::DeserializeOwned};

/// Runs this program again with `args`, the command line of a probe, and returns the figures that the probe prints.
pub(crate) fn run<T: DeserializeOwned>(args: &[&str]) -> BenchResult<T> {
    let output = Command::new(env::current_exe()?).args(args).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Prints the figures of a probe, for [`run`] in the parent process.
pub(crate) fn print<T: Serialize>(figures: &T) -> BenchResult<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
