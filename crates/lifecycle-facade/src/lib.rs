#![cfg_attr(
    // The README's example is a test, and it needs a cloud.
    any(
        not(doctest),
        feature = "baidu",
        feature = "aliyun",
        feature = "zenlayer",
        feature = "huawei"
    ),
    doc = include_str!("../README.md")
)]

#[cfg(feature = "config")]
pub mod config;

// A build without any cloud has the client and the vocabulary, for those who bring a provider.
#[cfg(any(
    feature = "baidu",
    feature = "aliyun",
    feature = "zenlayer",
    feature = "huawei"
))]
mod fleet;

#[cfg(any(
    feature = "baidu",
    feature = "aliyun",
    feature = "zenlayer",
    feature = "huawei"
))]
pub use fleet::{
    Account, Cloud, CredentialSettings, CredentialSourceFactory, DoctorProbe, EndpointNetwork,
    Fleet, FleetBuilder, FleetError, FleetEvent, FleetEventStream, FleetIncompleteError,
    FleetPlannedCall, FleetReport, FleetRequest, FleetRow, FleetStatus, FleetWait,
    InstanceReference, Location, ParseReferenceError,
};

pub use lifecycle_client::{
    CachedCredentials, CallCounts, Client, ClientBuilder, Clock, CredentialError, CredentialInfo,
    CredentialProvider, Error, Event, EventStream, Evidence, HttpTransport, HttpTransportBuilder,
    IncompleteError, InstanceReport, InstanceStatus, ListRequest, ObserveRequest, Outcome, Pending,
    PlainHttp, PlannedCall, PowerRequest, PowerRequestOptions, Report, ReportFuture, ResolveError,
    RetryPolicy, StaticCredential, StepDriver, SystemClock, SystemHost, Timeouts, Transport,
    TransportError, WaitRequest, WaitTimeout, Waves,
};
pub use lifecycle_core as core;
pub use lifecycle_core::{
    ActionKind, Credential, EmptyHost, Endpoint, Fault, FaultKind, InstanceId, LocalDisk,
    Observation, PowerState, Profile, Provider, Rate, RateLimits, RebootOptions, StartOptions,
    StopBilling, StopMode, StopOptions, StoppedBilling,
};

/// Alibaba Cloud ECS.
#[cfg(feature = "aliyun")]
pub use provider_aliyun as aliyun;
/// Baidu AI Cloud BCC.
#[cfg(feature = "baidu")]
pub use provider_baidu as baidu;
/// Huawei Cloud ECS.
#[cfg(feature = "huawei")]
pub use provider_huawei as huawei;
/// Zenlayer Elastic Compute (ZEC).
#[cfg(feature = "zenlayer")]
pub use provider_zenlayer as zenlayer;
