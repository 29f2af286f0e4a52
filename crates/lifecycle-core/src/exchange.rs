//! `ExchangeStep`: the next request or program of a credential exchange, and the function that
//! reads the answer.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{
    Credential, Fault, HttpResponse, ProviderContext, Scrubber, mark_secrets,
    scrub::ExcerptScrubber,
};

/// The state of an exchange that ends with a `T`, such as a key. The driver of the exchange sends
/// the request or runs the program, and passes the answer to the step.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle every step")]
pub enum ExchangeStep<T> {
    /// The result.
    Done(T),
    /// The source is not configured. The text names the settings that were searched. Another source
    /// may have the result.
    NotConfigured(String),
    /// The source is configured and cannot be used, or a service rejected the request.
    Failed(Fault),
    /// A request to send.
    Http(Box<HttpExchange<T>>),
    /// A program to run.
    Program(RunProgram<T>),
}

impl<T: 'static> ExchangeStep<T> {
    /// Returns a step that sends `request`. `then` takes the response, or the fault of a request
    /// without a response.
    pub fn http(
        operation: &'static str,
        service: ServiceKind,
        request: http::Request<Bytes>,
        then: impl FnOnce(Result<HttpResponse, Fault>, &ProviderContext<'_>) -> Self + Send + 'static,
    ) -> Self {
        Self::Http(Box::new(HttpExchange {
            operation,
            service,
            request,
            then: Box::new(then),
        }))
    }

    /// Returns a step that sends a request to an identity service, signed with `key`. The secrets
    /// of the key are removed from the response before `read` reads the response.
    pub fn signed(
        operation: &'static str,
        request: Result<http::Request<Bytes>, Fault>,
        key: &Credential,
        read: impl FnOnce(&HttpResponse) -> Result<T, Fault> + Send + 'static,
    ) -> Self {
        let mut request = match request {
            Ok(request) => request,
            Err(fault) => return Self::Failed(fault),
        };
        mark_secrets(&mut request, key.secrets());
        Self::http(
            operation,
            ServiceKind::Identity,
            request,
            move |response, _| response.and_then(|response| read(&response)).into(),
        )
    }

    /// Returns a step that runs a program. `then` takes the standard output, or the fault of the
    /// program.
    pub fn program(
        command: Vec<String>,
        then: impl FnOnce(Result<String, Fault>, &ProviderContext<'_>) -> Self + Send + 'static,
    ) -> Self {
        Self::Program(RunProgram {
            command,
            then: Box::new(then),
        })
    }

    /// Continues with `next` after the result.
    pub fn and_then<U: 'static>(
        self,
        ctx: &ProviderContext<'_>,
        next: impl FnOnce(T, &ProviderContext<'_>) -> ExchangeStep<U> + Send + 'static,
    ) -> ExchangeStep<U> {
        self.bind(
            ctx,
            Box::new(|end, ctx| match end {
                End::Done(value) => next(value, ctx),
                End::NotConfigured(why) => ExchangeStep::NotConfigured(why),
                End::Failed(fault) => ExchangeStep::Failed(fault),
            }),
        )
    }

    /// Continues with `next` if the source is not configured. `next` takes the reason.
    pub fn or_else(
        self,
        ctx: &ProviderContext<'_>,
        next: impl FnOnce(String, &ProviderContext<'_>) -> Self + Send + 'static,
    ) -> Self {
        self.bind(
            ctx,
            Box::new(|end, ctx| match end {
                End::Done(value) => Self::Done(value),
                End::NotConfigured(why) => next(why, ctx),
                End::Failed(fault) => Self::Failed(fault),
            }),
        )
    }

    fn bind<U: 'static>(self, ctx: &ProviderContext<'_>, next: Next<T, U>) -> ExchangeStep<U> {
        match self {
            Self::Done(value) => next(End::Done(value), ctx),
            Self::NotConfigured(why) => next(End::NotConfigured(why), ctx),
            Self::Failed(fault) => next(End::Failed(fault), ctx),
            Self::Http(exchange) => {
                let HttpExchange {
                    operation,
                    service,
                    request,
                    then,
                } = *exchange;
                ExchangeStep::Http(Box::new(HttpExchange {
                    operation,
                    service,
                    request,
                    then: Box::new(|response, ctx| then(response, ctx).bind(ctx, next)),
                }))
            }
            Self::Program(run) => ExchangeStep::Program(RunProgram {
                command: run.command,
                then: Box::new(|output, ctx| (run.then)(output, ctx).bind(ctx, next)),
            }),
        }
    }
}

impl<T> From<Result<T, Fault>> for ExchangeStep<T> {
    fn from(result: Result<T, Fault>) -> Self {
        match result {
            Ok(value) => Self::Done(value),
            Err(fault) => Self::Failed(fault),
        }
    }
}

/// The end of an exchange.
enum End<T> {
    Done(T),
    NotConfigured(String),
    Failed(Fault),
}

type Next<T, U> = Box<dyn FnOnce(End<T>, &ProviderContext<'_>) -> ExchangeStep<U> + Send>;
type Then<A, T> = Box<dyn FnOnce(Result<A, Fault>, &ProviderContext<'_>) -> ExchangeStep<T> + Send>;

/// A request, and the function that takes the response.
pub struct HttpExchange<T> {
    /// The name of the operation in the terms of the service, such as `AssumeRole`.
    pub operation: &'static str,
    /// The kind of the service, which decides about proxy, encryption and retries.
    pub service: ServiceKind,
    /// The signed request. The request may hold secrets; a secret outside of sensitive headers is
    /// marked with [`mark_secrets`](crate::mark_secrets).
    pub request: http::Request<Bytes>,
    then: Then<HttpResponse, T>,
}

impl<T> HttpExchange<T> {
    /// Returns the next step after the response, or after the fault of a request without a response.
    /// Removes the secrets of the request from an error response, and from the fault and the excerpt of a
    /// successful response. The key in a successful response is never changed.
    pub fn then(
        self,
        mut response: Result<HttpResponse, Fault>,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<T> {
        let scrubber = Arc::new(Scrubber::new(&self.request, None));
        match &mut response {
            Ok(response) if response.status().is_success() => {
                ExcerptScrubber(scrubber.clone()).attach(response);
            }
            Ok(response) => scrubber.scrub(response),
            Err(_) => {}
        }
        match (self.then)(response, ctx) {
            ExchangeStep::Failed(fault) => ExchangeStep::Failed(scrubber.scrub_fault(fault)),
            step => step,
        }
    }
}

impl<T> fmt::Debug for HttpExchange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpExchange")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// A program to run, and the function that takes the output.
pub struct RunProgram<T> {
    /// The program and its arguments, without a shell.
    pub command: Vec<String>,
    then: Then<String, T>,
}

impl<T> RunProgram<T> {
    /// Returns the next step after the standard output of the program, or after the fault of the
    /// program.
    pub fn then(self, output: Result<String, Fault>, ctx: &ProviderContext<'_>) -> ExchangeStep<T> {
        (self.then)(output, ctx)
    }
}

impl<T> fmt::Debug for RunProgram<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunProgram")
            .field("program", &self.command.first())
            .finish_non_exhaustive()
    }
}

/// The kind of the service that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle every kind")]
pub enum ServiceKind {
    /// A service on the network: HTTPS, with the configured proxy and with retries.
    Identity,
    /// The metadata service of the local machine: plain HTTP, without a proxy, and with a short
    /// timeout, because most machines have no metadata service.
    Metadata,
}
