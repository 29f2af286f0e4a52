//! Tests that the terminal sessions in the README of the repository are the real output of the command.
//!
//! Run with `LIFECYCLE_WRITE=1` to write the sessions.

use std::{fs, process::Command};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
const BEGIN: &str = "<!-- sessions: written by the test `readme` of lifecycle-cli -->\n";
const END: &str = "<!-- end of sessions -->";

/// The command lines of the sessions, without the name of the command.
const SESSIONS: [&str; 4] = [
    "list 'aliyun/*' --sim",
    "list 'aliyun/*' --tag env=dev --columns name,state,zone,ip,tag:env --sim",
    "start 'aliyun/*' --name 'ci-*' --dry-run --sim",
    "reboot 'aliyun/*' --name 'web-*' --waves 1 --sim",
];

#[test]
fn sessions_of_the_readme_are_real_output() {
    let readme = fs::read_to_string(README).unwrap();
    let (head, rest) = readme.split_once(BEGIN).unwrap();
    let (written, tail) = rest.split_once(END).unwrap();
    let sessions: String = SESSIONS.iter().map(|args| session(args)).collect();
    if std::env::var_os("LIFECYCLE_WRITE").is_some() {
        let readme = format!("{head}{BEGIN}{sessions}{END}{tail}");
        fs::write(README, readme).unwrap();
    } else {
        let expected = without_durations(&sessions);
        assert_eq!(
            without_durations(written),
            expected,
            "run this test with LIFECYCLE_WRITE=1"
        );
    }
}

/// Returns a command line with the output of the command, as on a terminal.
fn session(args: &str) -> String {
    let binary = env!("CARGO_BIN_EXE_lifecycle");
    let output = Command::new("sh")
        .args(["-c", &format!("{binary} {args} 2>&1")])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // A terminal has progress bars instead of these lines.
    let lines = text.lines().filter(|line| !line.starts_with("after "));
    let lines: String = lines.flat_map(|line| [line.trim_end(), "\n"]).collect();
    format!("```console\n$ lifecycle {args}\n{lines}```\n\n")
}

/// Removes the seconds of simulated time, which depend on the load of the machine.
fn without_durations(text: &str) -> String {
    let words = text.split(' ');
    let words = words.map(|word| match word.parse::<f64>() {
        Ok(_) if word.contains('.') => "-",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}
