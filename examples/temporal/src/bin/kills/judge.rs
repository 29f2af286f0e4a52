//! The results of the rounds: the reports of the workflows against the ledger of the simulated clouds.

use std::collections::BTreeMap;

use lifecycle_temporal_example::power::PowerReport;

/// One machine in one round.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: String,
    /// The outcome in the report; `None` in the control group.
    outcome: Option<String>,
    pub(crate) executed: u32,
}

/// A workflow that sent nothing.
const NOTHING_SENT: &str = "nothing sent";

impl Machine {
    /// `report` is `None` for a failed workflow, which sent nothing.
    pub(crate) fn fenced(name: String, report: Option<&PowerReport>) -> Self {
        let rows = report.map_or(&[][..], |report| &report.rows);
        let row = rows.iter().find(|row| row.instance == name);
        Self {
            outcome: Some(
                row.map_or(NOTHING_SENT, |row| row.outcome.as_str())
                    .to_owned(),
            ),
            name,
            executed: 0,
        }
    }

    pub(crate) fn control(name: String) -> Self {
        Self {
            name,
            outcome: None,
            executed: 0,
        }
    }

    /// Returns the contradiction between the report and the ledger.
    fn contradiction(&self) -> Option<String> {
        let outcome = self.outcome.as_deref()?;
        let executed = self.executed;
        let is_true = match outcome {
            "reached" | "accepted" | "pending" => executed == 1,
            "uncertain" => executed <= 1,
            _ => executed == 0,
        };
        (!is_true).then(|| {
            format!(
                "{}: reported {outcome}, executed {executed} times",
                self.name
            )
        })
    }
}

/// One round.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) number: u32,
    pub(crate) kill: String,
    pub(crate) machines: Vec<Machine>,
}

/// All rounds.
#[derive(Debug)]
pub(crate) struct RoundResults {
    /// Judge the control group.
    unfenced: bool,
    rounds: u32,
    contradictions: Vec<String>,
    outcomes: BTreeMap<String, u32>,
    fenced: Total,
    control: Total,
}

/// The reboots of a group of machines.
#[derive(Debug, Default)]
struct Total {
    requested: u32,
    executed: u32,
    twice: u32,
}

impl Total {
    fn add(&mut self, executed: u32) {
        self.requested += 1;
        self.executed += executed;
        self.twice += u32::from(executed > 1);
    }
}

impl RoundResults {
    pub(crate) fn new(unfenced: bool) -> Self {
        Self {
            unfenced,
            rounds: 0,
            contradictions: Vec::new(),
            outcomes: BTreeMap::new(),
            fenced: Total::default(),
            control: Total::default(),
        }
    }

    /// Adds a round, and prints its line.
    pub(crate) fn add(&mut self, round: Round) {
        self.rounds += 1;
        let mut executed = Vec::new();
        for machine in &round.machines {
            match &machine.outcome {
                Some(outcome) => {
                    executed.push(format!("{outcome} {}", machine.executed));
                    *self.outcomes.entry(outcome.clone()).or_default() += 1;
                    self.fenced.add(machine.executed);
                }
                None => {
                    executed.push(format!("control {}", machine.executed));
                    self.control.add(machine.executed);
                }
            }
            self.contradictions.extend(machine.contradiction());
        }
        println!(
            "round {}: {}; {}",
            round.number,
            round.kill,
            executed.join(", ")
        );
    }

    /// Returns true if each machine was rebooted at most once for each request, and every report is true.
    pub(crate) fn holds(&self) -> bool {
        let control_holds = !self.unfenced || self.control.twice == 0;
        self.contradictions.is_empty() && self.fenced.executed > 0 && control_holds
    }

    pub(crate) fn print(&self) {
        for contradiction in &self.contradictions {
            println!("broken: {contradiction}");
        }
        println!();
        println!("| machines of | requested reboots | executed | executed twice or more |");
        println!("| --- | --- | --- | --- |");
        let rows = [
            ("workflows with a journal, one attempt", &self.fenced),
            ("control: no journal, three attempts", &self.control),
        ];
        for (name, total) in rows {
            let Total {
                requested,
                executed,
                twice,
            } = total;
            println!("| {name} | {requested} | {executed} | {twice} |");
        }
        println!();
        let outcomes = self.outcomes.iter();
        let outcomes: Vec<String> = outcomes
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        println!("outcomes of the workflows: {}", outcomes.join(", "));
        if self.unfenced && self.control.twice > 0 {
            println!(
                "broken: the control group rebooted {} machines twice",
                self.control.twice
            );
        } else if self.control.twice == 0 {
            println!(
                "no kill made the control group reboot twice: the kills proved little; use more rounds"
            );
        }
    }
}
