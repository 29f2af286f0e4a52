//! `MetricsServer`: serves the metrics of this process over HTTP, from memory.
//!
//! The server has a thread and a runtime of its own, with real time: a scrape is answered while a pass runs, and
//! in simulated time, too. A scrape calls no cloud.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use lifecycle_metrics::{PrometheusRecorder, SeriesRemover};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::Semaphore,
    time::{sleep, timeout},
};

use crate::exit::CommandError;

/// The number of connections at a time. Further connections wait in the queue of the system.
const MAX_CONNECTIONS: usize = 32;
/// The time for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for a whole connection, which has one request.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(15);
/// The size of the head of a request.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// The number of headers of a request.
const MAX_HEADERS: usize = 64;

/// A running server of metrics. The end of the process ends the server.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    recorder: PrometheusRecorder,
    address: SocketAddr,
}

impl MetricsServer {
    /// Listens on an address, and records the metrics of this process from now on. `option` names the address on
    /// the command line.
    ///
    /// # Errors
    /// The address is in use or does not belong to this machine.
    pub(crate) fn start(address: SocketAddr, option: &str) -> Result<Self, CommandError> {
        let problem = |error: &dyn std::fmt::Display| {
            CommandError::nothing_done(format!(
                "cannot serve metrics on {address}: {error}; write another address with {option}, or port 0 for a \
                 free port"
            ))
        };
        let listener = std::net::TcpListener::bind(address).map_err(|error| problem(&error))?;
        let recorder = PrometheusRecorder::new();
        let address = listener.local_addr().map_err(|error| problem(&error))?;
        listener
            .set_nonblocking(true)
            .map_err(|error| problem(&error))?;
        metrics::set_global_recorder(recorder.clone()).map_err(|error| problem(&error))?;
        lifecycle_metrics::describe();
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| problem(&error))?;
        let served = recorder.clone();
        let thread = std::thread::Builder::new().name("metrics".to_owned());
        let started = thread.spawn(move || {
            runtime.block_on(async {
                // Fails only for a listener that blocks.
                if let Ok(listener) = TcpListener::from_std(listener) {
                    accept(&listener, &served).await;
                }
            });
        });
        started.map_err(|error| problem(&error))?;
        Ok(Self { recorder, address })
    }

    /// Returns the URL of the metrics.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Returns the remover of series.
    pub(crate) fn remover(&self) -> Arc<dyn SeriesRemover> {
        self.recorder.remover()
    }
}

async fn accept(listener: &TcpListener, recorder: &PrometheusRecorder) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // Fails only for a closed semaphore.
        let Ok(place) = Arc::clone(&free).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // The process is probably out of file handles: wait until some are free.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let recorder = recorder.clone();
        tokio::spawn(async move {
            let _place = place;
            // A scrape that is cut off returns with the next interval.
            let _ = timeout(CONNECTION_TIMEOUT, serve(stream, recorder)).await;
        });
    }
}

/// Serves one request of one connection.
async fn serve(stream: TcpStream, recorder: PrometheusRecorder) -> Result<(), hyper::Error> {
    let answer = service_fn(move |request: Request<Incoming>| {
        let response = respond(request.method(), request.uri().path(), &recorder);
        async { Ok::<_, Infallible>(response) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer)
        .await
}

fn respond(method: &Method, path: &str, recorder: &PrometheusRecorder) -> Response<Full<Bytes>> {
    let (status, text) = match path {
        _ if !matches!(*method, Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned())
        }
        "/metrics" => (StatusCode::OK, recorder.render()),
        "/healthz" | "/-/healthy" => (StatusCode::OK, "ok\n".to_owned()),
        _ => (
            StatusCode::NOT_FOUND,
            "see /metrics and /healthz\n".to_owned(),
        ),
    };
    let content_type = match path {
        "/metrics" => "text/plain; version=0.0.4; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static(content_type),
    );
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
    }
    response
}
