//! Tests of `--journal`, `resume` and `history`.

use std::{fs, io::Write as _, path::PathBuf};

use tempfile::TempDir;

use crate::support::{SimulatorServer, run, wait_for_end};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn server() -> SimulatorServer {
    SimulatorServer::with(&["--fleet", "baidu/bj=3,baidu/bj=2:running", "--speed", "100"])
}

#[test]
fn recorded_request_is_reported_again_and_has_a_history() {
    let (folder, server) = (Folder::new(), server());
    let journal = folder.file("journal");
    let instances = server.instances();
    let args = [
        &["start"],
        &instances[..3],
        &["--journal", &journal, "--output", "json"],
    ]
    .concat();
    let first = server.run(&args).exits_with(0);
    let resumed = server
        .run(&["resume", &journal, "--output", "json"])
        .exits_with(0);
    assert_eq!(resumed.stdout, first.stdout, "the same report");
    let history = run(&["history", &journal, "--output", "json"]).exits_with(0);
    assert_eq!(history.rows().len(), 3);
    for (field, value) in [
        ("kind", "call"),
        ("why", "lifecycle start"),
        ("action", "start"),
        ("answer", "accepted"),
        ("outcome", "reached"),
    ] {
        assert!(
            history.column(field).iter().all(|cell| cell == value),
            "{field}: {history:#?}"
        );
    }
    assert!(
        history.column("request_id").iter().all(|id| !id.is_null()),
        "{history:#?}"
    );
    let one = run(&["history", &journal, instances[1], "--output", "jsonl"]).exits_with(0);
    assert_eq!(one.stdout.lines().count(), 1);
    let none = run(&["history", &journal, "--since", "2100-01-01"]).exits_with(0);
    assert!(none.stderr.contains("no entry matches"), "{none:#?}");
    let table = run(&["history", &journal]).exits_with(0);
    assert!(table.stdout.contains("reached"), "{table:#?}");
}

#[test]
fn finished_journal_accepts_the_next_request_and_an_unfinished_one_refuses_it() {
    let (folder, server) = (Folder::new(), server());
    let journal = folder.file("journal");
    let instances = server.instances();
    server
        .run(&["start", instances[0], "--journal", &journal])
        .exits_with(0);
    server
        .run(&["stop", instances[0], "--journal", &journal])
        .exits_with(0);
    // The last lines are the outcome and the end: without them the request is not finished.
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines
        .iter()
        .rposition(|line| line.contains("\"record\":\"answer\""))
        .unwrap();
    fs::write(&journal, lines[..=kept].join("\n") + "\n").unwrap();
    let refused = server
        .run(&["start", instances[1], "--journal", &journal])
        .exits_with(3);
    assert!(refused.stderr.contains("nothing was sent"), "{refused:#?}");
    assert!(
        refused
            .stderr
            .contains(&format!("lifecycle resume {journal}")),
        "{refused:#?}"
    );
    let resumed = server
        .run(&["resume", &journal, "--output", "json"])
        .exits_with(0);
    assert_eq!(resumed.column("outcome"), ["reached"]);
    server
        .run(&["start", instances[1], "--journal", &journal])
        .exits_with(0);
}

#[test]
fn instances_that_were_never_sent_are_left_alone_by_a_report_and_sent_by_a_resume() {
    let (folder, server) = (Folder::new(), server());
    let journal = folder.file("journal");
    let instances = server.instances();
    let args = [&["start"], &instances[..3], &["--journal", &journal]].concat();
    server.run(&args).exits_with(0);
    server
        .run(&["stop", "--timeout", "20s", instances[0]])
        .exits_with(0);
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines
        .iter()
        .position(|line| line.contains("\"record\":\"request\""))
        .unwrap();
    fs::write(&journal, lines[..=kept].join("\n") + "\n").unwrap();
    let report = server.run(&["resume", &journal, "--report-only", "--output", "json"]);
    let report = report.exits_with(1);
    assert_eq!(report.column("outcome"), ["skipped"; 3]);
    let resumed = server
        .run(&["resume", &journal, "--output", "json"])
        .exits_with(0);
    assert_eq!(
        resumed.column("outcome"),
        ["reached", "unchanged", "unchanged"]
    );
}

