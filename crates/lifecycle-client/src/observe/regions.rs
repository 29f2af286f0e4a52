//! Reads the regions of a cloud.

use lifecycle_core::Region;
use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    call::context::{CallContext, CallKind},
    call::engine::Engine,
    call::event::IgnoreEvents,
    error::Error,
    instant::after,
};

/// Returns the regions of the cloud; `None` if the provider has no call for regions.
pub(crate) async fn regions(engine: &Engine) -> Result<Option<Vec<Region>>, Error> {
    let Some(call) = engine.provider().regions() else {
        return Ok(None);
    };
    let deadline = after(Instant::now(), engine.timeouts.request);
    let ctx = CallContext::of_read(CallKind::List, 0, deadline, &IgnoreEvents);
    let labels = &engine.collector().labels;
    let span = tracing::info_span!(
        "lifecycle.request",
        action = "regions",
        cloud = &*labels.cloud,
        region = labels.known_region(),
        account = labels.known_account(),
    );
    match engine.execute(&call, &ctx).instrument(span).await {
        Ok(executed) => Ok(Some(executed.value)),
        Err(failure) => Err(Error::Call {
            operation: "list regions",
            title: engine.profile().title,
            fault: failure.fault,
            attempts: failure.attempts,
        }),
    }
}
