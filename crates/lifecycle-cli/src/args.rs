//! The command line: what can be written, and how it is read.

use std::{
    collections::HashSet,
    io::{self, Read},
    net::SocketAddr,
    num::NonZeroUsize,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum};
use lifecycle_facade::{
    Endpoint, Fleet, InstanceReference, LocalDisk, Location, ParseReferenceError, PowerState,
    StopBilling, StopMode, Waves,
    config::{time_limit, waves},
};
use lifecycle_sim::{BadFleet, Builder, Simulator};

use crate::{
    console::Console,
    exit::{self, CommandError},
    keys,
    setup::Setup,
    somewhere::{Somewhere, everywhere},
};

/// Start, stop, reboot, watch and list virtual machines on four clouds.
#[derive(Debug, Parser)]
#[command(
    name = "lifecycle",
    version,
    max_term_width = 80,
    after_help = exit::HELP,
    after_long_help = format!("{}\n\n{}", keys::help(), exit::HELP),
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) console: Console,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Boot stopped instances
    #[command(after_help = exit::HELP)]
    Start(StartArgs),
    /// Shut running instances down
    #[command(after_help = exit::HELP)]
    Stop(StopArgs),
    /// Shut running instances down and boot them again, each at most once
    #[command(after_help = exit::HELP)]
    Reboot(RebootArgs),
    /// Show the states of instances
    #[command(after_help = exit::HELP)]
    Status(StatusArgs),
    /// Wait until instances are in a state, without changing anything
    #[command(after_help = exit::HELP)]
    Wait(WaitArgs),
    /// List all instances of a region
    #[command(after_help = exit::HELP)]
    List(ListArgs),
    /// Show which keys would be used, where they come from and when they end; no secrets
    #[command(after_help = exit::HELP)]
    Credentials(LocationsArgs),
    /// Check configuration, clock, DNS, TLS, credentials and permission with harmless calls
    #[command(after_help = exit::HELP)]
    Doctor(LocationsArgs),
    /// Watch 60 simulated machines in four clouds come up: no key, no network
    ///
    /// The clouds are simulated within this process and their time runs fast. Everything else is
    /// what talks to the real ones: requests, signatures, polling and their pace.
    #[command(after_help = exit::HELP)]
    Demo,
    /// Serve four simulated clouds over HTTP until it is interrupted
    ///
    /// The first line on standard output is one JSON object: url, access_key, secret_key,
    /// project_id (of Huawei), and instances as references.
    #[command(after_help = exit::HELP)]
    Simulate(Box<SimulateArgs>),
}

impl Command {
    /// It knows no cloud but a simulator in this process.
    pub(crate) fn is_simulated(&self) -> bool {
        match self {
            Self::Start(args) => args.request.connection.sim,
            Self::Stop(args) => args.request.connection.sim,
            Self::Reboot(args) => args.request.connection.sim,
            Self::Status(args) => args.connection.sim,
            Self::Wait(args) => args.connection.sim,
            Self::List(args) => args.connection.sim,
            Self::Credentials(args) | Self::Doctor(args) => args.connection.sim,
            Self::Demo => true,
            Self::Simulate(_) => false,
        }
    }
}

/// What `start` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) strictness: Strictness,

    /// Restore broken local disks (Alibaba only): ALL DATA ON THEM IS LOST
    #[arg(long)]
    init_local_disk: bool,

    #[command(flatten)]
    pub(crate) request: Request,
}

impl StartArgs {
    pub(crate) fn local_disk(&self) -> LocalDisk {
        if self.init_local_disk {
            LocalDisk::Initialize
        } else {
            LocalDisk::Keep
        }
    }
}

