//! Tests of fleet requests as values: ownership, accepted arguments, and what is left after an
//! early end.
#![cfg(all(
    feature = "baidu",
    feature = "aliyun",
    feature = "zenlayer",
    feature = "huawei"
))]

mod support;

use std::{error::Error as _, future::IntoFuture, sync::Arc, time::Duration};

use lifecycle_facade::{
    Event, Fault, FaultKind, Fleet, FleetError, FleetEvent, FleetEventStream, FleetReport,
    FleetRequest, FleetWait, InstanceStatus, ListRequest, ObserveRequest, PowerState,
    RebootOptions, ReportFuture, StartOptions, StopBilling, StopOptions, WaitTimeout, Waves,
    distinct_instances,
};
use lifecycle_facade::{InstanceReference, Location};
use lifecycle_sim::{Cloud, FaultRule, FaultTiming, InjectedFault, Operation, Simulator};
use support::{fleet, simulator};

fn outcomes(report: &FleetReport) -> Vec<&'static str> {
    let rows = report.instances().iter();
    rows.map(|row| row.outcome.as_str()).collect()
}

/// Reads the events for this time.
async fn read_for(events: &mut FleetEventStream, time: Duration) {
    let read = async { while events.next().await.is_some() {} };
    let ended = tokio::time::timeout(time, read).await;
    assert!(ended.is_err(), "the request ended by itself");
}

#[test]
fn requests_and_reports_cross_threads() {
    fn value<T: Send + Sync + 'static>() {}
    fn future<T: Send + 'static>() {}
    value::<Fleet>();
    value::<FleetRequest<StartOptions>>();
    value::<FleetRequest<StopOptions>>();
    value::<FleetRequest<RebootOptions>>();
    value::<FleetWait>();
    value::<ObserveRequest<Fleet>>();
    value::<ListRequest<Fleet>>();
    value::<FleetReport>();
    value::<FleetEvent>();
    value::<InstanceStatus<InstanceReference>>();
    value::<FleetError>();
    future::<FleetEventStream>();
    future::<ReportFuture<InstanceReference, FleetError>>();
}

#[tokio::test]
async fn instance_named_through_two_accounts_or_in_two_spellings_is_one_instance() {
    let fleet = fleet(&simulator("huawei/cn-north-4=1"));
    let id = "616fb98f-46ca-475e-917e-2563e5a8cd19";
    let upper = id.to_ascii_uppercase();
    let names = [
        format!("huawei/cn-north-4/{upper}"),
        format!("ops@huawei/cn-north-4/{id}"),
        format!("huawei/CN-NORTH-4/{id}"),
        format!("huawei/cn-south-1/{id}"),
    ];
    let distinct = distinct_instances(&fleet, &names).unwrap();
    let distinct: Vec<String> = distinct.iter().map(ToString::to_string).collect();
    assert_eq!(
        distinct,
        [
            format!("huawei/cn-north-4/{id}"),
            format!("huawei/cn-south-1/{id}"),
        ]
    );
    let calls = fleet.reboot(&names[..3]).dry_run().unwrap();
    let named: usize = calls
        .iter()
        .filter(|call| call.operation == "BatchRebootServers")
        .map(|call| call.instances.len())
        .sum();
    assert_eq!(named, 1);
}

#[tokio::test]
async fn instances_of_a_request_share_the_text_of_their_region() {
    let fleet = fleet(&simulator("baidu/bj=1"));
    let distinct = distinct_instances(&fleet, ["baidu/bj/i-1", "baidu/BJ/i-2"]).unwrap();
    let [first, second] = &distinct[..] else {
        panic!("two instances: {distinct:?}");
    };
    assert!(Arc::ptr_eq(&first.location.region, &second.location.region));
}

