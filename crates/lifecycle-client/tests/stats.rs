//! Tests of `Client::stats`: what is counted, and that the observer receives each counted event.

mod support;

use std::sync::{Arc, Mutex};

use lifecycle_client::{
    Client, ClientLabels, Event, LimitedCalls, OperationStats, StatsEvent, StatsObserver,
    WaitTimeout, Waves,
};
use lifecycle_core::{ActionKind, FaultKind, Rate, RateLimits, StoppedBilling};
use support::{ScriptedCloud, all_in_state, answer, fault, id, ids, ok, seconds};

/// Keeps all events.
#[derive(Debug, Default)]
struct Events(Mutex<Vec<(ClientLabels, StatsEvent)>>);

impl StatsObserver for Events {
    fn on_event(&self, client: &ClientLabels, event: &StatsEvent) {
        let entry = (client.clone(), event.clone());
        self.0.lock().unwrap().push(entry);
    }
}

impl Events {
    fn count(&self, is_counted: impl Fn(&StatsEvent) -> bool) -> u64 {
        let events = self.0.lock().unwrap();
        events.iter().filter(|(_, event)| is_counted(event)).count() as u64
    }
}

#[tokio::test(start_paused = true)]
async fn stats_equal_the_events_of_the_observer() {
    let mut starts = 0;
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "start" => {
            starts += 1;
            match starts {
                1 => fault(FaultKind::Throttled),
                2 => answer(503, &[], "later"),
                _ => ok("except i-1"),
            }
        }
        "observe" => all_in_state(sent, "running"),
        _ => ok("last\ni-1 running"),
    })
    .with_action_latency(seconds(2));
    let events = Arc::new(Events::default());
    let observer = Arc::clone(&events);
    let client = cloud.client_with(|builder| {
        let builder = builder.labels("prod", "north").stats_observer(observer);
        builder.rate_limits(RateLimits::new(Rate::new(10.0, 10), Rate::new(0.5, 1)))
    });
    let start = client.start(ids(3)).wait(WaitTimeout::minutes(5));
    start.await.unwrap();
    client.list().await.unwrap();

    let stats = client.stats();
    assert_eq!(stats.labels, ClientLabels::new("toy", "prod", "north"));
    let start = stats.operations.iter().find(|it| it.operation == "start");
    let start = start.unwrap();
    assert_eq!((start.succeeded, start.calls(), start.retries), (1, 3, 2));
    let failed = [(FaultKind::Throttled, 1), (FaultKind::Unavailable, 1)];
    assert_eq!(start.failed, failed);
    assert_eq!((start.longest, start.time), (seconds(2), seconds(6)));
    assert_eq!(stats.throttled(), 1);
    assert_eq!(stats.calls, client.calls());
    let calls: u64 = stats.operations.iter().map(OperationStats::calls).sum();
    assert_eq!(calls, stats.calls.total());
    assert!(stats.writes.waits > 0 && stats.writes.waited > seconds(0));
    assert!(stats.writes.per_second.unwrap() < 0.6, "{:?}", stats.writes);
    assert_eq!(stats.reads.per_second, Some(10.0));
    assert_eq!(stats.in_flight, 0);
    assert_eq!(stats.polled_instances, 0);
    assert!(stats.polls > 0);
    let outcomes = stats.outcomes.iter();
    let mut outcomes: Vec<_> = outcomes
        .map(|it| (it.action, it.outcome, it.instances))
        .collect();
    outcomes.sort_by_key(|(_, outcome, _)| *outcome);
    let start = Some(ActionKind::Start);
    assert_eq!(outcomes, [(start, "reached", 3)]);

    let ended = events.count(|event| matches!(event, StatsEvent::Call { .. }));
    assert_eq!(ended, calls);
    let retries = events.count(|event| matches!(event, StatsEvent::Retry { .. }));
    assert_eq!(retries, stats.calls.repeats);
    let polls = events.count(|event| matches!(event, StatsEvent::Polled { .. }));
    assert_eq!(polls, stats.polls);
    let waits = events.count(|event| {
        matches!(
            event,
            StatsEvent::Waited {
                limit: LimitedCalls::Writes,
                ..
            }
        )
    });
    assert_eq!(waits, stats.writes.waits);
    let is_settled = |event: &StatsEvent| matches!(event, StatsEvent::Outcome { .. });
    assert_eq!(events.count(is_settled), outcomes.len() as u64);
    let rates = events.count(|event| matches!(event, StatsEvent::Rate { .. }));
    assert_eq!(rates, calls);
    let labels = events.0.lock().unwrap();
    assert!(labels.iter().all(|(client, _)| *client == stats.labels));
}

