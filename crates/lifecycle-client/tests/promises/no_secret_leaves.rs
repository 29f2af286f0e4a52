//! Tests of the promise that secrets do not leave the client, and plain HTTP stays on this machine.

use lifecycle_client::{Client, PlainHttp, StaticCredential};
use lifecycle_core::Credential;

use crate::{
    scripts::constant_state,
    support::{ScriptedCloud, Toy, answer, id},
};

#[tokio::test(start_paused = true)]
async fn secret_quoted_by_a_response_is_scrubbed() {
    let cloud = ScriptedCloud::new(|_| answer(400, &[], "you signed with s3cret"));
    let client = cloud.client();
    let report = client.start([id(1)]).await.unwrap();
    let text = format!("{report:?} {} {client:?}", report.instances()[0]);
    assert!(text.contains("[secret]"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn secret_is_scrubbed_in_every_part_of_a_response() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "start" => answer(200, &[("request-id", "r-s3cret")], "ok"),
        "observe" => answer(200, &[], "i-1 s3cret %733cret"),
        _ => answer(200, &[], "last\ni-1 s\\u0033cret"),
    });
    let client = cloud.client();
    let report = client.start([id(1)]).await.unwrap();
    let statuses = client.observe([id(1)]).await.unwrap();
    let list = client.list().await.unwrap();
    let text = format!("{report:?} {statuses:?} {list:?}");
    assert_eq!(text.matches("[secret]").count(), 4, "{text}");
}

#[tokio::test(start_paused = true)]
async fn secret_is_scrubbed_before_an_excerpt_is_cut() {
    let token = "T0ken".repeat(300);
    let body = format!("<html>{token}</html>");
    let cloud = ScriptedCloud::new(move |_| answer(200, &[], body.clone()));
    let key = StaticCredential::new(Credential::session("id", "s3cret", &token));
    let client = Client::builder(Toy::default(), key, cloud.clone()).build();
    let report = client.start([id(1)]).await.unwrap();
    let text = format!("{report:?}");
    assert!(
        text.contains("[secret]") && !text.contains("T0ken"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn plain_http_is_sent_to_loopback_only_unless_allowed() {
    for (endpoint, plain_http, sent) in [
        ("http://127.0.0.1:1", PlainHttp::LoopbackOnly, 1),
        ("http://cloud.example", PlainHttp::LoopbackOnly, 0),
        ("http://cloud.example", PlainHttp::Anywhere, 1),
    ] {
        let cloud = constant_state("ok", "running");
        let key = StaticCredential::new(Credential::keys("id", "s"));
        let client = Client::builder(Toy::at(endpoint), key, cloud.clone())
            .plain_http(plain_http)
            .build();
        let report = client.start([id(1)]).await.unwrap();
        assert_eq!(cloud.log().len(), sent, "{endpoint}");
        assert_eq!(report.is_success(), sent == 1, "{endpoint}");
    }
}
