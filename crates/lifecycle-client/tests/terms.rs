//! What a caller can ask for besides the action: strictness, force after a grace, a cap.

mod support;

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use lifecycle_client::{Error, Event, Outcome, Pending};
use lifecycle_core::{FaultKind, PowerState};
use support::{Fate, Scripted, all, fault, ids, ok, outcomes, seconds};

mod strict {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_so_already_is_refused_and_not_sent() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
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
    async fn without_it_the_same_is_unchanged() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "running"),
            _ => fault(FaultKind::WrongState),
        });
        let report = cloud.client().start(ids(1)).await.unwrap();
        assert_eq!(outcomes(&report), ["unchanged"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_batch_that_has_become_so_since_was_perhaps_carried_out() {
        for (instances, expected) in [(1, "refused"), (2, "reached")] {
            let looks = AtomicUsize::new(0);
            let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
                "observe" if looks.fetch_add(1, Ordering::Relaxed) == 0 => all(sent, "stopped"),
                "observe" => all(sent, "running"),
                _ => fault(FaultKind::WrongState),
            });
            let report = cloud.client().start(ids(instances)).strict().await;
            assert_eq!(outcomes(&report.unwrap()), vec![expected; instances]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_fails_because_of_its_own_repeat_is_accepted_once() {
        let starts = AtomicUsize::new(0);
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(1) => all(sent, "stopped"),
            "observe" if sent.at < seconds(20) => all(sent, "starting"),
            "observe" => all(sent, "running"),
            "start" if starts.fetch_add(1, Ordering::Relaxed) == 0 => Fate::Broken,
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
    async fn what_cannot_be_looked_at_is_not_sent() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
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

    /// Stops `i-0` gracefully, and the others only by force, if `takes_force`.
    fn stubborn(takes_force: bool) -> Scripted {
        let forced = AtomicBool::new(false);
        Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" if forced.load(Ordering::Relaxed) => all(sent, "stopped"),
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
    async fn cuts_the_power_of_those_that_are_late_and_of_no_others() {
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
    async fn nothing_is_forced_when_all_stop_in_time() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "stopped"),
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
    async fn a_refused_force_is_told_and_the_graceful_stop_may_still_succeed() {
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

    #[tokio::test(start_paused = true)]
    async fn a_stop_that_succeeds_while_it_is_forced_is_reached() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(60) => all(sent, "stopping"),
            "observe" => all(sent, "stopped"),
            "force-stop" => fault(FaultKind::WrongState),
            _ => ok("ok"),
        });
        let client = cloud.client();
        let report = client.stop(ids(2)).force_after(seconds(60)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_failed_is_forced_when_its_time_has_come() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(60) => all(sent, "running"),
            "observe" => all(sent, "stopped"),
            "stop" => ok("job j-1"),
            "job" => ok("failed\ni-0 failed"),
            _ => ok("ok"),
        });
        let client = cloud.client();
        let report = client.stop(ids(1)).force_after(seconds(60)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
        assert_eq!(cloud.calls("force-stop").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_never_ends_does_not_hold_what_is_down() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(60) => all(sent, "running"),
            "observe" => all(sent, "stopped"),
            "stop" => ok("job j-1"),
            "job" => ok("running"),
            _ => ok("ok"),
        });
        let began = tokio::time::Instant::now();
        let client = cloud.client();
        let report = client.stop(ids(1)).force_after(seconds(60)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
        assert!(began.elapsed() < seconds(70), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_knows_is_forced_too() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(20) => all(sent, "running"),
            "observe" => all(sent, "stopped"),
            "stop" => ok("<html>"),
            _ => ok("ok"),
        });
        let client = cloud.client();
        let report = client.stop(ids(1)).force_after(seconds(20)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
        assert_eq!(cloud.calls("force-stop").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_forced_before_its_own_grace_is_over() {
        // The last one of the first batch and the first one of the second are late.
        let late = |sent: &support::Sent, id: &String| {
            sent.at < seconds(31) && ["i-9", "i-10"].contains(&id.as_str())
        };
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
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
        // The batches are taken on half a second apart.
        let rate = lifecycle_core::Rate::new(2.0, 1);
        let pace = lifecycle_core::RateLimits::new(rate, rate);
        let client = cloud.client_with(|builder| builder.pace(pace).concurrency(1));
        let report = client.stop(ids(20)).force_after(seconds(30)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"; 20]);
        let (stops, forced) = (cloud.calls("stop"), cloud.calls("force-stop"));
        assert_eq!(forced.len(), 1, "together");
        assert!(forced[0].at >= stops[1].at + seconds(30), "{forced:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_knows_waits_for_its_force() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(90) => all(sent, "running"),
            "observe" => all(sent, "stopped"),
            "stop" => ok("<html>"),
            _ => ok("ok"),
        });
        let client = cloud.client();
        let report = client.stop(ids(1)).force_after(seconds(90)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_in_stopping_already_is_forced() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(60) => all(sent, "stopping"),
            "observe" => all(sent, "stopped"),
            "stop" => fault(FaultKind::WrongState),
            _ => ok("ok"),
        });
        let client = cloud.client();
        let report = client.stop(ids(1)).force_after(seconds(60)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
        assert_eq!(cloud.calls("force-stop").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_down_after_its_job_has_failed_is_seen() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(30) => all(sent, "running"),
            "observe" => all(sent, "stopped"),
            "stop" => ok("job j-1"),
            "job" => ok("failed\ni-0 failed"),
            _ => ok("ok"),
        });
        let client = cloud.client();
        let report = client.stop(ids(1)).force_after(seconds(300)).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
        assert_eq!(cloud.calls("force-stop"), []);
    }

    #[tokio::test(start_paused = true)]
    async fn no_time_is_too_long() {
        let cloud = stubborn(true);
        let client = cloud.client();
        let error = client.stop(ids(1)).force_after(Duration::MAX).await;
        assert!(matches!(error, Err(Error::NeverForced { .. })), "{error:?}");
        let report = client.stop([support::id(0)]).wait(Duration::MAX).await;
        assert_eq!(outcomes(&report.unwrap()), ["reached"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_is_not_forced() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "running"),
            _ => fault(FaultKind::Permission),
        });
        let client = cloud.client();
        let report = client.stop(ids(2)).force_after(seconds(20)).await;
        assert_eq!(outcomes(&report.unwrap()), ["refused"; 2]);
        assert_eq!(cloud.calls("force-stop"), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_force_that_would_come_too_late_is_refused_before_anything_is_sent() {
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

    #[tokio::test(start_paused = true)]
    async fn batches_are_forced_together_and_each_at_its_own_time() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "running"),
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
async fn more_than_the_cap_is_refused_and_not_cut() {
    let cloud = Scripted::new(|_| ok("ok"));
    let error = cloud.client().start(ids(3)).max(2).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "3 instances are more than the limit of 2: nothing was sent"
    );
    assert_eq!(cloud.log(), []);
    assert!(cloud.client().start(ids(2)).max(2).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_a_stop_costs_is_told_when_the_cloud_shows_it() {
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" => all(sent, "stopped"),
        _ => ok("ok"),
    });
    let client = cloud.client();
    let stopped = client.stop(ids(1)).wait(Duration::from_secs(9)).await;
    let billing = stopped.unwrap().instances()[0].billing;
    assert_eq!(billing, Some(lifecycle_core::StoppedBilling::Unknown));
    let waited = client.wait(ids(1), PowerState::Stopped).await.unwrap();
    assert_eq!(waited.instances()[0].billing, None);
}
