//! A store that does not answer in the middle of a pass.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::leases::{GroupLeases, Share};

/// All groups, and a renewal of the leases that fails at a moment.
#[derive(Debug)]
struct FailingRenewals {
    store: Arc<MemoryStore>,
    groups: BTreeSet<String>,
    fails_at: Instant,
}

#[async_trait]
impl GroupLeases for FailingRenewals {
    async fn begin_pass(&self, _: &[BTreeSet<String>]) -> Result<Share, StoreError> {
        let groups = self.groups.clone();
        Ok(Share::new(groups, BTreeMap::new(), self.store.clone(), ()))
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }

    async fn unavailable(&self) -> StoreError {
        sleep_until(self.fails_at).await;
        StoreError::Unavailable {
            message: "database ops@db: no answer within 11 s".to_owned(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_does_not_answer_is_reported_while_a_pass_waits_for_machines() {
    let stage = Stage::at("08:00", "");
    let began = stage.began;
    let leases = Arc::new(FailingRenewals {
        store: stage.store.clone(),
        groups: BTreeSet::from(["web".to_owned()]),
        fails_at: began + Duration::from_secs(5),
    });
    let keeper = stage.keeper().leases(leases);
    let reports = Mutex::new(Vec::new());
    let run = keeper.run(sleep_until(stage.moment("08:04")), |report| {
        reports
            .lock()
            .unwrap()
            .push((began.elapsed(), report.clone()));
    });
    run.await.unwrap();
    let reports = reports.into_inner().unwrap();
    let (at, first) = &reports[0];
    assert!(first.store_unavailable, "{first:#?}");
    assert!(
        first.problems[0].contains("nothing new is sent"),
        "{first:#?}"
    );
    assert_eq!(at.as_secs(), 5);
    // The machines need longer to boot than the renewal to fail, and the pass goes on to its end.
    let (at, second) = &reports[1];
    assert!(*at > Duration::from_secs(5), "{at:?}");
    assert_eq!(second.actions.len(), 4);
    assert!(
        second.facts[0].message.contains("answers again after"),
        "{second:#?}"
    );
}
