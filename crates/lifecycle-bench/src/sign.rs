//! Benchmark: the cost of a signed request, compared with the hashing that the scheme demands.

use std::time::Duration;

use lifecycle_bench::{BenchResult, ids, key, provider, secret};
use lifecycle_core::{Endpoint, SigningContext, StartOptions};
use lifecycle_facade::Cloud;

use crate::{
    floor::Floor,
    rounds::{Rounds, cost},
    settings::{BenchSettings, Schedule},
    table::{Table, verdict},
};

/// Nanoseconds per signed request of each cloud.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Signed requests",
        [
            "start of",
            "floor ns",
            "sign ns",
            "/ floor",
            "act + sign ns",
            "/ floor",
            "a second",
            "target for act + sign",
        ],
    );
    for &cloud in Cloud::ALL {
        for count in [1, 100] {
            let rounds = rounds(cloud, count, settings)?;
            let nanoseconds = |thing| format!("{:.0}", rounds.best(thing) * 1e9);
            let ratio = |thing| format!("{:.2}", rounds.ratio(thing, FLOOR));
            table.row([
                format!("{cloud} {count}"),
                nanoseconds(FLOOR),
                nanoseconds(SIGN),
                ratio(SIGN),
                nanoseconds(WHOLE),
                ratio(WHOLE),
                format!("{:.0}", 1.0 / rounds.best(WHOLE)),
                target(cloud, count, &rounds),
            ]);
        }
    }
    Ok(table)
}

/// The positions of the measured items in a round. The floor is the hashing that the scheme demands.
const FLOOR: usize = 0;
/// `sign` of an existing request, as for a retry.
const SIGN: usize = 1;
/// `act` and `sign`: from ids to a request that can be sent.
const WHOLE: usize = 2;

fn rounds(cloud: Cloud, count: usize, settings: &BenchSettings) -> BenchResult<Rounds<3>> {
    let provider = provider(cloud, Endpoint::parse("https://api.example.com")?)?;
    let (action, ids, key) = (StartOptions::default().into(), ids(cloud, count)?, key());
    let draft = provider.act(&action, &ids)?.request;
    // Every signature is for another moment, as in production.
    let mut seconds = 1_700_000_000_i64;
    let mut stamp = || {
        seconds += 1;
        SigningContext::from_unix(seconds, u128::from(seconds.unsigned_abs()).pow(4))
    };
    let floor = Floor::of(cloud, &provider.sign(&draft, &key, &stamp())?, secret())?;
    let round = |span: Duration, stamp: &mut dyn FnMut() -> SigningContext| {
        [
            cost(span, || floor.hash()),
            cost(span, || provider.sign(&draft, &key, &stamp())),
            cost(span, || {
                let call = provider.act(&action, &ids)?;
                provider.sign(&call.request, &key, &stamp())
            }),
        ]
    };
    // The first round warms caches up and is not counted.
    let Schedule { rounds, span } = settings.signing;
    round(span, &mut stamp);
    let rounds = (0..rounds).map(|_| round(span, &mut stamp));
    Ok(Rounds::new(rounds.collect()))
}

/// Hashing is most of the work where the body holds the ids. Alibaba's query has a hundred pairs to
/// write, and Baidu's scheme does not hash the body.
fn target(cloud: Cloud, count: usize, rounds: &Rounds<3>) -> String {
    let times = match (cloud, count) {
        (_, 1) | (Cloud::Baidu, _) => 2.0,
        (Cloud::Aliyun, _) => 1.7,
        _ => 1.5,
    };
    let is_met = rounds.ratio(WHOLE, FLOOR) <= times;
    verdict(&format!("{times:.1} x floor"), is_met)
}
