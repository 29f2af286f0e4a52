//! Markers in the extensions of requests, for transports.

/// Marks a request to the metadata service of this machine, which must not go through a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BypassProxy;

/// Marks a call that must not be repeated, such as a reboot. A [`Transport`](crate::Transport) should
/// send the request on a connection of its own: a pooled connection can hold the rest of an earlier
/// response, and the cloud can close an idle connection at the moment of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnConnection;
