//! The removal of secrets from responses, before any part of a response is read.
//!
//! Clouds, identity services and proxies quote requests in codes, messages, request ids and headers.
//! The [`Scrubber`] therefore works on the whole response: no reader sees a secret of the request, so
//! no fault, observation or log line can repeat one.

mod pattern;

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request};

use crate::{Credential, Fault, HttpResponse, Secret};
use pattern::{Ends, Pattern, Starts, has_escape};

/// Marks `secrets` as secret parts of `request`, in addition to the sensitive headers. A secret in the
/// body or in the URL needs the mark, because nothing else shows the secret to the [`Scrubber`].
pub fn mark_secrets<'s>(
    request: &mut Request<Bytes>,
    secrets: impl IntoIterator<Item = &'s Secret>,
) {
    let mut marked = request
        .extensions_mut()
        .remove::<MarkedSecrets>()
        .unwrap_or_default();
    marked.0.extend(secrets.into_iter().cloned());
    request.extensions_mut().insert(marked);
}

/// The secret parts of a request. An extension of the request.
#[derive(Clone, Debug, Default)]
struct MarkedSecrets(Vec<Secret>);

/// Replaces secrets in responses.
///
/// Finds each secret as plain text, percent-encoded, escaped as in JSON, and escaped as in XML, also if
/// only some characters are escaped or a text is escaped twice. Ignores texts that are too short for a
/// secret: replacing such a text would garble other words.
#[derive(Debug, Default)]
pub struct Scrubber {
    /// The longest secret comes first: a shorter secret may be a part.
    patterns: Vec<Pattern>,
    starts: Starts,
}

impl Scrubber {
    /// Returns the scrubber of the response to `request`. Covers the marked secrets (see
    /// [`mark_secrets`]), the sensitive headers with the signature, and the secrets of `key`.
    pub fn new(request: &Request<Bytes>, key: Option<&Credential>) -> Self {
        let mut scrubber = Self::default();
        for secret in key.into_iter().flat_map(Credential::secrets) {
            scrubber.add(secret.expose());
        }
        if let Some(marked) = request.extensions().get::<MarkedSecrets>() {
            for secret in &marked.0 {
                scrubber.add(secret.expose());
            }
        }
        let key_id = match key {
            Some(Credential::Keys { id, .. }) => id.as_str(),
            _ => "",
        };
        let headers = request.headers().values();
        for value in headers.filter(|value| value.is_sensitive()) {
            if let Ok(text) = value.to_str() {
                scrubber.add(text);
                let parts = text.split(is_separator).filter(|part| *part != key_id);
                parts
                    .filter(|part| part.len() >= SHORTEST_SIGNATURE)
                    .for_each(|part| scrubber.add(part));
            }
        }
        scrubber.sort();
        scrubber
    }

