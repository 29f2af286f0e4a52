//! The `Provider` trait: one cloud as pure functions, and the values that these functions exchange.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{
    Action, Credential, Fault, FaultKind, HttpResponse, InstanceId, JobId, ListPage, ListQuery,
    Observation, PageToken, Profile, Region, ResponseExt, SigningContext,
};

/// One cloud: its requests, its signature, and the meaning of its responses.
///
/// A provider has no I/O, no clock, no retries and no async. The client sends the signed request,
/// passes the response first to [`check`](Provider::check) and then to [`ApiCall::read`], and decides
/// about retries.
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Returns the properties of the cloud: limits, rates, polling and supported options.
    fn profile(&self) -> &Profile;

    /// Returns the call that performs `action` on the instances.
    ///
    /// The number of `ids` is at least 1 and at most [`Profile::batch_limit`].
    ///
    /// # Errors
    /// [`FaultKind::Unsupported`](crate::FaultKind::Unsupported) for an option that the cloud does
    /// not support. Nothing may be sent then.
    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault>;

    /// Returns the call that reads the states of the instances. The result has one row for each
    /// instance that exists, in any order, and no row for an unknown id.
    ///
    /// # Errors
    /// A fault if the request cannot be built. Nothing may be sent then.
    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault>;

    /// Returns the call that reads the states and the
    /// [`InstanceDetails`](crate::InstanceDetails) of the instances, with the rules of
    /// [`observe`](Self::observe). By default the same call as `observe`.
    ///
    /// # Errors
    /// A fault if the request cannot be built. Nothing may be sent then.
    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        self.observe(ids)
    }

    /// Returns the call that reads one page of the instances of `query`. `None` is the first page.
    ///
    /// The provider sends the conditions that the cloud can apply
    /// ([`Profile::filter_support`]), and leaves out the others: the cloud may return more instances
    /// than match, never fewer. The client applies all conditions to the page. A row has
    /// [`Observation::details`] if [`ListQuery::needs_details`]; otherwise their fields are not read.
    ///
    /// The page reports every row of the response, also a row without a readable id. The client
    /// decides where the list ends, and whether the list is complete.
    ///
    /// # Errors
    /// A fault if the request cannot be built. Nothing may be sent then.
    fn list(&self, query: &ListQuery, page: Option<&PageToken>)
    -> Result<ApiCall<ListPage>, Fault>;

    /// Returns the call that reads all regions of the cloud; `None` if the endpoint has no such call.
    fn regions(&self) -> Option<ApiCall<Vec<Region>>> {
        None
    }

    /// Returns the call that reads the progress of a job; `None` if the cloud has no jobs.
    fn follow(&self, job: &JobId) -> Option<ApiCall<JobProgress>> {
        let _ = job;
        None
    }

    /// Returns the spelling of an id that the cloud itself uses. Two ids with the same spelling name
    /// the same instance. The ids in results of this provider have this spelling.
    fn canonical_id(&self, id: &InstanceId) -> InstanceId {
        id.clone()
    }

    /// Signs one attempt to send `request` with `key`, for the time and nonce of `context`.
    ///
    /// Each attempt is signed with a new context, so a retry never has an old signature. The client adds the
    /// [`headers`](UnsignedRequest::headers) of `request` that the signed request lacks.
    ///
    /// # Errors
    /// [`FaultKind::Credential`](crate::FaultKind::Credential) if the cloud does not support this kind
    /// of key.
    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        context: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault>;

    /// Checks a response for an error.
    ///
    /// # Errors
    /// The rejection or failure that the response reports. [`Fault::execution_status`] shows whether
    /// the cloud may have executed the request.
    fn check(&self, response: &HttpResponse) -> Result<(), Fault>;

    /// Returns the request id of a response, by which the support of the cloud finds the request;
    /// `None` for a response without an id.
    fn request_id(&self, response: &HttpResponse) -> Option<String>;
}

