//! `lifecycle doctor`: checks that change nothing.

use std::time::Duration;

use futures_util::{StreamExt, future::join_all};
use lifecycle_facade::{FaultKind, Fleet, FleetError, Location, TransportError, proxy_variable};
use tokio::{net::lookup_host, time::timeout};

use super::{credentials::no_key_in_time, list::empty_list_note};
use crate::{
    args::LocationsArgs,
    check_result::{CheckResult, CheckStatus},
    console::Console,
    exit::{CommandError, Exit},
    locations, output,
    setup::Setup,
};

/// Checks the needs of a call, and prints each result with a remedy.
pub(crate) async fn run(args: &LocationsArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.connection).await?;
    let fleet = setup.fleet().await?;
    let locations = locations::resolve_or_all(&args.locations, &fleet)?;
    let limit = setup.timeout().min(CHECK_TIMEOUT);
    let checkups = locations.iter().map(|location| {
        Checkup {
            fleet: &fleet,
            location,
            limit,
            is_optional: args.locations.is_empty() && location.account.is_none(),
            is_simulated: args.connection.sim,
        }
        .run()
    });
    let results: Vec<CheckResult> = join_all(checkups).await.into_iter().flatten().collect();
    match output::json_records(&results, console.output)? {
        Some(json) => output::print(&json)?,
        None => {
            if let Some(path) = setup.config_path() {
                console.notice(format_args!("configuration file: {}", path.display()));
            }
            output::print_checks(&results)?;
        }
    }
    let failures = results
        .iter()
        .filter(|result| result.status == CheckStatus::Failed)
        .count();
    let is_ok = |check: &str| {
        let mut results = results.iter();
        results.any(|result| result.check == check && result.status == CheckStatus::Ok)
    };
    let has_access = is_ok(PERMISSION);
    console.notice(match (failures, has_access) {
        (0, true) => "no problems found".to_owned(),
        (0, false) if is_ok(CREDENTIALS) => {
            "a key was found, but not tried: name a region, for example lifecycle doctor baidu/bj"
                .to_owned()
        }
        (0, false) => {
            "no key was found for any cloud: lifecycle --help lists all places for keys".to_owned()
        }
        (1, _) => "1 check failed".to_owned(),
        (failures, _) => format!("{failures} checks failed"),
    });
    Ok(match (failures, has_access) {
        (0, true) => Exit::Complete,
        (_, true) => Exit::Incomplete,
        (_, false) => Exit::NothingDone,
    })
}

/// Longest time of a check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

const CREDENTIALS: &str = "credentials";
const PERMISSION: &str = "permission";

/// The checks of an account and region.
struct Checkup<'c> {
    fleet: &'c Fleet,
    location: &'c Location,
    limit: Duration,
    /// Set for a cloud that neither the command line nor the configuration names. Then a missing
    /// key is not a failure.
    is_optional: bool,
    is_simulated: bool,
}

