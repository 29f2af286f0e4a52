//! `HttpResponse`, and `ResponseExt`: reads the parts that the HTTP responses of all clouds have in common,
//! and makes the fault of a response that cannot be read.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::de::DeserializeOwned;

use crate::{Fault, FaultKind, scrub::ExcerptScrubber};

/// The HTTP response to one attempt: status, headers, and the whole body, decoded from any content
/// encoding.
pub type HttpResponse = http::Response<Bytes>;

/// Methods for the parts that the responses of all clouds have in common.
pub trait ResponseExt {
    /// Returns a header as text; `None` when the header is absent or not text.
    fn header(&self, name: &str) -> Option<&str>;

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`] with the status and the beginning of the body.
    fn json<T: DeserializeOwned>(&self) -> Result<T, Fault>;

    /// Returns whether the body contains the bytes of `text`, without parsing the body.
    fn contains(&self, text: &str) -> bool;

    /// Returns the fault of a body that cannot be parsed.
    fn unreadable(&self, reason: &str) -> Fault;

    /// Returns the fault of an error response that is not in the format of the cloud, such as the HTML page of
    /// a proxy.
    ///
    /// The status decides about overload and throttling only. A proxy may have sent the response, so
    /// status 404 does not mean an unknown instance, and status 401 does not mean a rejected key.
    fn fault_from_status(&self) -> Fault;

    /// Returns the beginning of the body as one line of text, at most 200 characters.
    fn excerpt(&self) -> String;

    /// Returns the time in the standard `Retry-After` header: seconds, or a date compared with the `Date`
    /// header of the same response. Returns `None` for a date in the past, or without a `Date` header.
    fn retry_after(&self) -> Option<Duration>;

    /// Returns the wall-clock time of the cloud, from the standard `Date` header.
    fn date(&self) -> Option<SystemTime>;
}

impl ResponseExt for HttpResponse {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        // One check of the whole text is cheaper than a check of each name and value. A body that is not
        // UTF-8 in a field that nobody reads is readable.
        let value = match std::str::from_utf8(self.body()) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(self.body()),
        };
        value.map_err(|error| self.unreadable(&error.to_string()))
    }

    fn contains(&self, text: &str) -> bool {
        memchr::memmem::find(self.body(), text.as_bytes()).is_some()
    }

    fn unreadable(&self, reason: &str) -> Fault {
        let message = match self.excerpt() {
            excerpt if excerpt.is_empty() => format!("the response is empty ({reason})"),
            excerpt => format!("the response cannot be read ({reason}): {excerpt}"),
        };
        Fault::new(FaultKind::Unreadable, message).with_status(self.status().as_u16())
    }

    fn fault_from_status(&self) -> Fault {
        let message = match self.excerpt() {
            excerpt if excerpt.is_empty() => "the response is empty".to_owned(),
            excerpt => format!("the response is not in the format of the cloud: {excerpt}"),
        };
        let kind = match FaultKind::from_status(self.status().as_u16()) {
            kind @ (FaultKind::Throttled | FaultKind::Unavailable) => kind,
            _ => FaultKind::Unreadable,
        };
        Fault::new(kind, message)
            .with_status(self.status().as_u16())
            .with_retry_after(self.retry_after())
    }

    fn excerpt(&self) -> String {
        const MAX_CHARS: usize = 200;
        // The secrets are removed before the cut: the beginning of a secret would not be found.
        let scrubbed = ExcerptScrubber::scrubbed_body(self);
        let body = scrubbed.as_deref().unwrap_or(self.body());
        let text = String::from_utf8_lossy(&body[..body.len().min(4 * MAX_CHARS)]);
        let mut words = String::new();
        for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
            if word.is_empty() {
                continue;
            }
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        match words.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => format!("{}…", &words[..end]),
            None => words,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let until = http_date(value)?;
        until.duration_since(self.date()?).ok()
    }

    fn date(&self) -> Option<SystemTime> {
        http_date(self.header("date")?)
    }
}

/// Reads a date such as `Wed, 03 Dec 2014 06:42:19 GMT`. Servers send this form alone since 1997 (RFC 2068); the two
/// older forms count as no date.
fn http_date(text: &str) -> Option<SystemTime> {
    // A wrong day of the week changes no time.
    let parser = DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&'static str, &str)], body: &'static str) -> HttpResponse {
        let mut builder = http::Response::builder().status(429);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let seconds = response(&[("retry-after", "7")], "");
        assert_eq!(seconds.retry_after(), Some(Duration::from_secs(7)));
        let date = response(
            &[
                ("date", "Wed, 03 Dec 2014 06:42:19 GMT"),
                ("retry-after", "Wed, 03 Dec 2014 06:42:49 GMT"),
            ],
            "",
        );
        assert_eq!(date.retry_after(), Some(Duration::from_secs(30)));
        assert_eq!(response(&[("retry-after", "soon")], "").retry_after(), None);
    }

    #[test]
    fn date_is_read_in_the_form_that_servers_send() {
        let date = |text| response(&[("date", text)], "").date();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(at));
        assert_eq!(date("Mon, 06 Nov 1994 08:49:37 GMT"), Some(at));
        for text in [
            "",
            "1994-11-06T08:49:37Z",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 99999999 08:49:37 GMT",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn excerpt_is_one_short_line() {
        assert_eq!(
            response(&[], "<html>\r\n <b>\u{7}502</b>").excerpt(),
            "<html> <b> 502</b>"
        );
        let long: &'static str = Box::leak("ü".repeat(500).into_boxed_str());
        assert_eq!(response(&[], long).excerpt().chars().count(), 201);
        assert!(
            response(&[], "")
                .fault_from_status()
                .message()
                .contains("empty")
        );
    }

    #[test]
    fn text_is_searched_in_the_bytes_of_the_body() {
        let json = response(&[], r#"{"Code": "Busy"}"#);
        assert!(json.contains("\"Busy\"") && !json.contains("busy"));
        let not_utf8 = http::Response::new(Bytes::from_static(b"\xffBusy"));
        assert!(not_utf8.contains("Busy") && !not_utf8.contains("busy"));
    }

    #[test]
    fn fault_of_an_unreadable_body_has_the_reason_and_the_beginning() {
        let reason = |body| response(&[], body).unreadable("no id");
        let fault = reason("<html>");
        assert_eq!(fault.kind(), FaultKind::Unreadable);
        assert_eq!(fault.status(), Some(429));
        assert_eq!(
            fault.message(),
            "the response cannot be read (no id): <html>"
        );
        assert_eq!(reason(" \n").message(), "the response is empty (no id)");

        let number = response(&[], " 7 ").json::<u8>();
        assert_eq!(number, Ok(7));
        let fault = response(&[], "seven").json::<u8>().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unreadable);
        assert!(fault.message().ends_with(": seven"), "{fault}");
    }

    #[test]
    fn status_of_a_foreign_response_shows_overload_and_throttling_only() {
        for (status, kind) in [
            (429, FaultKind::Throttled),
            (408, FaultKind::Unavailable),
            (503, FaultKind::Unavailable),
            (400, FaultKind::Unreadable),
            (401, FaultKind::Unreadable),
            (404, FaultKind::Unreadable),
            (407, FaultKind::Unreadable),
            (302, FaultKind::Unreadable),
        ] {
            let mut response = response(&[("retry-after", "7")], "<html>");
            *response.status_mut() = status.try_into().unwrap();
            let fault = response.fault_from_status();
            assert_eq!((fault.kind(), fault.status()), (kind, Some(status)));
            assert_eq!(fault.retry_after(), Some(Duration::from_secs(7)));
            assert_eq!(
                fault.message(),
                "the response is not in the format of the cloud: <html>"
            );
        }
        let empty = response(&[], "").fault_from_status();
        assert_eq!(empty.message(), "the response is empty");
        assert_eq!(empty.retry_after(), None);
    }
}
