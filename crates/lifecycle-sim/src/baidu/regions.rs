//! The simulated Baidu operation `describeRegions`.

use serde::{Deserialize, Serialize};

use crate::{cloud_state::CloudState, request::ReceivedRequest, response::Response};

use super::api_error::{ApiError, success};

/// The regions of the documents (cloud.baidu.com/doc/BCC/s/0jwvyo603) with the names for people. Other
/// regions exist if instances are there.
const REGIONS: [(&str, &str); 6] = [
    ("bj", "Beijing"),
    ("bd", "Baoding"),
    ("gz", "Guangzhou"),
    ("su", "Suzhou"),
    ("fwh", "Wuhan"),
    ("hkg", "Hong Kong"),
];

/// Returns the region in the body; all regions for an empty text.
pub(super) fn describe(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        region: String,
    }
    #[derive(Serialize)]
    struct Regions<'a> {
        regions: Vec<RegionInfo<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct RegionInfo<'a> {
        region_id: &'a str,
        region_name: &'a str,
        region_endpoint: String,
    }
    // A request without a readable body asks for all regions (inferred).
    let body: Body = request.json().unwrap_or_default();
    let request_id = cloud.uuid();
    let known = REGIONS.map(|(id, _)| id);
    let region = |id| RegionInfo {
        region_id: id,
        region_name: REGIONS
            .iter()
            .find(|(known, _)| *known == id)
            .map_or(id, |(_, name)| name),
        region_endpoint: format!("bcc.{id}.baidubce.com"),
    };
    let ids = cloud.region_names(&known);
    let wanted = ids.filter(|id| body.region.is_empty() || body.region == **id);
    let regions = wanted.map(region).collect();
    Ok(success(&request_id, &Regions { regions }))
}
