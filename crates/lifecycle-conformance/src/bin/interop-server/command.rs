//! The commands of the interop server, and their execution.

use std::time::Duration;

use lifecycle_facade::Credential;
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, Identity, InjectedFault, KeyKind, Metadata, Role,
    Server, Simulator, Throttle,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::switch;

/// A command from standard input.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Command {
    /// Replaces the clouds by new clouds on a new port.
    Serve(ServeSettings),
    /// Issues a further key: `permanent`, `temporary` or `token`.
    Issue { cloud: String, kind: String },
    /// Revokes all keys of a cloud.
    Revoke { cloud: String },
    /// Configures the identity services of a cloud.
    Identity(IdentitySettings),
    /// Sets the cloud's clock ahead by a number of seconds.
    Skew { cloud: String, seconds: i64 },
    /// Limits the calls per minute.
    Throttle { cloud: String, calls: u32 },
    /// Injects a fault into the next calls of a cloud.
    #[serde(rename = "spoil")]
    Inject(FaultSettings),
    /// Sets a switch, such as `baidu.batch-failure`.
    Switch { name: String, value: String },
    /// Deletes an instance.
    Delete { instance: String },
    /// Returns the number of executions of each action on an instance.
    Executed { instance: String },
    /// Returns the name and the status of every call to a cloud.
    Calls { cloud: String },
}

/// The settings of new clouds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServeSettings {
    fleet: String,
    speed: f64,
}

/// The settings of identity services.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentitySettings {
    cloud: String,
    /// Full names of roles, each with the required external id.
    #[serde(default)]
    roles: Vec<(String, Option<String>)>,
    /// Pairs of an identity provider and a token.
    #[serde(default)]
    id_tokens: Vec<(String, String)>,
    /// The role of the client's instance; empty without a role.
    metadata: Option<String>,
    /// The lifetime of keys, in seconds.
    lifetime: Option<u64>,
    /// The number of projects in each region.
    projects: Option<usize>,
}

/// A fault and the affected calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultSettings {
    cloud: String,
    /// The cloud's name of the call; absent for any call.
    call: Option<String>,
    /// The number of affected calls.
    times: u64,
    #[serde(rename = "how")]
    fault: InteropFault,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum InteropFault {
    /// Throttled, with a hint in milliseconds or without one.
    Throttled(Option<u64>),
    /// A status with the cloud's own error in the body.
    Error(u16),
    /// A status with an HTML page, like an error of a proxy.
    Page(u16),
    /// A status without a body.
    Bare(u16),
    /// A connection that breaks after the cloud executed the call.
    Lost(Empty),
    /// A connection that breaks before the cloud executed the call.
    Cut(Empty),
    /// Half a body after the cloud executed the call.
    HalfBody(Empty),
    /// A browser check of a web application firewall.
    Challenged(Empty),
    /// A refusal by a web application firewall.
    Blocked(Empty),
}

/// An empty object, `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// The served clouds.
#[derive(Debug)]
pub(crate) struct Clouds {
    simulator: Simulator,
    server: Server,
}

impl Clouds {
    pub(crate) async fn serve(settings: &ServeSettings) -> Result<Self, String> {
        let simulator = Simulator::builder()
            .fleet(&settings.fleet)
            .map_err(|error| error.to_string())?
            .speed(settings.speed)
            .build();
        let server = simulator
            .serve("127.0.0.1:0")
            .await
            .map_err(|error| format!("no free port: {error}"))?;
        Ok(Self { simulator, server })
    }

    /// Returns the URL, the keys, the project and the instances for clients.
    pub(crate) fn describe(&self) -> Value {
        let keys: Map<String, Value> = Cloud::ALL
            .into_iter()
            .map(|cloud| (cloud.to_string(), key(&self.simulator.credential(cloud))))
            .collect();
        json!({
            "url": self.server.url(),
            "keys": keys,
            "project_id": self.simulator.project_id(),
            "instances": self.simulator.instances(),
        })
    }

    pub(crate) fn execute(&self, command: &Command) -> Result<Value, String> {
        let simulator = &self.simulator;
        match command {
            Command::Serve(_) => return Err("existing clouds cannot execute serve".to_owned()),
            Command::Issue { cloud, kind } => {
                let issued = simulator.issue(named(cloud)?, key_kind(kind)?);
                return Ok(key(&issued));
            }
            Command::Revoke { cloud } => simulator.revoke(named(cloud)?),
            Command::Identity(settings) => {
                simulator.identity(named(&settings.cloud)?, settings.identity());
            }
            Command::Skew { cloud, seconds } => simulator.skew(named(cloud)?, *seconds),
            Command::Throttle { cloud, calls } => {
                let throttle = Throttle::PerMinute { calls: *calls };
                simulator.throttle(named(cloud)?, Some(throttle));
            }
            Command::Inject(settings) => simulator.inject(settings.rule()?),
            Command::Switch { name, value } => {
                let change = switch::change(name, value)?;
                simulator.switches(change);
            }
            Command::Delete { instance } => simulator
                .delete(instance)
                .map_err(|unknown| unknown.to_string())?,
            Command::Executed { instance } => return self.executed(instance),
            Command::Calls { cloud } => return Ok(self.calls(named(cloud)?)),
        }
        Ok(json!({}))
    }

    fn executed(&self, instance: &str) -> Result<Value, String> {
        let counts = self
            .simulator
            .ledger()
            .executed(instance)
            .ok_or_else(|| format!("unknown instance {instance:?}"))?;
        Ok(json!({
            "starts": counts.starts,
            "stops": counts.stops,
            "forced_stops": counts.forced_stops,
            "reboots": counts.reboots,
            "forced_reboots": counts.forced_reboots,
        }))
    }

