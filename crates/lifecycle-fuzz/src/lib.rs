#![doc = include_str!("../README.md")]

pub mod client;
pub mod credentials;
pub mod headers;
#[cfg(feature = "facade")]
pub mod journal;
mod message;
#[cfg(feature = "facade")]
pub mod proxy_settings;
pub mod responses;
mod sections;
pub mod simulator;
pub mod standard_input;
#[cfg(feature = "facade")]
pub mod text;
mod traces;

use lifecycle_core::{Credential, InstanceId, Provider, SigningContext};
use provider_aliyun::Aliyun;
use provider_baidu::Baidu;
use provider_huawei::Huawei;
use provider_zenlayer::Zenlayer;

/// The region of every provider.
const REGION: &str = "r-1";
/// The project of every provider with projects.
const PROJECT: &str = "0123456789abcdef0123456789abcdef";

/// Returns the instances of every request: ids from the recorded vectors, so that recorded responses
/// have a row for some of the instances.
fn requested() -> Vec<InstanceId> {
    let texts = [
        "i-YufwpQAe",
        "i-instance1",
        "instanceId1",
        "616fb98f-46ca-475e-917e-2563e5a8cd19",
    ];
    texts.into_iter().flat_map(InstanceId::new).collect()
}

fn key() -> Credential {
    Credential::keys("id", "secret")
}

/// Returns a context with a fixed time and nonce, so that a run can be repeated.
fn signing_context() -> SigningContext {
    SigningContext::from_unix(1_780_000_000, 7)
}

/// Returns the provider of a cloud; `None` for an unknown name.
fn provider(cloud: &str) -> Option<Box<dyn Provider>> {
    Some(match cloud {
        "aliyun" => Box::new(aliyun()),
        "baidu" => Box::new(baidu()),
        "huawei" => Box::new(huawei()),
        "zenlayer" => Box::new(zenlayer()),
        _ => return None,
    })
}

fn aliyun() -> Aliyun {
    Aliyun::new(provider_aliyun::Config::new(REGION).expect("a valid region"))
}

/// Returns the provider for the host that lists the regions. The other requests do not depend on the host.
fn baidu() -> Baidu {
    Baidu::new(provider_baidu::Config::global().with_batch_reboot())
}

fn huawei() -> Huawei {
    Huawei::new(provider_huawei::Config::new(REGION, PROJECT).expect("a valid project"))
}

fn zenlayer() -> Zenlayer {
    Zenlayer::new(provider_zenlayer::Config::new())
}

/// The names of all clouds.
const CLOUDS: [&str; 4] = ["aliyun", "baidu", "huawei", "zenlayer"];
