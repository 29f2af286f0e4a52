//! Crashes and failing disks for the tests: a future that is dropped at a drawn await, and a store that loses
//! the append that was dropped, and fails for good at a drawn write.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use async_trait::async_trait;
use lifecycle_controller::{
    HistoryEntry, HistoryQuery, Intent, Record, Request, State, Store, StoreError,
};
use tokio::time::Instant;

/// A store in memory.
#[derive(Debug, Default)]
pub(crate) struct FragileStore {
    pub state: Mutex<State>,
    /// The number of appends until the store fails for good; `None` for a store that never fails.
    pub room: Mutex<Option<u32>>,
    /// The durable intents, each with its request and the moment at which the intent became durable.
    pub intents: Mutex<Vec<(Instant, Intent, Request)>>,
}

#[async_trait]
impl Store for FragileStore {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        // A drop here loses the records.
        tokio::task::yield_now().await;
        match &mut *self.room.lock().unwrap() {
            Some(0) => return Err(StoreError::Other("the disk is full".to_owned())),
            Some(room) => *room -= 1,
            None => {}
        }
        {
            let mut state = self.state.lock().unwrap();
            for record in &records {
                state.check(record)?;
                state.apply(record);
                if let Record::Intent(intent) = record {
                    let request = &state.operation(&intent.operation).unwrap().request;
                    let mut intents = self.intents.lock().unwrap();
                    intents.push((Instant::now(), intent.clone(), request.clone()));
                }
            }
        }
        // A drop here leaves durable records without an acknowledgement.
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn state(&self) -> Result<State, StoreError> {
        Ok(self.state.lock().unwrap().clone())
    }

    async fn history(&self, _: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        Ok(Vec::new())
    }
}

/// A future that is dropped after a number of polls.
struct Fragile<F> {
    future: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Future for Fragile<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.future.as_mut().poll(context).map(Some)
    }
}

/// Runs a future for at most this number of polls; `None` if the future was dropped.
pub(crate) async fn crash_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let future = Box::pin(future);
    Fragile { future, polls }.await
}
