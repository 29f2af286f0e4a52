//! Tests of the time limits, over streams in memory and in virtual time.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::Instant,
};

use super::*;

/// A request with a response of more than [`BUFFER`] bytes.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// The bytes that a stream holds until the other side reads.
const BUFFER: usize = 64;

/// Serves one connection. Returns the stream of the client, and a task that ends with the connection.
fn connect() -> (DuplexStream, JoinHandle<()>) {
    let (client, stream) = duplex(BUFFER);
    let task = tokio::spawn(async move {
        let (_stop, mut stopped) = watch::channel(());
        serve_connection(stream, Simulator::builder().build(), &mut stopped).await;
    });
    (client, task)
}

/// The time after which a test fails.
const HOUR: Duration = Duration::from_secs(3600);

/// Reads at most `size` bytes: none at the end of the connection.
async fn read(client: &mut DuplexStream, size: usize) -> String {
    let mut bytes = vec![0; size];
    let read = timeout(HOUR, client.read(&mut bytes)).await;
    bytes.truncate(read.expect("data or an end").unwrap());
    String::from_utf8(bytes).unwrap()
}

/// Reads the head and the body of one response.
async fn read_response(client: &mut DuplexStream) -> String {
    let mut text = String::new();
    loop {
        let part = read(client, BUFFER).await;
        assert_ne!(part, "", "{text}");
        text.push_str(&part);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap();
            let length = length.lines().next().unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return text;
            }
        }
    }
}

/// Checks that `limit` has passed since `began`, with the resolution of the timer.
fn assert_elapsed(began: Instant, limit: Duration) {
    let elapsed = began.elapsed();
    assert!(
        elapsed >= limit && elapsed < limit + Duration::from_millis(100),
        "{elapsed:?}, not {limit:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_closed_at_the_limit_of_the_next_request() {
    let (mut client, task) = connect();
    client.write_all(REQUEST).await.unwrap();
    read_response(&mut client).await;
    sleep(Duration::from_secs(70)).await;
    client.write_all(REQUEST).await.unwrap();
    read_response(&mut client).await;
    let idle_since = Instant::now();
    assert_eq!(read(&mut client, 1).await, "");
    assert_elapsed(idle_since, NEXT_REQUEST_TIMEOUT);
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn incomplete_body_has_response_408_at_the_limit_of_a_body() {
    let (mut client, task) = connect();
    let began = Instant::now();
    let request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf";
    client.write_all(request).await.unwrap();
    let response = read_response(&mut client).await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert_elapsed(began, BODY_TIMEOUT);
    assert_eq!(read(&mut client, 1).await, "");
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connection_is_closed_if_the_client_reads_no_response() {
    let (mut client, task) = connect();
    let began = Instant::now();
    client.write_all(REQUEST).await.unwrap();
    let closed = timeout(HOUR, task).await;
    closed.expect("a closed connection").unwrap();
    assert_elapsed(began, WRITE_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn slow_client_reads_the_whole_response() {
    let (mut client, _task) = connect();
    client.write_all(REQUEST).await.unwrap();
    // Several parts, each in less than the limit of a write, all in more.
    for _ in 0..2 {
        sleep(WRITE_TIMEOUT - Duration::from_secs(1)).await;
        assert_eq!(read(&mut client, 16).await.len(), 16);
    }
    let rest = read_response(&mut client).await;
    assert!(rest.len() > BUFFER, "{rest}");
}
