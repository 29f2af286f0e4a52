//! Credentials: resolves keys from sources, caches them, and renews them before they expire.

pub(crate) mod cache;
pub(crate) mod chain;
pub(crate) mod driver;
pub(crate) mod host;
mod program;
pub(crate) mod validity;
