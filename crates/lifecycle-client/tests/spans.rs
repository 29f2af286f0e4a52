//! Tests of the spans: one for each request, one for each attempt, the names of their fields, and no secret in
//! any field of a span or event.

mod support;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_client::{
    CachedCredentials, Client, StepDriver, Transport, TransportError, WaitTimeout,
};
use lifecycle_core::{
    Credential, CredentialSource, EmptyHost, ExchangeStep, Fault, FaultKind, HttpResponse,
    ProviderContext, ResolvedCredential, Secret, ServiceKind, mark_secrets,
};
use support::{
    CallResult, FixedClock, ScriptedCloud, Toy, all_in_state, answer, id, ids, ok, outcomes,
};
use tracing::{
    Instrument, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    filter::filter_fn,
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

/// A span or an event.
#[derive(Clone, Debug, Default)]
struct Captured {
    /// The name of a span, or the message of an event.
    name: String,
    parent: Option<u64>,
    follows: Vec<u64>,
    fields: BTreeMap<String, String>,
}

impl Captured {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Visit for Captured {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        self.fields.insert(field.name().to_owned(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields
            .insert(field.name().to_owned(), value.to_owned());
    }
}

/// Captures every field of every span and event of one thread.
#[derive(Clone, Debug, Default)]
struct Capture {
    spans: Arc<Mutex<BTreeMap<u64, Captured>>>,
    events: Arc<Mutex<Vec<Captured>>>,
}

impl Capture {
    fn begin() -> (Self, DefaultGuard) {
        let capture = Self::default();
        let subscriber = tracing_subscriber::registry().with(capture.clone());
        let guard = tracing::subscriber::set_default(subscriber);
        (capture, guard)
    }

    /// Captures no span of this name: the subscriber does not want it.
    fn without(name: &'static str) -> (Self, DefaultGuard) {
        let capture = Self::default();
        let wanted = filter_fn(move |metadata| metadata.name() != name);
        let subscriber = tracing_subscriber::registry().with(wanted);
        let guard = tracing::subscriber::set_default(subscriber.with(capture.clone()));
        (capture, guard)
    }

    /// Returns the spans of one name, in the order of their beginning.
    fn spans(&self, name: &str) -> Vec<(u64, Captured)> {
        let spans = self.spans.lock().unwrap();
        let named = spans.iter().filter(|(_, span)| span.name == name);
        named.map(|(id, span)| (*id, span.clone())).collect()
    }

    /// Returns every field of every span and event.
    fn text(&self) -> String {
        let spans = self.spans.lock().unwrap();
        format!("{spans:#?}\n{:#?}", self.events.lock().unwrap())
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let mut captured = Captured {
            name: attributes.metadata().name().to_owned(),
            parent: ctx
                .span(id)
                .and_then(|span| Some(span.parent()?.id().into_u64())),
            ..Captured::default()
        };
        attributes.record(&mut captured);
        // The registry uses the number of a closed span again.
        let mut spans = self.spans.lock().unwrap();
        if let Some(old) = spans.insert(id.into_u64(), captured) {
            let place = (1 << 40) + spans.len() as u64;
            spans.insert(place, old);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        if let Some(span) = self.spans.lock().unwrap().get_mut(&id.into_u64()) {
            values.record(span);
        }
    }

    fn on_follows_from(&self, id: &span::Id, follows: &span::Id, _: Context<'_, S>) {
        if let Some(span) = self.spans.lock().unwrap().get_mut(&id.into_u64()) {
            span.follows.push(follows.into_u64());
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut captured = Captured::default();
        event.record(&mut captured);
        self.events.lock().unwrap().push(captured);
    }
}

#[tokio::test(start_paused = true)]
async fn request_has_a_span_and_each_attempt_has_a_client_span() {
    let (capture, _guard) = Capture::begin();
    let mut starts = 0;
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "start" => {
            starts += 1;
            match starts {
                1 => answer(503, &[("request-id", "r-1")], "try later"),
                _ => answer(200, &[("request-id", "r-2")], "ok"),
            }
        }
        _ => all_in_state(sent, "running"),
    });
    let client = cloud.client_with(|builder| builder.labels("prod", "north"));
    let start = client.start([id(1), id(2)]);
    let report = start.wait(WaitTimeout::minutes(5)).await.unwrap();
    assert_eq!(outcomes(&report), ["reached"; 2]);

    let requests = capture.spans("lifecycle.request");
    let [(request_id, request)] = &requests[..] else {
        panic!("{requests:#?}");
    };
    for (name, value) in [
        ("action", "start"),
        ("instances", "2"),
        ("cloud", "toy"),
        ("region", "north"),
        ("account", "prod"),
    ] {
        assert_eq!(request.field(name), value, "{name}");
    }
    let calls = capture.spans("lifecycle.call");
    let calls: Vec<&Captured> = calls.iter().map(|(_, call)| call).collect();
    let starts: Vec<&&Captured> = calls
        .iter()
        .filter(|it| it.field("rpc.method") == "start")
        .collect();
    let [first, second] = starts[..] else {
        panic!("{calls:#?}");
    };
    assert_eq!(first.parent, Some(*request_id));
    for (name, failed, repeated) in [
        ("otel.name", "start", "start"),
        ("otel.kind", "client", "client"),
        ("otel.status_code", "ERROR", ""),
        ("rpc.system", "toy", "toy"),
        ("rpc.service", "Toy Cloud", "Toy Cloud"),
        ("server.address", "toy.example", "toy.example"),
        ("server.port", "443", "443"),
        ("http.request.method", "GET", "GET"),
        ("http.response.status_code", "503", "200"),
        ("http.request.resend_count", "", "1"),
        ("error.type", "unavailable", ""),
        ("cloud.request_id", "r-1", "r-2"),
        ("cloud", "toy", "toy"),
        ("region", "north", "north"),
        ("account", "prod", "prod"),
        ("instances", "2", "2"),
    ] {
        assert_eq!(first.field(name), failed, "{name} of the first attempt");
        assert_eq!(second.field(name), repeated, "{name} of the second attempt");
    }
    // The poller serves all requests: no parent, and a link to each request.
    let polls = capture.spans("lifecycle.poll");
    let (poll_id, poll) = &polls[0];
    assert_eq!((poll.parent, &poll.follows[..]), (None, &[*request_id][..]));
    assert_eq!(poll.field("instances"), "2");
    let looks = calls
        .iter()
        .filter(|it| it.field("rpc.method") == "observe");
    assert!(looks.clone().count() > 0, "{calls:#?}");
    assert!(looks.clone().any(|look| look.parent == Some(*poll_id)));
}

#[tokio::test(start_paused = true)]
async fn observation_list_and_failed_connection_have_spans() {
    let (capture, _guard) = Capture::begin();
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "list" => ok("last\ni-1 running"),
        _ => CallResult::ConnectionRefused,
    });
    let client = cloud.client_with(|builder| builder.retry(lifecycle_client::RetryPolicy::never()));
    client.list().await.unwrap();
    client.observe([id(1)]).await.unwrap();
    let requests = capture.spans("lifecycle.request");
    let mut actions: Vec<&str> = requests.iter().map(|(_, it)| it.field("action")).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["list", "observe"]);
    let calls = capture.spans("lifecycle.call");
    let failed = calls
        .iter()
        .find(|(_, call)| call.field("rpc.method") == "observe");
    let failed = &failed.unwrap().1;
    assert_eq!(failed.field("error.type"), "unreachable");
    assert_eq!(failed.field("http.response.status_code"), "");
}

