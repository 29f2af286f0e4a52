//! The HTTP response, and what the responses of all clouds have in common.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{Fault, FaultKind};

/// The HTTP response to one attempt: status, headers, and the whole body, decoded from any content
/// encoding.
pub type HttpResponse = http::Response<Bytes>;

/// Reads what the responses of all clouds have in common.
pub trait ResponseExt {
    /// Returns a header as text; `None` when the header is absent or not text.
    fn header(&self, name: &str) -> Option<&str>;

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`] with status and the beginning of the body.
    fn json<T: DeserializeOwned>(&self) -> Result<T, Fault>;

    /// Returns whether the body contains `text`, without parsing the body. A body that is not UTF-8
    /// may contain anything.
    fn may_contain(&self, text: &str) -> bool;

    /// Returns the fault of a body that cannot be parsed.
    fn unreadable(&self, reason: &str) -> Fault;

    /// Returns the fault of a failing response without an error in the cloud's own form.
    ///
    /// Only overload and throttling are read from the status, whoever sent the response: the 404 of
    /// a proxy must not condemn an instance, nor its 401 a key.
    fn fault_from_status(&self) -> Fault;

    /// Returns the beginning of the body as one line of text.
    fn excerpt(&self) -> String;

    /// Returns the standard `Retry-After` header: seconds, or a date read against the `Date` of the
    /// same response.
    fn retry_after(&self) -> Option<Duration>;

    /// Returns the cloud's wall clock, from the standard `Date` header.
    fn date(&self) -> Option<SystemTime>;
}

impl ResponseExt for HttpResponse {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(self.body()).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn may_contain(&self, text: &str) -> bool {
        std::str::from_utf8(self.body()).map_or(true, |body| body.contains(text))
    }

    fn unreadable(&self, reason: &str) -> Fault {
        let message = match self.excerpt() {
            excerpt if excerpt.is_empty() => format!("the answer is empty ({reason})"),
            excerpt => format!("the answer cannot be read ({reason}): {excerpt}"),
        };
        Fault::new(FaultKind::Unreadable, message).with_status(self.status().as_u16())
    }

    fn fault_from_status(&self) -> Fault {
        let message = match self.excerpt() {
            excerpt if excerpt.is_empty() => "the answer is empty".to_owned(),
            excerpt => format!("the answer is not in the cloud's form: {excerpt}"),
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
        const LENGTH: usize = 200;
        let text = String::from_utf8_lossy(&self.body()[..self.body().len().min(4 * LENGTH)]);
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
        match words.char_indices().nth(LENGTH) {
            Some((end, _)) => format!("{}…", &words[..end]),
            None => words,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(value).ok()?;
        until.duration_since(self.date()?).ok()
    }

    fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header("date")?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(headers: &[(&'static str, &str)], body: &'static str) -> HttpResponse {
        let mut response = http::Response::builder().status(429);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn retry_after_in_both_forms() {
        let seconds = reply(&[("retry-after", "7")], "");
        assert_eq!(seconds.retry_after(), Some(Duration::from_secs(7)));
        let date = reply(
            &[
                ("date", "Wed, 03 Dec 2014 06:42:19 GMT"),
                ("retry-after", "Wed, 03 Dec 2014 06:42:49 GMT"),
            ],
            "",
        );
        assert_eq!(date.retry_after(), Some(Duration::from_secs(30)));
        assert_eq!(reply(&[("retry-after", "soon")], "").retry_after(), None);
    }

    #[test]
    fn excerpts_are_one_short_line() {
        assert_eq!(
            reply(&[], "<html>\r\n <b>\u{7}502</b>").excerpt(),
            "<html> <b> 502</b>"
        );
        let long: &'static str = Box::leak("ü".repeat(500).into_boxed_str());
        assert_eq!(reply(&[], long).excerpt().chars().count(), 201);
        assert!(
            reply(&[], "")
                .fault_from_status()
                .message()
                .contains("empty")
        );
    }
}