    fn calls(&self, cloud: Cloud) -> Value {
        let calls = self.simulator.ledger().calls();
        let of_cloud = calls.iter().filter(|call| call.cloud == cloud);
        let pairs: Vec<Value> = of_cloud
            .map(|call| json!([call.name, call.status]))
            .collect();
        json!({ "calls": pairs })
    }
}

impl IdentitySettings {
    fn identity(&self) -> Identity {
        let mut identity = Identity::new();
        for (name, external_id) in &self.roles {
            let role = Role::new(name);
            identity = identity.role(match external_id {
                Some(id) => role.external_id(id),
                None => role,
            });
        }
        for (provider, token) in &self.id_tokens {
            identity = identity.id_token(provider, token);
        }
        match self.metadata.as_deref() {
            Some("") => identity = identity.metadata(Metadata::NoRole),
            Some(role) => identity = identity.metadata(Metadata::Role(role.to_owned())),
            None => {}
        }
        if let Some(seconds) = self.lifetime {
            identity = identity.lifetime(Duration::from_secs(seconds));
        }
        identity.projects(self.projects.unwrap_or(1))
    }
}

impl FaultSettings {
    fn rule(&self) -> Result<FaultRule, String> {
        let rule = FaultRule::new(self.fault.injected())
            .at(named(&self.cloud)?)
            .times(self.times);
        Ok(match &self.call {
            Some(name) => rule.on_named(name),
            None => rule,
        })
    }
}

impl InteropFault {
    fn injected(&self) -> InjectedFault {
        let server_error = |status: u16, body| InjectedFault::ServerError {
            status,
            body,
            when: FaultTiming::Before,
        };
        match self {
            Self::Throttled(hint) => InjectedFault::Throttled {
                hint: hint.map(Duration::from_millis),
            },
            Self::Error(status) => server_error(*status, ErrorBody::Json),
            Self::Page(status) => server_error(*status, ErrorBody::Html),
            Self::Bare(status) => server_error(*status, ErrorBody::Empty),
            Self::Lost(Empty {}) => InjectedFault::Reset(FaultTiming::After),
            Self::Cut(Empty {}) => InjectedFault::Reset(FaultTiming::Before),
            Self::HalfBody(Empty {}) => InjectedFault::HalfBody,
            Self::Challenged(Empty {}) => InjectedFault::Challenged,
            Self::Blocked(Empty {}) => InjectedFault::Blocked,
        }
    }
}

fn named(cloud: &str) -> Result<Cloud, String> {
    cloud
        .parse()
        .map_err(|unknown: lifecycle_sim::UnknownCloud| unknown.to_string())
}

fn key_kind(word: &str) -> Result<KeyKind, String> {
    match word {
        "permanent" => Ok(KeyKind::Permanent),
        "temporary" => Ok(KeyKind::Temporary),
        "token" => Ok(KeyKind::Token),
        _ => Err(format!("unknown kind of key: {word:?}")),
    }
}

/// Returns a key with its secret in plain text. The key is valid for this simulator only.
fn key(credential: &Credential) -> Value {
    match credential {
        Credential::Keys {
            id,
            secret,
            session,
        } => json!({
            "id": id,
            "secret": secret.expose(),
            "session": session.as_ref().map_or(Value::Null, |session| session.expose().into()),
        }),
        Credential::Token(token) => json!({ "token": token.expose() }),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, serde_json::Error> {
        serde_json::from_str(line)
    }

    #[tokio::test]
    async fn valid_commands_are_executed() {
        let settings = ServeSettings {
            fleet: "baidu/bj=2".to_owned(),
            speed: 1.0,
        };
        let clouds = Clouds::serve(&settings).await.unwrap();
        let description = clouds.describe();
        let first = description["instances"][0].as_str().unwrap().to_owned();
        assert!(description["keys"]["huawei"]["secret"].is_string());

        let execute = |line: &str| clouds.execute(&parsed(line).unwrap());
        let issued = execute(r#"{"do":"issue","cloud":"huawei","kind":"temporary"}"#).unwrap();
        assert!(issued["session"].is_string());
        assert_eq!(
            clouds.describe()["keys"]["huawei"],
            issued,
            "the description has the latest key"
        );
        let delete = format!(r#"{{"do":"delete","instance":"{first}"}}"#);
        execute(&delete).unwrap();
        assert_eq!(clouds.describe()["instances"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn invalid_commands_return_errors() {
        for line in [
            r#"{"do":"dance"}"#,
            r#"{"do":"skew","cloud":"baidu"}"#,
            r#"{"do":"skew","cloud":"baidu","seconds":1,"minutes":2}"#,
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        let settings = |fleet: &str| ServeSettings {
            fleet: fleet.to_owned(),
            speed: 1.0,
        };
        assert!(Clouds::serve(&settings("nowhere")).await.is_err());
        let clouds = Clouds::serve(&settings("")).await.unwrap();
        for line in [
            r#"{"do":"skew","cloud":"aws","seconds":1}"#,
            r#"{"do":"issue","cloud":"baidu","kind":"golden"}"#,
            r#"{"do":"delete","instance":"baidu/bj/i-unknown"}"#,
            r#"{"do":"executed","instance":"baidu/bj/i-unknown"}"#,
            r#"{"do":"identity","cloud":"aws"}"#,
            r#"{"do":"switch","name":"baidu.mood","value":"good"}"#,
            r#"{"do":"switch","name":"baidu.no-stock","value":"good"}"#,
        ] {
            let command = parsed(line).unwrap();
            assert!(clouds.execute(&command).is_err(), "{line}");
        }
    }
}
