//! Keys from wherever the clouds' own tools have them, against the simulated identity services, over
//! real sockets: what a user's machine holds is all that is set up.
#![cfg(all(
    feature = "baidu",
    feature = "aliyun",
    feature = "zenlayer",
    feature = "huawei"
))]

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;

use lifecycle_facade::{
    Account, BareMachine, Credential, Endpoint, FaultKind, Fleet, FleetError, Keys, Patience,
    Place, Transport, TransportError,
    core::{
        Machine, Reply,
        origin::{Holds, Variables},
    },
};
use lifecycle_sim::{Cloud, Identity, Metadata, Operation, Role, Simulator};
use tokio::time::Instant;

const FLEET: &str = "baidu/bj=2,aliyun/cn-hangzhou=2,zenlayer/global=2,huawei/cn-north-4=2";

/// A key that every simulated cloud knows.
const ID: &str = "FAKEID";
const SECRET: &str = "fake-secret";
const TOKEN: &str = "fake.bearer.token";
const ARN: &str = "acs:ram::1001:role/night";
const FURTHER: &str = "acs:ram::1001:role/further";
const OIDC: &str = "acs:ram::1001:oidc-provider/ci";
const AGENCY: &str = "iam::1001:agency:night";
const ID_TOKEN: &str = "an.identity.token";

fn simulator() -> Simulator {
    let aliyun = Identity::new()
        .role(Role::new(ARN))
        .role(Role::new(FURTHER).external_id("patch"))
        .id_token(OIDC, ID_TOKEN)
        .metadata(Metadata::Role("web".into()));
    let baidu = Identity::new().role(Role::new("1001/night"));
    let huawei = Identity::new()
        .role(Role::new(AGENCY))
        .id_token("iam::1001:identityProvider:ci", ID_TOKEN)
        .id_token("ci", ID_TOKEN)
        .user("ops", "pass word", "company")
        .metadata(Metadata::Role("web".into()));
    let builder = Cloud::ALL
        .into_iter()
        .fold(Simulator::builder(), |builder, cloud| {
            builder.credential(cloud, &Credential::keys(ID, SECRET))
        });
    builder
        .credential(Cloud::Zenlayer, &Credential::token(TOKEN))
        .identity(Cloud::Aliyun, aliyun)
        .identity(Cloud::Baidu, baidu)
        .identity(Cloud::Huawei, huawei)
        .fleet(FLEET)
        .unwrap()
        .build()
}

/// What a user's machine holds.
#[derive(Debug)]
struct Toy {
    variables: HashMap<String, String>,
    files: HashMap<String, String>,
}

impl Toy {
    fn new(variables: &[(&str, &str)], files: &[(&str, String)]) -> Self {
        let owned = |text: &str| text.to_owned();
        Self {
            variables: variables
                .iter()
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
            files: files
                .iter()
                .map(|(path, text)| (owned(path), text.clone()))
                .collect(),
        }
    }
}

impl Machine for Toy {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn file(&self, path: &str, _: Holds) -> Result<Option<String>, String> {
        Ok(self.files.get(path).cloned())
    }
}

/// One way to set a cloud up.
struct Case<'c> {
    place: &'c str,
    variables: &'c [(&'c str, &'c str)],
    files: &'c [(&'c str, String)],
    /// What people are told of where the key was found.
    found: &'c str,
}

async fn check(case: Case<'_>) {
    let simulator = simulator();
    let server = simulator.serve("127.0.0.1:0").await.unwrap();
    let url = server.url();
    let files: Vec<(&str, String)> = case
        .files
        .iter()
        .map(|(path, text)| (*path, text.replace("URL", &url)))
        .collect();
    let variables: Vec<(&str, String)> = case
        .variables
        .iter()
        .map(|(name, value)| (*name, value.replace("URL", &url)))
        .collect();
    let borrowed: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let fleet = Fleet::builder()
        .endpoint(Endpoint::parse(&url).unwrap())
        .machine(Toy::new(&borrowed, &files))
        .build()
        .unwrap();
    let place: Place = case.place.parse().unwrap();
    let listed = fleet.list(&place).await;
    let listed = listed.unwrap_or_else(|error| panic!("{}: {error}", case.found));
    assert_eq!(listed.len(), 2, "{}", case.found);
    let standing = fleet.credentials(&place).unwrap().standing();
    assert_eq!(standing.found, case.found.replace("URL", &url));
    server.shutdown().await;
}

