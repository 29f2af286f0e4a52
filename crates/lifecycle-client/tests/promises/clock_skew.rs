//! Tests of clock skew: the client learns the difference of the clocks from the cloud, and corrects
//! signatures.

use crate::support::{ScriptedCloud, answer, id, outcomes};

#[tokio::test(start_paused = true)]
async fn wrong_clock_is_corrected_once_by_the_response_date() {
    let cloud = ScriptedCloud::new(|sent| match sent.signature.as_str() {
        "id@1767225600" => answer(
            403,
            &[
                ("kind", "clock-skew"),
                ("date", "Thu, 01 Jan 2026 01:00:00 GMT"),
            ],
            "",
        ),
        "id@1767229200" => answer(200, &[("date", "Thu, 01 Jan 2026 01:00:00 GMT")], "ok"),
        other => panic!("signed for {other}"),
    });
    let client = cloud.client();
    for n in 0..2 {
        let report = client.start([id(n)]).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted"]);
    }
    assert_eq!(cloud.log().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn absurd_response_date_is_ignored() {
    let cloud = ScriptedCloud::new(|_| {
        let date = ("date", "Thu, 01 Jan 1970 00:00:00 GMT");
        answer(403, &[("kind", "clock-skew"), date], "")
    });
    let report = cloud.client().start([id(1)]).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
    assert_eq!(cloud.log().len(), 1);
}
