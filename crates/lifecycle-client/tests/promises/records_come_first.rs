//! Tests of the promise that a recorder sees each call before the call is sent, and each result.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lifecycle_client::{
    CallAnswer, CallRecorder, Client, InstanceReport, Outcome, RecordError, RecordedCall,
    RecordedRequest, Recorder, Report, Timeouts, Waves,
};
use lifecycle_core::{FaultKind, InstanceId, Rate, RateLimits, StopOptions};

use crate::{
    scripts::constant_state,
    support::{CallResult, ScriptedCloud, all_in_state, fault, id, ids, ok, outcomes, seconds},
};

/// Records and calls in their order, one line each.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Returns the lines that begin with this word.
    fn of(&self, word: &str) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| line.starts_with(word));
        lines
    }
}

/// A recorder that fails at a call, counted from 1.
#[derive(Clone, Debug, Default)]
struct TestRecorder {
    log: Log,
    fails_at: Option<usize>,
    /// The recorder does not return from a row of an instance that was not sent.
    hangs_at_skipped: bool,
}

impl TestRecorder {
    fn boxed(&self) -> Arc<Self> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Recorder for TestRecorder {
    async fn begin(&self, request: RecordedRequest) -> Result<Arc<dyn CallRecorder>, RecordError> {
        let action = request.action.kind();
        self.log
            .add(format!("begin {action} {}", request.instances.len()));
        Ok(self.boxed())
    }
}

#[async_trait]
impl CallRecorder for TestRecorder {
    async fn intend(&self, call: RecordedCall) -> Result<u64, RecordError> {
        // The call must wait for the record.
        tokio::time::sleep(seconds(1)).await;
        let number = self.log.of("intend").len() + 1;
        if self.fails_at.is_some_and(|at| number >= at) {
            return Err(RecordError::new("the disk is full"));
        }
        let instances = call.instances.iter().map(|(id, before)| match before {
            Some(before) => format!("{id}({})", before.state),
            None => id.to_string(),
        });
        let instances: Vec<String> = instances.collect();
        let again = if call.resent { " again" } else { "" };
        self.log.add(format!(
            "intend {}{again}: {}",
            call.action,
            instances.join(" ")
        ));
        Ok(number as u64)
    }

    async fn answered(&self, call: u64, answers: Vec<(InstanceId, CallAnswer)>) {
        let answers = answers.iter().map(|(id, answer)| {
            let word = match answer {
                CallAnswer::Accepted {
                    request_id: None,
                    job: None,
                } => "accepted".to_owned(),
                CallAnswer::Accepted { request_id, job } => {
                    format!("accepted({request_id:?},{job:?})")
                }
                CallAnswer::Refused(fault) => format!("refused({})", fault.kind()),
                CallAnswer::Rejected(fault) => format!("rejected({})", fault.kind()),
                CallAnswer::Unclear(fault) => format!("unclear({})", fault.kind()),
                CallAnswer::NotSent(fault) => format!("not-sent({})", fault.kind()),
                other => panic!("{other:?}"),
            };
            format!("{id}={word}")
        });
        let answers: Vec<String> = answers.collect();
        self.log
            .add(format!("answer {call}: {}", answers.join(" ")));
    }

