//! A cloud from outside: a small provider gets references, accounts and settings of the configuration file.
//!
//! The provider and the cloud are invented. `cargo xtask new-provider` creates a whole provider, and
//! docs/adding-a-provider.md has the rules.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use lifecycle_facade::{
    BuiltProvider, Cloud, CloudEntry, CloudRegions, Credential, Endpoint, Fault, FaultKind, Fleet,
    InstanceId, Observation, PowerState, Profile, Provider, Transport, TransportError, WaitTimeout,
    config::Config,
    lifecycle_core::{
        Action, ApiCall, BatchAck, BatchLimits, EnvVarNames, HttpResponse, ListPage, ListQuery,
        PageToken, ResponseExt, SigningContext, UnsignedRequest,
        encode::{hmac_sha256, hmac_sha256_hex},
        sensitive_header,
    },
};
use provider_testing::FakeHost;
use serde_json::{Value, json};
use tokio::time::Instant;

static PROFILE: Profile =
    Profile::new("acme", "Acme Cloud", BatchLimits::all(50)).with_env_vars(&[EnvVarNames::Keys {
        id: "ACME_KEY_ID",
        secret: "ACME_KEY_SECRET",
        session: None,
    }]);

/// The one value by which a fleet knows the cloud.
static ACME: CloudEntry = CloudEntry::new(
    &PROFILE,
    CloudRegions::Many {
        variables: &["ACME_REGION"],
        default: "r1",
    },
    |location| {
        let endpoint = match &location.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::of_region(location.region, |region| format!("{region}.acme.example"))
                .map_err(|error| error.to_string())?,
        };
        let provider = Acme {
            endpoint: endpoint.clone(),
        };
        Ok(BuiltProvider::new(provider, endpoint))
    },
);

/// The provider: pure functions without I/O.
#[derive(Debug)]
struct Acme {
    endpoint: Endpoint,
}

fn call<T: 'static>(
    operation: &'static str,
    body: &Value,
    read: fn(&Value, &HttpResponse) -> Result<T, Fault>,
) -> ApiCall<T> {
    let version = HeaderName::from_static("x-acme-version");
    let request = UnsignedRequest::new(operation, Method::POST, format!("/v1/{operation}"))
        .with_header(version, HeaderValue::from_static("2026-01-01"))
        .with_body(body.to_string());
    ApiCall::new(request, move |response| read(&response.json()?, response))
}

fn machines(body: &Value, response: &HttpResponse) -> Result<Vec<Observation>, Fault> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let unreadable = || response.unreadable("a machine without id or state");
    let rows = body["machines"].as_array().ok_or_else(unreadable)?;
    rows.iter()
        .map(|row| {
            let (id, state) = text(&row["id"])
                .zip(text(&row["state"]))
                .ok_or_else(unreadable)?;
            let id =
                InstanceId::new(&id).map_err(|error| response.unreadable(&error.to_string()))?;
            let power_state = match state.as_str() {
                "on" => PowerState::Running,
                "off" => PowerState::Stopped,
                "booting" => PowerState::Starting,
                "stopping" => PowerState::Stopping,
                _ => PowerState::Unknown,
            };
            Ok(Observation::new(id, power_state, state))
        })
        .collect()
}

impl Provider for Acme {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        PROFILE.check_batch(action, ids.len())?;
        let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
        let body = json!({ "ids": ids });
        Ok(call(action.kind().as_str(), &body, |_, _| {
            Ok(BatchAck::All)
        }))
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
        Ok(call("observe", &json!({ "ids": ids }), machines))
    }

    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        self.observe(ids)
    }

    fn list(&self, _: &ListQuery, _: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault> {
        Ok(call("list", &json!({}), |body, response| {
            Ok(ListPage::new(machines(body, response)?))
        }))
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        context: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        let Credential::Keys { id, secret, .. } = key else {
            return Err(Fault::new(FaultKind::Credential, "Acme has key pairs only"));
        };
        let invalid = |error: String| Fault::new(FaultKind::Invalid, error);
        let date = context.extended();
        // A key for one date, as the clouds derive keys.
        let key_of_date = hmac_sha256(secret.expose().as_bytes(), date.as_bytes());
        let signature = hmac_sha256_hex(&key_of_date, &request.body);
        let uri = self
            .endpoint
            .uri(request.target())
            .map_err(|error| invalid(error.to_string()))?;
        http::Request::builder()
            .method(request.method.clone())
            .uri(uri)
            .header("date", date.as_str())
            .header(
                "authorization",
                sensitive_header(format!("{id}:{signature}"))?,
            )
            .body(request.body.clone())
            .map_err(|error| invalid(error.to_string()))
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        match response.status() {
            StatusCode::OK => Ok(()),
            _ => Err(response.fault_from_status()),
        }
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        response.header("x-request-id").map(str::to_owned)
    }
}

/// The imaginary cloud: machines by id, each with the target state and the end of the transition.
#[derive(Clone, Debug, Default)]
struct AcmeCloud(Arc<Mutex<BTreeMap<String, Machine>>>);

/// True for a machine that runs or boots, and the end of the transition.
type Machine = (bool, Option<Instant>);

#[async_trait::async_trait]
impl Transport for AcmeCloud {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let is_known = request.headers()["authorization"]
            .to_str()
            .is_ok_and(|text| text.starts_with("prod:"));
        let mut machines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = request.uri().path().rsplit('/').next().unwrap_or_default();
        let ids = body["ids"].as_array();
        let named = |id: &str| ids.is_none_or(|ids| ids.iter().any(|named| named == id));
        let mut rows = Vec::new();
        for (id, machine) in machines.iter_mut().filter(|(id, _)| named(id)) {
            if let "start" | "stop" = operation {
                *machine = (
                    operation == "start",
                    Some(Instant::now() + Duration::from_secs(20)),
                );
            }
            let is_moving = machine.1.is_some_and(|end| Instant::now() < end);
            let state = match (machine.0, is_moving) {
                (true, true) => "booting",
                (true, false) => "on",
                (false, true) => "stopping",
                (false, false) => "off",
            };
            rows.push(json!({ "id": id, "state": state }));
        }
        let mut response = http::Response::new(json!({ "machines": rows }).to_string().into());
        // The header of the operation arrives, although `sign` does not copy headers.
        if !is_known || request.headers()["x-acme-version"] != "2026-01-01" {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        Ok(response)
    }
}

const CONFIG: &str = r#"
[accounts.prod]
cloud = "acme"
region = "r1"
credentials = { source = "variables", id = "PROD_ID", secret = "PROD_SECRET" }
"#;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    // Before the file is read: the file names the cloud.
    Cloud::register(&ACME)?;
    let config = Config::parse(CONFIG)?;
    let cloud = AcmeCloud::default();
    for id in ["vm-1", "vm-2"] {
        let mut machines = cloud.0.lock().unwrap_or_else(PoisonError::into_inner);
        machines.insert(id.to_owned(), (false, None));
    }
    let fleet = Fleet::builder()
        .cloud(&ACME)?
        .with_config(&config)?
        .transport(cloud)
        .machine(FakeHost::new(&[
            ("PROD_ID", "prod"),
            ("PROD_SECRET", "secret"),
        ]))
        .build()?;
    let machines = fleet.list("prod@acme/r1").await?;
    assert_eq!(machines.len(), 2);
    let references = ["prod@acme/r1/vm-1", "prod@acme/r1/vm-2"];
    let report = fleet
        .start(references)
        .wait(WaitTimeout::minutes(5))
        .await?;
    for row in &report {
        println!("{row}");
    }
    assert!(report.is_success());
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
