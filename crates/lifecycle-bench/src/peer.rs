//! `bench-peer`: the work of a program that starts and watches instances, in the form in which
//! programs with other clients are measured. Prints one JSON object a line.

use std::{
    net::{Ipv4Addr, TcpStream},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use clap::Parser;
use lifecycle_bench::{
    BenchResult, Memory, Run, Until, client, drive, ids, key, memory, observe, provider, runtime,
    start,
};
use lifecycle_core::{Endpoint, InstanceId, StartOptions};
use lifecycle_facade::{Client, Clock, Cloud, SystemClock};
use serde::Serialize;
use tokio::time::Instant;

/// Measure the lifecycle library with the work of other clients' benchmarks.
///
/// Exit code 0 after a measurement, 1 if the measurement failed, 2 after wrong usage.
#[derive(Debug, Parser)]
enum Command {
    /// Set up everything that a program needs to begin, and end. Time this from outside.
    Import,
    /// Build and sign requests that start instances. Nothing is sent.
    Sign {
        /// baidu, aliyun, zenlayer or huawei.
        #[arg(long)]
        cloud: Cloud,
        /// Instances in one request.
        #[arg(long)]
        ids: usize,
        /// Duration in seconds.
        #[arg(long, value_parser = seconds)]
        secs: Duration,
    },
    /// Start instances and observe the instances, again and again, at an HTTP server on this machine.
    /// The server must answer for the requested ids.
    Loop(Loop),
}

#[derive(Clone, Debug, clap::Args)]
struct Loop {
    /// baidu, aliyun, zenlayer or huawei.
    #[arg(long)]
    cloud: Cloud,
    /// The port of 127.0.0.1 where the server listens.
    #[arg(long)]
    port: u16,
    /// Instances in one iteration.
    #[arg(long)]
    ids: usize,
    /// Duration in seconds.
    #[arg(long, value_parser = seconds)]
    secs: Duration,
    /// Iterations in flight at a time, all on one thread.
    #[arg(long, default_value_t = 1)]
    concurrency: usize,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Import => import(),
        Command::Sign { cloud, ids, secs } => sign(cloud, ids, secs),
        Command::Loop(order) => work(&order),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn import() -> BenchResult<()> {
    let runtime = runtime()?;
    let _inside = runtime.enter();
    // The port does not matter: nothing is sent.
    let client = client(Cloud::Aliyun, 9)?;
    print("import", memory()?)?;
    drop(client);
    Ok(())
}

fn sign(cloud: Cloud, count: usize, span: Duration) -> BenchResult<()> {
    let provider = provider(cloud, Endpoint::parse("https://api.example.com")?)?;
    let (action, key) = (StartOptions::default().into(), key());
    let ids = ids(cloud, count)?;
    let (begin, mut signed) = (Instant::now(), 0_u32);
    while begin.elapsed() < span {
        let call = provider.act(&action, &ids)?;
        std::hint::black_box(provider.sign(
            &call.request,
            &key,
            &SystemClock.signing_context(0),
        )?);
        signed += 1;
    }
    let per_s = f64::from(signed) / begin.elapsed().as_secs_f64();
    print(&format!("sign {cloud} {count}"), Signed { per_s })
}

fn work(order: &Loop) -> BenchResult<()> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, order.port))
        .map_err(|error| format!("nothing answers at 127.0.0.1:{}: {error}", order.port))?;
    let client = client(order.cloud, order.port)?;
    let ids: Arc<[InstanceId]> = ids(order.cloud, order.ids)?.into();
    let failures = Arc::new(Failures::default());
    let iterate = {
        let (client, failures) = (client.clone(), Arc::clone(&failures));
        move || iterate(client.clone(), Arc::clone(&ids), Arc::clone(&failures))
    };
    let run = runtime()?.block_on(drive(
        order.concurrency,
        Until::Elapsed(order.secs),
        iterate,
    ))?;
    failures.report(run.iterations)?;
    let what = format!("loop {} {} x{}", order.cloud, order.ids, order.concurrency);
    print(&what, Worked::new(run, &client, memory()?)?)
}

async fn iterate(
    client: Client,
    ids: Arc<[InstanceId]>,
    failures: Arc<Failures>,
) -> BenchResult<()> {
    failures.starts.count(start(&client, &ids).await?);
    failures.observations.count(observe(&client, &ids).await?);
    Ok(())
}

/// Instances without the requested result. A failure must not count as finished work.
#[derive(Debug, Default)]
struct Failures {
    starts: Count,
    observations: Count,
}

impl Failures {
    /// Reports the failures of all iterations.
    fn report(&self, iterations: u64) -> BenchResult<()> {
        self.starts.report("starts", iterations)?;
        self.observations.report("observations", iterations)
    }
}

#[derive(Debug, Default)]
struct Count {
    failed: AtomicU64,
    first: Mutex<Option<String>>,
}

impl Count {
    fn count(&self, failure: Option<String>) {
        let Some(failure) = failure else { return };
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(failure);
    }

    /// Reports failures on standard error. Fails if no iteration had the requested result.
    fn report(&self, what: &str, iterations: u64) -> BenchResult<()> {
        let failed = self.failed.load(Ordering::Relaxed);
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = &*first else { return Ok(()) };
        let text = format!("{failed} of {iterations} {what} had failures; the first: {first}");
        if failed >= iterations {
            return Err(text.into());
        }
        eprintln!("bench-peer: {text}");
        Ok(())
    }
}

#[derive(Serialize)]
struct Signed {
    per_s: f64,
}

#[derive(Serialize)]
struct Worked {
    calls_per_s: f64,
    cpu_us_per_call: f64,
    #[serde(flatten)]
    memory: Memory,
}

impl Worked {
    /// Returns the figures of a run, by the calls that the client made.
    fn new(run: Run, client: &Client, memory: Memory) -> BenchResult<Self> {
        let cpu = run.cpu.ok_or("the system does not report processor time")?;
        let calls = u32::try_from(client.calls().total())?;
        let calls = f64::from(calls.max(1));
        Ok(Self {
            calls_per_s: calls / run.elapsed.as_secs_f64(),
            cpu_us_per_call: cpu.as_secs_f64() * 1e6 / calls,
            memory,
        })
    }
}

fn print(what: &str, figures: impl Serialize) -> BenchResult<()> {
    let line = Line {
        peer: "lifecycle",
        what,
        figures,
    };
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}

/// One line of the output.
#[derive(Serialize)]
struct Line<'a, F> {
    peer: &'static str,
    what: &'a str,
    #[serde(flatten)]
    figures: F,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_and_nothing_but_failures_is_an_error() {
        let failures = Failures::default();
        assert!(failures.report(3).is_ok());
        failures.starts.count(Some("i-1: refused".to_owned()));
        failures.starts.count(None);
        assert!(failures.report(3).is_ok());
        failures.starts.count(Some("i-2: refused".to_owned()));
        let error = failures.report(2).unwrap_err().to_string();
        assert_eq!(error, "2 of 2 starts had failures; the first: i-1: refused");
    }

    #[test]
    fn the_command_line_is_as_promised() {
        for line in [
            "bench-peer import",
            "bench-peer sign --cloud baidu --ids 100 --secs 0.5",
            "bench-peer loop --cloud huawei --port 1 --ids 100 --secs 2 --concurrency 64",
        ] {
            assert!(Command::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in [
            "bench-peer sign --cloud azure --ids 1 --secs 1",
            "bench-peer sign --cloud baidu --ids 1 --secs -1",
        ] {
            assert!(Command::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
