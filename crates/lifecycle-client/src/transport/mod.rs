//! Transports: send one signed request and return the response.

#[cfg(feature = "reqwest")]
mod body; // the body of a response while it arrives
#[cfg(feature = "reqwest")]
pub(crate) mod http; // the transport to real clouds
pub(crate) mod markers; // marks on requests: no proxy, own connection
pub(crate) mod plain_http; // the rule for endpoints without TLS
#[cfg(feature = "reqwest")]
pub(crate) mod proxy; // proxies of the environment
#[cfg(feature = "reqwest")]
mod route; // server and proxy in error messages
#[cfg(feature = "reqwest")]
mod system_certificates; // certificate stores of the environment

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_core::{ExecutionStatus, Fault, FaultKind, HttpResponse};

/// Sends one request and returns the response. No retries, no redirects, no signing.
///
/// A transport needs no timeouts: the client drops the future at the deadline of the call.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` unchanged and reads the whole response, whatever the status.
    ///
    /// # Errors
    /// [`TransportError`] if there is no complete response. The error says whether the request may
    /// have reached the cloud.
    async fn send(&self, request: ::http::Request<Bytes>) -> Result<HttpResponse, TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, request: ::http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        (**self).send(request).await
    }
}

/// The error of a request without a response. The client converts the error into a [`Fault`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    execution: ExecutionStatus,
    kind: Option<FaultKind>,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// Returns an error for a request that was not sent: no address, connection refused, no TLS
    /// session.
    pub fn unsent(message: impl Into<String>) -> Self {
        Self {
            execution: ExecutionStatus::NotExecuted,
            kind: None,
            message: message.into(),
            source: None,
        }
    }

    /// Returns an error for a request that may have arrived: the connection broke, or no response came,
    /// after the request was sent.
    pub fn unclear(message: impl Into<String>) -> Self {
        Self {
            execution: ExecutionStatus::Unknown,
            kind: None,
            message: message.into(),
            source: None,
        }
    }

    /// Sets the underlying error. The text of `source` must contain no URL and no header.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the kind of the fault, if the client must not send the request again:
    /// [`FaultKind::Certificate`] or [`FaultKind::Proxy`].
    #[must_use]
    pub fn with_kind(mut self, kind: FaultKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Returns whether the cloud may have executed the request.
    pub fn execution_status(&self) -> ExecutionStatus {
        self.execution
    }

    /// Returns the fault of the call, with the texts of all causes.
    pub fn to_fault(&self) -> Fault {
        let kind = match (self.kind, self.execution) {
            (Some(kind), _) => kind,
            (None, ExecutionStatus::NotExecuted) => FaultKind::Unreachable,
            _ => FaultKind::NoAnswer,
        };
        let mut message = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Fault::new(kind, message).with_execution_status(self.execution)
    }
}

/// Returns the fault of a call to `uri` without a response within `limit`.
pub(crate) fn no_response(uri: &::http::Uri, limit: Duration) -> Fault {
    let host = uri.host().unwrap_or("the cloud");
    Fault::new(
        FaultKind::NoAnswer,
        format!(
            "no response from {host} within {:.1} s",
            limit.as_secs_f64()
        ),
    )
}
