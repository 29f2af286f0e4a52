//! Tests of the promise that no file is read on a thread of the async runtime.

use std::{
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
};

use lifecycle_facade::lifecycle_core::credential_source::FileCheck;

use super::*;

/// A host that notes the threads which read files.
#[derive(Debug, Default)]
struct Readers(Mutex<Vec<ThreadId>>);

impl HostEnvironment for Readers {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        self.0.lock().unwrap().push(thread::current().id());
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn files_are_read_on_threads_for_blocking_calls() {
    for location in ["baidu/bj", "aliyun/cn-hangzhou", "huawei/cn-north-4"] {
        let readers = Arc::new(Readers::default());
        let simulator = simulator();
        let build = || {
            let builder = Fleet::builder().machine(Arc::clone(&readers));
            builder.transport(simulator.transport()).build().unwrap()
        };
        let instances = [format!("{location}/i-1")];
        build().endpoint(location).await.unwrap();
        build().credentials(location).await.unwrap();
        build().start(&instances).dry_run().unwrap();
        // The results do not matter.
        let _ = build().start(&instances).await;
        let _ = build().list(location).await;
        let _ = build().observe(&instances).await;
        let readers = readers.0.lock().unwrap();
        assert!(!readers.is_empty(), "{location}: no file is read");
        let own = thread::current().id();
        assert!(
            !readers.contains(&own),
            "{location}: read on the thread of the runtime"
        );
    }
}
