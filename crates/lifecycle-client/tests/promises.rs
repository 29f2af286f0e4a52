//! The engine against a scripted cloud, under paused time: each promise of the design, and what
//! must happen to a call whatever becomes of it.

mod support;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use lifecycle_client::{
    Client, Error, Event, Evidence, Outcome, Pending, PlainHttp, RetryPolicy, StaticCredential,
    WaitTimeout,
};
use lifecycle_core::{Credential, FaultKind, PowerState, StopMode};
use support::{
    Fate, Scripted, Sent, Toy, all, answer, fault, id, ids, ok, outcomes, quick_timeouts, seconds,
    server_error,
};

/// Answers actions with `receipt` and observations with `state`.
fn steady(receipt: &'static str, state: &'static str) -> Scripted {
    Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" => all(sent, state),
        _ => ok(receipt),
    })
}

mod one_outcome_per_instance {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn in_request_order_with_duplicates_folded_and_fewest_calls() {
        let cloud = steady("ok", "running");
        let client = cloud.client();
        let mut asked = ids(25);
        asked.reverse();
        asked.push(id(3));
        let report = client.start(asked).await.unwrap();
        let order: Vec<_> = report
            .instances()
            .iter()
            .map(|row| row.instance.clone())
            .collect();
        let mut expected = ids(25);
        expected.reverse();
        assert_eq!(order, expected);
        assert_eq!(outcomes(&report), ["accepted"; 25]);
        let sizes: Vec<usize> = cloud.log().iter().map(|sent| sent.ids.len()).collect();
        assert_eq!(sizes, [10, 10, 5]);
        assert_eq!(client.calls().actions, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_asked_is_nothing_sent() {
        let cloud = steady("ok", "running");
        let client = cloud.client();
        let started = client.start(ids(0)).wait(seconds(9)).await.unwrap();
        let rebooted = client.reboot(ids(0)).wait(seconds(9)).await.unwrap();
        for report in [started, rebooted] {
            assert!(report.instances().is_empty() && report.is_success());
        }
        assert_eq!(cloud.log(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn failed_ids_in_a_good_answer_are_refused() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "changing"),
            _ => ok("except i-1"),
        });
        let report = cloud.client().start(ids(3)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted", "refused", "accepted"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_contradicts_itself_counts_once() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "stopped"),
            _ => ok("each i-0=ok i-0=no i-1=ok"),
        });
        let client = cloud.client();
        let events: Vec<Event> = client.start(ids(2)).events().collect().await;
        let settled = events.iter().filter(|e| matches!(e, Event::Settled(_)));
        assert_eq!(settled.count(), 2);
        let Some(Event::Finished(Ok(report))) = events.last() else {
            panic!("no report");
        };
        assert_eq!(outcomes(report), ["accepted"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_that_the_answer_forgets_is_uncertain() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "stopped"),
            _ => ok("each i-0=ok i-1=no"),
        });
        let report = cloud.client().start(ids(3)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted", "refused", "uncertain"]);
    }
}

mod at_most_one_reboot {
    use super::*;

