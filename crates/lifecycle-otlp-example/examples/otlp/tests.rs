//! The test of the example, with a collector that decodes what it receives.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use super::*;

/// Returns the spans and the name of the service that a collector received.
fn received(bodies: &[Vec<u8>]) -> (Vec<Span>, String) {
    let mut spans = Vec::new();
    let mut service = String::new();
    for body in bodies {
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        for resource in request.resource_spans {
            let attributes = attributes(&resource.resource.unwrap().attributes);
            service.clone_from(&attributes["service.name"]);
            spans.extend(
                resource
                    .scope_spans
                    .into_iter()
                    .flat_map(|scope| scope.spans),
            );
        }
    }
    (spans, service)
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| {
        let value = attribute.value.as_ref()?.value.as_ref()?;
        Some(match value {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    };
    let pairs = attributes.iter();
    pairs
        .map(|it| (it.key.clone(), text(it).unwrap_or_default()))
        .collect()
}

#[test]
fn collector_receives_one_client_span_per_attempt_below_the_span_of_the_request() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collector = runtime.block_on(async {
        let collector = MockServer::start().await;
        let export = Mock::given(matchers::method("POST"))
            .and(matchers::path("/v1/traces"))
            .and(matchers::header("content-type", "application/x-protobuf"));
        export
            .respond_with(ResponseTemplate::new(200))
            .mount(&collector)
            .await;
        collector
    });
    let endpoint = format!("{}/v1/traces", collector.uri());
    let provider = provider(Some(&endpoint)).unwrap();
    {
        let _guard = tracing::subscriber::set_default(subscriber(&provider));
        start_machines().unwrap();
    }
    provider.shutdown().unwrap();
    let requests = runtime.block_on(collector.received_requests()).unwrap();
    let bodies: Vec<Vec<u8>> = requests.into_iter().map(|it| it.body).collect();
    let (spans, service) = received(&bodies);
    assert_eq!(service, "night-shift");

    let request = spans.iter().find(|span| span.name == "lifecycle.request");
    let request = request.unwrap();
    let facts = attributes(&request.attributes);
    assert_eq!(facts["action"], "start");
    assert_eq!(facts["instances"], "3");
    assert_eq!(facts["cloud"], "aliyun");
    assert_eq!(facts["region"], "cn-hangzhou");

    let mut starts: Vec<&Span> = spans
        .iter()
        .filter(|it| it.name == "StartInstances")
        .collect();
    starts.sort_by_key(|span| span.start_time_unix_nano);
    let [throttled, started] = starts[..] else {
        panic!("{spans:#?}");
    };
    for attempt in [throttled, started] {
        assert_eq!(attempt.kind, SpanKind::Client as i32);
        assert_eq!(attempt.trace_id, request.trace_id);
        assert_eq!(attempt.parent_span_id, request.span_id);
        let facts = attributes(&attempt.attributes);
        assert_eq!(facts["rpc.method"], "StartInstances");
        assert_eq!(facts["server.port"], "443");
        assert!(
            facts["server.address"].contains("aliyuncs.com"),
            "{facts:?}"
        );
        assert!(!facts["cloud.request_id"].is_empty());
        // The names for the layer are no attributes.
        assert!(!facts.contains_key("otel.name"), "{facts:?}");
    }
    let failed = attributes(&throttled.attributes);
    assert_eq!(failed["error.type"], "throttled");
    let status = throttled.status.as_ref().unwrap();
    assert_eq!(status.code, StatusCode::Error as i32);
    let repeated = attributes(&started.attributes);
    assert_eq!(repeated["http.response.status_code"], "200");
    assert_eq!(repeated["http.request.resend_count"], "1");

    // The poller has a trace of its own, with a link to the request.
    let poll = spans
        .iter()
        .find(|span| span.name == "lifecycle.poll")
        .unwrap();
    assert_ne!(poll.trace_id, request.trace_id);
    assert_eq!(poll.links[0].span_id, request.span_id);
    let observed = spans
        .iter()
        .find(|span| span.parent_span_id == poll.span_id);
    assert_eq!(observed.unwrap().kind, SpanKind::Client as i32);
}