/// Implements [`Provider`] for a pointer, by a call of the same method of the target.
macro_rules! delegate_to_target {
    ($pointer:ty) => {
        impl<P: Provider + ?Sized> Provider for $pointer {
            fn profile(&self) -> &Profile {
                (**self).profile()
            }

            fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
                (**self).act(action, ids)
            }

            fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
                (**self).observe(ids)
            }

            fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
                (**self).describe(ids)
            }

            fn list(
                &self,
                query: &ListQuery,
                page: Option<&PageToken>,
            ) -> Result<ApiCall<ListPage>, Fault> {
                (**self).list(query, page)
            }

            fn regions(&self) -> Option<ApiCall<Vec<Region>>> {
                (**self).regions()
            }

            fn follow(&self, job: &JobId) -> Option<ApiCall<JobProgress>> {
                (**self).follow(job)
            }

            fn canonical_id(&self, id: &InstanceId) -> InstanceId {
                (**self).canonical_id(id)
            }

            fn sign(
                &self,
                request: &UnsignedRequest,
                key: &Credential,
                context: &SigningContext,
            ) -> Result<http::Request<Bytes>, Fault> {
                (**self).sign(request, key, context)
            }

            fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
                (**self).check(response)
            }

            fn request_id(&self, response: &HttpResponse) -> Option<String> {
                (**self).request_id(response)
            }
        }
    };
}

delegate_to_target!(Arc<P>);
delegate_to_target!(Box<P>);

/// A request that is not signed yet, and the function that reads the response.
pub struct ApiCall<T> {
    /// The unsigned request.
    pub request: UnsignedRequest,
    read: Box<Reader<T>>,
    refine: fn(Fault) -> Fault,
}

type Reader<T> = dyn Fn(&HttpResponse) -> Result<T, Fault> + Send + Sync;

impl<T> ApiCall<T> {
    /// Returns a call of `request` with the reader of the response.
    pub fn new(
        request: UnsignedRequest,
        read: impl Fn(&HttpResponse) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            request,
            read: Box::new(read),
            refine: |fault| fault,
        }
    }

    /// Sets the function that refines the fault of a response, for a code whose meaning depends on the call:
    /// [`Provider::check`] sees the response alone.
    #[must_use]
    pub fn with_refined_faults(mut self, refine: fn(Fault) -> Fault) -> Self {
        self.refine = refine;
        self
    }

    /// Returns the fault of a response, with the meaning that the fault has for this call. The caller refines
    /// the faults of [`Provider::check`] and of [`read`](Self::read).
    pub fn refined(&self, fault: Fault) -> Fault {
        (self.refine)(fault)
    }

    /// Reads a response without an error according to [`Provider::check`].
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`](crate::FaultKind::Unreadable) for an invalid response, or the fault
    /// that the body reports despite the status.
    pub fn read(&self, response: &HttpResponse) -> Result<T, Fault> {
        (self.read)(response)
    }
}

impl<T> fmt::Debug for ApiCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiCall")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// The parts of a request that do not depend on key, time, nonce and host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnsignedRequest {
    /// The name of the operation in the terms of the cloud, such as `StartInstances`.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: http::Method,
    /// The percent-encoded path, with the leading slash.
    pub path: String,
    /// The percent-encoded query as sent, without the question mark; empty for no query.
    pub query: String,
    /// The headers that the operation needs, such as the version of the API; often none.
    pub headers: http::HeaderMap,
    /// The body; empty for no body.
    pub body: Bytes,
}

impl UnsignedRequest {
    /// Returns a request without query and body. `path` is percent-encoded.
    pub fn new(operation: &'static str, method: http::Method, path: impl Into<String>) -> Self {
        Self {
            operation,
            method,
            path: path.into(),
            query: String::new(),
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Sets the percent-encoded query.
    #[must_use]
    pub fn with_query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// Sets a header. The signature can cover the header. The client sends the headers that the signed request
    /// lacks.
    ///
    /// # Examples
    /// ```
    /// use http::{HeaderName, HeaderValue, Method};
    /// use lifecycle_core::UnsignedRequest;
    ///
    /// let version = HeaderName::from_static("x-api-version");
    /// let request = UnsignedRequest::new("list", Method::GET, "/v1/instances")
    ///     .with_header(version, HeaderValue::from_static("2026-01-01"));
    /// assert_eq!(request.headers["x-api-version"], "2026-01-01");
    /// ```
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: http::HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Returns path and query as in the request line.
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            [&self.path, "?", &self.query].concat()
        }
    }
}

