//! The record of a finished fault scenario.

use std::{collections::HashMap, time::Duration};

use lifecycle_facade::{Error, Event, InstanceId, Observation, Report};
use lifecycle_sim::SimulatedState;

use crate::test_stage::TestStage;

/// A finished scenario, with all data for the judge.
pub(crate) struct ScenarioRun {
    pub(crate) stage: TestStage,
    /// The runs of all requests, in the order of the scenario.
    pub(crate) requests: Vec<RequestRun>,
    /// The lists, in the order of the scenario.
    pub(crate) lists: Vec<ListRun>,
}

/// The record of one finished list.
pub(crate) struct ListRun {
    pub(crate) started: Duration,
    pub(crate) ended: Duration,
    pub(crate) result: Result<Vec<Observation>, Error>,
}

/// The record of one finished request.
pub(crate) struct RequestRun {
    /// The ids in the order of the request, including unknown and duplicate ids.
    pub(crate) ids: Vec<InstanceId>,
    /// The simulator's states of the instances at the start of the request.
    pub(crate) before: HashMap<InstanceId, SimulatedState>,
    /// The simulator's states of the instances at the end of the request.
    pub(crate) after: HashMap<InstanceId, SimulatedState>,
    pub(crate) started: Duration,
    pub(crate) ended: Duration,
    /// The client's result; `None` after the request's future was dropped. A request whose events were
    /// cancelled has a result.
    pub(crate) result: Option<Result<Report, Error>>,
    /// All events except the last; `None` for a cancelled request.
    pub(crate) events: Option<Vec<Event>>,
}
