//! A TCP proxy whose connections can be cut.

use std::{
    io::copy,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A proxy on a free port of the loopback interface. Lives as long as the process.
pub(crate) struct Proxy {
    port: u16,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// Starts a proxy to a port.
    pub(crate) fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            is_cut: Arc::default(),
            open: Arc::default(),
        };
        let (is_cut, open) = (Arc::clone(&proxy.is_cut), Arc::clone(&proxy.open));
        thread::spawn(move || {
            for inward in listener.incoming().flatten() {
                // A client of a cut network gets no answer; here it gets the end of the connection.
                if is_cut.load(Ordering::Acquire) {
                    continue;
                }
                let Ok(outward) = TcpStream::connect(("127.0.0.1", target)) else {
                    continue;
                };
                let ends = [inward.try_clone().unwrap(), outward.try_clone().unwrap()];
                open.lock().unwrap().extend(ends);
                forward(inward.try_clone().unwrap(), outward.try_clone().unwrap());
                forward(outward, inward);
            }
        });
        proxy
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections, and accepts none until [`restore`](Self::restore).
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        for stream in self.open.lock().unwrap().drain(..) {
            // The connection can have ended already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn restore(&self) {
        self.is_cut.store(false, Ordering::Release);
    }
}

/// Copies one direction of a connection until its end.
fn forward(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