impl Checkup<'_> {
    /// Runs the checks in order of dependence.
    async fn run(self) -> Vec<CheckResult> {
        let has_failed = |results: &[CheckResult]| {
            let mut results = results.iter();
            results.any(|result| result.status == CheckStatus::Failed)
        };
        let mut results = vec![self.configuration().await];
        if has_failed(&results) {
            return results;
        }
        let credentials = self.credentials().await;
        if credentials
            .iter()
            .any(|result| result.status == CheckStatus::Skipped)
        {
            return credentials;
        }
        results.push(self.dns().await);
        let connection = self.tls_and_clock().await;
        let permission = if has_failed(&connection) {
            self.skipped(PERMISSION, "no connection")
        } else if has_failed(&credentials) {
            self.skipped(PERMISSION, "no key")
        } else {
            self.permission().await
        };
        results.extend(connection);
        results.extend(credentials);
        results.push(permission);
        results
    }

    async fn configuration(&self) -> CheckResult {
        const CHECK: &str = "configuration";
        match self.fleet.endpoint(self.location).await {
            Ok(endpoint) => self.ok(CHECK, format!("the endpoint is {endpoint}")),
            Err(error) => self.failed(
                CHECK,
                error.to_string(),
                "correct the account in the configuration file, or the environment variable",
            ),
        }
    }

    async fn dns(&self) -> CheckResult {
        const CHECK: &str = "dns";
        let Ok(endpoint) = self.fleet.endpoint(self.location).await else {
            return self.skipped(CHECK, "no endpoint");
        };
        if self.is_simulated {
            return self.skipped(CHECK, "the cloud is simulated inside this process");
        }
        let (host, port) = (endpoint.host().to_owned(), endpoint.port());
        if let Ok(Some(variable)) = proxy_variable(&host, port)
            && endpoint.is_encrypted()
        {
            let why = format!("the proxy in {variable} looks up the host name");
            return self.skipped(CHECK, &why);
        }
        match timeout(self.limit, lookup_host((host.clone(), port))).await {
            Ok(Ok(addresses)) => {
                let addresses: Vec<String> =
                    addresses.map(|address| address.ip().to_string()).collect();
                match addresses.split_first() {
                    Some((first, [])) => self.ok(CHECK, format!("{host} is {first}")),
                    Some((first, more)) => {
                        self.ok(CHECK, format!("{host} is {first} and {} more", more.len()))
                    }
                    None => self.failed(CHECK, format!("{host} has no address"), REGION_ADVICE),
                }
            }
            Ok(Err(error)) => self.failed(
                CHECK,
                format!("cannot look up {host}: {error}"),
                REGION_ADVICE,
            ),
            Err(_) => self.failed(
                CHECK,
                self.no_answer(),
                "check the DNS servers of this machine",
            ),
        }
    }

    async fn tls_and_clock(&self) -> Vec<CheckResult> {
        const CHECK: &str = "connection";
        let probe = match timeout(self.limit, self.fleet.probe(self.location)).await {
            Ok(Ok(Ok(probe))) => probe,
            Ok(Ok(Err(error))) => return vec![self.no_connection(CHECK, &error)],
            Ok(Err(error)) => {
                return vec![self.failed(CHECK, error.to_string(), NETWORK_ADVICE)];
            }
            Err(_) => return vec![self.failed(CHECK, self.no_answer(), NETWORK_ADVICE)],
        };
        let is_encrypted = self
            .fleet
            .endpoint(self.location)
            .await
            .is_ok_and(|endpoint| endpoint.is_encrypted());
        let connection = format!(
            "answer after {:.2} s {} TLS (HTTP status {} for a call without a key)",
            probe.took.as_secs_f64(),
            if is_encrypted { "with" } else { "without" },
            probe.status,
        );
        vec![self.ok(CHECK, connection), self.clock(probe.ahead)]
    }

    fn no_connection(&self, check: &'static str, error: &TransportError) -> CheckResult {
        let fault = error.to_fault();
        let advice = match fault.kind() {
            kind @ (FaultKind::Certificate | FaultKind::Proxy) => kind.advice(),
            _ => NETWORK_ADVICE,
        };
        self.failed(check, fault.message().to_owned(), advice)
    }

    /// Compares the clocks, given the seconds by which the cloud's clock is ahead.
    fn clock(&self, ahead: Option<i64>) -> CheckResult {
        const CHECK: &str = "clock";
        let Some(ahead) = ahead else {
            return self.skipped(CHECK, "the answer of the cloud has no time");
        };
        let seconds = ahead.unsigned_abs();
        if seconds <= ALLOWED_SKEW {
            return self.ok(
                CHECK,
                format!("{seconds} s difference between this machine and the cloud"),
            );
        }
        let direction = if ahead > 0 { "behind" } else { "ahead" };
        CheckResult {
            status: CheckStatus::Warning,
            advice: Some(
                "set the clock of this machine, for example with NTP; until then, calls are signed with the time of the cloud"
                    .to_owned(),
            ),
            ..self.ok(
                CHECK,
                format!("the clock of this machine is {seconds} s {direction}"),
            )
        }
    }

    async fn credentials(&self) -> Vec<CheckResult> {
        let source = match self.fleet.credentials(self.location).await {
            Ok(source) => source,
            Err(error) => {
                return vec![self.failed(CREDENTIALS, error.to_string(), KEY_ADVICE)];
            }
        };
        let key = match timeout(self.limit, source.credential()).await {
            Ok(Ok(_)) => self.ok(CREDENTIALS, source.info().source),
            Ok(Err(missing)) if missing.is_not_configured() && self.is_optional => {
                self.skipped(CREDENTIALS, "no key found")
            }
            Ok(Err(missing)) => self.failed(CREDENTIALS, missing.to_string(), KEY_ADVICE),
            Err(_) => {
                let no_key = no_key_in_time(self.limit, &*source);
                self.failed(CREDENTIALS, no_key, KEY_ADVICE)
            }
        };
        let warnings = source.info().warnings.into_iter();
        let warnings = warnings.map(|warning| CheckResult {
            status: CheckStatus::Warning,
            ..self.ok(CREDENTIALS, warning)
        });
        [key].into_iter().chain(warnings).collect()
    }

    /// Reads the first page of the list, which needs a valid key and changes nothing.
    async fn permission(&self) -> CheckResult {
        let read_page = async {
            let client = self.fleet.client(self.location).await?;
            let mut pages = std::pin::pin!(client.list().pages());
            let first = pages.next().await.transpose()?;
            Ok::<_, FleetError>(first.map_or(0, |page| page.len()))
        };
        match timeout(self.limit, read_page).await {
            Ok(Ok(0)) => self.ok(
                PERMISSION,
                format!(
                    "the key can list instances; the region has no instances{}",
                    empty_list_note(self.location)
                ),
            ),
            Ok(Ok(_)) => self.ok(PERMISSION, "the key can list instances".to_owned()),
            Ok(Err(error @ FleetError::Project { .. }))
                if self.is_optional && kind_of(&error) == Some(FaultKind::Invalid) =>
            {
                let why = format!("{error}; name a region: lifecycle doctor CLOUD/REGION");
                self.skipped(PERMISSION, &why)
            }
            Ok(Err(error)) => self.failed(
                PERMISSION,
                CommandError::from(error).message,
                "check the permissions of the key, and the account and region of the key",
            ),
            Err(_) => self.failed(PERMISSION, self.no_answer(), NETWORK_ADVICE),
        }
    }

    fn no_answer(&self) -> String {
        format!("no answer within {} s", self.limit.as_secs())
    }

    fn ok(&self, check: &'static str, detail: String) -> CheckResult {
        CheckResult {
            location: self.location.to_string(),
            check,
            status: CheckStatus::Ok,
            detail,
            advice: None,
        }
    }

    fn skipped(&self, check: &'static str, why: &str) -> CheckResult {
        CheckResult {
            status: CheckStatus::Skipped,
            ..self.ok(check, why.to_owned())
        }
    }

    fn failed(&self, check: &'static str, detail: String, advice: &str) -> CheckResult {
        CheckResult {
            status: CheckStatus::Failed,
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

/// Clock difference in seconds that every cloud accepts.
const ALLOWED_SKEW: u64 = 60;

const REGION_ADVICE: &str = "check the name of the region, and the DNS servers of this machine";
const NETWORK_ADVICE: &str =
    "check the network and the firewall; if there is a proxy, check HTTPS_PROXY and NO_PROXY";
const KEY_ADVICE: &str =
    "run lifecycle credentials to see all keys; lifecycle --help lists all places for keys";