#[tokio::test(start_paused = true)]
async fn requests_run_in_tasks_of_their_own() {
    let simulator = simulator("aliyun/cn-hangzhou=1,baidu/bj=1:running");
    let fleet = fleet(&simulator);
    let [stopped, running] = &simulator.instances()[..] else {
        panic!("two instances");
    };
    let (stopped, running) = match stopped.starts_with("aliyun") {
        true => (stopped, running),
        false => (running, stopped),
    };
    let timeout = WaitTimeout::minutes(5);
    let stop = tokio::spawn(fleet.stop([running]).wait(timeout).into_future());
    let start = tokio::spawn(fleet.start([stopped]).wait(timeout).into_future());
    let wait = tokio::spawn(fleet.wait([stopped], PowerState::Running).into_future());
    let observe = tokio::spawn(fleet.observe([stopped]).into_future());
    let list = tokio::spawn(fleet.list("aliyun/cn-hangzhou").into_future());
    drop(fleet);
    for report in [start, stop, wait] {
        assert_eq!(outcomes(&report.await.unwrap().unwrap()), ["reached"]);
    }
    assert!(observe.await.unwrap().unwrap()[0].result.is_ok());
    assert_eq!(list.await.unwrap().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn locations_are_accepted_as_text_and_as_values() {
    let simulator = simulator("aliyun/cn-hangzhou=2");
    let fleet = fleet(&simulator);
    let location: Location = "aliyun/cn-hangzhou".parse().unwrap();
    assert_eq!(fleet.list(&location).await.unwrap().len(), 2);
    assert_eq!(fleet.list(location.to_string()).await.unwrap().len(), 2);
    assert_eq!(
        fleet.endpoint("aliyun/cn-hangzhou").await.unwrap(),
        fleet.endpoint(&location).await.unwrap()
    );
    assert!(fleet.client("aliyun/cn-hangzhou").await.is_ok());
    assert!(fleet.credentials("aliyun/cn-hangzhou").await.is_ok());
    for error in [
        fleet.list("aliyun").await.unwrap_err(),
        fleet.client("aliyun").await.unwrap_err(),
        fleet.endpoint("aliyun").await.unwrap_err(),
    ] {
        assert!(matches!(error, FleetError::InvalidReference(_)), "{error}");
    }
}

/// Returns simulated clouds. Baidu executes starts and does not answer.
fn without_answers_at_baidu(fleet: &str) -> Simulator {
    let simulator = simulator(fleet);
    let silence = InjectedFault::Silence(FaultTiming::After);
    simulator.inject(
        FaultRule::new(silence)
            .at(Cloud::Baidu)
            .on(Operation::Start),
    );
    simulator
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_reports_every_cloud_and_the_later_waves() {
    let simulator = without_answers_at_baidu("aliyun/cn-hangzhou=2,baidu/bj=2,huawei/cn-north-4=2");
    let fleet = fleet(&simulator);
    let mut references = simulator.instances();
    references.sort_by_key(|reference| reference.starts_with("huawei"));
    let mut events = fleet.start(&references).waves(Waves::of(4)).events();
    read_for(&mut events, Duration::from_secs(2)).await;
    let report = events.cancel().unwrap();
    for (row, reference) in report.instances().iter().zip(&references) {
        assert_eq!(row.instance.to_string(), *reference);
        let expected = match reference.split('/').next() {
            Some("aliyun") => "pending",
            Some("baidu") => "uncertain",
            _ => "skipped",
        };
        assert_eq!(row.outcome.as_str(), expected, "{row}");
    }
    assert_eq!(report.instances().len(), references.len());
    let calls = simulator.ledger().total();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(simulator.ledger().total(), calls, "no further call");
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_reports_and_counts_the_rows_of_a_cloud_that_was_done() {
    let simulator = without_answers_at_baidu("aliyun/cn-hangzhou=2,baidu/bj=2");
    let fleet = fleet(&simulator);
    let mut references = simulator.instances();
    references.swap(0, 3);
    let mut events = fleet.start(&references).events();
    read_for(&mut events, Duration::from_secs(2)).await;
    let report = events.cancel().unwrap();

    let rows = report.instances().iter();
    let rows = rows.map(|row| (row.instance.to_string(), row.outcome.as_str()));
    let expected = references.iter().map(|reference| {
        let is_done = reference.starts_with("aliyun");
        (
            reference.clone(),
            if is_done { "accepted" } else { "uncertain" },
        )
    });
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let stats = fleet.stats().into_values();
    let counted: Vec<_> = stats
        .flat_map(|stats| stats.outcomes)
        .map(|counted| (counted.outcome, counted.instances))
        .collect();
    assert_eq!(counted.len(), 2, "{counted:?}");
    assert!(counted.iter().all(|(_, instances)| *instances == 2));
}

#[tokio::test(start_paused = true)]
async fn single_wave_has_an_event_and_no_waves_have_none() {
    let simulator = simulator("aliyun/cn-hangzhou=2,baidu/bj=1");
    let fleet = fleet(&simulator);
    let request = fleet
        .start(simulator.instances())
        .wait(WaitTimeout::minutes(5));
    for (request, expected) in [
        (request.clone(), 0),
        (request.waves(Waves::percent(100)), 1),
    ] {
        let mut events = request.events();
        let mut waves = 0;
        while let Some(event) = events.next().await {
            waves += usize::from(matches!(
                event,
                Event::Wave { number: 1, of: 1, ref instances, .. } if instances.len() == 3
            ));
        }
        assert_eq!(waves, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_expose_their_fault() {
    let simulator = simulator("aliyun/cn-hangzhou=1,zenlayer/global=1");
    let fleet = fleet(&simulator);
    let unsupported = fleet
        .stop(simulator.instances())
        .billing(StopBilling::Release);
    let unsupported = unsupported.await.unwrap_err();
    simulator.revoke(Cloud::Aliyun);
    let refused = fleet.list("aliyun/cn-hangzhou").await.unwrap_err();
    let keyless = Fleet::builder()
        .transport(simulator.transport())
        .machine(lifecycle_facade::EmptyHost)
        .build()
        .unwrap();
    let keyless = keyless.list("zenlayer/global").await.unwrap_err();
    for (error, kind) in [
        (unsupported, FaultKind::Unsupported),
        (refused, FaultKind::Credential),
        (keyless, FaultKind::Credential),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
        let fault = error
            .source()
            .and_then(|source| source.downcast_ref::<Fault>());
        assert_eq!(fault.unwrap().kind(), kind, "{error}");
    }
    assert_eq!(
        fleet.start(["x"]).await.unwrap_err().kind(),
        FaultKind::Invalid
    );
}
