//! `StoreRecorder`: records power requests in a [`Store`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use jiff::Timestamp;
use lifecycle_facade::{
    CallAnswer, CallRecorder, Clock, InstanceReport, RecordError, RecordedCall, RecordedRequest,
    Recorder, SystemClock,
};
use tokio::sync::Mutex;

use crate::{
    journal::now,
    record::{
        Answer, AnswerRecord, End, InstanceAnswer, Intent, IntentInstance, OperationId, Outcomes,
        Record, Request, RowRecord,
    },
    store::{Store, StoreError},
};

/// Records power requests in a [`Store`], for the requests of a `Client` or of a `Fleet`.
///
/// Each request becomes an operation with an id of its own. Every call is durable in the store before the call
/// is sent. After the end of the process, [`resume_request`](crate::resume_request) continues the operation.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use lifecycle_controller::{Journal, Store, StoreRecorder};
/// use lifecycle_facade::{Fleet, WaitTimeout};
/// use lifecycle_sim::{Cloud, Simulator};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("journal");
/// // A real program takes keys from its environment, and needs no transport and no clock.
/// let simulator = Simulator::builder().fleet("aliyun/cn-hangzhou=2:running")?.build();
/// let fleet = Fleet::builder()
///     .transport(simulator.transport())
///     .clock(simulator.clock())
///     .credential(simulator.credential(Cloud::Aliyun))
///     .build()?;
///
/// let journal = Journal::open(&path).await?;
/// let recorder = StoreRecorder::new(Arc::new(journal.clone()), "ops@bastion", "kernel update");
/// let report = fleet
///     .reboot(simulator.instances())
///     .wait(WaitTimeout::minutes(5))
///     .recorder(Arc::new(recorder))
///     .await?;
/// assert!(report.is_success());
/// assert_eq!(journal.state().await?.unfinished().count(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StoreRecorder {
    store: Arc<dyn Store>,
    by: String,
    why: String,
    clock: Arc<dyn Clock>,
    left_alone: Vec<RowRecord>,
    causes: Vec<Record>,
    continued: Option<Continued>,
}

/// An operation that an earlier process began.
#[derive(Clone)]
struct Continued {
    operation: OperationId,
    /// The number of the last call.
    calls: u64,
    /// Outcomes that follow from the records.
    settled: Vec<RowRecord>,
}

impl StoreRecorder {
    /// Creates a recorder. `by` names the person or program, and `why` the reason: both are part of the
    /// history.
    pub fn new(store: Arc<dyn Store>, by: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            store,
            by: by.into(),
            why: why.into(),
            clock: Arc::new(SystemClock),
            left_alone: Vec::new(),
            causes: Vec::new(),
            continued: None,
        }
    }

    /// Takes the time of the records from `clock` instead of this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the rows of instances that the program leaves alone, such as protected instances. The report of
    /// a resumed request begins with these rows.
    #[must_use]
    pub fn left_alone(mut self, rows: Vec<RowRecord>) -> Self {
        self.left_alone = rows;
        self
    }

    /// Sets records that become durable together with the request, before the record of the request: neither
    /// exists without the other after the end of the process.
    #[cfg(feature = "_keeper")]
    #[must_use]
    pub(crate) fn causes(mut self, records: Vec<Record>) -> Self {
        self.causes = records;
        self
    }

    /// Returns a recorder that continues an operation of the store.
    pub(crate) fn continuing(
        store: Arc<dyn Store>,
        operation: OperationId,
        calls: u64,
        settled: Vec<RowRecord>,
    ) -> Self {
        Self {
            continued: Some(Continued {
                operation,
                calls,
                settled,
            }),
            ..Self::new(store, "", "")
        }
    }

    fn now(&self) -> Timestamp {
        now(&*self.clock)
    }
}

#[async_trait]
impl<I: fmt::Display + Send + Sync + 'static> Recorder<I> for StoreRecorder {
    async fn begin(
        &self,
        request: RecordedRequest<I>,
    ) -> Result<Arc<dyn CallRecorder<I>>, RecordError> {
        let (operation, calls) = match &self.continued {
            Some(continued) => {
                if !continued.settled.is_empty() {
                    let outcomes = Record::Outcome(Outcomes {
                        operation: continued.operation.clone(),
                        at: self.now(),
                        rows: continued.settled.clone(),
                    });
                    self.append(outcomes).await.map_err(RecordError::new)?;
                }
                (continued.operation.clone(), continued.calls)
            }
            None => {
                let operation = OperationId::new();
                let mut records = self.causes.clone();
                let request = self.request(operation.clone(), &request);
                records.push(Record::Request(request));
                let appended = self.store.append(records).await;
                appended.map_err(RecordError::new)?;
                (operation, 0)
            }
        };
        Ok(Arc::new(OperationRecorder {
            recorder: self.clone(),
            operation,
            calls: AtomicU64::new(calls),
            unrecorded: Mutex::default(),
        }))
    }
}

