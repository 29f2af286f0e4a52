//! Ctrl-C, and the polite request to end (SIGTERM).

use std::io;

use crate::exit::{self, Exit};

/// Both ways in which a person or a machine asks the command to end. While this exists, neither
/// ends the process by itself.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    keyboard: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Interrupt {
    /// Listens from now on.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            keyboard: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.keyboard.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Listens from now on.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub(crate) async fn received(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends the process at the next one, whatever it does then.
    pub(crate) fn end_at_next(mut self) {
        tokio::spawn(async move {
            self.received().await;
            exit::now(Exit::Incomplete);
        });
    }
}
