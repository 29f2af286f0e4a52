//! Bundles: groups that can share a machine. One controller has all groups of a bundle, because the wish of
//! each group counts for the machine.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lifecycle_facade::{
    InstanceReference, Location, LocationPattern, Selector,
    config::Group,
    lifecycle_core::{InstanceFilter, TagCondition},
};

/// Returns the bundles of groups, in the order of their first groups.
///
/// Two lists share a machine if both name the machine, whatever the account and the spelling of the id. A selection
/// can share a machine with a group in the same location, unless both selections want different values of one tag.
pub(super) fn bundles(members: &BTreeMap<String, Group>) -> Vec<BTreeSet<String>> {
    let (names, members): (Vec<_>, Vec<_>) = members
        .iter()
        .map(|(name, group)| (name, Members::of(group)))
        .unzip();
    let mut bundles = Bundles((0..members.len()).collect());
    // The lists of a fleet are long: one walk over their machines instead of a comparison of each two.
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, group) in members.iter().enumerate() {
        match group {
            Members::References(references, _) => {
                for reference in references {
                    bundles.join(at, *first.entry(reference).or_insert(at));
                }
            }
            Members::Selection(_) => {
                let others = members.iter().enumerate();
                for (other, _) in others.filter(|(_, other)| other.may_share(group)) {
                    bundles.join(at, other);
                }
            }
            Members::Unreadable => {}
        }
    }
    let mut named: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (at, name) in names.into_iter().enumerate() {
        named
            .entry(bundles.first(at))
            .or_default()
            .insert(name.clone());
    }
    named.into_values().collect()
}

/// Disjoint sets of groups: for each group, an earlier group of its bundle, or the group itself.
struct Bundles(Vec<usize>);

impl Bundles {
    fn first(&mut self, mut group: usize) -> usize {
        while self.0[group] != group {
            self.0[group] = self.0[self.0[group]];
            group = self.0[group];
        }
        group
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
}

/// The machines of a group, as far as the configuration file tells.
enum Members {
    References(Vec<String>, BTreeSet<Location>),
    Selection(Box<Selector>),
    /// The keeper reports the mistake.
    Unreadable,
}

impl Members {
    fn of(group: &Group) -> Self {
        match group {
            Group::References(entries) => {
                let texts = entries.iter().map(|entry| entry.text.parse());
                let references: Vec<InstanceReference> = texts.filter_map(Result::ok).collect();
                let machines = references.iter();
                let names = machines
                    .map(|reference| reference.machine().to_string())
                    .collect();
                let locations = references.into_iter().map(|reference| reference.location);
                Self::References(names, locations.collect())
            }
            Group::Selection(selection) => match Selector::from_config(selection) {
                Ok(selector) => Self::Selection(Box::new(selector)),
                Err(_) => Self::Unreadable,
            },
            _ => Self::Unreadable,
        }
    }

    /// Returns true if a selection and another group can have a machine in common.
    fn may_share(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::References(_, locations), Self::Selection(selector))
            | (Self::Selection(selector), Self::References(_, locations)) => {
                locations.iter().any(|location| {
                    let location = LocationPattern::from(location.clone());
                    let mut patterns = selector.locations.iter();
                    selector.locations.is_empty()
                        || patterns.any(|pattern| may_overlap(pattern, &location))
                })
            }
            (Self::Selection(one), Self::Selection(other)) => {
                let all = one.locations.is_empty() || other.locations.is_empty();
                let mut pairs = one
                    .locations
                    .iter()
                    .flat_map(|one| other.locations.iter().map(move |other| (one, other)));
                (all || pairs.any(|(one, other)| may_overlap(one, other)))
                    && !have_other_tags(&one.filter, &other.filter)
            }
            _ => false,
        }
    }
}

