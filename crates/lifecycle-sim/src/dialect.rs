//! What each cloud module provides: how its calls look, how they are signed, what it answers.

use std::{fmt, time::Duration};

use crate::{
    instance::Verb,
    request::Received,
    response::Response,
    site::{Scope, Site},
};

/// One cloud's side of the wire. Implementations keep no state: what a cloud remembers is in its
/// [`Site`].
///
/// Every call goes through [`claims`](Self::claims), [`intent`](Self::intent),
/// [`authenticate`](Self::authenticate) and [`perform`](Self::perform), in this order; injected
/// faults and throttles cut in between.
pub(crate) trait Dialect: Sync {
    /// Is this request for this cloud? Judged by path and headers alone, since all share one port.
    fn claims(&self, request: &Received) -> bool;

    /// The region whose own host name this is; `None` for a host that stands for all regions.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str>;

    /// An instance id in the cloud's own shape. Ids need not be unique: the caller draws again.
    fn mint(&self, chance: &mut fastrand::Rng) -> String;

    /// What the request asks for, without looking at who asks.
    fn intent(&self, request: &Received) -> Intent;

    /// Verifies the request's signature as the cloud documents it, by the cloud's own clock.
    ///
    /// # Errors
    /// The cloud's answer to a request that is not let in.
    fn authenticate(&self, site: &mut Site, request: &Received) -> Result<(), Denial>;

    /// Carries out a request that was let in.
    fn perform(&self, site: &mut Site, request: &Received, scope: Scope) -> Response;

    /// The answer to a call that came too soon. `hint` is how long to wait; `None` leaves the
    /// client without a hint.
    fn throttled(&self, site: &mut Site, hint: Option<Duration>) -> Response;

    /// The cloud's own form of an answer with this status, 500 and above.
    fn failure(&self, site: &mut Site, status: u16) -> Response;
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    /// Which kind of operation.
    pub(crate) operation: Operation,
    /// The cloud's own name of the operation.
    pub(crate) name: &'static str,
    /// How many instance ids it carries.
    pub(crate) ids: usize,
    /// The access key or token that it claims to come from; empty for none.
    pub(crate) key: String,
}

/// The kinds of operations that all clouds have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// Start instances.
    Start,
    /// Stop instances.
    Stop,
    /// Reboot instances.
    Reboot,
    /// Read named instances.
    Observe,
    /// Read a page of all instances.
    List,
    /// Read a job.
    Follow,
    /// Ask an identity or metadata service for a key or a token, or for what leads to one.
    Identify,
    /// Anything else, known to the cloud or not.
    Other,
}

impl Operation {
    /// Start, stop or reboot.
    pub fn is_action(self) -> bool {
        matches!(self, Self::Start | Self::Stop | Self::Reboot)
    }

    /// The word for it, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Observe => "observe",
            Self::List => "list",
            Self::Follow => "follow",
            Self::Identify => "identify",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Verb> for Operation {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Start => Self::Start,
            Verb::Stop => Self::Stop,
            Verb::Reboot => Self::Reboot,
        }
    }
}

/// A request that was not let in.
#[derive(Debug)]
pub(crate) struct Denial {
    /// Whether the key is to blame.
    pub(crate) reason: Reason,
    /// The answer.
    pub(crate) response: Box<Response>,
}

impl Denial {
    /// The key is unknown, revoked, locked, or did not make this signature.
    pub(crate) fn key(response: Response) -> Self {
        Self {
            reason: Reason::Key,
            response: Box::new(response),
        }
    }

    /// The key may be good: the clock is off, a nonce came twice, or the request is malformed.
    pub(crate) fn other(response: Response) -> Self {
        Self {
            reason: Reason::Other,
            response: Box::new(response),
        }
    }
}

/// Whether a call was refused because of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Key,
    Other,
}
