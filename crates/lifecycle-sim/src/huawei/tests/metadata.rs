//! The metadata service.

use super::*;
use crate::{
    Identity, Metadata,
    dialect::Operation,
    huawei::switches::MetadataTokens,
    testing::{at, exchange},
};

fn site() -> Site {
    let mut site = super::site();
    site.identity = Identity::new().metadata(Metadata::Role("ops".into()));
    site
}

fn call(site: &mut Site, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut all = vec![("host", "169.254.169.254")];
    all.extend(headers);
    let request = received(method, path, &all, "");
    assert_eq!(Huawei.intent(&request).operation, Operation::Identify);
    let answer = exchange(site, &request);
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    (answer.status().as_u16(), text)
}

fn key(site: &mut Site, token: Option<&str>) -> (u16, String) {
    let header = token.map(|token| ("x-metadata-token", token));
    call(
        site,
        "GET",
        "/openstack/latest/securitykey",
        header.as_slice(),
    )
}

fn put_token(site: &mut Site, seconds: &str) -> (u16, String) {
    let header = ("X-Metadata-Token-Ttl-Seconds", seconds);
    call(site, "PUT", "/meta-data/latest/api/token", &[header])
}

#[test]
fn the_key_of_the_agency_is_given_with_a_token_and_without() {
    let mut site = site();
    let (_, token) = put_token(&mut site, "21600");
    let (status, text) = key(&mut site, Some(&token));
    let body: Value = serde_json::from_str(&text).unwrap();
    let credential = &body["credential"];
    assert_eq!(status, 200);
    assert_eq!(credential["expires_at"], "2026-01-02T00:00:00.000000Z");
    let known = site.account.key(credential["access"].as_str().unwrap());
    let known = known.unwrap();
    assert_eq!(Some(&*known.secret), credential["secret"].as_str());
    assert_eq!(
        known.session.as_deref(),
        credential["securitytoken"].as_str()
    );

    at(&mut site, 18 * 3600 - 1);
    assert_eq!(key(&mut site, None), (200, text.clone()));
    at(&mut site, 18 * 3600);
    let (_, renewed) = key(&mut site, None);
    assert_ne!(renewed, text, "a new one six hours before the end");
}

#[test]
fn tokens_are_as_the_switch_says() {
    let mut site = site();
    let (_, token) = put_token(&mut site, "60");
    for (tokens, granted, with, without) in [
        (MetadataTokens::Optional, 200, 200, 200),
        (MetadataTokens::Demanded, 200, 200, 401),
        (MetadataTokens::Absent404, 404, 200, 200),
        (MetadataTokens::Absent405, 405, 200, 200),
        (MetadataTokens::Absent503, 503, 200, 200),
    ] {
        site.switches.huawei.metadata_tokens = tokens;
        assert_eq!(put_token(&mut site, "60").0, granted, "{tokens:?}");
        assert_eq!(key(&mut site, Some(&token)).0, with, "{tokens:?}");
        assert_eq!(key(&mut site, None).0, without, "{tokens:?}");
    }
    site.switches.huawei.metadata_tokens = MetadataTokens::Optional;
    at(&mut site, 60);
    let (status, text) = key(&mut site, Some(&token));
    assert_eq!(status, 401);
    assert!(!text.contains(NO_AGENCY), "{text}");
    for seconds in ["0", "21601", "x"] {
        assert_eq!(put_token(&mut site, seconds).0, 400, "{seconds}");
    }
}

const NO_AGENCY: &str = "Please configure Cloud Service Agency first";

#[test]
fn a_server_without_an_agency_is_told_so_and_no_service_is_404() {
    let mut site = site();
    site.identity = Identity::new().metadata(Metadata::NoRole);
    assert_eq!(key(&mut site, None), (401, NO_AGENCY.to_owned()));
    site.identity = Identity::new();
    assert_eq!(key(&mut site, None).0, 404);
    assert_eq!(put_token(&mut site, "60").0, 404);
    site.identity = Identity::new().metadata(Metadata::NoRole);
    let wrong = call(&mut site, "POST", "/openstack/latest/securitykey", &[]);
    assert_eq!(wrong.0, 405);
}