/// Returns false only if no machine is in both.
fn may_overlap(one: &LocationPattern, other: &LocationPattern) -> bool {
    match (one, other) {
        (LocationPattern::Location(one), LocationPattern::Location(other)) => one == other,
        (
            LocationPattern::Location(location),
            LocationPattern::Regions {
                cloud,
                account,
                region,
            },
        )
        | (
            LocationPattern::Regions {
                cloud,
                account,
                region,
            },
            LocationPattern::Location(location),
        ) => {
            location.cloud == *cloud
                && location.account.as_deref() == account.as_deref()
                && region.matches(&location.region)
        }
        (
            LocationPattern::Regions { cloud, account, .. },
            LocationPattern::Regions {
                cloud: other_cloud,
                account: other_account,
                ..
            },
        ) => cloud == other_cloud && account == other_account,
        (LocationPattern::Account(account), other) | (other, LocationPattern::Account(account)) => {
            account_of(other).is_some_and(|other| other == account)
        }
        _ => true,
    }
}

fn account_of(pattern: &LocationPattern) -> Option<&str> {
    match pattern {
        LocationPattern::Location(location) => location.account.as_deref(),
        LocationPattern::Regions { account, .. } => account.as_deref(),
        LocationPattern::Account(account) => Some(account),
        _ => None,
    }
}

/// Returns true if both filters want one value of the same tag, and different values.
fn have_other_tags(one: &InstanceFilter, other: &InstanceFilter) -> bool {
    let values = |filter: &InstanceFilter| -> BTreeMap<String, String> {
        let tags = filter.tags.iter();
        tags.filter_map(|tag| match tag {
            TagCondition::Equals { key, value } => Some((key.clone(), value.clone())),
            _ => None,
        })
        .collect()
    };
    let other = values(other);
    values(one)
        .iter()
        .any(|(key, value)| other.get(key).is_some_and(|other| other != value))
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::config::Config;

    use super::*;

    fn bundled(groups: &str) -> Vec<Vec<String>> {
        let config = Config::parse(groups).unwrap();
        let bundles = bundles(&config.groups).into_iter();
        bundles.map(|bundle| bundle.into_iter().collect()).collect()
    }

    #[test]
    fn groups_that_share_a_machine_stay_together() {
        let found = bundled(
            r#"
            groups.a = ["baidu/bj/i-1", "baidu/bj/i-2"]
            groups.b = ["baidu/bj/i-3"]
            groups.c = ["baidu/bj/i-3", "baidu/bj/i-4"]
            groups.d = ["baidu/bj/i-4", "baidu/bj/i-2"]
            groups.e = ["baidu/bj/i-5"]
            "#,
        );
        assert_eq!(found, [vec!["a", "b", "c", "d"], vec!["e"]]);
    }

    #[test]
    fn groups_that_name_a_machine_through_two_accounts_stay_together() {
        let id = "616fb98f-46ca-475e-917e-2563e5a8cd19";
        let upper = id.to_ascii_uppercase();
        let found = bundled(&format!(
            "accounts.ops.cloud = \"huawei\"\n\
             groups.a = [\"huawei/cn-north-4/{id}\"]\n\
             groups.b = [\"ops@huawei/cn-north-4/{upper}\"]\n\
             groups.c = [\"huawei/cn-east-3/{id}\"]\n"
        ));
        assert_eq!(found, [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn selections_in_one_location_stay_together_unless_a_tag_tells_them_apart() {
        let found = bundled(
            r#"
            groups.a = { select = { in = ["baidu/bj"], tags = { env = "dev" } } }
            groups.b = { select = { in = ["baidu/*"], tags = { env = "prod" } } }
            groups.c = { select = { in = ["baidu/bj"], name = "ci-*" } }
            groups.d = { select = { in = ["aliyun/cn-hangzhou"] } }
            groups.e = ["aliyun/cn-hangzhou/i-1"]
            groups.f = ["aliyun/cn-beijing/i-1"]
            "#,
        );
        assert_eq!(found, [vec!["a", "b", "c"], vec!["d", "e"], vec!["f"]]);
        let apart = bundled(
            r#"
            groups.a = { select = { in = ["baidu/bj"], tags = { env = "dev" } } }
            groups.b = { select = { in = ["baidu/bj"], tags = { env = "prod" } } }
            "#,
        );
        assert_eq!(apart, [vec!["a"], vec!["b"]]);
    }
}
