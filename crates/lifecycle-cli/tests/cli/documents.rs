//! Tests that the documents show the command as the command is: every terminal session is real output,
//! and every other command line is accepted.
//!
//! Run with `LIFECYCLE_WRITE=1` to write the output of the sessions.
//!
//! A session is a block `console`. Each line that begins with `$ ` is run by a shell, in a folder of the
//! document and with an empty home. The rest of the block is the output. Numbers in a block
//! `console varying` may differ from run to run. A block below a comment `<!-- file: NAME -->` is a file of
//! that folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const FENCE: &str = "```";

#[test]
fn sessions_of_the_documents_are_real_output() {
    let documents = documents();
    // Sessions wait for simulated instances, so the documents do not wait for each other.
    let runs: Vec<Run> = thread::scope(|scope| {
        let runs: Vec<_> = documents
            .iter()
            .map(|path| scope.spawn(move || Run::of(path)))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let is_repository = Path::new(ROOT).join("docs").exists();
    let sessions: usize = runs.iter().map(|run| run.sessions).sum();
    assert!(sessions >= 20 || !is_repository, "{sessions} sessions");
    for run in runs {
        if std::env::var_os("LIFECYCLE_WRITE").is_some() {
            fs::write(&run.path, &run.text).unwrap();
        } else {
            let path = run.path.display();
            for [written, real] in run.changed {
                assert_eq!(
                    written, real,
                    "{path}: run this test with LIFECYCLE_WRITE=1"
                );
            }
        }
    }
}

#[test]
fn command_lines_of_the_documents_are_accepted() {
    let mut count = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for block in blocks(&text).filter(|block| block.language() == "sh") {
            for arguments in block.lines.iter().flat_map(|line| arguments(line)) {
                // `--help` ends the command after the check of the arguments before.
                let line = format!("lifecycle {arguments} --help");
                let output = shell(&line, folder.path());
                let errors = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(
                    output.status.success(),
                    "{}: {line}: {errors}",
                    path.display()
                );
                count += 1;
            }
        }
    }
    assert!(count >= 10, "{count} command lines");
}

/// Returns the Markdown files with sessions or command lines. A packaged crate has only its own file.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/guide/src", "crates/lifecycle-cli"];
    let folders = folders.map(|folder| Path::new(ROOT).join(folder));
    let folders = folders
        .into_iter()
        .chain([PathBuf::from(env!("CARGO_MANIFEST_DIR"))]);
    let files = folders
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let paths = files.map(|entry| fs::canonicalize(entry.unwrap().path()).unwrap());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// A document after its sessions were run.
struct Run {
    path: PathBuf,
    /// The sessions with other output: as written, and as run.
    changed: Vec<[String; 2]>,
    /// The document with the real output. Output that differs only in numbers that may differ stays as
    /// written.
    text: String,
    sessions: usize,
}

impl Run {
    fn of(path: &Path) -> Self {
        let written = fs::read_to_string(path).unwrap();
        let mut text = written.clone();
        let mut changed = Vec::new();
        let mut sessions = 0;
        let folder = tempfile::tempdir().unwrap();
        for block in blocks(&written) {
            if let Some(name) = block.file {
                fs::write(folder.path().join(name), block.text()).unwrap();
            }
            if block.language() != "console" {
                continue;
            }
            sessions += 1;
            let real = session(&block, folder.path());
            if block.comparable(&real) != block.comparable(&block.text()) {
                text = text.replacen(&block.text(), &real, 1);
                changed.push([block.text(), real]);
            }
        }
        Self {
            path: path.to_owned(),
            changed,
            text,
            sessions,
        }
    }
}

/// Returns a session with the real output of its command lines.
fn session(block: &Block<'_>, folder: &Path) -> String {
    let mut session = String::new();
    for line in &block.lines {
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        let output = shell(&format!("({command}) 2>&1"), folder);
        let output = String::from_utf8(output.stdout).unwrap();
        // A terminal has progress bars instead of these lines.
        let output = output.lines().filter(|line| !line.starts_with("after "));
        session.push_str(&format!("{line}\n"));
        session.extend(output.flat_map(|line| [line.trim_end(), "\n"]));
    }
    session
}

/// Runs a command line in a folder, with the tested binary in the path.
fn shell(line: &str, folder: &Path) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_lifecycle"));
    let programs = binary.parent().unwrap().display();
    Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{programs}:/usr/bin:/bin"))
        .env("HOME", folder.join("home"))
        .output()
        .unwrap()
}

/// A fenced block of a document.
struct Block<'t> {
    info: &'t str,
    /// The name in the comment above the block.
    file: Option<&'t str>,
    lines: Vec<&'t str>,
}

impl Block<'_> {
    fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or_default()
    }

    fn has(&self, word: &str) -> bool {
        self.info.split_whitespace().any(|other| other == word)
    }

    fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [*line, "\n"]).collect()
    }

    /// Returns a text without the seconds of simulated time, which depend on the load of the machine,
    /// and in a block `varying` without any number.
    fn comparable(&self, text: &str) -> String {
        if self.has("varying") {
            let text = text.replace(|letter: char| letter.is_ascii_digit(), "");
            let words = text.split_whitespace();
            return words.collect::<Vec<_>>().join(" ");
        }
        let words = text.split(' ').map(|word| match word.parse::<f64>() {
            Ok(_) if word.contains('.') => "-",
            _ => word,
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Returns the fenced blocks of a Markdown text.
fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let mut above = "";
        loop {
            let line = lines.next()?;
            if let Some(info) = line.strip_prefix(FENCE) {
                let lines = lines.by_ref().take_while(|line| *line != FENCE).collect();
                let file = above.strip_prefix("<!-- file: ");
                let file = file.and_then(|rest| rest.strip_suffix(" -->"));
                return Some(Block { info, file, lines });
            }
            above = line;
        }
    })
}

/// Returns the arguments of each `lifecycle` in a command line, without redirections.
fn arguments(line: &str) -> impl Iterator<Item = &str> {
    let line = line.split(" #").next().unwrap_or_default();
    let commands = line.split([';', '|', '&']).map(str::trim);
    let arguments = commands.filter_map(|command| command.strip_prefix("lifecycle "));
    arguments.filter_map(|arguments| arguments.split(['<', '>']).next())
}
