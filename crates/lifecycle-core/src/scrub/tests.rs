//! Tests of the scrubber with secrets in every spelling, in bodies and headers.

use bytes::Bytes;
use http::Request;

use super::*;
use crate::{
    EmptyHost, ExchangeStep, FaultKind, ProviderContext, ResponseExt, ServiceKind, SigningContext,
    sensitive_header,
};

const SECRET: &str = "S3cr/t+Half\"Qz=Xv&99\\71Ä";

fn scrub(secret: &str, body: impl Into<Bytes>) -> String {
    let key = Credential::keys("AK", secret);
    let mut response = http::Response::new(body.into());
    Scrubber::new(&Request::new(Bytes::new()), Some(&key)).scrub(&mut response);
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[test]
fn secret_is_replaced_in_every_spelling() {
    let json = serde_json::to_string(SECRET).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let json_twice = serde_json::to_string(&json).unwrap();
    let percent = crate::encode::percent(SECRET).into_owned();
    let ascii: String = SECRET
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04X}"))
        .collect();
    for spelling in [
        SECRET.to_owned(),
        percent
            .to_lowercase()
            .replace("s3cr", "S3cr")
            .replace("half", "Half")
            .replace("qz", "Qz")
            .replace("xv", "Xv"),
        percent.replace('%', "%25"),
        percent,
        json_twice[1..json_twice.len() - 1].to_owned(),
        json.replace('/', "\\/").replace('=', "\\u003d"),
        json,
        ascii,
        SECRET
            .replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('Ä', "&#xC4;")
            .replace('+', "&#43;"),
    ] {
        // The search in a long text is another one.
        for padding in ["", &"x".repeat(2 * LONG_TEXT)] {
            let text = scrub(SECRET, format!("{padding}<before {spelling} after>"));
            assert_eq!(
                text,
                format!("{padding}<before [secret] after>"),
                "{spelling}"
            );
        }
    }
}

#[test]
fn plain_secret_is_replaced_in_a_long_text_without_an_escape() {
    let (secret, page) = ("S3cret-without-an-escape", "x".repeat(2 * LONG_TEXT));
    let text = scrub(secret, format!("{page} {secret} {page}"));
    assert_eq!(text, format!("{page} [secret] {page}"));
    assert_eq!(scrub(secret, page.clone()), page);
}

#[test]
fn secret_is_replaced_before_an_excerpt_is_cut() {
    let token = "T0ken".repeat(300);
    let key = Credential::session("AK", "a-secret-of-some-length", &token);
    let mut response = http::Response::new(Bytes::from(format!("<html>{token}</html>")));
    Scrubber::new(&Request::new(Bytes::new()), Some(&key)).scrub(&mut response);
    assert_eq!(response.excerpt(), "<html>[secret]</html>");
}

#[test]
fn signature_and_sensitive_headers_of_the_request_are_replaced() {
    let signature = "0123456789abcdef".repeat(4);
    let mut request = Request::new(Bytes::new());
    let headers = request.headers_mut();
    let authorization =
        format!("X-HMAC Access=AK0123456789, SignedHeaders=host, Signature={signature}");
    headers.insert("authorization", sensitive_header(&authorization).unwrap());
    headers.insert("x-token", sensitive_header("a-session-token").unwrap());
    mark_secrets(&mut request, [&Secret::new("Passw0rd!")]);
    mark_secrets(&mut request, [&Secret::new("an0ther one")]);
    let body = format!(
        "{authorization}|{signature}|bce/AK0123456789/{signature}|a-session-token|Passw0rd%21|an0ther+one"
    );
    let mut response = http::Response::new(Bytes::from(body));
    let id = HeaderValue::from_str(&format!("r-{signature}")).unwrap();
    response.headers_mut().insert("x-request-id", id);
    Scrubber::new(&request, None).scrub(&mut response);
    assert_eq!(
        response.body(),
        "[secret]|[secret]|bce/AK0123456789/[secret]|[secret]|[secret]|[secret]"
    );
    assert_eq!(response.headers()["x-request-id"], "r-[secret]");
}

