//! `Sink`: the file to which a journal appends. Tests have a sink that fails.

use std::{
    fmt,
    io::{self, Write},
};

use super::lock::LockedFile;

/// The end of a file to which a journal appends.
pub(crate) trait Sink: fmt::Debug + Send {
    /// Appends bytes. After an error a part of the bytes may be in the file.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all appended bytes durable.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for LockedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
