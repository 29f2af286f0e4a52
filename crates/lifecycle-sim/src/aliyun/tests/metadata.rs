//! Tests of the simulated Alibaba's metadata service and credentials URI.

use super::*;
use crate::{
    Identity, Metadata,
    aliyun::switches::MetadataTokens,
    testing::{identity_call, move_clock_to},
};

const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
const KEY: &str = "/latest/meta-data/ram/security-credentials/web";
const URI: &str = "/aliyun/credentials-uri";

fn cloud_state() -> CloudState {
    let mut cloud = super::cloud_state();
    cloud.identity = Identity::new().metadata(Metadata::Role("web".into()));
    cloud
}

fn get(cloud: &mut CloudState, path: &str, token: Option<&str>) -> (u16, String) {
    let header = token.map(|token| ("x-aliyun-ecs-metadata-token", token));
    identity_call(cloud, "GET", path, header.as_slice())
}

fn put_token(cloud: &mut CloudState, seconds: &str) -> (u16, String) {
    let header = ("X-aliyun-ecs-metadata-token-ttl-seconds", seconds);
    identity_call(cloud, "PUT", "/latest/api/token", &[header])
}

#[test]
fn role_key_is_returned_with_a_metadata_token_and_without() {
    let mut cloud = cloud_state();
    let (status, token) = put_token(&mut cloud, "21600");
    assert_eq!(status, 200);
    for token in [Some(&*token), None] {
        let named = get(&mut cloud, ROLES, token);
        assert_eq!(named, (200, "web".to_owned()));
        let (status, text) = get(&mut cloud, KEY, token);
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &body["Code"]), (200, &"Success".into()));
        assert_eq!(body["Expiration"], "2026-01-01T06:00:00Z");
        let id = body["AccessKeyId"].as_str().unwrap();
        let key = cloud.account.key(id).unwrap();
        assert_eq!(Some(key.secret.as_str()), body["AccessKeySecret"].as_str());
        assert_eq!(key.session.as_deref(), body["SecurityToken"].as_str());
    }
    let uri = get(&mut cloud, URI, None);
    assert_eq!(uri, get(&mut cloud, KEY, None), "the same key");
    move_clock_to(&mut cloud, 4 * 3600 + 1800);
    assert_ne!(uri, get(&mut cloud, URI, None), "a new key");
}

#[test]
fn metadata_tokens_follow_the_switch() {
    let mut cloud = cloud_state();
    let (_, token) = put_token(&mut cloud, "60");
    let set = |cloud: &mut CloudState, tokens| cloud.switches.aliyun.metadata_tokens = tokens;
    for (tokens, success, with, without) in [
        (MetadataTokens::Optional, 200, 200, 200),
        (MetadataTokens::Required, 200, 200, 403),
        (MetadataTokens::IssuedButRefused, 200, 403, 200),
        (MetadataTokens::Absent404, 404, 200, 200),
        (MetadataTokens::Absent405, 405, 200, 200),
    ] {
        set(&mut cloud, tokens);
        assert_eq!(put_token(&mut cloud, "60").0, success, "{tokens:?}");
        for path in [ROLES, KEY] {
            assert_eq!(get(&mut cloud, path, Some(&token)).0, with, "{tokens:?}");
            assert_eq!(get(&mut cloud, path, None).0, without, "{tokens:?}");
        }
    }
    set(&mut cloud, MetadataTokens::Optional);
    move_clock_to(&mut cloud, 60);
    cloud.switches.aliyun.metadata_refusal_status = 401;
    assert_eq!(get(&mut cloud, KEY, Some(&token)).0, 401, "a stale token");
    assert_eq!(get(&mut cloud, KEY, Some("made up")).0, 401);
}

#[test]
fn metadata_token_is_refused_for_forwarded_requests_and_invalid_lifetimes() {
    let mut cloud = cloud_state();
    for seconds in ["0", "21601", "-1", "x", ""] {
        assert_eq!(put_token(&mut cloud, seconds).0, 400, "{seconds:?}");
    }
    assert_eq!(
        identity_call(&mut cloud, "PUT", "/latest/api/token", &[]).0,
        400
    );
    let forwarded = [
        ("x-aliyun-ecs-metadata-token-ttl-seconds", "60"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let refused = identity_call(&mut cloud, "PUT", "/latest/api/token", &forwarded);
    assert_eq!(refused.0, 403);
}

#[test]
fn unknown_metadata_path_or_missing_role_answers_404() {
    let mut cloud = cloud_state();
    for path in [
        "/latest/meta-data/",
        "/latest/meta-data/instance-id",
        "/latest/meta-data/ram/security-credentialsweb",
        "/latest/meta-data/ram/security-credentials/db",
        "/latest/meta-data/ram/security-credentials/web/x",
    ] {
        assert_eq!(get(&mut cloud, path, None).0, 404, "{path}");
    }
    assert_eq!(identity_call(&mut cloud, "POST", KEY, &[]).0, 405);
    assert_eq!(
        identity_call(&mut cloud, "GET", "/latest/api/token", &[]).0,
        405
    );
    for (metadata, success) in [(Metadata::NoRole, 200), (Metadata::Off, 404)] {
        cloud.identity = Identity::new().metadata(metadata);
        assert_eq!(put_token(&mut cloud, "60").0, success);
        for path in [ROLES, KEY, URI] {
            assert_eq!(get(&mut cloud, path, None).0, 404, "{path}");
        }
    }
}