#[tokio::test(start_paused = true)]
async fn dropped_call_is_no_longer_in_flight() {
    let cloud = ScriptedCloud::new(|_| support::CallResult::NoAnswer);
    let client = cloud.client();
    let request = tokio::spawn(client.start([id(1)]).into_future());
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(client.stats().in_flight, 1);
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    let stats = client.stats();
    assert_eq!((stats.in_flight, stats.calls.actions), (0, 1));
    assert!(stats.outcomes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_counts_the_outcomes_of_its_report() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "start" => ok("ok"),
        _ => all_in_state(sent, "starting"),
    });
    let client = cloud.client();
    let start = client.start([id(1)]).wait(WaitTimeout::minutes(5));
    let mut events = start.events();
    events.next().await.unwrap();
    let report = events.cancel().unwrap();
    assert_eq!(support::outcomes(&report), ["pending"]);
    let stats = client.stats();
    assert_eq!(stats.outcomes[0].outcome, "pending");
    assert_eq!(stats.outcomes[0].instances, 1);
}

/// Returns the counted outcomes as `name x number`, in alphabetical order.
fn counted(client: &Client) -> Vec<String> {
    let outcomes = client.stats().outcomes.into_iter();
    let mut outcomes: Vec<_> = outcomes
        .map(|counted| format!("{} x {}", counted.outcome, counted.instances))
        .collect();
    outcomes.sort();
    outcomes
}

#[tokio::test(start_paused = true)]
async fn outcomes_of_waves_that_never_began_are_counted_and_have_a_price() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "stop" => fault(FaultKind::Invalid),
        _ => all_in_state(sent, "running"),
    })
    .with_action_latency(seconds(2));
    let stop = |client: &Client| {
        let waves = Waves::of(2);
        client.stop(ids(5)).waves(waves)
    };
    let client = cloud.client();
    let report = stop(&client).await.unwrap();
    assert_eq!(counted(&client), ["refused x 2", "skipped x 3"]);
    for row in report.instances() {
        assert_eq!(row.billing, Some(StoppedBilling::Unknown), "{row}");
    }

    let client = cloud.client();
    let mut events = stop(&client).events();
    while !matches!(events.next().await, Some(Event::Sending { .. })) {}
    let report = events.cancel().unwrap();
    assert_eq!(counted(&client), ["skipped x 3", "uncertain x 2"]);
    let prices = report.instances().iter().map(|row| row.billing);
    assert!(prices.eq([Some(StoppedBilling::Unknown); 5]));
}

#[tokio::test(start_paused = true)]
async fn waiting_request_shows_its_polled_instances() {
    let cloud = ScriptedCloud::new(|sent| all_in_state(sent, "stopped"));
    let client = cloud.client();
    let wait = client.wait(ids(4), lifecycle_core::PowerState::Running);
    let wait = tokio::spawn(wait.timeout(seconds(60)).into_future());
    tokio::time::sleep(seconds(5)).await;
    assert_eq!(client.stats().polled_instances, 4);
    wait.await.unwrap().unwrap();
    let stats = client.stats();
    assert_eq!(stats.polled_instances, 0);
    assert_eq!(
        (stats.outcomes[0].action, stats.outcomes[0].instances),
        (None, 4)
    );
}
