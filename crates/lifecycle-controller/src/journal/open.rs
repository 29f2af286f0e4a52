//! Opens a journal file: locks the file, reads the records, and removes an incomplete record at the end.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    line::{Scan, ScanError, encode, scan},
    lock::LockedFile,
};
use crate::{
    record::{Header, Opened, Record},
    state::State,
    store::StoreError,
};

/// A locked journal file, and its folded records.
#[derive(Debug)]
pub(super) struct OpenJournal {
    /// Positioned at the end.
    pub(super) file: LockedFile,
    pub(super) state: State,
    /// The number of bytes of the incomplete record that was removed.
    pub(super) removed: u64,
    /// The time at which the file was created.
    pub(super) created: Timestamp,
}

/// Opens a journal for writing; creates the file if there is none.
pub(super) fn open(path: &Path, now: Timestamp) -> Result<OpenJournal, StoreError> {
    let mut file = open_locked(path)?;
    let mut state = State::default();
    let mut created = now;
    let scan = scan_file(path, &file, |record| {
        if let Record::Header(header) = &record {
            created = header.at;
        }
        state.apply(&record);
    })?;
    let in_file = |operation, source| io_error(operation, path, source);
    if scan.torn > 0 {
        file.set_len(scan.valid)
            .map_err(|error| in_file("shorten", error))?;
    }
    file.seek(SeekFrom::End(0))
        .map_err(|error| in_file("read", error))?;
    let mut bytes = Vec::new();
    if scan.lacks_line_break {
        bytes.push(b'\n');
    }
    if scan.valid == 0 {
        bytes.extend(line_of(path, &Record::Header(Header::new(now)))?);
    }
    bytes.extend(line_of(path, &Record::Opened(opened(now)))?);
    file.write_all(&bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| in_file("write", error))?;
    sync_folder(path).map_err(|error| in_file("write the folder of", error))?;
    Ok(OpenJournal {
        file,
        state,
        removed: scan.torn,
        created,
    })
}

/// Reads the records of a journal without the lock. A record that a writer has not completed is left out.
pub(super) fn read(path: &Path, on_record: impl FnMut(Record)) -> Result<(), StoreError> {
    check_kind(path)?;
    let file = File::open(path).map_err(|error| io_error("open", path, error))?;
    scan_file(path, &file, on_record).map(drop)
}

/// Returns the line of a record.
pub(super) fn line_of(path: &Path, record: &Record) -> Result<Vec<u8>, StoreError> {
    encode(record).map_err(|error| io_error("write", path, error.into()))
}

/// Returns the record of this process.
pub(super) fn opened(now: Timestamp) -> Opened {
    Opened {
        at: now,
        pid: std::process::id(),
        host: host_name(),
    }
}

/// Returns the name of this machine.
pub fn host_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// Makes a new name in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    // Other systems make names durable by themselves, and cannot open a folder.
    if cfg!(unix) {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

pub(super) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// Opens the file and takes the lock.
fn open_locked(path: &Path) -> Result<LockedFile, StoreError> {
    loop {
        check_kind(path)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| io_error("open", path, error))?;
        let file = LockedFile::try_lock(file).map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Locked {
                path: path.to_owned(),
                holder: holder(path),
            },
            TryLockError::Error(error) => io_error("lock", path, error),
        })?;
        // A rotation can put another file in the place of the one that was opened.
        if is_same_file(&file, path) {
            return Ok(file);
        }
    }
}

/// Returns the process that opened the journal last.
fn holder(path: &Path) -> Option<Opened> {
    let mut holder = None;
    let result = read(path, |record| {
        if let Record::Opened(opened) = record {
            holder = Some(opened);
        }
    });
    result.ok().and(holder)
}

/// Rejects a folder, a pipe and a device before they are opened.
fn check_kind(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(kind) if kind.is_file() => Ok(()),
        Ok(_) => Err(StoreError::NotAJournal {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error("open", path, error)),
    }
}

fn scan_file(path: &Path, file: &File, on_record: impl FnMut(Record)) -> Result<Scan, StoreError> {
    let path = || PathBuf::from(path);
    scan(BufReader::new(file), on_record).map_err(|error| match error {
        ScanError::NotAJournal => StoreError::NotAJournal { path: path() },
        ScanError::NewerVersion(version) => StoreError::NewerVersion {
            path: path(),
            version,
        },
        ScanError::Damaged { line, problem } => StoreError::DamagedRecord {
            path: path(),
            line,
            problem,
        },
        ScanError::Io(source) => io_error("read", &path(), source),
    })
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    match (file.metadata(), fs::metadata(path)) {
        (Ok(one), Ok(other)) => one.dev() == other.dev() && one.ino() == other.ino(),
        _ => false,
    }
}

/// Returns true: a locked file cannot be replaced.
#[cfg(not(unix))]
fn is_same_file(_: &File, _: &Path) -> bool {
    true
}
