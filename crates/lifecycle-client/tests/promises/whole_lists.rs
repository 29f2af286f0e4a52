//! Tests of the promise that a list is whole or an error, and an observation hides no instance.

use lifecycle_core::{Fault, FaultKind, PowerState};

use crate::support::{ScriptedCloud, SentCall, all_in_state, fault, id, ids, ok};

#[tokio::test(start_paused = true)]
async fn list_reads_all_pages_and_refuses_a_repeated_page() {
    let cloud = ScriptedCloud::new(|sent| match sent.ids[0].as_str() {
        "first" => ok("second\ni-0 running\ni-1 stopped"),
        "second" => ok("third\ni-1 stopped\ni-2 odd-word"),
        _ => ok("last\ni-3 running"),
    });
    let list = cloud.client().list().await.unwrap();
    let seen: Vec<String> = list
        .iter()
        .map(|row| format!("{} {}", row.instance, row.raw))
        .collect();
    assert_eq!(
        seen,
        ["i-0 running", "i-1 stopped", "i-2 odd-word", "i-3 running"]
    );
    let same_page_again = ScriptedCloud::new(|_| ok("again\ni-0 running"));
    let error = same_page_again.client().list().await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Unreadable);
    assert_eq!(same_page_again.log().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn observed_states_keep_the_request_order() {
    let cloud = ScriptedCloud::new(|sent| {
        let mut lines: Vec<String> = sent.ids.iter().map(|id| format!("{id} running")).collect();
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
    // The foreign row means that the cloud may ignore the ids: the missing instance is read alone.
    assert_eq!(cloud.log().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn cloud_that_ignores_lists_of_ids_hides_no_instance() {
    for page in ["i-8 running\ni-9 stopped", "i-0 running\ni-9 stopped", ""] {
        let cloud = ScriptedCloud::new(move |sent| match sent.ids.len() {
            1 => all_in_state(sent, "running"),
            _ => ok(page),
        });
        let statuses = cloud.client().observe(ids(3)).await.unwrap();
        let seen = statuses.iter().filter(|status| status.result.is_ok());
        assert_eq!(seen.count(), 3, "{page:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_instance_is_read_alone_until_lists_of_ids_are_proven() {
    let cloud = ScriptedCloud::new(|sent| {
        let known = sent.ids.iter().filter(|id| *id != "i-1");
        let lines: Vec<String> = known.map(|id| format!("{id} running")).collect();
        ok(lines.join("\n"))
    });
    let client = cloud.client();
    for calls in [2, 3] {
        let statuses = client.observe(ids(3)).await.unwrap();
        let fault = statuses[1].result.as_ref().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::NotFound);
        assert_eq!(cloud.log().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn cloud_that_reads_a_list_of_ids_as_one_unknown_id_hides_no_instance() {
    let cloud = ScriptedCloud::new(|sent| match sent.ids.as_slice() {
        [one] if one == "i-0" || one == "i-1" => all_in_state(sent, "running"),
        _ => ok(""),
    });
    let client = cloud.client();
    for (requested, is_known) in [([id(8), id(9)], false), ([id(0), id(1)], true)] {
        for status in client.observe(requested).await.unwrap() {
            assert_eq!(status.result.is_ok(), is_known, "{}", status.instance);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cloud_that_rejects_lists_of_ids_is_asked_one_by_one() {
    let cloud = ScriptedCloud::new(|sent| match sent.ids.len() {
        1 => all_in_state(sent, "running"),
        _ => fault(FaultKind::Invalid),
    });
    let client = cloud.client();
    // The list, both halves, and each instance; then each instance only.
    for calls in [1 + 2 + 5, 1 + 2 + 5 + 5] {
        let statuses = client.observe(ids(5)).await.unwrap();
        assert!(statuses.iter().all(|status| status.result.is_ok()));
        assert_eq!(cloud.log().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_instance_in_each_half_does_not_hide_the_others_or_end_lists_of_ids() {
    let rejected = ["i-1".to_owned(), "i-4".to_owned()];
    let cloud =
        ScriptedCloud::new(
            move |sent| match sent.ids.iter().any(|id| rejected.contains(id)) {
                true => fault(FaultKind::Invalid),
                false => all_in_state(sent, "running"),
            },
        );
    let client = cloud.client();
    let statuses = client.observe(ids(6)).await.unwrap();
    for (n, status) in statuses.iter().enumerate() {
        assert_eq!(status.result.is_err(), n == 1 || n == 4, "i-{n}");
    }
    let before = cloud.log().len();
    client.observe([id(2), id(3)]).await.unwrap();
    assert_eq!(cloud.log().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn lookup_that_shows_another_instance_does_not_mean_not_found() {
    let cloud = ScriptedCloud::new(|_| ok("i-9 running"));
    let statuses = cloud.client().observe(ids(1)).await.unwrap();
    let fault = statuses[0].result.as_ref().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unreadable);
}

#[tokio::test(start_paused = true)]
async fn contradicting_rows_read_the_same_in_lists_and_lookups() {
    for rows in ["i-0 running\ni-0 stopped", "i-0 stopped\ni-0 running"] {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "list" => ok(format!("last\n{rows}")),
            _ => ok(rows),
        });
        let client = cloud.client();
        let listed = client.list().await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].state, PowerState::Unknown);
        let statuses = client.observe(ids(1)).await.unwrap();
        assert_eq!(statuses[0].result.as_ref().unwrap(), &listed[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn cloud_without_batch_reads_is_asked_one_by_one() {
    let cloud = ScriptedCloud::new(|sent| match sent.ids.len() {
        1 => all_in_state(sent, "running"),
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
async fn unknown_id_does_not_hide_the_other_instances() {
    let cloud = ScriptedCloud::new(|sent| match sent.ids.contains(&"i-2".to_owned()) {
        true => fault(FaultKind::NotFound),
        false => all_in_state(sent, "running"),
    });
    let statuses = cloud.client().observe(ids(5)).await.unwrap();
    let seen: Vec<bool> = statuses
        .iter()
        .map(|status| status.result.is_ok())
        .collect();
    assert_eq!(seen, [true, true, false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn forbidden_instance_does_not_hide_the_other_instances() {
    let hidden = |sent: &SentCall| sent.ids.contains(&"i-3".to_owned());
    let cloud = ScriptedCloud::new(move |sent| match hidden(sent) {
        true => fault(FaultKind::Permission),
        false => all_in_state(sent, "running"),
    });
    let client = cloud.client();
    let seen = client.observe(ids(10)).await.unwrap();
    let unseen = seen.iter().filter(|status| status.result.is_err());
    assert_eq!(unseen.count(), 1);
    // Where nothing may be seen, the search ends after both halves and one instance.
    let cloud = ScriptedCloud::new(|_| fault(FaultKind::Permission));
    let _ = cloud.client().observe(ids(10)).await;
    assert_eq!(cloud.log().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn one_missing_row_does_not_prove_that_lists_of_ids_are_ignored() {
    // The list of ids misses one instance: the instance alone is found, or cannot be read.
    for (alone, kind) in [("i-1 running", None), ("", Some(FaultKind::Permission))] {
        let cloud = ScriptedCloud::new(move |sent| match (sent.ids.len(), kind) {
            (1, Some(kind)) => fault(kind),
            (1, None) => ok(alone),
            _ => ok("i-0 running\ni-2 running"),
        });
        let client = cloud.client();
        for calls in [2, 4] {
            let statuses = client.observe(ids(3)).await.unwrap();
            let found = statuses[1].result.as_ref().map_err(Fault::kind);
            assert_eq!(found.err(), kind);
            assert_eq!(cloud.log().len(), calls, "{alone:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_of_another_instance_ends_the_use_of_lists_of_ids() {
    let cloud = ScriptedCloud::new(|sent| match sent.ids.as_slice() {
        [only] if only == "i-1" => ok(""),
        [_] => all_in_state(sent, "running"),
        _ => ok("i-0 running\ni-2 running\ni-9 running"),
    });
    let client = cloud.client();
    for calls in [2, 2 + 3] {
        let statuses = client.observe(ids(3)).await.unwrap();
        let fault = statuses[1].result.as_ref().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::NotFound);
        assert_eq!(cloud.log().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn forbidden_instances_are_found_by_halves() {
    // The calls for ten instances: all, [0-4], [5-9], [0 1], [2-4], [2], [3 4], [3], [4].
    for (count, hidden, calls) in [(10, &["i-3"][..], 9), (4, &["i-0", "i-1"], 5)] {
        let cloud = ScriptedCloud::new(move |sent| {
            match sent.ids.iter().any(|id| hidden.contains(&id.as_str())) {
                true => fault(FaultKind::Permission),
                false => all_in_state(sent, "running"),
            }
        });
        let statuses = cloud.client().observe(ids(count)).await.unwrap();
        for status in statuses {
            let is_hidden = hidden.contains(&status.instance.as_str());
            assert_eq!(status.result.is_err(), is_hidden, "{}", status.instance);
        }
        assert_eq!(cloud.log().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn failure_of_the_whole_lookup_is_the_result_of_every_instance() {
    let cloud = ScriptedCloud::new(|_| fault(FaultKind::Invalid));
    let statuses = cloud.client().observe(ids(4)).await.unwrap();
    assert_eq!(statuses.len(), 4);
    for status in statuses {
        assert_eq!(status.result.unwrap_err().kind(), FaultKind::Invalid);
    }
    assert_eq!(cloud.log().len(), 4, "all, both halves, and one instance");
}
