//! Tests of the caller's end of a rollout, of shares of failures, of slow readers, and of actions as data.

mod support;

use futures_util::StreamExt;
use lifecycle_client::{Client, Event, EventStream, FailureLimit, Outcome, Report, Waves};
use lifecycle_core::{Action, ActionKind, FaultKind, StopMode, StopOptions};
use support::{ScriptedCloud, all_in_state, fault, id, ids, ok, outcomes, seconds};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// A cloud whose instances are at the goal at once, except instances in a `stop` with `i-9`.
fn prompt() -> ScriptedCloud {
    ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ if sent.ids.contains(&"i-9".to_owned()) => fault(FaultKind::Permission),
        _ => ok("ok"),
    })
}

fn kind_of(report: &Report, number: usize) -> FaultKind {
    let outcome = report.outcome(&id(number));
    outcome.and_then(Outcome::fault).unwrap().kind()
}

/// Reads the events, sends the signal at the first event of wave 2, and returns the report.
async fn signal_in_wave_2(mut events: EventStream, signal: oneshot::Sender<()>) -> Report {
    let mut signal = Some(signal);
    loop {
        match events.next().await.unwrap() {
            Event::Wave { number: 2, .. } => signal.take().unwrap().send(()).unwrap(),
            Event::Finished(report) => return report.unwrap(),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn wave_under_way_finishes_after_the_signal_and_no_further_wave_begins() {
    let cloud = prompt();
    let (signal, signalled) = oneshot::channel();
    let waves = Waves::of(2).until(async { signalled.await.unwrap_or_default() });
    let request = cloud.client().stop(ids(6)).waves(waves);
    let report = signal_in_wave_2(request.events(), signal).await;
    let (reached, skipped) = ("reached", "skipped");
    assert_eq!(
        outcomes(&report),
        [reached, reached, reached, reached, skipped, skipped]
    );
    assert_eq!(kind_of(&report, 4), FaultKind::Cancelled);
    let why = report.outcome(&id(5)).and_then(Outcome::fault).unwrap();
    assert_eq!(
        why.message(),
        "the caller ended the request before this wave"
    );
    assert_eq!(cloud.calls("stop").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn signal_before_the_first_wave_sends_nothing() {
    let cloud = prompt();
    let waves = Waves::of(2).until(async {});
    let report = cloud.client().stop(ids(3)).waves(waves).await.unwrap();
    assert_eq!(outcomes(&report), ["skipped"; 3]);
    assert_eq!(cloud.calls("stop").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn signal_ends_a_pause_at_once_and_the_request_can_run_again() {
    let cloud = prompt();
    let begin = Instant::now();
    let waves = Waves::of(1)
        .with_pause(seconds(3_600))
        .until(sleep(seconds(60)));
    let request = cloud.client().stop(ids(3)).waves(waves);
    let report = request.clone().await.unwrap();
    assert_eq!(outcomes(&report), ["reached", "skipped", "skipped"]);
    assert_eq!(begin.elapsed(), seconds(60));
    // The clone has the same signal, which is ready.
    assert_eq!(outcomes(&request.await.unwrap()), ["skipped"; 3]);
}

#[tokio::test(start_paused = true)]
async fn signal_that_never_comes_changes_nothing() {
    let waves = Waves::of(2).until(std::future::pending());
    let report = prompt().client().stop(ids(5)).waves(waves).await.unwrap();
    assert_eq!(outcomes(&report), ["reached"; 5]);
}

/// A signal that makes progress only while it is polled.
#[tokio::test(start_paused = true)]
async fn signal_is_polled_during_a_wave() {
    let (sender, mut steps) = tokio::sync::mpsc::unbounded_channel();
    let waves = Waves::of(1).until(async move {
        for step in 1..=3 {
            sleep(seconds(1)).await;
            sender.send(step).unwrap();
        }
    });
    let slow = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => ok("ok"),
    });
    let slow = slow.with_action_latency(seconds(8));
    let report = slow.client().stop(ids(2)).waves(waves).await.unwrap();
    assert_eq!(outcomes(&report), ["reached", "skipped"]);
    assert_eq!(steps.recv().await, Some(1));
    assert_eq!(steps.recv().await, Some(2));
    assert_eq!(steps.recv().await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn share_of_failures_ends_the_request() {
    // Instance 9 is refused, in waves of one. 9 % of 20 instances are 1 failure, and 10 % are 2.
    for (percent, skipped) in [(0, 10), (9, 10), (10, 0)] {
        let waves = Waves::of(1).with_stop_after(FailureLimit::percent(percent));
        let report = prompt().client().stop(ids(20)).waves(waves).await.unwrap();
        let names = outcomes(&report);
        let count = names.iter().filter(|name| **name == "skipped").count();
        assert_eq!(count, skipped, "{percent} %");
    }
}

#[tokio::test(start_paused = true)]
async fn sending_precedes_the_call_and_names_operation_and_instances() {
    let cloud = prompt();
    let mut events = cloud.client_in_batches_of(2).stop(ids(3)).events();
    let mut sent = Vec::new();
    while let Some(event) = events.next().await {
        if let Event::Sending {
            operation,
            instances,
        } = event
        {
            assert_eq!(operation, "stop");
            sent.push(instances);
        }
    }
    sent.sort_by_key(|instances| std::cmp::Reverse(instances.len()));
    assert_eq!(sent, [ids(2), vec![id(2)]]);
}

#[tokio::test(start_paused = true)]
async fn repeated_attempt_is_announced_again() {
    let mut calls = 0;
    let cloud = ScriptedCloud::new(move |_| {
        calls += 1;
        match calls {
            1 => fault(FaultKind::Throttled),
            _ => ok("ok"),
        }
    });
    let events: Vec<Event> = cloud.client().start(ids(1)).events().collect().await;
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Sending { .. } => Some("sending"),
            Event::Throttled { .. } => Some("throttled"),
            Event::Accepted { .. } => Some("accepted"),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["sending", "throttled", "sending", "accepted"]);
}

/// Returns the times at which the cloud received the stops of a reader that sleeps a minute per event.
async fn sent_to_slow_reader(spawn: bool) -> Vec<u64> {
    let cloud = prompt();
    let request = cloud.client().stop(ids(3)).waves(Waves::of(1));
    let mut events = match spawn {
        true => request.events().spawn(),
        false => request.events(),
    };
    let mut last = None;
    while let Some(event) = events.next().await {
        sleep(seconds(60)).await;
        last = Some(event);
    }
    let Some(Event::Finished(Ok(report))) = last else {
        panic!("{last:?}");
    };
    assert_eq!(outcomes(&report), ["reached"; 3]);
    cloud
        .calls("stop")
        .iter()
        .map(|sent| sent.at.as_secs())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn slow_reader_holds_back_waves_unless_the_request_is_spawned() {
    let held_back = sent_to_slow_reader(false).await;
    assert!(held_back[1] >= 60 && held_back[2] >= 120, "{held_back:?}");
    let on_time = sent_to_slow_reader(true).await;
    assert!(on_time[2] < 30, "{on_time:?}");
}

#[tokio::test(start_paused = true)]
async fn forced_stop_is_on_time_beside_a_slow_reader_of_a_spawned_request() {
    for (spawn, on_time) in [(true, true), (false, false)] {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "running"),
            _ => ok("ok"),
        });
        let request = cloud.client().stop(ids(1)).force_after(seconds(60));
        let mut events = match spawn {
            true => request.events().spawn(),
            false => request.events(),
        };
        assert!(matches!(events.next().await, Some(Event::Sending { .. })));
        // The reader is away for five minutes.
        sleep(seconds(300)).await;
        let forced: Vec<_> = cloud
            .calls("force-stop")
            .iter()
            .map(|sent| sent.at)
            .collect();
        assert_eq!(forced == [seconds(60)], on_time, "{forced:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stream_of_a_spawned_request_ends_with_the_report_on_several_threads() {
    let client = prompt().client();
    for round in 0..2_000 {
        let mut events = client.stop(ids(1)).events().spawn();
        let mut has_report = false;
        while let Some(event) = events.next().await {
            has_report |= matches!(event, Event::Finished(Ok(_)));
        }
        assert!(has_report, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn spawned_request_that_has_ended_keeps_its_report_for_a_late_cancel() {
    for number in [1, 9] {
        let cloud = prompt();
        let events = cloud.client().stop([id(number)]).events().spawn();
        sleep(seconds(60)).await;
        let report = events.cancel().unwrap();
        let expected = ["accepted", "refused"][usize::from(number == 9)];
        assert_eq!(outcomes(&report), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn spawned_request_ends_when_the_stream_is_dropped_or_cancelled() {
    let slow = |client: &Client| {
        let waves = Waves::of(1).with_pause(seconds(30));
        client.stop(ids(4)).waves(waves).events().spawn()
    };
    for cancel in [false, true] {
        let cloud = prompt();
        let tasks = tokio::runtime::Handle::current().metrics();
        let before = tasks.num_alive_tasks();
        let mut events = slow(&cloud.client());
        while !matches!(events.next().await, Some(Event::Pause { number: 3, .. })) {}
        if cancel {
            let report = events.cancel().unwrap();
            assert_eq!(
                outcomes(&report),
                ["reached", "reached", "skipped", "skipped"]
            );
        } else {
            drop(events);
        }
        sleep(seconds(600)).await;
        assert_eq!(cloud.calls("stop").len(), 2);
        assert_eq!(tasks.num_alive_tasks(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn action_as_data_is_the_same_call_as_the_method() {
    let forced = StopOptions::default().with_mode(StopMode::Forced);
    for (kind, operation) in [(ActionKind::Start, "start"), (ActionKind::Stop, "stop")] {
        let cloud = prompt();
        let action: ActionKind = kind.as_str().parse().unwrap();
        assert!(
            cloud
                .client()
                .act(action, ids(1))
                .await
                .unwrap()
                .is_success()
        );
        assert_eq!(cloud.calls(operation).len(), 1);
    }
    let client = prompt().client();
    let named = client
        .stop(ids(2))
        .mode(StopMode::Forced)
        .dry_run()
        .unwrap();
    assert_eq!(client.act(forced, ids(2)).dry_run().unwrap(), named);
    let action = Action::from(forced);
    assert_eq!(client.act(action, ids(2)).dry_run().unwrap(), named);
    // The options of a type stay: only a request with `StopOptions` has `billing`.
    let report = client.act(action, ids(1)).strict().await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
}
