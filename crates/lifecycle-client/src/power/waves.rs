//! Rolling: some instances at a time, the next ones only when these are back.

use std::{num::NonZeroUsize, ops::Range, sync::Arc};

use lifecycle_core::{Fault, FaultKind};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    observe::observer::Observer,
    power::event::{Event, emit},
    power::plan::Plan,
    power::report::{InstanceReport, Report},
    power::run::run,
};

/// How many instances go at a time, and how many failures end it.
///
/// A wave begins when every instance of the one before has its outcome. It is the last one when
/// enough instances have failed by then: the others are [`Skipped`](crate::Outcome::Skipped).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waves {
    size: Size,
    stop_after: NonZeroUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Instances(NonZeroUsize),
    Percent(u8),
}

impl Waves {
    /// So many instances at a time; at least 1.
    pub fn of(instances: usize) -> Self {
        Self::new(Size::Instances(at_least_one(instances)))
    }

    /// So many percent of the request at a time, rounded down; at least 1 instance.
    pub fn percent(percent: u8) -> Self {
        Self::new(Size::Percent(percent))
    }

    fn new(size: Size) -> Self {
        Self {
            size,
            stop_after: NonZeroUsize::MIN,
        }
    }

    /// Sends no further wave once this many instances have not gone as asked; at least 1, which
    /// is what it is unless told otherwise.
    #[must_use]
    pub fn stop_after(mut self, failures: usize) -> Self {
        self.stop_after = at_least_one(failures);
        self
    }

    /// The waves of a request for so many instances, as ranges in the order of the request.
    pub fn ranges(self, instances: usize) -> impl Iterator<Item = Range<usize>> {
        let size = match self.size {
            Size::Instances(size) => size.get(),
            Size::Percent(percent) => instances * usize::from(percent.min(100)) / 100,
        }
        .max(1);
        (0..instances)
            .step_by(size)
            .map(move |start| start..instances.min(start.saturating_add(size)))
    }

    /// Whether no further wave may follow after so many failures.
    pub fn ends_after(self, failures: usize) -> bool {
        failures >= self.stop_after.get()
    }

    /// Why the instances of further waves were not asked for anything.
    pub fn halt(failures: usize) -> Fault {
        Fault::new(
            FaultKind::Halted,
            match failures {
                1 => "an instance before it had failed".to_owned(),
                n => format!("{n} instances before it had failed"),
            },
        )
    }
}

impl Default for Waves {
    /// Everything at once.
    fn default() -> Self {
        Self::percent(100)
    }
}

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// Carries `plan` out, wave by wave where it has waves.
pub(crate) async fn run_rollout(
    observer: &Arc<Observer>,
    mut plan: Plan,
    events: Option<UnboundedSender<Event>>,
) -> Report {
    let Some(waves) = plan.waves else {
        return run(observer, plan, events).await;
    };
    let ids = std::mem::take(&mut plan.ids);
    let mut report = Report::default();
    let mut failures = 0;
    let of = waves.ranges(ids.len()).count();
    for (number, wave) in (1..).zip(waves.ranges(ids.len())) {
        if waves.ends_after(failures) {
            for id in &ids[wave] {
                let row = InstanceReport::skipped(id.clone(), Waves::halt(failures));
                emit(events.as_ref(), || Event::Settled(row.clone()));
                report.push(row);
            }
            continue;
        }
        emit(events.as_ref(), || Event::Wave {
            number,
            of,
            instances: wave.len(),
        });
        let plan = Plan {
            ids: ids[wave].to_vec(),
            ..plan.clone()
        };
        let part = run(observer, plan, events.clone()).await;
        failures += part.failures().count();
        part.into_iter().for_each(|row| report.push(row));
    }
    report
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(waves: Waves, instances: usize) -> Vec<usize> {
        waves.ranges(instances).map(|wave| wave.len()).collect()
    }

    #[test]
    fn waves_are_counted_or_a_share() {
        assert_eq!(sizes(Waves::of(4), 10), [4, 4, 2]);
        assert_eq!(sizes(Waves::percent(30), 10), [3, 3, 3, 1]);
        assert_eq!(sizes(Waves::percent(100), 3), [3]);
        assert_eq!(sizes(Waves::of(9), 0), [0; 0]);
        // Never nothing, and never more than all.
        assert_eq!(sizes(Waves::of(0), 2), [1, 1]);
        assert_eq!(sizes(Waves::percent(1), 2), [1, 1]);
        assert_eq!(sizes(Waves::percent(255), 2), [2]);
        assert_eq!(sizes(Waves::of(usize::MAX), 2), [2]);
    }

    #[test]
    fn failures_end_it_when_they_reach_the_number() {
        assert!(!Waves::of(1).ends_after(0));
        assert!(Waves::of(1).ends_after(1));
        assert!(!Waves::of(1).stop_after(3).ends_after(2));
        assert!(Waves::of(1).stop_after(0).ends_after(1));
    }

    proptest! {
        #[test]
        fn every_instance_is_in_one_wave(count in 0_usize..3_000, size in 0_usize..4_000, share: u8) {
            for waves in [Waves::of(size), Waves::percent(share)] {
                let covered: Vec<usize> = waves.ranges(count).flatten().collect();
                prop_assert_eq!(covered, (0..count).collect::<Vec<_>>());
            }
        }
    }
}
