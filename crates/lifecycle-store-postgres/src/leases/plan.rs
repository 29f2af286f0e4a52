//! The division of bundles among controllers: a pure function of the rows that a controller reads.

use std::collections::{BTreeMap, BTreeSet};

/// The living controllers and the groups that they have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// The sessions of the controllers that share the groups, without those that make one pass only.
    pub(super) controllers: BTreeSet<String>,
    /// The living holder of each group that has one.
    pub(super) holders: BTreeMap<String, String>,
}

/// The groups that a session releases and takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) release: Vec<String>,
    pub(super) take: Vec<String>,
}

/// The wishes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appetite {
    /// A fair share: the whole number of bundles for each controller, rounded down or up.
    Share {
        /// The session is not in the middle of a pass.
        may_release: bool,
    },
    /// All bundles that no living controller has, for one pass.
    Free,
}

/// Plans for the session `me`.
///
/// The controllers with the most bundles get the larger shares, so that as few bundles move as possible.
pub(super) fn plan(
    me: &str,
    rows: &Rows,
    bundles: &[BTreeSet<String>],
    appetite: Appetite,
) -> Plan {
    let owners: Vec<Option<&str>> = bundles.iter().map(|bundle| owner(bundle, rows)).collect();
    let mine = owners.iter().filter(|owner| **owner == Some(me)).count();
    let allowed = match appetite {
        Appetite::Free => bundles.len(),
        Appetite::Share { .. } => share(me, rows, &owners),
    };
    let mut plan = Plan::default();
    let mut spare = match appetite {
        Appetite::Share { may_release: true } => mine.saturating_sub(allowed),
        _ => 0,
    };
    let mut wanted = allowed.saturating_sub(mine);
    let is_mine = |group: &&String| rows.holders.get(*group).is_some_and(|holder| holder == me);
    let is_free = |group: &&String| !rows.holders.contains_key(*group);
    for (bundle, owner) in bundles.iter().zip(&owners).rev() {
        match owner {
            Some(owner) if *owner == me && spare > 0 => {
                spare -= 1;
                plan.release.extend(bundle.iter().filter(is_mine).cloned());
            }
            // A bundle that became larger: the groups without a holder follow the others.
            Some(owner) if *owner == me => {
                plan.take.extend(bundle.iter().filter(is_free).cloned());
            }
            // A bundle that became larger, and has another owner.
            Some(_) => plan.release.extend(bundle.iter().filter(is_mine).cloned()),
            None if wanted > 0 => {
                wanted -= 1;
                plan.take.extend(bundle.iter().cloned());
            }
            None => {}
        }
    }
    plan
}

/// Returns the owner of a bundle: the holder of its first group that has a holder.
fn owner<'r>(bundle: &BTreeSet<String>, rows: &'r Rows) -> Option<&'r str> {
    let mut holders = bundle.iter().filter_map(|group| rows.holders.get(group));
    holders.next().map(String::as_str)
}

fn share(me: &str, rows: &Rows, owners: &[Option<&str>]) -> usize {
    let count = |session: &str| {
        owners
            .iter()
            .filter(|owner| **owner == Some(session))
            .count()
    };
    let mut ranks: Vec<(usize, &str)> = rows
        .controllers
        .iter()
        .map(|session| (count(session), session.as_str()))
        .collect();
    ranks.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
    let Some(rank) = ranks.iter().position(|(_, session)| *session == me) else {
        return 0;
    };
    let (each, rest) = (owners.len() / ranks.len(), owners.len() % ranks.len());
    each + usize::from(rank < rest)
}

#[cfg(test)]
mod tests;
