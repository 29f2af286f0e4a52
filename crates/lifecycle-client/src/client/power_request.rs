//! `PowerRequest`: starts, stops or reboots instances.

mod typed_options;

use std::{collections::HashMap, future::IntoFuture, sync::Arc};

use lifecycle_core::Action;

use super::{
    Client,
    execution::Execution,
    selection::{RequestInstances, SelectInstances},
    target::{IntoInstances, Target},
};
use crate::{
    call::policy::WaitTimeout,
    power::event_stream::{EventStream, ReportFuture},
    power::options::PowerRequestOptions,
    power::plan::{Plan, PlannedCall},
    power::recorder::Recorder,
    power::resume_point::{ResumePoint, ResumePoints},
    power::until::WavesUntil,
};

/// A power action on some instances. Nothing is sent until the request is awaited, or until its
/// [`events`](Self::events) are read.
///
/// Awaiting returns a [`Report`](crate::Report) with one outcome per instance. An error means that
/// nothing was sent to any cloud. Dropping the future is safe: no further call is sent.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until the request is awaited"]
pub struct PowerRequest<O, T: Target = Client> {
    target: T,
    instances: RequestInstances<T>,
    options: O,
    request_options: PowerRequestOptions,
    waves: Option<WavesUntil>,
    max: Option<usize>,
    recorder: Option<Arc<dyn Recorder<T::Instance>>>,
    resume: ResumePoints<T::Instance>,
}