#[tokio::test]
async fn baidu() {
    const PATH: &str = "~/.bce/config.json";
    let profile = format!(
        r#"{{"current": "work", "profiles": [
            {{"name": "default", "mode": "AK", "access_key_id": "x", "secret_access_key": "y"}},
            {{"name": "work", "mode": "AK", "access_key_id": "{ID}", "secret_access_key": "{SECRET}", "region": "bj"}}]}}"#
    );
    check(Case {
        place: "baidu/bj",
        variables: &[],
        files: &[(PATH, profile)],
        found: "profile \"work\" in ~/.bce/config.json",
    })
    .await;
    check(Case {
        place: "baidu/bj",
        variables: &[("BCE_ACCESS_KEY_ID", ID), ("BCE_SECRET_ACCESS_KEY", SECRET)],
        files: &[],
        found: "variable BCE_ACCESS_KEY_ID",
    })
    .await;
}

/// A config.json of Alibaba's command line with one profile.
fn aliyun_config(fields: &str) -> (&'static str, String) {
    let text = format!(
        r#"{{"current": "prod", "profiles": [
            {{"name": "base", "mode": "AK", "access_key_id": "{ID}", "access_key_secret": "{SECRET}"}},
            {{"name": "prod", "region_id": "cn-hangzhou", {fields}}}], "meta_path": ""}}"#
    );
    ("~/.aliyun/config.json", text)
}

