//! The regions of BCC. The call is in the API metadata of Baidu (`bce-openapi-meta`, `DescribeRegions`) and
//! in the documents of the Go SDK (`doc/BCC.md`); the response is in the models of the Python SDK
//! (`baiducloud-python-sdk-bcc` 0.0.9).

use http::Method;
use lifecycle_core::{
    ApiCall, Fault, HttpResponse, LenientRows, LenientText, Region, ResponseExt, UnsignedRequest,
};
use serde::Deserialize;

/// Returns the call that lists the regions. An empty region means all regions.
pub(crate) fn regions() -> ApiCall<Vec<Region>> {
    let request = UnsignedRequest::new(
        "DescribeRegions",
        Method::POST,
        "/v2/region/describeRegions",
    );
    ApiCall::new(request.with_body(r#"{"region":""}"#), read)
}

/// Reads the regions. A region without an id cannot be reported, so the response is unreadable.
fn read(response: &HttpResponse) -> Result<Vec<Region>, Fault> {
    let body: Body = response.json()?;
    let region = |row: Row| Some(Region::new(row.region_id.0?).with_name(row.region_name.0));
    let regions = body.regions.all(region);
    regions.ok_or_else(|| response.unreadable("it has no list of regions with ids"))
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    regions: LenientRows<Row>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row {
    region_id: LenientText,
    region_name: LenientText,
}

#[cfg(test)]
mod tests;
