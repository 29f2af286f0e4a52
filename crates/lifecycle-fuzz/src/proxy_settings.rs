//! Fuzz target: the environment variables with proxies, and the hosts without a proxy.

use lifecycle_client::proxy_variable_of;

use crate::sections;

/// Selects the proxy of a call. The input has the host in the first line, then sections
/// `== variable NAME`.
///
/// # Panics
/// If a parser panics, if an error has a value, or if the selected proxy contradicts the variables.
pub fn check(data: &[u8]) {
    let (host, parts) = sections::parse(data);
    let value = |name: &str| {
        let part = parts.iter().find(|part| part.argument == name)?;
        Some(String::from_utf8_lossy(part.content).into_owned())
    };
    let selected = match proxy_variable_of(value, &host, PORT) {
        Ok(selected) => selected,
        Err(error) => {
            let error = error.to_string();
            let (name, advice) = error.split_once(' ').expect("a name");
            assert!(value(name).is_some(), "{error}");
            assert!(advice.starts_with("is not the address of a proxy: "));
            assert!(error.len() <= 200, "{error}");
            return;
        }
    };
    if let Some(name) = selected {
        assert!(value(name).is_some_and(|value| !value.trim().is_empty()));
    }
    let capitals = proxy_variable_of(value, &host.to_ascii_uppercase(), PORT);
    assert_eq!(capitals.ok(), Some(selected));
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    if host.chars().all(is_letter) && !host.trim_matches('.').is_empty() {
        for entry in [host.clone(), format!("other.example,.{host}:{PORT}")] {
            let excepted = |name: &'static str| match name {
                "no_proxy" => Some(entry.clone()),
                name => value(name),
            };
            assert_eq!(proxy_variable_of(excepted, &host, PORT).ok(), Some(None));
        }
    }
}

/// The port of each call.
const PORT: u16 = 443;
