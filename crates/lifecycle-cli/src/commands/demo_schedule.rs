//! `lifecycle demo --schedule`: a day of a small simulated fleet under schedules, in a few seconds.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use lifecycle_controller::{
    HistoryEntry, HistoryQuery, Hold, MemoryStore, Record, Store, Wanted,
    keeper::{Keeper, PassReport},
    settings::{Settings, zone},
};
use lifecycle_facade::{Fleet, config::Config};
use lifecycle_sim::{Impairment, PowerOperation, Simulator};
use tokio::time::sleep;

use super::history;
use crate::{
    console::Console,
    exit::{CommandError, Exit},
    simulated,
};

/// Two machines of the office and three machines for builds.
const INSTANCES: &str =
    "aliyun/cn-hangzhou=2;name=web-#,baidu/bj=2;name=build-#,huawei/cn-north-4=1;name=build-3";
/// National Day, a public holiday in China.
const BEGIN: &str = "2026-10-01T07:00:00+08:00";
/// Round trip time of one call.
const ROUND_TRIP: Duration = Duration::from_millis(80);
/// The time after which a pass is cut off in the middle.
const CRASH: Duration = Duration::from_secs(4);

/// The simulated day.
struct Day {
    simulator: Simulator,
    fleet: Fleet,
    store: Arc<MemoryStore>,
    settings: Settings,
    machines: Vec<String>,
    zone: TimeZone,
    console: Console,
}

/// Plays the day, and prints the history.
pub(super) async fn run(console: Console) -> Result<Exit, CommandError> {
    let day = Day::new(console)?;
    day.play().await?;
    let entries = day.store.history(&HistoryQuery::default()).await?;
    // The progress of each machine is in the calls already.
    let is_shown = |entry: &HistoryEntry| !matches!(entry.kind, "edge" | "pass");
    let entries: Vec<_> = entries.into_iter().filter(is_shown).collect();
    console.notice("The history, as lifecycle history JOURNAL shows it:");
    history::print(&entries, console)?;
    let most = day.simulator.ledger().most_reboots();
    console.notice(format_args!(
        "the clouds executed at most {most} reboot of each machine, although the controller was killed twice"
    ));
    Ok(Exit::Complete)
}

impl Day {
    fn new(console: Console) -> Result<Self, CommandError> {
        let failed = |error: String| CommandError::nothing_done(error);
        let begin: Timestamp = BEGIN.parse().map_err(|_| failed(BEGIN.to_owned()))?;
        let simulator = Simulator::builder()
            .fleet(INSTANCES)
            .map_err(|error| failed(error.to_string()))?
            .latency(ROUND_TRIP)
            .epoch(begin.into());
        let simulator = simulated::with_key(simulator).build();
        let fleet = simulated::fleet_builder(&simulator)
            .configure_client(|client| client.seed(0))
            .build()?;
        let machines = simulator.instances();
        let name = |machine: &String| simulator.name_of(machine).unwrap_or_default();
        let (web, build): (Vec<_>, Vec<_>) = machines
            .iter()
            .cloned()
            .partition(|machine| name(machine).starts_with("web"));
        let text = config(&web, &build);
        let config = Config::parse(&text).map_err(|error| CommandError::configuration(&error))?;
        let settings =
            Settings::from_config(&config).map_err(|error| CommandError::configuration(&error))?;
        Ok(Self {
            fleet,
            store: Arc::default(),
            settings,
            machines: web.into_iter().chain(build).collect(),
            zone: zone("Asia/Shanghai").map_err(failed)?,
            console,
            simulator,
        })
    }

