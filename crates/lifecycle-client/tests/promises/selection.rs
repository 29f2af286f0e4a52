//! Tests of selections: a filter never widens a list, and a request acts on the selected instances only.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use lifecycle_client::{
    CallRecorder, Client, Error, Event, InstanceReport, ListDefect, Outcome, PowerRequest,
    RecordError, RecordedRequest, Recorder, SelectFuture, SelectInstances, SelectedInstances,
};
use lifecycle_core::{
    ActionKind, Fault, FaultKind, InstanceFilter, InstanceId, PowerState, StopOptions,
};

use crate::support::{ScriptedCloud, id, ids, ok, outcomes};

fn stopped() -> InstanceFilter {
    InstanceFilter::default().with_state(PowerState::Stopped)
}

/// Two pages, from a cloud that ignores all filters.
fn two_pages() -> ScriptedCloud {
    ScriptedCloud::new(|sent| match sent.ids[0].as_str() {
        "first" => ok("second\ni-0 running\ni-1 stopped"),
        _ => ok("last\ni-2 stopped\ni-3 odd-word"),
    })
}

#[tokio::test(start_paused = true)]
async fn filter_that_the_cloud_ignores_does_not_widen_the_list() {
    let rows = two_pages().client().list().filter(stopped()).await.unwrap();
    let ids: Vec<_> = rows.into_iter().map(|row| row.instance).collect();
    assert_eq!(ids, [id(1), id(2)]);
}

#[tokio::test(start_paused = true)]
async fn instance_of_a_filter_is_found_in_each_spelling() {
    let upper = InstanceId::new("I-1").unwrap();
    let filter = InstanceFilter::default().with_instance(upper);
    let rows = two_pages().client().list().filter(filter).await.unwrap();
    let ids: Vec<_> = rows.into_iter().map(|row| row.instance).collect();
    assert_eq!(ids, [id(1)]);
}

#[tokio::test(start_paused = true)]
async fn only_a_list_with_a_condition_on_tags_may_repeat_named_pages() {
    // No row is failed, so no row needs its tags.
    let filter = InstanceFilter::default().with_state(PowerState::Failed);
    let tagged = filter.clone().with_tag("env=dev".parse().unwrap());
    for (filter, calls) in [(filter, 2), (tagged, 12)] {
        let pages = AtomicUsize::new(0);
        let cloud = ScriptedCloud::new(move |_| {
            let next = pages.fetch_add(1, Ordering::Relaxed);
            ok(format!("page-{next}\ni-0 running"))
        });
        let error = cloud.client().list().filter(filter).await.unwrap_err();
        assert_eq!(error.kind(), FaultKind::Unreadable);
        assert_eq!(cloud.log().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn filter_on_facts_that_the_cloud_does_not_report_is_an_error() {
    let tagged = InstanceFilter::default().with_tag("!env".parse().unwrap());
    let error = two_pages().client().list().filter(tagged.clone()).await;
    let error = error.unwrap_err();
    assert!(
        matches!(
            &error,
            Error::IncompleteList {
                defect: ListDefect::DetailsMissing,
                ..
            }
        ),
        "{error}"
    );
    // Another condition decides without the details.
    let none = tagged.with_state(PowerState::Failed);
    let rows = two_pages().client().list().filter(none).await.unwrap();
    assert!(rows.is_empty());
}

/// Selects i-1 and i-2, and leaves i-0 alone.
#[derive(Debug, Default)]
struct Two {
    selections: AtomicUsize,
}

impl SelectInstances for Two {
    fn select<'s>(
        &'s self,
        client: &'s Client,
        action: Option<ActionKind>,
    ) -> SelectFuture<'s, Client> {
        Box::pin(async move {
            assert_eq!(action, Some(ActionKind::Stop));
            assert_eq!(self.selections.fetch_add(1, Ordering::Relaxed), 0);
            client.list().await?;
            let fault = Fault::new(FaultKind::Protected, "protected");
            let protected = InstanceReport::new(id(0), Outcome::Skipped(fault));
            let selected = SelectedInstances::new(vec![id(1), id(2), id(1)]);
            let selected = selected.with_left_alone(vec![protected]);
            Ok(selected.with_description("instances of a test"))
        })
    }
}

fn cloud() -> ScriptedCloud {
    ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "list" => ok("last\ni-0 running\ni-1 running\ni-2 running"),
        _ => ok("ok"),
    })
}

