//! `lifecycle plan`: the state that each group should have, and the next changes.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use lifecycle_controller::{
    Hold, MemoryStore, State,
    decide::{KeptGroup, group_edge},
    keeper::{Keeper, calendar_warning},
    schedule::Change,
    settings::Settings,
};
use lifecycle_facade::Fleet;
use serde::Serialize;

use super::controller;
use crate::{
    args::PlanArgs,
    console::{Console, Format, eprint_warning},
    exit::{CommandError, Exit},
    output,
    setup::Setup,
};

/// The version of the fields.
const SCHEMA: u32 = 1;

/// One group. The serialized fields are the fields of the JSON output.
#[derive(Debug, Serialize)]
struct GroupPlan {
    schema: u32,
    group: String,
    schedule: String,
    zone: String,
    at: Timestamp,
    /// `running`, `stopped` or `as-is`.
    wanted: &'static str,
    why: String,
    /// The number of machines in each state; `null` without `--look`.
    seen: Option<BTreeMap<String, usize>>,
    next: Option<ChangePlan>,
    /// The changes of `--days`.
    changes: Vec<ChangePlan>,
    hold: Option<HoldPlan>,
    calendar: Option<CalendarPlan>,
    /// The actions of the next pass; `null` without `--look`.
    actions: Option<Vec<ActionPlan>>,
    #[serde(skip)]
    now: String,
}

#[derive(Clone, Debug, Serialize)]
struct ChangePlan {
    at: Timestamp,
    /// The time in the zone of the schedule.
    local: String,
    wanted: &'static str,
    calendar_ended: bool,
}

#[derive(Debug, Serialize)]
struct HoldPlan {
    state: &'static str,
    until: Timestamp,
    why: String,
    by: String,
}

#[derive(Debug, Serialize)]
struct CalendarPlan {
    name: String,
    ends: Option<String>,
    ended: bool,
    warning: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct ActionPlan {
    instance: String,
    /// `start`, `stop`, `reboot` or `wait`.
    action: &'static str,
    why: String,
}

/// Prints the plan.
pub(crate) async fn run(args: &PlanArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.controller.connection).await?;
    let settings = controller::settings(setup.config())?;
    let controller = setup.config().map(|config| &config.controller);
    let has_store = args.controller.journal.is_some()
        || controller.is_some_and(|controller| {
            controller.journal.is_some() || controller.postgres_variable.is_some()
        });
    let named = args.controller.journal.as_ref();
    let choice = has_store.then(|| controller::store_choice(named, setup.config()));
    let choice = choice.transpose()?;
    let state = match &choice {
        Some(choice) => choice.state().await?,
        None => State::default(),
    };
    let at = args.at.unwrap_or_else(controller::now);
    let groups = settings.rules.groups.iter();
    let mut plans: Vec<_> = groups
        .map(|group| GroupPlan::new(group, &settings, &state, at, args.days))
        .collect();
    let mut is_seen = true;
    if args.look {
        let fleet = match &choice {
            Some(choice) => choice.fleet(&setup).await?,
            None => setup.fleet().await?,
        };
        is_seen = look(fleet, &settings, &state, &mut plans).await?;
    }
    warn(&plans);
    match output::json_records(&plans, console.output)? {
        Some(json) => output::print(&json)?,
        None => print_tables(&plans, args)?,
    }
    if console.output == Format::Table {
        print_maintenance(&settings, at, console);
    }
    Ok(match is_seen {
        true => Exit::Complete,
        false => Exit::Incomplete,
    })
}

/// Adds the states of the machines, and the actions of the next pass. Returns false if a machine could not be seen.
async fn look(
    fleet: Fleet,
    settings: &Settings,
    state: &State,
    plans: &mut [GroupPlan],
) -> Result<bool, CommandError> {
    let store = Arc::new(MemoryStore::default());
    let keeper = Keeper::new(fleet, store, settings.clone(), "plan");
    let (look, decision) = keeper.plan(state).await;
    for problem in &look.problems {
        eprint_warning(problem);
    }
    if let Some(problem) = &decision.problem {
        eprint_warning(problem);
    }
    for plan in plans {
        let mut seen = BTreeMap::new();
        for machine in &look.machines {
            if machine.groups.contains(&plan.group) {
                let state = machine.state.as_ref().map(|state| state.as_str());
                *seen
                    .entry(state.unwrap_or("unknown").to_owned())
                    .or_default() += 1;
            }
        }
        let counts = seen.iter().map(|(state, count)| format!("{count} {state}"));
        plan.now = counts.collect::<Vec<_>>().join(", ");
        plan.seen = Some(seen);
        let actions = decision.actions.iter();
        let actions = actions
            .filter(|action| action.group == plan.group)
            .map(|action| ActionPlan {
                instance: action.instance.clone(),
                action: action.action.as_str(),
                why: action.why.clone(),
            });
        let waiting = decision.waiting.iter();
        let waiting = waiting
            .filter(|waiting| waiting.group == plan.group)
            .map(|waiting| ActionPlan {
                instance: waiting.instance.clone(),
                action: "wait",
                why: waiting.why.clone(),
            });
        plan.actions = Some(actions.chain(waiting).collect());
    }
    Ok(look.problems.is_empty())
}

