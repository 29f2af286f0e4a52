//! Records, intents, leases and old records against a real server.
#![cfg(feature = "test-cluster")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use lifecycle_controller::{
    GroupLeases as _, HistoryQuery, Journal, MemoryStore, OperationId, Record, Store, StoreError,
};
use lifecycle_store_postgres::{
    ControllerInfo, ControllerKind, PostgresLeases, PostgresStore, cluster::Cluster,
};
use serde_json::{Value, json};

async fn store(cluster: &Cluster, name: &str) -> PostgresStore {
    let text = cluster.database(name);
    PostgresStore::open_and_migrate(text.parse().unwrap())
        .await
        .unwrap()
}

/// Returns another program with the same database.
async fn other(cluster: &Cluster, name: &str) -> PostgresStore {
    PostgresStore::open(cluster.text(name).parse().unwrap())
        .await
        .unwrap()
}

fn record(json: Value) -> Record {
    serde_json::from_value(json).unwrap()
}

fn request(operation: &str, kind: &str, instances: &[&str]) -> Record {
    record(json!({
        "record": "request", "operation": operation, "at": "2026-11-20T18:00:00Z", "by": "ops@bastion",
        "why": "test", "action": action(kind), "options": {"strict": false}, "instances": instances,
    }))
}

fn action(kind: &str) -> Value {
    match kind {
        "start" => json!({"kind": "start", "initialize_local_disk": false}),
        "stop" => json!({"kind": "stop", "forced": false, "release": false}),
        _ => json!({"kind": "reboot", "forced": false}),
    }
}

fn intent(operation: &str, call: u64, kind: &str, instances: &[&str], resent: bool) -> Record {
    let instances: Vec<_> = instances
        .iter()
        .map(|name| json!({"instance": name}))
        .collect();
    record(json!({
        "record": "intent", "operation": operation, "call": call, "at": "2026-11-20T18:00:01Z",
        "action": action(kind), "resent": resent, "instances": instances,
    }))
}

fn answer(operation: &str, call: u64, instance: &str, answer: &str) -> Record {
    let fault = json!({
        "kind": "no-answer", "message": "lost\u{0}", "maybe_executed": true, "attempts": 1,
    });
    let answers = match answer {
        "accepted" => json!([{"instance": instance, "answer": "accepted", "request_id": "7F"}]),
        other => json!([{"instance": instance, "answer": other, "fault": fault}]),
    };
    record(json!({
        "record": "answer", "operation": operation, "call": call, "at": "2026-11-20T18:00:02Z", "answers": answers,
    }))
}

fn reached(operation: &str, instance: &str) -> Record {
    record(json!({
        "record": "outcome", "operation": operation, "at": "2026-11-20T18:00:03Z",
        "rows": [{"instance": instance, "outcome": "reached", "evidence": "seen"}],
    }))
}

fn end(operation: &str) -> Record {
    record(json!({"record": "end", "operation": operation, "at": "2026-11-20T18:00:04Z"}))
}