    async fn settled(&self, rows: Vec<InstanceReport>) {
        for row in rows {
            self.log
                .add(format!("settled {}={}", row.instance, row.outcome.as_str()));
            if self.hangs_at_skipped && row.outcome.as_str() == "skipped" {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn finished(&self, is_complete: bool) {
        let word = if is_complete { "finished" } else { "ended" };
        self.log.add(word.to_owned());
    }
}

/// Returns a cloud that adds its action calls to the log of a recorder.
fn logged(
    recorder: &TestRecorder,
    mut script: impl FnMut(&crate::support::SentCall) -> CallResult + Send + 'static,
) -> ScriptedCloud {
    let log = recorder.log.clone();
    ScriptedCloud::new(move |sent| {
        if sent.operation != "observe" && sent.operation != "job" {
            log.add(format!("call {} {}", sent.operation, sent.ids.join(" ")));
        }
        script(sent)
    })
}

async fn reboot(client: &Client, count: usize, recorder: &TestRecorder) -> Report {
    let reboot = client.reboot(ids(count)).wait(seconds(120));
    reboot.recorder(recorder.boxed()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn call_is_recorded_before_it_is_sent_and_its_results_after() {
    let recorder = TestRecorder::default();
    let cloud = logged(&recorder, |sent| match sent.operation.as_str() {
        "observe" => ok("i-0 running\ni-1 stopped"),
        _ => ok("except i-1"),
    });
    let start = cloud.client().start(ids(2)).wait(seconds(120));
    let report = start.recorder(recorder.boxed()).await.unwrap();
    assert_eq!(outcomes(&report), ["reached", "refused"]);
    let lines = recorder.log.lines();
    assert_eq!(
        lines[..4],
        [
            "begin start 2",
            "intend start: i-0 i-1",
            "call start i-0 i-1",
            "answer 1: i-0=accepted i-1=refused(wrong-state)",
        ]
    );
    let mut settled = lines[4..6].to_vec();
    settled.sort();
    assert_eq!(settled, ["settled i-0=reached", "settled i-1=refused"]);
    assert_eq!(lines[6..], ["finished"]);
}

#[tokio::test(start_paused = true)]
async fn reboot_is_recorded_with_the_state_before() {
    let recorder = TestRecorder::default();
    let cloud = logged(&recorder, |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => CallResult::NoAnswer,
    });
    let report = reboot(&cloud.client(), 2, &recorder).await;
    assert_eq!(outcomes(&report), ["uncertain"; 2]);
    assert_eq!(
        recorder.log.lines()[..4],
        [
            "begin reboot 2",
            "intend reboot: i-0(running) i-1(running)",
            "call reboot i-0 i-1",
            "answer 1: i-0=unclear(no-answer) i-1=unclear(no-answer)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn call_that_was_not_recorded_is_not_sent() {
    let recorder = TestRecorder {
        fails_at: Some(2),
        ..TestRecorder::default()
    };
    let cloud = logged(&recorder, |_| ok("ok"));
    let client = cloud.client_with(|builder| builder.concurrency(1));
    let report = client
        .stop(ids(25))
        .recorder(recorder.boxed())
        .await
        .unwrap();
    assert_eq!(cloud.calls("stop").len(), 1);
    let expected = [["accepted"; 10].as_slice(), &["skipped"; 15]].concat();
    assert_eq!(outcomes(&report), expected);
    let fault = report.outcome(&id(24)).and_then(Outcome::fault).unwrap();
    assert_eq!(fault.kind(), FaultKind::NotRecorded);
    assert!(
        fault
            .message()
            .ends_with("nothing was sent: the disk is full"),
        "{fault}"
    );
    assert!(!fault.maybe_executed());
    assert_eq!(
        recorder.log.of("settled").len(),
        10,
        "a resume sends the others"
    );
    assert_eq!(recorder.log.lines().last().unwrap(), "ended");
}

#[tokio::test(start_paused = true)]
async fn end_of_a_request_follows_an_outcome_that_took_too_long_to_record() {
    let recorder = TestRecorder {
        hangs_at_skipped: true,
        ..TestRecorder::default()
    };
    let cloud = logged(&recorder, |_| fault(FaultKind::Quota));
    let start = cloud.client().start(ids(2)).waves(Waves::of(1));
    start.recorder(recorder.boxed()).await.unwrap();
    let lines = recorder.log.lines();
    assert_eq!(
        lines[lines.len() - 2..],
        ["settled i-1=skipped", "finished"]
    );
}

#[tokio::test(start_paused = true)]
async fn repeated_attempts_are_one_record() {
    let recorder = TestRecorder::default();
    let mut attempts = 0;
    let cloud = logged(&recorder, move |_| {
        attempts += 1;
        match attempts {
            1 | 2 => CallResult::ConnectionRefused,
            _ => ok("ok"),
        }
    });
    let report = cloud
        .client()
        .start(ids(1))
        .recorder(recorder.boxed())
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
    assert_eq!(recorder.log.of("call").len(), 3);
    assert_eq!(recorder.log.of("intend"), ["intend start: i-0"]);
    assert_eq!(recorder.log.of("answer"), ["answer 1: i-0=accepted"]);
}

#[tokio::test(start_paused = true)]
async fn call_that_ends_in_the_queue_of_the_rate_limiter_is_closed_as_not_sent() {
    let recorder = TestRecorder::default();
    let cloud = logged(&recorder, |_| ok("ok"));
    let rate = Rate::new(0.001, 1);
    let limits = RateLimits::new(rate, rate);
    let timeouts = Timeouts::default().with_request(seconds(10));
    let client = cloud.client_with(|builder| builder.rate_limits(limits).timeouts(timeouts));
    let report = client
        .start(ids(11))
        .recorder(recorder.boxed())
        .await
        .unwrap();
    assert_eq!(outcomes(&report)[10], "skipped");
    assert_eq!(recorder.log.of("call").len(), 1);
    assert!(
        recorder
            .log
            .of("answer")
            .contains(&"answer 2: i-10=not-sent(deadline)".to_owned())
    );
    assert!(
        recorder
            .log
            .of("settled")
            .contains(&"settled i-10=skipped".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn halves_of_a_rejected_batch_are_new_records() {
    let recorder = TestRecorder::default();
    let cloud = logged(&recorder, |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ if sent.ids.len() > 1 => fault(FaultKind::WrongState),
        _ => ok("ok"),
    });
    let client = cloud.client();
    client
        .reboot(ids(2))
        .wait(seconds(300))
        .recorder(recorder.boxed())
        .await
        .unwrap();
    assert_eq!(
        recorder.log.of("intend"),
        [
            "intend reboot: i-0(running) i-1(running)",
            "intend reboot again: i-0(running)",
            "intend reboot again: i-1(running)",
        ]
    );
    let first = &recorder.log.of("answer")[0];
    assert_eq!(
        first,
        "answer 1: i-0=rejected(wrong-state) i-1=rejected(wrong-state)"
    );
}

#[tokio::test(start_paused = true)]
async fn forced_stop_is_a_record_of_its_own() {
    let recorder = TestRecorder::default();
    let cloud = logged(&recorder, |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => ok("ok"),
    });
    let stop = cloud.client().stop(ids(1)).options(StopOptions::default());
    let stop = stop.wait(seconds(120)).force_after(seconds(30));
    stop.recorder(recorder.boxed()).await.unwrap();
    let expected = ["intend stop: i-0", "intend stop, forced: i-0"];
    assert_eq!(recorder.log.of("intend"), expected);
}

#[tokio::test(start_paused = true)]
async fn request_of_several_waves_is_recorded_as_a_whole_and_halted_waves_too() {
    let recorder = TestRecorder::default();
    let cloud = logged(&recorder, |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => fault(FaultKind::Quota),
    });
    let start = cloud.client().start(ids(3)).waves(Waves::of(1));
    start.recorder(recorder.boxed()).await.unwrap();
    assert_eq!(recorder.log.of("begin"), ["begin start 3"]);
    let settled = [
        "settled i-0=refused",
        "settled i-1=skipped",
        "settled i-2=skipped",
    ];
    assert_eq!(recorder.log.of("settled"), settled);
    assert_eq!(recorder.log.lines().last().unwrap(), "finished");
}

#[tokio::test(start_paused = true)]
async fn request_cancelled_while_a_halted_wave_is_recorded_has_a_row_for_each_instance() {
    let recorder = TestRecorder {
        hangs_at_skipped: true,
        ..TestRecorder::default()
    };
    let cloud = logged(&recorder, |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => fault(FaultKind::Quota),
    });
    let start = cloud.client().start(ids(4)).waves(Waves::of(1));
    let mut events = start.recorder(recorder.boxed()).events();
    let read = async { while events.next().await.is_some() {} };
    tokio::time::timeout(seconds(10), read).await.unwrap_err();
    assert_eq!(recorder.log.of("settled").len(), 2);
    assert_eq!(
        outcomes(&events.cancel().unwrap()),
        ["refused", "skipped", "skipped", "skipped"]
    );
}

/// A recorder without an end.
#[derive(Debug)]
struct DeadDrive;

#[async_trait]
impl Recorder for DeadDrive {
    async fn begin(&self, _: RecordedRequest) -> Result<Arc<dyn CallRecorder>, RecordError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn recorder_without_an_end_sends_nothing_and_does_not_hang() {
    let cloud = constant_state("ok", "running");
    let begin = tokio::time::Instant::now();
    let start = cloud.client().start(ids(2)).recorder(Arc::new(DeadDrive));
    assert_eq!(outcomes(&start.await.unwrap()), ["skipped"; 2]);
    assert_eq!(begin.elapsed(), seconds(30));
    assert_eq!(cloud.log(), []);
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_records_no_outcome() {
    let recorder = TestRecorder::default();
    let cloud = constant_state("ok", "stopped");
    let start = cloud.client().start(ids(1)).wait(seconds(120));
    let mut events = start.recorder(recorder.boxed()).events();
    let read = async { while events.next().await.is_some() {} };
    tokio::time::timeout(seconds(10), read).await.unwrap_err();
    assert_eq!(outcomes(&events.cancel().unwrap()), ["pending"]);
    assert_eq!(recorder.log.of("answer").len(), 1);
    assert_eq!(
        recorder.log.of("settled").len() + recorder.log.of("finished").len(),
        0
    );
}
