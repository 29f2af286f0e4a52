//! `IncomingBody`: the body of a response while its chunks arrive.

use bytes::Bytes;

use super::TransportError;

/// The largest accepted body. A page of 1000 full records has about 4 MiB.
const MAX_BODY: usize = 16 << 20;

/// The largest memory that is reserved because a server announces a length.
const MAX_RESERVED: usize = 1 << 20;

/// The largest number of chunks that wait. Each can keep the whole buffer into which it was read.
const MAX_CHUNKS: usize = 64;

/// The chunks of a body. Up to 64 chunks wait and are copied together, so nothing but the buffers of the
/// connection takes memory until the end of a usual body. A body in one chunk is not copied.
#[derive(Default)]
pub(super) struct IncomingBody {
    /// The beginning of a body with many chunks.
    beginning: Vec<u8>,
    chunks: Vec<Bytes>,
    length: usize,
    announced: usize,
}

impl IncomingBody {
    /// Creates an empty body, whose server announces `length` bytes.
    pub(super) fn with_length(length: Option<u64>) -> Self {
        let announced = usize::try_from(length.unwrap_or(0)).unwrap_or(usize::MAX);
        Self {
            announced: announced.min(MAX_RESERVED),
            ..Self::default()
        }
    }

    /// Adds the next chunk.
    ///
    /// # Errors
    /// [`TransportError`] if the body becomes longer than 16 MiB.
    pub(super) fn push(&mut self, chunk: Bytes) -> Result<(), TransportError> {
        if self.length + chunk.len() > MAX_BODY {
            return Err(TransportError::unclear(
                "the response is longer than 16 MiB",
            ));
        }
        self.length += chunk.len();
        self.chunks.push(chunk);
        if self.chunks.len() == MAX_CHUNKS {
            self.join();
        }
        Ok(())
    }

    /// Returns the whole body.
    pub(super) fn into_bytes(mut self) -> Bytes {
        if self.beginning.is_empty() && self.chunks.len() == 1 {
            return self.chunks.swap_remove(0);
        }
        self.join();
        self.beginning.into()
    }

    fn join(&mut self) {
        if self.beginning.is_empty() {
            self.beginning
                .reserve_exact(self.announced.max(self.length));
        }
        for chunk in self.chunks.drain(..) {
            self.beginning.extend_from_slice(&chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(length: Option<u64>, chunks: impl IntoIterator<Item = Bytes>) -> IncomingBody {
        let mut body = IncomingBody::with_length(length);
        for chunk in chunks {
            body.push(chunk).unwrap();
        }
        body
    }

    #[test]
    fn body_of_any_number_of_chunks_is_whole() {
        for count in [0, 1, 2, MAX_CHUNKS - 1, MAX_CHUNKS, MAX_CHUNKS + 1, 1_000] {
            let whole: Vec<u8> = (0..count * 3).map(|at| (at % 251) as u8).collect();
            let chunks = || whole.chunks(3).map(Bytes::copy_from_slice);
            for length in [None, Some(whole.len() as u64), Some(0), Some(u64::MAX)] {
                assert_eq!(body(length, chunks()).into_bytes(), whole);
            }
        }
    }

    #[test]
    fn one_chunk_is_not_copied() {
        let chunk = Bytes::from_static(b"{}");
        let whole = body(Some(2), [chunk.clone()]).into_bytes();
        assert_eq!(whole.as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn few_chunks_wait_and_little_memory_is_reserved() {
        let tiny = std::iter::repeat_n(Bytes::from_static(b"x"), 10_000);
        let body = body(Some(u64::MAX), tiny);
        assert!(body.chunks.len() < MAX_CHUNKS && body.chunks.capacity() <= MAX_CHUNKS);
        assert_eq!(body.beginning.capacity(), MAX_RESERVED);
    }

    #[test]
    fn body_longer_than_the_limit_is_an_error() {
        let half = Bytes::from(vec![0; MAX_BODY / 2]);
        let mut body = body(None, [half.clone(), half]);
        body.push(Bytes::new()).unwrap();
        let error = body.push(Bytes::from_static(b"x")).unwrap_err();
        assert!(error.to_string().contains("16 MiB"), "{error}");
    }
}
