//! The rule for an instance that occurs several times in one response.

use std::collections::{HashMap, hash_map::Entry};

use lifecycle_core::{InstanceId, Observation, PowerState, StoppedBilling};

/// Folds the rows of each instance in one response into one row, in the order of the first rows.
pub(crate) fn fold(rows: Vec<Observation>) -> Vec<Observation> {
    let mut places: HashMap<InstanceId, usize> = HashMap::with_capacity(rows.len());
    let mut folded: Vec<Observation> = Vec::with_capacity(rows.len());
    for row in rows {
        match places.entry(row.instance.clone()) {
            Entry::Vacant(place) => {
                place.insert(folded.len());
                folded.push(row);
            }
            Entry::Occupied(place) => {
                if let Some(first) = folded.get_mut(*place.get()) {
                    merge(first, row);
                }
            }
        }
    }
    folded
}

/// Folds a further row of an instance into the first row.
///
/// Rows that agree count once. Rows with different states contradict each other: no row is evidence,
/// so the state is [`PowerState::Unknown`], and the raw text names all states. Details that differ
/// are left out, except name, lock and details, where the first row with a value counts.
pub(crate) fn merge(first: &mut Observation, row: Observation) {
    let differs = first.raw != row.raw && !first.raw.split(SEPARATOR).any(|raw| raw == row.raw);
    if differs {
        first.raw = [first.raw.as_str(), row.raw.as_str()].join(SEPARATOR);
    }
    if first.state != row.state {
        first.state = PowerState::Unknown;
    }
    if first.started_at != row.started_at {
        first.started_at = None;
    }
    if first.stopped_billing != row.stopped_billing {
        first.stopped_billing = StoppedBilling::Unknown;
    }
    first.name = first.name.take().or(row.name);
    first.lock = first.lock.take().or(row.lock);
    first.details = first.details.take().or(row.details);
}

/// The text between the states of contradicting rows.
const SEPARATOR: &str = " and ";

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, state: PowerState) -> Observation {
        Observation::new(InstanceId::new(id).unwrap(), state, state.as_str())
    }

    fn texts(rows: Vec<Observation>) -> Vec<String> {
        let text = |row: &Observation| format!("{} {} {:?}", row.instance, row.state, row.raw);
        fold(rows).iter().map(text).collect()
    }

    #[test]
    fn rows_that_agree_count_once() {
        let rows = vec![
            row("i-1", PowerState::Running),
            row("i-2", PowerState::Stopped),
            row("i-1", PowerState::Running),
        ];
        assert_eq!(
            texts(rows),
            [r#"i-1 running "running""#, r#"i-2 stopped "stopped""#]
        );
    }

    #[test]
    fn state_of_contradicting_rows_is_unknown_in_either_order() {
        use PowerState::{Running, Stopped};
        for (states, raw) in [
            (&[Running, Stopped][..], "running and stopped"),
            (&[Stopped, Running], "stopped and running"),
            (&[Stopped, Running, Stopped], "stopped and running"),
        ] {
            let rows = states.iter().map(|state| row("i-1", *state)).collect();
            assert_eq!(texts(rows), [format!("i-1 unknown {raw:?}")]);
        }
    }

    #[test]
    fn details_that_differ_are_left_out() {
        let mut rows = vec![
            row("i-1", PowerState::Stopped),
            row("i-1", PowerState::Stopped),
        ];
        rows[0].started_at = Some("1".to_owned());
        rows[0].stopped_billing = StoppedBilling::NotBilled;
        rows[1].name = Some("web".to_owned());
        let folded = fold(rows);
        assert_eq!(folded[0].started_at, None);
        assert_eq!(folded[0].stopped_billing, StoppedBilling::Unknown);
        assert_eq!(folded[0].name.as_deref(), Some("web"));
    }
}
