#![doc = include_str!("../README.md")]

mod book;
mod client;
mod clock;
mod credentials;
mod entry;
mod error;
mod escalate;
mod event;
mod execute;
#[cfg(feature = "reqwest")]
mod http_transport;
mod job;
mod list;
mod look;
mod mutation;
mod observe;
mod pace;
mod plan;
mod policy;
mod report;
mod request;
mod run;
mod send;
mod skew;
mod sort;
mod terms;
mod transport;
mod trust;
mod watch;
mod waves;

pub use client::{CallCounts, Client, ClientBuilder, PlainHttp};
pub use clock::{Clock, SystemClock};
pub use credentials::{
    CachedCredentials, CredentialError, CredentialInfo, CredentialProvider, ResolveError,
    StaticCredential, StepDriver, SystemHost,
};
pub use error::Error;
pub use event::Event;
#[cfg(feature = "reqwest")]
pub use http_transport::{HttpTransport, HttpTransportBuilder};
pub use list::ListRequest;
#[cfg(feature = "mutations")]
#[doc(hidden)]
pub use mutation::Mutation;
pub use observe::{InstanceStatus, ObserveRequest};
pub use plan::PlannedCall;
pub use policy::{RetryPolicy, Timeouts, WaitTimeout};
pub use report::{Evidence, IncompleteError, InstanceReport, Outcome, Pending, Report};
pub use request::{EventStream, PowerRequest, ReportFuture, WaitRequest};
pub use terms::PowerRequestOptions;
pub use transport::{Transport, TransportError};
pub use waves::Waves;
