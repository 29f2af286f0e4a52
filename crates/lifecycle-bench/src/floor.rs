//! Baseline of the benchmark of signatures: hashes the bytes that the scheme hashes, and does
//! nothing else.
//!
//! This module derives the bytes from a signed request as the vendors' pages describe,
//! independently of the code that signed the request. Tests compare the resulting signature with
//! the one in the request.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, header::AUTHORIZATION};
use lifecycle_bench::BenchResult;
use lifecycle_core::encode;
use lifecycle_facade::Cloud;
use sha2::{Digest, Sha256};

/// The hash inputs of one signature.
#[derive(Debug)]
pub(crate) struct Floor {
    /// Inputs of SHA-256.
    digests: Vec<Bytes>,
    /// Inputs of HMAC-SHA256, the signature last.
    macs: Vec<KeyedText>,
}

/// One input of HMAC-SHA256.
#[derive(Debug)]
struct KeyedText {
    key: Bytes,
    text: Bytes,
}

impl Floor {
    /// Returns the hash inputs for the signature of `request`, made with `secret`.
    pub(crate) fn of(cloud: Cloud, request: &Request<Bytes>, secret: &str) -> BenchResult<Self> {
        match cloud {
            Cloud::Baidu => baidu(request, secret),
            Cloud::Aliyun => aliyun(request, secret),
            Cloud::Zenlayer => zenlayer(request, secret),
            Cloud::Huawei => huawei(request, secret),
            other => Err(format!("there is no floor for {other}").into()),
        }
    }

    /// Runs all hashing, and returns the bytes of the signature.
    pub(crate) fn hash(&self) -> [u8; 32] {
        for digested in &self.digests {
            std::hint::black_box(Sha256::digest(digested));
        }
        let signature = self.macs.iter().map(KeyedText::hash);
        signature.fold([0; 32], |_, last| std::hint::black_box(last))
    }
}

impl KeyedText {
    fn new(key: impl Into<Bytes>, text: impl Into<Bytes>) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
        }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn hash(&self) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        mac.update(&self.text);
        mac.finalize().into_bytes().into()
    }
}

/// <https://cloud.baidu.com/doc/Reference/s/njwvz1yfu>: two HMACs and no digest; the body is not
/// signed at all.
fn baidu(request: &Request<Bytes>, secret: &str) -> BenchResult<Floor> {
    let authorization = header(request, AUTHORIZATION.as_str())?;
    let parts: Vec<&str> = authorization.split('/').collect();
    let [scheme, id, date, expiry, names, _] = parts[..] else {
        return Err("an authorization of Baidu has six parts".into());
    };
    let prefix = [scheme, id, date, expiry].join("/");
    let signing_key = KeyedText::new(secret.to_owned(), prefix);
    let lines = names.split(';').map(|name| {
        let value = encode::percent(header(request, name)?).into_owned();
        Ok(format!("{name}:{value}"))
    });
    let query = request.uri().query().unwrap_or_default();
    let query = match query {
        "" => String::new(),
        query if query.contains('=') => query.to_owned(),
        query => format!("{query}="),
    };
    let canonical = [
        request.method().as_str(),
        request.uri().path(),
        &query,
        &lines.collect::<BenchResult<Vec<_>>>()?.join("\n"),
    ]
    .join("\n");
    let signature = KeyedText::new(encode::hex(&signing_key.hash()), canonical);
    Ok(Floor {
        digests: Vec::new(),
        macs: vec![signing_key, signature],
    })
}

/// <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>
fn aliyun(request: &Request<Bytes>, secret: &str) -> BenchResult<Floor> {
    let query = request.uri().query().unwrap_or_default();
    three_steps(request, request.uri().path(), query, secret, |digest| {
        Ok(format!("ACS3-HMAC-SHA256\n{digest}"))
    })
}

/// <https://docs.console.zenlayer.com/api-reference/api-introduction/instruction/sign>
fn zenlayer(request: &Request<Bytes>, secret: &str) -> BenchResult<Floor> {
    three_steps(request, "/", "", secret, |digest| {
        let time = header(request, "x-zc-timestamp")?;
        Ok(format!("ZC2-HMAC-SHA256\n{time}\n{digest}"))
    })
}

/// <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm-001.html>
fn huawei(request: &Request<Bytes>, secret: &str) -> BenchResult<Floor> {
    let query = request.uri().query().unwrap_or_default();
    let path = format!("{}/", request.uri().path());
    three_steps(request, &path, query, secret, |digest| {
        let date = header(request, "x-sdk-date")?;
        Ok(format!("SDK-HMAC-SHA256\n{date}\n{digest}"))
    })
}

/// Digest of the body, if any, digest of the canonical request, and the HMAC of the string to
/// sign.
fn three_steps(
    request: &Request<Bytes>,
    path: &str,
    query: &str,
    secret: &str,
    string_to_sign: impl FnOnce(&str) -> BenchResult<String>,
) -> BenchResult<Floor> {
    let authorization = header(request, AUTHORIZATION.as_str())?;
    let names = authorization
        .split([' ', ','])
        .find_map(|part| part.strip_prefix("SignedHeaders="))
        .ok_or("the authorization names no signed headers")?;
    let mut canonical = [request.method().as_str(), path, query, ""].join("\n");
    for name in names.split(';') {
        canonical += &format!("{name}:{}\n", header(request, name)?);
    }
    let payload = encode::sha256_hex(request.body());
    canonical += &format!("\n{names}\n{payload}");
    let text = string_to_sign(&encode::sha256_hex(canonical.as_bytes()))?;
    let body = Some(request.body().clone()).filter(|body| !body.is_empty());
    Ok(Floor {
        digests: body.into_iter().chain([canonical.into()]).collect(),
        macs: vec![KeyedText::new(secret.to_owned(), text)],
    })
}

fn header<'r>(request: &'r Request<Bytes>, name: &str) -> BenchResult<&'r str> {
    let value = request.headers().get(name);
    let value = value.ok_or_else(|| format!("the request has no {name}"))?;
    Ok(value.to_str()?)
}

#[cfg(test)]
mod tests {
    use lifecycle_bench::{ids, key, provider, secret};
    use lifecycle_core::{Endpoint, SigningContext, StartOptions};

    use super::*;

    /// A signed start, and a signed observation with a query.
    fn requests(cloud: Cloud, count: usize) -> [Request<Bytes>; 2] {
        let endpoint = Endpoint::parse("https://api.example.com").unwrap();
        let provider = provider(cloud, endpoint).unwrap();
        let ids = ids(cloud, count).unwrap();
        let action = StartOptions::default().into();
        let (key, context) = (key(), SigningContext::from_unix(1_700_000_000, 7));
        [
            provider.act(&action, &ids).unwrap().request,
            provider.observe(&ids).unwrap().request,
        ]
        .map(|unsigned| provider.sign(&unsigned, &key, &context).unwrap())
    }

    #[test]
    fn floor_hashes_exactly_the_bytes_of_the_scheme() {
        for &cloud in Cloud::ALL {
            for request in [1, 100].into_iter().flat_map(|n| requests(cloud, n)) {
                let floor = Floor::of(cloud, &request, secret()).unwrap();
                let signature = encode::hex(&floor.hash());
                let sent = header(&request, "authorization").unwrap();
                assert!(sent.ends_with(&signature), "{cloud}: {sent} {floor:?}");
            }
        }
    }

    #[test]
    fn floor_of_a_request_without_a_signature_is_an_error() {
        for &cloud in Cloud::ALL {
            assert!(Floor::of(cloud, &Request::default(), secret()).is_err());
        }
    }
}
