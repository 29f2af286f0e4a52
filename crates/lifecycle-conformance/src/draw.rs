//! Conformance: draws a random fault scenario from a seed.

mod filters; // lists with conditions

use std::time::Duration;

use fastrand::Rng;
use lifecycle_facade::{
    ActionKind, LocalDisk, RebootOptions, StartOptions, StopBilling, StopMode, StopOptions, Waves,
    lifecycle_core::Action,
};
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, Impairment, InjectedFault, KeyKind, Operation,
    PowerOperation, Switches, Throttle,
};

use crate::scenario::{
    ClientKey, ExternalChange, FaultPlan, Request, ResultForm, Scenario, ScheduledChange,
    ScheduledList, Stride,
};

impl Scenario {
    /// Draws the scenario of `seed`. Equal seeds give equal scenarios.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let cloud = Cloud::ALL[rng.usize(..Cloud::ALL.len())];
        let kind = action_kind(&mut rng);
        Self::draw(seed, rng, cloud, kind)
    }

    /// Draws the scenario of a cloud whose first request has an action of this kind.
    pub(crate) fn of_cloud(seed: u64, cloud: Cloud, kind: ActionKind) -> Self {
        Self::draw(seed, Rng::with_seed(seed), cloud, kind)
    }

    fn draw(seed: u64, mut rng: Rng, cloud: Cloud, kind: ActionKind) -> Self {
        let (fleet, ready) = fleet(&mut rng, cloud, kind);
        let mut scenario = Self {
            seed,
            cloud,
            fleet,
            ready,
            requests: requests(&mut rng, kind),
            changes: if one_in(&mut rng, 8) {
                (0..rng.usize(1..=4)).map(|_| change(&mut rng)).collect()
            } else {
                Vec::new()
            },
            switches: if rng.bool() {
                Switches::random(rng.u64(..))
            } else {
                Switches::default()
            },
            faults: if one_in(&mut rng, 4) {
                FaultPlan::default()
            } else {
                faults(&mut rng, cloud)
            },
            batch_reboot: draws_batch_reboot(seed),
            lists: Vec::new(),
            mutation: None,
        };
        // Drawn last, so that earlier draws of a seed stay the same.
        if one_in(&mut rng, 4) {
            let at = Duration::from_millis(rng.u64(0..30_000));
            let filter = filters::draw(&mut rng);
            if !filter.is_empty() {
                scenario.fleet = filters::with_facts(&mut rng, &scenario.fleet);
            }
            scenario.lists = vec![ScheduledList { at, filter }];
        }
        scenario
    }
}

/// Returns true for three of four seeds. The draw has a generator of its own, so that the other
/// draws of a seed stay the same.
fn draws_batch_reboot(seed: u64) -> bool {
    Rng::with_seed(!seed).u8(..4) != 1
}

/// Returns true in one of `times` draws.
fn one_in(rng: &mut Rng, times: u8) -> bool {
    rng.u8(..times) == 0
}

pub(crate) fn action_kind(rng: &mut Rng) -> ActionKind {
    [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot][rng.usize(..3)]
}

/// Draws a fleet, mostly small and sometimes above every batch limit, with a few instances in a wrong
/// state or impaired. Returns the fleet and the number of instances ready for `kind`.
fn fleet(rng: &mut Rng, cloud: Cloud, kind: ActionKind) -> (String, usize) {
    let location = location(cloud);
    let count = match rng.u8(..20) {
        0..=11 => rng.usize(1..=12),
        12..=17 => rng.usize(13..=230),
        18 => rng.usize(231..=700),
        _ => rng.usize(701..=2_500),
    };
    let mut groups = vec![format!("{location}={count}:{}", ready_state(kind))];
    let states = ["stopped", "running", "starting", "stopping", "rebooting"];
    let troubles = Impairment::ALL.map(Impairment::as_str);
    for other in states.into_iter().chain(troubles) {
        if one_in(rng, 12) {
            groups.push(format!("{location}={}:{other}", rng.usize(1..=3)));
        }
        // An impaired instance in the other power state.
        if troubles.contains(&other) && one_in(rng, 36) {
            groups.push(format!("{location}=1:running+{other}"));
        }
    }
    (groups.join(","), count)
}

