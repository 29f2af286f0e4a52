//! The HTTP server: simulated clouds behind a real socket.

#[cfg(test)]
mod tests;
mod write_limit;

use std::{
    fmt, future, io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, ToSocketAddrs},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Sleep, sleep, timeout},
};

use crate::{Simulator, response, world::CallOutcome};
use write_limit::WriteLimited;

impl Simulator {
    /// Serves all four clouds on one port, over plain HTTP; port 0 takes a free port. Path and
    /// headers select the cloud, so [`Server::url`] is the endpoint of every cloud. Behind a
    /// loopback address the instances of all regions are visible.
    ///
    /// Use real time: under paused time tokio's clock jumps ahead while a socket waits.
    ///
    /// # Errors
    /// The error of the operating system if the address is not available.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept(listener, self.clone(), stopped));
        Ok(Server {
            address,
            stop,
            task,
        })
    }
}

/// A running server. [`Simulator::serve`] starts the server; dropping the value stops the server.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Returns the URL of all four clouds, such as `http://127.0.0.1:7070`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting calls and waits until the running calls are finished and all connections are
    /// closed. A call that an injected fault keeps open is cut off.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The task neither panics nor is aborted; otherwise the server is stopped already.
        let _ = self.task.await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The time for running calls to finish at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The time for the first request on a connection. Connections without a request must not use up the
/// file handles of the process.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// The time for every other head of a request, including the idle time before. Longer than the
/// idle time of the client's pool, so that the client closes an idle connection first.
const NEXT_REQUEST_TIMEOUT: Duration = Duration::from_secs(75);

/// The time for the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The time in which the client must accept a part of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum size of a request body. Huawei documents 12 MB.
const MAX_BODY_BYTES: usize = 12 << 20;

async fn accept(listener: TcpListener, simulator: Simulator, mut stopped: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let mut closing = stopped.clone();
        tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // The process is probably out of file handles: wait until some are free.
                    sleep(Duration::from_millis(50)).await;
                    continue;
                };
                // Small responses must not wait for more data. Without this option the socket is
                // slower, not wrong.
                let _ = stream.set_nodelay(true);
                let simulator = simulator.clone();
                connections.spawn(async move { serve_connection(stream, simulator, &mut closing).await });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves one connection until the connection closes or the server stops.
async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    simulator: Simulator,
    stopped: &mut watch::Receiver<()>,
) {
    let has_request = Arc::new(AtomicBool::new(false));
    let service = {
        let has_request = Arc::clone(&has_request);
        service_fn(move |request| {
            has_request.store(true, Ordering::Relaxed);
            call(simulator.clone(), request)
        })
    };
    let connection = http1::Builder::new()
        .auto_date_header(false)
        .timer(TokioTimer::new())
        .header_read_timeout(NEXT_REQUEST_TIMEOUT)
        .serve_connection(
            TokioIo::new(WriteLimited::new(stream, WRITE_TIMEOUT)),
            service,
        );
    let mut connection = pin!(connection);
    let unused = async {
        sleep(FIRST_REQUEST_TIMEOUT).await;
        if has_request.load(Ordering::Relaxed) {
            future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = unused => return,
        // The client broke the connection or read no response, or an injected fault did.
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = timeout(SHUTDOWN_TIMEOUT, connection).await;
}

/// Handles one call. An error makes hyper close the connection without a response.
async fn call(
    simulator: Simulator,
    request: http::Request<Incoming>,
) -> Result<http::Response<ResponseBody>, ConnectionBroken> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect();
    let Ok(body) = timeout(BODY_TIMEOUT, body).await else {
        let late = response::with_body(408, "text/plain", "request body too late");
        return Ok(late.map(ResponseBody::complete));
    };
    let Ok(body) = body else {
        let too_large = response::with_body(413, "text/plain", "request body too large");
        return Ok(too_large.map(ResponseBody::complete));
    };
    let one_way = simulator.latency() / 2;
    sleep(one_way).await;
    let outcome = simulator.exchange(http::Request::from_parts(parts, body.to_bytes()));
    match outcome {
        CallOutcome::Response(response, delay) => {
            sleep(delay.saturating_add(one_way)).await;
            Ok(response.map(ResponseBody::complete))
        }
        CallOutcome::Truncated(response) => Ok(response.map(|data| ResponseBody::truncated(&data))),
        CallOutcome::Silence => future::pending().await,
        CallOutcome::Unreachable | CallOutcome::Reset => Err(ConnectionBroken),
    }
}

/// A connection that an injected fault breaks.
#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct ConnectionBroken;

/// The body of a response.
struct ResponseBody {
    /// The data to send.
    data: Option<Bytes>,
    /// The length in the content-length header.
    announced: u64,
    /// The pause between the data and the break of the connection. hyper writes the data out in the
    /// pause.
    break_after: Option<Pin<Box<Sleep>>>,
}

impl ResponseBody {
    fn complete(data: Bytes) -> Self {
        Self {
            announced: data.len() as u64,
            data: Some(data),
            break_after: None,
        }
    }

    /// Announces all of `data`, sends half of the data and breaks the connection.
    fn truncated(data: &Bytes) -> Self {
        Self {
            announced: data.len() as u64,
            data: Some(data.slice(..data.len() / 2)),
            break_after: Some(Box::pin(sleep(Duration::from_millis(20)))),
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ConnectionBroken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionBroken>>> {
        if let Some(data) = self.data.take().filter(|data| !data.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.break_after {
            Some(pause) => pause
                .as_mut()
                .poll(context)
                .map(|()| Some(Err(ConnectionBroken))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.break_after.is_none() && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
