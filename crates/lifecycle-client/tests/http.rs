//! The real transport over real sockets: what was signed is what is sent, and every way in which
//! a connection can fail is told apart. Real time and short delays.
#![cfg(feature = "reqwest")]

use std::time::Duration;

use bytes::Bytes;
use lifecycle_client::{HttpTransport, Transport, TransportError};
use lifecycle_core::{ExecutionStatus, HttpResponse, ResponseExt};
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
async fn sends_what_was_signed_and_brings_the_answer_as_it_is() {
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
    let reply = send(format!("{}/v2/instance/a%20b?start", server.uri()))
        .await
        .unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.body()[..]),
        (409, &b"no"[..])
    );
    assert_eq!(reply.header("x-request-id"), Some("r-1"));
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
async fn a_refused_connection_was_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.execution_status(), ExecutionStatus::NotExecuted);
}

#[tokio::test]
async fn a_host_that_does_not_exist_was_never_sent() {
    let error = send("http://does-not-exist.invalid/secret?token=x".into())
        .await
        .unwrap_err();
    assert_eq!(error.execution_status(), ExecutionStatus::NotExecuted);
    let text = format!("{error:?}");
    assert!(!text.contains("token"), "{text}");
}

/// A server that reads one request, writes `answer` and closes.
async fn once(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = socket.read(&mut buffer).await.unwrap();
        socket.write_all(answer).await.unwrap();
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_unclear() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"garbage\r\n\r\n",
    ] {
        let error = send(once(answer).await).await.unwrap_err();
        assert_eq!(
            error.execution_status(),
            ExecutionStatus::Unknown,
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while socket.write_all(&[b'x'; 65536]).await.is_ok() {}
    });
    let answer = tokio::time::timeout(Duration::from_secs(20), send(format!("http://{address}/")));
    let error = answer.await.unwrap().unwrap_err();
    assert_eq!(error.execution_status(), ExecutionStatus::Unknown);
    assert!(error.to_string().contains("16 MiB"), "{error}");
}
