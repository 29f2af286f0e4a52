#![doc = include_str!("../README.md")]
// The types and traits that the client and the providers share. The README is the documentation of the crate.

mod action;
mod credential;
pub mod credential_source;
mod details;
pub mod encode;
mod endpoint;
mod exchange;
mod fault;
mod filter;
mod host;
mod instance;
mod ip_addresses;
mod lenient;
mod list;
mod profile;
mod provider;
mod reported_time;
mod response;
mod scrub;
#[cfg(feature = "serde")]
mod serde_impls;
mod signing_context;
mod state;
mod text_pool;

pub use action::{
    Action, ActionKind, Idempotency, LocalDisk, ParseActionKindError, RebootOptions, StartOptions,
    StopBilling, StopMode, StopOptions,
};
pub use credential::{Credential, Secret, header, sensitive_header};
pub use credential_source::{CredentialSource, CredentialSourceConfig, ResolvedCredential};
pub use details::{ChargeType, InstanceDetails, Tag};
pub use endpoint::{Endpoint, ParseEndpointError, is_loopback};
pub use exchange::{ExchangeStep, HttpExchange, RunProgram, ServiceKind};
pub use fault::{ExecutionStatus, Fault, FaultKind};
pub use filter::{
    FilterMatch, FilterSupport, InstanceFilter, NamePattern, ParseFilterError, TagCondition,
};
pub use host::{EmptyHost, HostEnvironment, ProviderContext};
pub use instance::{InstanceId, JobId, PageToken, ParseInstanceIdError};
pub use ip_addresses::IpAddresses;
pub use lenient::{
    LenientField, LenientId, LenientList, LenientObject, LenientRows, LenientText, LenientTexts,
    RawText,
};
pub use list::{ListPage, ListQuery, NextPage, Region};
pub use profile::{BatchLimits, EnvVarNames, PollingPolicy, Profile, Rate, RateLimits, Support};
pub use provider::{ApiCall, BatchAck, JobProgress, JobStatus, Provider, UnsignedRequest};
pub use reported_time::ReportedTime;
pub use response::{HttpResponse, ResponseExt};
pub use scrub::{Scrubber, mark_secrets};
pub use signing_context::SigningContext;
pub use state::{Lock, Observation, PowerState, StoppedBilling};
pub use text_pool::TextPool;