/// What `stop` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    pub(crate) force: Force,

    /// Stop gracefully, and cut the power of what is not down after this time, such as 90s
    #[arg(long, value_name = "TIME", value_parser = time_limit, conflicts_with_all = ["force", "no_wait"])]
    pub(crate) force_after: Option<Duration>,

    #[command(flatten)]
    pub(crate) strictness: Strictness,

    /// Keep the machine's place, or release it and pay less (Alibaba and Baidu)
    #[arg(long, value_enum, value_name = "HOW", default_value_t = BillingArg::Keep)]
    billing: BillingArg,

    #[command(flatten)]
    pub(crate) request: Request,
}

impl StopArgs {
    pub(crate) fn billing(&self) -> StopBilling {
        match self.billing {
            BillingArg::Keep => StopBilling::Keep,
            BillingArg::Release => StopBilling::Release,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BillingArg {
    /// Billed as before
    Keep,
    /// Compute is not billed; a later start can fail for lack of stock, and a public address may
    /// change
    Release,
}

/// What `reboot` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct RebootArgs {
    #[command(flatten)]
    pub(crate) force: Force,
    #[command(flatten)]
    pub(crate) request: Request,
}

/// What happens to what is so already.
#[derive(Debug, clap::Args)]
pub(crate) struct Strictness {
    /// Look first, and refuse what is so already instead of calling it unchanged
    #[arg(long)]
    pub(crate) strict: bool,
}

/// How a running system is brought down.
#[derive(Debug, clap::Args)]
pub(crate) struct Force {
    /// Cut the power. Data that was not written to disk is lost
    #[arg(long)]
    force: bool,
}

impl Force {
    pub(crate) fn mode(&self) -> StopMode {
        if self.force {
            StopMode::Forced
        } else {
            StopMode::Graceful
        }
    }
}

/// What all power commands take.
#[derive(Debug, clap::Args)]
pub(crate) struct Request {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// End when the clouds have taken the action on, not when it is done
    #[arg(long)]
    no_wait: bool,

    #[command(flatten)]
    pub(crate) rolling: Rolling,

    /// Refuse to do anything when there are more instances than this
    #[arg(long, value_name = "COUNT")]
    pub(crate) max: Option<usize>,

    /// Print the calls that would be made, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// Some instances at a time.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Rolling {
    /// Take so many instances at a time, such as 5 or 10%, and the next ones when these are back;
    /// --timeout is for each wave then
    #[arg(long, value_name = "COUNT", value_parser = waves, conflicts_with = "no_wait")]
    pub(crate) waves: Option<Waves>,

    /// Begin no further wave once so many instances have not gone as asked [default: 1]
    #[arg(long, value_name = "FAILURES")]
    pub(crate) stop_after: Option<NonZeroUsize>,
}

impl Request {
    /// How long to wait for the goal; `None` for not at all.
    pub(crate) fn patience(&self, setup: &Setup) -> Option<Duration> {
        (!self.no_wait).then(|| setup.timeout())
    }

    /// The waves that were asked for here, else those of the configuration file. Waves are waited
    /// for, so there are none where nobody waits.
    ///
    /// # Errors
    /// When it is said after how many failures waves end, and there are none.
    pub(crate) fn waves(&self, setup: &Setup) -> Result<Option<Waves>, CommandError> {
        let Rolling { waves, stop_after } = self.rolling;
        let usual = || setup.waves().filter(|_| !self.no_wait);
        let Some(waves) = waves.or_else(usual) else {
            return match stop_after {
                Some(_) => Err(CommandError::wrong_usage(
                    "--stop-after ends waves, and there are none: write --waves too",
                )),
                None => Ok(None),
            };
        };
        Ok(Some(match stop_after.or(setup.stop_after()) {
            Some(failures) => waves.stop_after(failures.get()),
            None => waves,
        }))
    }
}

/// What `status` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// What `wait` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// The state to wait for
    #[arg(long = "for", value_enum, value_name = "STATE", default_value_t = Goal::Running)]
    goal: Goal,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl WaitArgs {
    pub(crate) fn goal(&self) -> PowerState {
        match self.goal {
            Goal::Running => PowerState::Running,
            Goal::Stopped => PowerState::Stopped,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Goal {
    Running,
    Stopped,
}

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Regions, such as baidu/bj, aliyun/cn-hangzhou, huawei/cn-north-4 or zenlayer/global, or
    /// accounts of the configuration file
    #[arg(value_name = "CLOUD/REGION", required = true)]
    somewhere: Vec<Somewhere>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl ListArgs {
    /// The places that are meant.
    ///
    /// # Errors
    /// When one of them cannot be.
    pub(crate) fn places(&self, fleet: &Fleet) -> Result<Vec<Location>, CommandError> {
        let places = self.somewhere.iter();
        places.map(|somewhere| somewhere.place(fleet)).collect()
    }
}

/// What `credentials` and `doctor` take.
#[derive(Debug, clap::Args)]
pub(crate) struct LocationsArgs {
    /// Regions, such as baidu/bj or prod@aliyun/cn-hangzhou, or accounts of the configuration file;
    /// all accounts and all clouds where none is named
    #[arg(value_name = "CLOUD/REGION")]
    pub(crate) somewhere: Vec<Somewhere>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl LocationsArgs {
    /// The places that are meant.
    ///
    /// # Errors
    /// When one of them cannot be.
    pub(crate) fn places(&self, fleet: &Fleet) -> Result<Vec<Location>, CommandError> {
        if self.somewhere.is_empty() {
            return Ok(everywhere(fleet));
        }
        let places = self.somewhere.iter();
        places.map(|somewhere| somewhere.place(fleet)).collect()
    }
}

/// What `simulate` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    /// Where to listen; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070", value_parser = address)]
    pub(crate) listen: SocketAddr,

    /// Instances to make: a comma list of cloud/region=COUNT, with a state where they are not
    /// stopped, such as baidu/bj=3,huawei/cn-north-4=2:running
    #[arg(long, value_name = "SPEC", value_parser = fleet)]
    pub(crate) fleet: Option<Builder>,

    /// How many times as fast as real machines the simulated ones boot and stop
    #[arg(long, value_name = "SPEED", default_value = "1", value_parser = speed)]
    pub(crate) speed: f64,
}

/// The instances that a command is about.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// Instances, written cloud/region/instance-id, such as baidu/bj/i-a1b2c3d4 or
    /// zenlayer/global/1234567890; account@cloud/region/instance-id for another account; the name
    /// of a group in the configuration file; several clouds may be mixed, and - reads further ones
    /// from standard input
    #[arg(value_name = "REF", required = true)]
    named: Vec<Named>,
}

impl TargetArgs {
    /// All references, those of groups and from standard input included, each once.
    ///
    /// # Errors
    /// When standard input cannot be read, holds something else, there is no such group, or no
    /// instance at all.
    pub(crate) fn read(&self, setup: &Setup) -> Result<Vec<InstanceReference>, CommandError> {
        let mut references = Vec::new();
        for named in &self.named {
            match named {
                Named::Instance(reference) => references.push(reference.clone()),
                Named::Group(name) => references.extend(setup.group(name)?),
                Named::StandardInput => references.extend(from_standard_input(setup)?),
            }
        }
        let mut known = HashSet::new();
        references.retain(|reference| known.insert(reference.clone()));
        if references.is_empty() {
            return Err(CommandError::wrong_usage(
                "standard input names no instance: write cloud/region/instance-id, one or more on a line",
            ));
        }
        Ok(references)
    }
}

/// One word where a reference belongs.
#[derive(Clone, Debug)]
enum Named {
    Instance(InstanceReference),
    Group(String),
    StandardInput,
}

impl FromStr for Named {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        match text {
            "-" => Ok(Self::StandardInput),
            text if is_name(text) => Ok(Self::Group(text.to_owned())),
            text => text.parse().map(Self::Instance),
        }
    }
}

/// Can this be the name of a group?
fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.bytes().all(fits)
}

fn from_standard_input(setup: &Setup) -> Result<Vec<InstanceReference>, CommandError> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| {
        CommandError::wrong_usage(format!("standard input cannot be read: {error}"))
    })?;
    read_references(&text, |group| setup.group(group).map_err(|bad| bad.message))
        .map_err(CommandError::wrong_usage)
}

