#![doc = include_str!("../README.md")]

mod call;
mod client;
mod credentials;
mod error;
mod mutation;
mod observe;
mod power;
mod transport;

pub use call::{
    clock::{Clock, SystemClock},
    policy::{RetryPolicy, Timeouts, WaitTimeout},
};
pub use client::{CallCounts, Client, ClientBuilder, PlainHttp};
pub use credentials::{
    CachedCredentials, CredentialError, CredentialInfo, CredentialProvider, ResolveError,
    StaticCredential, StepDriver, SystemHost,
};
pub use error::Error;
#[cfg(feature = "mutations")]
#[doc(hidden)]
pub use mutation::Mutation;
pub use observe::{
    list::ListRequest,
    request::{InstanceStatus, ObserveRequest},
};
pub use power::{
    event::Event,
    options::PowerRequestOptions,
    plan::PlannedCall,
    report::{Evidence, IncompleteError, InstanceReport, Outcome, Pending, Report},
    request::{EventStream, PowerRequest, ReportFuture, WaitRequest},
    waves::Waves,
};
#[cfg(feature = "reqwest")]
pub use transport::http::{HttpTransport, HttpTransportBuilder};
pub use transport::{Transport, TransportError};
