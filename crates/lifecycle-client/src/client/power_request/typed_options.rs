//! The options of a [`PowerRequest`] that only some actions have.

use std::time::Duration;

use lifecycle_core::{
    Action, LocalDisk, RebootOptions, StartOptions, StopBilling, StopMode, StopOptions,
};

use super::PowerRequest;
use crate::client::target::Target;

impl<T: Target> PowerRequest<Action, T> {
    /// Observes first, and reports instances that are already at the goal, or changing to the goal, as refused
    /// instead of unchanged. No effect on a reboot.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::{Action, ActionKind};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.act(Action::from(ActionKind::Stop), &ids).strict().await?;
    /// assert_eq!(report.instances()[0].outcome.as_str(), "refused", "already stopped");
    /// # Ok(())
    /// # });
    /// ```
    pub fn strict(mut self) -> Self {
        self.request_options.strict = true;
        self
    }

    /// Force-stops each instance that still runs this long after the cloud accepted a graceful stop. Waits for
    /// the goal, also after a start or a reboot; both are never forced.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use lifecycle_core::{Action, ActionKind};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// # client.start(&ids).wait(lifecycle_client::WaitTimeout::minutes(5)).await?;
    /// let stop = client.act(Action::from(ActionKind::Stop), &ids);
    /// assert!(stop.force_after(Duration::from_secs(120)).await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn force_after(mut self, after: Duration) -> Self {
        self.request_options.force_after = Some(after);
        self
    }
}

impl<T: Target> PowerRequest<StartOptions, T> {
    /// Observes first, and reports instances that are running or starting as refused instead of
    /// unchanged. Skips instances whose state cannot be read.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// # client.start(&ids).wait(lifecycle_client::WaitTimeout::minutes(5)).await?;
    /// let report = client.start(&ids).strict().await?;
    /// assert_eq!(report.instances()[0].outcome.as_str(), "refused", "already running");
    /// # Ok(())
    /// # });
    /// ```
    pub fn strict(mut self) -> Self {
        self.request_options.strict = true;
        self
    }

    /// Sets whether local disks keep their data.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::Error;
    /// use lifecycle_core::LocalDisk;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let start = client.start(&ids).local_disk(LocalDisk::Initialize);
    /// assert!(matches!(start.await, Err(Error::Unsupported(_))), "this cloud cannot do that");
    /// # Ok(())
    /// # });
    /// ```
    pub fn local_disk(mut self, local_disk: LocalDisk) -> Self {
        self.options.local_disk = local_disk;
        self
    }
}

impl<T: Target> PowerRequest<StopOptions, T> {
    /// Observes first, and reports instances that are stopped or stopping as refused instead of
    /// unchanged. Skips instances whose state cannot be read.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.stop(&ids).strict().await?;
    /// assert_eq!(report.instances()[0].outcome.as_str(), "refused", "already stopped");
    /// # Ok(())
    /// # });
    /// ```
    pub fn strict(mut self) -> Self {
        self.request_options.strict = true;
        self
    }

    /// Stops gracefully, and force-stops each instance that still runs this long after the cloud
    /// accepted the stop. Waits for the goal: up to the time limit of [`wait`](Self::wait), or ten
    /// minutes longer than `after`.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// # client.start(&ids).wait(lifecycle_client::WaitTimeout::minutes(5)).await?;
    /// let report = client.stop(&ids).force_after(Duration::from_secs(120)).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn force_after(mut self, after: Duration) -> Self {
        self.request_options.force_after = Some(after);
        self
    }

    /// Sets whether the operating system shuts down first.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::StopMode;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.stop(&ids).mode(StopMode::Forced).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn mode(mut self, mode: StopMode) -> Self {
        self.options.mode = mode;
        self
    }

    /// Sets whether the stopped instances are still billed.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::StopBilling;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.stop(&ids).billing(StopBilling::Release).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn billing(mut self, billing: StopBilling) -> Self {
        self.options.billing = billing;
        self
    }
}

impl<T: Target> PowerRequest<RebootOptions, T> {
    /// Sets whether the operating system shuts down first.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::WaitTimeout;
    /// use lifecycle_core::StopMode;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// # client.start(&ids).wait(WaitTimeout::minutes(5)).await?;
    /// let reboot = client.reboot(&ids).mode(StopMode::Forced);
    /// assert!(reboot.wait(WaitTimeout::minutes(5)).await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn mode(mut self, mode: StopMode) -> Self {
        self.options.mode = mode;
        self
    }
}
