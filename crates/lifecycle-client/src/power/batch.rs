//! `ActionBatch`: the instances that are sent in one call.

use lifecycle_core::InstanceId;

/// Instances that are sent in one call.
pub(crate) struct ActionBatch {
    pub(crate) ids: Vec<InstanceId>,
    /// An observation of these instances explained nothing.
    pub(crate) observed: bool,
    /// These instances were part of a rejected batch, which may have been executed in part.
    pub(crate) resent: bool,
    /// The other half of the rejected batch is the next batch: batches are sent last in, first out.
    pub(crate) first_half: bool,
}

impl ActionBatch {
    pub(crate) fn new(ids: Vec<InstanceId>) -> Self {
        Self {
            ids,
            observed: false,
            resent: false,
            first_half: false,
        }
    }

    /// Returns the instances to send again after an earlier call that may have been executed. The action may
    /// be repeated.
    pub(crate) fn again(batch: Self) -> Self {
        Self {
            resent: true,
            ..batch
        }
    }

    /// Returns the batch without the instances for which `is_open` returns false, or none if no instance
    /// is left. An instance can get its outcome while the batch waits for other calls.
    pub(crate) fn retain(mut self, is_open: impl FnMut(&InstanceId) -> bool) -> Option<Self> {
        let before = self.ids.len();
        self.ids.retain(is_open);
        // The instance that left may be the reason for the rejection.
        self.first_half &= self.ids.len() == before;
        (!self.ids.is_empty()).then_some(self)
    }

    /// Returns the rest of a rejected batch, without the instances that explain the rejection.
    pub(crate) fn rest(ids: Vec<InstanceId>) -> Self {
        Self {
            resent: true,
            ..Self::new(ids)
        }
    }

    /// Returns the rest of a rejected batch whose instances were observed without an explanation.
    pub(crate) fn observed_rest(ids: Vec<InstanceId>) -> Self {
        Self {
            observed: true,
            ..Self::rest(ids)
        }
    }
}

/// Returns both halves, the first half last, or one batch if there is one instance.
pub(crate) fn halves(mut ids: Vec<InstanceId>) -> Vec<ActionBatch> {
    let first = ids.drain(..ids.len() / 2).collect();
    let second_half = ActionBatch::observed_rest(ids);
    let first_half = ActionBatch {
        first_half: true,
        ..ActionBatch::observed_rest(first)
    };
    [second_half, first_half]
        .into_iter()
        .filter(|batch| !batch.ids.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<InstanceId> {
        names
            .iter()
            .map(|name| InstanceId::new(name).unwrap())
            .collect()
    }

    #[test]
    fn an_instance_with_an_outcome_leaves_the_batch() {
        let [second, first] = &mut *halves(ids(&["a", "b", "c", "d"])) else {
            panic!("two halves");
        };
        let take = |batch: &mut ActionBatch| std::mem::replace(batch, ActionBatch::new(Vec::new()));
        let whole = take(first).retain(|_| true).unwrap();
        assert!(whole.first_half, "the other half has the bad instance");
        assert_eq!(whole.ids, ids(&["a", "b"]));
        let rest = whole.retain(|id| id.as_str() != "a").unwrap();
        assert!(!rest.first_half, "the bad instance may have left");
        assert_eq!(rest.ids, ids(&["b"]));
        assert!(rest.observed && rest.resent);
        assert!(take(second).retain(|_| false).is_none());
    }

    #[test]
    fn batch_that_is_sent_again_counts_as_resent() {
        let first = ActionBatch::new(ids(&["a"]));
        assert!(!first.resent && !first.observed && !first.first_half);
        let again = ActionBatch::again(first);
        assert!(again.resent && !again.observed);
        assert_eq!(again.ids, ids(&["a"]));
        let rest = ActionBatch::rest(ids(&["b"]));
        assert!(rest.resent && !rest.observed);
    }
}