/// One or more references, or names of groups, on a line; what follows a `#` is a comment.
fn read_references(
    text: &str,
    group: impl Fn(&str) -> Result<Vec<InstanceReference>, String>,
) -> Result<Vec<InstanceReference>, String> {
    let mut references = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let bad = |bad: String| format!("line {number} of standard input: {bad}");
        let line = line.split('#').next().unwrap_or_default();
        for word in line.split_whitespace() {
            if is_name(word) {
                references.extend(group(word).map_err(bad)?);
            } else {
                let reference = word.parse::<InstanceReference>();
                references.push(reference.map_err(|error| bad(error.to_string()))?);
            }
        }
    }
    Ok(references)
}

/// How the clouds are reached.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ConnectionArgs {
    /// Give up after this time, such as 90s, 10m or 1h30m [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(crate) timeout: Option<Duration>,

    /// Call every cloud at this address instead of its own
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint: Option<Endpoint>,

    /// Read accounts, groups and defaults from this file [default: lifecycle/lifecycle.toml in the
    /// user's configuration folder, where there is one] [env: LIFECYCLE_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Trust the certificate authorities in this PEM file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_certificates: Vec<PathBuf>,

    /// Give up a connection that does not come about in this time [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(crate) connect_timeout: Option<Duration>,

    /// Send over plain HTTP where an address says http://, even to other machines: everybody on the
    /// way can read the answers and repeat the requests
    #[arg(long)]
    pub(crate) plain_http: bool,

    /// Use a simulator within this process: a small fleet, new and the same at every run, in fast
    /// motion. See it with: lifecycle list baidu/bj --sim
    #[arg(long, conflicts_with = "endpoint")]
    pub(crate) sim: bool,
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    Endpoint::parse(text).map_err(|bad| format!("{bad}: write a URL such as https://example.com"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address: write address:port, such as 127.0.0.1:7070 or [::1]:0")
    })
}

