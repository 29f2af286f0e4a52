//! What calls through the client cost, beside bare reqwest with the same bytes.

use std::{future::Future, sync::Arc, time::Duration};

use lifecycle_bench::{Outcome, Run, Until, client, drive, ids, observe, runtime, start};
use lifecycle_core::InstanceId;
use lifecycle_facade::{Client, Cloud};
use tokio::runtime::Runtime;

use crate::{
    answers::BATCH,
    bare::{self, Post},
    effort::Effort,
    rounds::Rounds,
    server::Server,
    table::{Table, verdict},
};

/// Starts of one instance, one at a time and many at a time.
pub(crate) fn measure_calls(effort: &Effort) -> Outcome<Table> {
    let bench = Bench::new(effort)?;
    let mut table = Table::new("Calls", head("start of 1"));
    for &cloud in Cloud::ALL {
        for concurrency in [1, 64] {
            let pair = bench.compare(cloud, 1, Turn::Start, concurrency)?;
            let aim = verdict("0.95 x reqwest", pair.speed() >= 0.95);
            table.row(pair.row(format!("{cloud}, {concurrency} at a time"), aim));
        }
    }
    Ok(table)
}

/// Turns of a start of a hundred instances and a look at all of them, one at a time.
pub(crate) fn measure_turns(effort: &Effort) -> Outcome<Table> {
    let bench = Bench::new(effort)?;
    let mut table = Table::new("Turns", head("start of 100, look at 100"));
    for &cloud in Cloud::ALL {
        let pair = bench.compare(cloud, BATCH, Turn::StartAndLook, 1)?;
        table.row(pair.row(cloud.to_string(), String::new()));
    }
    Ok(table)
}

fn head(what: &'static str) -> [&'static str; 7] {
    [
        what,
        "reqwest/s",
        "client/s",
        "/ reqwest",
        "reqwest CPU µs",
        "client CPU µs",
        "aim",
    ]
}

/// What is done over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Start,
    StartAndLook,
}

struct Bench<'a> {
    server: Server,
    runtime: Runtime,
    effort: &'a Effort,
}

impl<'a> Bench<'a> {
    fn new(effort: &'a Effort) -> Outcome<Self> {
        Ok(Self {
            server: Server::start()?,
            runtime: runtime()?,
            effort,
        })
    }

    /// Measures reqwest and the client at the same turns, in turns.
    fn compare(&self, cloud: Cloud, count: usize, turn: Turn, concurrency: usize) -> Outcome<Pair> {
        let port = self.server.port();
        let ids: Arc<[InstanceId]> = ids(cloud, count)?.into();
        let posts = Post::both(cloud, port, &ids)?;
        let posts: Arc<[Post]> = match turn {
            Turn::Start => Arc::new([posts[0].clone()]),
            Turn::StartAndLook => Arc::new(posts),
        };
        let http = bare::http()?;
        let client = client(cloud, port)?;
        let bare = move || send_all(http.clone(), Arc::clone(&posts));
        let ours = move || work(client.clone(), Arc::clone(&ids), turn);

        let span = self.effort.calling;
        // Connections are made before anything counts.
        self.run(concurrency, span / 4, &bare)?;
        self.run(concurrency, span / 4, &ours)?;
        let rounds = (0..self.effort.rounds).map(|_| {
            Ok([
                self.run(concurrency, span, &bare)?,
                self.run(concurrency, span, &ours)?,
            ])
        });
        Ok(Pair::new(&rounds.collect::<Outcome<Vec<_>>>()?))
    }

    fn run<F, T>(&self, concurrency: usize, span: Duration, turn: &F) -> Outcome<Run>
    where
        F: Fn() -> T + Clone + Send + 'static,
        T: Future<Output = Outcome<()>> + Send,
    {
        let run = drive(concurrency, Until::Elapsed(span), turn.clone());
        self.runtime.block_on(run)
    }
}

async fn send_all(http: reqwest::Client, posts: Arc<[Post]>) -> Outcome<()> {
    for post in posts.iter() {
        post.send(&http).await?;
    }
    Ok(())
}

