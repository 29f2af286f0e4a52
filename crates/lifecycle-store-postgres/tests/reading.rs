//! Reading of many records: pages of the history, snapshots, and a database that was restored from a copy.
#![cfg(feature = "test-cluster")]

use lifecycle_controller::{HistoryQuery, State, Store};
use lifecycle_store_postgres::{PostgresStore, cluster::Cluster};

/// More events than a process reads before a snapshot, and more than two pages.
const EVENTS: usize = 50_500;

async fn store(cluster: &Cluster, name: &str) -> PostgresStore {
    let text = cluster.database(name);
    PostgresStore::open_and_migrate(text.parse().unwrap())
        .await
        .unwrap()
}

async fn other(cluster: &Cluster, name: &str) -> PostgresStore {
    let text = cluster.text(name).parse().unwrap();
    PostgresStore::open(text).await.unwrap()
}

/// Returns the statement that adds edges of machines `i-1`, `i-2` …, one second apart.
fn edges(first: usize, last: usize, wanted: &str) -> String {
    format!(
        "insert into lifecycle.event (at, kind, subject, group_name, record) \
         select '2026-11-20T00:00:00Z'::timestamptz + n * interval '1 second', 'edge', 'i-' || n, 'web', \
            jsonb_build_object('record', 'edge', 'group', 'web', 'instance', 'i-' || n, 'wanted', '{wanted}', \
                'edge', '2026-11-20T00:00:00Z', 'progress', 'reached', 'at', '2026-11-20T00:00:00Z') \
         from generate_series({first}, {last}) n"
    )
}

fn text(state: &State) -> String {
    format!("{:?}", state.edges)
}

#[tokio::test(flavor = "multi_thread")]
async fn process_that_reads_many_events_writes_a_snapshot_for_the_next_one() {
    let Some(cluster) = Cluster::shared("snapshots") else {
        return;
    };
    let base = store(&cluster, "snapshots").await;
    cluster.psql("snapshots", &edges(1, 100, "running"));
    assert_eq!(base.state().await.unwrap().edges.len(), 100);
    let snapshots = "select count(*) from lifecycle.snapshot";
    assert_eq!(cluster.psql("snapshots", snapshots), "0");
    cluster.psql("snapshots", &edges(101, EVENTS, "running"));
    let state = base.state().await.unwrap();
    assert_eq!(state.edges.len(), EVENTS);
    assert_eq!(cluster.psql("snapshots", snapshots), "1");
    // The next process does not need the events of the snapshot, except for the last one.
    cluster.psql(
        "snapshots",
        "delete from lifecycle.event where id < (select max(id) from lifecycle.event)",
    );
    cluster.psql("snapshots", &edges(1, 10, "stopped"));
    let next = other(&cluster, "snapshots").await.state().await.unwrap();
    assert_eq!(next.edges.len(), EVENTS);
    let stopped = next.edges.values();
    let stopped = stopped.filter(|edge| edge.wanted.as_str() == "stopped");
    assert_eq!(stopped.count(), 10);
    assert_eq!(text(&next), text(&base.state().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_read_anew_after_the_database_was_restored_from_a_copy() {
    let Some(cluster) = Cluster::shared("restored") else {
        return;
    };
    let base = store(&cluster, "restored").await;
    cluster.psql("restored", &edges(1, 5, "running"));
    assert_eq!(base.state().await.unwrap().edges.len(), 5);
    // The copy has the first three events, and other events since.
    cluster.psql(
        "restored",
        "delete from lifecycle.event where id > 3; \
         alter table lifecycle.event alter column id restart with 4",
    );
    cluster.psql("restored", &edges(6, 7, "stopped"));
    let state = base.state().await.unwrap();
    let machines = state.edges.keys().filter_map(|key| key.instance.clone());
    let machines: Vec<_> = machines.collect();
    assert_eq!(machines, ["i-1", "i-2", "i-3", "i-6", "i-7"]);
    assert_eq!(
        text(&state),
        text(&other(&cluster, "restored").await.state().await.unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn history_of_many_pages_is_complete_and_in_order() {
    let Some(cluster) = Cluster::shared("pages") else {
        return;
    };
    let base = store(&cluster, "pages").await;
    let sql = format!(
        "insert into lifecycle.event (at, kind, subject, record) \
         select at, 'notice', 'i-' || n % 7, jsonb_build_object('record', 'notice', 'kind', 'drifted', \
             'subject', 'i-' || n % 7, 'message', n::text, 'at', lifecycle.text(at)) \
         from (select n, '2026-11-20T00:00:00Z'::timestamptz + n * interval '1 second' as at \
             from generate_series(1, {EVENTS}) n) as all_notices"
    );
    cluster.psql("pages", &sql);
    let all = base.history(&HistoryQuery::default()).await.unwrap();
    let numbers = all
        .iter()
        .map(|entry| entry.message.clone().unwrap_or_default());
    assert!(
        numbers.eq((1..=EVENTS).map(|n| n.to_string())),
        "{}",
        all.len()
    );
    let of_one = HistoryQuery::default().with_subject(Some("i-3".to_owned()));
    let of_one = base.history(&of_one).await.unwrap();
    assert_eq!(of_one.len(), (1..=EVENTS).filter(|n| n % 7 == 3).count());
    let late = "2026-11-20T13:00:00Z".parse().unwrap();
    let late = HistoryQuery::default().with_since(Some(late));
    assert_eq!(
        base.history(&late).await.unwrap().len(),
        EVENTS - 13 * 3_600 + 1
    );
    let never = "2027-01-01T00:00:00Z".parse().unwrap();
    let never = HistoryQuery::default().with_since(Some(never));
    assert!(base.history(&never).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn history_of_a_machine_has_every_account_and_spelling() {
    let Some(cluster) = Cluster::shared("machines") else {
        return;
    };
    let base = store(&cluster, "machines").await;
    let upper = "huawei/cn-north-4/616FB98F-46CA-475E-917E-2563E5A8CD19";
    let names = [
        upper.to_owned(),
        upper.to_lowercase(),
        format!("ops@{upper}"),
        "huawei/cn-north-4/other".to_owned(),
        "baidu/bj/i-abc".to_owned(),
        "baidu/bj/i-ABC".to_owned(),
    ];
    for name in &names {
        let sql = format!(
            "insert into lifecycle.event (at, kind, subject, record) \
             select at, 'notice', '{name}', jsonb_build_object('record', 'notice', 'kind', 'drifted', \
                 'subject', '{name}', 'message', 'm', 'at', lifecycle.text(at)) from (select now() as at) as one"
        );
        cluster.psql("machines", &sql);
    }
    for (name, entries) in [
        (upper, 3),
        (&names[1], 3),
        (&names[2], 3),
        ("baidu/bj/i-abc", 1),
        ("baidu/bj/i-AbC", 0),
    ] {
        let query = HistoryQuery::default().with_subject(Some(name.to_owned()));
        let history = base.history(&query).await.unwrap();
        assert_eq!(history.len(), entries, "{name}");
    }
}
