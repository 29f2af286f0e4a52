//! Helpers of the simulator's tests: a simulator whose durations do not vary, and calls to Zenlayer and
//! Baidu. The calls are signed here and not by the provider crates, so that the tests find a mistake that
//! simulator and provider share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lifecycle_client::{Clock, Transport, TransportError};
use lifecycle_core::{Credential, encode};
use lifecycle_sim::{Cloud, Simulator, SimulatorBuilder};
use serde_json::{Value, json};

/// Returns the builder of a simulator whose durations do not vary.
pub(crate) fn builder() -> SimulatorBuilder {
    let mut transition_times = lifecycle_sim::TransitionTimes::default();
    transition_times.spread = 0.0;
    Simulator::builder()
        .epoch(epoch())
        .transition_times(transition_times)
}

/// Returns the start of the simulated clock: 2026-01-01T00:00:00Z.
pub(crate) fn epoch() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

/// Returns the ids of a cloud's instances.
pub(crate) fn ids(simulator: &Simulator, cloud: Cloud) -> Vec<String> {
    simulator
        .instances_at(cloud)
        .iter()
        .map(|reference| reference.rsplit('/').next().unwrap().to_owned())
        .collect()
}

/// The status and the JSON body of a response, or the failure of the transport.
pub(crate) type SendResult = Result<(u16, Value), TransportError>;

/// The difference between the clock of the cloud and the clock of the client, in seconds.
const NO_CLOCK_SKEW: i64 = 0;

/// The time for which a signature of Baidu is valid.
const VALID_SECONDS: u32 = 1800;

/// Sends a request over the in-memory transport; a body that is not JSON becomes `null`.
pub(crate) async fn send(simulator: &Simulator, request: http::Request<Bytes>) -> SendResult {
    let response = simulator.transport().send(request).await?;
    let body = serde_json::from_slice(response.body()).unwrap_or_default();
    Ok((response.status().as_u16(), body))
}

/// Sends a call to Zenlayer with the key or the token that the simulator accepts now.
pub(crate) async fn zenlayer(simulator: &Simulator, action: &str, body: &Value) -> SendResult {
    send(
        simulator,
        zenlayer_request(simulator, "console.zenlayer.com", action, body),
    )
    .await
}

/// Creates a call to Zenlayer with the current credential of the simulator: a signature by the key, or the
/// token.
pub(crate) fn zenlayer_request(
    simulator: &Simulator,
    host: &str,
    action: &str,
    body: &Value,
) -> http::Request<Bytes> {
    let body = body.to_string();
    let context = simulator.clock().signing_context(NO_CLOCK_SKEW);
    let request = http::Request::post(format!("https://{host}/api/v2/zec"))
        .header("host", host)
        .header("content-type", "application/json")
        .header("x-zc-action", action);
    let request = match simulator.credential(Cloud::Zenlayer) {
        Credential::Token(token) => {
            request.header("authorization", format!("Bearer {}", token.expose()))
        }
        Credential::Keys { id, secret, .. } => {
            // Zenlayer signs the path `/`, whatever the path of the URL.
            let canonical = format!(
                "POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{}",
                encode::sha256_hex(body.as_bytes())
            );
            let text = format!(
                "ZC2-HMAC-SHA256\n{}\n{}",
                context.unix(),
                encode::sha256_hex(canonical.as_bytes())
            );
            let signature = encode::hmac_sha256_hex(secret.expose().as_bytes(), text.as_bytes());
            request
                .header("x-zc-signature-method", "ZC2-HMAC-SHA256")
                .header("x-zc-timestamp", context.unix().to_string())
                .header(
                    "authorization",
                    format!("ZC2-HMAC-SHA256 Credential={id}, SignedHeaders=content-type;host, Signature={signature}"),
                )
        }
        other => panic!("unexpected credential {other:?}"),
    };
    request.body(Bytes::from(body)).unwrap()
}

/// Sends a power action on Zenlayer instances.
pub(crate) async fn zenlayer_power(
    simulator: &Simulator,
    action: &str,
    ids: &[String],
) -> SendResult {
    zenlayer(simulator, action, &json!({ "instanceIds": ids })).await
}

/// Returns the statuses of Zenlayer instances, in the order of the response.
pub(crate) async fn zenlayer_statuses(simulator: &Simulator, ids: &[String]) -> Vec<String> {
    let body = json!({ "instanceIds": ids });
    let (_, body) = zenlayer(simulator, "DescribeInstancesStatus", &body)
        .await
        .unwrap();
    let rows = body["response"]["dataSet"].as_array().unwrap();
    rows.iter()
        .map(|row| row["instanceStatus"].as_str().unwrap().to_owned())
        .collect()
}

/// Sends a call to a regional host of Baidu with the key that the simulator accepts now.
pub(crate) async fn baidu(
    simulator: &Simulator,
    host: &str,
    method: &str,
    target: &str,
    body: &Value,
) -> SendResult {
    send(
        simulator,
        baidu_request(simulator, host, method, target, body),
    )
    .await
}

/// Creates a call to Baidu with a signature by the current key of the simulator. The query of `target`
/// must be empty or one name without a value, such as `?start`.
pub(crate) fn baidu_request(
    simulator: &Simulator,
    host: &str,
    method: &str,
    target: &str,
    body: &Value,
) -> http::Request<Bytes> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = simulator.credential(Cloud::Baidu)
    else {
        panic!("Baidu has only keys");
    };
    let date = simulator.clock().signing_context(NO_CLOCK_SKEW).extended();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let canonical_query = if query.is_empty() {
        String::new()
    } else {
        format!("{query}=")
    };
    let prefix = format!("bce-auth-v1/{id}/{date}/{VALID_SECONDS}");
    let key = encode::hmac_sha256_hex(secret.expose().as_bytes(), prefix.as_bytes());
    let canonical = format!(
        "{method}\n{path}\n{canonical_query}\nhost:{}",
        encode::percent(host)
    );
    let signature = encode::hmac_sha256_hex(key.as_bytes(), canonical.as_bytes());
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("https://{host}{target}"))
        .header("host", host)
        .header("authorization", format!("{prefix}/host/{signature}"));
    if let Some(session) = session {
        request = request.header("x-bce-security-token", session.expose());
    }
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    request.body(Bytes::from(body)).unwrap()
}