/// One turn through the client. What does not go as asked ends the benchmark.
async fn work(client: Client, ids: Arc<[InstanceId]>, turn: Turn) -> Outcome<()> {
    let mut failure = start(&client, &ids).await?;
    if turn == Turn::StartAndLook && failure.is_none() {
        failure = observe(&client, &ids).await?;
    }
    failure.map_or(Ok(()), |text| Err(text.into()))
}

/// The same turns by reqwest and by the client.
struct Pair {
    rounds: Rounds<2>,
    /// Microseconds of this process for one turn, where the system tells.
    cpu: [Option<f64>; 2],
}

const BARE: usize = 0;
const OURS: usize = 1;

impl Pair {
    fn new(rounds: &[[Run; 2]]) -> Self {
        let costs = rounds.iter().map(|round| round.map(|run| seconds(&run)));
        Self {
            rounds: Rounds::new(costs.collect()),
            cpu: [BARE, OURS].map(|side| cpu(rounds.iter().map(|round| round[side]))),
        }
    }

    /// The client's rate as a part of reqwest's.
    fn speed(&self) -> f64 {
        self.rounds.ratio(BARE, OURS)
    }

    fn row(&self, what: String, aim: String) -> [String; 7] {
        let rate = |side| format!("{:.0}", 1.0 / self.rounds.best(side));
        let cpu = |side: usize| {
            self.cpu[side].map_or_else(|| "?".to_owned(), |micros| format!("{micros:.1}"))
        };
        [
            what,
            rate(BARE),
            rate(OURS),
            format!("{:.2}", self.speed()),
            cpu(BARE),
            cpu(OURS),
            aim,
        ]
    }
}

fn seconds(run: &Run) -> f64 {
    run.elapsed.as_secs_f64() / count(run.turns)
}

/// Over all rounds together, because the system counts in steps of 10 ms.
fn cpu(runs: impl Iterator<Item = Run>) -> Option<f64> {
    let (mut time, mut turns) = (Duration::ZERO, 0);
    for run in runs {
        time += run.cpu?;
        turns += run.turns;
    }
    Some(time.as_secs_f64() * 1e6 / count(turns))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a run has fewer than 2^52 turns"
)]
fn count(turns: u64) -> f64 {
    turns as f64
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::{answers::Answers, server::listen};

    #[test]
    fn every_turn_gets_good_answers_through_the_client_and_through_reqwest() {
        runtime().unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(listen(listener, Answers::new().unwrap()));
            for &cloud in Cloud::ALL {
                for (count, turn, calls) in [(1, Turn::Start, 1), (BATCH, Turn::StartAndLook, 2)] {
                    let ids: Arc<[_]> = ids(cloud, count).unwrap().into();
                    let client = client(cloud, port).unwrap();
                    let done = work(client.clone(), Arc::clone(&ids), turn).await;
                    assert!(done.is_ok(), "{cloud} {turn:?}: {done:?}");
                    assert_eq!(client.calls().total(), calls, "{cloud} {turn:?}");
                    let posts = Post::both(cloud, port, &ids).unwrap();
                    let posts = posts[..usize::try_from(calls).unwrap()].into();
                    let done = send_all(bare::http().unwrap(), posts).await;
                    assert!(done.is_ok(), "{cloud} {turn:?}: {done:?}");
                }
            }
        });
    }

    #[test]
    fn a_turn_with_a_bad_answer_ends_the_benchmark() {
        runtime().unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(listen(listener, Answers::new().unwrap()));
            // The server lists a hundred; the last of these is not among them.
            let ids: Arc<[_]> = ids(Cloud::Baidu, BATCH + 1).unwrap()[1..].into();
            let client = client(Cloud::Baidu, port).unwrap();
            let done = work(client, ids, Turn::StartAndLook).await;
            assert!(done.unwrap_err().to_string().contains("i-Jmw00101"));
        });
    }

    #[test]
    fn processor_time_is_per_turn_over_all_rounds() {
        let run = |turns, cpu: Option<u64>| Run {
            turns,
            elapsed: Duration::from_secs(1),
            cpu: cpu.map(Duration::from_millis),
        };
        let rounds = [
            [run(100, Some(10)), run(50, Some(20))],
            [run(200, Some(20)), run(50, None)],
        ];
        let pair = Pair::new(&rounds);
        assert_eq!(pair.cpu, [Some(100.0), None]);
        assert_eq!(pair.speed(), f64::midpoint(0.5, 0.25));
    }
}
