//! The result of one check of `lifecycle doctor`.

use serde::Serialize;

/// The result of a check. The serialized fields are the fields of the JSON output; the names in the JSON
/// output are older than the names here, and stay.
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
    /// The observation, as a sentence.
    pub(crate) detail: String,
    /// The next step of the user; `None` if the check needs no action.
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
    /// Returns the word in the table. Failures are in capitals, so that a reader finds them.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}
