//! `lifecycle doctor`.

use std::{error::Error as _, time::Duration};

use futures_util::{StreamExt, future::join_all};
use lifecycle_facade::{FaultKind, Fleet, FleetError, Location, TransportError};
use serde::Serialize;
use tokio::{net::lookup_host, time::timeout};

use crate::{
    args::PlacesArgs,
    console::{Console, Format, say},
    exit::{Exit, Failure},
    output,
    setup::Setup,
};

/// Tries everything that a call needs, one thing after the other, with nothing but harmless calls,
/// and says what to do about what it finds.
pub(crate) async fn run(args: &PlacesArgs, console: Console) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.connection)?;
    let fleet = setup.fleet()?;
    let places = args.places(&fleet)?;
    let limit = setup.timeout().min(LONGEST);
    let visits = places.iter().map(|place| {
        Visit {
            fleet: &fleet,
            place,
            limit,
            // What nobody asked for and nobody has set up is in good health.
            may_be_absent: args.somewhere.is_empty() && place.account.is_none(),
            is_simulated: args.connection.sim,
        }
        .examine()
    });
    let findings: Vec<Finding> = join_all(visits).await.into_iter().flatten().collect();
    match console.output {
        Format::Json => output::print(&output::json(&findings)?)?,
        Format::Table => {
            if let Some(path) = setup.config_path() {
                say(format_args!("configuration file: {}", path.display()));
            }
            output::print_findings(&findings)?;
        }
    }
    let is_wrong = |finding: &&Finding| finding.verdict == Verdict::Failed;
    let wrong = findings.iter().filter(is_wrong).count();
    let tried = findings
        .iter()
        .any(|finding| finding.check == "permission" && finding.verdict == Verdict::Ok);
    let has_key = findings
        .iter()
        .any(|finding| finding.check == "credentials" && finding.verdict == Verdict::Ok);
    say(match (wrong, tried) {
        (0, true) => "all is well".to_owned(),
        (0, false) if has_key => "no key could be tried: name a region".to_owned(),
        (0, false) => "no key is set up for any cloud: see lifecycle --help".to_owned(),
        (1, _) => "1 check failed".to_owned(),
        (wrong, _) => format!("{wrong} checks failed"),
    });
    Ok(match (wrong, tried) {
        (0, true) => Exit::AllAsAsked,
        (_, true) => Exit::IncompleteError,
        (_, false) => Exit::NothingDone,
    })
}

/// For each check.
const LONGEST: Duration = Duration::from_secs(30);

/// What a check found. Its fields are those of the JSON form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Of which account and region.
    pub(crate) place: String,
    /// What was looked at.
    pub(crate) check: &'static str,
    /// How it is.
    pub(crate) verdict: Verdict,
    /// What was seen.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Ok,
    Warning,
    Failed,
    Skipped,
}

impl Verdict {
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
struct Visit<'v> {
    fleet: &'v Fleet,
    place: &'v Location,
    limit: Duration,
    may_be_absent: bool,
    is_simulated: bool,
}

impl Visit<'_> {
    /// The checks, in an order in which each one needs those before it.
    async fn examine(self) -> Vec<Finding> {
        let mut findings = vec![self.configuration()];
        if findings[0].verdict == Verdict::Failed {
            return findings;
        }
        let credentials = self.credentials().await;
        if self.may_be_absent && credentials.iter().any(|found| found.verdict != Verdict::Ok) {
            let absent = credentials
                .iter()
                .any(|found| found.verdict == Verdict::Skipped);
            if absent {
                return credentials;
            }
        }
        findings.push(self.dns().await);
        let connection = self.tls_and_clock().await;
        let works = |findings: &[Finding]| {
            let mut verdicts = findings.iter().map(|found| found.verdict);
            verdicts.all(|verdict| verdict != Verdict::Failed)
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

    fn configuration(&self) -> Finding {
        match self.fleet.endpoint(self.place) {
            Ok(endpoint) => self.ok("configuration", format!("calls go to {endpoint}")),
            Err(error) => self.failed(
                "configuration",
                error.to_string(),
                "correct the account in the configuration file, or the variable",
            ),
        }
    }

    async fn dns(&self) -> Finding {
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

    async fn tls_and_clock(&self) -> Vec<Finding> {
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
            Some(ahead) => Finding {
                verdict: Verdict::Warning,
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

    fn unreachable(&self, error: &TransportError) -> Finding {
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

    async fn credentials(&self) -> Vec<Finding> {
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
        findings.extend(source.info().warnings.into_iter().map(|warning| Finding {
            verdict: Verdict::Warning,
            ..self.ok("credentials", warning)
        }));
        findings
    }

    /// The first page of the list: it shows whether the key works, and changes nothing.
    async fn permission(&self) -> Finding {
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
                let failure = Failure::from(error);
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

    fn ok(&self, check: &'static str, detail: String) -> Finding {
        Finding {
            place: self.place.to_string(),
            check,
            verdict: Verdict::Ok,
            detail,
            advice: None,
        }
    }

    fn skipped(&self, check: &'static str, why: &str) -> Finding {
        Finding {
            verdict: Verdict::Skipped,
            ..self.ok(check, why.to_owned())
        }
    }

    fn failed(&self, check: &'static str, detail: String, advice: &str) -> Finding {
        Finding {
            verdict: Verdict::Failed,
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