/// Returns the location of all instances of `cloud`.
pub(crate) fn location(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Baidu => "baidu/bj",
        Cloud::Aliyun => "aliyun/cn-hangzhou",
        Cloud::Zenlayer => "zenlayer/global",
        _ => "huawei/cn-north-4",
    }
}

/// Returns the state in which an instance is ready for `kind`.
pub(crate) fn ready_state(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Start => "stopped",
        _ => "running",
    }
}

/// Draws mostly one request, sometimes several at once, or a dropped request and its successor.
fn requests(rng: &mut Rng, kind: ActionKind) -> Vec<Request> {
    let mut first = request(rng, kind);
    match rng.u8(..10) {
        0 => {
            let more = rng.usize(1..=2);
            let others: Vec<_> = (0..more).map(|_| concurrent_request(rng, kind)).collect();
            [vec![first], others].concat()
        }
        1 => {
            let dropped_after = Duration::from_millis(rng.u64(0..20_000));
            first.dropped_after = Some(dropped_after);
            let mut second = concurrent_request(rng, kind);
            second.starts_at += dropped_after;
            vec![first, second]
        }
        _ => vec![first],
    }
}

/// Draws another request, often for the same action.
fn concurrent_request(rng: &mut Rng, first: ActionKind) -> Request {
    let kind = if rng.bool() { first } else { action_kind(rng) };
    let step = rng.usize(1..=3);
    Request {
        starts_at: Duration::from_millis(rng.u64(0..10_000)),
        selection: Stride {
            first: rng.usize(..step),
            step,
        },
        ..request(rng, kind)
    }
}

fn request(rng: &mut Rng, kind: ActionKind) -> Request {
    let action = action(rng, kind);
    let wait_timeout = (!one_in(rng, 4)).then(|| Duration::from_secs(rng.u64(20..600)));
    let may_be_forced = action.kind() == ActionKind::Stop && one_in(rng, 4);
    Request {
        strict: one_in(rng, 8),
        force_after: may_be_forced.then(|| Duration::from_secs(rng.u64(1..120))),
        waves: one_in(rng, 8).then(|| waves(rng)),
        unknown_ids: small_count(rng),
        duplicates: small_count(rng),
        result_form: if one_in(rng, 3) {
            ResultForm::Events
        } else {
            ResultForm::Report
        },
        when_idle: one_in(rng, 4),
        ..Request::new(action, wait_timeout)
    }
}

fn waves(rng: &mut Rng) -> Waves {
    let waves = if rng.bool() {
        Waves::of(rng.usize(1..=40))
    } else {
        Waves::percent(rng.u8(5..=100))
    };
    waves.with_stop_after(rng.usize(1..=4))
}

/// Draws all options of an action, including options without support by the cloud.
fn action(rng: &mut Rng, kind: ActionKind) -> Action {
    let mode = if one_in(rng, 4) {
        StopMode::Forced
    } else {
        StopMode::Graceful
    };
    match kind {
        ActionKind::Start => {
            let mut options = StartOptions::default();
            if one_in(rng, 12) {
                options.local_disk = LocalDisk::Initialize;
            }
            options.into()
        }
        ActionKind::Stop => {
            let mut options = StopOptions::default();
            options.mode = mode;
            if one_in(rng, 8) {
                options.billing = StopBilling::Release;
            }
            options.into()
        }
        _ => {
            let mut options = RebootOptions::default();
            options.mode = mode;
            options.into()
        }
    }
}

fn small_count(rng: &mut Rng) -> usize {
    match rng.u8(..6) {
        0 => rng.usize(1..=3),
        _ => 0,
    }
}