    async fn play(&self) -> Result<(), CommandError> {
        self.say("a holiday in China: web follows the calendar cn-2026 and stays stopped, build works every day");
        let build_1 = self.machine(2);
        self.impair(build_1, Some(Impairment::NoStock))?;
        self.say(&format!("{build_1}: the cloud has no capacity for it"));
        self.keep_until("08:00", CRASH).await?;
        self.say(
            "the controller is killed in the middle of the pass; the next one looks, and goes on",
        );
        self.keep_until("08:20", Duration::ZERO).await?;
        self.impair(build_1, None)?;
        self.say(&format!("{build_1}: capacity is back"));
        self.keep_until("10:00", Duration::ZERO).await?;
        let web_1 = self.machine(0);
        self.simulator
            .execute_externally(web_1, PowerOperation::Start)
            .map_err(|error| CommandError::nothing_done(error.to_string()))?;
        self.say(&format!("somebody starts {web_1} by hand"));
        self.keep_until("13:00", CRASH).await?;
        self.say(
            "the controller is killed in the middle of the maintenance; no reboot is sent again",
        );
        self.keep_until("19:00", Duration::ZERO).await?;
        self.hold("build", "22:00", "release evening").await?;
        self.keep_until("23:00", Duration::ZERO).await?;
        Ok(())
    }

    /// Makes passes until a time of the day, and `more` after the time.
    async fn keep_until(&self, clock: &str, more: Duration) -> Result<(), CommandError> {
        let keeper = self.keeper();
        let left = self.at(clock)?.duration_since(keeper.now());
        let left = Duration::try_from(left).unwrap_or_default() + more;
        keeper
            .run(sleep(left), |report| self.report(report))
            .await?;
        Ok(())
    }

    async fn hold(&self, group: &str, until: &str, why: &str) -> Result<(), CommandError> {
        let until = self.at(until)?;
        let hold = Hold::new(
            group,
            Wanted::Running,
            until,
            why,
            "demo",
            self.keeper().now(),
        );
        self.store.append(vec![Record::Hold(hold)]).await?;
        self.say(&format!(
            "lifecycle hold {group} running --until 22:00 --why {why:?}"
        ));
        Ok(())
    }

    fn keeper(&self) -> Keeper {
        let store: Arc<dyn Store> = Arc::<MemoryStore>::clone(&self.store);
        Keeper::new(self.fleet.clone(), store, self.settings.clone(), "demo")
            .clock(self.simulator.clock())
    }

    fn machine(&self, index: usize) -> &str {
        self.machines.get(index).map_or("", String::as_str)
    }

    fn impair(&self, machine: &str, impairment: Option<Impairment>) -> Result<(), CommandError> {
        self.simulator
            .set_impairment(machine, impairment)
            .map_err(|error| CommandError::nothing_done(error.to_string()))
    }

    /// Returns a time of the day.
    fn at(&self, clock: &str) -> Result<Timestamp, CommandError> {
        format!("2026-10-01T{clock}:00+08:00")
            .parse()
            .map_err(|_| CommandError::nothing_done(format!("invalid time {clock}")))
    }

    fn say(&self, text: &str) {
        let now = self.keeper().now().to_zoned(self.zone.clone());
        self.console
            .notice(format_args!("{}  {text}", now.strftime("%H:%M:%S")));
    }

    fn report(&self, report: &PassReport) {
        for (action, result) in &report.actions {
            self.say(&format!(
                "{} {}: {} ({})",
                action.action.as_str(),
                action.instance,
                result.outcome,
                action.why
            ));
        }
        for fact in &report.facts {
            self.say(&format!("{}: {}", fact.kind.as_str(), fact.message));
        }
    }
}

fn config(web: &[String], build: &[String]) -> String {
    format!(
        r#"
        [groups]
        web = {web:?}
        build = {build:?}
        [calendars.cn]
        builtin = "cn-2026"
        [schedules.office]
        zone = "Asia/Shanghai"
        calendar = "cn"
        windows = [{{ days = "workdays", from = "08:00", to = "20:00" }}]
        [schedules.daily]
        zone = "Asia/Shanghai"
        windows = [{{ days = "all", from = "08:00", to = "20:00" }}]
        [keep]
        web = "office"
        build = "daily"
        [[maintenance]]
        group = "build"
        zone = "Asia/Shanghai"
        on = {{ weekday = "thu", week = 1 }}
        from = "13:00"
        "#
    )
}
