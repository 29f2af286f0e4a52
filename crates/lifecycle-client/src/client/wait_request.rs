//! `WaitRequest`: waits until instances have a state.

use std::{collections::HashMap, future::IntoFuture, sync::Arc};

use lifecycle_core::PowerState;

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
    power::plan::Plan,
    power::report::Report,
    power::resume_point::ResumePoints,
};

/// A request that waits until instances are in a state, without an action. Nothing is read until
/// the request is awaited, or until its [`events`](Self::events) are read.
///
/// Awaiting returns a [`Report`] with one outcome per instance. Dropping the future is safe.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until the request is awaited"]
pub struct WaitRequest<T: Target = Client> {
    target: T,
    instances: RequestInstances<T>,
    goal: PowerState,
    timeout: WaitTimeout,
}

impl<T: Target> WaitRequest<T> {
    /// Creates a request with a time limit of ten minutes.
    /// [`Client::wait`](crate::Client::wait) is shorter.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::WaitRequest;
    /// use lifecycle_core::PowerState;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let wait = WaitRequest::new(client.clone(), &ids, PowerState::Stopped);
    /// assert!(wait.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn new(target: T, instances: impl IntoInstances<T>, goal: PowerState) -> Self {
        let instances = RequestInstances::named(&target, instances);
        Self::of(target, instances, goal)
    }

    /// Creates a request that selects the instances when the request runs; see
    /// [`PowerRequest::select`](crate::PowerRequest::select).
    pub fn select(target: T, selection: impl SelectInstances<T>, goal: PowerState) -> Self {
        let instances = RequestInstances::Selected(Arc::new(selection));
        Self::of(target, instances, goal)
    }

    fn of(target: T, instances: RequestInstances<T>, goal: PowerState) -> Self {
        Self {
            target,
            instances,
            goal,
            timeout: WaitTimeout::DEFAULT,
        }
    }

    /// Sets the time limit; ten minutes by default.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use lifecycle_core::PowerState;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let wait = client.wait(&ids, PowerState::Running).timeout(Duration::from_secs(30));
    /// assert_eq!(wait.await?.instances()[0].outcome.as_str(), "pending");
    /// # Ok(())
    /// # });
    /// ```
    pub fn timeout(mut self, timeout: impl Into<WaitTimeout>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Returns the events of the request. Reading the events carries the request out.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::Event;
    /// use lifecycle_core::PowerState;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let mut events = client.wait(&ids, PowerState::Stopped).events();
    /// let mut settled = 0;
    /// while let Some(event) = events.next().await {
    ///     settled += usize::from(matches!(event, Event::Settled(_)));
    /// }
    /// assert_eq!(settled, ids.len());
    /// # Ok(())
    /// # });
    /// ```
    pub fn events(self) -> EventStream<T::Instance, T::Error> {
        Execution::events(self.execution())
    }

    fn execution(self) -> Result<Execution<T>, T::Error> {
        let (instances, selection) = self.instances.split()?;
        let request = Execution {
            target: self.target,
            instances: instances.into(),
            selection,
            waves: None,
            max: None,
            plan: Plan {
                action: None,
                goal: self.goal,
                ids: Vec::new(),
                options: PowerRequestOptions::default().with_wait(self.timeout),
                resume: HashMap::new(),
            },
            recorder: None,
            resume: ResumePoints::default(),
        };
        request.check()
    }
}

impl<T: Target> IntoFuture for WaitRequest<T> {
    type Output = Result<Report<T::Instance>, T::Error>;
    type IntoFuture = ReportFuture<T::Instance, T::Error>;

    fn into_future(self) -> Self::IntoFuture {
        Execution::report(self.execution())
    }
}
