//! Tests of the promise "at most one execution": a reboot is executed at most once per request,
//! whatever the network does.

use std::sync::atomic::{AtomicUsize, Ordering};

use lifecycle_core::FaultKind;

use crate::support::{
    CallResult, ScriptedCloud, all_in_state, answer, fault, ids, ok, outcomes, quick_timeouts,
    seconds, server_error,
};

/// A name, and a function that makes the result of a call.
type NamedResult = (&'static str, fn() -> CallResult);

/// Returns the results after which the cloud may have executed a call, by name.
fn uncertain_results() -> Vec<NamedResult> {
    vec![
        ("broken connection", || CallResult::ConnectionBroken),
        ("no answer", || CallResult::NoAnswer),
        ("server error", server_error),
        ("garbage", || ok("<html>")),
    ]
}

#[tokio::test(start_paused = true)]
async fn uncertain_reboot_is_never_resent() {
    for (name, result) in uncertain_results() {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "running"),
            _ => result(),
        });
        let client = cloud.client_with(|b| b.timeouts(quick_timeouts()));
        let report = client.reboot(ids(3)).wait(seconds(300)).await.unwrap();
        assert_eq!(cloud.calls("reboot").len(), 1, "{name}");
        assert_eq!(outcomes(&report), ["uncertain"; 3], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn uncertain_start_is_resent() {
    for (name, result) in uncertain_results() {
        let count = AtomicUsize::new(0);
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "running"),
            _ if count.fetch_add(1, Ordering::Relaxed) == 0 => result(),
            _ => ok("ok"),
        });
        let client = cloud.client_with(|b| b.timeouts(quick_timeouts()));
        let report = client.start(ids(3)).wait(seconds(60)).await.unwrap();
        assert_eq!(outcomes(&report), ["reached"; 3], "{name}");
        // After no answer or garbage, an observation shows that no second call is needed.
        let needs_second_call = matches!(name, "broken connection" | "server error");
        assert_eq!(
            cloud.calls("start").len(),
            1 + usize::from(needs_second_call),
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reboot_that_was_never_sent_is_resent_after_a_delay() {
    let count = AtomicUsize::new(0);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => match count.fetch_add(1, Ordering::Relaxed) {
            0 => CallResult::ConnectionRefused,
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

#[tokio::test(start_paused = true)]
async fn reboot_is_uncertain_if_the_cloud_may_have_executed_the_rejected_call() {
    let failed = answer(400, &[("kind", "failed")], "half way");
    let result = std::sync::Mutex::new(Some(failed));
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => result.lock().unwrap().take().unwrap(),
    });
    let report = cloud.client().reboot(ids(1)).wait(seconds(300)).await;
    assert_eq!(outcomes(&report.unwrap()), ["uncertain"]);
}

#[tokio::test(start_paused = true)]
async fn instance_that_may_have_rebooted_is_refused_only_if_the_instance_does_not_exist() {
    for (existing, expected) in [(&["i-0", "i-1"][..], "uncertain"), (&["i-0"], "refused")] {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => {
                let known = sent.ids.iter().filter(|id| existing.contains(&id.as_str()));
                let rows: Vec<String> = known.map(|id| format!("{id} running")).collect();
                ok(rows.join("\n"))
            }
            // The cloud accepts the batch, and names i-1 as perhaps executed.
            _ if sent.ids.contains(&"i-1".to_owned()) => ok("perhaps i-1"),
            _ => ok("ok"),
        });
        let report = cloud.client().reboot(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted", expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn instance_that_vanishes_after_a_call_with_a_possible_effect_is_uncertain() {
    type Answer = fn(&[String]) -> CallResult;
    let half_way: Answer = |_| ok("perhaps i-1");
    let as_a_whole: Answer = |ids| match ids.len() {
        1 => ok("ok"),
        _ => fault(FaultKind::WrongState),
    };
    for (operation, result) in [
        ("reboot", half_way),
        ("start", half_way),
        ("start", as_a_whole),
    ] {
        let mut is_sent = false;
        let state = if operation == "start" {
            "stopped"
        } else {
            "running"
        };
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => {
                let shown = sent.ids.iter().filter(|id| *id != "i-1" || !is_sent);
                let rows: Vec<String> = shown.map(|id| format!("{id} {state}")).collect();
                ok(rows.join("\n"))
            }
            _ => {
                is_sent = true;
                result(&sent.ids)
            }
        });
        let client = cloud.client();
        let report = match operation {
            "start" => client.start(ids(2)).strict().await.unwrap(),
            _ => client.reboot(ids(2)).await.unwrap(),
        };
        assert_eq!(outcomes(&report), ["accepted", "uncertain"], "{operation}");
        let text = report.instances()[1].outcome.to_string();
        assert!(text.contains("does not show the instance"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn reboot_of_stopped_instance_is_not_sent() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
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

// After the rejection of a batch, the client observes the instances for 30 s, at least every 8 s,
// before the client sends again.
#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_bisected_if_no_instance_changes_its_state() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
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
async fn rejected_batch_of_reboots_is_not_resent_if_instances_are_unobservable() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => server_error(),
        _ => fault(FaultKind::WrongState),
    });
    let report = cloud.client().reboot(ids(4)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_not_resent_if_an_instance_changes_its_state() {
    let rebooted = AtomicUsize::new(0);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if rebooted.load(Ordering::Relaxed) > 0 && sent.at > seconds(5) => {
            all_in_state(sent, "rebooting")
        }
        "observe" => all_in_state(sent, "running"),
        _ => {
            rebooted.fetch_add(1, Ordering::Relaxed);
            fault(FaultKind::WrongState)
        }
    });
    let report = cloud.client().reboot(ids(4)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_not_resent_if_lookups_were_throttled() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" if (seconds(1)..seconds(25)).contains(&sent.at) => fault(FaultKind::Throttled),
        "observe" => all_in_state(sent, "running"),
        _ => fault(FaultKind::WrongState),
    });
    let report = cloud.client().reboot(ids(4)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_not_resent_if_the_deadline_is_before_the_proof() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => fault(FaultKind::WrongState),
    });
    let report = cloud.client().reboot(ids(4)).wait(seconds(20)).await;
    assert_eq!(outcomes(&report.unwrap()), ["uncertain"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reboots_are_sent_one_by_one_if_the_cloud_does_not_know_the_batch_call() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ if sent.ids.len() > 1 => fault(FaultKind::Unsupported),
        _ => ok("ok"),
    });
    let report = cloud.client().reboot(ids(4)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn failed_batch_of_reboots_is_not_resent() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => fault(FaultKind::Failed),
    });
    let report = cloud.client().reboot(ids(2)).wait(seconds(300)).await;
    assert_eq!(outcomes(&report.unwrap()), ["uncertain"; 2]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}
