//! The simulated clouds behind a real socket.

use std::{
    fmt, future, io,
    net::SocketAddr,
    pin::{Pin, pin},
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
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Sleep, sleep, timeout},
};

use crate::{Simulator, response, world::CallOutcome};

impl Simulator {
    /// Serves all four clouds on one port, over plain HTTP; port 0 takes a free one. Which cloud a
    /// request is for follows from its path and headers, so every cloud's endpoint is
    /// [`Server::url`]. Behind a loopback address the instances of all regions can be seen.
    ///
    /// Meant for real time: under paused time tokio's clock jumps ahead while a socket waits.
    ///
    /// # Errors
    /// The error of the operating system when the address cannot be taken.
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

/// A running server. Made by [`Simulator::serve`]; dropping it ends it, too.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// The URL of all four clouds, such as `http://127.0.0.1:7070`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no further call, lets running ones end, and returns when all connections are closed. A
    /// call that a mishap keeps open for ever is cut off.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The task neither panics nor is aborted, and if it did there would be nothing left to stop.
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

/// How long running calls may take to end at a shutdown.
const GRACE: Duration = Duration::from_secs(1);

/// The greatest request body. Huawei documents 12 MB.
const MOST_BYTES: usize = 12 << 20;

async fn accept(listener: TcpListener, simulator: Simulator, mut stopped: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let mut closing = stopped.clone();
        tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of file handles, most likely: wait for some to come back.
                    sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let simulator = simulator.clone();
                connections.spawn(async move { serve_connection(stream, simulator, &mut closing).await });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers the calls of one connection until it closes or the server stops.
async fn serve_connection(
    stream: TcpStream,
    simulator: Simulator,
    stopped: &mut watch::Receiver<()>,
) {
    // Small answers should not wait for more data; a socket that refuses is slower, not wrong.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| call(simulator.clone(), request));
    let connection = http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // A connection that breaks is the client's, or a mishap.
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = timeout(GRACE, connection).await;
}

/// Answers one call. An error makes hyper close the connection without an answer.
async fn call(
    simulator: Simulator,
    request: http::Request<Incoming>,
) -> Result<http::Response<ResponseBody>, ConnectionBroken> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
        let refusal = response::with_body(413, "text/plain", "request body too large");
        return Ok(refusal.map(ResponseBody::whole));
    };
    let one_way = simulator.latency() / 2;
    sleep(one_way).await;
    let delivery = simulator.exchange(http::Request::from_parts(parts, body.to_bytes()));
    match delivery {
        CallOutcome::Response(response, delay) => {
            sleep(delay.saturating_add(one_way)).await;
            Ok(response.map(ResponseBody::whole))
        }
        CallOutcome::Truncated(response) => Ok(response.map(|data| ResponseBody::half(&data))),
        CallOutcome::Silence => future::pending().await,
        CallOutcome::Unreachable | CallOutcome::Reset => Err(ConnectionBroken),
    }
}

/// A connection that is broken on purpose.
#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct ConnectionBroken;

/// The body of an answer.
struct ResponseBody {
    /// What is sent.
    data: Option<Bytes>,
    /// What the length header promises.
    promised: u64,
    /// The connection breaks when the data has been sent and this time has passed, in which hyper
    /// writes the data out.
    breaks: Option<Pin<Box<Sleep>>>,
}

impl ResponseBody {
    fn whole(data: Bytes) -> Self {
        Self {
            promised: data.len() as u64,
            data: Some(data),
            breaks: None,
        }
    }

    /// Promises all of `data`, sends half of it, and breaks.
    fn half(data: &Bytes) -> Self {
        Self {
            promised: data.len() as u64,
            data: Some(data.slice(..data.len() / 2)),
            breaks: Some(Box::pin(sleep(Duration::from_millis(20)))),
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
        match &mut self.breaks {
            Some(pause) => pause
                .as_mut()
                .poll(context)
                .map(|()| Some(Err(ConnectionBroken))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.breaks.is_none() && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