#[test]
fn second_process_on_a_journal_ends_with_3_and_names_the_holder() {
    let (folder, server) = (Folder::new(), server());
    let journal = folder.file("journal");
    let instances = server.instances();
    // The pause keeps the first process busy.
    let waves = ["--waves", "1", "--wave-pause", "10m", "--journal", &journal];
    let stop = ["stop", instances[0], instances[4]];
    let mut first = server.spawn(&[&stop[..], &waves].concat());
    while fs::read_to_string(&journal).is_ok_and(|text| !text.contains("intent"))
        || !folder.path("journal").exists()
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = server
        .run(&["start", instances[1], "--journal", &journal])
        .exits_with(3);
    let holder = format!("in use by process {} on ", first.id());
    let second = second.has_only_error(&holder);
    assert!(second.stderr.contains(" since "), "{second:#?}");
    server
        .run(&["resume", &journal])
        .exits_with(3)
        .has_only_error(&holder);
    // History needs no lock.
    run(&["history", &journal]).exits_with(0);
    first.kill().unwrap();
    wait_for_end(first);
    let report = server
        .run(&["resume", &journal, "--report-only", "--output", "json"])
        .exits_with(1);
    assert_eq!(report.column("outcome")[1], "skipped");
}

#[cfg(unix)]
#[test]
fn interrupted_request_names_the_command_that_finishes_it() {
    let (folder, server) = (Folder::new(), server());
    let journal = folder.file("journal");
    let running = server.instances()[4];
    let stop = server.spawn(&["stop", running, "--journal", &journal]);
    while !fs::read_to_string(&journal).is_ok_and(|text| text.contains("answer")) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    crate::support::signal(&stop, "INT");
    let interrupted = wait_for_end(stop).exits_with(130);
    let command = format!("finish the request with: lifecycle resume {journal}");
    assert!(interrupted.stderr.contains(&command), "{interrupted:#?}");
    let resumed = server
        .run(&["resume", &journal, "--output", "json"])
        .exits_with(0);
    assert_eq!(resumed.column("outcome"), ["reached"]);
}

#[test]
fn unusable_journal_sends_nothing_and_stays_as_it_is() {
    let (folder, server) = (Folder::new(), server());
    let instances = server.instances();
    let journal = folder.file("journal");
    server
        .run(&["start", instances[0], "--journal", &journal])
        .exits_with(0);
    let good = fs::read(&journal).unwrap();
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for (content, problem) in [
        (b"my notes\n".to_vec(), "is not a journal of lifecycle"),
        (damaged, "the checksum does not fit"),
    ] {
        fs::write(&journal, &content).unwrap();
        let refused = server.run(&["start", instances[1], "--journal", &journal]);
        refused.exits_with(3).has_only_error(problem);
        server
            .run(&["resume", &journal])
            .exits_with(3)
            .has_only_error(problem);
        assert_eq!(fs::read(&journal).unwrap(), content);
    }
    // A torn tail is removed, and the command says so.
    fs::write(&journal, &good).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(b"0123456789abcdef {\"rec").unwrap();
    let resumed = server.run(&["resume", &journal]).exits_with(0);
    assert!(
        resumed
            .stderr
            .contains("an incomplete record at the end was removed"),
        "{resumed:#?}"
    );
    let missing = folder.file("missing");
    run(&["resume", &missing])
        .exits_with(2)
        .has_only_error("does not exist");
    assert!(!folder.path("missing").exists());
    run(&["history", &missing])
        .exits_with(3)
        .has_only_error("cannot open");
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_sends_nothing() {
    let server = server();
    let instances = server.instances();
    // The kernel accepts no byte for this file.
    let refused = server
        .run(&["start", instances[0], "--journal", "/dev/full"])
        .exits_with(3);
    assert!(
        refused.stderr.contains("/dev/full is not a journal"),
        "{refused:#?}"
    );
}
