//! What one seed draws.

use std::time::Duration;

use fastrand::Rng;
use lifecycle_facade::{
    ActionKind, LocalDisk, RebootOptions, StartOptions, StopBilling, StopMode, StopOptions, Waves,
    core::Action,
};
use lifecycle_sim::{
    Act, Cloud, ErrorBody, FaultRule, FaultTiming, InjectedFault, KeyKind, Operation, Switches,
    Throttle, Trouble,
};

use crate::scenario::{Deed, Faults, Incident, Key, Reading, Request, Scenario, Share};

impl Scenario {
    /// The scenario of `seed`. It follows from the seed alone.
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let cloud = Cloud::ALL[rng.usize(..Cloud::ALL.len())];
        let verb = verb(&mut rng);
        let (fleet, ready) = fleet(&mut rng, cloud, verb);
        Self {
            seed,
            cloud,
            fleet,
            ready,
            requests: requests(&mut rng, verb),
            incidents: if one_in(&mut rng, 8) {
                (0..rng.usize(1..=4)).map(|_| incident(&mut rng)).collect()
            } else {
                Vec::new()
            },
            switches: if rng.bool() {
                Switches::random(rng.u64(..))
            } else {
                Switches::default()
            },
            faults: if one_in(&mut rng, 4) {
                Faults::default()
            } else {
                faults(&mut rng, cloud)
            },
            mutation: None,
        }
    }
}

fn one_in(rng: &mut Rng, times: u8) -> bool {
    rng.u8(..times) == 0
}

fn verb(rng: &mut Rng) -> ActionKind {
    [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot][rng.usize(..3)]
}

/// Mostly small, sometimes beyond every batch limit, with a sprinkle of instances in the wrong
/// state or in trouble. Gives the number of instances that are ready for `verb` as well.
fn fleet(rng: &mut Rng, cloud: Cloud, verb: ActionKind) -> (String, usize) {
    let place = place(cloud);
    let count = match rng.u8(..20) {
        0..=11 => rng.usize(1..=12),
        12..=17 => rng.usize(13..=230),
        18 => rng.usize(231..=700),
        _ => rng.usize(701..=2_500),
    };
    let mut groups = vec![format!("{place}={count}:{}", ready(verb))];
    let states = ["stopped", "running", "starting", "stopping", "rebooting"];
    let troubles = Trouble::ALL.map(Trouble::as_str);
    for other in states.into_iter().chain(troubles) {
        if one_in(rng, 12) {
            groups.push(format!("{place}={}:{other}", rng.usize(1..=3)));
        }
        // The other power state, where the trouble leaves it to show.
        if troubles.contains(&other) && one_in(rng, 36) {
            groups.push(format!("{place}=1:running+{other}"));
        }
    }
    (groups.join(","), count)
}

/// Where instances of `cloud` are.
pub(crate) fn place(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Baidu => "baidu/bj",
        Cloud::Aliyun => "aliyun/cn-hangzhou",
        Cloud::Zenlayer => "zenlayer/global",
        _ => "huawei/cn-north-4",
    }
}

/// The state in which an instance is ready for `verb`.
pub(crate) fn ready(verb: ActionKind) -> &'static str {
    match verb {
        ActionKind::Start => "stopped",
        _ => "running",
    }
}

/// Mostly one; now and then several at once, or one that is dropped and another one after it.
fn requests(rng: &mut Rng, verb: ActionKind) -> Vec<Request> {
    let mut first = request(rng, verb);
    match rng.u8(..10) {
        0 => {
            let more = rng.usize(1..=2);
            let others: Vec<_> = (0..more).map(|_| rival(rng, verb)).collect();
            [vec![first], others].concat()
        }
        1 => {
            let dropped_after = Duration::from_millis(rng.u64(0..20_000));
            first.dropped_after = Some(dropped_after);
            let mut second = rival(rng, verb);
            second.begins += dropped_after;
            vec![first, second]
        }
        _ => vec![first],
    }
}

/// Another request, often for the same.
fn rival(rng: &mut Rng, first: ActionKind) -> Request {
    let verb = if rng.bool() { first } else { verb(rng) };
    let of = rng.usize(1..=3);
    Request {
        begins: Duration::from_millis(rng.u64(0..10_000)),
        share: Share {
            nth: rng.usize(..of),
            of,
        },
        ..request(rng, verb)
    }
}

fn request(rng: &mut Rng, verb: ActionKind) -> Request {
    let action = action(rng, verb);
    let patience = (!one_in(rng, 4)).then(|| Duration::from_secs(rng.u64(20..600)));
    let may_be_forced = action.kind() == ActionKind::Stop && one_in(rng, 4);
    Request {
        strict: one_in(rng, 8),
        force_after: may_be_forced.then(|| Duration::from_secs(rng.u64(1..120))),
        waves: one_in(rng, 8).then(|| waves(rng)),
        unknown: few(rng),
        doubled: few(rng),
        reading: if one_in(rng, 3) {
            Reading::Events
        } else {
            Reading::Report
        },
        ..Request::new(action, patience)
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

/// With all options, those that the cloud cannot honour included.
fn action(rng: &mut Rng, verb: ActionKind) -> Action {
    let mode = if one_in(rng, 4) {
        StopMode::Forced
    } else {
        StopMode::Graceful
    };
    match verb {
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

fn few(rng: &mut Rng) -> usize {
    match rng.u8(..6) {
        0 => rng.usize(1..=3),
        _ => 0,
    }
}

fn incident(rng: &mut Rng) -> Incident {
    let acts = [
        Act::Start,
        Act::Stop,
        Act::ForcedStop,
        Act::Reboot,
        Act::ForcedReboot,
    ];
    Incident {
        at: Duration::from_millis(rng.u64(0..60_000)),
        instance: rng.usize(..1_000),
        deed: match rng.u8(..6) {
            0..=2 => Deed::Act(acts[rng.usize(..acts.len())]),
            3 => Deed::Delete,
            4 => Deed::Trouble(Some(Trouble::ALL[rng.usize(..Trouble::ALL.len())])),
            _ => Deed::Trouble(None),
        },
    }
}

fn faults(rng: &mut Rng, cloud: Cloud) -> Faults {
    Faults {
        injections: (0..rng.usize(0..=3)).map(|_| injection(rng)).collect(),
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

fn key(rng: &mut Rng, cloud: Cloud) -> Key {
    match rng.u8(..24) {
        0 => Key::Wrong,
        1 | 2 => Key::Revoked {
            after: rng.u64(0..8),
        },
        3 => Key::Other(KeyKind::Permanent),
        4 => match cloud {
            Cloud::Zenlayer | Cloud::Huawei => Key::Other(KeyKind::Token),
            _ => Key::Other(KeyKind::Temporary),
        },
        _ => Key::Good,
    }
}

fn injection(rng: &mut Rng) -> FaultRule {
    let injection = FaultRule::new(mishap(rng));
    let injection = match rng.u8(..5) {
        0 => injection,
        1 => injection.on(Operation::Observe),
        2 => injection.on(Operation::Follow),
        _ => injection.on_actions(),
    };
    match rng.u8(..4) {
        0 => injection.always().chance(0.05 + 0.4 * rng.f64()),
        1 => injection.skip(rng.u64(0..3)).times(rng.u64(1..=3)),
        2 => injection.times(rng.u64(1..=8)),
        _ => injection,
    }
}

fn mishap(rng: &mut Rng) -> InjectedFault {
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