impl<O: Into<Action>, T: Target> PowerRequest<O, T> {
    /// Creates a request. [`Client::start`](crate::Client::start), `stop` and `reboot` are shorter.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::PowerRequest;
    /// use lifecycle_core::StartOptions;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let start = PowerRequest::new(client.clone(), &ids, StartOptions::default());
    /// assert!(start.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn new(target: T, instances: impl IntoInstances<T>, options: O) -> Self {
        let instances = RequestInstances::named(&target, instances);
        Self::of(target, instances, options)
    }

    /// Creates a request that selects the instances when the request runs.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{Client, PowerRequest, SelectFuture, SelectInstances, SelectedInstances};
    /// use lifecycle_core::{ActionKind, InstanceFilter, PowerState, StartOptions};
    ///
    /// /// All stopped instances.
    /// #[derive(Debug)]
    /// struct Stopped;
    ///
    /// impl SelectInstances for Stopped {
    ///     fn select<'s>(&'s self, client: &'s Client, _: Option<ActionKind>) -> SelectFuture<'s, Client> {
    ///         Box::pin(async move {
    ///             let stopped = InstanceFilter::default().with_state(PowerState::Stopped);
    ///             let rows = client.list().filter(stopped).await?;
    ///             Ok(SelectedInstances::new(rows.into_iter().map(|row| row.instance).collect()))
    ///         })
    ///     }
    /// }
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let start = PowerRequest::select(client.clone(), Stopped, StartOptions::default());
    /// assert_eq!(start.await?.instances().len(), ids.len());
    /// # Ok(())
    /// # });
    /// ```
    pub fn select(target: T, selection: impl SelectInstances<T>, options: O) -> Self {
        let instances = RequestInstances::Selected(Arc::new(selection));
        Self::of(target, instances, options)
    }

    fn of(target: T, instances: RequestInstances<T>, options: O) -> Self {
        Self {
            target,
            instances,
            options,
            request_options: PowerRequestOptions::default(),
            waves: None,
            max: None,
            recorder: None,
            resume: ResumePoints::default(),
        }
    }

    /// Waits until each instance has reached the goal (running after a start or a reboot, stopped after a
    /// stop) or cannot reach the goal any more, up to
    /// `timeout`. Without this option the request ends when the cloud accepts the action.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::WaitTimeout;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let start = client.start(&ids);
    /// assert_eq!(start.clone().await?.instances()[0].outcome.as_str(), "accepted");
    /// let report = start.wait(WaitTimeout::minutes(5)).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn wait(mut self, timeout: impl Into<WaitTimeout>) -> Self {
        self.request_options.wait = Some(timeout.into());
        self
    }

    /// Sends the action to each instance when the instance is idle. An instance in a transition that does not
    /// lead to the goal (for a stop: creating, starting, rebooting, changing) is looked at again until the
    /// transition ends, within the time limit of [`wait`](Self::wait); without a wait, two minutes. An
    /// instance that is idle is sent at once. If the cloud refuses an instance because of the state, the client
    /// looks again instead of reporting the refusal; a refusal without a transition in sight for 15 seconds
    /// stands. A reboot is sent again only after a refusal that proves that the cloud executed nothing.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::WaitTimeout;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// client.start(&ids).await?;
    /// // The instances still boot. The stop follows after the boot.
    /// let report = client.stop(&ids).when_idle().wait(WaitTimeout::minutes(10)).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn when_idle(mut self) -> Self {
        self.request_options.when_idle = true;
        self
    }

    /// Carries the request out wave by wave: the next wave begins when every instance of the wave
    /// before has an outcome. Each wave waits for the goal, with a time limit of its own: the one of
    /// [`wait`](Self::wait), or ten minutes. [`Waves::until`](crate::Waves::until) ends the request after a wave.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::Waves;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// // A third of the instances at a time; the second failure ends the request.
    /// let start = client.start(&ids).waves(Waves::percent(34).with_stop_after(2));
    /// assert!(start.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn waves(mut self, waves: impl Into<WavesUntil>) -> Self {
        self.waves = Some(waves.into());
        self
    }

    /// Limits the number of instances. With more instances the request fails, and nothing is sent.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::Error;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let error = client.stop(&ids).max(2).await.unwrap_err();
    /// assert!(matches!(error, Error::TooMany { instances: 3, max: 2 }));
    /// # Ok(())
    /// # });
    /// ```
    pub fn max(mut self, instances: usize) -> Self {
        self.max = Some(instances);
        self
    }

    /// Replaces all options of the action.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::{StopMode, StopOptions};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let mut options = StopOptions::default();
    /// options.mode = StopMode::Forced;
    /// client.stop(&ids).options(options).await?;
    /// # Ok(())
    /// # });
    /// ```
    pub fn options(mut self, options: O) -> Self {
        self.options = options;
        self
    }

    /// Replaces the options that do not depend on the action: wait, strict, force_after and
    /// when_idle.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{PowerRequestOptions, WaitTimeout};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let careful = PowerRequestOptions::default()
    ///     .with_wait(WaitTimeout::minutes(5))
    ///     .with_strict(true);
    /// let report = client.start(&ids).request_options(careful).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn request_options(mut self, options: PowerRequestOptions) -> Self {
        self.request_options = options;
        self
    }

    /// Records every call that acts before the call is sent, and the results. If the recorder fails, nothing
    /// more is sent, and the instances are [`Skipped`](crate::Outcome::Skipped).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use lifecycle_client::{CallRecorder, RecordError, RecordedRequest, Recorder};
    ///
    /// /// A recorder on a full disk.
    /// #[derive(Debug)]
    /// struct FullDisk;
    ///
    /// #[async_trait::async_trait]
    /// impl Recorder for FullDisk {
    ///     async fn begin(&self, _: RecordedRequest) -> Result<Arc<dyn CallRecorder>, RecordError> {
    ///         Err(RecordError::new("the disk is full"))
    ///     }
    /// }
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.start(&ids).recorder(Arc::new(FullDisk)).await?;
    /// assert_eq!(report.instances()[0].outcome.as_str(), "skipped");
    /// assert_eq!(client.calls().actions, 0);
    /// # Ok(())
    /// # });
    /// ```
    pub fn recorder(mut self, recorder: Arc<dyn Recorder<T::Instance>>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Continues a request that an earlier process began. The request names all instances of the earlier
    /// request, with the same options and waves; `points` has the instances that the other process sent or
    /// settled. The other instances are sent now.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{ResumePoint, WaitTimeout};
    /// use lifecycle_core::{Fault, FaultKind, InstanceId};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// // A record of an earlier process shows a reboot without an answer.
    /// let point = ResumePoint::Unclear {
    ///     before: None,
    ///     fault: Fault::new(FaultKind::NoAnswer, "the process ended before the answer"),
    ///     resend: false,
    /// };
    /// let points = [(InstanceId::new(&ids[0])?, point)];
    /// let reboot = client.reboot(&ids[..1]).wait(WaitTimeout::minutes(5));
    /// let report = reboot.resume(points).await?;
    /// assert_eq!(client.calls().actions, 0, "a reboot is never sent again");
    /// assert_eq!(report.instances()[0].outcome.as_str(), "uncertain");
    /// # Ok(())
    /// # });
    /// ```
    pub fn resume(
        mut self,
        points: impl IntoIterator<Item = (T::Instance, ResumePoint<T::Instance>)>,
    ) -> Self {
        self.resume = ResumePoints::new(points);
        self
    }

    /// Checks everything that can be checked without a call.
    ///
    /// # Errors
    /// The error that awaiting would return.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let stop = client.stop(&ids).max(2);
    /// assert!(stop.check().is_err());
    /// assert_eq!(client.calls().total(), 0);
    /// # Ok(())
    /// # });
    /// ```
    pub fn check(&self) -> Result<(), T::Error>
    where
        O: Clone,
    {
        self.clone().execution().map(drop)
    }

    /// Returns the calls that awaiting would make if nothing failed, without the observations of a wait.
    /// Sends nothing, and needs no key.
    ///
    /// # Errors
    /// The error that awaiting would return, and [`Error::NotSelected`](crate::Error::NotSelected) for a
    /// request that selects its instances when it runs.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// for call in client.reboot(&ids).dry_run()? {
    ///     println!("{}: {} instances", call.operation, call.instances.len());
    /// }
    /// assert_eq!(client.calls().total(), 0);
    /// # Ok(())
    /// # });
    /// ```
    pub fn dry_run(&self) -> Result<Vec<PlannedCall<T::Instance>>, T::Error>
    where
        O: Clone,
    {
        self.clone().execution()?.dry_run()
    }

    /// Returns the events of the request. Reading the events carries the request out: a reader that pauses also
    /// holds back the next wave, forced stops and lookups. For a slow reader, such as a browser,
    /// [`EventStream::spawn`] carries the request out in a task of its own.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{Event, WaitTimeout};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let mut events = client.start(&ids).wait(WaitTimeout::minutes(5)).events();
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         Event::State { instance, observation } => println!("{instance} is {}", observation.state),
    ///         Event::Settled(row) => println!("{row}"),
    ///         Event::Finished(report) => assert!(report?.is_success()),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn events(self) -> EventStream<T::Instance, T::Error> {
        Execution::events(self.execution())
    }

    fn execution(self) -> Result<Execution<T>, T::Error> {
        let action = self.options.into();
        let (instances, selection) = self.instances.split()?;
        let request = Execution {
            target: self.target,
            instances: instances.into(),
            selection,
            max: self.max,
            plan: Plan {
                action: Some(action),
                goal: action.kind().goal(),
                ids: Vec::new(),
                options: match self.waves {
                    Some(_) => self.request_options.waiting(),
                    None => self.request_options,
                },
                resume: HashMap::new(),
            },
            waves: self.waves,
            recorder: self.recorder,
            resume: self.resume,
        };
        request.check()
    }
}

impl<O: Into<Action>, T: Target> IntoFuture for PowerRequest<O, T> {
    type Output = Result<crate::Report<T::Instance>, T::Error>;
    type IntoFuture = ReportFuture<T::Instance, T::Error>;

    fn into_future(self) -> Self::IntoFuture {
        Execution::report(self.execution())
    }
}
