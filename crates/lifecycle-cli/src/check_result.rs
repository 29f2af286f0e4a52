//! The result of one check of `lifecycle doctor`.

use serde::Serialize;

/// The result of a check. The serialized fields are the fields of the JSON output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CheckResult {
    /// The checked account and region.
    #[serde(rename = "place")]
    pub(crate) location: String,
    /// The name of the check.
    pub(crate) check: &'static str,
    /// The status of the check.
    #[serde(rename = "verdict")]
    pub(crate) status: CheckStatus,
    /// The observation.
    pub(crate) detail: String,
    /// The remedy.
    pub(crate) advice: Option<String>,
}

/// The status of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CheckStatus {
    Ok,
    Warning,
    Failed,
    Skipped,
}

impl CheckStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}
