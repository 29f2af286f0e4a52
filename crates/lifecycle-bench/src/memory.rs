//! How much memory a process takes that has made many calls.

use std::{env, process::Command, sync::Arc};

use lifecycle_bench::{
    Memory, Outcome, Until, client, drive, ids, memory, observe, runtime, start,
};
use lifecycle_core::InstanceId;
use lifecycle_facade::Cloud;

use crate::{
    answers::BATCH,
    effort::Effort,
    server::Server,
    table::{Table, verdict},
};

/// Resident memory of one new process for each cloud.
pub(crate) fn measure(effort: &Effort) -> Outcome<Table> {
    let server = Server::start()?;
    let mut table = Table::new(
        "Memory",
        [
            "after",
            "calls",
            "resident MiB",
            "peak MiB",
            "aim for the peak",
        ],
    );
    for &cloud in Cloud::ALL {
        for concurrency in [1, 64] {
            let probe = Probe {
                cloud,
                port: server.port(),
                turns: effort.turns,
                concurrency,
            };
            let Memory {
                rss_mib,
                peak_rss_mib,
            } = probe.run_apart()?;
            table.row([
                format!("{cloud}, {concurrency} at a time"),
                (2 * effort.turns).to_string(),
                format!("{rss_mib:.1}"),
                format!("{peak_rss_mib:.1}"),
                verdict("under 12 MiB", peak_rss_mib < 12.0),
            ]);
        }
    }
    Ok(table)
}

/// A process that makes calls and then tells its memory.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Probe {
    cloud: Cloud,
    port: u16,
    /// Of a start of a hundred instances and a look at all of them.
    turns: u64,
    concurrency: usize,
}

impl Probe {
    /// Runs this program again, as the probe.
    fn run_apart(&self) -> Outcome<Memory> {
        let output = Command::new(env::current_exe()?)
            .args(["probe", self.cloud.as_str()])
            .args([self.port.to_string(), self.turns.to_string()])
            .arg(self.concurrency.to_string())
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Is the probe: the life of its process.
    pub(crate) fn run(&self) -> Outcome<()> {
        let client = client(self.cloud, self.port)?;
        let ids: Arc<[InstanceId]> = ids(self.cloud, BATCH)?.into();
        let turn = move || {
            let (client, ids) = (client.clone(), Arc::clone(&ids));
            async move {
                let failure = start(&client, &ids)
                    .await?
                    .or(observe(&client, &ids).await?);
                failure.map_or(Ok(()), |text| Err(text.into()))
            }
        };
        runtime()?.block_on(drive(self.concurrency, Until::Turns(self.turns), turn))?;
        println!("{}", serde_json::to_string(&memory()?)?);
        Ok(())
    }
}