fn change(rng: &mut Rng) -> ScheduledChange {
    let operations = [
        PowerOperation::Start,
        PowerOperation::Stop,
        PowerOperation::ForcedStop,
        PowerOperation::Reboot,
        PowerOperation::ForcedReboot,
    ];
    ScheduledChange {
        at: Duration::from_millis(rng.u64(0..60_000)),
        instance: rng.usize(..1_000),
        change: match rng.u8(..6) {
            0..=2 => ExternalChange::Power(operations[rng.usize(..operations.len())]),
            3 => ExternalChange::Delete,
            4 => ExternalChange::Impairment(Some(
                Impairment::ALL[rng.usize(..Impairment::ALL.len())],
            )),
            _ => ExternalChange::Impairment(None),
        },
    }
}

fn faults(rng: &mut Rng, cloud: Cloud) -> FaultPlan {
    FaultPlan {
        rules: (0..rng.usize(0..=3)).map(|_| rule(rng)).collect(),
        throttle: one_in(rng, 6).then(|| throttle(rng)),
        skew: match rng.u8(..8) {
            0 => rng.i64(-3_000..=3_000),
            _ => 0,
        },
        key: key(rng, cloud),
        lag: match rng.u8(..4) {
            0 => Duration::from_millis(rng.u64(0..4_000)),
            _ => Duration::ZERO,
        },
        latency: Duration::from_millis(rng.u64(0..200)),
    }
}

fn throttle(rng: &mut Rng) -> Throttle {
    if one_in(rng, 4) {
        return Throttle::PerMinute {
            calls: rng.u32(5..=60),
        };
    }
    Throttle::PerSecond {
        rate: f64::from(rng.u32(1..=20)),
        burst: rng.u32(1..=20),
    }
}

fn key(rng: &mut Rng, cloud: Cloud) -> ClientKey {
    match rng.u8(..24) {
        0 => ClientKey::Wrong,
        1 | 2 => ClientKey::Revoked {
            after: rng.u64(0..8),
        },
        3 => ClientKey::Other(KeyKind::Permanent),
        5 => ClientKey::Rotated {
            after: rng.u64(0..8),
        },
        4 => match cloud {
            Cloud::Zenlayer | Cloud::Huawei => ClientKey::Other(KeyKind::Token),
            _ => ClientKey::Other(KeyKind::Temporary),
        },
        _ => ClientKey::Valid,
    }
}

fn rule(rng: &mut Rng) -> FaultRule {
    let rule = FaultRule::new(injected_fault(rng));
    let rule = match rng.u8(..5) {
        0 => rule,
        1 => rule.on(Operation::Observe),
        2 => rule.on(Operation::Follow),
        _ => rule.on_actions(),
    };
    match rng.u8(..4) {
        0 => rule.always().chance(0.05 + 0.4 * rng.f64()),
        1 => rule.skip(rng.u64(0..3)).times(rng.u64(1..=3)),
        2 => rule.times(rng.u64(1..=8)),
        _ => rule,
    }
}

fn injected_fault(rng: &mut Rng) -> InjectedFault {
    let when = if rng.bool() {
        FaultTiming::Before
    } else {
        FaultTiming::After
    };
    match rng.u8(..16) {
        0 => InjectedFault::Unreachable,
        1 => InjectedFault::Reset(when),
        2 => InjectedFault::Silence(when),
        3 | 4 => InjectedFault::ServerError {
            status: [500, 502, 503, 504][rng.usize(..4)],
            body: [ErrorBody::Empty, ErrorBody::Html, ErrorBody::Json][rng.usize(..3)],
            when,
        },
        5 => InjectedFault::Throttled { hint: None },
        6 => InjectedFault::Throttled {
            hint: Some(Duration::from_secs(rng.u64(1..20))),
        },
        7 => InjectedFault::Truncated,
        8 => InjectedFault::HalfBody,
        9 => InjectedFault::Garbage,
        10 => InjectedFault::EmptyBody,
        11 => InjectedFault::WrongContentType,
        12 => InjectedFault::Stale(Duration::from_millis(rng.u64(0..10_000))),
        13 => InjectedFault::Challenged,
        14 => InjectedFault::Blocked,
        _ => InjectedFault::Slow(Duration::from_secs(rng.u64(1..40))),
    }
}
