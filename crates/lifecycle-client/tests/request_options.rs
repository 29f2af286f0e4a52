//! Tests of the options of a request: strict, forced stop after a graceful stop, maximum number of
//! instances.

mod support;

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use lifecycle_client::{Error, Event, Outcome, Pending};
use lifecycle_core::{FaultKind, PowerState};
use support::{CallResult, ScriptedCloud, all_in_state, fault, ids, ok, outcomes, seconds};

mod strict {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn instance_at_the_goal_is_refused_without_a_call() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => ok("i-0 running\ni-1 stopped\ni-2 starting"),
            _ => ok("ok"),
        });
        let report = cloud.client().start(ids(3)).strict().await.unwrap();
        assert_eq!(outcomes(&report), ["refused", "accepted", "refused"]);
        assert_eq!(cloud.calls("start")[0].ids, ["i-1"]);
        let told = report.instances()[0].to_string();
        assert!(
            told.contains("the instance is running; nothing was sent"),
            "{told}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn instance_at_the_goal_is_unchanged_without_strict() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "running"),
            _ => fault(FaultKind::WrongState),
        });
        let report = cloud.client().start(ids(1)).await.unwrap();
        assert_eq!(outcomes(&report), ["unchanged"]);
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_batch_at_the_goal_since_is_reached() {
        for (instances, expected) in [(1, "refused"), (2, "reached")] {
            let looks = AtomicUsize::new(0);
            let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
                "observe" if looks.fetch_add(1, Ordering::Relaxed) == 0 => {
                    all_in_state(sent, "stopped")
                }
                "observe" => all_in_state(sent, "running"),
                _ => fault(FaultKind::WrongState),
            });
            let report = cloud.client().start(ids(instances)).strict().await;
            assert_eq!(outcomes(&report.unwrap()), vec![expected; instances]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn job_that_fails_because_of_its_own_repeat_is_accepted_once() {
        let starts = AtomicUsize::new(0);
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(1) => all_in_state(sent, "stopped"),
            "observe" if sent.at < seconds(20) => all_in_state(sent, "starting"),
            "observe" => all_in_state(sent, "running"),
            "start" if starts.fetch_add(1, Ordering::Relaxed) == 0 => CallResult::ConnectionBroken,
            "start" => ok("job j-1"),
            _ => ok("wrong-state\ni-0 wrong-state"),
        });
        let client = cloud.client();
        let request = client.start(ids(1)).strict().wait(seconds(60));
        let events: Vec<Event> = request.events().collect().await;
        let accepted = |event: &&Event| matches!(event, Event::Accepted { .. });
        assert_eq!(events.iter().filter(accepted).count(), 1, "{events:#?}");
        let Some(Event::Finished(Ok(report))) = events.last() else {
            panic!("no report");
        };
        assert_eq!(outcomes(report), ["reached"]);
    }

    #[tokio::test(start_paused = true)]
    async fn unobservable_instance_is_skipped() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => fault(FaultKind::Permission),
            _ => ok("ok"),
        });
        let report = cloud.client().stop(ids(2)).strict().await.unwrap();
        assert_eq!(outcomes(&report), ["skipped"; 2]);
        assert_eq!(cloud.calls("stop"), []);
    }
}

mod force_after {
    use super::*;

