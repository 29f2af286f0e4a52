//! `lifecycle simulate`: serves simulated clouds over HTTP.

use lifecycle_sim::{Cloud, Identity, Metadata, ParseFleetError, Simulator};
use serde::Serialize;

use crate::{
    args::SimulateArgs,
    console::Console,
    exit::{CommandError, Exit},
    interrupt::SignalListener,
    output,
    simulated::{self, ACCESS_KEY, SECRET_KEY},
};

/// Serves four simulated clouds until Ctrl-C or SIGTERM.
pub(crate) async fn run(args: &SimulateArgs, console: Console) -> Result<Exit, CommandError> {
    let simulator =
        simulator(args).map_err(|error| CommandError::nothing_done(error.to_string()))?;
    // Signal handlers come first: another process can send a signal as soon as the server listens.
    let mut signals = SignalListener::listen()
        .map_err(|error| CommandError::nothing_done(format!("cannot handle signals: {error}")))?;
    let server = simulator.serve(args.listen).await.map_err(|error| {
        CommandError::nothing_done(format!(
            "cannot listen on {}: {error}; write another address with --listen, or port 0 for a free port",
            args.listen
        ))
    })?;
    let url = server.url();
    output::print(&server_info(&simulator, &url)?)?;
    console.notice(format_args!(
        "four simulated clouds at {url}; press Ctrl-C to stop"
    ));
    console.notice(format_args!(
        "try: BCE_ACCESS_KEY_ID={ACCESS_KEY} BCE_SECRET_ACCESS_KEY={SECRET_KEY} \\"
    ));
    console.notice(format_args!("  lifecycle list baidu/bj --endpoint {url}"));
    signals.received().await;
    signals.exit_at_next_signal();
    server.shutdown().await;
    Ok(Exit::Complete)
}

fn simulator(args: &SimulateArgs) -> Result<Simulator, ParseFleetError> {
    let fleet = match &args.fleet {
        Some(fleet) => fleet.clone(),
        None => simulated::small_fleet()?,
    };
    // The clouds with a metadata service.
    let fleet = [Cloud::Aliyun, Cloud::Huawei]
        .into_iter()
        .fold(fleet, |fleet, cloud| {
            let metadata = Metadata::Role(ROLE.to_owned());
            fleet.identity(cloud, Identity::new().metadata(metadata))
        });
    Ok(simulated::with_key(fleet).speed(args.speed).build())
}

/// The name of the instance's role in the metadata services.
const ROLE: &str = "simulated-role";

/// The first line on standard output: all settings that a client needs.
#[derive(Debug, Serialize)]
struct ServerInfo<'s> {
    url: &'s str,
    access_key: &'static str,
    secret_key: &'static str,
    project_id: String,
    /// The URL of the metadata services of Alibaba and Huawei.
    metadata_url: &'s str,
    /// A value for `ALIBABA_CLOUD_CREDENTIALS_URI`.
    credentials_uri: String,
    instances: Vec<String>,
}

fn server_info(simulator: &Simulator, url: &str) -> Result<String, CommandError> {
    let info = ServerInfo {
        url,
        access_key: ACCESS_KEY,
        secret_key: SECRET_KEY,
        project_id: simulator.project_id(),
        metadata_url: url,
        credentials_uri: format!("{url}/aliyun/credentials-uri"),
        instances: simulator.instances(),
    };
    let line = serde_json::to_string(&info)
        .map_err(|error| CommandError::nothing_done(format!("cannot write JSON: {error}")))?;
    Ok(line + "\n")
}
