//! A description of the machine that runs the benchmarks.

use std::{env, fs, process::Command, thread};

/// Returns processors, compiler and load in one line, as far as the system reports them.
pub(crate) fn facts() -> String {
    let cores = thread::available_parallelism().map(|cores| format!("{cores} cores"));
    let model = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| read_model(&text));
    let load = fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| read_load(&text));
    let facts = [cores.ok(), model, compiler(), load];
    facts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn read_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    let (_, model) = line.split_once(':')?;
    Some(model.trim().to_owned())
}

/// A load above the benchmark's own work: something else disturbed the measurement.
fn read_load(loadavg: &str) -> Option<String> {
    let load = loadavg.split_whitespace().next()?;
    Some(format!("load {load}"))
}

/// Returns the compiler that cargo would use here.
fn compiler() -> Option<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    Some(version.trim().to_owned()).filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_load_are_read_from_their_files() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t: a\n";
        assert_eq!(read_model(cpuinfo).as_deref(), Some("Some CPU @ 3 GHz"));
        assert_eq!(read_model("processor : 0"), None);
        let load = read_load("1.25 0.5 0.1 1/99 4242\n");
        assert_eq!(load.as_deref(), Some("load 1.25"));
        assert_eq!(read_load(""), None);
    }
}