#[tokio::test]
async fn alibaba_s_config_file_in_all_its_modes() {
    let key = format!(r#""access_key_id": "{ID}", "access_key_secret": "{SECRET}""#);
    let oidc = format!(
        r#""mode": "OIDC", "ram_role_arn": "{ARN}", "oidc_provider_arn": "{OIDC}", "oidc_token_file": "/var/token""#
    );
    for fields in [
        format!(r#""mode": "AK", {key}"#),
        format!(r#""mode": "RamRoleArn", {key}, "ram_role_arn": "{ARN}", "expired_seconds": 900"#),
        format!(
            r#""mode": "ChainableRamRoleArn", "source_profile": "base", "ram_role_arn": "{FURTHER}", "external_id": "patch""#
        ),
        r#""mode": "EcsRamRole", "ram_role_name": "web""#.to_owned(),
        r#""mode": "EcsRamRole""#.to_owned(),
        oidc,
        r#""mode": "CredentialsURI", "credentials_uri": "URL/aliyun/credentials-uri""#.to_owned(),
        #[cfg(unix)]
        format!(
            r#""mode": "External", "process_command": "echo '{{\"mode\": \"AK\", \"access_key_id\": \"{ID}\", \"access_key_secret\": \"{SECRET}\"}}'""#
        ),
    ] {
        let (path, text) = aliyun_config(&fields);
        let simulator = simulator();
        let server = simulator.serve("127.0.0.1:0").await.unwrap();
        let text = text.replace("URL", &server.url());
        let files = [(path, text), ("/var/token", ID_TOKEN.to_owned())];
        let fleet = Fleet::builder()
            .endpoint(Endpoint::parse(&server.url()).unwrap())
            .machine(Toy::new(&[], &files))
            .build()
            .unwrap();
        let place: Place = "aliyun/cn-hangzhou".parse().unwrap();
        let listed = fleet.list(&place).await;
        assert_eq!(
            listed
                .unwrap_or_else(|error| panic!("{fields}: {error}"))
                .len(),
            2
        );
        let found = fleet.credentials(&place).unwrap().standing().found;
        assert!(
            found.contains("profile \"prod\" in ~/.aliyun/config.json"),
            "{fields}: {found}"
        );
        server.shutdown().await;
    }
}

#[tokio::test]
async fn alibaba_s_other_places() {
    let ini = format!(
        "[default]\ntype = ram_role_arn\naccess_key_id = {ID}\naccess_key_secret = {SECRET}\nrole_arn = {ARN}\nrole_session_name = nightly\n"
    );
    check(Case {
        place: "aliyun/cn-hangzhou",
        variables: &[("ALIBABA_CLOUD_CREDENTIALS_FILE", "/etc/keys.ini")],
        files: &[("/etc/keys.ini", ini)],
        found: "section [default] in /etc/keys.ini, role acs:ram::1001:role/night",
    })
    .await;
    check(Case {
        place: "aliyun/cn-hangzhou",
        variables: &[
            ("ALIBABA_CLOUD_ROLE_ARN", ARN),
            ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", OIDC),
            ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/token"),
        ],
        files: &[("/var/token", ID_TOKEN.to_owned())],
        found: "role acs:ram::1001:role/night (OIDC token /var/token)",
    })
    .await;
    check(Case {
        place: "aliyun/cn-hangzhou",
        variables: &[],
        files: &[],
        found: "role web (ECS metadata)",
    })
    .await;
    check(Case {
        place: "aliyun/cn-hangzhou",
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
async fn zenlayer() {
    let pair = format!(
        r#"{{"default": {{"token": "no"}}, "work": {{"access_key_id": "{ID}", "access_key_secret": "{SECRET}"}}}}"#
    );
    check(Case {
        place: "zenlayer/global",
        variables: &[("ZENLAYER_PROFILE", "work")],
        files: &[("~/.zenlayer/credentials.json", pair)],
        found: "profile \"work\" in ~/.zenlayer/credentials.json",
    })
    .await;
    let token = format!(r#"{{"default": {{"token": "{TOKEN}"}}}}"#);
    check(Case {
        place: "zenlayer/global",
        variables: &[],
        files: &[("~/.zenlayer/credentials.json", token)],
        found: "profile \"default\" in ~/.zenlayer/credentials.json",
    })
    .await;
}

#[tokio::test]
async fn huawei_and_the_project_that_nobody_named() {
    let ini = format!("[basic]\nak = {ID}\nsk = {SECRET}\n");
    check(Case {
        place: "huawei/cn-north-4",
        variables: &[],
        files: &[("~/.huaweicloud/credentials", ini)],
        found: "[basic] in ~/.huaweicloud/credentials",
    })
    .await;
    let json = format!(
        r#"{{"current": "p", "profiles": [{{"name": "p", "mode": "AKSK", "accessKeyId": "{ID}", "secretAccessKey": "{SECRET}"}}]}}"#
    );
    check(Case {
        place: "huawei/cn-north-4",
        variables: &[],
        files: &[("~/.hcloud/config.json", json)],
        found: "profile \"p\" in ~/.hcloud/config.json",
    })
    .await;
    check(Case {
        place: "huawei/cn-north-4",
        variables: &[],
        files: &[],
        found: "ECS agency (metadata)",
    })
    .await;
    check(Case {
        place: "huawei/cn-north-4",
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
        place: "huawei/cn-north-4",
        variables: &[
            (
                "HUAWEICLOUD_OIDC_PROVIDER_URN",
                "iam::1001:identityProvider:ci",
            ),
            ("HUAWEICLOUD_OIDC_AGENCY_URN", AGENCY),
            ("HUAWEICLOUD_OIDC_TOKEN_FILE", "/var/token"),
        ],
        files: &[("/var/token", ID_TOKEN.to_owned())],
        found: "agency iam::1001:agency:night (OIDC)",
    })
    .await;
    check(Case {
        place: "huawei/cn-north-4",
        variables: &[
            ("HUAWEICLOUD_SDK_IDP_ID", "ci"),
            ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "/var/token"),
        ],
        files: &[("/var/token", ID_TOKEN.to_owned())],
        found: "identity provider ci (IAM)",
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn keys_that_end_are_renewed_in_the_middle_of_a_wait() {
    let identity = Identity::new()
        .metadata(Metadata::Role("web".into()))
        .lifetime(Duration::from_secs(60));
    let simulator = Simulator::builder()
        .identity(Cloud::Aliyun, identity.clone())
        .identity(Cloud::Huawei, identity)
        .fleet("aliyun/cn-hangzhou=3,huawei/cn-north-4=3")
        .unwrap()
        .boot(Duration::from_secs(600))
        .build();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(BareMachine)
        .build()
        .unwrap();
    let report = fleet
        .start(simulator.instances())
        .wait(Patience::minutes(20))
        .await
        .unwrap();
    assert!(report.into_result().is_ok());
    let calls = simulator.ledger().calls();
    let keys: HashSet<&str> = calls.iter().map(|call| &*call.credential).collect();
    assert!(keys.len() > 10, "{} keys in ten minutes", keys.len());
    let refused: Vec<_> = calls
        .iter()
        .filter(|call| call.credential_refused)
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn regions_of_one_account_share_a_key() {
    let simulator = simulator();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(BareMachine)
        .build()
        .unwrap();
    let places: Vec<Place> = ["cn-hangzhou", "cn-beijing", "cn-shanghai"]
        .iter()
        .map(|region| format!("aliyun/{region}").parse().unwrap())
        .collect();
    join_all(places.iter().map(|place| fleet.list(place))).await;
    let calls = simulator.ledger().calls();
    let lists = calls
        .iter()
        .filter(|call| call.operation == Operation::List);
    assert_eq!(lists.count(), 3);
    let others = calls
        .iter()
        .filter(|call| call.operation == Operation::Identify);
    assert_eq!(others.count(), 3, "one token, one role, one key: {calls:?}");
}

#[tokio::test]
async fn accounts_have_keys_of_their_own() {
    let simulator = simulator();
    let server = simulator.serve("127.0.0.1:0").await.unwrap();
    let variables = [
        ("PROD_ID", ID),
        ("PROD_SECRET", SECRET),
        ("TEST_ID", ID),
        ("TEST_SECRET", "wrong"),
    ];
    let account = |prefix: &str| {
        let (id, secret) = (format!("{prefix}_ID"), format!("{prefix}_SECRET"));
        let mut account = Account::new(lifecycle_facade::Cloud::Baidu);
        account.region = Some("bj".into());
        account.keys =
            Keys::origins(move |_| vec![Box::new(Variables::keys(&*id, &*secret, None))]);
        account
    };
    let fleet = Fleet::builder()
        .endpoint(Endpoint::parse(&server.url()).unwrap())
        .machine(Toy::new(&variables, &[]))
        .account("prod", account("PROD"))
        .unwrap()
        .account("test", account("TEST"))
        .unwrap()
        .build()
        .unwrap();
    let instances = simulator.instances_at(Cloud::Baidu);
    let of = |name: &str| format!("{name}@{}", instances[0]);
    let statuses = fleet.observe([of("prod"), of("test")]).await.unwrap();
    assert_eq!(statuses[0].reference.to_string(), of("prod"));
    assert!(statuses[0].result.is_ok());
    assert_eq!(
        statuses[1].result.as_ref().unwrap_err().kind(),
        FaultKind::Credential
    );
    for (reference, expected) in [
        ("stage@baidu/bj/i-1", "there is prod, test"),
        ("prod@aliyun/cn-hangzhou/i-1", "is one of baidu"),
        ("a b@baidu/bj/i-1", "is no name of an account"),
        ("@baidu/bj/i-1", "is no name of an account"),
    ] {
        let error = fleet.start([reference]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{reference}: {error}");
    }
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_project_that_cannot_be_found_is_told_before_anything_is_sent() {
    for (projects, expected) in [(0, "project"), (2, "project")] {
        let simulator = Simulator::builder()
            .credential(Cloud::Huawei, &Credential::keys(ID, SECRET))
            .identity(Cloud::Huawei, Identity::new().projects(projects))
            .fleet("huawei/cn-north-4=1")
            .unwrap()
            .build();
        let fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .machine(Toy::new(
                &[("HW_ACCESS_KEY", ID), ("HW_SECRET_KEY", SECRET)],
                &[],
            ))
            .build()
            .unwrap();
        let error = fleet.start(simulator.instances()).await.unwrap_err();
        assert!(matches!(error, FleetError::Project { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(simulator.ledger().count(Cloud::Huawei, Operation::Start), 0);
    }
}

/// A machine whose vendor's tools are set up for somebody else.
fn somebody_s_machine() -> Toy {
    let bce = r#"{"current": "test", "profiles": [{"name": "test", "mode": "AK",
        "access_key_id": "x", "secret_access_key": "y", "endpoint": "http://127.0.0.1:1"}]}"#;
    Toy::new(
        &[
            ("PROD_ID", ID),
            ("PROD_SECRET", SECRET),
            ("ALIBABA_CLOUD_ENDPOINT_ECS", "http://127.0.0.1:1"),
            (
                "HUAWEICLOUD_SDK_PROJECT_ID",
                "0123456789abcdef0123456789abcdef",
            ),
        ],
        &[("~/.bce/config.json", bce.to_owned())],
    )
}

#[tokio::test(start_paused = true)]
async fn a_key_of_one_account_does_not_go_where_another_one_points() {
    let simulator = simulator();
    for (cloud, place) in [
        (lifecycle_facade::Cloud::Baidu, "prod@baidu/bj"),
        (lifecycle_facade::Cloud::Aliyun, "prod@aliyun/cn-hangzhou"),
        (lifecycle_facade::Cloud::Huawei, "prod@huawei/cn-north-4"),
    ] {
        let mut account = Account::new(cloud);
        account.keys =
            Keys::origins(|_| vec![Box::new(Variables::keys("PROD_ID", "PROD_SECRET", None))]);
        let fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .machine(somebody_s_machine())
            .account("prod", account)
            .unwrap()
            .build()
            .unwrap();
        let place: Place = place.parse().unwrap();
        let endpoint = fleet.endpoint(&place).unwrap();
        assert!(!endpoint.is_loopback(), "{place} goes to {endpoint}");
        assert_eq!(fleet.list(&place).await.unwrap().len(), 2, "{place}");
        let given = Fleet::builder()
            .machine(somebody_s_machine())
            .credential(Credential::keys(ID, SECRET))
            .build()
            .unwrap();
        let place = Place::new(cloud, &place.region);
        assert!(!given.endpoint(&place).unwrap().is_loopback(), "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_not_tried_in_region_after_region() {
    let simulator = simulator();
    let machine = Toy::new(&[("HW_ACCESS_KEY", ID), ("HW_SECRET_KEY", "wrong")], &[]);
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(machine)
        .build()
        .unwrap();
    let places: Vec<Place> = (1..=6)
        .map(|n| format!("huawei/cn-north-{n}").parse().unwrap())
        .collect();
    for _ in 0..3 {
        let lists = join_all(places.iter().map(|place| fleet.list(place))).await;
        assert!(lists.iter().all(Result::is_err));
    }
    assert_eq!(simulator.ledger().total(), 1);
}

/// Never answers.
#[derive(Debug)]
struct Silence;

#[async_trait]
impl Transport for Silence {
    async fn send(&self, _: http::Request<Bytes>) -> Result<Reply, TransportError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_has_an_end() {
    let fleet = Fleet::builder()
        .transport(Silence)
        .machine(Toy::new(
            &[("HW_ACCESS_KEY", ID), ("HW_SECRET_KEY", SECRET)],
            &[],
        ))
        .setup_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let began = Instant::now();
    let error = fleet.start(["huawei/cn-north-4/i-1"]).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert!(error.to_string().contains("within 5.0 s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn however_a_region_is_written_it_is_one_place() {
    let simulator = simulator();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(BareMachine)
        .credential(Credential::keys(ID, SECRET))
        .build()
        .unwrap();
    let instance = &simulator.instances_at(Cloud::Aliyun)[0];
    let shouted = instance.replace("cn-hangzhou", "CN-Hangzhou");
    let report = fleet.reboot([instance, &shouted]).await.unwrap();
    assert_eq!(report.rows().len(), 1);
}

/// Every source that a configuration file can name, against the services that it asks.
#[cfg(feature = "config")]
#[tokio::test(start_paused = true)]
async fn sources_of_the_configuration_file_lead_to_keys() {
    use lifecycle_facade::config::Config;

    let variables = [
        ("ANY_ID", ID),
        ("ANY_SECRET", SECRET),
        ("ANY_TOKEN", TOKEN),
        ("OPS_PASSWORD", "pass word"),
        ("BAIDUCLOUD_ACCESS_KEY", ID),
        ("BAIDUCLOUD_SECRET_KEY", SECRET),
        ("ALIBABA_CLOUD_ROLE_ARN", ARN),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", OIDC),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/token"),
        (
            "HUAWEICLOUD_OIDC_PROVIDER_URN",
            "iam::1001:identityProvider:ci",
        ),
        ("HUAWEICLOUD_OIDC_AGENCY_URN", AGENCY),
        ("HUAWEICLOUD_OIDC_TOKEN_FILE", "/var/token"),
    ];
    let (path, aliyun) = aliyun_config(&format!(
        r#""mode": "AK", "access_key_id": "{ID}", "access_key_secret": "{SECRET}""#
    ));
    let files = [(path, aliyun), ("/var/token", ID_TOKEN.to_owned())];
    const KEYS: &str = r#"{ source = "variables", id = "ANY_ID", secret = "ANY_SECRET" }"#;
    for (cloud, source, found) in [
        ("baidu", KEYS.to_owned(), "variable ANY_ID"),
        ("baidu", r#"{ source = "environment" }"#.to_owned(), "variable BAIDUCLOUD_ACCESS_KEY"),
        (
            "baidu",
            format!(r#"{{ source = "session-token", duration = "15m", from = {KEYS} }}"#),
            "variable ANY_ID, session token (STS)",
        ),
        (
            "baidu",
            format!(r#"{{ source = "assume-role", role = "night", account_id = "1001", from = {KEYS} }}"#),
            "variable ANY_ID, role night of account 1001 (STS)",
        ),
        (
            "aliyun",
            r#"{ source = "file", profile = "base" }"#.to_owned(),
            "profile \"base\" in ~/.aliyun/config.json",
        ),
        ("aliyun", r#"{ source = "metadata" }"#.to_owned(), "role web (ECS metadata)"),
        (
            "aliyun",
            r#"{ source = "oidc" }"#.to_owned(),
            "role acs:ram::1001:role/night (OIDC token /var/token)",
        ),
        (
            "aliyun",
            format!(r#"{{ source = "assume-role", role = "{FURTHER}", external_id = "patch", from = {KEYS} }}"#),
            "variable ANY_ID, role acs:ram::1001:role/further",
        ),
        (
            "zenlayer",
            r#"{ source = "variables", token = "ANY_TOKEN" }"#.to_owned(),
            "variable ANY_TOKEN",
        ),
        ("huawei", KEYS.to_owned(), "variable ANY_ID"),
        ("huawei", r#"{ source = "metadata" }"#.to_owned(), "ECS agency (metadata)"),
        (
            "huawei",
            r#"{ source = "oidc" }"#.to_owned(),
            "agency iam::1001:agency:night (OIDC)",
        ),
        (
            "huawei",
            r#"{ source = "password", user = "ops", domain = "company", password_variable = "OPS_PASSWORD" }"#.to_owned(),
            "password of ops in account company (IAM)",
        ),
    ] {
        let text = format!("[accounts.a]\ncloud = \"{cloud}\"\ncredentials = {source}\n");
        let config = Config::parse(&text).unwrap();
        let simulator = simulator();
        let fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .machine(Toy::new(&variables, &files))
            .configured(&config)
            .unwrap()
            .build()
            .unwrap();
        let region = match cloud {
            "baidu" => "bj",
            "aliyun" => "cn-hangzhou",
            "huawei" => "cn-north-4",
            _ => "global",
        };
        let place: Place = format!("a@{cloud}/{region}").parse().unwrap();
        let listed = fleet.list(&place).await;
        let listed = listed.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(listed.len(), 2, "{text}");
        let standing = fleet.credentials(&place).unwrap().standing();
        assert_eq!(standing.found, found, "{text}");
    }
}

/// What else an account of the file says reaches the fleet.
#[cfg(feature = "config")]
#[tokio::test(start_paused = true)]
async fn settings_of_the_configuration_file_reach_the_account() {
    use lifecycle_facade::{Network, config::Config};

    let config = Config::parse(
        r#"
        [accounts.a]
        cloud = "aliyun"
        region = "cn-beijing"
        network = "vpc"
        identity_endpoint = "https://sts.example"
        metadata_endpoint = "http://127.0.0.1:9"
        [accounts.h]
        cloud = "huawei"
        project = "p1"
        enterprise_project = "e1"
        endpoint = "https://ecs.example"
        [accounts.slow]
        cloud = "baidu"
        pace = { reads = 0.5 }
        credentials = { source = "variables", id = "ANY_ID", secret = "ANY_SECRET" }
        "#,
    )
    .unwrap();
    let simulator = simulator();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(Toy::new(&[("ANY_ID", ID), ("ANY_SECRET", SECRET)], &[]))
        .configured(&config)
        .unwrap()
        .build()
        .unwrap();
    let accounts: HashMap<&str, &Account> = fleet.accounts().collect();
    let (a, h) = (accounts["a"], accounts["h"]);
    assert_eq!(
        (a.region.as_deref(), a.network),
        (Some("cn-beijing"), Network::Vpc)
    );
    let text = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(ToString::to_string);
    assert_eq!(
        text(&a.identity_endpoint).as_deref(),
        Some("https://sts.example")
    );
    assert_eq!(
        text(&a.metadata_endpoint).as_deref(),
        Some("http://127.0.0.1:9")
    );
    assert_eq!(h.project.as_deref(), Some("p1"));
    assert_eq!(h.enterprise_project.as_deref(), Some("e1"));
    let vpc = fleet.endpoint(&"a@aliyun/cn-beijing".parse().unwrap());
    assert_eq!(
        vpc.unwrap().to_string(),
        "https://ecs-vpc.cn-beijing.aliyuncs.com"
    );
    let own = fleet.endpoint(&"h@huawei/cn-north-4".parse().unwrap());
    assert_eq!(own.unwrap().to_string(), "https://ecs.example");

    let slow: Place = "slow@baidu/bj".parse().unwrap();
    let burst = accounts["slow"].pace.unwrap().reads.burst;
    let began = Instant::now();
    for _ in 0..burst + 3 {
        fleet.list(&slow).await.unwrap();
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(5),
        "{took:?}: the pace is not kept"
    );
}

/// Nothing but variables: the instance's role is not taken in their place.
#[cfg(feature = "config")]
#[tokio::test(start_paused = true)]
async fn the_environment_as_a_source_is_nothing_else() {
    let simulator = simulator();
    for place in ["a@aliyun/cn-hangzhou", "a@huawei/cn-north-4"] {
        let place: Place = place.parse().unwrap();
        let text = format!(
            "[accounts.a]\ncloud = \"{}\"\ncredentials = {{ source = \"environment\" }}\n",
            place.cloud
        );
        let config = lifecycle_facade::config::Config::parse(&text).unwrap();
        let fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .machine(BareMachine)
            .configured(&config)
            .unwrap()
            .build()
            .unwrap();
        let error = fleet.list(&place).await.unwrap_err();
        assert!(matches!(error, FleetError::NoCredential(_)), "{error}");
    }
    assert_eq!(simulator.ledger().total(), 0);
}
