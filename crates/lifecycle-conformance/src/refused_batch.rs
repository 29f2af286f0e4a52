//! Exhaustive runs of a refused batch of reboots: every end of the batch on every cloud, every
//! pattern of views afterwards, and a second request for the same instances.
//!
//! One of four instances stops, or is locked, before the request, and the first lookup still shows
//! the instance as before. So the client sends a batch with an instance that the cloud refuses.

use std::{fmt, str::FromStr, time::Duration};

use lifecycle_facade::{RebootOptions, StopMode};
use lifecycle_sim::{
    Cloud, FaultRule, Impairment, InjectedFault, Operation, PowerOperation, Switches,
    switches::{baidu, huawei, zenlayer},
};

use crate::{
    draw::location,
    parallel::map_on_all_cores,
    scenario::{ExternalChange, FaultPlan, Request, Scenario, ScheduledChange},
    simulate::summarize,
};

/// One run with a refused batch of reboots. The text form is
/// `baidu-error-despite-execution,stopped,forced,later,fresh-late-throttled`.
#[derive(Clone, Debug)]
pub struct RefusedBatch {
    end: &'static BatchEnd,
    cause: &'static Named<ExternalChange>,
    mode: &'static Named<StopMode>,
    second: &'static Named<Option<Duration>>,
    /// The views of the lookups after the batch, in a cycle. A view is fresh, late, or throttled.
    views: Vec<&'static Named<Option<InjectedFault>>>,
}

