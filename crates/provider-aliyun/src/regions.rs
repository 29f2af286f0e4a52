//! The regions of Alibaba ECS:
//! <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeregions>

use lifecycle_core::{
    ApiCall, Fault, HttpResponse, LenientObject, LenientRows, LenientText, Region, ResponseExt,
};
use serde::Deserialize;

use crate::{
    body,
    wire::{Query, post},
};

/// Calls `DescribeRegions`, which the host of any region answers. The names of the regions are requested
/// in English; the default of ECS is Chinese.
pub(crate) fn regions() -> ApiCall<Vec<Region>> {
    let query = Query::default().with("AcceptLanguage", "en-US");
    ApiCall::new(post("DescribeRegions", query), read)
}

/// Reads the regions. A region without an id cannot be reported, so the response is unreadable.
fn read(response: &HttpResponse) -> Result<Vec<Region>, Fault> {
    let body: Body = body::read(response)?;
    let regions = body.regions.0.unwrap_or_default().region;
    let regions =
        regions.all(|row| Some(Region::new(row.region_id.0?).with_name(row.local_name.0)));
    regions.ok_or_else(|| response.unreadable("it has no list of regions with ids"))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Body {
    regions: LenientObject<Regions>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Regions {
    region: LenientRows<Row>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Row {
    region_id: LenientText,
    local_name: LenientText,
}

#[cfg(test)]
mod tests;
