//! The lines of a journal: a checksum, a space, and one record as JSON. No I/O besides a reader.

use std::{
    fmt::Write as _,
    io::{self, BufRead},
};

use sha2::{Digest, Sha256};

use crate::record::{Header, Record, VERSION};

/// The number of hexadecimal digits of a checksum.
const CHECKSUM: usize = 16;

/// The longest line: a request for a million instances is shorter.
pub(crate) const LONGEST_LINE: usize = 256 << 20;

/// Returns the line of a record, with the line break.
pub(crate) fn encode(record: &Record) -> serde_json::Result<Vec<u8>> {
    let json = serde_json::to_string(record)?;
    let mut line = checksum(json.as_bytes());
    line.push(' ');
    line.push_str(&json);
    line.push('\n');
    Ok(line.into_bytes())
}

/// Returns the record of a line without its line break.
fn decode(line: &[u8]) -> Result<Record, String> {
    let json = checked(line)?;
    serde_json::from_slice(json).map_err(|error| format!("unreadable record: {error}"))
}

/// Returns the JSON of a line, if the checksum fits.
fn checked(line: &[u8]) -> Result<&[u8], String> {
    let (sum, json) = line
        .split_at_checked(CHECKSUM)
        .ok_or("the line is shorter than a checksum")?;
    let json = json
        .strip_prefix(b" ")
        .ok_or("no space after the checksum")?;
    match checksum(json).as_bytes() == sum {
        true => Ok(json),
        false => Err("the checksum does not fit the record".to_owned()),
    }
}

/// Returns the first digits of SHA-256.
fn checksum(json: &[u8]) -> String {
    let digest = Sha256::digest(json);
    let mut text = String::with_capacity(CHECKSUM);
    for byte in &digest[..CHECKSUM / 2] {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The result of reading a journal to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The number of bytes up to the end of the last complete record.
    pub(crate) valid: u64,
    /// The number of bytes of an incomplete record at the end.
    pub(crate) torn: u64,
    /// The last record is complete except for its line break.
    pub(crate) lacks_line_break: bool,
}

/// The reason why a journal cannot be read.
#[derive(Debug)]
pub(crate) enum ScanError {
    /// The first line is not the header of a journal.
    NotAJournal,
    /// The version of the journal is later than [`VERSION`].
    NewerVersion(u32),
    /// A record before the end is damaged.
    Damaged { line: usize, problem: String },
    /// The file cannot be read.
    Io(io::Error),
}

/// Reads all records of a journal. An incomplete record at the end is not an error: the process ended while
/// it wrote the record, so nothing depends on the record.
///
/// # Errors
/// [`ScanError`] for other text than a journal, and for a damaged record before the end.
pub(crate) fn scan(
    mut source: impl BufRead,
    mut on_record: impl FnMut(Record),
) -> Result<Scan, ScanError> {
    let mut scan = Scan::default();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let limit = LONGEST_LINE as u64 + 1;
        let read = io::Read::take(&mut source, limit).read_until(b'\n', &mut line);
        let read = read.map_err(ScanError::Io)?;
        if read == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n");
        if text.is_none() && read > LONGEST_LINE {
            return Err(match number {
                1 => ScanError::NotAJournal,
                line => ScanError::Damaged {
                    line,
                    problem: "the line is too long".to_owned(),
                },
            });
        }
        if number == 1 && is_blank(&line) {
            scan.torn = read as u64;
            break;
        }
        match (text, decode(text.unwrap_or(&line))) {
            (_, Ok(record)) => {
                check_position(number, &record)?;
                scan.valid += read as u64;
                scan.lacks_line_break = text.is_none();
                on_record(record);
            }
            (_, Err(problem)) if number == 1 => return Err(not_a_header(&line, problem)),
            (None, Err(_)) if !is_damaged_line_break(&line) => {
                scan.torn = read as u64;
            }
            (_, Err(problem)) => {
                return Err(ScanError::Damaged {
                    line: number,
                    problem,
                });
            }
        }
        if text.is_none() {
            break;
        }
    }
    Ok(scan)
}

/// Checks that the first record is a header of a known version, and that no other record is a header.
fn check_position(line: usize, record: &Record) -> Result<(), ScanError> {
    match (line, record) {
        (1, Record::Header(header)) if header.format != Header::FORMAT => {
            Err(ScanError::NotAJournal)
        }
        (1, Record::Header(header)) if header.version > VERSION => {
            Err(ScanError::NewerVersion(header.version))
        }
        (1, Record::Header(_)) => Ok(()),
        (1, _) => Err(ScanError::NotAJournal),
        (line, Record::Header(_)) => Err(ScanError::Damaged {
            line,
            problem: "a second header".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Returns the error of a first line that is not a header: the header of a later version can have another
/// form, and a damaged header names the format.
fn not_a_header(line: &[u8], problem: String) -> ScanError {
    #[derive(serde::Deserialize)]
    struct AnyHeader {
        format: String,
        version: u32,
    }
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let header = checked(line)
        .ok()
        .and_then(|json| serde_json::from_slice::<AnyHeader>(json).ok());
    match header {
        Some(header) if header.format == Header::FORMAT && header.version > VERSION => {
            ScanError::NewerVersion(header.version)
        }
        _ if String::from_utf8_lossy(line).contains(Header::FORMAT) => {
            ScanError::Damaged { line: 1, problem }
        }
        _ => ScanError::NotAJournal,
    }
}

/// Returns whether the end of the file is a complete record with a damaged line break. A process that ended
/// while it wrote a record cannot leave that.
fn is_damaged_line_break(line: &[u8]) -> bool {
    line.split_last()
        .is_some_and(|(_, rest)| decode(rest).is_ok())
}

/// Returns whether a file has no content: a loss of power can leave zeros in place of the first write.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests;