#[tokio::test(start_paused = true)]
async fn request_selects_once_and_acts_on_the_selected_instances() {
    let cloud = cloud();
    let request = PowerRequest::select(cloud.client(), Two::default(), StopOptions::default());
    assert!(cloud.log().is_empty(), "nothing is sent before the await");
    let report = request.await.unwrap();
    assert_eq!(outcomes(&report), ["skipped", "accepted", "accepted"]);
    assert_eq!(cloud.calls("stop").len(), 1);
    assert_eq!(cloud.calls("stop")[0].ids, ["i-1", "i-2"]);
    assert_eq!(report.selected_by(), Some("instances of a test"));
}

/// A recorder that checks the request, and has no place for the record.
#[derive(Debug)]
struct CheckingRecorder;

#[async_trait]
impl Recorder for CheckingRecorder {
    async fn begin(&self, request: RecordedRequest) -> Result<Arc<dyn CallRecorder>, RecordError> {
        assert_eq!(&*request.instances, [id(1), id(2)]);
        assert_eq!(request.selected_by.as_deref(), Some("instances of a test"));
        let left_alone = request.left_alone.iter();
        assert!(left_alone.map(|row| &row.instance).eq([&id(0)]));
        Err(RecordError::new("read"))
    }
}

#[tokio::test(start_paused = true)]
async fn recorder_receives_the_selection_and_the_instances_left_alone() {
    let cloud = cloud();
    let request = PowerRequest::select(cloud.client(), Two::default(), StopOptions::default());
    let report = request.recorder(Arc::new(CheckingRecorder)).await.unwrap();
    assert_eq!(outcomes(&report), ["skipped"; 3]);
    let fault = report.outcome(&id(1)).and_then(Outcome::fault).unwrap();
    assert!(
        fault.message().ends_with("nothing was sent: read"),
        "{fault}"
    );
    assert_eq!(cloud.calls("stop"), []);
}

#[tokio::test(start_paused = true)]
async fn request_reports_the_selection_before_the_first_call_that_acts() {
    let cloud = cloud();
    let request = PowerRequest::select(cloud.client(), Two::default(), StopOptions::default());
    let mut events = request.events();
    let Some(Event::Selected { instances }) = events.next().await else {
        panic!("the first event is the selection");
    };
    assert_eq!(instances, [id(1), id(2)]);
    assert!(matches!(events.next().await, Some(Event::Settled(row)) if row.instance == id(0)));
    assert!(cloud.calls("stop").len() <= 1);
    let report = events.cancel().unwrap();
    assert_eq!(report.instances().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn limit_applies_to_the_selected_instances() {
    let cloud = cloud();
    let request = PowerRequest::select(cloud.client(), Two::default(), StopOptions::default());
    let error = request.max(1).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooMany {
                instances: 2,
                max: 1
            }
        ),
        "{error}"
    );
    assert!(cloud.calls("stop").is_empty());
}

#[tokio::test(start_paused = true)]
async fn dry_run_before_the_selection_is_an_error() {
    let client = cloud().client();
    let request = PowerRequest::select(client.clone(), Two::default(), StopOptions::default());
    assert!(matches!(request.dry_run(), Err(Error::NotSelected)));
    assert_eq!(client.stop(ids(2)).dry_run().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn failed_selection_sends_no_action() {
    #[derive(Debug)]
    struct Unreadable;

    impl SelectInstances for Unreadable {
        fn select<'s>(
            &'s self,
            client: &'s Client,
            _: Option<ActionKind>,
        ) -> SelectFuture<'s, Client> {
            Box::pin(async move {
                client.list().await?;
                Ok(SelectedInstances::new(ids(3)))
            })
        }
    }
    // The page names itself as the next page.
    let cloud = ScriptedCloud::new(|_| ok("again\ni-0 running"));
    let request = PowerRequest::select(cloud.client(), Unreadable, StopOptions::default());
    let error = request.await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Unreadable);
    assert!(cloud.calls("stop").is_empty());
}
