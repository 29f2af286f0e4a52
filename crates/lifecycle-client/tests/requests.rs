//! Tests of requests as values: ownership, accepted arguments, and `Send`.

mod support;

use std::{collections::BTreeSet, future::IntoFuture};

use lifecycle_client::{
    Client, Error, Event, EventStream, InstanceStatus, ListRequest, ObserveRequest, PowerRequest,
    Report, ReportFuture, WaitRequest, Waves,
};
use lifecycle_core::{InstanceId, LocalDisk, PowerState, RebootOptions, StartOptions, StopOptions};
use support::{ScriptedCloud, all_in_state, ids, ok, outcomes, seconds};

fn cloud() -> ScriptedCloud {
    ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        "list" => ok("last\ni-0 running"),
        _ => ok("ok"),
    })
}

#[test]
fn requests_and_reports_cross_threads() {
    fn value<T: Send + Sync + 'static>() {}
    fn future<T: Send + 'static>() {}
    value::<Client>();
    value::<PowerRequest<StartOptions>>();
    value::<PowerRequest<StopOptions>>();
    value::<PowerRequest<RebootOptions>>();
    value::<WaitRequest>();
    value::<ObserveRequest>();
    value::<ListRequest>();
    value::<Report>();
    value::<Event>();
    value::<InstanceStatus>();
    value::<Error>();
    future::<EventStream>();
    future::<ReportFuture>();
}

/// A request in a struct needs no lifetime.
struct Stored {
    request: PowerRequest<StartOptions>,
    events: Option<EventStream>,
}

#[tokio::test(start_paused = true)]
async fn request_outlives_its_client_and_can_be_stored() {
    let mut stored = Stored {
        request: cloud().client().start(ids(1)).wait(seconds(60)),
        events: None,
    };
    let report = stored.request.clone().await.unwrap();
    assert_eq!(outcomes(&report), ["reached"]);
    stored.events = Some(stored.request.events());
    let first = stored.events.as_mut().unwrap().next().await;
    assert!(matches!(first, Some(Event::Sending { .. })), "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_run_in_tasks_of_their_own() {
    let client = cloud().client();
    let start = tokio::spawn(client.start(ids(1)).wait(seconds(60)).into_future());
    let waves = tokio::spawn(client.stop(ids(1)).waves(Waves::of(1)).into_future());
    let wait = tokio::spawn(client.wait(ids(1), PowerState::Running).into_future());
    let observe = tokio::spawn(client.observe(ids(1)).into_future());
    let list = tokio::spawn(client.list().into_future());
    drop(client);
    assert_eq!(outcomes(&start.await.unwrap().unwrap()), ["reached"]);
    assert_eq!(outcomes(&waves.await.unwrap().unwrap()), ["pending"]);
    assert_eq!(outcomes(&wait.await.unwrap().unwrap()), ["reached"]);
    assert!(observe.await.unwrap().unwrap()[0].result.is_ok());
    assert_eq!(list.await.unwrap().unwrap().len(), 1);
}

#[expect(
    clippy::needless_borrows_for_generic_args,
    reason = "a borrowed array is one of the forms"
)]
#[tokio::test(start_paused = true)]
async fn instances_are_accepted_in_every_usual_form() {
    let client = cloud().client();
    let texts = ["i-0", "i-1"];
    let owned: Vec<String> = texts.map(String::from).to_vec();
    let parsed: Vec<InstanceId> = ids(2);
    let set: BTreeSet<&str> = texts.into();
    for request in [
        client.start(texts),
        client.start(&texts),
        client.start(texts.as_slice()),
        client.start(&owned),
        client.start(owned.iter().filter(|_| true)),
        client.start(owned.clone()),
        client.start(&parsed),
        client.start(parsed.as_slice()),
        client.start(parsed.clone()),
        client.start(&set),
        client.start(Some("i-0").into_iter().chain(["i-1", "i-0"])),
    ] {
        assert_eq!(request.dry_run().unwrap()[0].instances, parsed);
    }
    let invalid = client.start(["i-0", "a/b"]).await;
    assert!(matches!(invalid, Err(Error::InstanceId(_))));
}

#[tokio::test(start_paused = true)]
async fn unsupported_option_is_refused_even_without_instances() {
    let start = cloud().client().start(ids(0));
    let error = start.local_disk(LocalDisk::Initialize).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn event_of_a_call_names_its_instances() {
    let mut calls = 0;
    let cloud = ScriptedCloud::new(move |_| {
        calls += 1;
        match calls {
            1 => support::fault(lifecycle_core::FaultKind::Throttled),
            2 => support::server_error(),
            _ => ok("ok"),
        }
    });
    let mut events = cloud.client().start(ids(2)).events();
    let mut named = Vec::new();
    while let Some(event) = events.next().await {
        if let Event::Throttled { instances, .. } | Event::Retrying { instances, .. } = event {
            named.push(instances);
        }
    }
    assert_eq!(named, [ids(2), ids(2)]);
}

#[tokio::test(start_paused = true)]
async fn single_wave_has_an_event_and_no_waves_have_none() {
    async fn waves(mut events: EventStream) -> Vec<(usize, usize, usize)> {
        let mut waves = Vec::new();
        while let Some(event) = events.next().await {
            if let Event::Wave {
                number,
                of,
                instances,
            } = event
            {
                waves.push((number, of, instances.len()));
            }
        }
        waves
    }
    let client = cloud().client();
    let request = client.start(ids(2)).wait(seconds(60));
    assert_eq!(waves(request.clone().events()).await, []);
    let single = request.clone().waves(Waves::percent(100)).events();
    assert_eq!(waves(single).await, [(1, 1, 2)]);
    let none = client.start(ids(0)).waves(Waves::of(1)).events();
    assert_eq!(waves(none).await, []);
}