/// A value with the name in the text form.
#[derive(Debug)]
struct Named<T>(&'static str, T);

/// The behaviour of a cloud when an instance of a batch does not allow the action.
#[derive(Debug)]
struct BatchEnd {
    name: &'static str,
    cloud: Cloud,
    set: fn(&mut Switches),
}

const fn end(name: &'static str, cloud: Cloud, set: fn(&mut Switches)) -> BatchEnd {
    BatchEnd { name, cloud, set }
}

/// The possible ends of a refused batch.
static ENDS: [BatchEnd; 12] = [
    end("baidu-whole", Cloud::Baidu, |switches| {
        switches.baidu.batch_failure = baidu::BatchFailure::AllFail;
    }),
    end("baidu-partial", Cloud::Baidu, |switches| {
        switches.baidu.batch_failure = baidu::BatchFailure::Partial;
    }),
    end("baidu-error-despite-execution", Cloud::Baidu, |switches| {
        switches.baidu.batch_failure = baidu::BatchFailure::ErrorDespiteExecution;
    }),
    end("aliyun-unnamed", Cloud::Aliyun, |switches| {
        switches.aliyun.error_names_the_instance = false;
    }),
    end("aliyun-named", Cloud::Aliyun, |switches| {
        switches.aliyun.error_names_the_instance = true;
    }),
    end("zenlayer-listed", Cloud::Zenlayer, |switches| {
        switches.zenlayer.batch_failure = zenlayer::BatchFailure::Listed;
    }),
    end("zenlayer-whole", Cloud::Zenlayer, |switches| {
        switches.zenlayer.batch_failure = zenlayer::BatchFailure::AllFail;
    }),
    end("zenlayer-whole-for-unknown", Cloud::Zenlayer, |switches| {
        switches.zenlayer.batch_failure = zenlayer::BatchFailure::AllFailForUnknown;
    }),
    end(
        "zenlayer-error-despite-execution",
        Cloud::Zenlayer,
        |switches| {
            switches.zenlayer.batch_failure = zenlayer::BatchFailure::ErrorDespiteExecution;
        },
    ),
    end("huawei-sub-job-fails", Cloud::Huawei, |switches| {
        switches.huawei.unfit_server = huawei::UnfitServer::SubJobFails;
    }),
    end("huawei-refused", Cloud::Huawei, |switches| {
        switches.huawei.unfit_server = huawei::UnfitServer::Refused;
    }),
    end("huawei-refused-with-details", Cloud::Huawei, |switches| {
        switches.huawei.unfit_server = huawei::UnfitServer::RefusedWithDetails;
    }),
];

/// The change of the refused instance before the request.
static CAUSES: [Named<ExternalChange>; 2] = [
    Named("stopped", ExternalChange::Power(PowerOperation::ForcedStop)),
    Named(
        "locked",
        ExternalChange::Impairment(Some(Impairment::Locked)),
    ),
];

static MODES: [Named<StopMode>; 2] = [
    Named("graceful", StopMode::Graceful),
    Named("forced", StopMode::Forced),
];

/// The time from the first to the second request.
static SECONDS: [Named<Option<Duration>>; 3] = [
    Named("alone", None),
    Named("together", Some(Duration::ZERO)),
    Named("later", Some(Duration::from_secs(20))),
];

/// A late view shows the state before the change, because the view is older than the time between the
/// change and the request.
const LATE: InjectedFault = InjectedFault::Stale(Duration::from_secs(9));

static VIEWS: [Named<Option<InjectedFault>>; 3] = [
    Named("fresh", None),
    Named("late", Some(LATE)),
    Named("throttled", Some(InjectedFault::Throttled { hint: None })),
];

/// The number of lookups with a drawn view after the batch.
const LOOKUPS: usize = 9;

/// Runs every case with patterns of `length` views. Returns the number of runs, and the cases with
/// broken promises.
pub fn run_all_refused_batches(length: u32) -> (usize, Vec<(RefusedBatch, Vec<String>)>) {
    let all: Vec<RefusedBatch> = all(length).collect();
    let problems = map_on_all_cores(all.len(), |number| {
        summarize(&all[number].scenario()).problems
    });
    let runs = all.len();
    let failures = all.into_iter().zip(problems);
    let failures = failures.filter(|(_, problems)| !problems.is_empty());
    (runs, failures.collect())
}

/// Returns all cases with patterns of `length` views.
fn all(length: u32) -> impl Iterator<Item = RefusedBatch> {
    let patterns = VIEWS.len().pow(length);
    let pattern = move |number: usize| {
        let digit = move |place| number / VIEWS.len().pow(place) % VIEWS.len();
        (0..length).map(|place| &VIEWS[digit(place)]).collect()
    };
    let cases = ENDS.iter().flat_map(|end| {
        CAUSES.iter().flat_map(move |cause| {
            MODES.iter().flat_map(move |mode| {
                let seconds = SECONDS.iter();
                seconds.map(move |second| (end, cause, mode, second))
            })
        })
    });
    cases.flat_map(move |(end, cause, mode, second)| {
        (0..patterns).map(move |number| RefusedBatch {
            end,
            cause,
            mode,
            second,
            views: pattern(number),
        })
    })
}

impl RefusedBatch {
    /// Returns the scenario of the case.
    pub fn scenario(&self) -> Scenario {
        const CHANGED_AT: Duration = Duration::from_secs(5);
        const REQUESTED_AT: Duration = Duration::from_secs(13);
        const WAIT_TIMEOUT: Duration = Duration::from_secs(300);
        let mut options = RebootOptions::default();
        options.mode = self.mode.1;
        let request = |starts_at| Request {
            starts_at,
            ..Request::new(options.into(), Some(WAIT_TIMEOUT))
        };
        let second = self.second.1.map(|after| request(REQUESTED_AT + after));
        let mut switches = Switches::default();
        (self.end.set)(&mut switches);
        Scenario {
            seed: 1,
            cloud: self.end.cloud,
            fleet: format!("{}=4:running", location(self.end.cloud)),
            ready: 4,
            requests: [request(REQUESTED_AT)].into_iter().chain(second).collect(),
            lists: Vec::new(),
            changes: vec![ScheduledChange {
                at: CHANGED_AT,
                instance: 3,
                change: self.cause.1,
            }],
            switches,
            batch_reboot: true,
            faults: FaultPlan {
                rules: self.rules(),
                ..FaultPlan::default()
            },
            mutation: None,
        }
    }

    /// Returns the faults of the lookups: a late view before the batch, then the pattern.
    fn rules(&self) -> Vec<FaultRule> {
        let pattern = self.views.iter().cycle().take(LOOKUPS);
        let views = [Some(&LATE)]
            .into_iter()
            .chain(pattern.map(|view| view.1.as_ref()));
        let mut rules = Vec::new();
        for (lookup, view) in views.enumerate() {
            if let Some(fault) = view {
                // A rule counts no call with a fault from an earlier rule.
                let skip = (lookup - rules.len()) as u64;
                rules.push(
                    FaultRule::new(fault.clone())
                        .on(Operation::Observe)
                        .skip(skip),
                );
            }
        }
        rules
    }
}

impl fmt::Display for RefusedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            end,
            cause,
            mode,
            second,
            views,
        } = self;
        let views: Vec<&str> = views.iter().map(|view| view.0).collect();
        let (cause, mode, second) = (cause.0, mode.0, second.0);
        write!(
            f,
            "{},{cause},{mode},{second},{}",
            end.name,
            views.join("-")
        )
    }
}

impl FromStr for RefusedBatch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("invalid case {text:?}");
        let parts: Vec<&str> = text.split(',').collect();
        let [end, cause, mode, second, views] = parts[..] else {
            return Err(invalid());
        };
        let end = ENDS.iter().find(|known| known.name == end);
        let views = views.split('-').map(|view| named(&VIEWS, view));
        let found = || {
            Some(Self {
                end: end?,
                cause: named(&CAUSES, cause)?,
                mode: named(&MODES, mode)?,
                second: named(&SECONDS, second)?,
                views: views.collect::<Option<_>>()?,
            })
        };
        found().ok_or_else(invalid)
    }
}

fn named<T>(all: &'static [Named<T>], name: &str) -> Option<&'static Named<T>> {
    all.iter().find(|known| known.0 == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_case_displays_the_same_text() {
        let text = "baidu-error-despite-execution,stopped,forced,later,fresh-late-throttled";
        let case: RefusedBatch = text.parse().unwrap();
        assert_eq!(case.to_string(), text);
    }

    #[test]
    fn invalid_text_is_no_case() {
        for invalid in [
            "",
            "a,b,c,d,e",
            "baidu-whole,stopped,forced,later,",
            "baidu-whole",
        ] {
            assert!(invalid.parse::<RefusedBatch>().is_err(), "{invalid:?}");
        }
    }
}
