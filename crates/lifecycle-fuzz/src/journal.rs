//! The journal: a file of records that a process, or a failing disk, left behind.

use std::{fmt::Write as _, fs, path::Path};

use lifecycle_controller::{Journal, Record, Store};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Runtime};

/// Opens a journal with these bytes. A line that begins with `{` gets the checksum of its record first, so that
/// mutations reach the records. A file that opens keeps every record that could be read before, also after a further
/// record and a second open; a file that does not open stays as it is.
pub fn check_journal(data: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let path = folder.path().join("journal");
    let bytes = with_checksums(data);
    if fs::write(&path, &bytes).is_err() {
        return;
    }
    let Ok(runtime) = Builder::new_current_thread().enable_time().build() else {
        return;
    };
    let readable = runtime.block_on(Journal::read_records(&path)).unwrap_or_default();
    let Some(before) = append_one(&runtime, &path) else {
        let now = fs::read(&path).unwrap_or_default();
        assert!(now == bytes, "a journal that does not open was changed");
        return;
    };
    assert_starts_with(&before, &readable);
    drop(runtime.block_on(Journal::open(&path)).expect("a journal that was open opens again"));
    let after = runtime.block_on(Journal::read_records(&path));
    let after = after.expect("a journal that was open can be read");
    assert!(after.len() > before.len(), "the further record was lost");
    assert_starts_with(&after, &before);
}

fn assert_starts_with(records: &[Record], first: &[Record]) {
    assert!(records.len() >= first.len(), "a record was lost");
    let text = |record: &Record| serde_json::to_string(record).expect("a record has JSON");
    let is_kept = records.iter().zip(first).all(|(now, then)| text(now) == text(then));
    assert!(is_kept, "a record was changed");
}

/// Opens the journal and appends a record; returns the records before. `None` if the journal does not open.
fn append_one(runtime: &Runtime, path: &Path) -> Option<Vec<Record>> {
    runtime.block_on(async {
        let journal = Journal::open(path).await.ok()?;
        let before = Journal::read_records(path).await.expect("an open journal can be read");
        let record = r#"{"record":"notice","at":"2026-01-01T00:00:00Z","kind":"fuzz","message":"one more"}"#;
        let record = serde_json::from_str(record).expect("a record");
        journal.append(vec![record]).await.expect("an open journal accepts a notice");
        Some(before)
    })
}

fn with_checksums(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'{') {
            let json = line.strip_suffix(b"\n").unwrap_or(line);
            let mut checksum = String::new();
            for byte in &Sha256::digest(json)[..8] {
                // Writing to a string cannot fail.
                let _ = write!(checksum, "{byte:02x}");
            }
            bytes.extend_from_slice(checksum.as_bytes());
            bytes.push(b' ');
        }
        bytes.extend_from_slice(line);
    }
    bytes
}
