#![cfg_attr(
    // The example of the README is a test, and needs a cloud.
    any(not(doctest), feature = "full"),
    doc = include_str!("../README.md")
)]

#[cfg(any(feature = "_cloud", feature = "config"))]
mod cloud;
#[cfg(feature = "config")]
pub mod config;
// A build without a cloud has the client and the vocabulary, for programs with a provider of their own.
#[cfg(feature = "_cloud")]
mod fleet;

#[cfg(any(feature = "_cloud", feature = "config"))]
mod suggest;

#[cfg(feature = "_cloud")]
#[allow(
    unused_imports,
    unreachable_pub,
    reason = "a build for clouds from outside has no provider of this crate"
)]
pub use cloud::providers::*;
#[cfg(feature = "_cloud")]
pub use cloud::{
    BuildProvider, BuiltProvider, Cloud, CloudEntry, EndpointFn, ExternalCloud, LocationSettings,
    ParseReferenceError, SourceFn,
};
#[cfg(any(feature = "_cloud", feature = "config"))]
pub use cloud::{CloudRegions, EndpointNetwork};
#[cfg(feature = "_cloud")]
pub use fleet::{
    Account, CredentialSettings, CredentialSourceFactory, DoctorProbe, Fleet, FleetBuilder,
    FleetError, FleetEvent, FleetEventStream, FleetReport, FleetRequest, FleetRow, FleetWait,
    InstanceReference, IntoLocation, IntoTargets, Location, LocationPattern, Protection,
    ProtectionCheck, ResolvedLocation, ResolvedLocations, SelectedInstance, Selection, Selector,
    UnavailableLocation, UnreadInstance,
};

pub use lifecycle_client::file;
#[cfg(any(feature = "_cloud", feature = "config"))]
pub use suggest::did_you_mean;

pub use lifecycle_client::{
    AdaptiveRate, CachedCredentials, CallAnswer, CallCounts, CallRecorder, Client, ClientBuilder,
    ClientLabels, ClientStats, Clock, CredentialError, CredentialInfo, CredentialProvider, Error,
    Event, EventStream, Evidence, FailureLimit, HttpTransport, HttpTransportBuilder,
    InMemoryRateLimit, IncompleteError, InstanceReport, InstanceStatus, IntoInstances,
    LimitedCalls, ListDefect, ListRequest, ObserveRequest, OperationStats, Outcome, OutcomeStats,
    Pending, PermitLease, PermitRequest, PlainHttp, PlannedCall, PowerRequest, PowerRequestOptions,
    RateChange, RateChanged, RateLimitScope, RateLimitStats, RecordError, RecordedCall,
    RecordedRequest, Recorder, RejectedKey, Report, ReportFuture, ResolveError, ResumePoint,
    RetryPolicy, SelectFuture, SelectInstances, SelectedInstances, SharedRate, SharedRateError,
    SharedRateLimit, SimulatedClouds, StaticCredential, StatsEvent, StatsObserver, StepDriver,
    SystemClock, SystemHost, Target, Timeouts, Transport, TransportError, WaitRequest, WaitTimeout,
    WaveSize, Waves, WavesUntil, distinct_instances, proxy_variable,
};
pub use lifecycle_core;
pub use lifecycle_core::{
    Action, ActionKind, ChargeType, Credential, EmptyHost, Endpoint, Fault, FaultKind, FilterMatch,
    FilterSupport, InstanceDetails, InstanceFilter, InstanceId, IpAddresses, LocalDisk,
    NamePattern, Observation, ParseActionKindError, ParseFilterError, PowerState, Profile,
    Provider, Rate, RateLimits, RebootOptions, Region, ReportedTime, StartOptions, StopBilling,
    StopMode, StopOptions, StoppedBilling, Tag, TagCondition,
};
