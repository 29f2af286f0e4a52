//! Fuzz target: requests to the simulated clouds, as written and with a valid signature.

use bytes::Bytes;
use lifecycle_client::Transport;
use lifecycle_core::UnsignedRequest;
use lifecycle_sim::{Cloud, Simulator};

use crate::{PROJECT, message::Message, provider, signing_context};

/// Sends one request to all simulated clouds: first as written, then signed with a valid key, because
/// most of the parser stands behind the check of the signature.
///
/// # Panics
/// If the simulator panics, or does not answer.
pub fn check(data: &[u8]) {
    let message = Message::parse(data);
    let (method, target) = message.start.split_once(' ').unwrap_or_default();
    let Ok(method) = method.parse::<http::Method>() else {
        return;
    };
    let simulator = simulator();
    if let Ok(uri) = target.parse::<http::Uri>() {
        let mut request = http::Request::new(message.body.clone());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = message.headers.clone();
        send(&simulator, request);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for cloud in Cloud::ALL {
        let unsigned = UnsignedRequest::new(operation(&message), method.clone(), path)
            .with_query(query)
            .with_body(message.body.clone());
        let provider = provider(cloud.as_str()).expect("a known cloud");
        let key = simulator.credential(cloud);
        if let Ok(signed) = provider.sign(&unsigned, &key, &signing_context()) {
            send(&simulator, signed);
        }
    }
}

fn simulator() -> Simulator {
    let epoch = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_780_000_000);
    Simulator::builder()
        .fleet("aliyun/r-1=2,baidu/r-1=2,huawei/r-1=2,zenlayer/global=2")
        .expect("a valid fleet")
        .epoch(epoch)
        .project_id(PROJECT)
        .build()
}

/// Returns the operation that the headers of a recorded request name.
fn operation(message: &Message) -> &'static str {
    const OPERATIONS: [&str; 12] = [
        "StartInstance",
        "StopInstance",
        "RebootInstance",
        "StartInstances",
        "StopInstances",
        "RebootInstances",
        "DescribeInstances",
        "DescribeInstanceStatus",
        "AssumeRole",
        "GetCallerIdentity",
        "DescribeZecInstances",
        "Other",
    ];
    let named = ["x-acs-action", "x-zc-action"]
        .iter()
        .find_map(|name| message.headers.get(*name)?.to_str().ok());
    OPERATIONS
        .into_iter()
        .find(|operation| Some(*operation) == named)
        .unwrap_or("DescribeInstances")
}

fn send(simulator: &Simulator, request: http::Request<Bytes>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let response = runtime.block_on(simulator.transport().send(request));
    assert!(response.is_ok(), "{response:?}");
}
