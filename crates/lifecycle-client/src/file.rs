//! Files that users name: keys, configuration, certificates.
//!
//! A path can name a pipe that nobody writes to, a device without an end, or a folder. So only regular
//! files are read, and only up to a limit. A file with a byte order mark, as Windows editors and
//! PowerShell write it, reads like the same file without the mark.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// The size limit of a file with keys or settings. A file with a thousand accounts has a tenth of this
/// size.
pub const MAX_TEXT: u64 = 1 << 20;

/// The size limit of a file with certificates. A store of all public authorities has a tenth of this
/// size.
pub const MAX_CERTIFICATES: u64 = 4 << 20;

/// Reads a regular file of UTF-8 text, without a byte order mark.
///
/// # Errors
/// An [`io::Error`] for a missing file, another kind of file, a file above `limit` bytes, and other
/// encodings. The text of the error is a fragment that follows `cannot be read:`, and has no content of
/// the file.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    into_text(read_bytes(path, limit)?)
}

/// Reads a regular file, without a byte order mark.
///
/// # Errors
/// The errors of [`read_text`], except for the encoding.
pub fn read_bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_with_mark(path, limit).map(without_mark)
}

/// Reads a regular file, for a check of the file that another library reads.
pub(crate) fn read_with_mark(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // The kind is checked before the file is opened: to open a pipe can wait for ever.
    check_kind(&fs::metadata(path).map_err(|error| explain_absence(path, error))?)?;
    let file = fs::File::open(path)?;
    check_kind(&file.metadata()?)?;
    read_to_limit(file, limit)
}

/// Reads `source` to the end, without a byte order mark.
///
/// # Errors
/// An [`io::Error`] for a source with more than `limit` bytes.
pub fn read_limited(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    read_to_limit(source, limit).map(without_mark)
}

fn read_to_limit(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let problem = format!("longer than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if has_mark(&bytes) {
        bytes.drain(..UTF8_MARK.len());
    }
    bytes
}

/// Returns whether `bytes` begin with a byte order mark of UTF-8.
pub(crate) fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(UTF8_MARK)
}

/// Returns the text of `bytes`.
///
/// # Errors
/// An [`io::Error`] for another encoding than UTF-8.
pub fn into_text(bytes: Vec<u8>) -> io::Result<String> {
    let is_utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    String::from_utf8(bytes).map_err(|_| {
        let problem = match is_utf16 {
            true => "the encoding is UTF-16; save the text as UTF-8",
            false => "the encoding is not UTF-8; save the text as UTF-8",
        };
        io::Error::new(io::ErrorKind::InvalidData, problem)
    })
}

/// Returns whether the error means that the path names nothing. A link to nothing, also in place of a folder of the
/// path, is something: the content is expected, so the caller must not use another file instead.
pub fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

fn explain_absence(path: &Path, error: io::Error) -> io::Error {
    // A folder of the path can be the link, such as a link to a disk that is not mounted.
    let link = match is_absence(&error) {
        true => path.ancestors().find(|part| is_link_to_nothing(part)),
        false => None,
    };
    match link {
        Some(link) => io::Error::other(format!(
            "the target of the symbolic link {} does not exist",
            link.display()
        )),
        None => error,
    }
}

fn is_link_to_nothing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
        && fs::metadata(path).is_err_and(|error| is_absence(&error))
}

fn check_kind(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let problem = "not a regular file, but a pipe, a socket or a device";
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix, process::Command};

    use tempfile::TempDir;

    use super::*;

    fn problem(path: &Path) -> String {
        read_text(path, 10).unwrap_err().to_string()
    }

    #[test]
    fn only_a_regular_file_is_read() {
        let folder = TempDir::new().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let socket = folder.path().join("socket");
        let _listener = unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&*pipe, &*socket, Path::new("/dev/zero")] {
            assert!(problem(path).starts_with("not a regular file"), "{path:?}");
        }
        assert!(problem(folder.path()).contains("directory"));
    }

    #[test]
    fn link_to_nothing_is_no_absence() {
        let folder = TempDir::new().unwrap();
        let link = folder.path().join("link");
        unix::fs::symlink("nowhere", &link).unwrap();
        let error = read_text(&link, 10).unwrap_err();
        assert!(!is_absence(&error) && error.to_string().contains("symbolic link"));
        let looped = folder.path().join("loop");
        unix::fs::symlink("loop", &looped).unwrap();
        assert!(!is_absence(&read_text(&looped, 10).unwrap_err()));
        for below in ["file", "folder/file"] {
            let error = read_text(&link.join(below), 10).unwrap_err();
            let text = error.to_string();
            assert!(
                !is_absence(&error) && text.contains("link does not exist"),
                "{text}"
            );
        }
        let to_folder = folder.path().join("to-folder");
        unix::fs::symlink(folder.path(), &to_folder).unwrap();
        let to_file = folder.path().join("to-file");
        fs::write(folder.path().join("a-file"), "").unwrap();
        unix::fs::symlink("a-file", &to_file).unwrap();
        for absent in [
            folder.path().join("nothing/here"),
            to_folder.join("nothing"),
            to_file.join("nothing"),
            "nothing/here".into(),
        ] {
            let error = read_text(&absent, 10).unwrap_err();
            assert!(is_absence(&error), "{absent:?}: {error}");
        }
    }

    #[test]
    fn size_and_encoding_are_checked_and_the_mark_is_removed() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        for (bytes, expected) in [
            (&b"0123456789"[..], Ok("0123456789")),
            (b"01234567890", Err("longer than 10 bytes")),
            (b"\xEF\xBB\xBFkey", Ok("key")),
            (b"\xFF\xFEk\0", Err("UTF-16")),
            (b"\xFE\xFF\0k", Err("UTF-16")),
            (b"\xFFkey", Err("not UTF-8")),
        ] {
            fs::write(&path, bytes).unwrap();
            match (read_text(&path, 10), expected) {
                (Ok(text), Ok(expected)) => assert_eq!(text, expected),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (result, _) => panic!("{bytes:?}: {result:?}"),
            }
        }
    }
}
