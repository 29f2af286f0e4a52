//! Steps of an exchange: what to ask next, and what to make of the answer.

use std::fmt;

use bytes::Bytes;

use crate::{Fault, Reply, Surroundings};

/// How far somebody is on the way to a `T`, such as a key. Whoever drives it asks what it says and
/// hands the answer on.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever drives it must know every step"
)]
pub enum Step<T> {
    /// There it is.
    Done(T),
    /// Nothing is set up here; the text says what was looked for. Somewhere else may have it.
    Absent(String),
    /// It is set up and cannot be used, or whoever was asked refused.
    Failed(Fault),
    /// Send this request.
    Ask(Box<Ask<T>>),
    /// Run this program.
    Run(Run<T>),
}

impl<T: 'static> Step<T> {
    /// Sends `request`, and goes on with its answer, or with the fault of a call without one.
    pub fn ask(
        operation: &'static str,
        reach: Reach,
        request: http::Request<Bytes>,
        then: impl FnOnce(Result<Reply, Fault>, &Surroundings<'_>) -> Self + Send + 'static,
    ) -> Self {
        Self::Ask(Box::new(Ask {
            operation,
            reach,
            request,
            then: Box::new(then),
        }))
    }

    /// Runs a program, and goes on with what it wrote.
    pub fn run(
        command: Vec<String>,
        then: impl FnOnce(Result<String, Fault>, &Surroundings<'_>) -> Self + Send + 'static,
    ) -> Self {
        Self::Run(Run {
            command,
            then: Box::new(then),
        })
    }

    /// Goes on with the result.
    pub fn and_then<U: 'static>(
        self,
        around: &Surroundings<'_>,
        next: impl FnOnce(T, &Surroundings<'_>) -> Step<U> + Send + 'static,
    ) -> Step<U> {
        self.bind(
            around,
            Box::new(|end, around| match end {
                End::Done(value) => next(value, around),
                End::Absent(why) => Step::Absent(why),
                End::Failed(fault) => Step::Failed(fault),
            }),
        )
    }

    /// Goes on elsewhere when nothing is set up here; `next` is told what was looked for.
    pub fn or_else(
        self,
        around: &Surroundings<'_>,
        next: impl FnOnce(String, &Surroundings<'_>) -> Self + Send + 'static,
    ) -> Self {
        self.bind(
            around,
            Box::new(|end, around| match end {
                End::Done(value) => Self::Done(value),
                End::Absent(why) => next(why, around),
                End::Failed(fault) => Self::Failed(fault),
            }),
        )
    }

    fn bind<U: 'static>(self, around: &Surroundings<'_>, next: Next<T, U>) -> Step<U> {
        match self {
            Self::Done(value) => next(End::Done(value), around),
            Self::Absent(why) => next(End::Absent(why), around),
            Self::Failed(fault) => next(End::Failed(fault), around),
            Self::Ask(ask) => {
                let Ask {
                    operation,
                    reach,
                    request,
                    then,
                } = *ask;
                Step::Ask(Box::new(Ask {
                    operation,
                    reach,
                    request,
                    then: Box::new(|reply, around| then(reply, around).bind(around, next)),
                }))
            }
            Self::Run(run) => Step::Run(Run {
                command: run.command,
                then: Box::new(|output, around| (run.then)(output, around).bind(around, next)),
            }),
        }
    }
}

impl<T> From<Result<T, Fault>> for Step<T> {
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
    Absent(String),
    Failed(Fault),
}

type Next<T, U> = Box<dyn FnOnce(End<T>, &Surroundings<'_>) -> Step<U> + Send>;
type Then<A, T> = Box<dyn FnOnce(Result<A, Fault>, &Surroundings<'_>) -> Step<T> + Send>;

/// A request, and what its answer leads to.
pub struct Ask<T> {
    /// The service's own name of the operation, such as `AssumeRole`.
    pub operation: &'static str,
    /// Over which way it goes.
    pub reach: Reach,
    /// The request, ready to be sent. It may hold secrets.
    pub request: http::Request<Bytes>,
    then: Then<Reply, T>,
}

impl<T> Ask<T> {
    /// Goes on with the answer, or with the fault of a call without one.
    pub fn then(self, reply: Result<Reply, Fault>, around: &Surroundings<'_>) -> Step<T> {
        (self.then)(reply, around)
    }
}

impl<T> fmt::Debug for Ask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// A program to run, and what its output leads to.
pub struct Run<T> {
    /// The program and its arguments. No shell reads them.
    pub command: Vec<String>,
    then: Then<String, T>,
}

impl<T> Run<T> {
    /// Goes on with what the program wrote to its standard output, or with why it failed.
    pub fn then(self, output: Result<String, Fault>, around: &Surroundings<'_>) -> Step<T> {
        (self.then)(output, around)
    }
}

impl<T> fmt::Debug for Run<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("program", &self.command.first())
            .finish_non_exhaustive()
    }
}

/// Over which way a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever sends must know every way")]
pub enum Reach {
    /// To a service somewhere: encrypted, perhaps through a proxy, repeated when it may help.
    Service,
    /// To the metadata service of the machine itself: plain HTTP, never through a proxy, and given
    /// up soon, because most machines have none.
    Metadata,
}
