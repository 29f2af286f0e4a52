//! `serde` of ids, states, actions, faults and observations, behind the feature `serde`.
//!
//! The words are the words of the command's JSON output and of the journal. A name or a field is never removed
//! or renamed without a new major version; new ones can come. Names, ids and actions are read back. Faults
//! and observations are written only: programs of other languages read them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap};

use crate::{
    Action, ActionKind, ChargeType, Fault, FaultKind, InstanceDetails, InstanceId, IpAddresses,
    LocalDisk, Lock, Observation, PowerState, RebootOptions, ReportedTime, StartOptions,
    StopBilling, StopMode, StopOptions, StoppedBilling, Tag,
};

/// Implements `serde` for an enumeration by the names of the variants.
macro_rules! serde_by_name {
    ($($type:ty, $what:literal, $all:expr;)+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                let found = $all.iter().find(|value| value.as_str() == name);
                let unknown = || D::Error::custom(format_args!("unknown {} {name:?}", $what));
                found.copied().ok_or_else(unknown)
            }
        }
    )+};
}

serde_by_name! {
    ActionKind, "action", ActionKind::ALL;
    PowerState, "state", PowerState::ALL;
    FaultKind, "kind of a fault", FaultKind::ALL;
    StoppedBilling, "billing", [StoppedBilling::Billed, StoppedBilling::NotBilled, StoppedBilling::Unknown];
}

impl<'de> Deserialize<'de> for InstanceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(D::Error::custom)
    }
}

/// An action in the words of the journal. A misspelled option is an error: a lost `forced` changes the action.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum ActionFields {
    Start {
        #[serde(default)]
        initialize_local_disk: bool,
    },
    Stop {
        #[serde(default)]
        forced: bool,
        #[serde(default)]
        release: bool,
    },
    Reboot {
        #[serde(default)]
        forced: bool,
    },
}

impl Serialize for Action {
    /// Writes the kind and all options, such as `{"kind":"stop","forced":true,"release":false}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = match self {
            Self::Start(start) => ActionFields::Start {
                initialize_local_disk: start.local_disk == LocalDisk::Initialize,
            },
            Self::Stop(stop) => ActionFields::Stop {
                forced: stop.mode.is_forced(),
                release: stop.billing.is_release(),
            },
            Self::Reboot(reboot) => ActionFields::Reboot {
                forced: reboot.mode.is_forced(),
            },
        };
        fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Action {
    /// Reads the kind and any options. Absent options have their defaults.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mode = |forced| match forced {
            true => StopMode::Forced,
            false => StopMode::Graceful,
        };
        Ok(match ActionFields::deserialize(deserializer)? {
            ActionFields::Start {
                initialize_local_disk: true,
            } => StartOptions::default()
                .with_local_disk(LocalDisk::Initialize)
                .into(),
            ActionFields::Start { .. } => StartOptions::default().into(),
            ActionFields::Stop { forced, release } => StopOptions::default()
                .with_mode(mode(forced))
                .with_billing(match release {
                    true => StopBilling::Release,
                    false => StopBilling::Keep,
                })
                .into(),
            ActionFields::Reboot { forced } => {
                RebootOptions::default().with_mode(mode(forced)).into()
            }
        })
    }
}

impl Serialize for Fault {
    /// Writes `kind`, `code`, `message`, `request_id` and `status`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("kind", &self.kind())?;
        map.serialize_entry("code", &self.code())?;
        map.serialize_entry("message", self.message())?;
        map.serialize_entry("request_id", &self.request_id())?;
        map.serialize_entry("status", &self.status())?;
        map.end()
    }
}

impl Serialize for Observation {
    /// Writes `instance`, `state`, `name`, `cloud_state` and `lock`. An observation with details also has `zone`,
    /// `type`, `charge_type`, `private_ips`, `public_ips`, `created_at`, `started_at`, `expires_at` and `tags`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("instance", &self.instance)?;
        map.serialize_entry("state", &self.state)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("cloud_state", &self.raw)?;
        map.serialize_entry("lock", &self.lock.as_ref().map(Lock::to_string))?;
        if let Some(details) = &self.details {
            serialize_details::<S>(details, &mut map)?;
        }
        map.end()
    }
}

