//! Test helper: runs an [`ExchangeStep`] to the end with scripted answers.

use std::fmt::Debug;

use bytes::Bytes;
use http::Request;
use lifecycle_core::{
    Credential, ExchangeStep, Fault, FaultKind, HttpResponse, ProviderContext, Secret, ServiceKind,
};
use serde_json::Value;

use crate::{HIDDEN, response};

/// The answer to one step.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a step has no other kind of answer"
)]
pub enum ScriptedAnswer {
    /// The response to a request, or the fault of a request without a response.
    Http(Result<HttpResponse, Fault>),
    /// The standard output of a program, or the fault of the program.
    Program(Result<String, Fault>),
}

impl ScriptedAnswer {
    /// Returns a response without headers.
    pub fn http(status: u16, body: &(impl ToString + ?Sized)) -> Self {
        Self::Http(Ok(response(status, body)))
    }

    /// Returns a request without a response.
    pub fn no_response(kind: FaultKind) -> Self {
        Self::Http(Err(Fault::new(kind, "silence")))
    }

    /// Returns a program that succeeded with this output.
    pub fn output(text: impl Into<String>) -> Self {
        Self::Program(Ok(text.into()))
    }
}

/// An executed step.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an exchange has no other kind of step"
)]
pub enum SentStep {
    /// A request.
    Http {
        /// The name of the operation.
        operation: &'static str,
        /// The kind of the service.
        service: ServiceKind,
        /// The request.
        request: Box<Request<Bytes>>,
    },
    /// A program with arguments.
    Program(Vec<String>),
}

/// The executed steps and the end of an exchange.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExchangeRun<T> {
    /// The executed steps, in order.
    pub sent: Vec<SentStep>,
    /// The step after the last answer.
    pub end: ExchangeStep<T>,
}

/// Runs an exchange from `step`, with an answer for each step.
///
/// # Panics
/// If an answer is left, if an answer does not fit its step, or if the end shows a secret.
pub fn run_exchange<T: Debug>(
    mut step: ExchangeStep<T>,
    ctx: &ProviderContext<'_>,
    answers: impl IntoIterator<Item = ScriptedAnswer>,
) -> ExchangeRun<T> {
    let mut sent = Vec::new();
    for answer in answers {
        step = match (step, answer) {
            (ExchangeStep::Http(exchange), ScriptedAnswer::Http(response)) => {
                sent.push(SentStep::Http {
                    operation: exchange.operation,
                    service: exchange.service,
                    request: Box::new(exchange.request.clone()),
                });
                exchange.then(response, ctx)
            }
            (ExchangeStep::Program(run), ScriptedAnswer::Program(output)) => {
                sent.push(SentStep::Program(run.command.clone()));
                run.then(output, ctx)
            }
            (step, answer) => panic!("{answer:?} does not answer {step:?} after {sent:?}"),
        };
    }
    let shown = match &step {
        ExchangeStep::Failed(fault) => format!("{fault} {fault:?}"),
        other => format!("{other:?}"),
    };
    assert!(!shown.contains(HIDDEN), "{shown}");
    ExchangeRun { sent, end: step }
}

impl<T: Debug> ExchangeRun<T> {
    /// Returns the result.
    ///
    /// # Panics
    /// If the exchange has another end.
    pub fn done(self) -> T {
        match self.end {
            ExchangeStep::Done(value) => value,
            other => panic!("{other:?} after {:?}", self.sent),
        }
    }

    /// Returns the fault.
    ///
    /// # Panics
    /// If the exchange has another end.
    pub fn fault(self) -> Fault {
        match self.end {
            ExchangeStep::Failed(fault) => fault,
            other => panic!("{other:?} after {:?}", self.sent),
        }
    }

    /// Returns the reason of [`ExchangeStep::NotConfigured`].
    ///
    /// # Panics
    /// If the exchange has another end.
    pub fn expect_not_configured(self) -> String {
        match self.end {
            ExchangeStep::NotConfigured(reason) => reason,
            other => panic!("{other:?} after {:?}", self.sent),
        }
    }

    /// Returns a line for each step: `METHOD URI`, or the program with arguments.
    pub fn lines(&self) -> Vec<String> {
        let line = |step: &SentStep| match step {
            SentStep::Http { request, .. } => format!("{} {}", request.method(), request.uri()),
            SentStep::Program(command) => command.join(" "),
        };
        self.sent.iter().map(line).collect()
    }

    /// Returns the request of the step with this index.
    ///
    /// # Panics
    /// If the step is not a request.
    pub fn request(&self, index: usize) -> &Request<Bytes> {
        match &self.sent[index] {
            SentStep::Http { request, .. } => request,
            SentStep::Program(command) => panic!("{command:?} is not a request"),
        }
    }

    /// Returns a header of the request with this index; `None` if the header is absent.
    ///
    /// # Panics
    /// If the step is not a request.
    pub fn header(&self, index: usize, name: &str) -> Option<&str> {
        self.request(index).headers().get(name)?.to_str().ok()
    }

    /// Returns the JSON body of the request with this index.
    ///
    /// # Panics
    /// If the step is not a request, or the body is not JSON.
    pub fn body(&self, index: usize) -> Value {
        serde_json::from_slice(self.request(index).body()).expect("JSON")
    }
}

/// Returns the id and the session token of a key; for a bearer token, the word `token` as id.
pub fn id_and_session(key: &Credential) -> (&str, Option<&str>) {
    match key {
        Credential::Keys { id, session, .. } => (id, session.as_ref().map(Secret::expose)),
        _ => ("token", None),
    }
}
