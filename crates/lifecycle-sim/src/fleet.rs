//! The text that says which instances to make: `baidu/bj=3:stopped,aliyun/cn-hangzhou=2:running`.

use crate::{Cloud, Impairment, SimulatedState};

/// So many instances of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstanceGroup {
    pub(crate) cloud: Cloud,
    pub(crate) region: String,
    pub(crate) count: usize,
    pub(crate) state: SimulatedState,
    pub(crate) impairment: Option<Impairment>,
}

/// A fleet specification that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fleet part {part:?} {problem}")]
pub struct ParseFleetError {
    part: String,
    problem: String,
}

/// The greatest number of instances in one specification.
const LIMIT: usize = 1_000_000;

/// Reads a comma list of `cloud/region=COUNT[:STATE][+TROUBLE]`; the state is `stopped` unless said
/// otherwise.
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
        if total > LIMIT {
            return Err(bad(format!("makes more than {LIMIT} instances in all")));
        }
        groups.push(group);
    }
    Ok(groups)
}

fn parse_group(part: &str) -> Result<InstanceGroup, String> {
    let (place, what) = part
        .split_once('=')
        .ok_or("has no =; it reads cloud/region=COUNT[:STATE]")?;
    let (cloud, region) = place
        .split_once('/')
        .ok_or("names no region; it reads cloud/region=COUNT[:STATE]")?;
    let (count, words) = what.split_once(':').unwrap_or((what, "stopped"));
    let (state, impairment) = parse_words(words)?;
    Ok(InstanceGroup {
        cloud: cloud.trim().parse().map_err(|error| format!("{error}"))?,
        region: parse_region(region)?,
        count: count
            .trim()
            .parse()
            .map_err(|_| format!("has {count:?} where a number of instances belongs"))?,
        state,
        impairment,
    })
}

fn parse_region(region: &str) -> Result<String, String> {
    let region = region.trim();
    if region.is_empty()
        || !region
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        return Err(format!(
            "has {region:?} where a region of letters, digits and - belongs"
        ));
    }
    Ok(region.to_owned())
}

/// Reads `running`, `locked` or `running+locked`.
fn parse_words(words: &str) -> Result<(SimulatedState, Option<Impairment>), String> {
    if let Some((state, impairment)) = words.split_once('+') {
        let state = state_named(state).ok_or_else(|| unknown_word(state))?;
        let impairment = impairment_named(impairment).ok_or_else(|| unknown_word(impairment))?;
        return Ok((state, Some(impairment)));
    }
    if let Some(state) = state_named(words) {
        return Ok((state, None));
    }
    let impairment = impairment_named(words).ok_or_else(|| unknown_word(words))?;
    let state = match impairment {
        Impairment::Stubborn => SimulatedState::Running,
        _ => SimulatedState::Stopped,
    };
    Ok((state, Some(impairment)))
}

/// The states that an instance can be made in; the others come from troubles.
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
    format!(
        "has the unknown state {word:?}; known are {}",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
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
        }
    }

    #[test]
    fn specifications_are_read() {
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
    fn errors_name_the_bad_part() {
        for (text, expected) in [
            ("baidu/bj", "fleet part \"baidu/bj\" has no ="),
            ("baidu=1", "\"baidu=1\" names no region"),
            ("aws/us=1", "\"aws\" is no cloud"),
            ("baidu/=1", "where a region"),
            ("baidu/b j=1", "where a region"),
            ("baidu/bj=x", "\"x\" where a number"),
            ("baidu/bj=-1", "\"-1\" where a number"),
            ("baidu/bj=1:asleep", "unknown state \"asleep\""),
            ("baidu/bj=1:running+happy", "unknown state \"happy\""),
            ("baidu/bj=1,baidu/bj=1000000", "more than 1000000"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
