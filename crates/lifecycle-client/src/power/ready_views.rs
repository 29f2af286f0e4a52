//! `ReadyViews`: the series of views that proves that an instance never left the state before the action.

use std::time::Duration;

use tokio::time::Instant;

/// The longest time between two views in which no boot and no shutdown can pass unseen. No cloud documents the
/// shortest one. A series of slower lookups is broken, which leaves the outcome uncertain.
const LONGEST_UNSEEN: Duration = Duration::from_secs(12);

/// The views of one instance since its action was sent first, as long as each of them shows the instance
/// ready for the action.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadyViews {
    /// The time of the last view, or of the first call.
    last: Option<Instant>,
    /// A view showed another state, or came too late after the view before.
    is_broken: bool,
}

impl ReadyViews {
    /// Records that the action was sent now. Only the first call begins a series.
    pub(crate) fn sent(&mut self) {
        self.last.get_or_insert_with(Instant::now);
    }

    /// Records a call of an earlier process, whose views are not known.
    pub(crate) fn sent_earlier(&mut self) {
        self.is_broken = true;
    }

    /// Records a view of now.
    pub(crate) fn seen(&mut self, is_ready: bool) {
        if self.last.is_some() {
            self.is_broken |= !is_ready || self.has_gap();
            self.last = Some(Instant::now());
        }
    }

    /// Returns whether every view was ready, without a gap from the first call until now.
    pub(crate) fn is_unbroken(&self) -> bool {
        !self.is_broken && !self.has_gap()
    }

    fn has_gap(&self) -> bool {
        self.last.is_none_or(|last| last.elapsed() > LONGEST_UNSEEN)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// Returns whether the series is unbroken after views at these times in seconds.
    async fn is_unbroken(views: &[(u64, bool)]) -> bool {
        let mut series = ReadyViews::default();
        series.sent();
        let mut now = 0;
        for (at, is_ready) in views {
            advance(Duration::from_secs(at - now)).await;
            now = *at;
            series.seen(*is_ready);
        }
        series.is_unbroken()
    }

    #[tokio::test(start_paused = true)]
    async fn series_without_gap_and_without_another_state_is_unbroken() {
        assert!(is_unbroken(&[]).await);
        assert!(is_unbroken(&[(12, true), (24, true)]).await);
        assert!(!is_unbroken(&[(13, true), (14, true)]).await);
        assert!(!is_unbroken(&[(5, true), (18, true)]).await);
        assert!(!is_unbroken(&[(5, false), (6, true)]).await);
    }

    #[tokio::test(start_paused = true)]
    async fn series_begins_with_the_first_call_and_ends_without_a_view() {
        let mut series = ReadyViews::default();
        series.seen(true);
        assert!(!series.is_unbroken(), "nothing was sent");
        series.sent();
        advance(Duration::from_secs(10)).await;
        series.sent();
        advance(Duration::from_secs(3)).await;
        assert!(!series.is_unbroken(), "no view for 13 s");
    }

    #[tokio::test(start_paused = true)]
    async fn series_of_a_call_of_an_earlier_process_is_broken() {
        let mut series = ReadyViews::default();
        series.sent_earlier();
        series.sent();
        series.seen(true);
        assert!(!series.is_unbroken());
    }
}
