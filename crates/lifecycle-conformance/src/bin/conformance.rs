//! Runs the conformance suite and prints its matrix.
//!
//! - `conformance [CLOUD…] [--json]` on the simulated clouds,
//! - `conformance --live --instance REF… [--allow-power] [--endpoint URL] [--json]` on a real account.

use std::{env, process::ExitCode};

use lifecycle_conformance::suite::{Column, Live, Matrix, Permission, run_in_turn, simulated};
use lifecycle_facade::{Endpoint, Fleet, InstanceReference};
use lifecycle_sim::Cloud;

fn main() -> ExitCode {
    let asked = Asked::read(env::args().skip(1));
    match asked.and_then(|asked| Ok((asked.run()?, asked.json))) {
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

/// What the command line asks for.
struct Asked {
    clouds: Vec<Cloud>,
    json: bool,
    live: bool,
    instances: Vec<InstanceReference>,
    permission: Permission,
    endpoint: Option<Endpoint>,
}

impl Asked {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self {
            clouds: Vec::new(),
            json: false,
            live: false,
            instances: Vec::new(),
            permission: Permission::Look,
            endpoint: None,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("{argument} takes a value"))
            };
            match argument.as_str() {
                "--json" => asked.json = true,
                "--live" => asked.live = true,
                "--allow-power" => asked.permission = Permission::Power,
                "--instance" => asked.instances.push(value()?.parse().map_err(text)?),
                "--endpoint" => asked.endpoint = Some(value()?.parse().map_err(text)?),
                option if option.starts_with('-') => {
                    return Err(format!("{option} is not known here"));
                }
                cloud => asked.clouds.push(cloud.parse().map_err(text)?),
            }
        }
        asked.checked()
    }

    /// Nobody means the simulator and names real instances, or the other way round.
    fn checked(self) -> Result<Self, String> {
        let of_live = !self.instances.is_empty()
            || self.permission == Permission::Power
            || self.endpoint.is_some();
        if of_live && !self.live {
            return Err("--instance, --allow-power and --endpoint go with --live".to_owned());
        }
        if self.live && !self.clouds.is_empty() {
            return Err("a live run takes its clouds from --instance".to_owned());
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
        Ok(Matrix::new(clouds.iter().copied().map(simulated).collect()))
    }

    fn run_live(&self) -> Result<Matrix, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(text)?;
        runtime.block_on(async {
            // Refusals come before anything is set up.
            let subjects = Live::new(&self.fleet()?, &self.instances, self.permission).await;
            let mut columns: Vec<Column> = Vec::new();
            for subject in subjects.map_err(text)? {
                columns.push(self.column(subject).await);
            }
            Ok(Matrix::new(columns))
        })
    }

    async fn column(&self, subject: Live) -> Column {
        let name = subject.place().to_string();
        run_in_turn(name, async || {
            let afresh = match self.fleet() {
                Ok(fleet) => subject.afresh(&fleet).await.ok(),
                Err(_) => None,
            };
            afresh.unwrap_or_else(|| subject.clone())
        })
        .await
    }

    /// Keys come from the variables that the clouds' own tools use.
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
