//! Handles Ctrl-C and SIGTERM.

use std::io;

use crate::exit::{self, Exit};

/// Receives Ctrl-C and SIGTERM. Neither signal ends the process while an `Interrupt` exists.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    keyboard: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Interrupt {
    /// Receives signals from now on.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            keyboard: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal.
    #[cfg(unix)]
    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.keyboard.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Receives signals from now on.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal.
    #[cfg(not(unix))]
    pub(crate) async fn received(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends the process at the next signal, even in the middle of output.
    pub(crate) fn end_at_next(mut self) {
        tokio::spawn(async move {
            self.received().await;
            exit::now(Exit::Incomplete);
        });
    }
}
