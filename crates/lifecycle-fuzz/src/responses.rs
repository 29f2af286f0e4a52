//! Fuzz target: responses of a cloud. Every reader of a provider reads the same response.

use lifecycle_core::{
    Action, ApiCall, BatchAck, Fault, HttpResponse, InstanceFilter, InstanceId, JobId, JobProgress,
    JobStatus, ListPage, ListQuery, Observation, PageToken, PowerState, Provider, ResponseExt,
    StopMode,
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
        for instances in [&self.requested[..1], &self.requested] {
            self.rows(self.provider.observe(instances));
            self.rows(self.provider.describe(instances));
        }
        for query in self.queries() {
            self.list(&query, None);
        }
        self.regions();
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

    fn rows(&self, call: Result<ApiCall<Vec<Observation>>, Fault>) {
        let rows = self.read(call);
        self.check_rows(&rows.unwrap_or_default());
    }

    /// Returns a query for all instances, a query for their details, and a query with conditions whose
    /// texts are the input.
    fn queries(&self) -> [ListQuery; 3] {
        let text = String::from_utf8_lossy(self.data);
        let mut filter = InstanceFilter::default()
            .with_zone(&*text)
            .with_instance_type(&*text)
            .with_private_ip(&*text)
            .with_state(PowerState::Running);
        filter.names.extend(text.parse());
        filter
            .tags
            .extend(text.split_whitespace().flat_map(str::parse));
        filter.instances.extend(self.requested.iter().cloned());
        let all = ListQuery::default();
        [all.clone(), all.with_details(), ListQuery::new(filter)]
    }

    /// Reads the response as a page, and as the page after the token of that page.
    fn list(&self, query: &ListQuery, page: Option<&PageToken>) {
        let read: Option<ListPage> = self.read(self.provider.list(query, page));
        let Some(read) = read else { return };
        self.check_rows(&read.observations);
        if let (None, Some(next)) = (page, read.next.token()) {
            self.list(query, Some(next));
        }
    }

    fn regions(&self) {
        let Some(call) = self.provider.regions() else {
            return;
        };
        let regions = self.read(Ok(call)).unwrap_or_default();
        assert!(regions.len() <= self.data.len());
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

    fn check_rows(&self, rows: &[Observation]) {
        assert!(rows.len() <= self.data.len());
        for row in rows {
            self.id(&row.instance);
            assert!(row.raw.len() <= 4 * self.data.len());
            if let Some(details) = &row.details {
                let counts = [
                    details.tags.len(),
                    details.private_ips.iter().count(),
                    details.public_ips.iter().count(),
                ];
                assert!(counts.iter().all(|count| *count <= self.data.len()));
            }
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
