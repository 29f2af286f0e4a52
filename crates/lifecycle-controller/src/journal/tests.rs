//! Tests of the journal file: reopening, the lock, failing writes and rotation.

use std::{fs, io, time::Duration};

use lifecycle_facade::SystemClock;

use super::{lock::LockedFile, *};
use crate::record::{ActionRecord, Intent, IntentInstance, OperationId, Request};

fn moment() -> Timestamp {
    "2026-11-20T18:00:00Z".parse().unwrap()
}

fn request(operation: &str, instances: &[&str]) -> Record {
    Record::Request(Request {
        operation: OperationId(operation.to_owned()),
        at: moment(),
        by: "ops@bastion".to_owned(),
        why: "test".to_owned(),
        action: ActionRecord::Reboot { forced: false },
        options: crate::record::RequestOptionsRecord::default(),
        waves: None,
        selected_by: None,
        left_alone: Vec::new(),
        instances: instances.iter().map(|name| (*name).to_owned()).collect(),
    })
}

fn intent(operation: &str, call: u64, instance: &str) -> Record {
    Record::Intent(Intent {
        operation: OperationId(operation.to_owned()),
        call,
        at: moment(),
        action: ActionRecord::Reboot { forced: false },
        resent: false,
        instances: vec![IntentInstance {
            instance: instance.to_owned(),
            before: None,
        }],
    })
}

/// A clock that tests set.
#[derive(Debug)]
struct SetClock(Mutex<Timestamp>);

impl Clock for SetClock {
    fn now(&self) -> std::time::SystemTime {
        (*lock(&self.0)).into()
    }
}

#[tokio::test]
async fn reopened_journal_has_the_state_of_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).await.unwrap();
    journal
        .append(vec![request("a", &["i-1", "i-2"])])
        .await
        .unwrap();
    journal.append(vec![intent("a", 1, "i-1")]).await.unwrap();
    drop(journal);
    let journal = Journal::open(&path).await.unwrap();
    assert_eq!(journal.removed_bytes(), 0);
    let state = journal.state().await.unwrap();
    let operation = state.unfinished().next().unwrap();
    assert_eq!(
        operation.progress("i-1").phase,
        crate::state::SendPhase::Sent
    );
    assert_eq!(
        operation.progress("i-2").phase,
        crate::state::SendPhase::NotSent
    );
    assert_eq!(operation.calls, 1);
}

#[tokio::test]
async fn second_reboot_of_an_instance_in_an_operation_is_refused_also_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).await.unwrap();
    journal
        .append(vec![request("a", &["i-1"]), intent("a", 1, "i-1")])
        .await
        .unwrap();
    for _ in 0..2 {
        let journal_size = fs::metadata(&path).unwrap().len();
        let error = journal
            .append(vec![intent("a", 2, "i-1")])
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
        assert_eq!(fs::metadata(&path).unwrap().len(), journal_size);
    }
    drop(journal);
    let journal = Journal::open(&path).await.unwrap();
    let error = journal
        .append(vec![intent("a", 2, "i-1")])
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    // Another operation may reboot the same instance.
    journal
        .append(vec![request("b", &["i-1"]), intent("b", 1, "i-1")])
        .await
        .unwrap();
}

#[tokio::test]
async fn torn_tail_is_removed_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).await.unwrap();
    journal.append(vec![request("a", &["i-1"])]).await.unwrap();
    drop(journal);
    let mut bytes = fs::read(&path).unwrap();
    let valid = bytes.len();
    bytes.extend(b"0123456789abcdef {\"record\":\"int");
    fs::write(&path, &bytes).unwrap();
    let journal = Journal::open(&path).await.unwrap();
    assert_eq!(journal.removed_bytes(), (bytes.len() - valid) as u64);
    assert_eq!(journal.state().await.unwrap().unfinished().count(), 1);
    drop(journal);
    assert_eq!(Journal::open(&path).await.unwrap().removed_bytes(), 0);
}

#[tokio::test]
async fn damaged_record_is_refused_with_its_line_and_the_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).await.unwrap();
    journal.append(vec![request("a", &["i-1"])]).await.unwrap();
    journal.append(vec![intent("a", 1, "i-1")]).await.unwrap();
    drop(journal);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 300;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = Journal::open(&path).await.unwrap_err();
    assert!(error.to_string().contains("line 3"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn locked_journal_names_the_holder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).await.unwrap();
    let error = Journal::open(&path).await.unwrap_err();
    let text = error.to_string();
    let holder = format!("process {} on {}", std::process::id(), host_name());
    assert!(text.contains(&holder), "{text}");
    drop(journal);
    Journal::open(&path).await.unwrap();
}

/// A child process has a copy of each open file from its start until it begins its program.
#[tokio::test]
async fn lock_ends_with_the_journal_although_a_starting_process_has_a_copy_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let opened = open::open(&path, moment()).unwrap();
    let _copy = opened.file.try_clone().unwrap();
    drop(opened);
    Journal::open(&path).await.unwrap();

    let next = rotate::begin(
        &path,
        &folder.path().join("journal.2026-11"),
        Record::Opened(open::opened(moment())),
        moment(),
    );
    let next = next.unwrap();
    let _copy = next.try_clone().unwrap();
    drop(next);
    open::open(&path, moment()).map(drop).unwrap();
}

