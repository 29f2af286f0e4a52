//! Tests of the promise that dropping a request is safe.

use lifecycle_client::WaitTimeout;

use crate::{
    scripts::constant_state,
    support::{ids, seconds},
};

#[tokio::test(start_paused = true)]
async fn dropped_request_sends_nothing_more() {
    let cloud = constant_state("ok", "starting");
    let client = cloud.client();
    let work = client
        .start(ids(30))
        .wait(WaitTimeout::minutes(10))
        .into_future();
    assert!(tokio::time::timeout(seconds(20), work).await.is_err());
    let sent = cloud.log().len();
    assert!(sent > 3);
    tokio::time::sleep(seconds(300)).await;
    assert_eq!(cloud.log().len(), sent);
}
