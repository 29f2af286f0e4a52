//! Tests of a fleet over all four simulated clouds, in memory and under paused time.
#![cfg(all(
    feature = "baidu",
    feature = "aliyun",
    feature = "zenlayer",
    feature = "huawei"
))]

mod support;

use std::time::Duration;

use futures_util::StreamExt;
use lifecycle_facade::{
    Error, Event, Fleet, FleetError, FleetEvent, FleetReport, InstanceReference, Location, Outcome,
    PowerState, StopBilling, StopMode, StoppedBilling, WaitTimeout, Waves,
};
use lifecycle_sim::Cloud;
use support::{fleet, simulator};

const SPEC: &str = "baidu/bj=5,aliyun/cn-hangzhou=5,zenlayer/global=5,huawei/cn-north-4=5";

fn outcomes(report: &FleetReport) -> Vec<&'static str> {
    let rows = report.instances().iter();
    rows.map(|row| row.outcome.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn request_starts_instances_in_four_clouds() {
    let simulator = simulator(SPEC);
    let fleet = fleet(&simulator);
    let mut asked = simulator.instances();
    asked.reverse();
    asked.push(asked[0].clone());
    let report = fleet
        .start(&asked)
        .wait(WaitTimeout::minutes(5))
        .await
        .unwrap();
    let order: Vec<String> = report
        .instances()
        .iter()
        .map(|row| row.instance.to_string())
        .collect();
    assert_eq!(order, asked[..20]);
    assert_eq!(outcomes(&report), ["reached"; 20]);
    assert!(fleet.calls().values().all(|calls| calls.actions == 1));
    for (reference, at) in asked.iter().zip(0..20) {
        let executed = simulator.ledger().executed(reference).unwrap();
        assert_eq!(executed.starts, 1, "{reference} ({at})");
    }
}

#[tokio::test(start_paused = true)]
async fn action_on_instances_in_a_transition_is_sent_when_idle_in_four_clouds() {
    const TEN_MINUTES: WaitTimeout = WaitTimeout::minutes(10);
    const THREE_SECONDS: Duration = Duration::from_secs(3);
    for reboots in [false, true] {
        let simulator = simulator(SPEC);
        let fleet = fleet(&simulator);
        let asked = simulator.instances();
        fleet.start(&asked).await.unwrap();
        tokio::time::sleep(THREE_SECONDS).await;
        let report = match reboots {
            true => fleet.reboot(&asked).when_idle().wait(TEN_MINUTES).await,
            false => fleet.stop(&asked).when_idle().wait(TEN_MINUTES).await,
        };
        assert_eq!(outcomes(&report.unwrap()), ["reached"; 20], "{reboots}");
        for reference in &asked {
            let executed = simulator.ledger().executed(reference).unwrap();
            let (stops, reboots) = (u64::from(!reboots), u64::from(reboots));
            assert_eq!(
                (u64::from(executed.stops), u64::from(executed.reboots)),
                (stops, reboots)
            );
        }
        if reboots {
            continue;
        }
        fleet.start(&asked).await.unwrap();
        fleet.stop(&asked).when_idle().await.unwrap();
        tokio::time::sleep(THREE_SECONDS).await;
        let start = fleet.start(&asked).when_idle().wait(TEN_MINUTES);
        assert_eq!(outcomes(&start.await.unwrap()), ["reached"; 20]);
    }
}

#[tokio::test(start_paused = true)]
async fn stops_and_reboots_reach_the_goal_in_each_mode() {
    let simulator = simulator(&SPEC.replace("=5", "=3:running"));
    let fleet = fleet(&simulator);
    let asked = simulator.instances();
    for mode in [StopMode::Graceful, StopMode::Forced] {
        let rebooted = fleet
            .reboot(&asked)
            .mode(mode)
            .wait(WaitTimeout::minutes(5))
            .await;
        assert_eq!(outcomes(&rebooted.unwrap()), ["reached"; 12], "{mode:?}");
    }
    let stopped = fleet
        .stop(&asked)
        .wait(WaitTimeout::minutes(5))
        .await
        .unwrap();
    assert_eq!(outcomes(&stopped), ["reached"; 12]);
    let again = fleet
        .stop(&asked)
        .wait(WaitTimeout::minutes(5))
        .await
        .unwrap();
    assert!(again.is_success(), "{:?}", outcomes(&again));
    for reference in &asked {
        let executed = simulator.ledger().executed(reference).unwrap();
        assert_eq!((executed.reboots, executed.forced_reboots), (2, 1));
        assert_eq!((executed.stops, executed.forced_stops), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_all_clouds_are_one_stream() {
    let simulator = simulator(SPEC);
    let fleet = fleet(&simulator);
    let events: Vec<FleetEvent> = fleet
        .start(simulator.instances())
        .wait(WaitTimeout::minutes(5))
        .events()
        .collect()
        .await;
    let settled = events
        .iter()
        .filter(|event| matches!(event, Event::Settled(_)))
        .count();
    assert_eq!(settled, 20);
    let Some(Event::Finished(Ok(report))) = events.last() else {
        panic!("the last event is {:?}", events.last());
    };
    assert!(report.is_success());
}

#[tokio::test(start_paused = true)]
async fn fleet_lists_observes_and_waits() {
    let simulator = simulator("huawei/cn-north-4=130:running,baidu/bj=2");
    let fleet = fleet(&simulator);
    let location: Location = "huawei/cn-north-4".parse().unwrap();
    assert_eq!(fleet.list(&location).await.unwrap().len(), 130);
    let mut asked = simulator.instances();
    asked.push("baidu/bj/i-missing".into());
    let statuses = fleet.observe(&asked).await.unwrap();
    assert_eq!(statuses.len(), 133);
    for status in statuses {
        let expected = match status.instance.to_string().as_str() {
            "baidu/bj/i-missing" => None,
            reference if reference.starts_with("baidu") => Some(PowerState::Stopped),
            _ => Some(PowerState::Running),
        };
        let seen = status.result.as_ref().ok().map(|seen| seen.state);
        assert_eq!(seen, expected, "{}", status.instance);
    }
    let waited = fleet
        .wait(
            asked.iter().filter(|r| r.starts_with("baidu")),
            PowerState::Running,
        )
        .timeout(Duration::from_secs(40))
        .await
        .unwrap();
    assert_eq!(outcomes(&waited), ["pending", "pending", "refused"]);
}

#[tokio::test(start_paused = true)]
async fn invalid_request_is_refused_before_any_call() {
    let simulator = simulator(SPEC);
    let fleet = fleet(&simulator);
    let all = simulator.instances();
    // Zenlayer and Huawei cannot stop billing; Baidu and Alibaba could.
    let refused = fleet.stop(&all).billing(StopBilling::Release).await;
    assert!(matches!(refused, Err(FleetError::Client(_))), "{refused:?}");
    let refused = fleet.start(&all).max(19).await;
    assert!(matches!(
        refused,
        Err(FleetError::Client(Error::TooMany {
            instances: 20,
            max: 19
        }))
    ));
    for (bad, hint) in [
        ("i-1", "write cloud/region/instance-id"),
        ("aws/us-east-1/i-1", "baidu, aliyun, zenlayer, huawei"),
        ("baidu/bj/../i-1", "write cloud/region/instance-id"),
        ("baidu/bj/i 1", "letters, digits"),
        ("zenlayer/eu/1", "zenlayer/global"),
        ("baidu/b_j/i-1", "is not a valid region"),
    ] {
        let error = fleet.start([all[0].as_str(), bad]).await.unwrap_err();
        assert!(error.to_string().contains(hint), "{bad}: {error}");
    }
    let keyless = Fleet::builder()
        .transport(simulator.transport())
        .machine(lifecycle_facade::EmptyHost)
        .build()
        .unwrap();
    // The key searches of the other clouds end with a call of the metadata service.
    let baidu = all.iter().filter(|name| name.starts_with("baidu"));
    let error = keyless.start(baidu).await.unwrap_err();
    assert!(matches!(error, FleetError::Credential(_)), "{error}");
    assert_eq!(simulator.ledger().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn report_has_the_outcomes_of_other_clouds_if_one_cloud_fails() {
    let simulator = simulator(SPEC);
    simulator.revoke(Cloud::Aliyun);
    let fleet = fleet(&simulator);
    let report = fleet
        .start(simulator.instances())
        .wait(WaitTimeout::minutes(5))
        .await
        .unwrap();
    for row in report.instances() {
        let InstanceReference { location, .. } = &row.instance;
        match location.cloud {
            lifecycle_facade::Cloud::Aliyun => {
                assert!(matches!(row.outcome, Outcome::Refused(_)), "{:?}", row);
            }
            _ => assert!(row.outcome.is_success(), "{:?}", row),
        }
    }
    let incomplete = report.into_result().unwrap_err();
    assert!(incomplete.to_string().contains("5 of 20"), "{incomplete}");
}

#[tokio::test(start_paused = true)]
async fn waves_follow_the_order_of_the_request_across_clouds() {
    let simulator = simulator(SPEC);
    let fleet = fleet(&simulator);
    let references = simulator.instances();
    let request = fleet.start(&references).waves(Waves::of(7));
    let waves: Vec<usize> = request
        .dry_run()
        .unwrap()
        .iter()
        .map(|planned| planned.wave)
        .collect();
    assert_eq!(waves, [1, 1, 2, 2, 3, 3]);
    let mut events = request.events();
    let mut begun = 0;
    let mut reached = 0;
    while let Some(event) = events.next().await {
        match event {
            Event::Wave { instances, .. } => {
                assert_eq!(reached, begun, "a wave began before the last one was back");
                begun += instances.len();
            }
            Event::Settled(_) => reached += 1,
            Event::Finished(report) => {
                let report = report.unwrap();
                assert_eq!(outcomes(&report), ["reached"; 20]);
                let order: Vec<String> = report
                    .instances()
                    .iter()
                    .map(|row| row.instance.to_string())
                    .collect();
                assert_eq!(order, references);
            }
            _ => {}
        }
    }
    assert_eq!(begun, 20);
}

#[tokio::test(start_paused = true)]
async fn failure_in_one_cloud_stops_the_waves_in_all_clouds() {
    let simulator = simulator(SPEC);
    let fleet = fleet(&simulator);
    let mut references = simulator.instances();
    references[2] = "baidu/bj/i-missing".to_owned();
    let report = fleet.start(&references).waves(Waves::of(5)).await.unwrap();
    let expected = [
        ["reached"; 2].as_slice(),
        &["refused"],
        &["reached"; 2],
        &["skipped"; 15],
    ];
    assert_eq!(outcomes(&report), expected.concat());
    let acted = simulator.ledger().power_operations();
    assert_eq!(acted.len(), 4, "{acted:?}");
}

#[tokio::test(start_paused = true)]
async fn billing_of_a_stop_is_reported_if_the_cloud_shows_it() {
    let simulator = simulator("aliyun/cn-hangzhou=1:running,baidu/bj=1:running");
    let fleet = fleet(&simulator);
    let references = simulator.instances();
    let patience = WaitTimeout::minutes(5);
    let report = fleet.stop(&references).wait(patience).await.unwrap();
    let billing: Vec<_> = report.instances().iter().map(|row| row.billing).collect();
    let (billed, unknown) = (Some(StoppedBilling::Billed), Some(StoppedBilling::Unknown));
    assert_eq!(billing, [unknown, billed]);
    fleet.start(&references).wait(patience).await.unwrap();
    let aliyun = &references[1..];
    let released = fleet.stop(aliyun).billing(StopBilling::Release);
    let report = released.wait(patience).await.unwrap();
    assert_eq!(
        report.instances()[0].billing,
        Some(StoppedBilling::NotBilled)
    );
}

#[tokio::test(start_paused = true)]
async fn wave_waits_for_forced_stops() {
    let simulator = simulator("huawei/cn-north-4=2:stubborn");
    let fleet = fleet(&simulator);
    let request = fleet.stop(simulator.instances()).waves(Waves::of(1));
    let report = request.force_after(Duration::from_secs(15 * 60)).await;
    assert_eq!(outcomes(&report.unwrap()), ["reached"; 2]);
}