    /// Returns the scrubber of texts that can hold `secrets`.
    ///
    /// ```
    /// use lifecycle_core::{Scrubber, Secret};
    ///
    /// let scrubber = Scrubber::of_secrets([&Secret::new("pa/ss-w0rd")]);
    /// assert_eq!(scrubber.scrub_text("no user ops:pa%2Fss-w0rd"), "no user ops:[secret]");
    /// ```
    pub fn of_secrets<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let mut scrubber = Self::default();
        for secret in secrets {
            scrubber.add(secret.expose());
        }
        scrubber.sort();
        scrubber
    }

    fn sort(&mut self) {
        self.patterns
            .sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
    }

    fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if is_long_enough(secret) {
            let pattern = Pattern::new(secret);
            self.starts.add(&pattern);
            self.patterns.push(pattern);
        }
    }

    /// Replaces the secrets in the body and in the headers of a response.
    pub fn scrub(&self, response: &mut HttpResponse) {
        if let Some(body) = self.scrub_bytes(response.body()) {
            *response.body_mut() = body.into();
        }
        for value in response.headers_mut().values_mut() {
            let scrubbed = self.scrub_bytes(value.as_bytes());
            if let Some(Ok(scrubbed)) = scrubbed.map(|bytes| HeaderValue::from_bytes(&bytes)) {
                *value = scrubbed;
            }
        }
    }

    /// Returns `text` without the secrets.
    pub fn scrub_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.scrub_bytes(text.as_bytes()) {
            Some(scrubbed) => String::from_utf8_lossy(&scrubbed).into_owned().into(),
            None => text.into(),
        }
    }

    /// Returns a fault without the secrets in its code, message and request id.
    pub(crate) fn scrub_fault(&self, fault: Fault) -> Fault {
        let scrub = |text: &str| match self.scrub_text(text) {
            Cow::Owned(scrubbed) => Some(scrubbed),
            Cow::Borrowed(_) => None,
        };
        let code = fault.code().and_then(scrub);
        let message = scrub(fault.message());
        let request_id = fault.request_id().and_then(scrub);
        let fault = match code {
            Some(code) => fault.with_code(code),
            None => fault,
        };
        let fault = match message {
            Some(message) => fault.with_message(message),
            None => fault,
        };
        match request_id {
            Some(id) => fault.with_request_id(Some(id)),
            None => fault,
        }
    }

    /// Returns `text` without secrets; `None` for a text that has none.
    fn scrub_bytes(&self, text: &[u8]) -> Option<Vec<u8>> {
        // Most pages have no escape, so a vectorized search for the plain secrets is enough.
        if text.len() >= LONG_TEXT
            && !has_escape(text)
            && !self.patterns.iter().any(|p| p.is_plainly_in(text))
        {
            return None;
        }
        let mut scrubbed: Option<Vec<u8>> = None;
        let (mut at, mut copied, mut ends) = (0, 0, Ends::default());
        while let Some(start) = self.starts.next_in(text, at) {
            let mut patterns = self.patterns.iter();
            let end = patterns.find_map(|pattern| pattern.end_of_match(text, start, &mut ends));
            let Some(end) = end else {
                at = self.starts.after(text, start);
                continue;
            };
            let scrubbed = scrubbed.get_or_insert_with(|| Vec::with_capacity(text.len()));
            scrubbed.extend_from_slice(&text[copied..start]);
            scrubbed.extend_from_slice(REPLACEMENT);
            (at, copied) = (end, end);
        }
        let mut scrubbed = scrubbed?;
        scrubbed.extend_from_slice(&text[copied..]);
        Some(scrubbed)
    }
}

/// An extension of a response whose body stays as it is: removes the secrets from excerpts of the body. An
/// excerpt can end within a secret, whose beginning nobody finds afterwards.
#[derive(Clone)]
pub(crate) struct ExcerptScrubber(pub(crate) Arc<Scrubber>);

impl ExcerptScrubber {
    /// Adds this extension to `response`.
    pub(crate) fn attach(self, response: &mut HttpResponse) {
        response.extensions_mut().insert(self);
    }

    /// Returns the body without the secrets of the request, if `response` has the extension.
    pub(crate) fn scrubbed_body(response: &HttpResponse) -> Option<Vec<u8>> {
        let Self(scrubber) = response.extensions().get()?;
        scrubber.scrub_bytes(response.body())
    }
}

/// The text in place of a secret. Valid inside a JSON string, an XML text and a header.
const REPLACEMENT: &[u8] = b"[secret]";

/// The length from which a vectorized search is quicker than its preparation.
const LONG_TEXT: usize = 1024;

/// The least length of a signature within a header. The ids of access keys are shorter.
const SHORTEST_SIGNATURE: usize = 40;

/// Returns whether a character separates the parts of an `Authorization` header.
fn is_separator(c: char) -> bool {
    matches!(c, ' ' | ',' | ';' | '/' | '=' | ':' | '"')
}

/// Returns whether a text is long enough for a secret. The keys of all clouds have at least 20
/// characters, and passwords usually 8. A text of 6 or 7 characters is a secret if the text is no plain
/// word and no number.
fn is_long_enough(secret: &str) -> bool {
    let has = |is: fn(char) -> bool| secret.contains(is);
    match secret.chars().count() {
        0..6 => false,
        6..8 => has(char::is_alphabetic) && has(|c| !c.is_alphabetic()),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
