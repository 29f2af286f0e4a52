//! The seam: what one cloud knows, as pure functions.

use std::fmt;

use bytes::Bytes;

use crate::{
    Action, Credential, Fault, FaultKind, HttpResponse, InstanceId, JobId, Observation, PageToken,
    Profile, ResponseExt, SigningContext,
};

/// What one cloud knows: how its requests look, how they are signed, what its answers mean.
///
/// No I/O, no clock, no retries, no async. Whoever drives a provider sends the signed request,
/// hands the answer first to [`check`](Provider::check) and then to [`ApiCall::read`], and decides
/// about repeating; a provider never does.
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Name, limits, pace and supported options: plain data.
    fn profile(&self) -> &Profile;

    /// The request that asks for `action` on `ids`, and how to read its answer.
    ///
    /// `ids` holds at least one id and at most the limit of the profile for this action.
    ///
    /// # Errors
    /// [`FaultKind::Unsupported`](crate::FaultKind::Unsupported) for an option that the cloud
    /// cannot honour; nothing may be sent then.
    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault>;

    /// The request that reads the states of `ids`. The answer holds a row per instance that the
    /// cloud knows, in any order; an id that it does not know has no row.
    ///
    /// # Errors
    /// A fault when such a request cannot be built; nothing may be sent then.
    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault>;

    /// The request that reads one page of all instances; `None` asks for the first page.
    ///
    /// # Errors
    /// A fault when such a request cannot be built; nothing may be sent then.
    fn list(&self, page: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault>;

    /// The request that follows a job, on clouds that answer an action with one.
    fn follow(&self, job: &JobId) -> Option<ApiCall<JobProgress>> {
        let _ = job;
        None
    }

    /// One attempt at `draft`, signed with `key` for the moment and nonce of `at`.
    ///
    /// Signing the same draft for another stamp gives a fresh request, so a repeat never carries
    /// an old signature.
    ///
    /// # Errors
    /// [`FaultKind::Credential`](crate::FaultKind::Credential) when `key` is of a kind that the
    /// cloud does not take.
    fn sign(
        &self,
        draft: &UnsignedRequest,
        key: &Credential,
        at: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault>;

    /// Is this answer a refusal or a failure, and of what kind?
    ///
    /// # Errors
    /// The fault that the answer reports. Its effect says whether the cloud may have acted.
    fn check(&self, reply: &HttpResponse) -> Result<(), Fault>;

    /// The id under which the cloud's support finds this request, where the answer carries one.
    fn request_id(&self, reply: &HttpResponse) -> Option<String>;
}

/// A request that is not signed yet, and the function that reads its answer.
pub struct ApiCall<T> {
    /// The unsigned request.
    pub request: UnsignedRequest,
    read: Box<Reader<T>>,
}

type Reader<T> = dyn Fn(&HttpResponse) -> Result<T, Fault> + Send + Sync;

impl<T> ApiCall<T> {
    /// A call from its two halves.
    pub fn new(
        request: UnsignedRequest,
        read: impl Fn(&HttpResponse) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            request,
            read: Box::new(read),
        }
    }

    /// Reads an answer that [`Provider::check`] found good.
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`](crate::FaultKind::Unreadable) when it cannot be understood, or
    /// the fault that it turns out to report.
    pub fn read(&self, reply: &HttpResponse) -> Result<T, Fault> {
        (self.read)(reply)
    }
}

impl<T> fmt::Debug for ApiCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiCall")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// An unsigned request: everything about it that does not depend on the key, the moment or the
/// host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnsignedRequest {
    /// The cloud's own name of the operation, such as `StartInstances`.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: http::Method,
    /// The path, percent-encoded, with its leading slash.
    pub path: String,
    /// The query as it goes on the wire, percent-encoded, without the question mark; empty for
    /// none.
    pub query: String,
    /// The body; empty for none.
    pub body: Bytes,
}

impl UnsignedRequest {
    /// A request without query and body.
    pub fn new(operation: &'static str, method: http::Method, path: impl Into<String>) -> Self {
        Self {
            operation,
            method,
            path: path.into(),
            query: String::new(),
            body: Bytes::new(),
        }
    }

    /// With this percent-encoded query.
    #[must_use]
    pub fn with_query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// With this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Path and query as the request line has them.
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            [&self.path, "?", &self.query].concat()
        }
    }
}

/// What a cloud says about a batch of power actions. Accepted means taken on, not done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BatchAck {
    /// The whole batch was accepted.
    All,
    /// The batch was accepted but for these instances.
    Except(Vec<(InstanceId, Fault)>),
    /// Each instance has a verdict of its own. An instance in neither list was left without one.
    Each {
        /// Taken on.
        accepted: Vec<InstanceId>,
        /// Not taken on, with the cloud's reason.
        refused: Vec<(InstanceId, Fault)>,
    },
    /// The batch became a job, to be followed with [`Provider::follow`].
    Job(JobId),
}

impl BatchAck {
    /// The receipt of an answer that is good but for a list of failed ids without reasons.
    ///
    /// Whether the action was begun on a failed instance is open, and its fault says so.
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`](crate::FaultKind::Unreadable) when an id in the list cannot be
    /// one: then nobody knows which instances failed.
    pub fn without_failed(
        failed: &[String],
        reply: &HttpResponse,
        request_id: Option<String>,
    ) -> Result<Self, Fault> {
        if failed.is_empty() {
            return Ok(Self::All);
        }
        let fault = Fault::new(
            FaultKind::Failed,
            "listed as failed, without a reason, in an answer that is otherwise good",
        )
        .with_status(reply.status().as_u16())
        .with_request_id(request_id);
        let failed = failed.iter().map(|id| match InstanceId::new(id) {
            Ok(id) => Ok((id, fault.clone())),
            Err(error) => Err(reply.unreadable(&error.to_string())),
        });
        Ok(Self::Except(failed.collect::<Result<_, _>>()?))
    }
}

/// How far a job is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobProgress {
    /// The job as a whole.
    pub overall: JobStatus,
    /// The parts that name an instance. Their verdict counts before the overall one.
    pub parts: Vec<(InstanceId, JobStatus)>,
}

impl JobProgress {
    /// Returns the progress of a job that names no instance.
    pub fn new(overall: JobStatus) -> Self {
        Self {
            overall,
            parts: Vec::new(),
        }
    }

    /// Sets the parts that name an instance.
    #[must_use]
    pub fn with_parts(mut self, parts: Vec<(InstanceId, JobStatus)>) -> Self {
        self.parts = parts;
        self
    }
}

/// The state of a job or of one part of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JobStatus {
    /// Not finished, or in a state that this library does not know.
    Running,
    /// Finished, and the action was carried out.
    Succeeded,
    /// Finished, and the action was not carried out.
    Failed(Fault),
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListPage {
    /// The instances of this page.
    pub observations: Vec<Observation>,
    /// How to ask for the next page; `None` on the last one.
    pub next: Option<PageToken>,
}

impl ListPage {
    /// Returns the last page of a list, with these instances.
    pub fn new(observations: Vec<Observation>) -> Self {
        Self {
            observations,
            next: None,
        }
    }

    /// Sets the token of the next page; `None` on the last page.
    #[must_use]
    pub fn with_next(mut self, next: Option<PageToken>) -> Self {
        self.next = next;
        self
    }
}
