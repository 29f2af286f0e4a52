//! The verdict: the ledger of the clouds against the tables of the database.

use std::collections::BTreeMap;

use super::stage::Stage;

impl Stage {
    /// Compares what the clouds executed with what the controllers recorded.
    pub(super) fn judge(&self) {
        println!("faults: {:?}", self.faults);
        // A start or a stop can have several intents in an operation; a reboot has one row for each operation.
        let intents = self.counts(
            "select e ->> 'instance', record -> 'action' ->> 'kind', count(*) \
             from lifecycle.event, jsonb_array_elements(record -> 'instances') e \
             where kind = 'intent' and record -> 'action' ->> 'kind' <> 'reboot' group by 1, 2 \
             union all select instance, action, count(*) from lifecycle.intent \
             where action = 'reboot' group by 1, 2",
        );
        let outcomes = self.counts(
            "select i.instance, i.outcome, count(*) from lifecycle.intent i \
             join lifecycle.operation o on o.id = i.operation where o.action = 'reboot' group by 1, 2",
        );
        let ledger = self.simulator.ledger();
        let mut executed_reboots = 0;
        for machine in self.simulator.instances() {
            let executed = ledger.executed(&machine).unwrap();
            let recorded = |kind: &str| count(&intents, &machine, kind);
            for (kind, executed) in [
                ("start", executed.starts),
                ("stop", executed.stops),
                ("reboot", executed.reboots),
            ] {
                assert!(
                    executed <= recorded(kind),
                    "{machine}: executed {kind} {executed} times, recorded {} times\n{}",
                    recorded(kind),
                    self.logs()
                );
            }
            let outcome = |name: &str| count(&outcomes, &machine, name);
            let reached = outcome("reached");
            let possible =
                reached + outcome("uncertain") + outcome("accepted") + outcome("pending");
            assert!(
                (reached..=possible).contains(&executed.reboots),
                "{machine}: executed {} reboots, reached {reached}, possible {possible}: {outcomes:?}\n{}",
                executed.reboots,
                self.logs()
            );
            executed_reboots += executed.reboots;
        }
        let requests: usize = self.reboots.values().map(Vec::len).sum();
        println!(
            "reboots: requested {requests}, executed {executed_reboots}; outcomes: {:?}",
            totals(&outcomes)
        );
        assert!(
            executed_reboots > 0,
            "no reboot was executed\n{}",
            self.logs()
        );
    }

    /// Returns the counts of a query by its first two columns.
    fn counts(&self, sql: &str) -> BTreeMap<(String, String), u32> {
        let text = self.cluster.psql("chaos", sql);
        let rows = text.lines().filter_map(|line| {
            let mut cells = line.split('|');
            let key = (cells.next()?.to_owned(), cells.next()?.to_owned());
            Some((key, cells.next()?.parse().ok()?))
        });
        rows.collect()
    }
}

fn count(counts: &BTreeMap<(String, String), u32>, machine: &str, name: &str) -> u32 {
    let key = (machine.to_owned(), name.to_owned());
    counts.get(&key).copied().unwrap_or_default()
}

fn totals(counts: &BTreeMap<(String, String), u32>) -> BTreeMap<&str, u32> {
    let mut totals = BTreeMap::new();
    for ((_, name), count) in counts {
        *totals.entry(name.as_str()).or_default() += count;
    }
    totals
}
