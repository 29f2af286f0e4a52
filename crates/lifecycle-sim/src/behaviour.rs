//! What is simulated and how well it is known, as data.

use std::fmt;

use crate::{Cloud, aliyun, baidu, huawei, switches::Switches, zenlayer};

/// One thing that the simulator does, and what that rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behaviour {
    /// What is simulated, as a sentence.
    pub description: &'static str,
    /// How well it is known.
    pub confidence: Confidence,
    /// Where that can be read, or what it was concluded from.
    pub source: &'static str,
}

/// How well something is known. None of it was compared with a live cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Confidence {
    /// A page of the vendor says so.
    Documented,
    /// A program of the vendor does so, or relies on it.
    VendorSource,
    /// Somebody reported it in public.
    ReportedIssue,
    /// A conclusion from other facts.
    Inferred,
    /// Nobody outside the vendor knows: a switch of the simulator.
    SwitchableUnknown,
}

impl Confidence {
    /// All marks, the best known first.
    pub const ALL: [Self; 5] = [
        Self::Documented,
        Self::VendorSource,
        Self::ReportedIssue,
        Self::Inferred,
        Self::SwitchableUnknown,
    ];

    /// The words for it.
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

/// A setting for which the vendor's documents give no answer, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwitchDescription {
    /// The name of its field.
    pub name: &'static str,
    /// What it decides and what is known of it: the documentation of the field.
    pub description: &'static str,
}

impl SwitchDescription {
    pub(crate) const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }
}

impl Cloud {
    /// What is simulated of this cloud and is no switch.
    pub fn behaviours(self) -> &'static [Behaviour] {
        match self {
            Self::Baidu => baidu::behaviours::BEHAVIOURS,
            Self::Aliyun => aliyun::behaviours::BEHAVIOURS,
            Self::Zenlayer => zenlayer::behaviours::BEHAVIOURS,
            Self::Huawei => huawei::behaviours::BEHAVIOURS,
        }
    }

    /// The switches of this cloud alone, in the order of their definition.
    pub fn switches(self) -> &'static [SwitchDescription] {
        match self {
            Self::Baidu => baidu::switches::Switches::DESCRIPTIONS,
            Self::Aliyun => aliyun::switches::Switches::DESCRIPTIONS,
            Self::Zenlayer => zenlayer::switches::Switches::DESCRIPTIONS,
            Self::Huawei => huawei::switches::Switches::DESCRIPTIONS,
        }
    }
}

/// What is simulated of all clouds alike.
pub const COMMON_BEHAVIOURS: &[Behaviour] = &[
    inferred(
        "A boot takes 30 s, a graceful stop 20 s and a reboot 40 s, give or take a third; a forced stop takes a tenth and a forced reboot half of that.",
        "a choice, see `Tempo`: no vendor documents durations; Huawei's Terraform provider speaks of 15 to 35 s",
    ),
    vendor(
        "An accepted action may not show in the state for a while (`Tempo::lag`; none unless set).",
        "Baidu's Terraform provider takes the old state for \"still waiting\"",
    ),
    inferred(
        "A cloud can refuse calls above a rate or a number in each minute (`Throttle`; none unless set). A throttled call is not carried out.",
        "no vendor publishes numbers; the minute is Alibaba's own description",
    ),
    inferred(
        "A server error, a reset or silence may strike before or after the cloud has acted (`When`).",
        "what any network does",
    ),
    inferred(
        "Proxies answer with HTML or with nothing in the place of the cloud's own form.",
        "the vendors' SDKs have code for such answers, and were seen to break on them",
    ),
    inferred(
        "Keys and tokens that an identity service has handed out end by the cloud's own clock, to the second, and are remembered for a day.",
        "the times in the answers are whole seconds",
    ),
    inferred(
        "Where no metadata service was asked for, its addresses answer 404.",
        "outside the vendor's own machines nobody answers there at all",
    ),
    inferred(
        "A deleted instance is found by no call, with the answer of an id that never was.",
        "that is all that an account can see",
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

/// The switches that all clouds share.
pub fn common_switches() -> impl Iterator<Item = SwitchDescription> {
    let of_one_cloud =
        |switch: &&SwitchDescription| Cloud::ALL.iter().any(|cloud| cloud.as_str() == switch.name);
    Switches::DESCRIPTIONS
        .iter()
        .filter(move |switch| !of_one_cloud(switch))
        .copied()
}
