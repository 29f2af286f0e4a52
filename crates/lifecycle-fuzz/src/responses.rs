//! Responses of a cloud: every reader of a provider reads the same response.

use lifecycle_core::{ListQuery, 
    Action, ApiCall, BatchAck, Fault, HttpResponse, InstanceId, JobId, JobProgress, JobStatus,
    ListPage, Observation, PageToken, Provider, ResponseExt, StopMode,
};
use provider_testing::{ids, reboot, start, stop};

use crate::{
    key,
    message::Message,
    requested, signing_context,
    traces::{assert_bounded, assert_in_input},
};

/// Reads one response with every reader of `cloud`, and checks the results.
///
/// # Panics
/// If a reader panics, if a result has an id that is not in the input, if a result is larger than the
/// input allows, or if a result leads to a request that cannot be signed.
pub fn check(cloud: &str, data: &[u8]) {
    let provider = crate::provider(cloud).expect("a known cloud");
    Reading {
        provider: &*provider,
        requested: requested(),
        response: Message::parse(data).into_response(),
        data,
    }
    .run();
}

struct Reading<'a> {
    provider: &'a dyn Provider,
    requested: Vec<InstanceId>,
    response: HttpResponse,
    data: &'a [u8],
}

impl Reading<'_> {
    fn run(&self) {
        // Readers must survive a response with an error, too: the client decides the order.
        if let Err(fault) = self.provider.check(&self.response) {
            self.fault(&fault);
        }
        if let Some(id) = self.provider.request_id(&self.response) {
            assert!(id.len() <= 4 * self.data.len());
        }
        let _ = (self.response.retry_after(), self.response.date());
        for action in [
            start(),
            stop(StopMode::Graceful, lifecycle_core::StopBilling::Keep),
            reboot(StopMode::Forced),
        ] {
            self.act(&action, &self.requested[..1]);
            self.act(&action, &self.requested);
        }
        self.observe(&self.requested[..1]);
        self.observe(&self.requested);
        self.list(None);
        if let Ok(job) = JobId::new("job-1").ok_or(()) {
            self.follow(&job);
        }
    }

    fn act(&self, action: &Action, instances: &[InstanceId]) {
        let Some(ack) = self.read(self.provider.act(action, instances)) else {
            return;
        };
        match ack {
            BatchAck::Except(refused) => self.refused(&refused),
            BatchAck::Each { accepted, refused } => {
                accepted.iter().for_each(|id| self.id(id));
                self.refused(&refused);
            }
            BatchAck::Job(job) => {
                let call = self.provider.follow(&job).expect("a cloud with jobs");
                self.sign(&call);
            }
            _ => {}
        }
    }

    fn observe(&self, instances: &[InstanceId]) {
        let rows = self.read(self.provider.observe(instances));
        self.rows(&rows.unwrap_or_default());
    }

    /// Reads the response as a page, and as the page after the token of that page.
    fn list(&self, page: Option<&PageToken>) {
        let read: Option<ListPage> = self.read(self.provider.list(&ListQuery::default(), page));
        let Some(read) = read else { return };
        self.rows(&read.observations);
        if let (None, Some(next)) = (page, read.next.token()) {
            self.list(Some(next));
        }
    }

    fn follow(&self, job: &JobId) {
        let Some(call) = self.provider.follow(job) else {
            return;
        };
        let progress: Option<JobProgress> = self.read(Ok(call));
        let Some(progress) = progress else { return };
        let parts = progress.parts.iter().map(|(id, status)| (Some(id), status));
        for (id, status) in parts.chain([(None, &progress.overall)]) {
            id.into_iter().for_each(|id| self.id(id));
            if let JobStatus::Failed(fault) = status {
                self.fault(fault);
            }
        }
    }

    fn read<T>(&self, call: Result<ApiCall<T>, Fault>) -> Option<T> {
        let call = call.unwrap_or_else(|fault| panic!("the request cannot be built: {fault}"));
        self.sign(&call);
        match call.read(&self.response) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(&fault);
                None
            }
        }
    }

    fn sign<T>(&self, call: &ApiCall<T>) {
        let signed = self
            .provider
            .sign(&call.request, &key(), &signing_context());
        signed.unwrap_or_else(|fault| panic!("{:?} cannot be signed: {fault}", call.request));
    }

    fn rows(&self, rows: &[Observation]) {
        assert!(rows.len() <= self.data.len());
        for row in rows {
            self.id(&row.instance);
            assert!(row.raw.len() <= 4 * self.data.len());
            // The next request names the instance.
            let call = self.provider.observe(&ids(&[row.instance.as_str()]));
            self.sign(&call.expect("a request for an id of a response"));
        }
    }

    fn refused(&self, refused: &[(InstanceId, Fault)]) {
        assert!(refused.len() <= self.data.len());
        for (id, fault) in refused {
            self.id(id);
            self.fault(fault);
        }
    }

    fn id(&self, id: &InstanceId) {
        assert_in_input(id, &self.requested, self.data);
    }

    fn fault(&self, fault: &Fault) {
        assert_bounded(fault, self.data);
        for id in fault.instances() {
            self.id(id);
        }
    }
}
