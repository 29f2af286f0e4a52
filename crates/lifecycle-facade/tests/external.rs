//! Tests of a cloud from outside: references, configuration file, accounts, selections and errors.
#![cfg(all(feature = "baidu", feature = "config"))]

use bytes::Bytes;
use lifecycle_facade::{
    BuiltProvider, Cloud, CloudEntry, CloudRegions, Credential, Fleet, FleetError, Location,
    Selector, WaitTimeout,
    baidu::{Baidu, Config as BaiduConfig, PROFILE as BAIDU},
    config::{Config, Group},
    lifecycle_core::{
        Action, ApiCall, BatchAck, EnvVarNames, Fault, HttpResponse, InstanceId, ListPage,
        ListQuery, Observation, PageToken, Profile, Provider, SigningContext, UnsignedRequest,
    },
};
use lifecycle_sim::Simulator;
use provider_testing::FakeHost;

/// The profile of a cloud that speaks the API of another cloud under a name of its own.
static PROFILE: Profile = {
    let mut profile = BAIDU;
    profile.cloud = "acme";
    profile.title = "Acme Cloud";
    profile.env_vars = &[EnvVarNames::Keys {
        id: "ACME_KEY_ID",
        secret: "ACME_KEY_SECRET",
        session: None,
    }];
    profile
};

static ACME: CloudEntry = CloudEntry::new(
    &PROFILE,
    CloudRegions::Many {
        variables: &["ACME_REGION"],
        default: "bj",
    },
    |location| {
        let mut config = BaiduConfig::new(location.region).map_err(|error| error.to_string())?;
        if let Some(endpoint) = &location.endpoint {
            config = config.with_endpoint(endpoint.clone());
        }
        let endpoint = config.endpoint().clone();
        Ok(BuiltProvider::new(Acme(Baidu::new(config)), endpoint))
    },
)
.with_aliases(&["acmecloud"])
.with_empty_list_note("check the permissions of the Acme key");

/// The provider of the cloud.
#[derive(Debug)]
struct Acme(Baidu);

impl Provider for Acme {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        self.0.act(action, ids)
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        self.0.observe(ids)
    }

    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        self.0.describe(ids)
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        self.0.list(query, page)
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        context: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        self.0.sign(request, key, context)
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        self.0.check(response)
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        self.0.request_id(response)
    }
}

/// Returns a simulator, and the references of its instances under the name of the external cloud.
fn simulator(spec: &str) -> (Simulator, Vec<String>) {
    let simulator = Simulator::builder().seed(1).fleet(spec).unwrap().build();
    let references = simulator.instances().into_iter();
    let references = references.map(|name| name.replace("baidu/", "acme/"));
    let references = references.collect();
    (simulator, references)
}

/// Returns a host with the key of the simulated cloud in these variables.
fn host(simulator: &Simulator, id: &'static str, secret: &'static str) -> FakeHost {
    let Credential::Keys {
        id: key,
        secret: word,
        ..
    } = simulator.credential(lifecycle_sim::Cloud::Baidu)
    else {
        panic!("the cloud has key pairs");
    };
    FakeHost::new(&[(id, &key), (secret, word.expose())])
}

