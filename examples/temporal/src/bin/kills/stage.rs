//! The stage of the rounds: simulated clouds, the server, the workers, and the kills.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use lifecycle_facade::Credential;
use lifecycle_sim::{Cloud, Server, Simulator};
use lifecycle_temporal_example::{
    power::{Power, PowerInput},
    workflows::PowerWorkflow,
};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, WorkflowGetResultOptions, WorkflowHandle,
    WorkflowStartOptions, errors::WorkflowGetResultError,
};
use tokio::time::{sleep, timeout};

use crate::{
    control::{self, UsualWorkflow},
    judge::{Machine, Round},
    processes::{Program, free_port},
};

/// The time limit of the result of a reboot.
pub(crate) const WAIT_SECONDS: u64 = 20;
/// The simulated machines boot this many times as fast as real ones.
const SPEED: f64 = 8.0;
/// The machines of the workflows with a journal: two workflows with two machines each.
const FENCED: &str = "aliyun/cn-hangzhou=2:running,huawei/cn-north-4=2:running";
/// The machines of the control group: one workflow for each machine.
const CONTROL: &str = "baidu/bj=2:running";
const QUEUE: &str = "lifecycle";

/// The simulated clouds, the processes and the drawn numbers.
pub(crate) struct Stage {
    random: fastrand::Rng,
    simulator: Simulator,
    _clouds: Server,
    address: String,
    journals: PathBuf,
    server: Program,
    worker: Program,
    control: Program,
}