/// The acknowledgement of a batch of power actions. An accepted action is not finished yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BatchAck {
    /// The cloud accepted the whole batch.
    All,
    /// The cloud accepted the batch, and the response does not show that each instance exists: an
    /// incomplete response looks the same. A request that does not wait looks at the instances: the
    /// instances that a lookup shows are accepted.
    Unlisted,
    /// The cloud accepted the batch except for these instances.
    Except(Vec<(InstanceId, Fault)>),
    /// The response has a row for each instance. The result of an instance in neither list is
    /// unknown.
    Each {
        /// The accepted instances.
        accepted: Vec<InstanceId>,
        /// The rejected instances, with the reasons of the cloud.
        refused: Vec<(InstanceId, Fault)>,
    },
    /// The cloud created a job for the batch; see [`Provider::follow`].
    Job(JobId),
}

impl BatchAck {
    /// Returns the acknowledgement of a successful response with a list of failed ids without
    /// reasons.
    ///
    /// The cloud may have executed the action on a failed instance, so the fault of the instance has
    /// [`ExecutionStatus::Unknown`](crate::ExecutionStatus::Unknown).
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`](crate::FaultKind::Unreadable) for an invalid id in the list: the
    /// failed instances are unknown then.
    pub fn without_failed(
        failed: &[String],
        response: &HttpResponse,
        request_id: Option<String>,
    ) -> Result<Self, Fault> {
        if failed.is_empty() {
            return Ok(Self::All);
        }
        let fault = Fault::new(
            FaultKind::Failed,
            "the response lists the instance as failed, without a reason",
        )
        .with_status(response.status().as_u16())
        .with_request_id(request_id);
        let failed = failed.iter().map(|id| match InstanceId::new(id) {
            Ok(id) => Ok((id, fault.clone())),
            Err(error) => Err(response.unreadable(&error.to_string())),
        });
        Ok(Self::Except(failed.collect::<Result<_, _>>()?))
    }
}

/// The progress of a job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobProgress {
    /// The status of the whole job.
    pub overall: JobStatus,
    /// The status of each part that names an instance. The status of a part takes precedence over
    /// the status of the whole job.
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
    /// The job runs.
    Running,
    /// The status of the job is unknown to this library.
    Unknown,
    /// The job finished, and the cloud executed the action.
    Succeeded,
    /// The job finished, and the action failed.
    Failed(Fault),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExecutionStatus;

    #[test]
    fn target_has_a_question_mark_only_before_a_query() {
        let request = UnsignedRequest::new("List", http::Method::GET, "/v1/instances");
        assert_eq!(request.target(), "/v1/instances");
        let request = request.with_query("limit=10").with_body("text");
        assert_eq!(request.target(), "/v1/instances?limit=10");
        assert_eq!(request.body, "text");
    }

    #[test]
    fn failed_instances_of_a_batch_have_an_unknown_execution_status() {
        let response = http::Response::new(Bytes::new());
        let ack = |failed: &[&str]| {
            let failed: Vec<String> = failed.iter().map(|id| (*id).to_owned()).collect();
            BatchAck::without_failed(&failed, &response, Some("r-1".to_owned()))
        };
        assert!(matches!(ack(&[]), Ok(BatchAck::All)));
        let Ok(BatchAck::Except(failed)) = ack(&["i-1", "i-2"]) else {
            panic!("no list of failed instances");
        };
        let ids: Vec<&str> = failed.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["i-1", "i-2"]);
        for (_, fault) in failed {
            assert_eq!(fault.kind(), FaultKind::Failed);
            assert_eq!(fault.execution_status(), ExecutionStatus::Unknown);
            assert_eq!(
                (fault.status(), fault.request_id()),
                (Some(200), Some("r-1"))
            );
        }
        let fault = ack(&["i-1", "a/b"]).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unreadable);
    }

    #[test]
    fn progress_of_a_job_has_the_parts_that_name_an_instance() {
        let progress = JobProgress::new(JobStatus::Running);
        assert!(progress.parts.is_empty());
        let id = InstanceId::new("i-1").unwrap();
        let progress = progress.with_parts(vec![(id, JobStatus::Succeeded)]);
        assert!(matches!(progress.overall, JobStatus::Running));
        assert!(
            matches!(&*progress.parts, [(id, JobStatus::Succeeded)] if id.as_str() == "i-1"),
            "{progress:?}"
        );
    }
}
