//! Exhaustive runs of a small fleet: each action on each cloud, with every fault at every call.
//!
//! A fault-free run of three instances makes k calls, and further runs place one fault at each of the
//! k calls. A run with one fault makes other calls, such as repeats, and further runs place a second
//! fault at each call after the first fault.

use std::{fmt, str::FromStr, time::Duration};

use lifecycle_facade::{
    ActionKind, RebootOptions, StartOptions, StopOptions, lifecycle_core::Action,
};
use lifecycle_sim::{Cloud, ErrorBody, FaultRule, FaultTiming, InjectedFault, Switches};

use crate::{
    draw::{location, ready_state},
    parallel::map_on_all_cores,
    scenario::{ClientKey, FaultPlan, Request, Scenario},
    simulate::summarize,
};

/// One small run: an action on a cloud with drawn switches, with faults at numbered calls. The text
/// form is `huawei,reboot,2,0:reset-after,3:garbage`.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    cloud: Cloud,
    kind: ActionKind,
    /// The seed of drawn switches; 0 for the defaults.
    switches: u64,
    faults: Vec<PlacedFault>,
}

/// A fault at one call.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PlacedFault {
    /// The number of the call, from 0.
    call: usize,
    fault: &'static NamedFault,
}

/// A fault with the name in the text form.
#[derive(Debug, PartialEq)]
struct NamedFault {
    name: &'static str,
    /// The fault of the call; with `None` the cloud revokes the key before the call.
    injected: Option<InjectedFault>,
}

const fn named(name: &'static str, fault: InjectedFault) -> NamedFault {
    NamedFault {
        name,
        injected: Some(fault),
    }
}

const fn server_error(status: u16, body: ErrorBody, when: FaultTiming) -> InjectedFault {
    InjectedFault::ServerError { status, body, when }
}

static NAMED_FAULTS: [NamedFault; 24] = [
    named("unreachable", InjectedFault::Unreachable),
    named("reset-before", InjectedFault::Reset(FaultTiming::Before)),
    named("reset-after", InjectedFault::Reset(FaultTiming::After)),
    named(
        "silence-before",
        InjectedFault::Silence(FaultTiming::Before),
    ),
    named("silence-after", InjectedFault::Silence(FaultTiming::After)),
    named(
        "500-before",
        server_error(500, ErrorBody::Json, FaultTiming::Before),
    ),
    named(
        "500-after",
        server_error(500, ErrorBody::Json, FaultTiming::After),
    ),
    named(
        "502-before",
        server_error(502, ErrorBody::Html, FaultTiming::Before),
    ),
    named(
        "502-after",
        server_error(502, ErrorBody::Html, FaultTiming::After),
    ),
    named(
        "503-before",
        server_error(503, ErrorBody::Empty, FaultTiming::Before),
    ),
    named(
        "503-after",
        server_error(503, ErrorBody::Empty, FaultTiming::After),
    ),
    named("throttled", InjectedFault::Throttled { hint: None }),
    named(
        "throttled-7s",
        InjectedFault::Throttled {
            hint: Some(Duration::from_secs(7)),
        },
    ),
    named("truncated", InjectedFault::Truncated),
    named("half-body", InjectedFault::HalfBody),
    named("garbage", InjectedFault::Garbage),
    named("empty-body", InjectedFault::EmptyBody),
    named("wrong-type", InjectedFault::WrongContentType),
    named("slow-8s", InjectedFault::Slow(Duration::from_secs(8))),
    named("slow-45s", InjectedFault::Slow(Duration::from_secs(45))),
    named("stale-9s", InjectedFault::Stale(Duration::from_secs(9))),
    named("challenged", InjectedFault::Challenged),
    named("blocked", InjectedFault::Blocked),
    NamedFault {
        name: "key-refused",
        injected: None,
    },
];

/// The calls at which runs place pairs of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PairScope {
    /// A number of calls from the first: actions and retries.
    FirstCalls(usize),
    /// All calls.
    AllCalls,
}

/// The result of all placements.
#[derive(Debug)]
pub struct ExhaustiveResult {
    /// The number of runs with one fault.
    pub runs_with_one_fault: usize,
    /// The number of runs with two faults.
    pub runs_with_two_faults: usize,
    /// The placements with broken promises, each with all violations.
    pub failures: Vec<(Placement, Vec<String>)>,
}

/// Runs every placement of one fault, and the placements of two faults within `scope`.
pub fn run_all_placements(scope: PairScope) -> ExhaustiveResult {
    let fault_free: Vec<Placement> = fault_free().collect();
    let singles = run_and_extend(&fault_free, PairScope::AllCalls).0;
    let (pairs, mut failures) = run_and_extend(&singles, scope);
    failures.extend(run_and_extend(&pairs, PairScope::FirstCalls(0)).1);
    ExhaustiveResult {
        runs_with_one_fault: singles.len(),
        runs_with_two_faults: pairs.len(),
        failures,
    }
}

