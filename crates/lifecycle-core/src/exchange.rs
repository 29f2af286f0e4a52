//! Steps of an exchange: what to ask next, and what to make of the answer.

use std::fmt;

use bytes::Bytes;

use crate::{Fault, HttpResponse, ProviderContext};

/// How far somebody is on the way to a `T`, such as a key. Whoever drives it asks what it says and
/// hands the answer on.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever drives it must know every step"
)]
pub enum ExchangeStep<T> {
    /// There it is.
    Done(T),
    /// Nothing is set up here; the text says what was looked for. Somewhere else may have it.
    NotConfigured(String),
    /// It is set up and cannot be used, or whoever was asked refused.
    Failed(Fault),
    /// Send this request.
    Http(Box<HttpExchange<T>>),
    /// Run this program.
    Program(RunProgram<T>),
}

impl<T: 'static> ExchangeStep<T> {
    /// Sends `request`, and goes on with its answer, or with the fault of a call without one.
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

    /// Runs a program, and goes on with what it wrote.
    pub fn program(
        command: Vec<String>,
        then: impl FnOnce(Result<String, Fault>, &ProviderContext<'_>) -> Self + Send + 'static,
    ) -> Self {
        Self::Program(RunProgram {
            command,
            then: Box::new(then),
        })
    }

    /// Goes on with the result.
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

    /// Goes on elsewhere when nothing is set up here; `next` is told what was looked for.
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
            Self::Http(ask) => {
                let HttpExchange {
                    operation,
                    service,
                    request,
                    then,
                } = *ask;
                ExchangeStep::Http(Box::new(HttpExchange {
                    operation,
                    service,
                    request,
                    then: Box::new(|reply, ctx| then(reply, ctx).bind(ctx, next)),
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

/// A step after which nothing is asked.
enum End<T> {
    Done(T),
    NotConfigured(String),
    Failed(Fault),
}

type Next<T, U> = Box<dyn FnOnce(End<T>, &ProviderContext<'_>) -> ExchangeStep<U> + Send>;
type Then<A, T> = Box<dyn FnOnce(Result<A, Fault>, &ProviderContext<'_>) -> ExchangeStep<T> + Send>;

/// A request, and what its answer leads to.
pub struct HttpExchange<T> {
    /// The service's own name of the operation, such as `AssumeRole`.
    pub operation: &'static str,
    /// Over which way it goes.
    pub service: ServiceKind,
    /// The request, ready to be sent. It may hold secrets.
    pub request: http::Request<Bytes>,
    then: Then<HttpResponse, T>,
}

impl<T> HttpExchange<T> {
    /// Goes on with the answer, or with the fault of a call without one.
    pub fn then(
        self,
        reply: Result<HttpResponse, Fault>,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<T> {
        (self.then)(reply, ctx)
    }
}

impl<T> fmt::Debug for HttpExchange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpExchange")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// A program to run, and what its output leads to.
pub struct RunProgram<T> {
    /// The program and its arguments. No shell reads them.
    pub command: Vec<String>,
    then: Then<String, T>,
}

impl<T> RunProgram<T> {
    /// Goes on with what the program wrote to its standard output, or with why it failed.
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

/// Over which way a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever sends must know every way")]
pub enum ServiceKind {
    /// To a service somewhere: encrypted, perhaps through a proxy, repeated when it may help.
    Identity,
    /// To the metadata service of the machine itself: plain HTTP, never through a proxy, and given
    /// up soon, because most machines have none.
    Metadata,
}
