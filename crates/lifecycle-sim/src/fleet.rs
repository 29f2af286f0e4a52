//! Parses fleet specifications, the instances of a new simulator: `baidu/bj=3:stopped,aliyun/cn-hangzhou=2:running`.

use std::sync::Arc;

use crate::{Cloud, Impairment, InstanceTemplate, SimulatedState, template::with_attribute};

/// Instances with the same cloud, region, state, impairment and template. An impairment is a defect such as
/// `locked` or `arrears`, which makes actions fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstanceGroup {
    pub(crate) cloud: Cloud,
    pub(crate) region: String,
    pub(crate) count: usize,
    pub(crate) state: SimulatedState,
    pub(crate) impairment: Option<Impairment>,
    /// The facts besides the state; `None` for derived facts.
    pub(crate) template: Option<Arc<InstanceTemplate>>,
}

/// A fleet specification that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid fleet part {part:?}: {problem}")]
pub struct ParseFleetError {
    part: String,
    problem: String,
}

/// The maximum number of instances in one specification.
const MAX_INSTANCES: usize = 1_000_000;

/// Parses a comma-separated list of `cloud/region=COUNT[:CONDITION][;ATTRIBUTE]…`. A condition is `STATE`,
/// `IMPAIRMENT` or `STATE+IMPAIRMENT`. The default state is `stopped`, and `running` for the impairment
/// `stubborn`, which shows only when an instance is stopped.
pub(crate) fn parse(text: &str) -> Result<Vec<InstanceGroup>, ParseFleetError> {
    let mut groups = Vec::new();
    let mut total = 0_usize;
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let bad = |problem: String| ParseFleetError {
            part: part.to_owned(),
            problem,
        };
        let group = parse_group(part).map_err(bad)?;
        total = total.saturating_add(group.count);
        if total > MAX_INSTANCES {
            return Err(bad(format!("more than {MAX_INSTANCES} instances in total")));
        }
        groups.push(group);
    }
    Ok(groups)
}

/// Parses a list without attributes, and gives all groups the same template.
pub(crate) fn parse_with(
    text: &str,
    template: InstanceTemplate,
) -> Result<Vec<InstanceGroup>, ParseFleetError> {
    let template = Arc::new(template);
    let mut groups = parse(text)?;
    for group in &mut groups {
        if group.template.is_some() {
            return Err(ParseFleetError {
                part: text.to_owned(),
                problem: "attributes beside a template".to_owned(),
            });
        }
        group.template = Some(Arc::clone(&template));
    }
    Ok(groups)
}

fn parse_group(part: &str) -> Result<InstanceGroup, String> {
    let (location, rest) = part
        .split_once('=')
        .ok_or("missing =; the format is cloud/region=COUNT[:CONDITION]")?;
    let (cloud, region) = location
        .split_once('/')
        .ok_or("missing region; the format is cloud/region=COUNT[:CONDITION]")?;
    let mut attributes = rest.split(';').map(str::trim);
    let rest = attributes.next().unwrap_or_default();
    let (count, condition) = rest.split_once(':').unwrap_or((rest, "stopped"));
    let (state, impairment) = parse_condition(condition)?;
    Ok(InstanceGroup {
        cloud: cloud.trim().parse().map_err(|error| format!("{error}"))?,
        region: parse_region(region)?,
        count: count
            .trim()
            .parse()
            .map_err(|_| format!("invalid number of instances {count:?}"))?,
        state,
        impairment,
        template: parse_attributes(attributes)?,
    })
}

/// Parses `name=web-#`, `tag:env=dev` and the other attributes.
fn parse_attributes<'t>(
    attributes: impl Iterator<Item = &'t str>,
) -> Result<Option<Arc<InstanceTemplate>>, String> {
    let mut attributes = attributes.filter(|attribute| !attribute.is_empty());
    let template = attributes.try_fold(InstanceTemplate::new(), with_attribute)?;
    Ok((template != InstanceTemplate::new()).then(|| Arc::new(template)))
}

fn parse_region(region: &str) -> Result<String, String> {
    let region = region.trim();
    if region.is_empty()
        || !region
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        return Err(format!(
            "invalid region {region:?}: use letters, digits and -"
        ));
    }
    Ok(region.to_owned())
}

