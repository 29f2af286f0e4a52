//! Reads the section `[defaults]` of the configuration file.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use lifecycle_client::{FailureLimit, PlainHttp, Waves};
use lifecycle_core::NamePattern;

use super::{section::Section, value};

/// Defaults for all requests. `None` leaves a setting to the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Defaults {
    /// The time limit for the result of a request, or of each wave.
    pub timeout: Option<Duration>,
    /// The time limit for one attempt of a call, until the last byte of the response.
    pub attempt_timeout: Option<Duration>,
    /// The time limit for a connection to a cloud.
    pub connect_timeout: Option<Duration>,
    /// The size of a wave.
    pub waves: Option<Waves>,
    /// The pause between two waves.
    pub wave_pause: Option<Duration>,
    /// The failures that stop the remaining waves.
    pub stop_after: Option<FailureLimit>,
    /// The maximum number of instances in a request. A larger request is refused as a whole.
    pub max: Option<NonZeroUsize>,
    /// Certificate files of additional trusted authorities.
    pub ca_certificates: Vec<PathBuf>,
    /// The destinations that requests may reach without TLS.
    pub plain_http: Option<PlainHttp>,
    /// Patterns of the names of instances that are protected from stops and reboots.
    pub protect: Vec<NamePattern>,
    /// The key of the tag that protects an instance from stops and reboots.
    pub protect_tag: Option<String>,
}

impl Defaults {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self {
            timeout: section.take("timeout", value::duration),
            attempt_timeout: section.take("attempt_timeout", value::duration),
            connect_timeout: section.take("connect_timeout", value::duration),
            waves: section.take("waves", value::wave_size),
            wave_pause: section.take("wave_pause", value::duration),
            stop_after: section.take("stop_after", value::stop_after),
            max: section.take("max", value::count),
            ca_certificates: section
                .take("ca_certificates", value::paths)
                .unwrap_or_default(),
            plain_http: section.take("plain_http", value::plain_http),
            protect: section.take("protect", value::patterns).unwrap_or_default(),
            protect_tag: section.take("protect_tag", value::text),
        }
    }
}
