//! The list of the simulator's behaviours as data, each with a source and the confidence in the
//! source. `docs/simulator.md` is generated from the list.

use std::fmt;

use crate::{Cloud, aliyun, baidu, huawei, switches::Switches, zenlayer};

/// A behaviour of the simulator, with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behaviour {
    /// The behaviour, as a sentence.
    pub description: &'static str,
    /// The confidence in the behaviour.
    pub confidence: Confidence,
    /// The place of the documentation, or the basis of the conclusion.
    pub source: &'static str,
}

/// The confidence that the real cloud behaves like the simulator. No behaviour was compared with a
/// live cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Confidence {
    /// The vendor's documentation describes the behaviour.
    Documented,
    /// A program of the vendor has the behaviour, or relies on the behaviour.
    VendorSource,
    /// A public report describes the behaviour.
    ReportedIssue,
    /// A conclusion from other facts.
    Inferred,
    /// The behaviour is unknown outside the vendor: a switch of the simulator.
    SwitchableUnknown,
}

impl Confidence {
    /// All levels, the highest confidence first.
    pub const ALL: [Self; 5] = [
        Self::Documented,
        Self::VendorSource,
        Self::ReportedIssue,
        Self::Inferred,
        Self::SwitchableUnknown,
    ];

    /// Returns the name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::VendorSource => "vendor's source",
            Self::ReportedIssue => "reported issue",
            Self::Inferred => "inferred",
            Self::SwitchableUnknown => "switchable unknown",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A setting for a question with no answer, or several, in the documentation of the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwitchDescription {
    /// The name of the field.
    pub name: &'static str,
    /// The documentation of the field: the question and the known facts.
    pub description: &'static str,
}

impl SwitchDescription {
    pub(crate) const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }
}

impl Cloud {
    /// Returns the simulated behaviour of this cloud, without the switches.
    pub fn behaviours(self) -> &'static [Behaviour] {
        match self {
            Self::Baidu => baidu::behaviours::BEHAVIOURS,
            Self::Aliyun => aliyun::behaviours::BEHAVIOURS,
            Self::Zenlayer => zenlayer::behaviours::BEHAVIOURS,
            Self::Huawei => huawei::behaviours::BEHAVIOURS,
        }
    }

    /// Returns the switches of this cloud, in the order of definition.
    pub fn switches(self) -> &'static [SwitchDescription] {
        match self {
            Self::Baidu => baidu::switches::Switches::DESCRIPTIONS,
            Self::Aliyun => aliyun::switches::Switches::DESCRIPTIONS,
            Self::Zenlayer => zenlayer::switches::Switches::DESCRIPTIONS,
            Self::Huawei => huawei::switches::Switches::DESCRIPTIONS,
        }
    }
}

/// The simulated behaviour that all clouds share.
pub const COMMON_BEHAVIOURS: &[Behaviour] = &[
    inferred(
        "A boot takes 30 s, a graceful stop 20 s and a reboot 40 s, give or take a third; a forced stop takes a tenth and a forced reboot half of that.",
        "a choice, see `TransitionTimes`: no vendor documents durations; Huawei's Terraform provider speaks of 15 to 35 s",
    ),
    vendor(
        "An accepted action can stay invisible for a while (`TransitionTimes::lag`; zero by default).",
        "Baidu's Terraform provider takes the old state for \"still waiting\"",
    ),
    inferred(
        "A cloud can refuse calls above a rate or a number in each minute (`Throttle`; off by default). A throttled call is not executed.",
        "no vendor publishes numbers; the minute is Alibaba's own description",
    ),
    inferred(
        "A server error, a reset or silence can occur before or after the execution of the request (`FaultTiming`).",
        "what any network does",
    ),
    inferred(
        "Proxies answer with HTML or an empty body instead of the cloud's own format.",
        "the vendors' SDKs have code for such answers, and were seen to break on them",
    ),
    inferred(
        "Issued keys and tokens expire by the cloud's own clock, to the second; the cloud remembers expired keys for a day.",
        "the times in the responses are whole seconds",
    ),
    inferred(
        "Without a metadata service, the addresses of the service answer 404.",
        "outside the vendor's own machines there is no response at all",
    ),
    inferred(
        "A site can ignore a filter of a list, and then shows more instances than match (`IgnoredFilters`; a switch of each cloud, none by default).",
        "some sites of Huawei do not know parameters of others; no vendor documents an ignored filter",
    ),
    inferred(
        "A region without access is listed, and refuses the calls in the region (`forbid_region`; none by default).",
        "no vendor documents the lists of regions of a restricted key, except Huawei's list of projects",
    ),
    inferred(
        "No call finds a deleted instance; the response is the same as for an id that never existed.",
        "an account can see no difference",
    ),
];

pub(crate) const fn documented(description: &'static str, source: &'static str) -> Behaviour {
    behaviour(description, Confidence::Documented, source)
}

pub(crate) const fn vendor(description: &'static str, source: &'static str) -> Behaviour {
    behaviour(description, Confidence::VendorSource, source)
}

pub(crate) const fn reported(description: &'static str, source: &'static str) -> Behaviour {
    behaviour(description, Confidence::ReportedIssue, source)
}

pub(crate) const fn inferred(description: &'static str, source: &'static str) -> Behaviour {
    behaviour(description, Confidence::Inferred, source)
}

const fn behaviour(
    description: &'static str,
    confidence: Confidence,
    source: &'static str,
) -> Behaviour {
    Behaviour {
        description,
        confidence,
        source,
    }
}

/// Returns the switches that all clouds share.
pub fn common_switches() -> impl Iterator<Item = SwitchDescription> {
    let of_one_cloud =
        |switch: &&SwitchDescription| Cloud::ALL.iter().any(|cloud| cloud.as_str() == switch.name);
    Switches::DESCRIPTIONS
        .iter()
        .filter(move |switch| !of_one_cloud(switch))
        .copied()
}
