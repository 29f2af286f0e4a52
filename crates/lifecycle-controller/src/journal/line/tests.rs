//! Tests of the lines of a journal: torn, damaged and foreign content.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::record::{Hold, Notice, Wanted};

fn at() -> Timestamp {
    "2026-11-20T18:00:00Z".parse().unwrap()
}

fn notice(message: &str) -> Record {
    Record::Notice(Notice {
        at: at(),
        kind: "test".to_owned(),
        subject: None,
        message: message.to_owned(),
    })
}

fn records() -> Vec<Record> {
    let hold = Hold {
        target: "web".to_owned(),
        state: Wanted::AsIs,
        until: at(),
        why: "a \"quoted\"\nreason: 维护".to_owned(),
        by: "ops".to_owned(),
        at: at(),
    };
    vec![
        Record::Header(Header::new(at())),
        notice("first"),
        Record::Hold(hold),
        notice("last"),
    ]
}

fn bytes(records: &[Record]) -> Vec<u8> {
    records
        .iter()
        .flat_map(|record| encode(record).unwrap())
        .collect()
}

fn read(bytes: &[u8]) -> Result<(Vec<Record>, Scan), ScanError> {
    let mut records = Vec::new();
    let scan = scan(bytes, |record| records.push(record))?;
    Ok((records, scan))
}

#[test]
fn records_survive_the_lines() {
    let bytes = bytes(&records());
    let (read, scan) = read(&bytes).unwrap();
    assert_eq!(read, records());
    assert_eq!(scan.valid, bytes.len() as u64);
    assert_eq!((scan.torn, scan.lacks_line_break), (0, false));
}

#[test]
fn tail_torn_at_any_byte_loses_only_the_torn_record() {
    let all = records();
    let kept = bytes(&all[..3]);
    let whole = bytes(&all);
    for end in kept.len()..whole.len() {
        let (read, scan) = read(&whole[..end]).unwrap();
        if end == whole.len() - 1 {
            assert_eq!(read, all, "only the line break is missing");
            assert!(scan.lacks_line_break);
        } else {
            assert_eq!(read, all[..3], "{end}");
            assert_eq!(scan.valid, kept.len() as u64);
            assert_eq!(scan.torn, (end - kept.len()) as u64);
        }
    }
}

#[test]
fn torn_header_is_not_mistaken_for_an_empty_journal() {
    let header = bytes(&records()[..1]);
    for end in 1..header.len() - 1 {
        assert!(read(&header[..end]).is_err(), "{end}");
    }
    assert_eq!(read(b"").unwrap().0, []);
    let zeros = read(&[0; 100]).unwrap().1;
    assert_eq!((zeros.valid, zeros.torn), (0, 100));
}

#[test]
fn foreign_content_is_not_a_journal() {
    let other = bytes(&[notice("without a header")]);
    for foreign in [
        &b"hello\n"[..],
        b"{\"a\": 1}\n",
        b"deadbeef",
        b"\n",
        b"\xff\xfe\n",
        b"0123456789abcdef {}\n",
        &other,
    ] {
        let error = read(foreign).unwrap_err();
        assert!(matches!(error, ScanError::NotAJournal), "{error:?}");
    }
}

#[test]
fn journal_of_a_later_version_is_refused_by_its_version() {
    for json in [
        r#"{"record":"header","format":"lifecycle-journal","version":2,"at":"2026-11-20T18:00:00Z"}"#,
        r#"{"kind":"header","format":"lifecycle-journal","version":7}"#,
    ] {
        let line = format!("{} {json}\n", checksum(json.as_bytes()));
        let error = read(line.as_bytes()).unwrap_err();
        assert!(matches!(error, ScanError::NewerVersion(2 | 7)), "{error:?}");
    }
}

#[test]
fn unknown_record_of_a_valid_checksum_is_an_error_with_its_line() {
    let json = r#"{"record":"invention"}"#;
    let mut bytes = bytes(&records());
    bytes.extend(format!("{} {json}\n", checksum(json.as_bytes())).bytes());
    let error = read(&bytes).unwrap_err();
    assert!(
        matches!(error, ScanError::Damaged { line: 5, .. }),
        "{error:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// One changed byte anywhere is an error that names the line: no record is lost in silence.
    #[test]
    fn changed_byte_is_an_error(position in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut bytes = bytes(&records());
        let position = position.index(bytes.len());
        let line = bytes[..position].iter().filter(|byte| **byte == b'\n').count() + 1;
        bytes[position] ^= change;
        match read(&bytes) {
            Err(ScanError::Damaged { line: named, .. }) => prop_assert_eq!(named, line),
            Err(ScanError::NotAJournal) => prop_assert_eq!(line, 1),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        start in prop::bool::ANY,
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut content = match start {
            true => bytes(&records()),
            false => Vec::new(),
        };
        let valid = content.len() as u64;
        content.extend(&tail);
        if let Ok((read, scan)) = read(&content) {
            prop_assert!(scan.valid >= valid);
            prop_assert!(!start || read.len() >= 4);
            prop_assert_eq!(scan.valid + scan.torn, content.len() as u64);
        }
    }
}
