//! Tests of the simulated Huawei's metadata service.

use super::*;
use crate::{
    Identity, Metadata,
    huawei::switches::MetadataTokens,
    testing::{identity_call, move_clock_to},
};

fn cloud_state() -> CloudState {
    let mut cloud = super::cloud_state();
    cloud.identity = Identity::new().metadata(Metadata::Role("ops".into()));
    cloud
}

fn key(cloud: &mut CloudState, token: Option<&str>) -> (u16, String) {
    let header = token.map(|token| ("x-metadata-token", token));
    identity_call(
        cloud,
        "GET",
        "/openstack/latest/securitykey",
        header.as_slice(),
    )
}

fn put_token(cloud: &mut CloudState, seconds: &str) -> (u16, String) {
    let header = ("X-Metadata-Token-Ttl-Seconds", seconds);
    identity_call(cloud, "PUT", "/meta-data/latest/api/token", &[header])
}

#[test]
fn agency_key_is_returned_with_a_metadata_token_and_without() {
    let mut cloud = cloud_state();
    let (_, token) = put_token(&mut cloud, "21600");
    let (status, text) = key(&mut cloud, Some(&token));
    let body: Value = serde_json::from_str(&text).unwrap();
    let credential = &body["credential"];
    assert_eq!(status, 200);
    assert_eq!(credential["expires_at"], "2026-01-02T00:00:00.000000Z");
    let known = cloud.account.key(credential["access"].as_str().unwrap());
    let known = known.unwrap();
    assert_eq!(Some(&*known.secret), credential["secret"].as_str());
    assert_eq!(
        known.session.as_deref(),
        credential["securitytoken"].as_str()
    );

    move_clock_to(&mut cloud, 18 * 3600 - 1);
    assert_eq!(key(&mut cloud, None), (200, text.clone()));
    move_clock_to(&mut cloud, 18 * 3600);
    let (_, renewed) = key(&mut cloud, None);
    assert_ne!(renewed, text, "a new key six hours before the expiry");
}

#[test]
fn metadata_tokens_follow_the_switch() {
    let mut cloud = cloud_state();
    let (_, token) = put_token(&mut cloud, "60");
    for (tokens, success, with, without) in [
        (MetadataTokens::Optional, 200, 200, 200),
        (MetadataTokens::Required, 200, 200, 401),
        (MetadataTokens::Absent404, 404, 200, 200),
        (MetadataTokens::Absent405, 405, 200, 200),
        (MetadataTokens::Absent503, 503, 200, 200),
    ] {
        cloud.switches.huawei.metadata_tokens = tokens;
        assert_eq!(put_token(&mut cloud, "60").0, success, "{tokens:?}");
        assert_eq!(key(&mut cloud, Some(&token)).0, with, "{tokens:?}");
        assert_eq!(key(&mut cloud, None).0, without, "{tokens:?}");
    }
    cloud.switches.huawei.metadata_tokens = MetadataTokens::Optional;
    move_clock_to(&mut cloud, 60);
    let (status, text) = key(&mut cloud, Some(&token));
    assert_eq!(status, 401);
    assert!(!text.contains(NO_AGENCY), "{text}");
    for seconds in ["0", "21601", "x"] {
        assert_eq!(put_token(&mut cloud, seconds).0, 400, "{seconds}");
    }
}

const NO_AGENCY: &str = "Please configure Cloud Service Agency first";

#[test]
fn missing_agency_answers_401_and_missing_service_404() {
    let mut cloud = cloud_state();
    cloud.identity = Identity::new().metadata(Metadata::NoRole);
    assert_eq!(key(&mut cloud, None), (401, NO_AGENCY.to_owned()));
    cloud.identity = Identity::new();
    assert_eq!(key(&mut cloud, None).0, 404);
    assert_eq!(put_token(&mut cloud, "60").0, 404);
    cloud.identity = Identity::new().metadata(Metadata::NoRole);
    let wrong = identity_call(&mut cloud, "POST", "/openstack/latest/securitykey", &[]);
    assert_eq!(wrong.0, 405);
}