fn serialize_details<S: Serializer>(
    details: &InstanceDetails,
    map: &mut S::SerializeMap,
) -> Result<(), S::Error> {
    let time = |time: &Option<ReportedTime>| time.as_ref().map(ToString::to_string);
    let texts = |addresses: &IpAddresses| Vec::from_iter(addresses.iter().map(str::to_owned));
    map.serialize_entry("zone", &details.zone.as_deref())?;
    map.serialize_entry("type", &details.instance_type.as_deref())?;
    let charge_type = details.charge_type.as_ref().map(ChargeType::as_str);
    map.serialize_entry("charge_type", &charge_type)?;
    map.serialize_entry("private_ips", &texts(&details.private_ips))?;
    map.serialize_entry("public_ips", &texts(&details.public_ips))?;
    map.serialize_entry("created_at", &time(&details.created_at))?;
    map.serialize_entry("started_at", &time(&details.started_at))?;
    map.serialize_entry("expires_at", &time(&details.expires_at))?;
    map.serialize_entry("tags", &Tags(&details.tags))
}

struct Tags<'a>(&'a [Tag]);

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|tag| (&*tag.key, &*tag.value)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, json, to_string, to_value};

    use super::*;

    /// Checks that each value is read back from its JSON.
    fn check<T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(values: &[T]) {
        for value in values {
            let text = to_string(value).unwrap();
            assert_eq!(&from_str::<T>(&text).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn names_ids_and_actions_are_read_back() {
        check(ActionKind::ALL);
        check(PowerState::ALL);
        check(FaultKind::ALL);
        check(&[
            StoppedBilling::Billed,
            StoppedBilling::NotBilled,
            StoppedBilling::Unknown,
        ]);
        check(&[InstanceId::new("i-1").unwrap()]);
        check(&Action::all_variants().collect::<Vec<_>>());
    }

    #[test]
    fn action_has_the_words_of_the_journal_and_defaults() {
        let stop = StopOptions::default().with_mode(StopMode::Forced);
        let text = to_string(&Action::from(stop)).unwrap();
        assert_eq!(text, r#"{"kind":"stop","forced":true,"release":false}"#);
        let reboot: Action = from_str(r#"{"kind":"reboot"}"#).unwrap();
        assert_eq!(reboot, RebootOptions::default().into());
    }

    #[test]
    fn unknown_words_are_errors_that_name_the_word() {
        let error = from_str::<PowerState>("\"Running\"")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("unknown state \"Running\""), "{error}");
        assert!(from_str::<InstanceId>("\"a/b\"").is_err());
        // A misspelled option must not be ignored.
        assert!(from_str::<Action>(r#"{"kind":"stop","force":true}"#).is_err());
        assert!(from_str::<Action>(r#"{"kind":"destroy"}"#).is_err());
    }

    #[test]
    fn fault_and_observation_have_the_words_of_the_command() {
        let fault = Fault::new(FaultKind::Capacity, "sold out")
            .with_code("NoStock")
            .with_status(403)
            .with_request_id(Some("r-1"));
        assert_eq!(
            to_value(&fault).unwrap(),
            json!({"kind": "capacity", "code": "NoStock", "message": "sold out", "request_id": "r-1", "status": 403})
        );
        let id = InstanceId::new("i-1").unwrap();
        let mut seen = Observation::new(id, PowerState::Stopped, "STOPPED");
        seen.lock = Some(Lock::Financial);
        let short = json!({"instance": "i-1", "state": "stopped", "name": null, "cloud_state": "STOPPED",
            "lock": "financial"});
        assert_eq!(to_value(&seen).unwrap(), short);
        let mut details = InstanceDetails::default();
        details.tags.push(Tag::new("env", "dev"));
        details.zone = Some("a".into());
        let long = to_value(seen.with_details(Some(details))).unwrap();
        assert_eq!(long["tags"], json!({"env": "dev"}));
        assert_eq!(long["zone"], "a");
        assert_eq!(long["private_ips"], json!([]));
        assert_eq!(long["created_at"], json!(null));
    }
}
