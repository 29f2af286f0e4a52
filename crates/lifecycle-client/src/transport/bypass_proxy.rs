//! A marker on requests to the metadata service of this machine.

/// Marks a request that must not go through a proxy. Added to the extensions of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BypassProxy;
