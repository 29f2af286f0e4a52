//! Tests of the completion scripts, the candidates and the manual pages, with the shells and tools that
//! this machine has.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::{report_skipped, run};

const CONFIG: &str = "\
[accounts.prod]
cloud = \"aliyun\"
region = \"cn-shanghai\"

[groups]
web = [\"prod@aliyun/cn-shanghai/i-web1\", \"baidu/bj/i-web2\"]
";

/// Runs a program with the binary in the search path; `None`, with a line on standard error, if this machine has no
/// such program.
fn tool(name: &str, args: &[&str], config: &Path) -> Option<Output> {
    let binary = assert_cmd::cargo::cargo_bin!("lifecycle");
    let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
    let output = Command::new(name)
        .args(args)
        .env_clear()
        .env("PATH", path)
        .env("HOME", "/nonexistent")
        .env("LANG", "C.UTF-8")
        .env("LIFECYCLE_CONFIG", config)
        .stdin(Stdio::null())
        .output();
    output.inspect_err(|error| report_skipped(name, error)).ok()
}

/// Returns the candidates in bash for a command line with the cursor at its end.
fn candidates(line: &str, config: &Path) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let script = format!(
        "source <(lifecycle completions bash) || exit 1
         COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9
         _clap_complete_lifecycle lifecycle \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.iter().map(|word| format!("'{word}' ")).collect::<String>(),
        words.len() - 1,
    );
    let output = tool("bash", &["-c", &script], config).expect("bash");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.stderr.is_empty(),
        "{line}: {stdout} {:?}",
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
        .lines()
        .map(str::to_owned)
        .filter(|line| !line.is_empty())
        .collect()
}

fn has_bash() -> bool {
    tool("bash", &["-c", "true"], Path::new("")).is_some()
}

#[test]
fn bash_completes_commands_options_groups_accounts_and_columns() {
    if !has_bash() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lifecycle.toml");
    fs::write(&config, CONFIG).unwrap();
    for (line, expected) in [
        ("lifecycle sto", &["stop", "store"][..]),
        ("lifecycle stop --forc", &["--force", "--force-after"]),
        ("lifecycle stop we", &["web"]),
        (
            "lifecycle stop prod",
            &["prod@aliyun/cn-shanghai/", "prod@aliyun/cn-shanghai/i-web1"],
        ),
        ("lifecycle status baidu/", &["baidu/bj/", "baidu/bj/i-web2"]),
        ("lifecycle list pr", &["prod", "prod@aliyun/cn-shanghai"]),
        ("lifecycle list huawei/", &["huawei/cn-north-4"]),
        (
            "lifecycle list --columns name,sta",
            &["name,state", "name,started_at"],
        ),
        ("lifecycle list --output js", &["json", "jsonl"]),
        ("lifecycle wait web --for run", &["running"]),
    ] {
        let mut found = candidates(line, &config);
        let mut expected = expected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn candidates_need_no_valid_configuration_file() {
    if !has_bash() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lifecycle.toml");
    fs::write(&config, "not = [toml").unwrap();
    assert_eq!(
        candidates("lifecycle list zen", &config),
        ["zenlayer/global"]
    );
    assert_eq!(
        candidates("lifecycle list zen", Path::new("/nonexistent")),
        ["zenlayer/global"]
    );
}

#[test]
fn file_of_the_typed_option_has_the_candidates() {
    if !has_bash() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("other.toml");
    fs::write(&config, CONFIG).unwrap();
    let line = format!("lifecycle stop --config {} we", config.display());
    assert_eq!(candidates(&line, Path::new("")), ["web"]);
}

#[test]
fn script_of_each_shell_is_valid_and_starts_the_command() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, program) in [
        ("bash", "bash"),
        ("zsh", "zsh"),
        ("fish", "fish"),
        ("powershell", "pwsh"),
    ] {
        let script = run(&["completions", shell]).exits_with(0).stdout;
        assert!(script.contains("LIFECYCLE_COMPLETE"), "{script}");
        assert!(!script.contains("target/"), "the path of a build: {script}");
        let path = folder.path().join(shell);
        fs::write(&path, &script).unwrap();
        let path = path.to_str().unwrap();
        let checked = match program {
            "pwsh" => tool(program, &["-NoProfile", "-File", path], Path::new("")),
            _ => tool(program, &["-n", path], Path::new("")),
        };
        if let Some(output) = checked {
            assert!(output.status.success(), "{program}: {output:?}");
        }
    }
    run(&["completions", "tcsh"]).exits_with(2);
}

#[test]
fn manual_page_of_each_command_is_valid_roff() {
    let folder = tempfile::tempdir().unwrap();
    for (command, expected) in [
        (None, "credentials"),
        (Some("stop"), "force"),
        (Some("list"), "columns"),
    ] {
        let args: Vec<&str> = ["man"].into_iter().chain(command).collect();
        let page = run(&args).exits_with(0).stdout;
        for part in [
            ".TH",
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH OPTIONS",
            "Exit codes",
            expected,
        ] {
            assert!(page.contains(part), "{command:?} {part}: {page}");
        }
        let path = folder.path().join("page.1");
        fs::write(&path, &page).unwrap();
        let path = path.to_str().unwrap();
        // All warnings, as text of 80 columns.
        if let Some(output) = tool("groff", &["-man", "-Tutf8", "-ww", path], Path::new("")) {
            assert!(output.status.success(), "{output:?}");
            let warnings = String::from_utf8_lossy(&output.stderr);
            assert_eq!(warnings, "", "{command:?}");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("lifecycle"), "{text}");
        }
        if let Some(output) = tool("lexgrog", &[path], Path::new("")) {
            assert!(output.status.success(), "{command:?}: {output:?}");
        }
    }
    run(&["man", "stp"])
        .exits_with(2)
        .has_only_error("unknown command \"stp\": did you mean \"stop\"?");
}
