//! The exhaustive small scope: each action on each cloud, with every fault at every call.
//!
//! A plain run of three instances that are waited for makes k calls. One fault is placed at each
//! of them. A run with one fault makes other calls, repeats among them, and a second fault is
//! placed at each one that comes after the first.

use std::{fmt, str::FromStr, time::Duration};

use lifecycle_facade::{ActionKind, RebootOptions, StartOptions, StopOptions, core::Action};
use lifecycle_sim::{Cloud, ErrorBody, FaultRule, FaultTiming, InjectedFault, Switches};

use crate::{
    draw::{place, ready},
    many::{judged, on_all_cores},
    scenario::{Faults, Key, Request, Scenario},
};

/// One small run: an action on a cloud, and at which calls what goes wrong. It is written
/// `huawei,reboot,0:reset-after,3:garbage`.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    cloud: Cloud,
    verb: ActionKind,
    strikes: Vec<Strike>,
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Strike {
    /// Which call, counted from 0.
    call: usize,
    kind: &'static Kind,
}

/// A kind of fault with its name.
#[derive(Debug, PartialEq)]
struct Kind {
    name: &'static str,
    /// `None` refuses the key from this call on.
    mishap: Option<InjectedFault>,
}

const fn kind(name: &'static str, mishap: InjectedFault) -> Kind {
    Kind {
        name,
        mishap: Some(mishap),
    }
}

const fn failure(status: u16, body: ErrorBody, when: FaultTiming) -> InjectedFault {
    InjectedFault::ServerError { status, body, when }
}

static KINDS: [Kind; 24] = [
    kind("unreachable", InjectedFault::Unreachable),
    kind("reset-before", InjectedFault::Reset(FaultTiming::Before)),
    kind("reset-after", InjectedFault::Reset(FaultTiming::After)),
    kind(
        "silence-before",
        InjectedFault::Silence(FaultTiming::Before),
    ),
    kind("silence-after", InjectedFault::Silence(FaultTiming::After)),
    kind(
        "500-before",
        failure(500, ErrorBody::Json, FaultTiming::Before),
    ),
    kind(
        "500-after",
        failure(500, ErrorBody::Json, FaultTiming::After),
    ),
    kind(
        "502-before",
        failure(502, ErrorBody::Html, FaultTiming::Before),
    ),
    kind(
        "502-after",
        failure(502, ErrorBody::Html, FaultTiming::After),
    ),
    kind(
        "503-before",
        failure(503, ErrorBody::Empty, FaultTiming::Before),
    ),
    kind(
        "503-after",
        failure(503, ErrorBody::Empty, FaultTiming::After),
    ),
    kind("throttled", InjectedFault::Throttled { hint: None }),
    kind(
        "throttled-7s",
        InjectedFault::Throttled {
            hint: Some(Duration::from_secs(7)),
        },
    ),
    kind("truncated", InjectedFault::Truncated),
    kind("half-body", InjectedFault::HalfBody),
    kind("garbage", InjectedFault::Garbage),
    kind("empty-body", InjectedFault::EmptyBody),
    kind("wrong-type", InjectedFault::WrongContentType),
    kind("slow-8s", InjectedFault::Slow(Duration::from_secs(8))),
    kind("slow-45s", InjectedFault::Slow(Duration::from_secs(45))),
    kind("stale-9s", InjectedFault::Stale(Duration::from_secs(9))),
    kind("challenged", InjectedFault::Challenged),
    kind("blocked", InjectedFault::Blocked),
    Kind {
        name: "key-refused",
        mishap: None,
    },
];

/// How far two faults are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// Both among the first calls, where actions are sent and their repeats are: this many.
    First(usize),
    /// Everywhere.
    Everywhere,
}

/// What became of all placements.
#[derive(Debug)]
pub struct Exhausted {
    /// Runs with one fault.
    pub singles: usize,
    /// Runs with two faults.
    pub pairs: usize,
    /// Those that broke a promise.
    pub failures: Vec<(Placement, Vec<String>)>,
}

/// Runs every placement of one fault, and those of two faults to this extent.
pub fn exhaust(extent: Extent) -> Exhausted {
    let plain: Vec<Placement> = plain().collect();
    let singles = after(&plain, Extent::Everywhere).0;
    let (pairs, mut failures) = after(&singles, extent);
    failures.extend(after(&pairs, Extent::First(0)).1);
    Exhausted {
        singles: singles.len(),
        pairs: pairs.len(),
        failures,
    }
}