fn edge(group: &str, instance: &str, edge: &str) -> Record {
    record(json!({
        "record": "edge", "group": group, "instance": instance, "wanted": "running", "edge": edge,
        "progress": "reached", "at": edge,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn records_come_back_as_from_a_store_in_memory() {
    let Some(cluster) = Cluster::shared("records") else {
        return;
    };
    let store = store(&cluster, "records").await;
    let memory = MemoryStore::default();
    let records = [
        request("op-1", "reboot", &["i-1", "i-2"]),
        intent("op-1", 1, "reboot", &["i-1", "i-2"], false),
        answer("op-1", 1, "i-1", "accepted"),
        answer("op-1", 1, "i-2", "unclear"),
        reached("op-1", "i-1"),
        record(json!({
            "record": "hold", "target": "web", "state": "running", "until": "2026-11-21T00:00:00Z",
            "why": "tests", "by": "ops@bastion", "at": "2026-11-20T18:00:00Z",
        })),
        record(
            json!({"record": "release", "target": "web", "by": "ops@bastion", "at": "2026-11-20T19:00:00Z"}),
        ),
        edge("web", "i-1", "2026-11-20T18:00:00Z"),
        record(json!({
            "record": "notice", "at": "2026-11-20T18:00:00Z", "kind": "drifted", "subject": "i-1", "message": "changed",
        })),
        record(json!({
            "record": "pass", "at": "2026-11-20T18:00:00Z", "by": "ops@bastion", "instances": 2, "changes": 0,
        })),
    ];
    for records in records.chunks(3) {
        memory.append(records.to_vec()).await.unwrap();
        store.append(records.to_vec()).await.unwrap();
    }
    // The letter NUL is the only difference.
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}").replace("\\0", "\u{fffd}");
    let (expected, found) = (
        memory.state().await.unwrap(),
        other(&cluster, "records").await.state().await.unwrap(),
    );
    assert_eq!(text(&expected.holds), text(&found.holds));
    assert_eq!(text(&expected.edges), text(&found.edges));
    assert_eq!(text(&expected.last_actions), text(&found.last_actions));
    assert_eq!(text(&expected.last_pass), text(&found.last_pass));
    let progress = |state: &lifecycle_controller::State, name: &str| {
        text(state.latest().unwrap().progress(name))
    };
    for name in ["i-1", "i-2"] {
        assert_eq!(progress(&expected, name), progress(&found, name));
    }
    for query in [
        HistoryQuery::default(),
        HistoryQuery::default().with_subject(Some("i-1".to_owned())),
        HistoryQuery::default().with_since(Some("2026-11-20T18:30:00Z".parse().unwrap())),
        HistoryQuery::default().with_since(Some("2026-11-20T18:00:01Z".parse().unwrap())),
    ] {
        let expected = memory.history(&query).await.unwrap();
        let found = store.history(&query).await.unwrap();
        assert_eq!(text(&expected), text(&found), "{query:?}");
        assert!(!expected.is_empty());
    }
    let check = store.check().await.unwrap();
    assert_eq!(
        (check.unfinished, check.events, check.problems.len()),
        (1, 10, 0)
    );
    for (view, rows) in [
        ("call", 2),
        ("open_operation", 1),
        ("uncertain_call", 0),
        ("active_hold", 0),
        ("group_holder", 0),
        ("pass", 1),
        ("notice", 1),
    ] {
        let sql = format!("select count(*) from lifecycle.{view}");
        assert_eq!(cluster.psql("records", &sql), rows.to_string(), "{view}");
    }
    let open = "select without_outcome from lifecycle.open_operation";
    assert_eq!(cluster.psql("records", open), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_outcome_of_an_instance_is_final() {
    let Some(cluster) = Cluster::shared("outcomes") else {
        return;
    };
    let store = store(&cluster, "outcomes").await;
    let memory = MemoryStore::default();
    let late = json!({
        "record": "outcome", "operation": "op-1", "at": "2026-11-20T18:00:02Z",
        "rows": [{"instance": "i-1", "outcome": "accepted"}],
    });
    for records in [
        vec![request("op-1", "reboot", &["i-1", "i-2"])],
        vec![intent("op-1", 1, "reboot", &["i-1"], false)],
        vec![reached("op-1", "i-1")],
        vec![record(late)],
    ] {
        memory.append(records.clone()).await.unwrap();
        store.append(records).await.unwrap();
    }
    for state in [memory.state().await, store.state().await] {
        let state = state.unwrap();
        let operation = state.operation(&OperationId("op-1".to_owned())).unwrap();
        let outcome = operation.progress("i-1").outcome.as_ref().unwrap();
        assert_eq!(outcome.outcome.as_str(), "reached");
        let last = state.last_action("i-1").unwrap();
        assert_eq!(last.outcome.as_deref(), Some("reached"));
    }
    let outcome = "select outcome from lifecycle.intent where instance = 'i-1'";
    assert_eq!(cluster.psql("outcomes", outcome), "reached");
}

/// The rule of `State::check`, in SQL: the same sequences are refused.
#[tokio::test(flavor = "multi_thread")]
async fn second_call_is_refused_as_by_a_store_in_memory() {
    let Some(cluster) = Cluster::shared("intents") else {
        return;
    };
    let store = store(&cluster, "intents").await;
    let mut number = 0;
    for kind in ["start", "stop", "reboot"] {
        for before in [
            "", "sent", "accepted", "refused", "rejected", "unclear", "not-sent", "outcome",
        ] {
            for resent in [false, true] {
                number += 1;
                let id = format!("op-{number}");
                let memory = MemoryStore::default();
                let mut first = vec![request(&id, kind, &["i-1", "i-2"])];
                if !before.is_empty() {
                    first.push(intent(&id, 1, kind, &["i-1"], false));
                }
                match before {
                    "" | "sent" => {}
                    "outcome" => first.push(reached(&id, "i-1")),
                    kind => first.push(answer(&id, 1, "i-1", kind)),
                }
                let second = intent(&id, 2, kind, &["i-2", "i-1"], resent);
                memory.append(first.clone()).await.unwrap();
                store.append(first).await.unwrap();
                let expected = memory.append(vec![second.clone()]).await;
                let found = store.append(vec![second]).await;
                assert_eq!(
                    expected.map_err(|error| error.to_string()),
                    found.map_err(|error| error.to_string()),
                    "{kind} after {before}, resent: {resent}"
                );
            }
        }
    }
    let unknown = store
        .append(vec![intent("nothing", 1, "start", &["i-1"], false)])
        .await;
    assert!(
        matches!(unknown, Err(StoreError::UnknownOperation(_))),
        "{unknown:?}"
    );
    let rows = "select count(*) from lifecycle.event where operation = 'nothing'";
    assert_eq!(
        cluster.psql("intents", rows),
        "0",
        "a refused append leaves nothing behind"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_many_programs_gets_the_intent_of_a_reboot() {
    let Some(cluster) = Cluster::shared("race") else {
        return;
    };
    let first = store(&cluster, "race").await;
    first
        .append(vec![request("op", "reboot", &["i-1"])])
        .await
        .unwrap();
    let mut programs = Vec::new();
    for _ in 0..6 {
        let store = other(&cluster, "race").await;
        programs.push(tokio::spawn(async move {
            let attempts = (1..=10).map(|call| {
                let store = store.clone();
                async move {
                    store
                        .append(vec![intent("op", call, "reboot", &["i-1"], false)])
                        .await
                }
            });
            let results = futures_util::future::join_all(attempts).await;
            let calls = (1..).zip(results);
            calls
                .filter_map(|(call, result)| result.ok().map(|()| call))
                .collect::<Vec<u64>>()
        }));
    }
    let mut won = Vec::new();
    for program in programs {
        won.extend(program.await.unwrap());
    }
    assert_eq!(won.len(), 1, "{won:?}");
    let state = first.state().await.unwrap();
    assert_eq!(state.latest().unwrap().calls, won[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_misses_no_event_of_concurrent_writers() {
    let Some(cluster) = Cluster::shared("readers") else {
        return;
    };
    let reader = store(&cluster, "readers").await;
    let mut writers = Vec::new();
    for writer in 0..4 {
        let store = other(&cluster, "readers").await;
        writers.push(tokio::spawn(async move {
            for n in 0..50 {
                let name = format!("i-{writer}-{n}");
                store
                    .append(vec![edge("web", &name, "2026-11-20T18:00:00Z")])
                    .await
                    .unwrap();
            }
        }));
    }
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        reader.state().await.unwrap();
    }
    assert_eq!(reader.state().await.unwrap().edges.len(), 200);
}

/// Ids of a sequence commit out of order, unless the appends wait for each other: a reader of "id > last" would
/// miss the event that commits late.
#[tokio::test(flavor = "multi_thread")]
async fn append_waits_for_the_end_of_an_earlier_append() {
    let Some(cluster) = Cluster::shared("order") else {
        return;
    };
    let store = store(&cluster, "order").await;
    let mut early = store.database().connection().await.unwrap();
    early.begin().await.unwrap();
    let notice = r#"[{"entries": [{"repeatable": false, "record":
        {"record": "notice", "at": "2026-11-20T18:00:00Z", "kind": "early", "message": ""}}]}]"#;
    let sql = format!("select lifecycle.append('{notice}')");
    early.batch(&sql).await.unwrap();
    let late = edge("web", "i-1", "2026-11-20T18:00:00Z");
    let append = store.append(vec![late]);
    tokio::pin!(append);
    let waiting = tokio::time::timeout(Duration::from_millis(500), &mut append).await;
    assert!(waiting.is_err(), "the later append did not wait");
    early.commit().await.unwrap();
    append.await.unwrap();
    let kinds = "select string_agg(kind, ' ' order by id) from lifecycle.event";
    assert_eq!(cluster.psql("order", kinds), "notice edge");
}

fn bundles(names: &[&str]) -> Vec<BTreeSet<String>> {
    names
        .iter()
        .map(|name| BTreeSet::from([(*name).to_owned()]))
        .collect()
}

async fn controller(store: &PostgresStore, name: &str, lease: Duration) -> PostgresLeases {
    let info = ControllerInfo::new(name, "test", ControllerKind::Run).with_lease(lease);
    PostgresLeases::join(store.clone(), info).await.unwrap()
}

const LEASE: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_divided_and_move_when_a_controller_joins_leaves_or_dies() {
    let Some(cluster) = Cluster::shared("leases") else {
        return;
    };
    let base = store(&cluster, "leases").await;
    let groups = bundles(&["a", "b", "c", "d", "e", "f"]);
    let a = controller(&base, "a", LEASE).await;
    assert_eq!(a.begin_pass(&groups).await.unwrap().groups.len(), 6);
    let b = controller(&base, "b", LEASE).await;
    let share = b.begin_pass(&groups).await.unwrap();
    assert_eq!(share.groups.len(), 0);
    assert_eq!(share.elsewhere.len(), 6);
    assert_eq!(share.elsewhere["a"].name, "a");
    drop(share);
    // The holder releases its surplus at its next renewal, and the other controller wakes.
    for _ in 0..4 {
        a.begin_pass(&groups).await.unwrap();
        tokio::time::sleep(LEASE / 2).await;
        b.begin_pass(&groups).await.unwrap();
    }
    let (of_a, of_b) = (
        a.begin_pass(&groups).await.unwrap().groups,
        b.begin_pass(&groups).await.unwrap().groups,
    );
    assert_eq!((of_a.len(), of_b.len()), (3, 3));
    assert!(of_a.is_disjoint(&of_b));
    let rows = base.controllers().await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.alive && row.groups.len() == 3));
    // Death: no renewal, and no farewell.
    drop(a);
    let all = async {
        while b.begin_pass(&groups).await.unwrap().groups.len() < 6 {
            b.changed().await;
        }
    };
    tokio::time::timeout(LEASE * 3, all).await.unwrap();
    let c = controller(&base, "c", LEASE).await;
    b.leave().await.unwrap();
    assert_eq!(c.begin_pass(&groups).await.unwrap().groups.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn single_pass_takes_no_group_of_a_controller_that_dies_meanwhile() {
    let Some(cluster) = Cluster::shared("single") else {
        return;
    };
    let base = store(&cluster, "single").await;
    let groups = bundles(&["a", "b"]);
    let dying = controller(&base, "dying", LEASE).await;
    assert_eq!(dying.begin_pass(&groups).await.unwrap().groups.len(), 2);
    let info = ControllerInfo::new("apply", "test", ControllerKind::Apply).with_lease(LEASE);
    let apply = PostgresLeases::join(base.clone(), info).await.unwrap();
    let share = apply.begin_pass(&groups).await.unwrap();
    assert!(share.groups.is_empty());
    drop(dying);
    tokio::time::sleep(LEASE * 2).await;
    let other = controller(&base, "other", LEASE).await;
    assert_eq!(other.begin_pass(&groups).await.unwrap().groups.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn hold_of_a_person_refuses_a_request_of_a_pass_that_read_the_state_before() {
    let Some(cluster) = Cluster::shared("holds") else {
        return;
    };
    let base = store(&cluster, "holds").await;
    let run = controller(&base, "run", Duration::from_secs(60)).await;
    let share = run.begin_pass(&bundles(&["web"])).await.unwrap();
    share.store.state().await.unwrap();
    let person = other(&cluster, "holds").await;
    let hold = record(json!({
        "record": "hold", "target": "web", "state": "running", "until": "2026-11-21T18:00:00Z", "why": "release",
        "by": "ops@bastion", "at": "2026-11-20T18:00:00Z",
    }));
    person.append(vec![hold]).await.unwrap();
    let late = share
        .store
        .append(vec![request("op", "stop", &["i-1"])])
        .await;
    let error = late.unwrap_err().to_string();
    assert!(error.contains("a hold changed during the pass"), "{error}");
    // The next pass has seen the hold.
    share.store.state().await.unwrap();
    let decided = share
        .store
        .append(vec![request("op", "start", &["i-1"])])
        .await;
    decided.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_the_tables_do_not_take_fails_alone() {
    let Some(cluster) = Cluster::shared("alone") else {
        return;
    };
    let store = store(&cluster, "alone").await;
    store
        .append(vec![request("op", "start", &["i-1"])])
        .await
        .unwrap();
    // The same operation again, among good records of other tasks.
    let appends = (0..20).map(|number| {
        let store = store.clone();
        async move {
            let record = match number {
                7 => request("op", "start", &["i-1"]),
                number => edge("web", &format!("i-{number}"), "2026-11-20T18:00:00Z"),
            };
            store.append(vec![record]).await
        }
    });
    let results = futures_util::future::join_all(appends).await;
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), number == 7, "{number}: {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_controller_that_lost_its_groups_are_refused() {
    let Some(cluster) = Cluster::shared("fences") else {
        return;
    };
    let base = store(&cluster, "fences").await;
    let groups = bundles(&["web"]);
    let frozen = controller(&base, "frozen", Duration::from_secs(60)).await;
    let share = frozen.begin_pass(&groups).await.unwrap();
    share.store.state().await.unwrap();
    share
        .store
        .append(vec![
            edge("maintenance web", "i-1", "2026-11-20T18:00:00Z"),
            request("op", "reboot", &["i-1", "i-2"]),
            intent("op", 1, "reboot", &["i-1"], false),
        ])
        .await
        .unwrap();
    // The lease ends while the controller is frozen.
    cluster.psql(
        "fences",
        "update lifecycle.controller set expires_at = now()",
    );
    let other = controller(&base, "other", Duration::from_secs(60)).await;
    let theirs = other.begin_pass(&groups).await.unwrap();
    assert_eq!(theirs.groups, BTreeSet::from(["web".to_owned()]));
    theirs.store.state().await.unwrap();
    let open = vec![OperationId("op".to_owned())];
    assert_eq!(theirs.store.take_over(open.clone()).await.unwrap(), open);
    for late in [
        edge("web", "i-1", "2026-11-20T20:00:00Z"),
        edge("maintenance web", "i-2", "2026-11-20T18:00:00Z"),
        request("op-2", "reboot", &["i-1"]),
        intent("op", 2, "reboot", &["i-2"], false),
    ] {
        let error = share.store.append(vec![late]).await.unwrap_err();
        assert!(matches!(error, StoreError::TakenOver { .. }), "{error}");
    }
    // The truth about a call that was sent is always recorded.
    share
        .store
        .append(vec![
            answer("op", 1, "i-1", "accepted"),
            reached("op", "i-1"),
        ])
        .await
        .unwrap();
    // The new owner may send what was never sent, and nothing a second time.
    theirs
        .store
        .append(vec![intent("op", 2, "reboot", &["i-2"], false)])
        .await
        .unwrap();
    let second = theirs
        .store
        .append(vec![intent("op", 3, "reboot", &["i-1"], false)])
        .await;
    assert!(
        matches!(second, Err(StoreError::Conflict { .. })),
        "{second:?}"
    );
    // The operation of a living controller is left alone.
    drop(share);
    let back = frozen.begin_pass(&groups).await.unwrap();
    assert!(back.store.take_over(open).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_controllers_that_decide_on_the_same_state_act_once() {
    let Some(cluster) = Cluster::shared("decisions") else {
        return;
    };
    let base = store(&cluster, "decisions").await;
    let groups = bundles(&["web"]);
    let one = controller(&base, "one", Duration::from_secs(60)).await;
    let first = one.begin_pass(&groups).await.unwrap();
    first.store.state().await.unwrap();
    // The group moves without a trace, as if all leases failed.
    let two = controller(&base, "two", Duration::from_secs(60)).await;
    cluster.psql(
        "decisions",
        "update lifecycle.lease set holder = (select id from lifecycle.controller where name = 'two')",
    );
    let second = two.begin_pass(&groups).await.unwrap();
    second.store.state().await.unwrap();
    cluster.psql(
        "decisions",
        "update lifecycle.lease set holder = (select id from lifecycle.controller where name = 'one')",
    );
    let due = "2026-11-20T18:00:00Z";
    // Without the lease, even a state that is up to date is not enough.
    let without = second
        .store
        .append(vec![edge("maintenance web", "i-1", due)])
        .await;
    assert!(
        matches!(without, Err(StoreError::TakenOver { .. })),
        "{without:?}"
    );
    first
        .store
        .append(vec![edge("maintenance web", "i-1", due)])
        .await
        .unwrap();
    cluster.psql(
        "decisions",
        "update lifecycle.lease set holder = (select id from lifecycle.controller where name = 'two')",
    );
    let refused = second
        .store
        .append(vec![edge("maintenance web", "i-1", due)])
        .await;
    assert!(
        matches!(refused, Err(StoreError::TakenOver { .. })),
        "{refused:?}"
    );
    second.store.state().await.unwrap();
    second
        .store
        .append(vec![edge("web", "i-1", due)])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_keeps_open_operations_holds_and_the_state() {
    let Some(cluster) = Cluster::shared("prune") else {
        return;
    };
    let base = store(&cluster, "prune").await;
    base.append(vec![
        request("old", "stop", &["i-1"]),
        intent("old", 1, "stop", &["i-1"], false),
        answer("old", 1, "i-1", "accepted"),
        reached("old", "i-1"),
        end("old"),
        request("open", "reboot", &["i-2"]),
        intent("open", 1, "reboot", &["i-2"], false),
        edge("web", "i-1", "2026-11-20T18:00:00Z"),
        record(json!({
            "record": "hold", "target": "web", "state": "running", "until": "2099-01-01T00:00:00Z",
            "why": "tests", "by": "ops@bastion", "at": "2026-11-20T18:00:00Z",
        })),
        record(json!({
            "record": "notice", "at": "2026-11-20T18:00:00Z", "kind": "drifted", "message": "old",
        })),
        record(json!({
            "record": "notice", "at": "2026-11-28T18:00:00Z", "kind": "drifted", "message": "new",
        })),
    ])
    .await
    .unwrap();
    let text = |state: lifecycle_controller::State| {
        format!(
            "{:?}",
            state.snapshot("2026-11-30T00:00:00Z".parse().unwrap())
        )
    };
    let before = text(base.state().await.unwrap());
    let pruned = base
        .prune("2026-11-25T00:00:00Z".parse().unwrap())
        .await
        .unwrap();
    assert_eq!((pruned.operations, pruned.events), (1, 8));
    let fresh = other(&cluster, "prune").await;
    assert_eq!(text(fresh.state().await.unwrap()), before);
    assert_eq!(text(base.state().await.unwrap()), before);
    let history = fresh.history(&HistoryQuery::default()).await.unwrap();
    let kinds: Vec<_> = history.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["call", "notice"], "{history:#?}");
    assert_eq!(
        cluster.psql("prune", "select target from lifecycle.active_hold"),
        "web"
    );
    let second = fresh
        .append(vec![intent("open", 2, "reboot", &["i-2"], false)])
        .await;
    assert!(
        matches!(second, Err(StoreError::Conflict { .. })),
        "{second:?}"
    );
    fresh
        .append(vec![edge("web", "i-9", "2026-11-29T00:00:00Z")])
        .await
        .unwrap();
    assert_eq!(base.state().await.unwrap().edges.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_journal_has_the_same_state_and_history() {
    let Some(cluster) = Cluster::shared("import") else {
        return;
    };
    let base = store(&cluster, "import").await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path().join("journal")).await.unwrap();
    journal
        .append(vec![
            request("old", "stop", &["i-1"]),
            intent("old", 1, "stop", &["i-1"], false),
            reached("old", "i-1"),
            end("old"),
            request("open", "reboot", &["i-2"]),
            intent("open", 1, "reboot", &["i-2"], false),
            edge("web", "i-1", "2026-11-20T18:00:00Z"),
        ])
        .await
        .unwrap();
    assert_eq!(base.import(&journal).await.unwrap(), 7);
    let state = base.state().await.unwrap();
    assert_eq!(state.unfinished().count(), 1);
    assert_eq!(state.edges.len(), 1);
    let query = HistoryQuery::default();
    assert_eq!(
        base.history(&query).await.unwrap(),
        journal.history(&query).await.unwrap()
    );
    let again = base.import(&journal).await.unwrap_err();
    assert!(again.to_string().contains("empty database"), "{again}");
    let second = base
        .append(vec![intent("open", 2, "reboot", &["i-2"], false)])
        .await;
    assert!(
        matches!(second, Err(StoreError::Conflict { .. })),
        "{second:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn store_recovers_after_the_death_of_the_server_and_loses_no_record() {
    let Some(cluster) = Cluster::own("recovery") else {
        return;
    };
    let base = Arc::new(store(&cluster, "recovery").await);
    base.append(vec![request("op", "start", &["i-1"])])
        .await
        .unwrap();
    assert_eq!(base.state().await.unwrap().operations.len(), 1);
    cluster.kill();
    // The processes of the server end a moment after the postmaster.
    while base.state().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..3 {
        let error = base
            .append(vec![intent("op", 1, "start", &["i-1"], false)])
            .await
            .unwrap_err();
        assert!(error.is_temporary(), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(base.state().await.unwrap_err().is_temporary());
    cluster.restart();
    base.append(vec![intent("op", 1, "start", &["i-1"], false)])
        .await
        .unwrap();
    assert_eq!(base.state().await.unwrap().latest().unwrap().calls, 1);
}
