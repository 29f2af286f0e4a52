//! `lifecycle doctor`.

use std::{error::Error as _, time::Duration};

use futures_util::{StreamExt, future::join_all};
use lifecycle_facade::{FaultKind, Fleet, FleetError, Location, TransportError};
use serde::Serialize;
use tokio::{net::lookup_host, time::timeout};

use crate::{
    args::LocationsArgs,
    console::{Console, Format, eprint_line},
    exit::{CommandError, Exit},
    output,
    setup::Setup,
};

/// Tries everything that a call needs, one thing after the other, with nothing but harmless calls,
/// and says what to do about what it finds.
pub(crate) async fn run(args: &LocationsArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.connection)?;
    let fleet = setup.fleet()?;
    let places = args.places(&fleet)?;
    let limit = setup.timeout().min(LONGEST);
    let visits = places.iter().map(|place| {
        Checkup {
            fleet: &fleet,
            place,
            limit,
            // What nobody asked for and nobody has set up is in good health.
            may_be_absent: args.somewhere.is_empty() && place.account.is_none(),
            is_simulated: args.connection.sim,
        }
        .examine()
    });
    let findings: Vec<CheckResult> = join_all(visits).await.into_iter().flatten().collect();
    match console.output {
        Format::Json => output::print(&output::json(&findings)?)?,
        Format::Table => {
            if let Some(path) = setup.config_path() {
                eprint_line(format_args!("configuration file: {}", path.display()));
            }
            output::print_findings(&findings)?;
        }
    }
    let is_wrong = |finding: &&CheckResult| finding.verdict == CheckStatus::Failed;
    let wrong = findings.iter().filter(is_wrong).count();
    let tried = findings
        .iter()
        .any(|finding| finding.check == "permission" && finding.verdict == CheckStatus::Ok);
    let has_key = findings
        .iter()
        .any(|finding| finding.check == "credentials" && finding.verdict == CheckStatus::Ok);
    eprint_line(match (wrong, tried) {
        (0, true) => "all is well".to_owned(),
        (0, false) if has_key => "no key could be tried: name a region".to_owned(),
        (0, false) => "no key is set up for any cloud: see lifecycle --help".to_owned(),
        (1, _) => "1 check failed".to_owned(),
        (wrong, _) => format!("{wrong} checks failed"),
    });
    Ok(match (wrong, tried) {
        (0, true) => Exit::Complete,
        (_, true) => Exit::Incomplete,
        (_, false) => Exit::NothingDone,
    })
}

/// For each check.
const LONGEST: Duration = Duration::from_secs(30);

/// What a check found. Its fields are those of the JSON form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CheckResult {
    /// Of which account and region.
    pub(crate) place: String,
    /// What was looked at.
    pub(crate) check: &'static str,
    /// How it is.
    pub(crate) verdict: CheckStatus,
    /// What was seen.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CheckStatus {
    Ok,
    Warning,
    Failed,
    Skipped,
}

impl CheckStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

/// A visit to one place.
struct Checkup<'v> {
    fleet: &'v Fleet,
    place: &'v Location,
    limit: Duration,
    may_be_absent: bool,
    is_simulated: bool,
}