impl GroupPlan {
    fn new(
        group: &KeptGroup,
        settings: &Settings,
        state: &State,
        at: Timestamp,
        days: Option<u16>,
    ) -> Self {
        let edge = group_edge(group, state, at);
        let change = |change: Change| ChangePlan {
            at: change.at,
            local: controller::local(change.at, &group.schedule.zone),
            wanted: change.wanted.as_str(),
            calendar_ended: change.calendar_ended,
        };
        let horizon = days.and_then(|days| {
            let time = SignedDuration::from_hours(24 * i64::from(days));
            at.checked_add(time).ok()
        });
        let mut changes = Vec::new();
        let mut next = group.schedule.next_change(at);
        // A hold hides the changes of the schedule until its end.
        let first = match &edge.hold {
            Some(hold) => {
                let scheduled = group.schedule.wanted(hold.until);
                Some(change(Change {
                    at: hold.until,
                    wanted: scheduled.wanted,
                    calendar_ended: scheduled.calendar_ended,
                }))
            }
            None => next.map(change),
        };
        while let (Some(found), Some(horizon)) = (next, horizon)
            && found.at <= horizon
        {
            changes.push(change(found));
            next = group.schedule.next_change(found.at);
        }
        let today = at.to_zoned(group.schedule.zone.clone()).date();
        let calendar = settings.calendars.get(&group.name);
        Self {
            schema: SCHEMA,
            group: group.name.clone(),
            schedule: group.schedule_name.clone(),
            zone: group.schedule.zone_name().to_owned(),
            at,
            wanted: edge.wanted.as_str(),
            why: edge.why,
            seen: None,
            next: first,
            changes,
            hold: edge.hold.as_ref().map(HoldPlan::new),
            calendar: calendar.map(|calendar| CalendarPlan {
                name: calendar.name.clone(),
                ends: calendar.ends.map(|ends| ends.to_string()),
                ended: edge.calendar_ended,
                warning: calendar_warning(calendar, today),
            }),
            actions: None,
            now: "-".to_owned(),
        }
    }

    fn cells(&self) -> [String; 7] {
        let none = || "-".to_owned();
        let next = self.next.as_ref();
        let hold = self.hold.as_ref();
        let calendar = self.calendar.as_ref();
        [
            self.group.clone(),
            self.now.clone(),
            self.wanted.to_owned(),
            next.map_or_else(none, |next| format!("{} {}", next.wanted, next.local)),
            next.map_or_else(none, |next| utc(next.at)),
            calendar
                .and_then(|calendar| calendar.ends.clone())
                .unwrap_or_else(none),
            hold.map_or_else(none, |hold| {
                format!("{} until {}: {}", hold.state, utc(hold.until), hold.why)
            }),
        ]
    }
}

impl HoldPlan {
    fn new(hold: &Hold) -> Self {
        Self {
            state: hold.state.as_str(),
            until: hold.until,
            why: hold.why.clone(),
            by: hold.by.clone(),
        }
    }
}

/// Writes one warning for each calendar that ends.
fn warn(plans: &[GroupPlan]) {
    let calendars = plans.iter().filter_map(|plan| plan.calendar.as_ref());
    let warnings: BTreeMap<&str, &str> = calendars
        .filter_map(|calendar| Some((&*calendar.name, calendar.warning.as_deref()?)))
        .collect();
    for warning in warnings.values() {
        eprint_warning(warning);
    }
}

fn print_tables(plans: &[GroupPlan], args: &PlanArgs) -> Result<(), CommandError> {
    output::print_texts(
        [
            "GROUP",
            "NOW",
            "WANTED",
            "NEXT CHANGE",
            "UTC",
            "CALENDAR ENDS",
            "HOLD",
        ],
        &plans.iter().map(GroupPlan::cells).collect::<Vec<_>>(),
    )?;
    if args.days.is_some() {
        let mut changes: Vec<_> = plans
            .iter()
            .flat_map(|plan| plan.changes.iter().map(move |change| (plan, change)))
            .collect();
        changes.sort_by_key(|(_, change)| change.at);
        let rows = changes.iter().map(|(plan, change)| {
            let note = match change.calendar_ended {
                true => "after the end of the calendar",
                false => "-",
            };
            [
                change.local.clone(),
                utc(change.at),
                plan.group.clone(),
                change.wanted.to_owned(),
                note.to_owned(),
            ]
        });
        output::print("\n")?;
        output::print_texts(
            ["CHANGE", "UTC", "GROUP", "WANTED", "NOTE"],
            &rows.collect::<Vec<_>>(),
        )?;
    }
    let actions = plans.iter().filter_map(|plan| plan.actions.as_ref());
    let rows: Vec<_> = actions
        .flatten()
        .map(|action| {
            [
                action.instance.clone(),
                action.action.to_owned(),
                action.why.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output::print("\n")?;
        output::print_texts(["INSTANCE", "ACTION", "WHY"], &rows)?;
    }
    Ok(())
}

fn print_maintenance(settings: &Settings, at: Timestamp, console: Console) {
    for maintenance in &settings.rules.maintenance {
        if let Some(due) = maintenance.at.next_due(at) {
            console.notice(format_args!(
                "next maintenance of {}: {} ({})",
                maintenance.group,
                controller::local(due, &maintenance.at.zone),
                utc(due)
            ));
        }
    }
}

/// Returns a time in UTC without seconds.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}