    type Named = (&'static str, fn() -> Fate);

    fn unclear_fates() -> Vec<Named> {
        vec![
            ("broken connection", || Fate::Broken),
            ("silence", || Fate::Silence),
            ("server error", server_error),
            ("garbage", || ok("<html>")),
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn an_unclear_reboot_is_never_sent_again() {
        for (name, fate) in unclear_fates() {
            let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
                "observe" => all(sent, "running"),
                _ => fate(),
            });
            let client = cloud.client_with(|b| b.timeouts(quick_timeouts()));
            let report = client.reboot(ids(3)).wait(seconds(300)).await.unwrap();
            assert_eq!(cloud.calls("reboot").len(), 1, "{name}");
            assert_eq!(outcomes(&report), ["uncertain"; 3], "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unclear_start_is_sent_again() {
        for (name, fate) in unclear_fates() {
            let count = AtomicUsize::new(0);
            let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
                "observe" => all(sent, "running"),
                _ if count.fetch_add(1, Ordering::Relaxed) == 0 => fate(),
                _ => ok("ok"),
            });
            let client = cloud.client_with(|b| b.timeouts(quick_timeouts()));
            let report = client.start(ids(3)).wait(seconds(60)).await.unwrap();
            assert_eq!(outcomes(&report), ["reached"; 3], "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reboot_that_provably_never_left_is_sent_again_with_a_delay() {
        let count = AtomicUsize::new(0);
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => all(sent, "running"),
            _ => match count.fetch_add(1, Ordering::Relaxed) {
                0 => Fate::Refused,
                1 => fault(FaultKind::Throttled),
                _ => ok("ok"),
            },
        });
        let report = cloud.client().reboot(ids(1)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted"]);
        let log = cloud.calls("reboot");
        assert_eq!(log.len(), 3);
        assert!(log[1].at > log[0].at && log[2].at > log[1].at, "{log:?}");
    }
}

mod reboots_in_a_batch {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_leaves_it_open_is_not_told_as_a_refusal() {
        let failed = answer(400, &[("kind", "failed")], "half way");
        let fate = std::sync::Mutex::new(Some(failed));
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => all(sent, "running"),
            _ => fate.lock().unwrap().take().unwrap(),
        });
        let report = cloud.client().reboot(ids(1)).wait(seconds(300)).await;
        assert_eq!(outcomes(&report.unwrap()), ["uncertain"]);
        for (shown, expected) in [
            ("i-0 running\ni-1 running", "uncertain"),
            ("i-0 running", "refused"),
        ] {
            let each = Scripted::new(move |sent| match sent.operation.as_str() {
                "observe" => ok(shown),
                _ if sent.ids.contains(&"i-1".to_owned()) => ok("perhaps i-1"),
                _ => ok("ok"),
            });
            let report = each.client().reboot(ids(2)).await.unwrap();
            assert_eq!(outcomes(&report), ["accepted", expected]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_down_is_kept_back_and_nothing_is_sent_for_it() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => {
                let state = |id: &String| if id == "i-1" { "stopped" } else { "running" };
                let lines: Vec<String> = sent
                    .ids
                    .iter()
                    .map(|id| format!("{id} {}", state(id)))
                    .collect();
                ok(lines.join("\n"))
            }
            _ => ok("ok"),
        });
        let report = cloud.client().reboot(ids(3)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted", "refused", "accepted"]);
        assert_eq!(cloud.calls("reboot")[0].ids, ["i-0", "i-2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_batch_goes_on_in_halves_when_nothing_has_moved() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "running"),
            _ if sent.ids.contains(&"i-2".to_owned()) => fault(FaultKind::WrongState),
            _ => ok("ok"),
        });
        let report = cloud.client().reboot(ids(4)).await.unwrap();
        assert_eq!(
            outcomes(&report),
            ["accepted", "accepted", "refused", "accepted"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_batch_that_cannot_be_seen_is_not_sent_again() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => server_error(),
            _ => fault(FaultKind::WrongState),
        });
        let report = cloud.client().reboot(ids(4)).await.unwrap();
        assert_eq!(outcomes(&report), ["uncertain"; 4]);
        assert_eq!(cloud.calls("reboot").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_batch_that_moved_all_the_same_is_not_sent_again() {
        let rebooted = AtomicUsize::new(0);
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" if rebooted.load(Ordering::Relaxed) > 0 && sent.at > seconds(5) => {
                all(sent, "rebooting")
            }
            "observe" => all(sent, "running"),
            _ => {
                rebooted.fetch_add(1, Ordering::Relaxed);
                fault(FaultKind::WrongState)
            }
        });
        let report = cloud.client().reboot(ids(4)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted"; 4]);
        assert_eq!(cloud.calls("reboot").len(), 1);
    }
}

mod waiting {
    use super::*;

