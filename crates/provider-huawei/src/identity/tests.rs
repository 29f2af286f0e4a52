//! Tests of the endpoints of IAM and STS (Huawei).

use lifecycle_core::Endpoint;
use provider_testing::FakeHost;

use super::*;
use crate::credentials::tests::ctx;

fn iam_and_sts(config: &CredentialSourceConfig, texts: &[(&str, &str)]) -> (String, String) {
    let host = FakeHost::new(texts);
    let ctx = ctx(&host);
    (
        iam_endpoint(config, None, &ctx).unwrap().to_string(),
        sts_endpoint(config, &ctx).unwrap().to_string(),
    )
}

#[test]
fn region_in_the_table_has_its_own_hosts() {
    let central = "https://iam.myhuaweicloud.com";
    for (region, iam, sts) in [
        (
            Some("cn-north-4"),
            "https://iam.cn-north-4.myhuaweicloud.com",
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (
            Some("AP-Southeast-1"),
            "https://iam.ap-southeast-1.myhuaweicloud.com",
            "https://sts.ap-southeast-1.myhuaweicloud.com",
        ),
        (
            Some("eu-west-0"),
            "https://iam.eu-west-0.myhuaweicloud.com",
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        // Six regions of ECS that are missing in the table of IAM, and an unknown region.
        (
            Some("af-north-1"),
            central,
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (
            Some("ap-southeast-5"),
            central,
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (
            Some("cn-north-11"),
            central,
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (
            Some("cn-south-4"),
            central,
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (
            Some("cn-southwest-3"),
            central,
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (
            Some("eu-west-101"),
            central,
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (
            Some("new-1"),
            central,
            "https://sts.cn-north-4.myhuaweicloud.com",
        ),
        (None, central, "https://sts.cn-north-4.myhuaweicloud.com"),
    ] {
        let config = match region {
            Some(region) => CredentialSourceConfig::in_region(region),
            None => CredentialSourceConfig::default(),
        };
        assert_eq!(
            iam_and_sts(&config, &[]),
            (iam.to_owned(), sts.to_owned()),
            "{region:?}"
        );
    }
}

#[test]
fn endpoints_come_from_settings_in_order() {
    let config = CredentialSourceConfig::in_region("eu-west-101");
    let cloud = ("HW_CLOUD", "myhuaweicloud.eu");
    let url = ("HW_AUTH_URL", "https://iam.example.com:443/v3/");
    let variables = [
        (IAM_ENDPOINT, "iam.example"),
        (STS_ENDPOINT, "http://sts.example"),
    ];
    let pair = |iam: &str, sts: &str| (iam.to_owned(), sts.to_owned());
    assert_eq!(
        iam_and_sts(&config, &[cloud]),
        pair(
            "https://iam.eu-west-101.myhuaweicloud.eu",
            "https://sts.eu-west-101.myhuaweicloud.eu"
        )
    );
    assert_eq!(
        iam_and_sts(&config, &[cloud, url]).0,
        "https://iam.example.com"
    );
    assert_eq!(
        iam_and_sts(&config, &[cloud, url, variables[0], variables[1]]),
        pair("https://iam.example", "http://sts.example")
    );
    let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
    assert_eq!(
        iam_and_sts(&config.with_identity(local), &variables),
        pair("http://127.0.0.1:7070", "http://127.0.0.1:7070")
    );
    let variables = [("HW_REGION_NAME", "cn-east-3"), ("HW_CLOUD", DOMAIN)];
    assert_eq!(
        iam_and_sts(&CredentialSourceConfig::default(), &variables).0,
        "https://iam.cn-east-3.myhuaweicloud.com"
    );
}

#[test]
fn invalid_endpoint_is_a_fault_with_the_name_of_the_setting() {
    let config = CredentialSourceConfig::in_region("a b");
    for (texts, expected) in [
        (
            &[(IAM_ENDPOINT, "ftp://a")][..],
            "HUAWEICLOUD_SDK_IAM_ENDPOINT: ",
        ),
        (&[(AUTH_URL, "https://a/v2")], "HW_AUTH_URL: "),
        (
            &[("HW_CLOUD", "a.example")],
            "\"a b\" is not a valid region",
        ),
    ] {
        let fault = iam_endpoint(&config, None, &ctx(&FakeHost::new(texts))).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Invalid);
        assert!(fault.message().starts_with(expected), "{fault}");
    }
}
