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
mod flaw;
#[cfg(feature = "reqwest")]
mod http_transport;
mod job;
mod list;
mod look;
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

pub use client::{Calls, Client, ClientBuilder, PlainHttp};
pub use clock::{Clock, SystemClock};
pub use credentials::{
    Chain, CredentialSource, NoCredential, Resolver, Standing, StaticCredential, ThisMachine,
    Unresolved,
};
pub use error::Error;
pub use event::Event;
#[cfg(feature = "flaws")]
#[doc(hidden)]
pub use flaw::Flaw;
#[cfg(feature = "reqwest")]
pub use http_transport::{HttpTransport, HttpTransportBuilder};
pub use list::List;
pub use observe::{Observe, Status};
pub use plan::PlannedCall;
pub use policy::{Patience, RetryPolicy, Timeouts};
pub use report::{Evidence, Incomplete, InstanceReport, Outcome, Pending, Report};
pub use request::{Events, PowerRequest, WaitRequest, Work};
pub use terms::Terms;
pub use transport::{Transport, TransportError};
pub use waves::Waves;
