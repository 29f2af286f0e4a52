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
    BadReference, Cloud, Fleet, FleetBuilder, FleetError, FleetEvent, FleetEvents, FleetIncomplete,
    FleetPlannedCall, FleetReport, FleetRequest, FleetRow, FleetStatus, FleetWait, Place,
    Reference,
};

pub use lifecycle_client::{
    Calls, Client, ClientBuilder, Clock, CredentialSource, Error, Event, Events, Evidence,
    HttpTransport, Incomplete, InstanceReport, List, NoCredential, Observe, Outcome, Patience,
    Pending, PlainHttp, PlannedCall, PowerRequest, Report, RetryPolicy, StaticCredential, Status,
    SystemClock, Terms, Timeouts, Transport, TransportError, WaitRequest, Waves, Work,
    credential_from, credential_from_environment,
};
pub use lifecycle_core as core;
pub use lifecycle_core::{
    Billing, Credential, Endpoint, Fault, FaultKind, InstanceId, LocalDisk, Observation, Pace,
    PowerState, Profile, Provider, Rate, RebootOptions, StartOptions, StopMode, StopOptions,
    StoppedBilling, Verb,
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
