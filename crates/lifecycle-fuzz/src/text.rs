//! Fuzz target: texts of users: the configuration file, references, ids, locations, and
//! specifications of fleets.

use lifecycle_core::{Endpoint, InstanceId, JobId, NamePattern, ReportedTime, TagCondition};
use lifecycle_facade::{
    Cloud, InstanceReference, Location, LocationPattern,
    config::{Config, time_limit, waves},
};
use lifecycle_sim::Simulator;

/// Parses a configuration file, and checks the groups.
///
/// # Panics
/// If the parser panics, or if the diagnostics are longer than the input allows.
pub fn check_configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Config::parse(&text) {
        Ok(config) => {
            let check = |reference: &str| match reference.parse::<InstanceReference>() {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            };
            let location = |text: &str| match text.parse::<LocationPattern>() {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = config.check_groups(check, location) {
                assert!(error.diagnostics().len() <= data.len());
            }
        }
        Err(error) => {
            assert!(!error.diagnostics().is_empty());
            assert!(error.diagnostics().len() <= data.len() + 1);
            let shown = error.to_string();
            let each = 8 * data.len() + 1024;
            assert!(shown.len() <= each * error.diagnostics().len());
        }
    }
}

/// Parses a text as a reference, a location, an id, an endpoint, a name pattern, a condition on a tag, a
/// time, a duration, a wave, and a fleet.
///
/// # Panics
/// If a parser panics, or if a value that is printed and parsed again is another value.
pub fn check_references(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    if let Ok(reference) = text.parse::<InstanceReference>() {
        assert_eq!(reference.to_string().parse(), Ok(reference));
    }
    if let Ok(location) = text.parse::<Location>() {
        assert_eq!(location.to_string().parse(), Ok(location));
    }
    if let Ok(cloud) = text.parse::<Cloud>() {
        assert_eq!(cloud.as_str(), text);
    }
    if let Ok(id) = InstanceId::new(text) {
        assert_eq!(id.as_str(), text);
    }
    let _ = JobId::new(text);
    if let Ok(endpoint) = Endpoint::parse(text) {
        let _ = (endpoint.host(), endpoint.port(), endpoint.is_loopback());
        endpoint
            .uri("/".to_owned())
            .expect("an endpoint is part of a URI");
    }
    if let Ok(pattern) = text.parse::<NamePattern>() {
        assert_eq!(pattern.to_string(), text);
        assert!(text.contains(pattern.longest_literal()));
        assert!(pattern.literal().is_none_or(|name| pattern.matches(name)));
    }
    if let Ok(condition) = text.parse::<TagCondition>() {
        assert_eq!(condition.to_string(), text);
    }
    let time = ReportedTime::new(text).to_string();
    assert_eq!(ReportedTime::new(&time).to_string(), time);
    let _ = time_limit(text);
    let _ = waves(text);
    check_fleet(text);
}

/// Builds simulated instances. Large numbers are valid and slow, so numbers have at most three
/// digits.
fn check_fleet(text: &str) {
    let mut digits = 0;
    let short = text.chars().all(|c| {
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        digits <= 3
    });
    if let (true, Ok(builder)) = (short, Simulator::builder().fleet(text)) {
        for reference in builder.build().instances() {
            reference
                .parse::<InstanceReference>()
                .expect("a reference of a simulated instance");
        }
    }
}