fn fleet(text: &str) -> Result<Builder, BadFleet> {
    Simulator::builder().fleet(text)
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err(format!(
            "{text:?} is no speed: write a number above 0, such as 10 or 0.5"
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn standard_input_holds_references_and_comments() {
        let text =
            "# machines\nbaidu/bj/i-1  zenlayer/global/2 # both\n\n  \nhuawei/cn-north-4/c\n";
        let no_group = |name: &str| Err(format!("there is no group {name}"));
        let read: Vec<String> = read_references(text, no_group)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            read,
            ["baidu/bj/i-1", "zenlayer/global/2", "huawei/cn-north-4/c"]
        );
        let problem = read_references("baidu/bj/i-1\nfoo", no_group).unwrap_err();
        assert_eq!(problem, "line 2 of standard input: there is no group foo");
        let problem = read_references("baidu/bj", no_group).unwrap_err();
        assert!(
            problem.starts_with("line 1 of standard input: \"baidu/bj\" is no reference"),
            "{problem}"
        );
        let two = |_: &str| Ok(vec!["baidu/bj/i-1".parse().unwrap()]);
        assert_eq!(read_references("web # group", two).unwrap().len(), 1);
    }

    #[test]
    fn endpoints_are_urls() {
        for text in [
            "https://example.com",
            "example.com",
            "http://localhost:1",
            "http://127.0.0.1:7070",
            "http://[::1]:7070",
            "http://[::1]",
        ] {
            assert!(endpoint(text).is_ok(), "{text}");
        }
        for (text, expected) in [("https://a/b", "has a path"), ("", "write a URL")] {
            let problem = endpoint(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    #[test]
    fn speeds_are_above_nothing() {
        assert_eq!(speed("0.5"), Ok(0.5));
        for text in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
    }
}
