//! The section `[defaults]`.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use lifecycle_client::{PlainHttp, Waves};

use super::{section::Section, value};

/// What holds wherever nothing else is said. `None` leaves it as it is without a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Defaults {
    /// How long to wait for what was asked for; for each wave, where there are waves.
    pub timeout: Option<Duration>,
    /// How long one attempt of a call may take, from sending to the last byte of the answer.
    pub attempt_timeout: Option<Duration>,
    /// How long connecting to a cloud may take.
    pub connect_timeout: Option<Duration>,
    /// How many instances go at a time.
    pub waves: Option<Waves>,
    /// How many failures end a request in waves.
    pub stop_after: Option<NonZeroUsize>,
    /// How many instances a request may name before all of it is refused.
    pub max: Option<NonZeroUsize>,
    /// Files with certificates of authorities that are trusted besides the system's.
    pub ca_certificates: Vec<PathBuf>,
    /// Where requests may go without TLS.
    pub plain_http: Option<PlainHttp>,
}

impl Defaults {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self {
            timeout: section.take("timeout", value::time),
            attempt_timeout: section.take("attempt_timeout", value::time),
            connect_timeout: section.take("connect_timeout", value::time),
            waves: section.take("waves", value::wave_size),
            stop_after: section.take("stop_after", value::count),
            max: section.take("max", value::count),
            ca_certificates: section
                .take("ca_certificates", value::paths)
                .unwrap_or_default(),
            plain_http: section.take("plain_http", value::plain_http),
        }
    }
}