#[test]
fn exchange_keeps_the_key_of_a_response_and_scrubs_faults() {
    const TOKEN: &str = "T0ken-of-the-request";
    let ctx = ProviderContext::new(&EmptyHost, SigningContext::from_unix(0, 0));
    let answer = |status: u16, is_fault: bool| {
        let mut request = Request::new(Bytes::new());
        mark_secrets(&mut request, [&Secret::new(TOKEN)]);
        let step: ExchangeStep<String> =
            ExchangeStep::http("Get", ServiceKind::Identity, request, move |response, _| {
                let text = String::from_utf8(response.unwrap().body().to_vec()).unwrap();
                match is_fault {
                    true => ExchangeStep::Failed(
                        Fault::new(FaultKind::Unknown, text.clone())
                            .with_code(text.clone())
                            .with_request_id(Some(text)),
                    ),
                    false => ExchangeStep::Done(text),
                }
            });
        let ExchangeStep::Http(exchange) = step else {
            panic!("no request");
        };
        let mut response = http::Response::new(Bytes::from_static(TOKEN.as_bytes()));
        *response.status_mut() = status.try_into().unwrap();
        exchange.then(Ok(response), &ctx)
    };
    assert!(matches!(answer(200, false), ExchangeStep::Done(key) if key == TOKEN));
    assert!(matches!(answer(400, false), ExchangeStep::Done(key) if key == "[secret]"));
    for status in [200, 400] {
        let ExchangeStep::Failed(fault) = answer(status, true) else {
            panic!("no fault");
        };
        let parts = (fault.code(), fault.message(), fault.request_id());
        assert_eq!(parts, (Some("[secret]"), "[secret]", Some("[secret]")));
    }
}

#[test]
fn excerpt_of_a_successful_exchange_is_scrubbed_before_it_is_cut() {
    let token = "T0ken".repeat(300);
    let ctx = ProviderContext::new(&EmptyHost, SigningContext::from_unix(0, 0));
    let key = Credential::session("AK", "a-secret-of-some-length", &token);
    let request = Ok(Request::new(Bytes::new()));
    let step = ExchangeStep::signed("Get", request, &key, ResponseExt::json::<u8>);
    let ExchangeStep::Http(exchange) = step else {
        panic!("no request");
    };
    let response = http::Response::new(Bytes::from(format!("<html>{token}</html>")));
    let ExchangeStep::Failed(fault) = exchange.then(Ok(response), &ctx) else {
        panic!("no fault");
    };
    assert!(
        fault.message().ends_with(": <html>[secret]</html>"),
        "{fault}"
    );
    assert!(!fault.message().contains("T0ken"), "{fault}");
}

#[test]
fn id_of_the_access_key_is_kept() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    let key = Credential::keys(id, "a-secret-of-some-length");
    let mut request = Request::new(Bytes::new());
    let authorization = sensitive_header(format!("bce-auth-v1/{id}/host")).unwrap();
    request.headers_mut().insert("authorization", authorization);
    let mut response = http::Response::new(Bytes::from(format!("no key {id}")));
    Scrubber::new(&request, Some(&key)).scrub(&mut response);
    assert_eq!(response.body(), &format!("no key {id}"));
}

#[test]
fn short_text_in_place_of_a_secret_garbles_nothing() {
    let body = r#"{"status":"ACTIVE","id":"i-123456","message":"a bad state"}"#;
    for secret in ["", "a", "i-1", "state", "ACTIVE", "status", "123456"] {
        assert_eq!(scrub(secret, body), body, "{secret}");
    }
    assert_eq!(scrub("s3cret", "is s3cret"), "is [secret]");
}

