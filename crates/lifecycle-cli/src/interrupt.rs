//! Handles Ctrl-C, SIGTERM and SIGHUP.

use std::{io, mem};

#[cfg(not(unix))]
pub(crate) use self::keyboard::{ReceivedSignal, SignalListener};
#[cfg(unix)]
pub(crate) use self::unix::{ReceivedSignal, SignalListener};

impl SignalListener {
    /// Ends the process at the next signal, even in the middle of output.
    ///
    /// The end of a `SignalListener` alone does not restore the default of a signal, and the process would ignore the
    /// signal: output and other blocking steps need this call before them.
    pub(crate) fn exit_at_next_signal(&mut self) {
        let mut signals = mem::take(self);
        tokio::spawn(async move { signals.received().await.end_process() });
    }
}

#[cfg(unix)]
mod unix {
    use std::{future::pending, process::exit};

    use signal_hook::low_level::emulate_default_handler;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::io;

    /// Receives Ctrl-C, SIGTERM and SIGHUP. No signal ends the process after the first `SignalListener`, unless the
    /// receiver of the signal ends the process.
    ///
    /// A signal that was ignored at the start stays ignored, as `nohup` and shells with jobs in the
    /// background require.
    #[derive(Debug, Default)]
    pub(crate) struct SignalListener {
        keyboard: Option<Signal>,
        terminate: Option<Signal>,
        hang_up: Option<Signal>,
    }

    /// A received signal.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct ReceivedSignal(SignalKind);

    impl SignalListener {
        /// Receives signals from now on.
        pub(crate) fn listen() -> io::Result<Self> {
            let ignored = ignored_signals();
            let receive = |kind: SignalKind, if_unknown: bool| {
                let bit = 1_u64 << (kind.as_raw_value() - 1);
                match ignored.map_or(if_unknown, |ignored| ignored & bit == 0) {
                    true => signal(kind).map(Some),
                    false => Ok(None),
                }
            };
            Ok(Self {
                keyboard: receive(SignalKind::interrupt(), true)?,
                terminate: receive(SignalKind::terminate(), true)?,
                // Without knowledge, `nohup` is more important than the rows.
                hang_up: receive(SignalKind::hangup(), false)?,
            })
        }

        /// Waits for the next signal.
        pub(crate) async fn received(&mut self) -> ReceivedSignal {
            ReceivedSignal(tokio::select! {
                () = next(&mut self.keyboard) => SignalKind::interrupt(),
                () = next(&mut self.terminate) => SignalKind::terminate(),
                () = next(&mut self.hang_up) => SignalKind::hangup(),
            })
        }
    }

    impl ReceivedSignal {
        /// Ends the process by the signal, so that a shell ends its loop or script, too.
        pub(crate) fn end_process(self) -> ! {
            let number = self.0.as_raw_value();
            // Does not return, except for an error.
            let _ = emulate_default_handler(number);
            exit(128 + number)
        }
    }

    async fn next(signal: &mut Option<Signal>) {
        match signal {
            Some(signal) => match signal.recv().await {
                Some(()) => {}
                None => pending().await,
            },
            None => pending().await,
        }
    }

    /// Returns the set of ignored signals; `None` on systems that do not show the set in a file.
    fn ignored_signals() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    }
}

#[cfg(not(unix))]
mod keyboard {
    use super::io;
    use crate::exit::{self, Exit};

    /// Receives Ctrl-C. Ctrl-C does not end the process after the first `SignalListener`, unless the receiver ends the
    /// process.
    #[derive(Debug, Default)]
    pub(crate) struct SignalListener;

    /// A received Ctrl-C.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct ReceivedSignal;

    impl SignalListener {
        /// Receives signals from now on.
        pub(crate) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for the next signal.
        pub(crate) async fn received(&mut self) -> ReceivedSignal {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            ReceivedSignal
        }
    }

    impl ReceivedSignal {
        /// Ends the process.
        pub(crate) fn end_process(self) -> ! {
            exit::now(Exit::Incomplete)
        }
    }
}
