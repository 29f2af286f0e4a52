//! `Network`: namespaces for controllers, and a router namespace between the controllers and this machine.
//!
//! ```text
//! this machine ── router ── controller 0
//!   .1 database      └───── controller 1
//!   .2 clouds
//! ```
//!
//! All addresses are in 198.18.0.0/15, the range for tests of networks. A cut is a blackhole rule of the router, so a
//! cut needs no firewall, and no interface of a controller changes its state.

use std::{
    fs,
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU8, Ordering},
    },
};

/// The direction of a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// No packet arrives.
    BothWays,
    /// The packets of the controller arrive, and the answers are dropped.
    Answers,
}

/// The third part of the addresses of the next network.
static NEXT_BLOCK: LazyLock<AtomicU8> = LazyLock::new(|| AtomicU8::new(fastrand::u8(..)));

/// The namespaces. Removed when dropped.
pub(super) struct Network {
    name: String,
    /// The third part of all addresses.
    block: u8,
    controllers: u8,
}

impl Network {
    /// Creates the router and its link to this machine.
    ///
    /// # Errors
    /// The reason in one line: not root, no program `ip`, or a kernel that does not allow it.
    pub(super) fn new() -> Result<Self, String> {
        // Tests run at the same time.
        let block = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed);
        let network = Self {
            name: format!("lc{:x}", fastrand::u32(..0x1_000_000)),
            block,
            controllers: 0,
        };
        let Self { name, .. } = &network;
        let (router, uplink) = (network.router(), format!("{name}u"));
        ip(&format!("netns add {router}"))?;
        ip(&format!(
            "link add {uplink} type veth peer name eth0 netns {router}"
        ))?;
        for address in [network.database(), network.clouds()] {
            ip(&format!("addr add {address}/29 dev {uplink}"))?;
        }
        ip(&format!("link set {uplink} up"))?;
        ip(&format!(
            "-n {router} addr add 198.18.{block}.3/29 dev eth0"
        ))?;
        ip(&format!("-n {router} link set eth0 up"))?;
        ip(&format!(
            "route add 198.18.{block}.128/25 via 198.18.{block}.3"
        ))?;
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        run(Command::new("ip").args(["netns", "exec", &router, "sh", "-c", forward]))?;
        Ok(network)
    }

    /// The address of the database.
    pub(super) fn database(&self) -> String {
        format!("198.18.{}.1", self.block)
    }

    /// The address of the clouds.
    pub(super) fn clouds(&self) -> String {
        format!("198.18.{}.2", self.block)
    }

    /// Creates the namespace of the next controller, and returns its number.
    pub(super) fn add(&mut self) -> Result<u8, String> {
        let number = self.controllers;
        self.controllers += 1;
        let (name, router) = (self.namespace(number), self.router());
        let gateway = format!("198.18.{}.{}", self.block, 129 + 4 * number);
        ip(&format!("netns add {name}"))?;
        ip(&format!(
            "link add c{number} netns {router} type veth peer name eth0 netns {name}"
        ))?;
        ip(&format!("-n {router} addr add {gateway}/30 dev c{number}"))?;
        ip(&format!("-n {router} link set c{number} up"))?;
        ip(&format!(
            "-n {name} addr add {}/30 dev eth0",
            self.address(number)
        ))?;
        ip(&format!("-n {name} link set lo up"))?;
        ip(&format!("-n {name} link set eth0 up"))?;
        ip(&format!("-n {name} route add default via {gateway}"))?;
        Ok(number)
    }

    /// Returns a command that runs a program in the namespace of a controller.
    pub(super) fn command(&self, number: u8, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace(number)])
            .arg(program);
        command
    }

    /// Drops the packets between a controller and a service of this machine.
    pub(super) fn cut(&self, number: u8, service: &str, cut: Cut) {
        self.change("add", number, service, cut);
    }

    pub(super) fn restore(&self, number: u8, service: &str, cut: Cut) {
        self.change("del", number, service, cut);
    }

    fn change(&self, verb: &str, number: u8, service: &str, cut: Cut) {
        let (router, controller) = (self.router(), self.address(number));
        let answers = (service, controller.as_str());
        let requests = (controller.as_str(), service);
        let ways = match cut {
            Cut::BothWays => vec![answers, requests],
            Cut::Answers => vec![answers],
        };
        for (from, to) in ways {
            ip(&format!(
                "-n {router} rule {verb} blackhole from {from} to {to}"
            ))
            .unwrap();
        }
    }

    /// The address of a controller.
    pub(super) fn address(&self, number: u8) -> String {
        format!("198.18.{}.{}", self.block, 130 + 4 * number)
    }

    fn router(&self) -> String {
        format!("{}r", self.name)
    }

    fn namespace(&self, number: u8) -> String {
        format!("{}c{number}", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The links and the routes of this machine go with the namespaces. Some may never have been made.
        for number in 0..self.controllers {
            let _ = ip(&format!("netns del {}", self.namespace(number)));
        }
        let _ = ip(&format!("netns del {}", self.router()));
    }
}

fn ip(line: &str) -> Result<(), String> {
    run(Command::new("ip").args(line.split(' ')))
}

fn run(command: &mut Command) -> Result<(), String> {
    // Only root may make namespaces that reach this machine.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    if uid.and_then(|ids| ids.split_whitespace().next()) != Some("0") {
        return Err("network namespaces need root".to_owned());
    }
    let output = command
        .output()
        .map_err(|error| format!("the program ip does not start: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
