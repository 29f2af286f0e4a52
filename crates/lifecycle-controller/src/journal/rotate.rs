//! Rotation: a new file each month, which begins with the open state of the file before.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{lock::LockedFile, open};
use crate::record::{Header, Record};

/// Writes the next file, and puts the next file in the place of the current one. Returns the next file with
/// the lock.
pub(super) fn begin(
    path: &Path,
    earlier: &Path,
    snapshot: Record,
    now: Timestamp,
) -> io::Result<LockedFile> {
    let next_path = with_suffix(path, "next");
    let next = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&next_path)?;
    let mut next = LockedFile::try_lock(next)?;
    let mut header = Header::new(now);
    header.continues = earlier
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let opened = Record::Opened(open::opened(now));
    for record in [Record::Header(header), snapshot, opened] {
        let line = open::line_of(path, &record).map_err(io::Error::other)?;
        next.write_all(&line)?;
    }
    next.sync_all()?;
    // Both names exist for a moment, so that one of them always names a complete journal.
    fs::hard_link(path, earlier).or_else(|_| fs::copy(path, earlier).map(drop))?;
    fs::rename(&next_path, path)?;
    open::sync_folder(path)?;
    Ok(next)
}

/// Returns the paths of the earlier files of a journal, the oldest first.
pub(super) fn earlier_files(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let is_earlier = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let suffix = name.strip_prefix(&prefix);
        suffix.is_some_and(is_month)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(is_earlier)
        .collect();
    files.sort();
    files
}

/// Returns whether a suffix is a month such as `2026-11`, with a number for a second file of the month.
fn is_month(suffix: &str) -> bool {
    let (month, number) = suffix.split_once('.').unwrap_or((suffix, "2"));
    let is_digit = |byte: u8| byte.is_ascii_digit();
    month.len() == 7
        && month.bytes().enumerate().all(|(at, byte)| match at {
            4 => byte == b'-',
            _ => is_digit(byte),
        })
        && !number.is_empty()
        && number.bytes().all(is_digit)
}

/// Returns the name of the file of a month that no other file has.
pub(super) fn free_name(path: &Path, created: Timestamp) -> PathBuf {
    let name = with_suffix(path, &month(created));
    let numbered = |number: u32| match number {
        1 => name.clone(),
        number => with_suffix(&name, &number.to_string()),
    };
    let mut names = (1..).map(numbered);
    let free = names.find(|name| !name.exists());
    free.unwrap_or(name)
}

pub(super) fn month(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