#[tokio::test]
async fn folder_is_not_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let error = Journal::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotAJournal { .. }), "{error}");
    let missing = folder.path().join("none/journal");
    let error = Journal::open(missing).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot open "), "{error}");
}

/// A file whose disk is full after some bytes, or whose sync fails.
#[derive(Debug)]
struct FullDisk {
    file: LockedFile,
    room: usize,
    syncs: usize,
}

impl Sink for FullDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = bytes.len().min(self.room);
        self.file.append(&bytes[..written])?;
        self.room -= written;
        match written == bytes.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.syncs == 0 {
            return Err(io::Error::other("sync failed"));
        }
        self.syncs -= 1;
        self.file.sync()
    }
}

fn on_full_disk(path: &Path, room: usize, syncs: usize) -> Journal {
    let opened = open::open(path, moment()).unwrap();
    let file = OpenFile {
        sink: Box::new(FullDisk {
            file: opened.file,
            room,
            syncs,
        }),
        durable: 0,
        created: opened.created,
    };
    Journal::new(
        path.to_owned(),
        Arc::new(SystemClock),
        opened.state,
        0,
        file,
    )
}

#[tokio::test]
async fn failed_write_closes_the_journal_and_loses_no_acknowledged_record() {
    let folder = tempfile::tempdir().unwrap();
    for room in (0..1_200).step_by(37) {
        for syncs in [0, 1, 100] {
            let path = folder.path().join(format!("journal-{room}-{syncs}"));
            let journal = on_full_disk(&path, room, syncs);
            let mut acknowledged = Vec::new();
            let mut failed = false;
            for number in 0..4 {
                let name = format!("op-{number}");
                match journal.append(vec![request(&name, &["i-1"])]).await {
                    Ok(()) => {
                        assert!(!failed, "a record after a failure");
                        acknowledged.push(name);
                    }
                    Err(StoreError::Closed { .. }) => assert!(failed),
                    Err(_) => failed = true,
                }
            }
            assert_eq!(journal.failure().is_some(), failed);
            drop(journal);
            let reopened = Journal::open(&path).await.unwrap();
            let state = reopened.state().await.unwrap();
            let known: Vec<_> = state
                .unfinished()
                .map(|one| one.request.operation.0.clone())
                .collect();
            assert!(
                known.starts_with(&acknowledged),
                "{known:?} {acknowledged:?}"
            );
            // At most the record whose write failed is there in addition.
            assert!(known.len() <= acknowledged.len() + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_at_the_same_time_are_all_durable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let name = format!("op-{number}");
                journal
                    .append(vec![request(&name, &["i-1"])])
                    .await
                    .unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let state = Journal::read_state(&path).await.unwrap();
    assert_eq!(state.unfinished().count(), 200);
}

#[tokio::test]
async fn dropped_append_leaves_a_journal_without_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).await.unwrap();
    for number in 0..50 {
        let name = format!("op-{number}");
        let append = journal.append(vec![request(&name, &["i-1"])]);
        let _ = tokio::time::timeout(Duration::from_micros(number * 3), append).await;
    }
    journal
        .append(vec![request("last", &["i-1"])])
        .await
        .unwrap();
    let state = Journal::read_state(&path).await.unwrap();
    assert_eq!(state.latest().unwrap().request.operation.0, "last");
}

#[tokio::test]
async fn rotation_carries_the_open_state_to_the_file_of_the_next_month() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let clock = Arc::new(SetClock(Mutex::new(moment())));
    let journal = Journal::open_with_clock(&path, clock.clone())
        .await
        .unwrap();
    journal
        .append(vec![request("a", &["i-1"]), intent("a", 1, "i-1")])
        .await
        .unwrap();
    assert_eq!(journal.rotate_if_due().await.unwrap(), None);
    *lock(&clock.0) = "2026-12-01T00:00:00Z".parse().unwrap();
    let earlier = journal.rotate_if_due().await.unwrap().unwrap();
    assert_eq!(earlier, folder.path().join("journal.2026-11"));
    assert_eq!(journal.rotate_if_due().await.unwrap(), None);
    // The lock and the state go on.
    assert!(matches!(
        Journal::open(&path).await,
        Err(StoreError::Locked { .. })
    ));
    let error = journal
        .append(vec![intent("a", 2, "i-1")])
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    journal
        .append(vec![request("b", &["i-2"]), intent("b", 1, "i-2")])
        .await
        .unwrap();
    drop(journal);
    let journal = Journal::open(&path).await.unwrap();
    let state = journal.state().await.unwrap();
    assert_eq!(state.unfinished().count(), 2);
    assert_eq!(state.last_actions.len(), 2);
    let history = journal.history(&HistoryQuery::default()).await.unwrap();
    let subjects: Vec<_> = history
        .iter()
        .filter_map(|entry| entry.subject.as_deref())
        .collect();
    assert_eq!(
        subjects,
        ["i-1", "i-2"],
        "each call once, with the earlier file"
    );
}
