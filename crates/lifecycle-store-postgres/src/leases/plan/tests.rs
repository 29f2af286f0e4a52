//! Drawn histories of joins, renewals, freezes and deaths, against a model of the tables.

use proptest::prelude::*;

use super::*;

/// One event of a history. The number draws a controller.
#[derive(Clone, Copy, Debug)]
enum Step {
    Join,
    Renew(usize),
    /// The controller does not renew any more, and its rows expire.
    Die(usize),
    /// The controller reads the rows now, and acts on the plan after the next steps.
    Freeze(usize),
    Thaw(usize),
    BeginPass(usize),
    EndPass(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0_usize..8;
    prop_oneof![
        2 => Just(Step::Join),
        8 => who.clone().prop_map(Step::Renew),
        1 => who.clone().prop_map(Step::Die),
        1 => who.clone().prop_map(Step::Freeze),
        1 => who.clone().prop_map(Step::Thaw),
        1 => who.clone().prop_map(Step::BeginPass),
        1 => who.prop_map(Step::EndPass),
    ]
}

/// The tables, as the server changes them.
#[derive(Debug, Default)]
struct Model {
    rows: Rows,
    passing: BTreeSet<String>,
    frozen: BTreeMap<String, Plan>,
    next: usize,
}

impl Model {
    fn pick(&self, at: usize) -> Option<String> {
        let sessions: Vec<_> = self.rows.controllers.iter().collect();
        let at = at.checked_rem(sessions.len())?;
        sessions.get(at).map(|session| (*session).clone())
    }

    fn plan(&self, me: &str, bundles: &[BTreeSet<String>]) -> Plan {
        let may_release = !self.passing.contains(me);
        plan(me, &self.rows, bundles, Appetite::Share { may_release })
    }

    /// Applies a plan as the statements do: a release of own rows, and inserts that lose against a row.
    fn apply(&mut self, me: &str, plan: &Plan) {
        if !self.rows.controllers.contains(me) {
            return;
        }
        for group in &plan.release {
            if self
                .rows
                .holders
                .get(group)
                .is_some_and(|holder| holder == me)
            {
                self.rows.holders.remove(group);
            }
        }
        for group in &plan.take {
            let holder = self.rows.holders.entry(group.clone());
            holder.or_insert_with(|| me.to_owned());
        }
    }

    fn expire(&mut self, session: &str) {
        self.rows.controllers.remove(session);
        self.rows.holders.retain(|_, holder| holder != session);
        self.passing.remove(session);
    }

    fn renew(&mut self, me: &str, bundles: &[BTreeSet<String>]) {
        if !self.frozen.contains_key(me) {
            let plan = self.plan(me, bundles);
            self.apply(me, &plan);
        }
    }

    fn step(&mut self, step: Step, bundles: &[BTreeSet<String>]) {
        match step {
            Step::Join => {
                if self.rows.controllers.len() < 8 {
                    self.next += 1;
                    self.rows.controllers.insert(format!("c{}", self.next));
                }
            }
            Step::Renew(at) => {
                if let Some(me) = self.pick(at) {
                    self.renew(&me, bundles);
                }
            }
            Step::Die(at) => {
                if let Some(me) = self.pick(at) {
                    self.expire(&me);
                    self.frozen.remove(&me);
                }
            }
            Step::Freeze(at) => {
                if let Some(me) = self.pick(at) {
                    let plan = self.plan(&me, bundles);
                    self.frozen.entry(me).or_insert(plan);
                }
            }
            Step::Thaw(at) => {
                let frozen = self.frozen.keys().nth(at).cloned();
                if let Some((me, plan)) = frozen.and_then(|me| self.frozen.remove_entry(&me)) {
                    self.apply(&me, &plan);
                }
            }
            Step::BeginPass(at) => self.passing.extend(self.pick(at)),
            Step::EndPass(at) => {
                if let Some(me) = self.pick(at) {
                    self.passing.remove(&me);
                }
            }
        }
    }

    fn counts(&self, bundles: &[BTreeSet<String>]) -> Vec<usize> {
        let owned = |session: &String| {
            let owned = bundles
                .iter()
                .filter(|bundle| owner(bundle, &self.rows) == Some(session.as_str()));
            owned.count()
        };
        self.rows.controllers.iter().map(owned).collect()
    }
}

/// Bundles of one to three groups.
fn bundles() -> impl Strategy<Value = Vec<BTreeSet<String>>> {
    prop::collection::vec(1_usize..4, 0..12).prop_map(|sizes| {
        let sizes = sizes.into_iter().enumerate();
        sizes
            .map(|(at, size)| (0..size).map(|n| format!("g{at:02}-{n}")).collect())
            .collect()
    })
}

proptest! {
    #[test]
    fn leases_settle_to_fair_shares_after_any_history(
        bundles in bundles(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut model = Model::default();
        for step in steps {
            model.step(step, &bundles);
        }
        // Frozen controllers expire, and the others renew for a while.
        for session in model.frozen.keys().cloned().collect::<Vec<_>>() {
            model.expire(&session);
        }
        model.frozen.clear();
        model.passing.clear();
        let living: Vec<_> = model.rows.controllers.iter().cloned().collect();
        for _ in 0..4 {
            for session in &living {
                model.renew(session, &bundles);
            }
        }
        if living.is_empty() {
            prop_assert!(model.rows.holders.is_empty());
            return Ok(());
        }
        let counts = model.counts(&bundles);
        let each = bundles.len() / living.len();
        let rest = bundles.len() % living.len();
        prop_assert!(counts.iter().all(|count| *count == each || *count == each + 1), "{counts:?}");
        prop_assert_eq!(counts.iter().filter(|count| **count > each).count(), rest);
        for bundle in &bundles {
            let holders: BTreeSet<_> = bundle.iter().map(|group| model.rows.holders.get(group)).collect();
            prop_assert!(holders.len() == 1 && !holders.contains(&None), "{bundle:?}: {holders:?}");
        }
        // Nothing moves any more.
        for session in &living {
            prop_assert_eq!(model.plan(session, &bundles), Plan::default());
        }
    }

    #[test]
    fn no_group_is_released_in_the_middle_of_a_pass(
        bundles in bundles(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut model = Model::default();
        for step in steps {
            model.step(step, &bundles);
            for session in &model.passing {
                let plan = model.plan(session, &bundles);
                let whole = plan.release.iter().filter(|group| {
                    let bundle = bundles.iter().find(|bundle| bundle.contains(*group));
                    bundle.is_some_and(|bundle| owner(bundle, &model.rows) == Some(session.as_str()))
                });
                prop_assert_eq!(whole.count(), 0);
            }
        }
    }
}

#[test]
fn single_pass_takes_what_no_living_controller_has() {
    let bundles: Vec<BTreeSet<String>> = ["a", "b", "c"]
        .map(|name| BTreeSet::from([name.to_owned()]))
        .into();
    let rows = Rows {
        controllers: BTreeSet::from(["run".to_owned()]),
        holders: BTreeMap::from([("b".to_owned(), "run".to_owned())]),
    };
    let plan = plan("apply", &rows, &bundles, Appetite::Free);
    assert_eq!(plan.take, ["c", "a"]);
    assert_eq!(plan.release, Vec::<String>::new());
}