/// Runs these placements. Gives those with one fault more, and what failed.
fn after(
    placements: &[Placement],
    extent: Extent,
) -> (Vec<Placement>, Vec<(Placement, Vec<String>)>) {
    let results = on_all_cores(placements.len(), |number| {
        let judged = judged(&placements[number].scenario());
        (judged.calls, judged.problems)
    });
    let (mut more, mut failures) = (Vec::new(), Vec::new());
    for (placement, (calls, problems)) in placements.iter().zip(results) {
        if !problems.is_empty() {
            failures.push((placement.clone(), problems));
        }
        more.extend(placement.with_one_more(calls as usize, extent));
    }
    (more, failures)
}

/// Every action on every cloud, and nothing goes wrong.
fn plain() -> impl Iterator<Item = Placement> {
    Cloud::ALL.into_iter().flat_map(|cloud| {
        [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot].map(|verb| Placement {
            cloud,
            verb,
            strikes: Vec::new(),
        })
    })
}

impl Placement {
    /// The run that it stands for.
    pub fn scenario(&self) -> Scenario {
        const INSTANCES: usize = 3;
        const PATIENCE: Duration = Duration::from_secs(240);
        let action: Action = match self.verb {
            ActionKind::Start => StartOptions::default().into(),
            ActionKind::Stop => StopOptions::default().into(),
            _ => RebootOptions::default().into(),
        };
        let (place, state) = (place(self.cloud), ready(self.verb));
        Scenario {
            seed: 1,
            cloud: self.cloud,
            fleet: format!("{place}={INSTANCES}:{state}"),
            ready: INSTANCES,
            requests: vec![Request::new(action, Some(PATIENCE))],
            incidents: Vec::new(),
            switches: Switches::default(),
            faults: self.faults(),
            mutation: None,
        }
    }

    fn faults(&self) -> Faults {
        let mut faults = Faults::default();
        for strike in &self.strikes {
            match &strike.kind.mishap {
                Some(mishap) => {
                    // A call that is struck is not counted by the injections that come after.
                    let skip = strike.call - faults.injections.len();
                    let injection = FaultRule::new(mishap.clone()).skip(skip as u64);
                    faults.injections.push(injection);
                }
                None => {
                    faults.key = Key::Revoked {
                        after: strike.call as u64,
                    };
                }
            }
        }
        faults
    }

    /// With a further fault of each kind at each of the calls after the last one.
    fn with_one_more(&self, calls: usize, extent: Extent) -> impl Iterator<Item = Self> {
        let from = self.strikes.last().map_or(0, |last| last.call + 1);
        // One that never arrived was not counted.
        let calls = calls + self.strikes.len();
        let end = match extent {
            Extent::First(first) => calls.min(first),
            Extent::Everywhere => calls,
        };
        (from..end).flat_map(move |call| {
            KINDS.iter().map(move |kind| {
                let mut placement = self.clone();
                placement.strikes.push(Strike { call, kind });
                placement
            })
        })
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.cloud, self.verb)?;
        self.strikes
            .iter()
            .try_for_each(|strike| write!(f, ",{}:{}", strike.call, strike.kind.name))
    }
}

impl FromStr for Placement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let [cloud, verb] = [parts.next(), parts.next()].map(Option::unwrap_or_default);
        let plain = plain().find(|p| p.cloud.as_str() == cloud && p.verb.as_str() == verb);
        let plain = plain.ok_or_else(|| format!("{text:?} begins with no cloud,action"))?;
        let strikes = parts.map(strike).collect::<Result<_, _>>()?;
        Ok(Self { strikes, ..plain })
    }
}

fn strike(text: &str) -> Result<Strike, String> {
    let wrong = || format!("{text:?} is no call:fault");
    let (call, name) = text.split_once(':').ok_or_else(wrong)?;
    let kind = KINDS.iter().find(|kind| kind.name == name);
    Ok(Strike {
        call: call.parse().map_err(|_| wrong())?,
        kind: kind.ok_or_else(wrong)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placement_reads_as_it_is_written() {
        let text = "huawei,reboot,0:reset-after,3:key-refused";
        let placement: Placement = text.parse().unwrap();
        assert_eq!(placement.to_string(), text);
        for wrong in [
            "",
            "huawei,reboot,0:nonsense",
            "huawei,reboot,x:garbage",
            "a,b",
        ] {
            assert!(wrong.parse::<Placement>().is_err(), "{wrong:?}");
        }
    }
}
