//! Tests of rollouts: one wave after the other, and no wave after too many failures.

mod support;

use std::future::IntoFuture;

use futures_util::StreamExt;
use lifecycle_client::{Event, Outcome, Waves};
use lifecycle_core::FaultKind;
use support::{ScriptedCloud, all_in_state, fault, id, ids, ok, outcomes, seconds};

/// A cloud whose instances stop 20 s after the request.
fn stopping() -> ScriptedCloud {
    let mut down_at = std::collections::HashMap::new();
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => {
            let state = |id: &String| match down_at.get(id) {
                Some(at) if *at <= sent.at => "stopped",
                _ => "running",
            };
            let rows: Vec<String> = sent
                .ids
                .iter()
                .map(|id| format!("{id} {}", state(id)))
                .collect();
            ok(rows.join("\n"))
        }
        _ => {
            for id in &sent.ids {
                down_at.insert(id.clone(), sent.at + seconds(20));
            }
            ok("ok")
        }
    })
}

#[tokio::test(start_paused = true)]
async fn next_wave_starts_when_every_instance_of_the_last_has_an_outcome() {
    let cloud = stopping();
    let client = cloud.client();
    let report = client.stop(ids(5)).waves(Waves::of(2)).await.unwrap();
    assert_eq!(outcomes(&report), ["reached"; 5]);
    let waves: Vec<_> = cloud.calls("stop");
    let asked: Vec<&[String]> = waves.iter().map(|sent| sent.ids.as_slice()).collect();
    assert_eq!(
        asked,
        [
            &["i-0", "i-1"].map(String::from)[..],
            &["i-2", "i-3"].map(String::from)[..],
            &["i-4"].map(String::from)[..]
        ]
    );
    for pair in waves.windows(2) {
        assert!(pair[1].at >= pair[0].at + seconds(20), "{waves:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pause_begins_after_the_last_outcome_of_a_wave() {
    let cloud = stopping();
    let client = cloud.client();
    let start = tokio::time::Instant::now();
    let waves = Waves::of(2).with_pause(seconds(120));
    // The pause is longer than the time limit of a wave.
    let request = client.stop(ids(5)).waves(waves).wait(seconds(60));
    let events: Vec<Event> = request.events().collect().await;
    let Some(Event::Finished(Ok(report))) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!(outcomes(report), ["reached"; 5]);
    let sent: Vec<_> = cloud.calls("stop").iter().map(|sent| sent.at).collect();
    for pair in sent.windows(2) {
        // An instance is down after 20 seconds.
        assert!(pair[1] >= pair[0] + seconds(140), "{sent:?}");
        assert!(pair[1] < pair[0] + seconds(170), "{sent:?}");
    }
    // No pause before the first wave, and none after the last one.
    assert!(
        start.elapsed() < seconds(3 * 50 + 2 * 120),
        "{:?}",
        start.elapsed()
    );
    let pauses: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            Event::Pause { number, wait } => {
                assert_eq!(*wait, seconds(120));
                Some(*number)
            }
            _ => None,
        })
        .collect();
    assert_eq!(pauses, [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn no_pause_if_a_failure_ends_the_request_and_none_survives_a_cancel() {
    let refusing = ScriptedCloud::new(|_| fault(FaultKind::Permission));
    let waves = Waves::of(1).with_pause(seconds(3_600));
    let start = tokio::time::Instant::now();
    let report = refusing.client().stop(ids(2)).waves(waves).await.unwrap();
    assert_eq!(outcomes(&report), ["refused", "skipped"]);
    assert!(start.elapsed() < seconds(60), "{:?}", start.elapsed());

    let cloud = stopping();
    let client = cloud.client();
    let mut events = client.stop(ids(2)).waves(waves).events();
    while let Some(event) = events.next().await {
        if matches!(event, Event::Pause { .. }) {
            break;
        }
    }
    let report = events.cancel().unwrap();
    assert_eq!(outcomes(&report), ["reached", "skipped"]);
    assert_eq!(cloud.calls("stop").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rollout_ends_after_failures_and_skips_the_rest() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ if sent.ids.contains(&"i-2".to_owned()) => fault(FaultKind::Permission),
        _ => ok("ok"),
    });
    let client = cloud.client();
    let request = client.stop(ids(6)).waves(Waves::of(2));
    let report = request.clone().await.unwrap();
    let (reached, refused, skipped) = ("reached", "refused", "skipped");
    assert_eq!(
        outcomes(&report),
        [reached, reached, refused, refused, skipped, skipped]
    );
    let Some(Outcome::Skipped(why)) = report.outcome(&id(4)) else {
        panic!("{:?}", report.outcome(&id(4)));
    };
    assert_eq!(why.kind(), FaultKind::Halted);
    assert_eq!(why.message(), "2 instances of earlier waves failed");

    let tolerant = request
        .waves(Waves::of(2).with_stop_after(3))
        .await
        .unwrap();
    assert_eq!(
        outcomes(&tolerant),
        [reached, reached, refused, refused, reached, reached]
    );
}

#[tokio::test(start_paused = true)]
async fn events_name_each_wave_and_settle_every_instance() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => fault(FaultKind::Permission),
    });
    let client = cloud.client();
    let request = client.reboot(ids(3)).waves(Waves::percent(34));
    let events: Vec<Event> = request.events().collect().await;
    let waves: Vec<(usize, usize, usize)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Wave {
                number,
                of,
                instances,
            } => Some((*number, *of, instances.len())),
            _ => None,
        })
        .collect();
    assert_eq!(waves, [(1, 3, 1)]);
    let settled = events.iter().filter(|e| matches!(e, Event::Settled(_)));
    assert_eq!(settled.count(), 3);
    assert!(matches!(events.last(), Some(Event::Finished(Ok(_)))));
}

#[tokio::test(start_paused = true)]
async fn dropped_rollout_sends_no_further_wave() {
    let cloud = stopping();
    let client = cloud.client();
    let request = client.stop(ids(4)).waves(Waves::of(1)).into_future();
    let cut = tokio::time::timeout(seconds(30), request).await;
    assert!(cut.is_err());
    let sent = cloud.calls("stop").len();
    tokio::time::sleep(seconds(300)).await;
    assert_eq!(cloud.calls("stop").len(), sent);
}
