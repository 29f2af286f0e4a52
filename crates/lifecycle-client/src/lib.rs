#![doc = include_str!("../README.md")]

mod call;
mod client;
mod credentials;
mod error;
mod mutation;
mod observe;
mod power;
mod sync;
mod transport;

pub use call::{
    clock::{Clock, SystemClock},
    counters::CallCounts,
    credential::{CredentialError, CredentialInfo, CredentialProvider, StaticCredential},
    policy::{RetryPolicy, Timeouts, WaitTimeout},
};
pub use client::{
    Client, ClientBuilder, IntoInstances, ListRequest, ObserveRequest, PowerRequest, Target,
    WaitRequest, distinct_instances,
};
pub use credentials::{
    cache::CachedCredentials,
    driver::{ResolveError, StepDriver},
    host::SystemHost,
};
pub use error::{Error, ListDefect};
#[cfg(feature = "mutations")]
#[doc(hidden)]
pub use mutation::Mutation;
pub use observe::status::InstanceStatus;
pub use power::{
    event::Event,
    event_stream::{EventStream, ReportFuture},
    options::PowerRequestOptions,
    plan::PlannedCall,
    report::{Evidence, IncompleteError, InstanceReport, Outcome, Pending, Report},
    waves::Waves,
};
#[cfg(feature = "reqwest")]
pub use transport::http::{HttpTransport, HttpTransportBuilder};
pub use transport::{Transport, TransportError, plain_http::PlainHttp};
