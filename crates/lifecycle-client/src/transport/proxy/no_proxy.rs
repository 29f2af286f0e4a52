//! The hosts in `NO_PROXY`.

use std::net::IpAddr;

/// The hosts that are called without a proxy, by the rules of curl.
///
/// The entries are separated by commas or spaces. An entry is `*` for all hosts; a domain for the domain
/// and all names below, also as `.domain` and `*.domain`; an address, also as `[::1]`; or a network such
/// as `10.0.0.0/8`. A port after a colon limits an entry to the port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// `None` for all ports.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A domain in lower case, without dots at the ends.
    Domain(String),
    Network {
        address: IpAddr,
        /// The number of leading bits in common.
        prefix: u8,
    },
}

impl NoProxy {
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter_map(Entry::parse).collect())
    }

    pub(super) fn contains(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        self.0.iter().any(|entry| {
            let is_port = entry.port.is_none_or(|only| only == port);
            is_port && entry.hosts.contain(&host, address)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (name, port) = split_port(text);
        let hosts = match name {
            "" => return None,
            "*" => Hosts::All,
            name => Hosts::parse(name)?,
        };
        Some(Self { hosts, port })
    }
}

/// Splits `host:port` and `[address]:port`. An address with several colons has no port.
fn split_port(text: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (
            address,
            rest.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    let split = text.split_once(':');
    match split.map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => (host, Some(port)),
        _ => (text, None),
    }
}

impl Hosts {
    fn parse(name: &str) -> Option<Self> {
        let (address, prefix) = match name.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (name, None),
        };
        if let Ok(address) = address.parse::<IpAddr>() {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.unwrap_or(bits).min(bits);
            return Some(Self::Network { address, prefix });
        }
        let domain = name.strip_prefix('*').unwrap_or(name);
        let domain = domain.trim_matches('.').to_ascii_lowercase();
        (!domain.is_empty()).then_some(Self::Domain(domain))
    }

    fn contain(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::Domain(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || address.is_none() && rest.ends_with('.')),
            Self::Network {
                address: network,
                prefix,
            } => address.is_some_and(|address| same_prefix(address, *network, *prefix)),
        }
    }
}

fn same_prefix(one: IpAddr, other: IpAddr, prefix: u8) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let difference = one.to_bits() ^ other.to_bits();
            difference.leading_zeros() >= u32::from(prefix)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let difference = one.to_bits() ^ other.to_bits();
            difference.leading_zeros() >= u32::from(prefix)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_match_as_in_curl() {
        for (list, host, port, expected) in [
            ("", "a.example", 443, false),
            ("*", "a.example", 443, true),
            ("other, *", "a.example", 443, true),
            ("example", "a.example", 443, true),
            (".a.example", "a.example", 443, true),
            ("*.example", "b.a.EXAMPLE.", 443, true),
            ("*.example", "badexample", 443, false),
            ("a.example:443", "a.example", 443, true),
            ("a.example:8443", "a.example", 443, false),
            ("other a.example", "a.example", 443, true),
            ("[::1]", "[::1]", 443, true),
            ("::1", "[::1]", 443, true),
            ("[::1]:443", "[::1]", 443, true),
            ("[::1]:80", "[::1]", 443, false),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("fd00::/8", "[fd12::1]", 443, true),
            ("fd00::/8", "[fe80::1]", 443, false),
            ("10.0.0.0/8", "[a00::1]", 443, false),
            ("10.2.0.0/15", "10.3.255.255", 443, true),
            ("10.2.0.0/15", "10.4.0.0", 443, false),
            ("10.0.0.0/x", "10.0.0.0", 443, false),
            ("a.example:x", "a.example", 443, false),
            (".,*.", "a.example", 443, false),
            ("other\ta.example", "a.example", 443, true),
            ("0.0.0.0/0", "9.9.9.9", 443, true),
            ("10.1.2.3", "10.1.2.3", 443, true),
            ("10.1.2.3:443", "10.1.2.3", 443, true),
            ("1.2.3", "10.1.2.3", 443, false),
        ] {
            let no_proxy = NoProxy::parse(list);
            assert_eq!(
                no_proxy.contains(host, port),
                expected,
                "{list} {host}:{port}"
            );
        }
    }
}
