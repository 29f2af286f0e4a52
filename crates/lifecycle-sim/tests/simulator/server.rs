//! Tests with real sockets. The tests write the bytes of the requests, without an HTTP client.

use std::time::Duration;

use lifecycle_sim::{
    Cloud, FaultRule, FaultTiming, InjectedFault, KeyKind, Operation, Server, Simulator,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::calls::{baidu_request, ids};

async fn serve(fleet: &str) -> (Simulator, Server) {
    let simulator = Simulator::builder().fleet(fleet).unwrap().build();
    simulator.issue(Cloud::Zenlayer, KeyKind::Token);
    let server = simulator.serve("127.0.0.1:0").await.unwrap();
    (simulator, server)
}

fn written(request: &http::Request<bytes::Bytes>) -> Vec<u8> {
    let mut text = format!(
        "{} {} HTTP/1.1\r\n",
        request.method(),
        request.uri().path_and_query().unwrap()
    );
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", request.body().len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(request.body());
    bytes
}

fn zenlayer(simulator: &Simulator, server: &Server, action: &str, ids: &[String]) -> Vec<u8> {
    let host = server.address().to_string();
    let body = json!({ "instanceIds": ids });
    written(&crate::calls::zenlayer_request(
        simulator, &host, action, &body,
    ))
}

/// Writes a request on a new connection and reads until the end of the response or of the
/// connection.
async fn exchange(server: &Server, request: &[u8]) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let response = read_answer(&mut stream).await;
    (stream, response)
}

async fn read_answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if length.is_some_and(|length| body.len() >= length.parse().unwrap()) {
                return text;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

#[tokio::test]
async fn one_connection_serves_two_clouds() {
    let (simulator, server) = serve("zenlayer/asia-southeast-1=2,baidu/bj=1,baidu/gz=1").await;
    assert_eq!(server.url(), format!("http://{}", server.address()));
    let vms = ids(&simulator, Cloud::Zenlayer);
    let request = zenlayer(&simulator, &server, "StartInstances", &vms);
    let (mut stream, response) = exchange(&server, &request).await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert_eq!(response.matches("date: ").count(), 1, "{response}");
    assert_eq!(simulator.ledger().power_operations().len(), 2);

    // The same connection serves another cloud. A loopback address shows all regions.
    let host = server.address().to_string();
    let list = baidu_request(&simulator, &host, "GET", "/v2/instance", &Value::Null);
    stream.write_all(&written(&list)).await.unwrap();
    let response = read_answer(&mut stream).await;
    let body: Value = serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["instances"].as_array().unwrap().len(), 2);
    assert!(response.contains("x-bce-request-id: "));
    server.shutdown().await;
}

#[tokio::test]
async fn connection_without_a_request_is_closed_and_a_used_one_stays_open() {
    let (simulator, server) = serve("zenlayer/asia-southeast-1=1").await;
    let vms = ids(&simulator, Cloud::Zenlayer);
    let request = zenlayer(&simulator, &server, "StartInstances", &vms);
    let mut unused = TcpStream::connect(server.address()).await.unwrap();
    let mut slow = TcpStream::connect(server.address()).await.unwrap();
    slow.write_all(b"POST / HTTP/1.1\r\nhost: x\r\n")
        .await
        .unwrap();
    let (mut used, _) = exchange(&server, &request).await;
    for stream in [&mut unused, &mut slow] {
        let closed = timeout(Duration::from_secs(8), read_answer(stream)).await;
        assert_eq!(closed.unwrap(), "");
    }
    used.write_all(&request).await.unwrap();
    let response = read_answer(&mut used).await;
    assert!(response.starts_with("HTTP/1.1 "), "{response:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn injected_fault_breaks_a_real_connection() {
    let (simulator, server) = serve("zenlayer/asia-southeast-1=1:running").await;
    let vms = ids(&simulator, Cloud::Zenlayer);
    let request = zenlayer(&simulator, &server, "RebootInstances", &vms);
    for (fault, reboots) in [
        (InjectedFault::Unreachable, 0),
        (InjectedFault::Reset(FaultTiming::Before), 0),
        (InjectedFault::Reset(FaultTiming::After), 1),
    ] {
        simulator.inject(FaultRule::new(fault.clone()));
        let (_, response) = exchange(&server, &request).await;
        assert_eq!(response, "", "{fault:?}");
        assert_eq!(simulator.ledger().most_reboots(), reboots, "{fault:?}");
    }
    simulator.inject(FaultRule::new(InjectedFault::Truncated));
    let (_, response) = exchange(&server, &request).await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let promised = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    assert!(
        !body.is_empty() && body.len() < promised.parse().unwrap(),
        "{response}"
    );

    simulator.inject(FaultRule::new(InjectedFault::Silence(FaultTiming::After)));
    let silence = timeout(Duration::from_millis(200), exchange(&server, &request)).await;
    assert!(silence.is_err());
    server.shutdown().await;
}

#[tokio::test]
async fn shutdown_finishes_running_calls_and_closes_the_port() {
    let (simulator, server) = serve("zenlayer/asia-southeast-1=1").await;
    let address = server.address();
    let request = zenlayer(
        &simulator,
        &server,
        "StartInstances",
        &ids(&simulator, Cloud::Zenlayer),
    );
    // One connection is idle, one call gets a response, and one call never does.
    let (idle, _) = exchange(&server, &request).await;
    simulator.inject(FaultRule::new(InjectedFault::Slow(Duration::from_millis(
        300,
    ))));
    simulator.inject(FaultRule::new(InjectedFault::Silence(FaultTiming::Before)));
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(&request).await.unwrap();
    while simulator.ledger().count(Cloud::Zenlayer, Operation::Start) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(&request).await.unwrap();
    while simulator.ledger().count(Cloud::Zenlayer, Operation::Start) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let began = Instant::now();
    server.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(read_answer(&mut slow).await.starts_with("HTTP/1.1 200"));
    assert_eq!(read_answer(&mut silent).await, "");
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn server_survives_invalid_and_oversized_requests() {
    let (simulator, server) = serve("zenlayer/asia-southeast-1=1").await;
    let (_, response) = exchange(&server, b"\x16\x03\x01nonsense\r\n\r\n").await;
    assert!(
        response.starts_with("HTTP/1.1 400") || response.is_empty(),
        "{response}"
    );
    let head = "POST /api/v2/zec HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n";
    let mut flood = head.as_bytes().to_vec();
    flood.resize(13 << 20, b' ');
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    // The server may close the connection before the end of the request.
    let _ = stream.write_all(&flood).await;
    drop(stream);
    let request = zenlayer(&simulator, &server, "DescribeInstances", &[]);
    assert!(
        exchange(&server, &request)
            .await
            .1
            .starts_with("HTTP/1.1 200")
    );
    server.shutdown().await;
}
