//! Arguments for the connection to the clouds.

use std::{path::PathBuf, time::Duration};

use lifecycle_facade::{Endpoint, config::time_limit};

/// Time limit, configuration file and network settings.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connection options")]
pub(crate) struct ConnectionArgs {
    /// Time limit of the command, for example 90s, 10m or 1h30m [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(crate) timeout: Option<Duration>,

    /// Read accounts, groups and defaults from this file [default: lifecycle/lifecycle.toml in the
    /// user's configuration folder, if this file exists] [env: LIFECYCLE_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Send all calls to this address instead of the addresses of the clouds
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint: Option<Endpoint>,

    /// Stop connecting after this time [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(crate) connect_timeout: Option<Duration>,

    /// Trust additional certificate authorities from this PEM file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_certificates: Vec<PathBuf>,

    /// Allow http:// addresses on other machines. The connection is not encrypted: other people on
    /// the network can read the answers and repeat the requests
    #[arg(long)]
    pub(crate) plain_http: bool,

    /// Use simulated clouds inside this process, not real clouds. Every run begins with the same few
    /// instances, and time runs 15 times as fast. Try: lifecycle list baidu/bj --sim
    #[arg(long, conflicts_with = "endpoint")]
    pub(crate) sim: bool,
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    Endpoint::parse(text)
        .map_err(|error| format!("{error}: write a URL, for example https://example.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_accepts_hosts_and_urls_without_path() {
        for text in [
            "https://example.com",
            "example.com",
            "http://localhost:1",
            "http://127.0.0.1:7070",
            "http://[::1]:7070",
            "http://[::1]",
        ] {
            assert!(endpoint(text).is_ok(), "{text}");
        }
        for (text, expected) in [("https://a/b", "has a path"), ("", "write a URL")] {
            let error = endpoint(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
