//! Memory of a process after many calls.

use std::{env, process::Command, sync::Arc};

use lifecycle_bench::{Memory, Outcome, Until, client, drive, ids, memory, runtime};
use lifecycle_core::InstanceId;
use lifecycle_facade::Cloud;

use crate::{
    bare::{self, BareRequest, by_reqwest},
    measurement_time::MeasurementTime,
    server::Server,
    table::{Table, verdict},
    turn::{Turn, by_client},
};

/// Resident memory of new processes: some with the client, some with bare reqwest.
pub(crate) fn measure(time: &MeasurementTime) -> Outcome<Table> {
    let server = Server::start()?;
    let mut table = Table::new(
        "Memory",
        [
            "after",
            "calls",
            "reqwest MiB",
            "reqwest peak",
            "client MiB",
            "client peak",
            "aim for the client's peak",
        ],
    );
    for &cloud in Cloud::ALL {
        for concurrency in [1, 64] {
            let probe = |side| Probe {
                side,
                cloud,
                port: server.port(),
                turns: time.turns,
                concurrency,
            };
            let bare = probe(Side::Reqwest).run_apart()?;
            let ours = probe(Side::Client).run_apart()?;
            let mib = |mib: f64| format!("{mib:.1}");
            table.row([
                format!("{cloud}, {concurrency} at a time"),
                (TURN.calls() * time.turns).to_string(),
                mib(bare.rss_mib),
                mib(bare.peak_rss_mib),
                mib(ours.rss_mib),
                mib(ours.peak_rss_mib),
                verdict("under 12 MiB", ours.peak_rss_mib < 12.0),
            ]);
        }
    }
    Ok(table)
}

/// The repeated work of a probe.
const TURN: Turn = Turn::StartAndLook;

/// A process that makes calls and then reports its memory.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Probe {
    side: Side,
    cloud: Cloud,
    port: u16,
    turns: u64,
    concurrency: usize,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Side {
    Client,
    Reqwest,
}

impl Probe {
    /// Runs this program again, as the probe.
    fn run_apart(&self) -> Outcome<Memory> {
        let side = match self.side {
            Side::Client => "client",
            Side::Reqwest => "reqwest",
        };
        let output = Command::new(env::current_exe()?)
            .args(["probe", side, self.cloud.as_str()])
            .args([self.port.to_string(), self.turns.to_string()])
            .arg(self.concurrency.to_string())
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Runs the probe: the whole life of the probe's process.
    pub(crate) fn run(&self) -> Outcome<()> {
        let until = Until::Turns(self.turns);
        let run = match self.side {
            Side::Client => {
                let client = client(self.cloud, self.port)?;
                let ids: Arc<[InstanceId]> = ids(self.cloud, TURN.instances())?.into();
                let ours = move || by_client(client.clone(), Arc::clone(&ids), TURN);
                runtime()?.block_on(drive(self.concurrency, until, ours))
            }
            Side::Reqwest => {
                let http = bare::http()?;
                let requests: Arc<[BareRequest]> =
                    BareRequest::of(self.cloud, self.port, TURN)?.into();
                let bare = move || by_reqwest(http.clone(), Arc::clone(&requests));
                runtime()?.block_on(drive(self.concurrency, until, bare))
            }
        };
        run?;
        println!("{}", serde_json::to_string(&memory()?)?);
        Ok(())
    }
}