    /// States by time since the action, the last one for ever.
    fn timeline(steps: &'static [(u64, &'static str)]) -> Scripted {
        let mut since = None;
        Scripted::new(move |sent| {
            if sent.operation != "observe" {
                since = Some(sent.at);
                return ok("ok");
            }
            let age = since.map_or(Duration::ZERO, |since| sent.at.saturating_sub(since));
            let step = steps.iter().rev().find(|(from, _)| age >= seconds(*from));
            match since {
                None => all(sent, steps[0].1),
                Some(_) => all(sent, step.unwrap().1),
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_is_reached_when_it_is_seen() {
        let cloud = timeline(&[(0, "stopped"), (3, "starting"), (20, "running")]);
        let client = cloud.client();
        let report = client
            .start(ids(25))
            .wait(WaitTimeout::minutes(5))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["reached"; 25]);
        let last = cloud.log().last().unwrap().at;
        assert!((20..27).contains(&last.as_secs()), "{last:?}");
        assert!(
            cloud
                .calls("observe")
                .iter()
                .all(|sent| sent.ids.len() <= 10)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_it_and_names_the_state() {
        let cloud = timeline(&[(0, "stopped"), (3, "starting")]);
        let start = tokio::time::Instant::now();
        let report = cloud
            .client()
            .start(ids(2))
            .wait(seconds(60))
            .await
            .unwrap();
        assert_eq!(start.elapsed().as_secs(), 60);
        for row in report.instances() {
            assert!(
                matches!(
                    row.outcome,
                    Outcome::Pending(Pending::Deadline(Some(PowerState::Starting)))
                ),
                "{row}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_end_ends_it_at_once() {
        let cloud = timeline(&[(0, "stopped"), (3, "failed")]);
        let start = tokio::time::Instant::now();
        let report = cloud
            .client()
            .start(ids(1))
            .wait(seconds(600))
            .await
            .unwrap();
        assert!(start.elapsed() < seconds(15));
        assert!(matches!(
            report.instances()[0].outcome,
            Outcome::Pending(Pending::StuckState(PowerState::Failed))
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_vanished_instance_ends_it_and_one_absence_does_not() {
        let looks = AtomicUsize::new(0);
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => match looks.fetch_add(1, Ordering::Relaxed) {
                0 => ok(""),
                1 => all(sent, "starting"),
                _ => ok(""),
            },
            _ => ok("ok"),
        });
        let report = cloud
            .client()
            .start(ids(1))
            .wait(seconds(600))
            .await
            .unwrap();
        assert!(matches!(
            report.instances()[0].outcome,
            Outcome::Pending(Pending::Vanished)
        ));
        assert_eq!(cloud.calls("observe").len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_look_is_not_a_failed_wait() {
        let looks = AtomicUsize::new(0);
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => match looks.fetch_add(1, Ordering::Relaxed) % 3 {
                0 => server_error(),
                1 => Fate::Broken,
                _ => all(sent, "running"),
            },
            _ => ok("ok"),
        });
        let report = cloud
            .client()
            .start(ids(1))
            .wait(seconds(60))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["reached"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_not_allowed_ends_it() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => fault(FaultKind::Permission),
            _ => ok("ok"),
        });
        let report = cloud
            .client()
            .start(ids(1))
            .wait(seconds(600))
            .await
            .unwrap();
        assert!(matches!(
            report.instances()[0].outcome,
            Outcome::Pending(Pending::Unobservable(_))
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn running_throughout_proves_no_reboot() {
        let cloud = steady("ok", "running");
        let report = cloud
            .client()
            .reboot(ids(1))
            .wait(seconds(60))
            .await
            .unwrap();
        assert!(matches!(
            report.instances()[0].outcome,
            Outcome::Pending(Pending::Unconfirmed)
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn leaving_and_returning_proves_a_reboot() {
        let cloud = timeline(&[(0, "running"), (4, "rebooting"), (20, "running")]);
        let report = cloud
            .client()
            .reboot(ids(1))
            .wait(seconds(300))
            .await
            .unwrap();
        assert!(matches!(
            report.instances()[0].outcome,
            Outcome::Reached(Evidence::LeftAndReturned)
        ));
        assert!(cloud.log().last().unwrap().at >= seconds(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_start_time_proves_a_reboot_that_nobody_saw() {
        let cloud = timeline(&[(0, "running 10:00"), (9, "running 10:05")]);
        let report = cloud
            .client()
            .reboot(ids(1))
            .wait(seconds(300))
            .await
            .unwrap();
        assert!(matches!(
            report.instances()[0].outcome,
            Outcome::Reached(Evidence::StartTimeChanged)
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_boot_that_was_under_way_before_proves_no_reboot() {
        for cloud in [
            timeline(&[(0, "starting"), (9, "running")]),
            timeline(&[(0, "rebooting 10:00"), (9, "running 10:05")]),
        ] {
            let report = cloud
                .client()
                .reboot(ids(1))
                .wait(seconds(60))
                .await
                .unwrap();
            assert!(matches!(
                report.instances()[0].outcome,
                Outcome::Pending(Pending::Unconfirmed)
            ));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn several_waiters_share_one_poller() {
        let cloud = timeline(&[(0, "stopped"), (30, "running")]);
        let client = cloud.client();
        let wait = |n| client.wait([id(n)], PowerState::Running).into_future();
        client.start(ids(8)).await.unwrap();
        let reports = futures_util::future::join_all((0..8).map(wait)).await;
        assert!(
            reports
                .into_iter()
                .all(|report| report.unwrap().is_success())
        );
        let looks = cloud.calls("observe");
        assert!(looks.len() < 20, "{} looks", looks.len());
        assert!(looks.iter().any(|sent| sent.ids.len() == 8));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_alone_looks_at_once_and_then_as_at_what_is_due() {
        let cloud = Scripted::new(|sent| all(sent, "stopped"));
        let client = cloud.client();
        let wait = client.wait(ids(3), PowerState::Running);
        wait.patience(seconds(14)).await.unwrap();
        let looks: Vec<u64> = cloud.log().iter().map(|sent| sent.at.as_secs()).collect();
        assert_eq!(looks.first(), Some(&0));
        assert!((4..=6).contains(&looks.len()), "{looks:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_what_never_was_ends_at_once() {
        let cloud = Scripted::new(|_| ok(""));
        let report = cloud
            .client()
            .wait([id(1)], PowerState::Running)
            .await
            .unwrap();
        let fault = report.instances()[0].outcome.fault().unwrap();
        assert_eq!(fault.kind(), FaultKind::NotFound);
    }
}

mod jobs {
    use super::*;

    fn with_job(progress: &'static [&'static str], state: &'static str) -> Scripted {
        let looks = AtomicUsize::new(0);
        Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => all(sent, state),
            "job" => {
                let look = looks
                    .fetch_add(1, Ordering::Relaxed)
                    .min(progress.len() - 1);
                match progress[look] {
                    "gone" => fault(FaultKind::NotFound),
                    text => ok(text),
                }
            }
            _ => ok("job j-1"),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_verdict_on_an_instance_counts_before_the_one_on_the_job() {
        let cloud = with_job(
            &[
                "running",
                "running\ni-0 ok\ni-1 running",
                "ok\ni-0 ok\ni-1 busy",
            ],
            "running",
        );
        let report = cloud
            .client()
            .reboot(ids(2))
            .wait(seconds(300))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["reached", "refused"]);
        assert_eq!(cloud.calls("job").len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_without_a_word_about_an_instance_is_confirmed_by_looking() {
        let cloud = with_job(&["ok"], "running");
        let report = cloud
            .client()
            .reboot(ids(2))
            .wait(seconds(300))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["reached"; 2]);
        let cloud = with_job(&["ok"], "stopped");
        let report = cloud
            .client()
            .start(ids(2))
            .wait(seconds(60))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["pending"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_is_gone_falls_back_to_looking() {
        let cloud = with_job(&["running", "gone"], "running");
        let report = cloud
            .client()
            .start(ids(2))
            .wait(seconds(300))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["reached"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_no_proof_against_what_is_seen_after_it() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "stopped"),
            "job" => ok("ok\ni-0 ok"),
            _ => ok("job j-1"),
        });
        let report = cloud.client().start(ids(1)).wait(seconds(60)).await;
        assert_eq!(outcomes(&report.unwrap()), ["pending"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_failed_because_it_was_so_already_is_unchanged() {
        let cloud = with_job(&["failed\ni-0 wrong-state"], "running");
        let report = cloud
            .client()
            .start(ids(1))
            .wait(seconds(60))
            .await
            .unwrap();
        assert_eq!(outcomes(&report), ["unchanged"]);
    }
}

mod partial_failure {
    use super::*;

    /// Refuses a batch as a whole when it holds an instance that is not stopped, or a cursed one.
    fn all_or_nothing(running: &'static [usize], cursed: &'static [usize]) -> Scripted {
        let holds = |sent: &Sent, bad: &[usize]| {
            let bad: Vec<String> = bad.iter().map(|n| id(*n).to_string()).collect();
            sent.ids.iter().any(|id| bad.contains(id))
        };
        Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => {
                let running: Vec<String> = running.iter().map(|n| id(*n).to_string()).collect();
                let lines: Vec<String> = sent
                    .ids
                    .iter()
                    .map(|id| match running.contains(id) {
                        true => format!("{id} running"),
                        false => format!("{id} stopped"),
                    })
                    .collect();
                ok(lines.join("\n"))
            }
            _ if holds(sent, running) || holds(sent, cursed) => fault(FaultKind::WrongState),
            _ => ok("ok"),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn looking_explains_a_refused_batch() {
        let cloud = all_or_nothing(&[2, 5], &[]);
        let report = cloud.client().start(ids(10)).await.unwrap();
        let mut expected = ["accepted"; 10];
        expected[2] = "unchanged";
        expected[5] = "unchanged";
        assert_eq!(outcomes(&report), expected);
        assert_eq!(cloud.calls("start").len(), 2);
        assert_eq!(cloud.calls("observe").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn halving_finds_what_looking_does_not_explain() {
        let cloud = all_or_nothing(&[], &[7]);
        let report = cloud.client().start(ids(10)).await.unwrap();
        let mut expected = ["accepted"; 10];
        expected[7] = "refused";
        assert_eq!(outcomes(&report), expected);
        let calls = cloud.calls("start").len();
        assert!(calls <= 2 + 2 * 4, "{calls} calls");
    }

    #[tokio::test(start_paused = true)]
    async fn a_search_that_finds_culprits_everywhere_ends_within_its_budget() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "stopped"),
            _ => fault(FaultKind::Capacity),
        });
        let client = cloud.client_in_batches_of(100);
        let report = client.start(ids(100)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"; 100]);
        // Eight culprits among a hundred.
        let calls = cloud.calls("start").len();
        assert!(calls <= 2 + 2 * 8 * 7, "{calls} calls");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_in_a_refused_batch_and_cannot_be_seen_is_not_called_refused() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => fault(FaultKind::Permission),
            _ => fault(FaultKind::WrongState),
        });
        let client = cloud.client();
        // The cloud may have done a part of the batch that it refused, and refuse a repeat for it.
        let report = client.stop(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), ["uncertain"; 2]);
        let report = client.stop(ids(1)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_names_the_instance_needs_no_search() {
        let cloud = Scripted::new(|sent| {
            if sent.ids.contains(&"i-4".to_owned()) {
                return answer(404, &[], "there is no i-4 here");
            }
            ok("ok")
        });
        let report = cloud.client().start(ids(10)).await.unwrap();
        assert_eq!(outcomes(&report)[4], "refused");
        assert_eq!(report.failures().count(), 1);
        assert_eq!(cloud.log().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_failed_goes_on_without_its_culprit_where_a_repeat_is_harmless() {
        let failing = || {
            Scripted::new(|sent| match sent.operation.as_str() {
                "observe" => ok("i-0 stopped\ni-1 stopped\ni-2 stopped"),
                _ if sent.ids.contains(&"i-1".to_owned()) => {
                    answer(400, &[("kind", "failed")], "i-1")
                }
                _ => ok("ok"),
            })
        };
        let report = failing().client().start(ids(3)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted", "refused", "accepted"]);
        let cloud = failing();
        let report = cloud.client().reboot(ids(3)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"; 3], "all were down");
    }

    #[tokio::test(start_paused = true)]
    async fn what_concerns_the_whole_account_is_not_searched() {
        for kind in [FaultKind::Permission, FaultKind::Invalid] {
            let cloud = Scripted::new(move |_| fault(kind));
            let report = cloud.client().start(ids(10)).await.unwrap();
            assert_eq!(outcomes(&report), ["refused"; 10]);
            assert_eq!(cloud.log().len(), 1, "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_repeat_that_meets_its_own_success_is_no_failure() {
        let count = AtomicUsize::new(0);
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => all(sent, "starting"),
            _ => match count.fetch_add(1, Ordering::Relaxed) {
                0 => Fate::Broken,
                _ => fault(FaultKind::WrongState),
            },
        });
        let report = cloud.client().start(ids(3)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted"; 3]);
    }

    /// Refuses every start, whole batches first, and shows everything stopped; after the first
    /// seconds looks come to `later`.
    fn refusing(later: impl Fn(&Sent) -> Fate + Send + 'static) -> Scripted {
        Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(2) => all(sent, "stopped"),
            "observe" => later(sent),
            _ => fault(FaultKind::WrongState),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_batch_that_may_have_begun_is_refused_only_when_it_is_seen_to_the_end() {
        let seen = refusing(|sent| all(sent, "stopped"));
        let report = seen.client().start(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"; 2]);
        let unseen = refusing(|_| fault(FaultKind::Permission));
        let report = unseen.client().start(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), ["uncertain"; 2]);
        let moved = refusing(|sent| all(sent, "starting"));
        let report = moved.client().start(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_the_view_catches_up_with_is_unchanged() {
        for state in ["running", "starting"] {
            let cloud = refusing(move |sent| all(sent, state));
            let client = cloud.client();
            let events: Vec<Event> = client.start(ids(1)).events().collect().await;
            let accepted = |event: &Event| matches!(event, Event::Accepted { .. });
            assert!(!events.iter().any(accepted), "nobody has accepted it");
            let Some(Event::Finished(Ok(report))) = events.last() else {
                panic!("no report");
            };
            assert_eq!(outcomes(report), ["unchanged"], "{state}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_of_one_alone_is_believed_without_seeing_it() {
        let cloud = refusing(|_| fault(FaultKind::Permission));
        let report = cloud.client().start(ids(1)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_settled_is_uncertain_after_the_short_deadline() {
        let cloud = Scripted::new(|sent| match sent.operation.as_str() {
            "observe" => all(sent, "stopped"),
            _ => Fate::Broken,
        });
        let client = cloud.client_with(|b| b.retry(RetryPolicy::never()));
        let start = tokio::time::Instant::now();
        let report = client.start(ids(3)).wait(seconds(600)).await.unwrap();
        assert_eq!(outcomes(&report), ["uncertain"; 3]);
        assert_eq!(start.elapsed().as_secs(), 30);
    }
}

mod no_storms {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_stay_below_the_ceilings_and_attempts_end() {
        let cloud = Scripted::new(|_| Fate::Refused);
        let report = cloud.client().start(ids(1)).await.unwrap();
        let row = &report.instances()[0];
        assert_eq!(row.outcome.fault().unwrap().kind(), FaultKind::Unreachable);
        let log = cloud.log();
        assert_eq!(log.len(), 5);
        let policy = RetryPolicy::default();
        for (n, pair) in log.windows(2).enumerate() {
            let wait = pair[1].at - pair[0].at;
            let ceiling = policy.ceiling(n as u32 + 1);
            assert!(wait <= ceiling + Duration::from_millis(2), "{wait:?}");
            assert!(wait > Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_hint_of_the_cloud_wins() {
        let count = AtomicUsize::new(0);
        let cloud = Scripted::new(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => answer(429, &[("retry-after", "17")], ""),
            _ => ok("ok"),
        });
        cloud.client().start(ids(1)).await.unwrap();
        let at = cloud.log()[1].at;
        assert!(at >= seconds(17) && at <= seconds(18), "{at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_hint_ends_it_and_panics_nobody() {
        let cloud = Scripted::new(|_| {
            let endless = ("retry-after", "18446744073709551615");
            answer(429, &[("kind", "throttled"), endless], "later")
        });
        let report = cloud.client().start(ids(1)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_is_shared_by_clones() {
        let cloud = Scripted::new(|_| Fate::Refused);
        let mut policy = RetryPolicy::default();
        policy.budget = 6;
        let client = cloud.client_with(|b| b.retry(policy));
        for n in 0..10 {
            client.clone().start([id(n)]).await.unwrap();
        }
        assert_eq!(cloud.log().len(), 10 + 6);
        assert_eq!(client.calls().repeats, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_key_is_used_once() {
        let cloud = Scripted::new(|_| fault(FaultKind::Credential));
        let client = cloud.client();
        let report = client.start(ids(95)).wait(seconds(60)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"; 95]);
        let status = client.observe([id(1)]).await.unwrap();
        assert_eq!(
            status[0].result.as_ref().unwrap_err().kind(),
            FaultKind::Credential
        );
        assert_eq!(cloud.log().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_untried_key_goes_out_alone() {
        let cloud = Scripted::new(|_| Fate::Silence);
        let client = cloud.client_with(|b| b.timeouts(quick_timeouts()));
        let work = client.start(ids(40)).into_future();
        let _ = tokio::time::timeout(seconds(3), work).await;
        assert_eq!(cloud.log().len(), 1);
    }
}

mod clocks {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wrong_clock_is_corrected_once_by_the_date_of_the_answer() {
        let cloud = Scripted::new(|sent| match sent.signature.as_str() {
            "id@1767225600" => answer(
                403,
                &[
                    ("kind", "clock-skew"),
                    ("date", "Thu, 01 Jan 2026 01:00:00 GMT"),
                ],
                "",
            ),
            "id@1767229200" => answer(200, &[("date", "Thu, 01 Jan 2026 01:00:00 GMT")], "ok"),
            other => panic!("signed for {other}"),
        });
        let client = cloud.client();
        for n in 0..2 {
            let report = client.start([id(n)]).await.unwrap();
            assert_eq!(outcomes(&report), ["accepted"]);
        }
        assert_eq!(cloud.log().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_date_is_not_believed() {
        let cloud = Scripted::new(|_| {
            let date = ("date", "Thu, 01 Jan 1970 00:00:00 GMT");
            answer(403, &[("kind", "clock-skew"), date], "")
        });
        let report = cloud.client().start([id(1)]).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
        assert_eq!(cloud.log().len(), 1);
    }
}

mod safety {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_after_the_future_is_dropped() {
        let cloud = steady("ok", "starting");
        let client = cloud.client();
        let work = client
            .start(ids(30))
            .wait(WaitTimeout::minutes(10))
            .into_future();
        assert!(tokio::time::timeout(seconds(20), work).await.is_err());
        let sent = cloud.log().len();
        assert!(sent > 3);
        tokio::time::sleep(seconds(300)).await;
        assert_eq!(cloud.log().len(), sent);
    }

    #[tokio::test(start_paused = true)]
    async fn bad_input_sends_nothing() {
        let cloud = steady("ok", "running");
        let client = cloud.client();
        assert!(matches!(
            client.start(["i-1", "../i-2"]).await,
            Err(Error::ParseInstanceIdError(_))
        ));
        assert!(matches!(
            client.start(ids(5)).max(4).await,
            Err(Error::TooMany {
                instances: 5,
                cap: 4
            })
        ));
        let release = client
            .stop(ids(1))
            .billing(lifecycle_core::StopBilling::Release);
        assert!(matches!(release.await, Err(Error::Unsupported(_))));
        assert!(client.stop(ids(1)).mode(StopMode::Forced).check().is_ok());
        assert_eq!(cloud.log(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_quotes_the_secret_does_not_pass_it_on() {
        let cloud = Scripted::new(|_| answer(400, &[], "you signed with s3cret"));
        let client = cloud.client();
        let report = client.start([id(1)]).await.unwrap();
        let text = format!("{report:?} {} {client:?}", report.instances()[0]);
        assert!(text.contains("[secret]"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn plain_http_goes_to_this_machine_only() {
        for (endpoint, plain_http, sent) in [
            ("http://127.0.0.1:1", PlainHttp::LoopbackOnly, 1),
            ("http://cloud.example", PlainHttp::LoopbackOnly, 0),
            ("http://cloud.example", PlainHttp::Anywhere, 1),
        ] {
            let cloud = steady("ok", "running");
            let key = StaticCredential::new(Credential::keys("id", "s"));
            let client = Client::builder(Toy::at(endpoint), key, cloud.clone())
                .plain_http(plain_http)
                .build();
            let report = client.start([id(1)]).await.unwrap();
            assert_eq!(cloud.log().len(), sent, "{endpoint}");
            assert_eq!(report.is_success(), sent == 1, "{endpoint}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_cloud_ends_with_the_request_deadline() {
        let cloud = Scripted::new(|_| Fate::Silence);
        let start = tokio::time::Instant::now();
        let report = cloud.client().start(ids(25)).await.unwrap();
        assert!(start.elapsed() <= seconds(121), "{:?}", start.elapsed());
        assert!(
            outcomes(&report)
                .iter()
                .all(|o| ["uncertain", "skipped"].contains(o))
        );
    }
}

mod looking {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn states_come_in_the_order_of_the_request() {
        let cloud = Scripted::new(|sent| {
            let mut lines: Vec<String> =
                sent.ids.iter().map(|id| format!("{id} running")).collect();
            lines.reverse();
            lines.retain(|line| !line.starts_with("i-3 "));
            lines.push("i-999 stopped".into());
            ok(lines.join("\n"))
        });
        let statuses = cloud.client().observe(ids(12)).await.unwrap();
        assert_eq!(statuses.len(), 12);
        for (n, status) in statuses.iter().enumerate() {
            assert_eq!(status.instance, id(n));
            assert_eq!(status.result.is_ok(), n != 3);
        }
        assert_eq!(cloud.log().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cloud_that_does_not_understand_many_ids_is_asked_one_by_one() {
        let cloud = Scripted::new(|sent| match sent.ids.len() {
            1 => all(sent, "running"),
            _ => ok(""),
        });
        let client = cloud.client();
        for calls in [1 + 3, 1 + 3 + 3] {
            let statuses = client.observe(ids(3)).await.unwrap();
            assert!(statuses.iter().all(|status| status.result.is_ok()));
            assert_eq!(cloud.log().len(), calls);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_unknown_id_does_not_hide_the_others() {
        let cloud = Scripted::new(|sent| match sent.ids.contains(&"i-2".to_owned()) {
            true => fault(FaultKind::NotFound),
            false => all(sent, "running"),
        });
        let statuses = cloud.client().observe(ids(5)).await.unwrap();
        let seen: Vec<bool> = statuses
            .iter()
            .map(|status| status.result.is_ok())
            .collect();
        assert_eq!(seen, [true, true, false, true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_may_not_be_seen_does_not_hide_the_others() {
        let hidden = |sent: &Sent| sent.ids.contains(&"i-3".to_owned());
        let cloud = Scripted::new(move |sent| match hidden(sent) {
            true => fault(FaultKind::Permission),
            false => all(sent, "running"),
        });
        let client = cloud.client();
        let seen = client.observe(ids(10)).await.unwrap();
        let unseen = seen.iter().filter(|status| status.result.is_err());
        assert_eq!(unseen.count(), 1);
        // Where nothing may be seen, nobody searches.
        let cloud = Scripted::new(|_| fault(FaultKind::Permission));
        let _ = cloud.client().observe(ids(10)).await;
        assert_eq!(cloud.log().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn lists_read_all_pages_and_break_circles() {
        let cloud = Scripted::new(|sent| match sent.ids[0].as_str() {
            "first" => ok("second\ni-0 running\ni-1 stopped"),
            "second" => ok("third\ni-1 stopped\ni-2 odd-word"),
            _ => ok("last\ni-3 running"),
        });
        let list = cloud.client().list().await.unwrap();
        let seen: Vec<String> = list
            .iter()
            .map(|row| format!("{} {}", row.id, row.raw))
            .collect();
        assert_eq!(
            seen,
            ["i-0 running", "i-1 stopped", "i-2 odd-word", "i-3 running"]
        );
        let circle = Scripted::new(|_| ok("again\ni-0 running"));
        let error = circle.client().list().await.unwrap_err();
        assert_eq!(error.kind(), FaultKind::Unreadable);
        assert_eq!(circle.log().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn events_tell_the_same_as_the_report() {
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" => all(
            sent,
            if sent.at < seconds(9) {
                "starting"
            } else {
                "running"
            },
        ),
        _ => ok("except i-1"),
    });
    let client = cloud.client();
    let events: Vec<Event> = client
        .start(ids(3))
        .wait(seconds(60))
        .events()
        .collect()
        .await;
    let settled: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Settled(row) => Some(row.to_string()),
            _ => None,
        })
        .collect();
    let Some(Event::Finished(Ok(report))) = events.last() else {
        panic!("the last event is {:?}", events.last());
    };
    assert_eq!(settled.len(), 3);
    for row in report.instances() {
        assert!(settled.contains(&row.to_string()), "{row}");
    }
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Accepted { .. }))
    );
    assert!(events.iter().any(|event| matches!(event, Event::State(_))));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_failed_after_a_refusal_in_name_may_have_failed_at_the_start() {
    let cloud = Scripted::new(|sent| match (&*sent.operation, sent.ids.len()) {
        ("start", 3) => fault(FaultKind::WrongState),
        ("start", _) => ok("ok"),
        _ => {
            let state = |id: &String| if id == "i-0" { "failed" } else { "stopped" };
            let lines = sent.ids.iter().map(|id| format!("{id} {}", state(id)));
            ok(lines.collect::<Vec<_>>().join("\n"))
        }
    });
    let report = cloud.client().start(ids(3)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain", "accepted", "accepted"]);
}
