//! CPU time and memory of this process, from `/proc`. Linux only: every function returns an error
//! elsewhere.

use std::{fs, io, time::Duration};

/// Returns the CPU time of this process in user and kernel mode, at a resolution of 10 ms.
///
/// # Errors
/// Fails without a readable `/proc/self/stat`.
pub fn cpu_time() -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    read_cpu_time(&stat).ok_or_else(|| unexpected_format("/proc/self/stat"))
}

/// Returns the resident memory of this process, now and at the peak.
///
/// # Errors
/// Fails without a readable `/proc/self/status`.
pub fn memory() -> io::Result<Memory> {
    let status = fs::read_to_string("/proc/self/status")?;
    read_memory(&status).ok_or_else(|| unexpected_format("/proc/self/status"))
}

/// Resident memory in MiB, rounded to two decimal places.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Memory {
    /// Current value.
    pub rss_mib: f64,
    /// Highest value so far.
    pub peak_rss_mib: f64,
}

/// Reads `utime` and `stime`, fields 14 and 15 of `proc_pid_stat(5)`. Field 2 is the program's name
/// in parentheses, which may contain parentheses and blanks, so counting starts after the closing
/// parenthesis.
fn read_cpu_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11); // fields 3 to 13
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(TICK * u32::try_from(user + system).ok()?)
}

/// Linux shows times to programs in hundredths of a second on every machine (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

fn read_memory(status: &str) -> Option<Memory> {
    let mib = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some((kib / 1024.0 * 100.0).round() / 100.0)
    };
    Some(Memory {
        rss_mib: mib("VmRSS:")?,
        peak_rss_mib: mib("VmHWM:")?,
    })
}

fn unexpected_format(file: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{file} has an unexpected format"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_after_a_program_name_with_parentheses() {
        let stat = "42 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1 0 99 1000 200\n";
        assert_eq!(read_cpu_time(stat), Some(Duration::from_millis(1750)));
        assert_eq!(read_cpu_time("42 (a) R 1 2"), None);
        assert_eq!(read_cpu_time(""), None);
    }

    #[test]
    fn memory_is_read_in_mebibytes() {
        let status =
            "Name:\tbench\nVmPeak:\t  99999 kB\nVmHWM:\t   12288 kB\nVmRSS:\t    1536 kB\n";
        assert_eq!(
            read_memory(status),
            Some(Memory {
                rss_mib: 1.5,
                peak_rss_mib: 12.0
            })
        );
        assert_eq!(read_memory("VmRSS:\t1 kB\n"), None);
        assert_eq!(read_memory("VmRSS:\tmuch\nVmHWM:\tmore\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory() {
        let memory = memory().unwrap();
        assert!(memory.rss_mib > 0.0 && memory.peak_rss_mib >= memory.rss_mib);
        assert!(cpu_time().is_ok());
    }
}
