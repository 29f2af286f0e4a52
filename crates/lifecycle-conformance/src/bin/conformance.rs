//! Runs the conformance suite and prints its matrix.
//!
//! - `conformance [CLOUD…] [--json]` on the simulated clouds,
//! - `conformance --live --instance REF… [--allow-power] [--endpoint URL] [--json]` on a real account.

use std::{env, process::ExitCode};

use lifecycle_conformance::suite::{
    Column, LiveAccount, Matrix, Permission, run_sequentially, run_simulated,
};
use lifecycle_facade::{Endpoint, Fleet, InstanceReference};
use lifecycle_sim::Cloud;

fn main() -> ExitCode {
    let parsed = Arguments::read(env::args().skip(1));
    match parsed.and_then(|arguments| Ok((arguments.run()?, arguments.json))) {
        Ok((matrix, json)) => {
            if json {
                println!("{:#}", matrix.json());
            } else {
                print!("{matrix}");
            }
            if matrix.is_green() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// The parsed command line.
struct Arguments {
    clouds: Vec<Cloud>,
    json: bool,
    live: bool,
    instances: Vec<InstanceReference>,
    permission: Permission,
    endpoint: Option<Endpoint>,
}

impl Arguments {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            clouds: Vec::new(),
            json: false,
            live: false,
            instances: Vec::new(),
            permission: Permission::Read,
            endpoint: None,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("{argument} needs a value"))
            };
            match argument.as_str() {
                "--json" => parsed.json = true,
                "--live" => parsed.live = true,
                "--allow-power" => parsed.permission = Permission::Power,
                "--instance" => parsed.instances.push(value()?.parse().map_err(text)?),
                "--endpoint" => parsed.endpoint = Some(value()?.parse().map_err(text)?),
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {option}"));
                }
                cloud => parsed.clouds.push(cloud.parse().map_err(text)?),
            }
        }
        parsed.checked()
    }

    /// Refuses a mixture of options for simulated clouds and options for a live run.
    fn checked(self) -> Result<Self, String> {
        let of_live = !self.instances.is_empty()
            || self.permission == Permission::Power
            || self.endpoint.is_some();
        if of_live && !self.live {
            return Err("--instance, --allow-power and --endpoint need --live".to_owned());
        }
        if self.live && !self.clouds.is_empty() {
            return Err(
                "do not name a cloud with --live: a live run uses the clouds of --instance"
                    .to_owned(),
            );
        }
        Ok(self)
    }

    fn run(&self) -> Result<Matrix, String> {
        if self.live {
            return self.run_live();
        }
        let clouds = if self.clouds.is_empty() {
            &Cloud::ALL[..]
        } else {
            &self.clouds
        };
        Ok(Matrix::new(
            clouds.iter().copied().map(run_simulated).collect(),
        ))
    }

    fn run_live(&self) -> Result<Matrix, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(text)?;
        runtime.block_on(async {
            // All arguments are checked before the first call.
            let accounts = LiveAccount::new(&self.fleet()?, &self.instances, self.permission).await;
            let mut columns: Vec<Column> = Vec::new();
            for account in accounts.map_err(text)? {
                columns.push(self.column(account).await);
            }
            Ok(Matrix::new(columns))
        })
    }

    async fn column(&self, account: LiveAccount) -> Column {
        let name = account.location().to_string();
        run_sequentially(name, async || {
            let renewed = match self.fleet() {
                Ok(fleet) => account.renewed(&fleet).await.ok(),
                Err(_) => None,
            };
            renewed.unwrap_or_else(|| account.clone())
        })
        .await
    }

    /// Creates a fleet with keys from the variables of the vendors' tools.
    fn fleet(&self) -> Result<Fleet, String> {
        let fleet = match &self.endpoint {
            Some(endpoint) => Fleet::builder().endpoint(endpoint.clone()),
            None => Fleet::builder(),
        };
        fleet.build().map_err(text)
    }
}

fn text(problem: impl std::fmt::Display) -> String {
    problem.to_string()
}
