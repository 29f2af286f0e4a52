//! Tests of promise 9: secrets do not leave the client, and plain HTTP stays on this machine.

use lifecycle_client::{Client, PlainHttp, StaticCredential};
use lifecycle_core::Credential;

use crate::{
    scripts::steady,
    support::{Scripted, Toy, answer, id},
};

#[tokio::test(start_paused = true)]
async fn secret_quoted_by_a_response_is_scrubbed() {
    let cloud = Scripted::new(|_| answer(400, &[], "you signed with s3cret"));
    let client = cloud.client();
    let report = client.start([id(1)]).await.unwrap();
    let text = format!("{report:?} {} {client:?}", report.instances()[0]);
    assert!(text.contains("[secret]"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn plain_http_is_sent_to_loopback_only_unless_allowed() {
    for (endpoint, plain_http, sent) in [
        ("http://127.0.0.1:1", PlainHttp::LoopbackOnly, 1),
        ("http://cloud.example", PlainHttp::LoopbackOnly, 0),
        ("http://cloud.example", PlainHttp::Anywhere, 1),
    ] {
        let cloud = steady("ok", "running");
        let key = StaticCredential::new(Credential::keys("id", "s"));
        let client = Client::builder(Toy::at(endpoint), key, cloud.clone())
            .plain_http(plain_http)
            .build();
        let report = client.start([id(1)]).await.unwrap();
        assert_eq!(cloud.log().len(), sent, "{endpoint}");
        assert_eq!(report.is_success(), sent == 1, "{endpoint}");
    }
}
