//! Tests of keys from the sources of the vendors' own tools, over real sockets.

use lifecycle_facade::{Endpoint, Fleet, Location};

use super::*;

/// A host that is set up for one cloud.
struct Case<'c> {
    location: &'c str,
    variables: &'c [(&'c str, &'c str)],
    files: &'c [(&'c str, String)],
    /// The description of the source of the key.
    found: &'c str,
}

async fn check(case: Case<'_>) {
    let (found, url) = list(&case).await;
    assert_eq!(found, case.found.replace("URL", &url));
}

/// Lists the instances of the location. Returns the source of the key and the URL of the services.
async fn list(case: &Case<'_>) -> (String, String) {
    let simulator = simulator();
    let server = simulator.serve("127.0.0.1:0").await.unwrap();
    let url = server.url();
    let fill = |text: &str| text.replace("URL", &url);
    let variables: Vec<(&str, String)> = case
        .variables
        .iter()
        .map(|(name, value)| (*name, fill(value)))
        .collect();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let files: Vec<(&str, String)> = case
        .files
        .iter()
        .map(|(path, text)| (*path, fill(text)))
        .collect();
    let fleet = Fleet::builder()
        .endpoint(Endpoint::parse(&url).unwrap())
        .machine(fake_host(&variables, &files))
        .build()
        .unwrap();
    let location: Location = case.location.parse().unwrap();
    let listed = fleet.list(&location).await;
    let listed = listed.unwrap_or_else(|error| panic!("{}: {error}", case.found));
    assert_eq!(listed.len(), 2, "{}", case.found);
    let found = fleet.credentials(&location).await.unwrap().info().source;
    server.shutdown().await;
    (found, url)
}

#[tokio::test]
async fn key_of_baidu_is_found_in_each_source() {
    const PATH: &str = "~/.bce/config.json";
    let profile = format!(
        r#"{{"current": "work", "profiles": [
            {{"name": "default", "mode": "AK", "access_key_id": "x", "secret_access_key": "y"}},
            {{"name": "work", "mode": "AK", "access_key_id": "{KEY_ID}", "secret_access_key": "{KEY_SECRET}", "region": "bj"}}]}}"#
    );
    check(Case {
        location: "baidu/bj",
        variables: &[],
        files: &[(PATH, profile)],
        found: "profile \"work\" in ~/.bce/config.json",
    })
    .await;
    check(Case {
        location: "baidu/bj",
        variables: &[
            ("BCE_ACCESS_KEY_ID", KEY_ID),
            ("BCE_SECRET_ACCESS_KEY", KEY_SECRET),
        ],
        files: &[],
        found: "variable BCE_ACCESS_KEY_ID",
    })
    .await;
}