#[tokio::test(start_paused = true)]
async fn span_of_a_call_has_the_instances_of_the_call() {
    let (capture, _guard) = Capture::begin();
    let cloud = ScriptedCloud::new(|sent| all_in_state(sent, "running"));
    // The toy cloud reads ten instances in a call.
    cloud.client().observe(ids(12)).await.unwrap();
    let calls = capture.spans("lifecycle.call");
    let mut instances: Vec<&str> = calls.iter().map(|(_, it)| it.field("instances")).collect();
    instances.sort_unstable();
    assert_eq!(instances, ["10", "2"]);
}

/// The secrets of the test: the secret of the key, the token of the session, and the password of the identity
/// service.
const SECRETS: [&str; 3] = ["s3cret-of-key", "t0ken-of-session", "passw0rd-of-service"];

/// An identity service that quotes the password of its caller everywhere, and then returns a key.
#[derive(Debug)]
struct QuotingService {
    answers_with_key: bool,
}

#[async_trait]
impl Transport for QuotingService {
    async fn send(&self, _: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let [_, _, password] = SECRETS;
        let mut headers = http::HeaderMap::new();
        headers.insert("request-id", password.parse().unwrap());
        headers.insert("server", password.parse().unwrap());
        let status = match self.answers_with_key {
            true => 200,
            false => 403,
        };
        Ok(provider_testing::http_response(
            status,
            headers,
            format!("{password} is wrong, password={password}"),
        ))
    }
}

#[derive(Debug)]
struct QuotingSource;

impl CredentialSource for QuotingSource {
    fn name(&self) -> String {
        "quoting service".to_owned()
    }

