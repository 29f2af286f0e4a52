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
    Account, BadReference, Cloud, Fleet, FleetBuilder, FleetError, FleetEvent, FleetEvents,
    FleetIncomplete, FleetPlannedCall, FleetReport, FleetRequest, FleetRow, FleetStatus, FleetWait,
    Keys, Network, Origins, Place, Probe, Reference,
};

pub use lifecycle_client::{
    Calls, Chain, Client, ClientBuilder, Clock, CredentialSource, Error, Event, Events, Evidence,
    HttpTransport, HttpTransportBuilder, Incomplete, InstanceReport, List, NoCredential, Observe,
    Outcome, Patience, Pending, PlainHttp, PlannedCall, PowerRequest, Report, Resolver,
    RetryPolicy, Standing, StaticCredential, Status, SystemClock, Terms, ThisMachine, Timeouts,
    Transport, TransportError, Unresolved, WaitRequest, Waves, Work,
};
pub use lifecycle_core as core;
pub use lifecycle_core::{
    BareMachine, Billing, Credential, Endpoint, Fault, FaultKind, InstanceId, LocalDisk,
    Observation, Pace, PowerState, Profile, Provider, Rate, RebootOptions, StartOptions, StopMode,
    StopOptions, StoppedBilling, Verb,
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