#[tokio::test]
async fn key_of_alibaba_is_found_in_each_mode_of_the_config_file() {
    let key = format!(r#""access_key_id": "{KEY_ID}", "access_key_secret": "{KEY_SECRET}""#);
    let oidc = format!(
        r#""mode": "OIDC", "ram_role_arn": "{ROLE_ARN}", "oidc_provider_arn": "{OIDC_PROVIDER_ARN}", "oidc_token_file": "/var/token""#
    );
    for fields in [
        format!(r#""mode": "AK", {key}"#),
        format!(
            r#""mode": "RamRoleArn", {key}, "ram_role_arn": "{ROLE_ARN}", "expired_seconds": 900"#
        ),
        format!(
            r#""mode": "ChainableRamRoleArn", "source_profile": "base", "ram_role_arn": "{CHAINED_ROLE_ARN}", "external_id": "patch""#
        ),
        r#""mode": "EcsRamRole", "ram_role_name": "web""#.to_owned(),
        r#""mode": "EcsRamRole""#.to_owned(),
        oidc,
        r#""mode": "CredentialsURI", "credentials_uri": "URL/aliyun/credentials-uri""#.to_owned(),
        #[cfg(unix)]
        format!(
            r#""mode": "External", "process_command": "echo '{{\"mode\": \"AK\", \"access_key_id\": \"{KEY_ID}\", \"access_key_secret\": \"{KEY_SECRET}\"}}'""#
        ),
    ] {
        let files = [
            aliyun_config(&fields),
            ("/var/token", OIDC_ID_TOKEN.to_owned()),
        ];
        let (found, _) = list(&Case {
            location: "aliyun/cn-hangzhou",
            variables: &[],
            files: &files,
            found: &fields,
        })
        .await;
        assert!(
            found.contains("profile \"prod\" in ~/.aliyun/config.json"),
            "{fields}: {found}"
        );
    }
}

#[tokio::test]
async fn key_of_alibaba_is_found_in_each_other_source() {
    let ini = format!(
        "[default]\ntype = ram_role_arn\naccess_key_id = {KEY_ID}\naccess_key_secret = {KEY_SECRET}\nrole_arn = {ROLE_ARN}\nrole_session_name = nightly\n"
    );
    check(Case {
        location: "aliyun/cn-hangzhou",
        variables: &[("ALIBABA_CLOUD_CREDENTIALS_FILE", "/etc/keys.ini")],
        files: &[("/etc/keys.ini", ini)],
        found: "section [default] in /etc/keys.ini, role acs:ram::1001:role/night",
    })
    .await;
    check(Case {
        location: "aliyun/cn-hangzhou",
        variables: &[
            ("ALIBABA_CLOUD_ROLE_ARN", ROLE_ARN),
            ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", OIDC_PROVIDER_ARN),
            ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/token"),
        ],
        files: &[("/var/token", OIDC_ID_TOKEN.to_owned())],
        found: "role acs:ram::1001:role/night (OIDC token /var/token)",
    })
    .await;
    check(Case {
        location: "aliyun/cn-hangzhou",
        variables: &[],
        files: &[],
        found: "role web (ECS metadata)",
    })
    .await;
    check(Case {
        location: "aliyun/cn-hangzhou",
        variables: &[
            ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
            (
                "ALIBABA_CLOUD_CREDENTIALS_URI",
                "URL/aliyun/credentials-uri",
            ),
        ],
        files: &[],
        found: "credentials URI at URL",
    })
    .await;
}

#[tokio::test]
async fn key_of_zenlayer_is_found_in_each_source() {
    let pair = format!(
        r#"{{"default": {{"token": "no"}}, "work": {{"access_key_id": "{KEY_ID}", "access_key_secret": "{KEY_SECRET}"}}}}"#
    );
    check(Case {
        location: "zenlayer/global",
        variables: &[("ZENLAYER_PROFILE", "work")],
        files: &[("~/.zenlayer/credentials.json", pair)],
        found: "profile \"work\" in ~/.zenlayer/credentials.json",
    })
    .await;
    let token = format!(r#"{{"default": {{"token": "{BEARER_TOKEN}"}}}}"#);
    check(Case {
        location: "zenlayer/global",
        variables: &[],
        files: &[("~/.zenlayer/credentials.json", token)],
        found: "profile \"default\" in ~/.zenlayer/credentials.json",
    })
    .await;
}

#[tokio::test]
async fn key_and_project_of_huawei_are_found_in_each_source() {
    let ini = format!("[basic]\nak = {KEY_ID}\nsk = {KEY_SECRET}\n");
    check(Case {
        location: "huawei/cn-north-4",
        variables: &[],
        files: &[("~/.huaweicloud/credentials", ini)],
        found: "[basic] in ~/.huaweicloud/credentials",
    })
    .await;
    let json = format!(
        r#"{{"current": "p", "profiles": [{{"name": "p", "mode": "AKSK", "accessKeyId": "{KEY_ID}", "secretAccessKey": "{KEY_SECRET}"}}]}}"#
    );
    check(Case {
        location: "huawei/cn-north-4",
        variables: &[],
        files: &[("~/.hcloud/config.json", json)],
        found: "profile \"p\" in ~/.hcloud/config.json",
    })
    .await;
    check(Case {
        location: "huawei/cn-north-4",
        variables: &[],
        files: &[],
        found: "ECS agency (metadata)",
    })
    .await;
    check(Case {
        location: "huawei/cn-north-4",
        variables: &[
            ("HW_USER_NAME", "ops"),
            ("HW_USER_PASSWORD", "pass word"),
            ("HW_DOMAIN_NAME", "company"),
        ],
        files: &[],
        found: "password of ops in account company (IAM)",
    })
    .await;
    check(Case {
        location: "huawei/cn-north-4",
        variables: &[
            (
                "HUAWEICLOUD_OIDC_PROVIDER_URN",
                "iam::1001:identityProvider:ci",
            ),
            ("HUAWEICLOUD_OIDC_AGENCY_URN", HUAWEI_AGENCY),
            ("HUAWEICLOUD_OIDC_TOKEN_FILE", "/var/token"),
        ],
        files: &[("/var/token", OIDC_ID_TOKEN.to_owned())],
        found: "agency iam::1001:agency:night (OIDC)",
    })
    .await;
    check(Case {
        location: "huawei/cn-north-4",
        variables: &[
            ("HUAWEICLOUD_SDK_IDP_ID", "ci"),
            ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "/var/token"),
        ],
        files: &[("/var/token", OIDC_ID_TOKEN.to_owned())],
        found: "identity provider ci (IAM)",
    })
    .await;
}
