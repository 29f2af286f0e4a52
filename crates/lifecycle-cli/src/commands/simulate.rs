//! `lifecycle simulate`.

use lifecycle_facade::Cloud;
use lifecycle_sim::{BadFleet, Simulator};
use serde::Serialize;

use crate::{
    args::SimulateArgs,
    console::eprint_line,
    exit::{CommandError, Exit},
    interrupt::Interrupt,
    output,
    simulated::{self, ACCESS_KEY, SECRET_KEY},
};

/// Serves four simulated clouds until it is asked to end.
pub(crate) async fn run(args: &SimulateArgs) -> Result<Exit, CommandError> {
    let simulator = simulator(args).map_err(|bad| CommandError::nothing_done(bad.to_string()))?;
    // Before anybody can know of the server, and so ask it to end.
    let mut interrupt = Interrupt::listen().map_err(|error| {
        CommandError::nothing_done(format!("signals cannot be listened to: {error}"))
    })?;
    let server = simulator.serve(args.listen).await.map_err(|error| {
        CommandError::nothing_done(format!(
            "{} cannot be listened at: {error}; choose another address with --listen, or port 0 for any free port",
            args.listen
        ))
    })?;
    let url = server.url();
    output::print(&introduction(&simulator, &url)?)?;
    eprint_line(format_args!(
        "four simulated clouds at {url}; Ctrl-C ends them\n\
         try: lifecycle list baidu/bj --endpoint {url}\n\
         with BCE_ACCESS_KEY_ID={ACCESS_KEY} BCE_SECRET_ACCESS_KEY={SECRET_KEY}"
    ));
    interrupt.received().await;
    interrupt.end_at_next();
    server.shutdown().await;
    Ok(Exit::Complete)
}

fn simulator(args: &SimulateArgs) -> Result<Simulator, BadFleet> {
    let fleet = match &args.fleet {
        Some(fleet) => fleet.clone(),
        None => simulated::small_fleet()?,
    };
    Ok(simulated::with_our_key(fleet).speed(args.speed).build())
}

/// The first line on standard output: all that a client needs to know.
#[derive(Debug, Serialize)]
struct Introduction<'s> {
    url: &'s str,
    access_key: &'static str,
    secret_key: &'static str,
    project_id: String,
    instances: Vec<String>,
}

fn introduction(simulator: &Simulator, url: &str) -> Result<String, CommandError> {
    let introduction = Introduction {
        url,
        access_key: ACCESS_KEY,
        secret_key: SECRET_KEY,
        project_id: simulator.project_id(),
        instances: references(simulator),
    };
    let line = serde_json::to_string(&introduction)
        .map_err(|error| CommandError::nothing_done(format!("no JSON: {error}")))?;
    Ok(line + "\n")
}

/// Returns all instances as references. A cloud with one endpoint has one region in references.
fn references(simulator: &Simulator) -> Vec<String> {
    let reference = |simulated: &str| {
        let (cloud, rest) = simulated.split_once('/')?;
        let region = cloud.parse::<Cloud>().ok()?.only_region()?;
        let (_, instance) = rest.split_once('/')?;
        Some(format!("{cloud}/{region}/{instance}"))
    };
    let instances = simulator.instances().into_iter();
    instances
        .map(|simulated| reference(&simulated).unwrap_or(simulated))
        .collect()
}