#[test]
fn secret_of_medium_length_is_replaced_only_as_a_whole_word() {
    for (body, expected) in [
        (
            "Passw0rd Passw0rd2 aPassw0rd",
            "[secret] Passw0rd2 aPassw0rd",
        ),
        ("a%3DPassw0rd%26", "a%3D[secret]%26"),
        (r"\u003dPassw0rd\nPassw0rd\n", r"\u003d[secret]\n[secret]\n"),
        (
            r"\rPassw0rd\tPassw0rd\bPassw0rd\f",
            r"\r[secret]\t[secret]\b[secret]\f",
        ),
        (
            "a%253DPassw0rd%2526 a%25253DPassw0rd%252526",
            "a%253D[secret]%2526 a%25253D[secret]%252526",
        ),
        (
            r"{\x22a\x22:\x22Passw0rd\x22} \042Passw0rd\042",
            r"{\x22a\x22:\x22[secret]\x22} \042[secret]\042",
        ),
        // Hexadecimal digits alone are no escape.
        (
            "253DPassw0rd \\92Passw0rd \\0x22Passw0rd",
            "253DPassw0rd \\92Passw0rd \\0x22Passw0rd",
        ),
        ("x3DPassw0rd", "x3DPassw0rd"),
        ("003dPassw0rd", "003dPassw0rd"),
        ("nPassw0rd", "nPassw0rd"),
    ] {
        assert_eq!(scrub("Passw0rd", body), expected);
    }
}

#[test]
fn body_without_secrets_is_not_copied() {
    let body = Bytes::from_static(b"100 % \\ & \\u12 %2 &#x; \xff\xfe S3cr/t");
    let key = Credential::keys("AK", SECRET);
    let mut response = http::Response::new(body.clone());
    Scrubber::new(&Request::new(Bytes::new()), Some(&key)).scrub(&mut response);
    assert_eq!(response.body().as_ptr(), body.as_ptr());
}

#[test]
fn secret_of_16_characters_is_replaced_inside_a_word_and_a_shorter_one_is_not() {
    let (long, short) = ("abcdefgh12345678", "abcdefgh1234567");
    assert_eq!(scrub(long, format!("x{long}y")), "x[secret]y");
    assert_eq!(scrub(short, format!("x{short}y")), format!("x{short}y"));
    assert_eq!(scrub(short, format!("x-{short}-y")), "x-[secret]-y");
}

#[test]
fn secret_that_begins_with_another_secret_is_replaced_as_a_whole() {
    let (short, long) = ("abcdefgh12345678", "abcdefgh12345678-and-more");
    let key = Credential::session("AK", short, long);
    let mut response = http::Response::new(Bytes::from(format!("{long} {short}")));
    Scrubber::new(&Request::new(Bytes::new()), Some(&key)).scrub(&mut response);
    assert_eq!(response.body(), "[secret] [secret]");
}

/// A search that reads a whole run of backslashes from each of its positions takes hours.
#[test]
fn time_of_a_search_grows_with_the_length_of_a_text_of_escapes() {
    let key = Credential::session("AK", r"\S3cr\t-%&-x\", r"\\-a-t0ken-of-the-request");
    let scrubber = Scrubber::new(&Request::new(Bytes::new()), Some(&key));
    for (part, times) in [
        (r"\", 4 << 20),
        (r"\u", 1 << 16),
        ("%", 1 << 16),
        ("&", 1 << 16),
    ] {
        let text = part.repeat(times);
        assert_eq!(scrubber.scrub_bytes(text.as_bytes()), None, "{part}");
    }
}

#[test]
fn secret_after_many_backslashes_is_replaced() {
    for secret in [
        "\"S3cret-word",
        r"\S3cret-word",
        r"\\S3cret\word-of-a-share",
    ] {
        let json = serde_json::to_string(secret).unwrap();
        let twice = serde_json::to_string(&json).unwrap();
        for spelling in [secret, json.trim_matches('"'), &twice[3..twice.len() - 3]] {
            for before in [0, 1, 15, 16, 17, 100] {
                let text = format!("{}{spelling}.", r"\".repeat(before));
                let scrubbed = scrub(secret, text.clone());
                let rest = scrubbed.trim_start_matches('\\');
                assert_eq!(rest, "[secret].", "{text}");
            }
        }
    }
}

#[test]
fn debug_text_tells_nothing_about_a_secret() {
    let debug = |secret| format!("{:?}", Scrubber::of_secrets([&Secret::new(secret)]));
    assert_eq!(debug("pa/ss-w0rd"), debug("\\\\\\other-word"));
}