#[tokio::test(start_paused = true)]
async fn references_to_an_external_cloud_work_with_the_key_of_the_cloud() {
    let (simulator, references) = simulator("baidu/bj=3");
    let fleet = Fleet::builder()
        .cloud(&ACME)
        .unwrap()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(host(&simulator, "ACME_KEY_ID", "ACME_KEY_SECRET"))
        .build()
        .unwrap();
    let report = fleet
        .start(&references)
        .wait(WaitTimeout::minutes(5))
        .await
        .unwrap();
    assert!(report.is_success(), "{report:?}");
    let named: Vec<String> = report
        .instances()
        .iter()
        .map(|row| row.instance.to_string())
        .collect();
    assert_eq!(named, references);
    assert_eq!(
        report.instances()[0]
            .instance
            .location
            .cloud
            .profile()
            .title,
        "Acme Cloud"
    );
    assert_eq!(fleet.list("acme/bj").await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn configuration_file_names_accounts_of_an_external_cloud() {
    let cloud = Cloud::register(&ACME).unwrap();
    assert_eq!(Cloud::register(&ACME).unwrap(), cloud);
    let (simulator, references) = simulator("baidu/bj=2;name=web-#;tag:env=dev");
    let id = references[0].rsplit('/').next().unwrap();
    let text = format!(
        r#"
        [accounts.prod]
        cloud = "acme"
        region = "bj"
        pace = {{ writes = 5.0 }}
        credentials = {{ source = "variables", id = "PROD_ID", secret = "PROD_SECRET" }}

        [groups]
        web = ["prod@acme/bj/{id}"]
        "#
    );
    let config = Config::parse(&text).unwrap();
    assert_eq!(config.accounts["prod"].cloud.as_str(), "acme");
    let fleet = Fleet::builder()
        .cloud(&ACME)
        .unwrap()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(host(&simulator, "PROD_ID", "PROD_SECRET"))
        .with_config(&config)
        .unwrap()
        .build()
        .unwrap();
    let Group::References(group) = &config.groups["web"] else {
        panic!("the group has references");
    };
    let group = group.iter().map(|entry| entry.text.as_str());
    let report = fleet
        .start(group)
        .wait(WaitTimeout::minutes(5))
        .await
        .unwrap();
    assert_eq!(
        report.instances()[0].instance.to_string(),
        format!("prod@acme/bj/{id}")
    );
    assert!(report.is_success(), "{report:?}");
    // A selection in the account sees both instances. The key of the cloud's own tools is not set.
    let all = Selector::new().location("prod@".parse().unwrap());
    assert_eq!(fleet.select(&all).await.unwrap().instances.len(), 2);
    let error = fleet.list("acme/bj").await.unwrap_err().to_string();
    assert!(error.contains("ACME_KEY_ID"), "{error}");
    // The settings of an external cloud are checked as well.
    let error = Config::parse("[accounts.a]\ncloud = \"acme\"\nproject = \"p\"").unwrap_err();
    assert!(
        error.to_string().contains("not supported on acme"),
        "{error}"
    );
}

#[test]
fn external_cloud_is_suggested_and_orders_after_the_clouds_of_the_build() {
    let cloud = Cloud::register(&ACME).unwrap();
    assert_eq!("acme".parse::<Cloud>().unwrap(), cloud);
    let error = "acmecloud".parse::<Cloud>().unwrap_err().to_string();
    assert_eq!(error, "unknown cloud \"acmecloud\": did you mean \"acme\"?");
    assert!(Cloud::known().ends_with(&[cloud]));
    assert!(Cloud::ALL.iter().all(|known| *known < cloud));
    assert_eq!(Location::new(cloud, "bj").to_string(), "acme/bj");
    assert_eq!(
        cloud.empty_list_note(),
        Some("check the permissions of the Acme key")
    );
}

#[test]
fn name_of_another_cloud_and_an_invalid_name_are_refused() {
    static SAME_NAME: CloudEntry = entry(&PROFILE);
    static BUILT_IN: CloudEntry = entry(&BAIDU);
    static INVALID: CloudEntry = {
        static PROFILE: Profile = {
            let mut profile = BAIDU;
            profile.cloud = "My Cloud";
            profile
        };
        entry(&PROFILE)
    };
    const fn entry(profile: &'static Profile) -> CloudEntry {
        CloudEntry::new(profile, CloudRegions::One("global"), |_| {
            Err("no region".to_owned())
        })
    }
    Cloud::register(&ACME).unwrap();
    for (entry, expected) in [
        (&SAME_NAME, "cloud \"acme\": another cloud has this name"),
        (&BUILT_IN, "cloud \"baidu\": another cloud has this name"),
        (&INVALID, "cloud \"My Cloud\": invalid name"),
    ] {
        let error = Fleet::builder().cloud(entry).unwrap_err();
        assert!(matches!(error, FleetError::Cloud { .. }));
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
