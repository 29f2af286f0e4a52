//! Tests of `HttpTransport` over sockets: requests go out as signed, and failures of the connection
//! are distinguished. The tests use the real clock and short delays.
#![cfg(feature = "reqwest")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use lifecycle_client::{Client, HttpTransport, StaticCredential, Transport, TransportError};
use lifecycle_core::{Credential, ExecutionStatus, HttpResponse, ResponseExt};
use support::Toy;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, header, method, path, query_param},
};

fn request(uri: String) -> http::Request<Bytes> {
    http::Request::builder()
        .method("PUT")
        .uri(uri)
        .header("host", "signed.example:8080")
        .header("authorization", "signature")
        .header("content-type", "application/json")
        .body(Bytes::from_static(b"{\"a\": 1}"))
        .unwrap()
}

async fn send(uri: String) -> Result<HttpResponse, TransportError> {
    HttpTransport::new().unwrap().send(request(uri)).await
}

#[tokio::test]
async fn request_and_response_pass_unchanged() {
    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .and(path("/v2/instance/a%20b"))
        .and(query_param("start", ""))
        .and(header("host", "signed.example:8080"))
        .and(header("authorization", "signature"))
        .and(body_string("{\"a\": 1}"))
        .respond_with(
            ResponseTemplate::new(409)
                .insert_header("x-request-id", "r-1")
                .set_body_string("no"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let response = send(format!("{}/v2/instance/a%20b?start", server.uri()))
        .await
        .unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (409, &b"no"[..])
    );
    assert_eq!(response.header("x-request-id"), Some("r-1"));
}

/// Starts a server that accepts every reboot, shows no instance, and keeps connections open. Returns
/// the URL and the number of connections.
async fn keep_alive_server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = socket.read(&mut buffer).await {
                    let is_reboot = buffer[..read].windows(7).any(|part| part == b"/reboot");
                    let body = if is_reboot { "ok" } else { "" };
                    let length = body.len();
                    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                    let _ = socket.write_all(text.as_bytes()).await;
                }
            });
        }
    });
    (url, connections)
}

/// Sends reboots and lookups over sockets. A reboot must not read the rest of an earlier response.
#[tokio::test]
async fn call_that_must_not_be_repeated_has_a_connection_of_its_own() {
    let (url, connections) = keep_alive_server().await;
    let toy = Toy::at(Box::leak(url.trim_end_matches('/').into()));
    let key = StaticCredential::new(Credential::keys("id", "secret"));
    let client = Client::builder(toy, key, HttpTransport::new().unwrap()).build();
    for _ in 0..3 {
        client.observe(["i-1"]).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "lookups share one");
    for reboots in 1..=3 {
        client.reboot(["i-1"]).await.unwrap();
        client.observe(["i-1"]).await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), 1 + reboots);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = MockServer::start().await;
    Mock::given(path("/"))
        .respond_with(
            ResponseTemplate::new(307).insert_header("location", format!("{}/b", server.uri())),
        )
        .mount(&server)
        .await;
    Mock::given(path("/b"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    assert_eq!(
        send(format!("{}/", server.uri())).await.unwrap().status(),
        307
    );
}

#[tokio::test]
async fn refused_connection_is_not_executed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.execution_status(), ExecutionStatus::NotExecuted);
    assert_eq!(error.to_string(), format!("no connection to {address}"));
}

#[tokio::test]
async fn unknown_host_is_not_executed_and_error_hides_the_url() {
    let error = send("http://does-not-exist.invalid/secret?token=x".into())
        .await
        .unwrap_err();
    assert_eq!(error.execution_status(), ExecutionStatus::NotExecuted);
    let text = format!("{error:?}");
    assert!(!text.contains("token"), "{text}");
    assert_eq!(
        error.to_string(),
        "no address for does-not-exist.invalid: check the region name and the DNS servers"
    );
}

/// Starts a server that reads one request, writes `response` and closes the connection.
async fn respond_once(response: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = socket.read(&mut buffer).await.unwrap();
        socket.write_all(response).await.unwrap();
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn connection_broken_after_the_request_is_maybe_executed() {
    for response in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"garbage\r\n\r\n",
    ] {
        let error = send(respond_once(response).await).await.unwrap_err();
        assert_eq!(
            error.execution_status(),
            ExecutionStatus::Unknown,
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn longest_response_is_read_to_the_end() {
    let longest = 16 << 20;
    let server = MockServer::start().await;
    Mock::given(path("/"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; longest]))
        .mount(&server)
        .await;
    let response = send(format!("{}/", server.uri())).await.unwrap();
    assert_eq!(response.body().len(), longest);
}

#[tokio::test]
async fn endless_response_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while socket.write_all(&[b'x'; 65536]).await.is_ok() {}
    });
    let result = tokio::time::timeout(Duration::from_secs(20), send(format!("http://{address}/")));
    let error = result.await.unwrap().unwrap_err();
    assert_eq!(error.execution_status(), ExecutionStatus::Unknown);
    assert!(error.to_string().contains("16 MiB"), "{error}");
}
