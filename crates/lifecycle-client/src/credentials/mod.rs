//! Credentials: resolves keys from sources, caches them, and renews them before they expire.

pub(crate) mod cache; // one credential for all callers
pub(crate) mod chain; // the sources of a cloud, in order
pub(crate) mod driver; // the I/O of credential exchanges
pub(crate) mod host; // environment variables and files
mod program; // external programs
pub(crate) mod validity; // times of renewal and expiry
