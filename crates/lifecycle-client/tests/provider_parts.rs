//! Tests of the parts of a `Provider` that the toy cloud lacks: headers of a request, and regions.

mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_client::{Client, Error, StaticCredential, Transport, TransportError};
use lifecycle_core::{
    Action, ApiCall, BatchAck, Credential, Fault, FaultKind, HttpResponse, InstanceId, ListPage,
    ListQuery, Observation, PageToken, Profile, Provider, Region, SigningContext, UnsignedRequest,
};
use support::{ScriptedCloud, Toy, answer, fault, ok, outcomes};

/// The toy cloud with headers of an action, and with a call for regions.
#[derive(Debug, Default)]
struct WideToy(Toy);

impl Provider for WideToy {
    fn profile(&self) -> &Profile {
        self.0.profile()
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        let mut call = self.0.act(action, ids)?;
        for (name, value) in [("x-api-version", "2014-05-26"), ("signature", "none")] {
            let (name, value) = (name.parse::<http::HeaderName>(), value.parse());
            call.request.headers.insert(name.unwrap(), value.unwrap());
        }
        Ok(call)
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        self.0.observe(ids)
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        self.0.list(query, page)
    }

    fn regions(&self) -> Option<ApiCall<Vec<Region>>> {
        let request = UnsignedRequest::new("ListRegions", http::Method::GET, "/regions");
        Some(ApiCall::new(request, |response| {
            let text = String::from_utf8_lossy(response.body());
            Ok(text.split_whitespace().map(Region::new).collect())
        }))
    }

    fn sign(
        &self,
        unsigned: &UnsignedRequest,
        key: &Credential,
        at: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        self.0.sign(unsigned, key, at)
    }

    /// Reads the id of the request in the body, such as `request r-1`.
    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        let id = std::str::from_utf8(response.body()).unwrap();
        let id = id.strip_prefix("request ");
        let checked = self.0.check(response);
        checked.map_err(|fault| fault.with_request_id(id))
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        self.0.request_id(response)
    }
}

/// Keeps the headers of all requests.
#[derive(Clone, Debug)]
struct Headers {
    cloud: ScriptedCloud,
    sent: Arc<Mutex<Vec<http::HeaderMap>>>,
}

#[async_trait]
impl Transport for Headers {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        self.sent.lock().unwrap().push(request.headers().clone());
        self.cloud.send(request).await
    }
}

fn client(transport: impl Transport) -> Client {
    let key = StaticCredential::new(Credential::keys("id", "s3cret"));
    Client::builder(WideToy::default(), key, transport)
        .clock(support::FixedClock)
        .build()
}

#[tokio::test(start_paused = true)]
async fn unsigned_header_is_sent_and_replaces_no_header_of_the_signature() {
    let transport = Headers {
        cloud: ScriptedCloud::new(|_| ok("ok")),
        sent: Arc::default(),
    };
    let report = client(transport.clone()).start(["i-1"]).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
    let sent = transport.sent.lock().unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["x-api-version"], "2014-05-26");
    assert_eq!(sent[0]["signature"], "id@1767225600");
}

#[tokio::test(start_paused = true)]
async fn regions_are_read_by_one_call_if_the_cloud_has_the_call() {
    let cloud = ScriptedCloud::new(|_| ok("north south"));
    let regions = client(cloud.clone()).regions().await.unwrap();
    let expected = ["north", "south"].map(Region::new);
    assert_eq!(regions.as_deref(), Some(&expected[..]));
    assert_eq!(cloud.calls("regions").len(), 1);
    assert_eq!(cloud.client().regions().await.unwrap(), None);
    assert_eq!(cloud.log().len(), 1, "the toy cloud has no such call");
}

#[tokio::test(start_paused = true)]
async fn failed_call_for_regions_is_an_error_with_its_fault() {
    let cloud = ScriptedCloud::new(|_| fault(FaultKind::Permission));
    let error = client(cloud).regions().await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Permission);
    let Error::Call {
        operation,
        attempts,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!((operation, attempts), ("list regions", 1));
}

#[tokio::test(start_paused = true)]
async fn request_id_of_the_body_is_kept_and_completed_by_the_header() {
    for (headers, body, expected) in [
        (&[][..], "request r-body", Some("r-body")),
        (
            &[("request-id", "r-head")],
            "request r-body",
            Some("r-body"),
        ),
        (&[("request-id", "r-head")], "no", Some("r-head")),
        (&[], "no", None),
    ] {
        let cloud = ScriptedCloud::new(move |_| answer(400, headers, body));
        let report = client(cloud).start(["i-1"]).await.unwrap();
        let fault = report.instances()[0].outcome.fault().unwrap();
        assert_eq!(fault.request_id(), expected, "{headers:?} {body}");
    }
}
