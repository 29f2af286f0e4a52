//! The server for the benchmark of calls: another process, which answers with fixed bytes.
//!
//! The server reads only as much of a request as identifies the response, and checks nothing. So the
//! server takes less time than any client, and the measured cost is the client's.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
};

use lifecycle_bench::{BenchResult, runtime};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::answers::Answers;

/// The server in a child process.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts this program as the server, in a child process.
    pub(crate) fn start() -> BenchResult<Self> {
        let mut process = Command::new(env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut first_line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut first_line)?;
        }
        let port = first_line.trim().parse();
        let mut server = Self { process, port: 0 };
        server.port = port.map_err(|_| "the server did not start")?;
        Ok(server)
    }

    /// Returns the port of the server on this machine.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server also ends by itself when its input ends.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the server until standard input ends. This is the whole work of the child process.
pub(crate) fn serve() -> BenchResult<()> {
    thread::spawn(|| {
        // Nothing is ever written: a byte and an error both mean the end.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    runtime()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        io::stdout().flush()?;
        listen(listener, Answers::new()?).await
    })
}

/// Answers every connection.
pub(crate) async fn listen(listener: TcpListener, answers: Answers) -> BenchResult<()> {
    let answers = Arc::new(answers);
    loop {
        let (connection, _) = listener.accept().await?;
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            // A client that goes away needs no response.
            let _ = answer_requests(connection, &answers).await;
        });
    }
}

/// Answers all requests of one connection.
async fn answer_requests(mut connection: TcpStream, answers: &Answers) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut received = Vec::with_capacity(16 << 10);
    while connection.read_buf(&mut received).await? > 0 {
        while let Some(request) = Request::first_of(&received) {
            connection.write_all(answers.to(request.head)).await?;
            let length = request.length;
            received.drain(..length);
        }
    }
    Ok(())
}

/// A request that has arrived to the last byte.
struct Request<'a> {
    /// First line and headers.
    head: &'a str,
    /// Length of head and body.
    length: usize,
}

impl<'a> Request<'a> {
    /// Returns the first request in `received`, if complete.
    fn first_of(received: &'a [u8]) -> Option<Self> {
        let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = str::from_utf8(received.get(..end)?).ok()?;
        let body = head.lines().find_map(content_length).unwrap_or_default();
        let length = end + 4 + body;
        (length <= received.len()).then_some(Self { head, length })
    }
}

fn content_length(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(':')?;
    let is_length = name.eq_ignore_ascii_case("content-length");
    is_length.then(|| value.trim().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_complete_with_the_last_byte() {
        let bytes = b"PUT /a?start HTTP/1.1\r\nhost: x\r\nContent-Length: 3\r\n\r\nabcGET /";
        let request = Request::first_of(bytes).unwrap();
        assert_eq!(&bytes[request.length..], b"GET /");
        assert!(request.head.ends_with("Content-Length: 3"));
        assert!(Request::first_of(&bytes[..request.length - 1]).is_none());
        assert!(Request::first_of(b"GET / HTTP/1.1\r\n").is_none());
        let bare = b"GET / HTTP/1.1\r\n\r\n";
        assert_eq!(Request::first_of(bare).unwrap().length, bare.len());
    }
}
