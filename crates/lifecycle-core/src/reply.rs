//! An answer as it came, and what all clouds' answers have in common.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{Fault, FaultKind};

/// The answer to one attempt.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The whole body, decoded from any content encoding.
    pub body: Bytes,
}

impl Reply {
    /// A header as text; `None` when it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`FaultKind::Unreadable`] with status and the beginning of the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&error.to_string()))
    }

    /// Does the body have this text anywhere? Much faster than reading it.
    pub fn mentions(&self, text: &str) -> bool {
        std::str::from_utf8(&self.body).map_or(true, |body| body.contains(text))
    }

    /// The fault of a body that cannot be understood.
    pub fn unreadable(&self, reason: &str) -> Fault {
        let message = match self.excerpt() {
            excerpt if excerpt.is_empty() => format!("the answer is empty ({reason})"),
            excerpt => format!("the answer cannot be read ({reason}): {excerpt}"),
        };
        Fault::new(FaultKind::Unreadable, message).with_status(self.status)
    }

    /// The fault of a failing answer that carries no error in the cloud's own form.
    ///
    /// Its status tells of trouble and throttling, whoever sent it. Nothing else does: a proxy's
    /// 404 must not condemn an instance, nor its 401 a key.
    pub fn bare_fault(&self) -> Fault {
        let message = match self.excerpt() {
            excerpt if excerpt.is_empty() => "the answer is empty".to_owned(),
            excerpt => format!("the answer is not in the cloud's form: {excerpt}"),
        };
        let kind = match FaultKind::from_status(self.status) {
            kind @ (FaultKind::Throttled | FaultKind::Unavailable) => kind,
            _ => FaultKind::Unreadable,
        };
        Fault::new(kind, message)
            .with_status(self.status)
            .with_retry_after(self.retry_after())
    }

    /// The beginning of the body as one line of text.
    pub fn excerpt(&self) -> String {
        const LENGTH: usize = 200;
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4 * LENGTH)]);
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

    /// The standard `Retry-After` header: seconds, or a date read against this answer's own
    /// `Date`.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(value).ok()?;
        until.duration_since(self.date()?).ok()
    }

    /// The cloud's wall clock, by the standard `Date` header.
    pub fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header("date")?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(headers: &[(&'static str, &str)], body: &'static str) -> Reply {
        Reply {
            status: 429,
            headers: headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<http::HeaderMap>(),
            body: Bytes::from_static(body.as_bytes()),
        }
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
        assert!(reply(&[], "").bare_fault().message().contains("empty"));
    }
}