impl StoreRecorder {
    fn request<I: fmt::Display>(
        &self,
        operation: OperationId,
        request: &RecordedRequest<I>,
    ) -> Request {
        let selected = request.left_alone.iter().map(RowRecord::from);
        let left_alone = self.left_alone.iter().cloned().chain(selected);
        Request {
            operation,
            at: self.now(),
            by: self.by.clone(),
            why: self.why.clone(),
            action: request.action.into(),
            options: request.options.into(),
            waves: request.waves.map(Into::into),
            selected_by: request.selected_by.clone(),
            left_alone: left_alone.collect(),
            instances: request.instances.iter().map(ToString::to_string).collect(),
        }
    }

    async fn append(&self, record: Record) -> Result<(), StoreError> {
        self.store.append(vec![record]).await
    }
}

/// Records the calls of one operation.
#[derive(Debug)]
struct OperationRecorder {
    recorder: StoreRecorder,
    operation: OperationId,
    /// The number of the last call.
    calls: AtomicU64,
    /// The outcomes that the store did not acknowledge.
    unrecorded: Mutex<Vec<Outcomes>>,
}

#[async_trait]
impl<I: fmt::Display + Send + Sync + 'static> CallRecorder<I> for OperationRecorder {
    async fn intend(&self, call: RecordedCall<I>) -> Result<u64, RecordError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let instances = call.instances.iter();
        let intent = Record::Intent(Intent {
            operation: self.operation.clone(),
            call: number,
            at: self.recorder.now(),
            action: call.action.into(),
            resent: call.resent,
            instances: instances
                .map(|(instance, before)| IntentInstance {
                    instance: instance.to_string(),
                    before: before.as_ref().map(Into::into),
                })
                .collect(),
        });
        let appended = self.recorder.append(intent).await;
        appended.map(|()| number).map_err(RecordError::new)
    }

    async fn answered(&self, call: u64, answers: Vec<(I, CallAnswer)>) {
        let answers = answers.iter();
        let answer = Record::Answer(Answer {
            operation: self.operation.clone(),
            call,
            at: self.recorder.now(),
            answers: answers
                .map(|(instance, answer)| InstanceAnswer {
                    instance: instance.to_string(),
                    answer: AnswerRecord::from(answer),
                })
                .collect(),
        });
        // A resume looks at instances without a recorded answer.
        let _ = self.tell(answer).await;
    }

    async fn settled(&self, rows: Vec<InstanceReport<I>>) {
        let outcomes = Outcomes {
            operation: self.operation.clone(),
            at: self.recorder.now(),
            rows: rows.iter().map(RowRecord::from).collect(),
        };
        let mut unrecorded = self.unrecorded.lock().await;
        unrecorded.push(outcomes);
        self.record(&mut unrecorded).await;
    }

    async fn finished(&self, is_complete: bool) {
        let all_recorded = self.record(&mut *self.unrecorded.lock().await).await;
        if is_complete && all_recorded {
            let end = Record::End(End {
                operation: self.operation.clone(),
                at: self.recorder.now(),
            });
            // An operation with all outcomes is finished without a recorded end, too.
            let _ = self.tell(end).await;
        }
    }
}

impl OperationRecorder {
    /// Records outcomes, and keeps those that the store does not acknowledge. Returns whether none is left. The
    /// future can be dropped: an outcome that is recorded twice counts once.
    async fn record(&self, outcomes: &mut Vec<Outcomes>) -> bool {
        let mut at = 0;
        while let Some(next) = outcomes.get(at) {
            match self.tell(Record::Outcome(next.clone())).await {
                Ok(()) => drop(outcomes.remove(at)),
                // The store is away: the others would fail, too.
                Err(StoreError::Unavailable { .. }) => return false,
                // The failure can concern this record alone.
                Err(_) => at += 1,
            }
        }
        outcomes.is_empty()
    }

    /// Records a result. Without the record, a resumed request looks at the instances again, so the result of this
    /// request stays true.
    async fn tell(&self, record: Record) -> Result<(), StoreError> {
        let told = self.recorder.append(record).await;
        if let Err(error) = &told {
            tracing::warn!(operation = %self.operation, %error, "a result was not recorded");
        }
        told
    }
}

impl fmt::Debug for StoreRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRecorder")
            .field("store", &self.store)
            .field("by", &self.by)
            .field("why", &self.why)
            .finish_non_exhaustive()
    }
}
