//! Tests of the files under `docs/deploy`: their syntax, and the command lines in them.

use std::{fs, path::PathBuf, process::Command};

use crate::support::run;

/// Returns the folder `docs/deploy`.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/deploy"))
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// Returns the names of the files with one of the endings.
fn names(endings: &[&str]) -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let has_ending = |name: &String| endings.iter().any(|ending| name.ends_with(ending));
    let mut names: Vec<String> = names.filter(has_ending).collect();
    names.sort();
    assert!(!names.is_empty(), "no file with {endings:?}");
    names
}

/// Panics if the command line is not valid. The help is printed for valid arguments before `--help` only.
fn check_arguments(arguments: &[&str]) {
    let help = run(&[arguments, &["--help"]].concat()).exits_with(0);
    assert!(help.stdout.contains("Usage: lifecycle"), "{help:?}");
    for option in arguments
        .iter()
        .filter(|argument| argument.starts_with("--"))
    {
        assert!(help.stdout.contains(option), "{option}: {help:?}");
    }
}

#[test]
fn units_start_valid_command_lines() {
    for name in names(&[".service"]) {
        let unit = read(&name);
        let start = unit
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="));
        let words: Vec<&str> = start.unwrap().split(' ').collect();
        assert_eq!(words[0], "/usr/bin/lifecycle", "{name}");
        check_arguments(&words[1..]);
    }
}

#[test]
fn units_have_the_syntax_of_systemd() {
    // Without systemd on this machine: sections and settings only.
    let units = names(&[".service", ".timer"]);
    for name in &units {
        let unit = read(name);
        let lines = unit
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut has_section = false;
        for line in lines {
            match line.strip_prefix('[') {
                Some(section) => has_section = section.ends_with(']'),
                None => assert!(has_section && line.contains('='), "{name}: {line}"),
            }
        }
    }
    let available = Command::new("systemd-analyze").arg("--version").output();
    if available.is_err() {
        return;
    }
    // The program of the unit is not installed here.
    let copies = tempfile::tempdir().unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("lifecycle")
        .display()
        .to_string();
    for name in &units {
        let unit = read(name).replace("/usr/bin/lifecycle", &binary);
        fs::write(copies.path().join(name), unit).unwrap();
    }
    for name in &units {
        let output = Command::new("systemd-analyze")
            .arg("verify")
            .arg(copies.path().join(name))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        let own = text.lines().find(|line| line.contains("lifecycle-"));
        assert_eq!(own, None, "{text}");
    }
}

#[test]
fn cron_job_starts_a_valid_command_line() {
    let manifest = read("lifecycle-cronjob.yaml");
    assert!(!manifest.contains('\t'));
    let mut lines = manifest
        .lines()
        .skip_while(|line| line.trim() != "args:")
        .skip(1);
    let mut arguments = Vec::new();
    while let Some(argument) = lines.next().and_then(|line| line.trim().strip_prefix("- ")) {
        arguments.push(argument);
    }
    assert_eq!(arguments[0], "apply");
    check_arguments(&arguments);
}

#[test]
fn cron_job_is_yaml_with_the_fields_of_kubernetes() {
    let script = "import sys, yaml\n\
        job = yaml.safe_load(open(sys.argv[1]))\n\
        assert job['apiVersion'] == 'batch/v1' and job['kind'] == 'CronJob'\n\
        spec = job['spec']\n\
        assert spec['schedule'] == '*/5 * * * *' and spec['concurrencyPolicy'] == 'Forbid'\n\
        pod = spec['jobTemplate']['spec']['template']['spec']\n\
        assert pod['restartPolicy'] == 'Never'\n\
        mounts = {mount['name'] for mount in pod['containers'][0]['volumeMounts']}\n\
        assert mounts == {volume['name'] for volume in pod['volumes']}\n";
    let has_parser = Command::new("python3").args(["-c", "import yaml"]).output();
    if !has_parser.is_ok_and(|output| output.status.success()) {
        return;
    }
    let checked = Command::new("python3")
        .args(["-c", script])
        .arg(folder().join("lifecycle-cronjob.yaml"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
}