    /// A cloud that stops `i-0` gracefully, and the others only by force, if `takes_force`.
    fn stubborn(takes_force: bool) -> ScriptedCloud {
        let forced = AtomicBool::new(false);
        ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" if forced.load(Ordering::Relaxed) => all_in_state(sent, "stopped"),
            "observe" => ok("i-0 stopped\ni-1 running\ni-2 stopping"),
            "force-stop" if takes_force => {
                forced.store(true, Ordering::Relaxed);
                ok("ok")
            }
            "force-stop" => fault(FaultKind::Permission),
            _ => ok("ok"),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn only_late_instances_are_forced() {
        let cloud = stubborn(true);
        let client = cloud.client();
        let request = client.stop(ids(3)).force_after(seconds(60));
        let events: Vec<Event> = request.events().collect().await;
        let Some(Event::Finished(Ok(report))) = events.last() else {
            panic!("no report");
        };
        assert_eq!(outcomes(report), ["reached"; 3]);
        let forced = cloud.calls("force-stop");
        assert_eq!(forced.len(), 1);
        assert_eq!(forced[0].ids, ["i-1", "i-2"]);
        assert_eq!(forced[0].at, seconds(60));
        let told = |event: &&Event| matches!(event, Event::Forcing { .. });
        assert_eq!(events.iter().filter(told).count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn instances_that_stop_in_time_are_not_forced() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "stopped"),
            _ => ok("ok"),
        });
        let report = cloud
            .client()
            .stop(ids(25))
            .force_after(seconds(60))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["reached"; 25]);
        assert_eq!(cloud.calls("force-stop"), []);
        assert!(cloud.log().last().unwrap().at < seconds(10));
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_force_leaves_the_graceful_stop_pending() {
        let report = stubborn(false)
            .client()
            .stop(ids(3))
            .force_after(seconds(60))
            .wait(seconds(120))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["reached", "pending", "pending"]);
        let Outcome::Pending(Pending::NotForced(why)) = &report.instances()[1].outcome else {
            panic!("{}", report.instances()[1]);
        };
        assert_eq!(why.kind(), FaultKind::Permission);
    }

    /// A stop of one instance: the answers of the cloud, and the expected end.
    struct Case {
        name: &'static str,
        stop: fn() -> CallResult,
        job: &'static str,
        force_stop: fn() -> CallResult,
        /// The state before `down_at`.
        state: &'static str,
        /// The instance is stopped from this second on.
        down_at: u64,
        force_after: u64,
        outcome: &'static str,
        forced_calls: usize,
    }

    impl Case {
        /// A stop whose job fails, forced after 60 s.
        fn failed_job(name: &'static str) -> Self {
            Self {
                name,
                stop: || ok("job j-1"),
                job: "failed\ni-0 failed",
                force_stop: || ok("ok"),
                state: "running",
                down_at: 60,
                force_after: 60,
                outcome: "reached",
                forced_calls: 1,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn open_instance_is_forced_when_its_time_has_come() {
        let cases = [
            Case::failed_job("failed job"),
            Case {
                job: "running",
                ..Case::failed_job("job without end")
            },
            Case {
                down_at: 30,
                force_after: 300,
                forced_calls: 0,
                ..Case::failed_job("stopped before the force despite the failed job")
            },
            Case {
                stop: || ok("<html>"),
                down_at: 20,
                force_after: 20,
                ..Case::failed_job("ambiguous stop")
            },
            Case {
                stop: || ok("<html>"),
                down_at: 90,
                force_after: 90,
                ..Case::failed_job("ambiguous stop beyond the settle timeout")
            },
            Case {
                stop: || fault(FaultKind::WrongState),
                state: "stopping",
                ..Case::failed_job("stop rejected because the instance is stopping")
            },
            Case {
                stop: || ok("ok"),
                force_stop: || fault(FaultKind::WrongState),
                state: "stopping",
                ..Case::failed_job("forced stop rejected because the graceful one succeeds")
            },
            Case {
                stop: || fault(FaultKind::Permission),
                down_at: u64::MAX,
                outcome: "refused",
                forced_calls: 0,
                ..Case::failed_job("rejected stop")
            },
        ];
        for case in cases {
            let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
                "observe" if sent.at < seconds(case.down_at) => all_in_state(sent, case.state),
                "observe" => all_in_state(sent, "stopped"),
                "stop" => (case.stop)(),
                "job" => ok(case.job),
                _ => (case.force_stop)(),
            });
            let began = tokio::time::Instant::now();
            let client = cloud.client();
            let force_after = seconds(case.force_after);
            let report = client.stop(ids(1)).force_after(force_after).await.unwrap();
            assert_eq!(outcomes(&report), [case.outcome], "{}", case.name);
            let forced = cloud.calls("force-stop").len();
            assert_eq!(forced, case.forced_calls, "{}", case.name);
            let late = began.elapsed().saturating_sub(force_after);
            assert!(late < seconds(10), "{}: {late:?} too late", case.name);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn batch_is_not_forced_before_its_own_time() {
        // The last one of the first batch and the first one of the second are late.
        let late = |sent: &support::SentCall, id: &String| {
            sent.at < seconds(31) && ["i-9", "i-10"].contains(&id.as_str())
        };
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => {
                let state = |id: &String| if late(sent, id) { "running" } else { "stopped" };
                let rows: Vec<_> = sent
                    .ids
                    .iter()
                    .map(|id| format!("{id} {}", state(id)))
                    .collect();
                ok(rows.join("\n"))
            }
            _ => ok("ok"),
        });
        // The cloud accepts the batches half a second apart.
        let rate = lifecycle_core::Rate::new(2.0, 1);
        let pace = lifecycle_core::RateLimits::new(rate, rate);
        let client = cloud.client_with(|builder| builder.rate_limits(pace).concurrency(1));
        let report = client.stop(ids(20)).force_after(seconds(30)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"; 20]);
        let (stops, forced) = (cloud.calls("stop"), cloud.calls("force-stop"));
        assert_eq!(forced.len(), 1, "together");
        assert!(forced[0].at >= stops[1].at + seconds(30), "{forced:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn longest_durations_do_not_panic() {
        let cloud = stubborn(true);
        let client = cloud.client();
        let error = client.stop(ids(1)).force_after(Duration::MAX).await;
        assert!(matches!(error, Err(Error::NeverForced { .. })), "{error:?}");
        let report = client.stop([support::id(0)]).wait(Duration::MAX).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
    }

    #[tokio::test(start_paused = true)]
    async fn force_after_the_wait_timeout_is_refused_before_any_call() {
        let cloud = stubborn(true);
        let client = cloud.client();
        let request = client
            .stop(ids(1))
            .wait(seconds(60))
            .force_after(seconds(60));
        let error = request.await.unwrap_err();
        assert!(
            matches!(error, Error::NeverForced { after, timeout } if after == timeout),
            "{error}"
        );
        assert_eq!(cloud.log(), []);
    }

    /// The cloud refuses the forced batch because the graceful stop has succeeded, and shows that 12 s later.
    #[tokio::test(start_paused = true)]
    async fn forced_batch_rejected_before_a_late_view_is_not_sent_again() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(12) => all_in_state(sent, "running"),
            "observe" => all_in_state(sent, "stopped"),
            "force-stop" => fault(FaultKind::WrongState),
            _ => ok("ok"),
        });
        let client = cloud.client();
        let stop = client.stop(ids(2)).force_after(seconds(5));
        assert_eq!(outcomes(&stop.await.unwrap()), ["reached"; 2]);
        assert_eq!(cloud.calls("force-stop").len(), 1);
    }

    /// The cloud refuses the forced batch because of `i-0`, stops the others despite the refusal, and shows
    /// that 6 s later.
    #[tokio::test(start_paused = true)]
    async fn rest_of_a_forced_batch_rejected_before_a_late_view_is_not_bisected() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(20) => all_in_state(sent, "running"),
            "observe" if sent.at < seconds(26) => {
                ok("i-0 stopped\ni-1 running\ni-2 running\ni-3 running")
            }
            "observe" => all_in_state(sent, "stopped"),
            "force-stop" => fault(FaultKind::WrongState),
            _ => ok("ok"),
        });
        let stop = cloud.client().stop(ids(4)).force_after(seconds(20));
        assert_eq!(outcomes(&stop.await.unwrap()), ["reached"; 4]);
        let calls = cloud.calls("force-stop");
        let sizes: Vec<_> = calls.iter().map(|call| call.ids.len()).collect();
        assert_eq!(sizes, [4, 3]);
    }

    /// The views show no reason for the second refusal, and the time limit is near.
    #[tokio::test(start_paused = true)]
    async fn rest_of_a_forced_batch_is_sent_before_the_time_limit() {
        // The last call can be sent at 28 s, or at 26 s, which is the time of a look.
        for limit in [30, 28] {
            let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
                "observe" if sent.at < seconds(20) => all_in_state(sent, "running"),
                "observe" => ok("i-0 stopped\ni-1 running\ni-2 running"),
                "force-stop" if sent.ids.len() > 1 => fault(FaultKind::WrongState),
                _ => ok("ok"),
            });
            let client = cloud.client();
            let stop = client.stop(ids(3)).wait(seconds(limit));
            let report = stop.force_after(seconds(20)).await.unwrap();
            assert_eq!(outcomes(&report), ["reached", "pending", "pending"]);
            let calls = cloud.calls("force-stop");
            let sizes: Vec<_> = calls.iter().map(|call| call.ids.len()).collect();
            assert_eq!(sizes, [3, 2, 1, 1], "{limit} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn search_in_a_rejected_graceful_batch_does_not_wait_for_late_views() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(4) => all_in_state(sent, "running"),
            "observe" => all_in_state(sent, "stopped"),
            "stop" if sent.ids.len() > 1 => fault(FaultKind::Capacity),
            _ => ok("ok"),
        });
        let stop = cloud.client().stop(ids(2)).force_after(seconds(5));
        assert_eq!(outcomes(&stop.await.unwrap()), ["reached"; 2]);
        let calls = cloud.calls("stop");
        let sizes: Vec<_> = calls.iter().map(|call| call.ids.len()).collect();
        assert_eq!(sizes, [2, 1, 1]);
        assert!(calls[2].at < seconds(1), "{calls:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn late_batches_are_forced_in_full_batches() {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "running"),
            _ => ok("ok"),
        });
        let client = cloud.client_with(|builder| builder.concurrency(1));
        let report = client
            .stop(ids(25))
            .force_after(seconds(30))
            .wait(seconds(90));
        let report = report.await.unwrap();
        assert_eq!(outcomes(&report), ["pending"; 25]);
        let sizes: Vec<usize> = cloud
            .calls("force-stop")
            .iter()
            .map(|sent| sent.ids.len())
            .collect();
        assert_eq!(sizes, [10, 10, 5]);
    }
}

#[tokio::test(start_paused = true)]
async fn request_above_the_cap_is_refused_as_a_whole() {
    let cloud = ScriptedCloud::new(|_| ok("ok"));
    let error = cloud.client().start(ids(3)).max(2).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "3 instances are more than the limit of 2: nothing was sent"
    );
    assert_eq!(cloud.log(), []);
    assert!(cloud.client().start(ids(2)).max(2).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn stop_reports_the_billing_that_the_cloud_shows() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => ok("ok"),
    });
    let client = cloud.client();
    let stopped = client.stop(ids(1)).wait(Duration::from_secs(9)).await;
    let billing = stopped.unwrap().instances()[0].billing;
    assert_eq!(billing, Some(lifecycle_core::StoppedBilling::Unknown));
    let waited = client.wait(ids(1), PowerState::Stopped).await.unwrap();
    assert_eq!(waited.instances()[0].billing, None);
}