/// Parses `running`, `locked` or `running+locked`.
fn parse_condition(condition: &str) -> Result<(SimulatedState, Option<Impairment>), String> {
    if let Some((state, impairment)) = condition.split_once('+') {
        let state = state_named(state).ok_or_else(|| unknown_word(state))?;
        let impairment = impairment_named(impairment).ok_or_else(|| unknown_word(impairment))?;
        return Ok((state, Some(impairment)));
    }
    if let Some(state) = state_named(condition) {
        return Ok((state, None));
    }
    let impairment = impairment_named(condition).ok_or_else(|| unknown_word(condition))?;
    let state = match impairment {
        Impairment::Stubborn => SimulatedState::Running,
        _ => SimulatedState::Stopped,
    };
    Ok((state, Some(impairment)))
}

/// The states that a specification can name. The other states result from impairments.
const STATES: [SimulatedState; 5] = [
    SimulatedState::Running,
    SimulatedState::Stopped,
    SimulatedState::Starting,
    SimulatedState::Stopping,
    SimulatedState::Rebooting,
];

fn state_named(word: &str) -> Option<SimulatedState> {
    STATES
        .into_iter()
        .find(|state| state.as_str() == word.trim())
}

fn impairment_named(word: &str) -> Option<Impairment> {
    Impairment::ALL
        .into_iter()
        .find(|impairment| impairment.as_str() == word.trim())
}

fn unknown_word(word: &str) -> String {
    let known: Vec<_> = STATES
        .iter()
        .map(|state| state.as_str())
        .chain(Impairment::ALL.iter().map(|impairment| impairment.as_str()))
        .collect();
    format!("unknown state {word:?}; known states: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use lifecycle_core::ChargeType;

    use super::*;

    fn group(
        cloud: Cloud,
        region: &str,
        count: usize,
        state: SimulatedState,
        impairment: Option<Impairment>,
    ) -> InstanceGroup {
        InstanceGroup {
            cloud,
            region: region.to_owned(),
            count,
            state,
            impairment,
            template: None,
        }
    }

    #[test]
    fn attributes_are_parsed_after_the_condition() {
        let text = "aliyun/cn-hangzhou=2:running;name=web-#;tag:env=dev;tag:owner=a=b;tag:lone;\
                    zone=cn-hangzhou-h; type=ecs.g7.large ;charge=spot;public,baidu/bj=1;name=db";
        let groups = parse(text).unwrap();
        let expected = InstanceTemplate::new()
            .name("web-#")
            .tag("env", "dev")
            .tag("owner", "a=b")
            .tag("lone", "")
            .zone("cn-hangzhou-h")
            .instance_type("ecs.g7.large")
            .charge_type(ChargeType::Spot)
            .public();
        assert_eq!(groups[0].template.as_deref(), Some(&expected));
        assert_eq!(groups[0].state, SimulatedState::Running);
        let expected = InstanceTemplate::new().name("db");
        assert_eq!(groups[1].template.as_deref(), Some(&expected));
        assert_eq!(groups[1].state, SimulatedState::Stopped);
    }

    #[test]
    fn valid_specification_is_parsed() {
        assert_eq!(
            parse("baidu/bj=3:stopped, aliyun/cn-hangzhou=2:running,huawei/cn-north-4=1:locked,zenlayer/asia-southeast-1=4:running+arrears,baidu/gz=5,").unwrap(),
            [
                group(Cloud::Baidu, "bj", 3, SimulatedState::Stopped, None),
                group(Cloud::Aliyun, "cn-hangzhou", 2, SimulatedState::Running, None),
                group(Cloud::Huawei, "cn-north-4", 1, SimulatedState::Stopped, Some(Impairment::Locked)),
                group(Cloud::Zenlayer, "asia-southeast-1", 4, SimulatedState::Running, Some(Impairment::Arrears)),
                group(Cloud::Baidu, "gz", 5, SimulatedState::Stopped, None),
            ]
        );
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(
            parse("baidu/bj=1:stubborn").unwrap()[0].state,
            SimulatedState::Running
        );
    }

    #[test]
    fn parse_error_names_the_invalid_part() {
        for (text, expected) in [
            ("baidu/bj", "invalid fleet part \"baidu/bj\": missing ="),
            ("baidu=1", "\"baidu=1\": missing region"),
            ("aws/us=1", "unknown cloud \"aws\"; known clouds: baidu"),
            ("baidu/=1", "invalid region \"\": use letters"),
            ("baidu/b j=1", "invalid region \"b j\""),
            ("baidu/bj=x", "invalid number of instances \"x\""),
            ("baidu/bj=-1", "invalid number of instances \"-1\""),
            ("baidu/bj=1:asleep", "unknown state \"asleep\""),
            ("baidu/bj=1:running+happy", "unknown state \"happy\""),
            ("baidu/bj=1,baidu/bj=1000000", "more than 1000000"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
