//! `Listener`: receives the events of a request as they happen.

use std::fmt;

use super::event::Event;

/// Receives the events of a tracker.
pub(crate) struct Listener(Box<dyn Fn(Event) + Send + Sync>);

impl Listener {
    pub(crate) fn new(listener: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Box::new(listener))
    }

    pub(crate) fn receive(&self, event: Event) {
        (self.0)(event);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