impl Checkup<'_> {
    /// The checks, in an order in which each one needs those before it.
    async fn examine(self) -> Vec<CheckResult> {
        let mut findings = vec![self.configuration()];
        if findings[0].verdict == CheckStatus::Failed {
            return findings;
        }
        let credentials = self.credentials().await;
        if self.may_be_absent
            && credentials
                .iter()
                .any(|found| found.verdict != CheckStatus::Ok)
        {
            let absent = credentials
                .iter()
                .any(|found| found.verdict == CheckStatus::Skipped);
            if absent {
                return credentials;
            }
        }
        findings.push(self.dns().await);
        let connection = self.tls_and_clock().await;
        let works = |findings: &[CheckResult]| {
            let mut verdicts = findings.iter().map(|found| found.verdict);
            verdicts.all(|verdict| verdict != CheckStatus::Failed)
        };
        let (is_reached, has_key) = (works(&connection), works(&credentials));
        findings.extend(connection);
        findings.extend(credentials);
        findings.push(match (is_reached, has_key) {
            (true, true) => self.permission().await,
            (false, _) => self.skipped("permission", "nobody can be asked"),
            (true, false) => self.skipped("permission", "there is no key to try"),
        });
        findings
    }

    fn configuration(&self) -> CheckResult {
        match self.fleet.endpoint(self.place) {
            Ok(endpoint) => self.ok("configuration", format!("calls go to {endpoint}")),
            Err(error) => self.failed(
                "configuration",
                error.to_string(),
                "correct the account in the configuration file, or the variable",
            ),
        }
    }

    async fn dns(&self) -> CheckResult {
        let Ok(endpoint) = self.fleet.endpoint(self.place) else {
            return self.skipped("dns", "there is no endpoint");
        };
        if self.is_simulated {
            return self.skipped("dns", "the cloud is simulated within this process");
        }
        if endpoint.is_encrypted() && has_proxy() {
            return self.skipped("dns", "a proxy looks names up");
        }
        let (host, port) = (endpoint.host().to_owned(), endpoint.port());
        match timeout(self.limit, lookup_host((host.clone(), port))).await {
            Ok(Ok(addresses)) => {
                let addresses: Vec<String> =
                    addresses.map(|address| address.ip().to_string()).collect();
                match addresses.split_first() {
                    Some((first, [])) => self.ok("dns", format!("{host} is {first}")),
                    Some((first, more)) => {
                        self.ok("dns", format!("{host} is {first} and {} more", more.len()))
                    }
                    None => self.failed("dns", format!("{host} has no address"), REGION_ADVICE),
                }
            }
            Ok(Err(error)) => self.failed(
                "dns",
                format!("{host} cannot be looked up: {error}"),
                REGION_ADVICE,
            ),
            Err(_) => self.failed(
                "dns",
                format!("no answer within {} s", self.limit.as_secs()),
                "check the machine's name servers",
            ),
        }
    }

    async fn tls_and_clock(&self) -> Vec<CheckResult> {
        let probe = match timeout(self.limit, self.fleet.probe(self.place)).await {
            Ok(Ok(Ok(probe))) => probe,
            Ok(Ok(Err(error))) => return vec![self.unreachable(&error)],
            Ok(Err(error)) => {
                return vec![self.failed("connection", error.to_string(), NETWORK_ADVICE)];
            }
            Err(_) => {
                let detail = format!("no answer within {} s", self.limit.as_secs());
                return vec![self.failed("connection", detail, NETWORK_ADVICE)];
            }
        };
        let answered = format!(
            "answered {} within {:.2} s",
            probe.status,
            probe.took.as_secs_f64()
        );
        let is_encrypted = self
            .fleet
            .endpoint(self.place)
            .is_ok_and(|endpoint| endpoint.is_encrypted());
        let connection = if is_encrypted {
            format!("{answered}, over TLS")
        } else {
            format!("{answered}, without TLS")
        };
        let connection = self.ok("connection", connection);
        let clock = match probe.ahead {
            None => self.skipped("clock", "the cloud does not say what time it is there"),
            Some(ahead) if ahead.unsigned_abs() <= CLOSE => {
                self.ok("clock", format!("{} s apart", ahead.unsigned_abs()))
            }
            Some(ahead) => CheckResult {
                verdict: CheckStatus::Warning,
                advice: Some(
                    "set this machine's clock, best by NTP; calls are signed by the cloud's own time meanwhile"
                        .to_owned(),
                ),
                ..self.ok(
                    "clock",
                    format!(
                        "this machine's clock is {} s {}",
                        ahead.unsigned_abs(),
                        if ahead > 0 { "behind" } else { "ahead" }
                    ),
                )
            },
        };
        vec![connection, clock]
    }

    fn unreachable(&self, error: &TransportError) -> CheckResult {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        let advice = if text.to_lowercase().contains("certificate") {
            "add the certificate authority of your proxy or gateway with --ca-certificates, or as ca_certificates in the configuration file"
        } else {
            NETWORK_ADVICE
        };
        self.failed("connection", text, advice)
    }

    async fn credentials(&self) -> Vec<CheckResult> {
        let source = match self.fleet.credentials(self.place) {
            Ok(source) => source,
            Err(error) => {
                return vec![self.failed("credentials", error.to_string(), KEY_ADVICE)];
            }
        };
        let mut findings = match timeout(self.limit, source.credential()).await {
            Ok(Ok(_)) => vec![self.ok("credentials", source.info().source)],
            Ok(Err(missing)) if missing.is_absent() && self.may_be_absent => {
                vec![self.skipped("credentials", "no key is set up")]
            }
            Ok(Err(missing)) => {
                vec![self.failed("credentials", missing.to_string(), KEY_ADVICE)]
            }
            Err(_) => {
                let detail = format!("no answer within {} s", self.limit.as_secs());
                vec![self.failed("credentials", detail, KEY_ADVICE)]
            }
        };
        findings.extend(
            source
                .info()
                .warnings
                .into_iter()
                .map(|warning| CheckResult {
                    verdict: CheckStatus::Warning,
                    ..self.ok("credentials", warning)
                }),
        );
        findings
    }

    /// The first page of the list: it shows whether the key works, and changes nothing.
    async fn permission(&self) -> CheckResult {
        let look = async {
            let client = self.fleet.client(self.place).await?;
            let mut pages = std::pin::pin!(client.list().pages());
            let first = pages.next().await.transpose()?;
            Ok::<_, FleetError>(first.map_or(0, |page| page.len()))
        };
        match timeout(self.limit, look).await {
            Ok(Ok(0)) => self.ok(
                "permission",
                "may list instances; there are none".to_owned(),
            ),
            Ok(Ok(_)) => self.ok("permission", "may list instances".to_owned()),
            Ok(Err(error @ FleetError::Project { .. }))
                if self.may_be_absent && kind_of(&error) == Some(FaultKind::Invalid) =>
            {
                let why = format!("{error}; name a region to try: lifecycle doctor CLOUD/REGION");
                self.skipped("permission", &why)
            }
            Ok(Err(error)) => {
                let failure = CommandError::from(error);
                self.failed(
                    "permission",
                    failure.message,
                    "look at what the key may do, and whether it belongs to this account and region",
                )
            }
            Err(_) => self.failed(
                "permission",
                format!("no answer within {} s", self.limit.as_secs()),
                NETWORK_ADVICE,
            ),
        }
    }

    fn ok(&self, check: &'static str, detail: String) -> CheckResult {
        CheckResult {
            place: self.place.to_string(),
            check,
            verdict: CheckStatus::Ok,
            detail,
            advice: None,
        }
    }

    fn skipped(&self, check: &'static str, why: &str) -> CheckResult {
        CheckResult {
            verdict: CheckStatus::Skipped,
            ..self.ok(check, why.to_owned())
        }
    }

    fn failed(&self, check: &'static str, detail: String, advice: &str) -> CheckResult {
        CheckResult {
            verdict: CheckStatus::Failed,
            advice: Some(advice.to_owned()),
            ..self.ok(check, detail)
        }
    }
}

fn kind_of(error: &FleetError) -> Option<FaultKind> {
    match error {
        FleetError::Project { fault, .. } => Some(fault.kind()),
        _ => None,
    }
}

/// Clocks this many seconds apart trouble no cloud.
const CLOSE: u64 = 60;

const REGION_ADVICE: &str = "check the name of the region, and that this machine can look names up";
const NETWORK_ADVICE: &str =
    "check the network, its firewall, and HTTPS_PROXY and NO_PROXY where there is a proxy";
const KEY_ADVICE: &str = "see lifecycle credentials, and lifecycle --help for where keys come from";

/// Whether requests over TLS go through a proxy, as reqwest reads the environment.
fn has_proxy() -> bool {
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
