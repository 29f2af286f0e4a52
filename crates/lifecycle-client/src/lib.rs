#![doc = include_str!("../README.md")]
// The engine that sends calls to any cloud. The README is the documentation of the crate.

mod call;
mod client;
mod credentials;
mod error;
pub mod file;
mod instant;
mod mutation;
mod observe;
mod power;
mod sync;
mod transport;

pub use call::{
    adaptive_rate::AdaptiveRate,
    clock::{Clock, SystemClock},
    counters::CallCounts,
    credential::{CredentialError, CredentialInfo, CredentialProvider, StaticCredential},
    in_memory_rate::InMemoryRateLimit,
    key_health::AccessKeyRecord,
    policy::{RetryPolicy, Timeouts, WaitTimeout},
    shared_rate::{
        LimitedCalls, PermitLease, PermitRequest, RateChange, RateChanged, RateLimitScope,
        RejectedKey, SharedRate, SharedRateError, SharedRateLimit,
    },
    simulated_clouds::SimulatedClouds,
    stats::{
        ClientLabels, ClientStats, OperationStats, OutcomeStats, RateLimitStats, StatsEvent,
        StatsObserver,
    },
};
pub use client::{
    Client, ClientBuilder, IntoInstances, ListRequest, ObserveRequest, PowerRequest, SelectFuture,
    SelectInstances, SelectedInstances, Target, WaitRequest, distinct_instances,
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
    recorder::{CallAnswer, CallRecorder, RecordError, RecordedCall, RecordedRequest, Recorder},
    report::{Evidence, IncompleteError, InstanceReport, Outcome, Pending, Report},
    resume_point::ResumePoint,
    until::WavesUntil,
    waves::{FailureLimit, WaveSize, Waves},
};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use transport::proxy::proxy_variable_of;
pub use transport::{Transport, TransportError, markers::OwnConnection, plain_http::PlainHttp};
#[cfg(feature = "reqwest")]
pub use transport::{
    http::{HttpTransport, HttpTransportBuilder},
    proxy::proxy_variable,
};
