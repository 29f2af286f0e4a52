//! The four clouds as the benchmarks use them: invented instances, one invented key, a server on
//! this machine.

use std::{panic::resume_unwind, thread, time::Duration};

use lifecycle_core::{Credential, Endpoint, InstanceId, Provider, Rate, RateLimits};
use lifecycle_facade::{
    Client, ClientBuilder, Cloud, EmptyHost, Fleet, FleetBuilder, Location, RetryPolicy, Timeouts,
    Transport, aliyun, baidu, huawei, zenlayer,
};

use crate::work::{BenchResult, runtime};

/// Returns the first `count` invented instances of a cloud, with ids of realistic form and length.
///
/// # Errors
/// Fails for a cloud without benchmarks.
pub fn ids(cloud: Cloud, count: usize) -> BenchResult<Vec<InstanceId>> {
    let id: fn(usize) -> String = match cloud {
        Cloud::Baidu => |n| format!("i-Jmw{n:05}"),
        Cloud::Aliyun => |n| format!("i-bp67acfmxazb4ph{n:05}"),
        Cloud::Zenlayer => |n| format!("1347204562783{n:06}"),
        Cloud::Huawei => |n| format!("616fb98f-46ca-475e-917e-{n:012x}"),
        other => return Err(unknown(other)),
    };
    let ids = (1..=count).map(|n| InstanceId::new(&id(n)));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Returns the provider of the cloud, for requests to the default region at `endpoint`.
///
/// # Errors
/// Fails for a cloud without benchmarks.
pub fn provider(cloud: Cloud, endpoint: Endpoint) -> BenchResult<Box<dyn Provider>> {
    let region = region(cloud)?;
    Ok(match cloud {
        Cloud::Baidu => {
            let config = baidu::Config::new(region)?.with_endpoint(endpoint);
            Box::new(baidu::Baidu::new(config))
        }
        Cloud::Aliyun => {
            let config = aliyun::Config::new(region)?.with_endpoint(endpoint);
            Box::new(aliyun::Aliyun::new(config))
        }
        Cloud::Zenlayer => {
            let config = zenlayer::Config::new().with_endpoint(endpoint);
            Box::new(zenlayer::Zenlayer::new(config))
        }
        Cloud::Huawei => {
            let config = huawei::Config::new(region, PROJECT)?.with_endpoint(endpoint);
            Box::new(huawei::Huawei::new(config))
        }
        other => return Err(unknown(other)),
    })
}

/// Returns a client of the cloud whose calls go to this port of this machine without a rate limit
/// and without retries.
///
/// # Errors
/// Fails for a cloud without benchmarks, and where no HTTP client can be set up.
pub fn client(cloud: Cloud, port: u16) -> BenchResult<Client> {
    connected(&fleet().endpoint(local(port)?).build()?, &location(cloud)?)
}

/// Returns a client of the cloud as [`client`] does, which sends its calls with `transport`.
///
/// # Errors
/// Fails for a cloud without benchmarks.
pub fn client_over(cloud: Cloud, transport: impl Transport) -> BenchResult<Client> {
    connected(&fleet().transport(transport).build()?, &location(cloud)?)
}

fn fleet() -> FleetBuilder {
    Fleet::builder()
        .machine(EmptyHost)
        .credential(key())
        .project(PROJECT)
        .configure_client(without_limits)
}

/// Returns the default region of the cloud.
///
/// # Errors
/// Fails for a cloud without benchmarks.
pub fn location(cloud: Cloud) -> BenchResult<Location> {
    Ok(Location::new(cloud, region(cloud)?))
}

/// Returns a client of a fleet. A thread with a runtime connects the fleet, because the caller can be part
/// of a runtime with paused time.
///
/// # Errors
/// Fails when the fleet cannot connect.
pub fn connected(fleet: &Fleet, location: &Location) -> BenchResult<Client> {
    let connect = || {
        let runtime = runtime().map_err(|error| error.to_string())?;
        let client = runtime.block_on(fleet.client(location));
        client.map_err(|error| error.to_string())
    };
    thread::scope(|scope| match scope.spawn(connect).join() {
        Ok(client) => Ok(client?),
        Err(panic) => resume_unwind(panic),
    })
}

fn local(port: u16) -> BenchResult<Endpoint> {
    Ok(Endpoint::parse(&format!("http://127.0.0.1:{port}"))?)
}

fn without_limits(client: ClientBuilder) -> ClientBuilder {
    let infinite = Rate::new(f64::INFINITY, u32::MAX);
    let mut timeouts = Timeouts::default();
    // A server that answers for other ids must not make an iteration last half a minute.
    timeouts.settle = Duration::from_secs(1);
    client
        .rate_limits(RateLimits::new(infinite, infinite))
        .retry(RetryPolicy::never())
        .timeouts(timeouts)
}

/// Returns the key that signs all requests of the benchmarks.
pub fn key() -> Credential {
    Credential::keys("LTAI5tBenchBenchBenchKey", secret())
}

/// The secret half of [`key`].
pub fn secret() -> &'static str {
    "benchBENCHbenchBENCHbenchBENCH"
}

const PROJECT: &str = "0123456789abcdef0123456789abcdef";

fn region(cloud: Cloud) -> BenchResult<&'static str> {
    Ok(match cloud {
        Cloud::Baidu => "bj",
        Cloud::Aliyun => "cn-hangzhou",
        Cloud::Zenlayer => "global",
        Cloud::Huawei => "cn-north-4",
        other => return Err(unknown(other)),
    })
}

fn unknown(cloud: Cloud) -> Box<dyn std::error::Error + Send + Sync> {
    format!("the benchmarks do not know {cloud}").into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_cloud_has_a_hundred_ids_and_a_client() {
        for &cloud in Cloud::ALL {
            let ids = ids(cloud, 100).unwrap();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 100, "{cloud}");
            let client = client(cloud, 7070).unwrap();
            assert_eq!(client.profile().cloud, cloud.as_str());
            let provider = provider(cloud, local(7070).unwrap()).unwrap();
            assert_eq!(provider.profile().cloud, cloud.as_str());
        }
    }
}
