//! `IpAddresses`: the IP addresses of an instance.

use std::fmt;

/// IP addresses as texts of the cloud: without duplicates and without empty texts, IPv4 before IPv6.
///
/// All addresses of an instance are one text in memory, because a program can keep the addresses of 100,000
/// instances. A text of the cloud with commas is several addresses.
///
/// # Examples
/// ```
/// use lifecycle_core::IpAddresses;
///
/// let addresses: IpAddresses = ["fd00::1", "10.0.0.1", "", "10.0.0.1"].into_iter().collect();
/// assert_eq!(addresses, ["10.0.0.1", "fd00::1"]);
/// assert!(addresses.contains("fd00::1"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct IpAddresses(Box<str>);

/// The character between two addresses.
const SEPARATOR: char = ',';

impl IpAddresses {
    /// Returns the addresses in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let addresses = self.0.split(SEPARATOR);
        addresses.filter(|address| !address.is_empty())
    }

    /// Returns `true` if there is no address.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if the address is among the addresses, with the same spelling.
    pub fn contains(&self, address: &str) -> bool {
        self.iter().any(|own| own == address)
    }
}

impl<T: AsRef<str>> FromIterator<T> for IpAddresses {
    fn from_iter<I: IntoIterator<Item = T>>(addresses: I) -> Self {
        let (mut ipv4, mut ipv6) = (Self::default(), Self::default());
        for address in addresses {
            for address in address.as_ref().split(SEPARATOR) {
                match address.contains(':') {
                    true => ipv6.add(address),
                    false => ipv4.add(address),
                }
            }
        }
        for address in ipv6.iter() {
            ipv4.add(address);
        }
        ipv4
    }
}

impl IpAddresses {
    /// Adds an address at the end, unless the address is empty or known.
    fn add(&mut self, address: &str) {
        if address.is_empty() || self.contains(address) {
            return;
        }
        self.0 = match self.is_empty() {
            true => address.into(),
            false => format!("{}{SEPARATOR}{address}", self.0).into(),
        };
    }
}

impl<const N: usize> PartialEq<[&str; N]> for IpAddresses {
    fn eq(&self, other: &[&str; N]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

impl fmt::Debug for IpAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_distinct_and_in_order() {
        for (texts, expected) in [
            (&[][..], &[][..]),
            (&["", ""], &[]),
            (
                &["10.0.0.2", "10.0.0.1", "10.0.0.2"],
                &["10.0.0.2", "10.0.0.1"],
            ),
            (
                &["fd00::2", "10.0.0.1", "fd00::1"],
                &["10.0.0.1", "fd00::2", "fd00::1"],
            ),
            (&["10.0.0.1,,10.0.0.2"], &["10.0.0.1", "10.0.0.2"]),
        ] {
            let addresses: IpAddresses = texts.iter().collect();
            let found: Vec<&str> = addresses.iter().collect();
            assert_eq!(found, expected, "{texts:?}");
            assert_eq!(addresses.is_empty(), expected.is_empty());
        }
        let one: IpAddresses = ["10.0.0.10"].into_iter().collect();
        assert!(!one.contains("10.0.0.1") && !one.contains(""));
        assert!(one.contains("10.0.0.10"));
        assert_eq!(one, ["10.0.0.10"]);
        assert_ne!(one, ["10.0.0.1"]);
        assert_ne!(one, ["10.0.0.10", "10.0.0.11"]);
        assert_ne!(one, []);
    }
}
