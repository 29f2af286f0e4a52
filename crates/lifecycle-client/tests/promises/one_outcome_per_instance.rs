//! Tests of the promise of one outcome per requested instance, in request order, without duplicates.

use std::fmt;

use futures_util::StreamExt;
use lifecycle_client::{Client, Error, Event, ObserveRequest, PowerRequest, Target};
use lifecycle_core::{InstanceId, StartOptions, StopMode};

use crate::{
    scripts::constant_state,
    support::{ScriptedCloud, all_in_state, id, ids, ok, outcomes, seconds},
};

#[tokio::test(start_paused = true)]
async fn report_keeps_request_order_and_folds_duplicates() {
    let cloud = constant_state("ok", "running");
    let client = cloud.client();
    let mut requested = ids(25);
    requested.reverse();
    requested.push(id(3));
    let report = client.start(requested).await.unwrap();
    let order: Vec<_> = report
        .instances()
        .iter()
        .map(|row| row.instance.clone())
        .collect();
    let mut expected = ids(25);
    expected.reverse();
    assert_eq!(order, expected);
    assert_eq!(outcomes(&report), ["accepted"; 25]);
    let sizes: Vec<usize> = cloud.log().iter().map(|sent| sent.ids.len()).collect();
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(client.calls().actions, 3);
}

#[tokio::test(start_paused = true)]
async fn empty_request_sends_nothing_and_succeeds() {
    let cloud = constant_state("ok", "running");
    let client = cloud.client();
    let started = client.start(ids(0)).wait(seconds(9)).await.unwrap();
    let rebooted = client.reboot(ids(0)).wait(seconds(9)).await.unwrap();
    for report in [started, rebooted] {
        assert!(report.instances().is_empty() && report.is_success());
    }
    assert_eq!(cloud.log(), []);
}

#[tokio::test(start_paused = true)]
async fn instance_accepted_and_rejected_in_one_response_has_one_outcome() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => ok("each i-0=ok i-0=no i-1=ok"),
    });
    let client = cloud.client();
    let events: Vec<Event> = client.start(ids(2)).events().collect().await;
    let settled = events.iter().filter(|e| matches!(e, Event::Settled(_)));
    assert_eq!(settled.count(), 2);
    let Some(Event::Finished(Ok(report))) = events.last() else {
        panic!("no report");
    };
    assert_eq!(outcomes(report), ["accepted"; 2]);
}

#[tokio::test(start_paused = true)]
async fn settled_events_equal_the_rows_of_the_report() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(
            sent,
            if sent.at < seconds(9) {
                "starting"
            } else {
                "running"
            },
        ),
        _ => ok("except i-1"),
    });
    let client = cloud.client();
    let events: Vec<Event> = client
        .start(ids(3))
        .wait(seconds(60))
        .events()
        .collect()
        .await;
    let settled: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Settled(row) => Some(row.to_string()),
            _ => None,
        })
        .collect();
    let Some(Event::Finished(Ok(report))) = events.last() else {
        panic!("the last event is {:?}", events.last());
    };
    assert_eq!(settled.len(), 3);
    for row in report.instances() {
        assert!(settled.contains(&row.to_string()), "{row}");
    }
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Accepted { .. }))
    );
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::State { .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn invalid_request_is_refused_before_anything_is_sent() {
    let cloud = constant_state("ok", "running");
    let client = cloud.client();
    assert!(matches!(
        client.start(["i-1", "../i-2"]).await,
        Err(Error::InstanceId(_))
    ));
    assert!(matches!(
        client.start(ids(5)).max(4).await,
        Err(Error::TooMany {
            instances: 5,
            max: 4
        })
    ));
    let release = client
        .stop(ids(1))
        .billing(lifecycle_core::StopBilling::Release);
    assert!(matches!(release.await, Err(Error::Unsupported(_))));
    assert!(client.stop(ids(1)).mode(StopMode::Forced).check().is_ok());
    assert_eq!(cloud.log(), []);
}

/// Two clouds behind one target.
#[derive(Clone, Debug)]
struct TwoClouds([Client; 2]);

/// An instance of one of the clouds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CloudInstance(usize, InstanceId);

impl fmt::Display for CloudInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

impl Target for TwoClouds {
    type Instance = CloudInstance;
    type Location = usize;
    type Error = Error;

    fn split(instance: &CloudInstance) -> (usize, InstanceId) {
        (instance.0, instance.1.clone())
    }

    fn join(cloud: &usize, id: InstanceId) -> CloudInstance {
        CloudInstance(*cloud, id)
    }

    fn offline_client(&self, cloud: &usize) -> Result<Client, Error> {
        Ok(self.0[*cloud].clone())
    }

    async fn connect(&self, cloud: &usize) -> Result<Client, Error> {
        self.offline_client(cloud)
    }
}

#[tokio::test(start_paused = true)]
async fn instances_of_several_clouds_keep_the_request_order() {
    let clouds = ["running", "stopped"].map(|state| constant_state("ok", state));
    let pair = TwoClouds(clouds.each_ref().map(ScriptedCloud::client));
    let instances =
        || [(1, 0), (0, 1), (1, 2), (0, 0)].map(|(cloud, n)| CloudInstance(cloud, id(n)));

    let statuses = ObserveRequest::new(pair.clone(), instances())
        .await
        .unwrap();
    let seen = statuses.iter().map(|status| {
        let state = status.result.as_ref().unwrap().state;
        format!("{} {state}", status.instance)
    });
    let expected = [
        "1/i-0 stopped",
        "0/i-1 running",
        "1/i-2 stopped",
        "0/i-0 running",
    ];
    assert!(seen.eq(expected), "{statuses:?}");

    let start = PowerRequest::new(pair, instances(), StartOptions::default());
    let planned = start.dry_run().unwrap();
    let planned: Vec<_> = planned.into_iter().map(|call| call.instances).collect();
    let [first, second, third, fourth] = instances();
    assert_eq!(planned, [[second, fourth], [first, third]]);
    let report = start.await.unwrap();
    assert!(report.is_success());
    let rows = report.instances().iter().map(|row| row.instance.clone());
    assert!(rows.eq(instances()), "{report:?}");
    for (cloud, expected) in clouds.iter().zip([["i-1", "i-0"], ["i-0", "i-2"]]) {
        assert_eq!(cloud.calls("start")[0].ids, expected);
    }
}