impl Stage {
    pub(crate) async fn new(temporal: &Path, folder: &Path, seed: u64) -> anyhow::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let fleet = format!("{FENCED},{CONTROL}");
        let builder = Simulator::builder().seed(seed).speed(SPEED).fleet(&fleet)?;
        let key = Credential::keys("id", "secret");
        let builder = Cloud::ALL
            .into_iter()
            .fold(builder, |builder, cloud| builder.credential(cloud, &key));
        let simulator = builder.build();
        let clouds = simulator.serve("127.0.0.1:0").await?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let url = format!("http://{address}");
        let (host, port) = address.split_once(':').context("an address has a port")?;
        let database = folder.join("temporal.db").display().to_string();
        let server = [
            "server",
            "start-dev",
            "--headless",
            "--log-level",
            "warn",
            "--ip",
            host,
            "--port",
            port,
            "--db-filename",
            &database,
        ];
        let server = Program::new(temporal, &server, folder.join("server.log"));
        let config = folder.join("lifecycle.toml");
        fs::write(&config, "")?;
        let (config, endpoint) = (config.display().to_string(), clouds.url());
        let journals = folder.join("journals");
        let folder_of_journals = journals.display().to_string();
        let keys = keys(&simulator.project_id());
        let this = std::env::current_exe()?;
        let example = this.with_file_name(format!(
            "lifecycle-temporal{}",
            std::env::consts::EXE_SUFFIX
        ));
        let worker = [
            "worker",
            "--server",
            &url,
            "--queue",
            QUEUE,
            "--config",
            &config,
            "--journals",
            &folder_of_journals,
            "--endpoint",
            &endpoint,
        ];
        let worker = Program::new(&example, &worker, folder.join("worker.log")).variables(&keys);
        let control = [
            "--temporal",
            "none",
            "--folder",
            "none",
            "--control-worker",
            &url,
            &endpoint,
        ];
        let control = Program::new(&this, &control, folder.join("control.log")).variables(&keys);
        let mut stage = Self {
            random: fastrand::Rng::with_seed(seed),
            simulator,
            _clouds: clouds,
            address,
            journals,
            server,
            worker,
            control,
        };
        stage.server.start()?;
        stage.wait_for_server().await?;
        stage.worker.start()?;
        stage.control.start()?;
        Ok(stage)
    }

    /// Reboots all machines, kills in the middle, and waits for the end of all workflows.
    pub(crate) async fn round(&mut self, number: u32) -> anyhow::Result<Round> {
        let client = self.wait_for_server().await?;
        let before = self.reboots();
        let fenced = self.machines("baidu", false);
        let mut workflows = Vec::new();
        for (part, machines) in fenced.chunks(2).enumerate() {
            let input = PowerInput {
                action: Power::Reboot,
                targets: machines.to_vec(),
                waves: None,
                wait_seconds: WAIT_SECONDS,
            };
            let id = format!("reboot-{number}-{part}");
            let options = WorkflowStartOptions::new(QUEUE, id).build();
            let handle = client
                .start_workflow(PowerWorkflow::run, input, options)
                .await?;
            workflows.push((machines.to_vec(), handle));
        }
        let mut usual = Vec::new();
        for machine in self.machines("baidu", true) {
            let id = format!("usual-{number}-{machine}");
            let options = WorkflowStartOptions::new(control::QUEUE, id).build();
            let handle = client.start_workflow(UsualWorkflow::run, machine, options);
            usual.push(handle.await?);
        }
        let kill = self.kill(&before).await?;
        let mut machines = Vec::new();
        for (names, handle) in workflows {
            let report = self.result(&handle).await?;
            for name in names {
                machines.push(Machine::fenced(name, report.as_ref()));
            }
        }
        for handle in usual {
            // The reports of the control group are not judged.
            let _ = self.result(&handle).await?;
        }
        machines.extend(
            self.machines("baidu", true)
                .into_iter()
                .map(Machine::control),
        );
        let after = self.reboots();
        for machine in &mut machines {
            machine.executed = after[&machine.name] - before[&machine.name];
        }
        Ok(Round {
            number,
            kill,
            machines,
        })
    }

    /// Kills at a drawn moment, and starts again after a drawn pause. Returns what was done in words.
    async fn kill(&mut self, before: &BTreeMap<String, u32>) -> anyhow::Result<String> {
        let moment = match self.random.u8(..4) {
            0 => "any moment",
            1 => {
                let journals = files(&self.journals);
                self.wait_until(|stage| files(&stage.journals) > journals)
                    .await;
                "after the intent"
            }
            _ => {
                let total: u32 = before.values().sum();
                self.wait_until(|stage| stage.reboots().values().sum::<u32>() > total)
                    .await;
                "after the call"
            }
        };
        let delay = match moment {
            "any moment" => self.random.u64(..4000),
            "after the intent" => self.random.u64(..60),
            _ => self.random.u64(..1200),
        };
        sleep(Duration::from_millis(delay)).await;
        let (server, workers) = match self.random.u8(..4) {
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        if workers {
            self.worker.kill();
            self.control.kill();
        }
        if server {
            self.server.kill();
        }
        let pause = self.random.u64(..4000);
        sleep(Duration::from_millis(pause)).await;
        if server {
            self.server.start()?;
        }
        self.wait_for_server().await?;
        if workers {
            self.worker.start()?;
            self.control.start()?;
        }
        let killed = match (server, workers) {
            (true, true) => "server, worker",
            (true, false) => "server",
            _ => "worker",
        };
        Ok(format!("{killed}: {moment} + {delay} ms, away {pause} ms"))
    }

    /// Waits for a condition, for at most ten seconds.
    async fn wait_until(&self, condition: impl Fn(&Self) -> bool) {
        for _ in 0..2000 {
            if condition(self) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the end of a workflow; `None` for a failed workflow.
    async fn result<W>(
        &mut self,
        handle: &WorkflowHandle<Client, W>,
    ) -> anyhow::Result<Option<W::Output>>
    where
        W: temporalio_common::HasWorkflowDefinition + 'static,
    {
        loop {
            let limit = Duration::from_secs(5);
            let result = handle.get_result(WorkflowGetResultOptions::default());
            match timeout(limit, result).await {
                Ok(Ok(output)) => return Ok(Some(output)),
                Ok(Err(error)) if error.is_workflow_outcome() => {
                    let WorkflowGetResultError::Failed(_) = &error else {
                        return Err(error.into());
                    };
                    return Ok(None);
                }
                // The server is not back yet, or the workflow has not ended.
                Ok(Err(_)) => sleep(Duration::from_millis(300)).await,
                Err(_) => {}
            }
            self.worker.keep_alive()?;
            self.control.keep_alive()?;
        }
    }

    /// Returns a client as soon as the server answers.
    async fn wait_for_server(&mut self) -> anyhow::Result<Client> {
        let mut last = None;
        for _ in 0..120 {
            match timeout(
                Duration::from_secs(5),
                client(&format!("http://{}", self.address)),
            )
            .await
            {
                Ok(Ok(client)) => return Ok(client),
                Ok(Err(error)) => last = Some(error),
                Err(_) => {}
            }
            self.server.keep_alive()?;
            sleep(Duration::from_millis(250)).await;
        }
        let error = last.map_or_else(|| "no answer".to_owned(), |error| format!("{error:#}"));
        anyhow::bail!("the server does not answer: {error}\n{}", self.logs())
    }

    fn machines(&self, cloud: &str, is_of_cloud: bool) -> Vec<String> {
        let machines = self.simulator.instances().into_iter();
        machines
            .filter(|name| name.starts_with(cloud) == is_of_cloud)
            .collect()
    }

    /// Returns the number of executed reboots of each machine.
    fn reboots(&self) -> BTreeMap<String, u32> {
        let ledger = self.simulator.ledger();
        let machines = self.simulator.instances().into_iter();
        let count = |name: String| Some((name.clone(), ledger.executed(&name)?.reboots));
        machines.filter_map(count).collect()
    }

    pub(crate) fn logs(&self) -> String {
        let programs = [&self.server, &self.worker, &self.control];
        programs.map(Program::last_lines).concat()
    }
}

/// Connects to a server.
pub(crate) async fn client(url: &str) -> anyhow::Result<Client> {
    let options = ConnectionOptions::new(url.parse::<temporalio_client::Url>()?).build();
    let connection = Connection::connect(options).await?;
    Ok(Client::new(
        connection,
        ClientOptions::new("default").build(),
    )?)
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn keys(project: &str) -> Vec<(&'static str, String)> {
    let mut variables = vec![("HW_PROJECT_ID", project.to_owned())];
    for (id, secret) in [
        ("BCE_ACCESS_KEY_ID", "BCE_SECRET_ACCESS_KEY"),
        (
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ),
        ("HW_ACCESS_KEY", "HW_SECRET_KEY"),
    ] {
        variables.push((id, "id".to_owned()));
        variables.push((secret, "secret".to_owned()));
    }
    variables
}
