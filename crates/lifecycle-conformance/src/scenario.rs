//! What one seed draws.

use std::time::Duration;

use fastrand::Rng;
use lifecycle_facade::{StopMode, Verb};
use lifecycle_sim::{Cloud, ErrorBody, Injection, Mishap, Operation, Switches, Throttle, When};

/// Everything about one simulated run. Follows from the seed alone.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it was drawn from.
    pub seed: u64,
    /// The cloud.
    pub cloud: Cloud,
    /// The fleet, as the simulator reads it.
    pub fleet: String,
    /// What is asked of the instances.
    pub verb: Verb,
    /// How stops and reboots are done.
    pub mode: StopMode,
    /// How long the goal is waited for; `None` ends with acceptance.
    pub patience: Option<Duration>,
    /// Ids that no cloud has, among those that are asked for.
    pub unknown: usize,
    /// Ids that are asked for twice.
    pub doubled: usize,
    /// How the cloud behaves where nobody knows.
    pub switches: Switches,
    /// What goes wrong.
    pub faults: Faults,
}

/// What goes wrong in a run.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// On the way between client and cloud.
    pub injections: Vec<Injection>,
    /// Whether answers may arrive in a form that says nothing.
    pub garbles: bool,
    /// How many calls the cloud takes.
    pub throttle: Option<Throttle>,
    /// Seconds by which the cloud's clock is ahead.
    pub skew: i64,
    /// After how many calls the key stops working.
    pub revoked_after: Option<u64>,
    /// How long an accepted action stays invisible.
    pub lag: Duration,
    /// From client to cloud and back.
    pub latency: Duration,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn is_none(&self) -> bool {
        self.injections.is_empty()
            && self.throttle.is_none()
            && self.skew == 0
            && self.revoked_after.is_none()
            && self.lag.is_zero()
    }
}

impl Scenario {
    /// The scenario of `seed`.
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let cloud = Cloud::ALL[rng.usize(..Cloud::ALL.len())];
        let verb = [Verb::Start, Verb::Stop, Verb::Reboot][rng.usize(..3)];
        let fleet = fleet(&mut rng, cloud, verb);
        Self {
            seed,
            cloud,
            fleet,
            verb,
            mode: if rng.u8(..4) == 0 {
                StopMode::Forced
            } else {
                StopMode::Graceful
            },
            patience: (rng.u8(..4) > 0).then(|| Duration::from_secs(rng.u64(20..600))),
            unknown: few(&mut rng),
            doubled: few(&mut rng),
            switches: if rng.bool() {
                Switches::random(rng.u64(..))
            } else {
                Switches::default()
            },
            faults: if rng.u8(..4) == 0 {
                Faults::default()
            } else {
                faults(&mut rng)
            },
        }
    }
}

/// Mostly small, sometimes beyond every batch limit, with a sprinkle of instances in the wrong
/// state or in trouble.
fn fleet(rng: &mut Rng, cloud: Cloud, verb: Verb) -> String {
    let place = match cloud {
        Cloud::Baidu => "baidu/bj",
        Cloud::Aliyun => "aliyun/cn-hangzhou",
        Cloud::Zenlayer => "zenlayer/global",
        _ => "huawei/cn-north-4",
    };
    let count = match rng.u8(..20) {
        0..=11 => rng.usize(1..=12),
        12..=17 => rng.usize(13..=230),
        18 => rng.usize(231..=700),
        _ => rng.usize(701..=2_500),
    };
    let ready = match verb {
        Verb::Start => "stopped",
        _ => "running",
    };
    let mut groups = vec![format!("{place}={count}:{ready}")];
    for other in [
        "stopped",
        "running",
        "starting",
        "stopping",
        "rebooting",
        "creating",
        "expired",
        "failed",
        "recycled",
        "changing",
        "locked",
        "arrears",
        "no-stock",
        "broken",
        "stubborn",
    ] {
        if rng.u8(..12) == 0 {
            groups.push(format!("{place}={}:{other}", rng.usize(1..=3)));
        }
    }
    groups.join(",")
}

fn few(rng: &mut Rng) -> usize {
    match rng.u8(..6) {
        0 => rng.usize(1..=3),
        _ => 0,
    }
}

fn faults(rng: &mut Rng) -> Faults {
    let mut garbles = false;
    let injections = (0..rng.usize(0..=3))
        .map(|_| {
            let mishap = mishap(rng);
            garbles |= is_garbling(&mishap);
            injection(rng, mishap)
        })
        .collect();
    Faults {
        injections,
        garbles,
        throttle: (rng.u8(..6) == 0).then(|| Throttle::PerSecond {
            rate: f64::from(rng.u32(1..=20)),
            burst: rng.u32(1..=20),
        }),
        skew: match rng.u8(..8) {
            0 => rng.i64(-3_000..=3_000),
            _ => 0,
        },
        revoked_after: (rng.u8(..16) == 0).then(|| rng.u64(0..6)),
        lag: match rng.u8(..4) {
            0 => Duration::from_millis(rng.u64(0..4_000)),
            _ => Duration::ZERO,
        },
        latency: Duration::from_millis(rng.u64(0..200)),
    }
}

fn is_garbling(mishap: &Mishap) -> bool {
    matches!(
        mishap,
        Mishap::HalfBody | Mishap::Garbage | Mishap::EmptyBody | Mishap::WrongContentType
    )
}

fn injection(rng: &mut Rng, mishap: Mishap) -> Injection {
    let injection = Injection::new(mishap);
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

fn mishap(rng: &mut Rng) -> Mishap {
    let when = if rng.bool() {
        When::Before
    } else {
        When::After
    };
    match rng.u8(..13) {
        0 => Mishap::Unreachable,
        1 => Mishap::Reset(when),
        2 => Mishap::Silence(when),
        3 | 4 => Mishap::ServerError {
            status: [500, 502, 503, 504][rng.usize(..4)],
            body: [ErrorBody::Empty, ErrorBody::Html, ErrorBody::Json][rng.usize(..3)],
            when,
        },
        5 => Mishap::Throttled { hint: None },
        6 => Mishap::Throttled {
            hint: Some(Duration::from_secs(rng.u64(1..20))),
        },
        7 => Mishap::Truncated,
        8 => Mishap::HalfBody,
        9 => Mishap::Garbage,
        10 => Mishap::EmptyBody,
        11 => Mishap::WrongContentType,
        _ => Mishap::Slow(Duration::from_secs(rng.u64(1..40))),
    }
}
