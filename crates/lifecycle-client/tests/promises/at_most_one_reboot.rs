//! Tests of promise 3: a reboot is executed at most once per request, whatever the network does.

use std::sync::atomic::{AtomicUsize, Ordering};

use lifecycle_core::FaultKind;

use crate::support::{
    Fate, Scripted, all, answer, fault, ids, ok, outcomes, quick_timeouts, seconds, server_error,
};

type Named = (&'static str, fn() -> Fate);

fn uncertain_fates() -> Vec<Named> {
    vec![
        ("broken connection", || Fate::Broken),
        ("silence", || Fate::Silence),
        ("server error", server_error),
        ("garbage", || ok("<html>")),
    ]
}

#[tokio::test(start_paused = true)]
async fn uncertain_reboot_is_never_resent() {
    for (name, fate) in uncertain_fates() {
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
async fn uncertain_start_is_resent() {
    for (name, fate) in uncertain_fates() {
        let count = AtomicUsize::new(0);
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => all(sent, "running"),
            _ if count.fetch_add(1, Ordering::Relaxed) == 0 => fate(),
            _ => ok("ok"),
        });
        let client = cloud.client_with(|b| b.timeouts(quick_timeouts()));
        let report = client.start(ids(3)).wait(seconds(60)).await.unwrap();
        assert_eq!(outcomes(&report), ["reached"; 3], "{name}");
        // After silence and garbage, an observation shows that no second call is needed.
        let needs_second_call = matches!(name, "broken connection" | "server error");
        assert_eq!(
            cloud.calls("start").len(),
            1 + usize::from(needs_second_call),
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reboot_that_never_left_is_resent_after_a_delay() {
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

#[tokio::test(start_paused = true)]
async fn reboot_rejected_without_proof_is_uncertain() {
    let failed = answer(400, &[("kind", "failed")], "half way");
    let fate = std::sync::Mutex::new(Some(failed));
    let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" => all(sent, "running"),
        _ => fate.lock().unwrap().take().unwrap(),
    });
    let report = cloud.client().reboot(ids(1)).wait(seconds(300)).await;
    assert_eq!(outcomes(&report.unwrap()), ["uncertain"]);
    for (shown, expected) in [(&["i-0", "i-1"][..], "uncertain"), (&["i-0"], "refused")] {
        let each = Scripted::new(move |sent| match sent.operation.as_str() {
            "observe" => {
                let known = sent.ids.iter().filter(|id| shown.contains(&id.as_str()));
                let rows: Vec<String> = known.map(|id| format!("{id} running")).collect();
                ok(rows.join("\n"))
            }
            _ if sent.ids.contains(&"i-1".to_owned()) => ok("perhaps i-1"),
            _ => ok("ok"),
        });
        let report = each.client().reboot(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted", expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn reboot_of_stopped_instance_is_not_sent() {
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

/// The client observes the instances for 30 s after the rejection, at least every 8 s.
#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_halved_if_no_instance_moved() {
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
async fn rejected_batch_of_reboots_is_not_resent_if_instances_are_unobservable() {
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" => server_error(),
        _ => fault(FaultKind::WrongState),
    });
    let report = cloud.client().reboot(ids(4)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_not_resent_if_any_instance_moved() {
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

#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_not_resent_if_lookups_were_throttled_away() {
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" if (seconds(1)..seconds(25)).contains(&sent.at) => fault(FaultKind::Throttled),
        "observe" => all(sent, "running"),
        _ => fault(FaultKind::WrongState),
    });
    let report = cloud.client().reboot(ids(4)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_batch_of_reboots_is_not_resent_if_time_is_too_short_for_a_proof() {
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" => all(sent, "running"),
        _ => fault(FaultKind::WrongState),
    });
    let report = cloud.client().reboot(ids(4)).wait(seconds(20)).await;
    assert_eq!(outcomes(&report.unwrap()), ["uncertain"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reboots_are_sent_one_by_one_if_the_cloud_does_not_know_the_batch_call() {
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" => all(sent, "running"),
        _ if sent.ids.len() > 1 => fault(FaultKind::Unsupported),
        _ => ok("ok"),
    });
    let report = cloud.client().reboot(ids(4)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 4]);
    assert_eq!(cloud.calls("reboot").len(), 5);
}