/// Runs `placements`. Returns the placements with one more fault, and the failures.
fn run_and_extend(
    placements: &[Placement],
    scope: PairScope,
) -> (Vec<Placement>, Vec<(Placement, Vec<String>)>) {
    let results = map_on_all_cores(placements.len(), |number| {
        let summary = summarize(&placements[number].scenario());
        (summary.calls, summary.problems)
    });
    let (mut more, mut failures) = (Vec::new(), Vec::new());
    for (placement, (calls, problems)) in placements.iter().zip(results) {
        if !problems.is_empty() {
            failures.push((placement.clone(), problems));
        }
        more.extend(placement.with_one_more(calls as usize, scope));
    }
    (more, failures)
}

/// Returns every action on every cloud with the default switches and with drawn switches, without
/// faults.
fn fault_free() -> impl Iterator<Item = Placement> {
    const DRAWN: u64 = 3;
    Cloud::ALL.into_iter().flat_map(|cloud| {
        let kinds = [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot];
        kinds.into_iter().flat_map(move |kind| {
            (0..=DRAWN).map(move |switches| Placement {
                cloud,
                kind,
                switches,
                faults: Vec::new(),
            })
        })
    })
}

impl Placement {
    /// Returns the scenario of the placement.
    pub fn scenario(&self) -> Scenario {
        const INSTANCES: usize = 3;
        const WAIT_TIMEOUT: Duration = Duration::from_secs(240);
        let action: Action = match self.kind {
            ActionKind::Start => StartOptions::default().into(),
            ActionKind::Stop => StopOptions::default().into(),
            _ => RebootOptions::default().into(),
        };
        let (location, state) = (location(self.cloud), ready_state(self.kind));
        Scenario {
            seed: 1,
            cloud: self.cloud,
            fleet: format!("{location}={INSTANCES}:{state}"),
            ready: INSTANCES,
            requests: vec![Request::new(action, Some(WAIT_TIMEOUT))],
            lists: Vec::new(),
            changes: Vec::new(),
            switches: match self.switches {
                0 => Switches::default(),
                seed => Switches::random(seed),
            },
            // The default of the client, and the batch call with drawn switches.
            batch_reboot: self.switches != 0,
            faults: self.plan(),
            mutation: None,
        }
    }

    fn plan(&self) -> FaultPlan {
        let mut plan = FaultPlan::default();
        for placed in &self.faults {
            match &placed.fault.injected {
                Some(fault) => {
                    // A rule counts no call with a fault from an earlier rule.
                    let skip = placed.call - plan.rules.len();
                    let rule = FaultRule::new(fault.clone()).skip(skip as u64);
                    plan.rules.push(rule);
                }
                None => {
                    plan.key = ClientKey::Revoked {
                        after: placed.call as u64,
                    };
                }
            }
        }
        plan
    }

    /// Returns the placements with one more fault, at each call after the last fault.
    fn with_one_more(&self, calls: usize, scope: PairScope) -> impl Iterator<Item = Self> {
        let start = self.faults.last().map_or(0, |last| last.call + 1);
        // The simulator counts no call that never arrived.
        let calls = calls + self.faults.len();
        let end = match scope {
            PairScope::FirstCalls(first) => calls.min(first),
            PairScope::AllCalls => calls,
        };
        (start..end).flat_map(move |call| {
            NAMED_FAULTS.iter().map(move |fault| {
                let mut placement = self.clone();
                placement.faults.push(PlacedFault { call, fault });
                placement
            })
        })
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.cloud, self.kind, self.switches)?;
        self.faults
            .iter()
            .try_for_each(|placed| write!(f, ",{}:{}", placed.call, placed.fault.name))
    }
}

impl FromStr for Placement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let [cloud, kind, switches] =
            [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
        let found = fault_free().find(|p| p.cloud.as_str() == cloud && p.kind.as_str() == kind);
        let (fault_free, switches) = found.zip(switches.parse().ok()).ok_or_else(|| {
            format!("invalid placement {text:?}: start with cloud,action,switches")
        })?;
        let faults = parts.map(placed_fault).collect::<Result<_, _>>()?;
        Ok(Self {
            switches,
            faults,
            ..fault_free
        })
    }
}

fn placed_fault(text: &str) -> Result<PlacedFault, String> {
    let invalid = || format!("invalid fault {text:?}: write call:fault, such as 0:garbage");
    let (call, name) = text.split_once(':').ok_or_else(invalid)?;
    let fault = NAMED_FAULTS.iter().find(|fault| fault.name == name);
    Ok(PlacedFault {
        call: call.parse().map_err(|_| invalid())?,
        fault: fault.ok_or_else(invalid)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_placement_displays_the_same_text() {
        let text = "huawei,reboot,2,0:reset-after,3:key-refused";
        let placement: Placement = text.parse().unwrap();
        assert_eq!(placement.to_string(), text);
    }

    #[test]
    fn invalid_text_is_no_placement() {
        for invalid in [
            "",
            "huawei,reboot,0,0:nonsense",
            "huawei,reboot,0,x:garbage",
            "huawei,reboot,0:garbage",
            "a,b",
        ] {
            assert!(invalid.parse::<Placement>().is_err(), "{invalid:?}");
        }
    }
}
