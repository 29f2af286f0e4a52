//! `WavesUntil`: waves, and the caller's signal after which no further wave begins.

use std::{fmt, pin::pin, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Either, Shared, select},
};
use lifecycle_core::{Fault, FaultKind};
use tokio::time::sleep;

use super::waves::Waves;

/// Waves with an end that the caller signals. Created by [`Waves::until`].
#[derive(Clone)]
pub struct WavesUntil {
    pub(crate) waves: Waves,
    pub(crate) signal: Option<Signal>,
}

/// The future of the caller. All clones of a request share the future.
pub(crate) type Signal = Shared<BoxFuture<'static, ()>>;

impl Waves {
    /// Begins no further wave as soon as `end` is ready: the wave under way finishes, the instances of later
    /// waves are [`Skipped`](crate::Outcome::Skipped) with the kind
    /// [`Cancelled`](lifecycle_core::FaultKind::Cancelled), and the report is complete. A pause between waves ends
    /// at once. If `end` is ready before the first wave, nothing is sent.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use lifecycle_client::{WaitTimeout, Waves};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// // The maintenance window ends in 4 hours. A program also waits for Ctrl-C here.
    /// let window = tokio::time::sleep(Duration::from_secs(4 * 3600));
    /// let start = client.start(&ids).wait(WaitTimeout::minutes(10));
    /// let report = start.waves(Waves::of(1).until(window)).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    #[must_use]
    pub fn until(self, end: impl Future<Output = ()> + Send + 'static) -> WavesUntil {
        WavesUntil {
            waves: self,
            signal: Some(end.boxed().shared()),
        }
    }
}

impl From<Waves> for WavesUntil {
    /// Returns waves that only failures end.
    fn from(waves: Waves) -> Self {
        Self {
            waves,
            signal: None,
        }
    }
}

impl fmt::Debug for WavesUntil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waves = self.waves;
        f.debug_struct("WavesUntil")
            .field("waves", &waves)
            .finish_non_exhaustive()
    }
}

/// Watches the signal of one run.
pub(crate) struct SignalWatch {
    /// `None` without a signal, and after the signal.
    signal: Option<Signal>,
    ended: bool,
}

impl SignalWatch {
    pub(crate) fn new(signal: Option<Signal>) -> Self {
        Self {
            signal,
            ended: false,
        }
    }

    /// Returns the fault of instances that are not sent any more; `None` before the signal.
    pub(crate) fn fault(&mut self) -> Option<Fault> {
        if let Some(signal) = &mut self.signal
            && signal.now_or_never().is_some()
        {
            self.end();
        }
        let message = "the caller ended the request before this wave";
        self.ended
            .then(|| Fault::new(FaultKind::Cancelled, message))
    }

    /// Carries `work` out, and drives the signal beside: a signal can need polls to make progress.
    pub(crate) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Some(signal) = &mut self.signal {
            match select(work.as_mut(), signal).await {
                Either::Left((output, _)) => return output,
                Either::Right(((), _)) => self.end(),
            }
        }
        work.await
    }

    /// Sleeps for this time, or up to the signal.
    pub(crate) async fn sleep(&mut self, time: Duration) {
        match &mut self.signal {
            Some(signal) => match select(pin!(sleep(time)), signal).await {
                Either::Left(_) => {}
                Either::Right(_) => self.end(),
            },
            None => sleep(time).await,
        }
    }

    fn end(&mut self) {
        self.signal = None;
        self.ended = true;
    }
}
