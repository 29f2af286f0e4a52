//! The commands, and carrying them out.

use std::time::Duration;

use lifecycle_facade::Credential;
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, Identity, InjectedFault, KeyKind, Metadata, Role,
    Server, Simulator, Throttle,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::switch;

/// What can be asked for.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Command {
    /// New clouds on a new port; those before are gone.
    Serve(Order),
    /// A further key of a cloud: `permanent`, `temporary` or `token`.
    Issue { cloud: String, kind: String },
    /// The cloud takes back all keys that it has issued so far.
    Revoke { cloud: String },
    /// What the identity services of a cloud know from now on.
    Identity(Known),
    /// The cloud's clock runs ahead by so many seconds.
    Skew { cloud: String, seconds: i64 },
    /// The cloud takes so many calls a minute.
    Throttle { cloud: String, calls: u32 },
    /// Something goes wrong with the next calls of a cloud.
    Spoil(Spoiling),
    /// A setting of what nobody knows, such as `baidu.batch-failure`.
    Switch { name: String, value: String },
    /// The instance is gone.
    Delete { instance: String },
    /// How often each action was executed on an instance.
    Executed { instance: String },
    /// Name and status of every call that a cloud has received.
    Calls { cloud: String },
}

/// Which clouds to make.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    fleet: String,
    speed: f64,
}

/// What identity services know.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    cloud: String,
    /// Full names of roles, each with the external id that it demands.
    #[serde(default)]
    roles: Vec<(String, Option<String>)>,
    /// Providers of identity tokens, each with a token.
    #[serde(default)]
    id_tokens: Vec<(String, String)>,
    /// The role of the instance that the client runs on; empty for none.
    metadata: Option<String>,
    /// How long keys live, in seconds.
    lifetime: Option<u64>,
    /// How many projects a region has.
    projects: Option<usize>,
}

/// What goes wrong, and with which calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spoiling {
    cloud: String,
    /// The call in the cloud's own words; any call when it is not there.
    call: Option<String>,
    /// How many calls.
    times: u64,
    how: How,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum How {
    /// Throttled, with a hint in milliseconds or without one.
    Throttled(Option<u64>),
    /// A status with the cloud's own error in the body.
    Error(u16),
    /// A status with a page of HTML, as proxies send.
    Page(u16),
    /// A status without a body.
    Bare(u16),
    /// The cloud acts, and the connection breaks.
    Lost(Empty),
    /// The connection breaks before the cloud acts.
    Cut(Empty),
    /// The cloud acts; half of the body comes.
    HalfBody(Empty),
    /// A shield in front of the cloud wants to see a browser.
    Challenged(Empty),
    /// A shield in front of the cloud blocks the call.
    Blocked(Empty),
}

/// `{}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// Clouds that are served.
#[derive(Debug)]
pub(crate) struct Clouds {
    simulator: Simulator,
    server: Server,
}

impl Clouds {
    pub(crate) async fn serve(order: &Order) -> Result<Self, String> {
        let simulator = Simulator::builder()
            .fleet(&order.fleet)
            .map_err(|bad| bad.to_string())?
            .speed(order.speed)
            .build();
        let server = simulator
            .serve("127.0.0.1:0")
            .await
            .map_err(|error| format!("no free port: {error}"))?;
        Ok(Self { simulator, server })
    }

    /// All that a client needs to know.
    pub(crate) fn introduction(&self) -> Value {
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

    pub(crate) fn obey(&self, command: &Command) -> Result<Value, String> {
        let simulator = &self.simulator;
        match command {
            Command::Serve(_) => return Err("new clouds are no matter of the old ones".to_owned()),
            Command::Issue { cloud, kind } => {
                let issued = simulator.issue(named(cloud)?, key_kind(kind)?);
                return Ok(key(&issued));
            }
            Command::Revoke { cloud } => simulator.revoke(named(cloud)?),
            Command::Identity(known) => simulator.identity(named(&known.cloud)?, known.identity()),
            Command::Skew { cloud, seconds } => simulator.skew(named(cloud)?, *seconds),
            Command::Throttle { cloud, calls } => {
                let throttle = Throttle::PerMinute { calls: *calls };
                simulator.throttle(named(cloud)?, Some(throttle));
            }
            Command::Spoil(spoiling) => simulator.inject(spoiling.injection()?),
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
            .ok_or_else(|| format!("there is no instance {instance:?}"))?;
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

impl Known {
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

impl Spoiling {
    fn injection(&self) -> Result<FaultRule, String> {
        let injection = FaultRule::new(self.how.fault())
            .at(named(&self.cloud)?)
            .times(self.times);
        Ok(match &self.call {
            Some(name) => injection.on_named(name),
            None => injection,
        })
    }
}

impl How {
    fn fault(&self) -> InjectedFault {
        let failure = |status: u16, body| InjectedFault::ServerError {
            status,
            body,
            when: FaultTiming::Before,
        };
        match self {
            Self::Throttled(hint) => InjectedFault::Throttled {
                hint: hint.map(Duration::from_millis),
            },
            Self::Error(status) => failure(*status, ErrorBody::Json),
            Self::Page(status) => failure(*status, ErrorBody::Html),
            Self::Bare(status) => failure(*status, ErrorBody::Empty),
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
        _ => Err(format!("{word:?} is no kind of key")),
    }
}

/// A simulated key, in the open: it opens nothing but this simulator.
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
    async fn what_is_asked_for_is_done() {
        let order = Order {
            fleet: "baidu/bj=2".to_owned(),
            speed: 1.0,
        };
        let clouds = Clouds::serve(&order).await.unwrap();
        let introduction = clouds.introduction();
        let first = introduction["instances"][0].as_str().unwrap().to_owned();
        assert!(introduction["keys"]["huawei"]["secret"].is_string());

        let ask = |line: &str| clouds.obey(&parsed(line).unwrap());
        let issued = ask(r#"{"do":"issue","cloud":"huawei","kind":"temporary"}"#).unwrap();
        assert!(issued["session"].is_string());
        assert_eq!(
            clouds.introduction()["keys"]["huawei"],
            issued,
            "the newest key is the one that is told"
        );
        let delete = format!(r#"{{"do":"delete","instance":"{first}"}}"#);
        ask(&delete).unwrap();
        assert_eq!(
            clouds.introduction()["instances"].as_array().unwrap().len(),
            1
        );
    }

    #[tokio::test]
    async fn what_cannot_be_done_is_said() {
        for line in [
            r#"{"do":"dance"}"#,
            r#"{"do":"skew","cloud":"baidu"}"#,
            r#"{"do":"skew","cloud":"baidu","seconds":1,"minutes":2}"#,
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        let order = |fleet: &str| Order {
            fleet: fleet.to_owned(),
            speed: 1.0,
        };
        assert!(Clouds::serve(&order("nowhere")).await.is_err());
        let clouds = Clouds::serve(&order("")).await.unwrap();
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
            assert!(clouds.obey(&command).is_err(), "{line}");
        }
    }
}