    fn requirements(&self) -> String {
        "the quoting service".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let [secret, token, password] = SECRETS;
        let mut request = http::Request::builder()
            .method("POST")
            .uri(format!("https://sts.example/{password}?token={password}"))
            .body(Bytes::from(format!("password={password}")))
            .unwrap();
        mark_secrets(&mut request, [&Secret::new(password)]);
        ExchangeStep::http(
            "GetKey",
            ServiceKind::Identity,
            request,
            move |result, _| {
                let response = match result {
                    Ok(response) => response,
                    Err(fault) => return ExchangeStep::Failed(fault),
                };
                let text = String::from_utf8_lossy(response.body()).into_owned();
                match response.status().as_u16() {
                    200 => ExchangeStep::Done(ResolvedCredential::new(
                        Credential::session("id", secret, token),
                        "role toy",
                    )),
                    _ => ExchangeStep::Failed(
                        Fault::new(FaultKind::Credential, text.clone()).with_code(text),
                    ),
                }
            },
        )
    }
}

/// Returns a client with a key of the quoting service.
fn client_of(cloud: &ScriptedCloud, answers_with_key: bool) -> Client {
    let driver = StepDriver::new(QuotingService { answers_with_key })
        .clock(FixedClock)
        .machine(EmptyHost);
    let credentials = CachedCredentials::new("Toy Cloud", vec![Box::new(QuotingSource)], driver);
    Client::builder(Toy::default(), credentials, cloud.clone())
        .clock(FixedClock)
        .seed(1)
        .build()
}

/// Checks that no field has a secret, and returns all fields.
#[track_caller]
fn check_secrets(capture: &Capture) -> String {
    let text = capture.text();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    text
}

#[tokio::test(start_paused = true)]
async fn no_field_has_a_secret_that_responses_quote() {
    let [secret, token, _] = SECRETS;
    let quoted = format!("r-{secret}-{token}");
    for status in [200, 400, 403, 429, 503] {
        let (capture, _guard) = Capture::begin();
        let id_header = quoted.clone();
        let cloud = ScriptedCloud::new(move |sent| {
            let body = match sent.operation.as_str() {
                "observe" => format!("i-1 {id_header}"),
                _ => format!("{id_header} i-1 i-{secret}"),
            };
            let headers = [
                ("request-id", id_header.as_str()),
                ("kind", id_header.as_str()),
                ("effect", id_header.as_str()),
                ("location", id_header.as_str()),
                ("server", id_header.as_str()),
            ];
            answer(status, &headers, body)
        });
        let client = client_of(&cloud, true);
        // The results do not matter, only what the capture has of them.
        let _ = client.start([id(1), id(2)]).await;
        let _ = client.reboot([id(1)]).wait(WaitTimeout::minutes(1)).await;
        let _ = client.observe([id(1)]).await;
        let text = check_secrets(&capture);
        assert!(text.contains("[secret]"), "status {status}: {text}");
        assert!(!capture.spans("lifecycle.credential_search").is_empty());
        for message in ["asked for a key", "call failed"] {
            assert!(text.contains(message), "status {status}: {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_field_has_a_secret_of_a_failed_search_for_a_key() {
    let (capture, _guard) = Capture::begin();
    let cloud = ScriptedCloud::new(|_| ok("ok"));
    let client = client_of(&cloud, false);
    let report = client.start([id(1)]).await.unwrap();
    assert_eq!(outcomes(&report), ["skipped"]);
    assert!(cloud.log().is_empty());
    check_secrets(&capture);
    let calls = capture.spans("lifecycle.call");
    let (_, call) = &calls[0];
    assert_eq!(call.field("otel.name"), "GetKey");
    assert_eq!(call.field("server.address"), "sts.example");
    assert_eq!(call.field("http.response.status_code"), "403");
    let searches = capture.spans("lifecycle.credential_search");
    assert_eq!(call.parent, Some(searches[0].0));
    assert_eq!(client.stats().failed_key_searches, 1);
}

/// The span of a caller that has fields of the same names keeps them.
#[tokio::test(start_paused = true)]
async fn request_writes_nothing_into_the_span_of_the_caller() {
    let (capture, _guard) = Capture::without("lifecycle.request");
    let cloud = ScriptedCloud::new(|_| ok("ok"));
    let client = client_of(&cloud, true);
    let span = tracing::info_span!("caller", instances = 7, cloud = "mine");
    let request = client.start(ids(2)).into_future();
    request.instrument(span).await.unwrap();
    let spans = capture.spans("caller");
    let (_, caller) = &spans[0];
    assert_eq!(caller.field("instances"), "7");
    assert_eq!(caller.field("cloud"), "mine");
}

#[tokio::test(start_paused = true)]
async fn request_without_subscriber_has_no_span() {
    let cloud = ScriptedCloud::new(|_| ok("ok"));
    let report = cloud.client().start([id(1)]).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
    assert!(tracing::Span::current().is_disabled());
}
