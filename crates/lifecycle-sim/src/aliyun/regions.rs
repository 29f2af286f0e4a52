//! Alibaba's public regions, and the simulated operation `DescribeRegions`. A region exists with or without
//! simulated instances.

use serde::Serialize;

use super::{envelope::Envelope, params::Params};
use crate::{cloud_state::CloudState, response::Response};

/// Handles `DescribeRegions`. Documented: fields, languages. Inferred: all regions are listed for each
/// payment method and resource type, also regions without access.
pub(super) fn describe(cloud: &CloudState, params: &Params, envelope: &Envelope) -> Response {
    let in_chinese = params
        .text("AcceptLanguage")
        .is_none_or(|language| language.starts_with("zh"));
    let region = |id| Region {
        region_id: id,
        region_endpoint: endpoint(id),
        local_name: NAMES
            .iter()
            .find(|(known, _)| in_chinese && *known == id)
            .map_or(id, |(_, name)| name),
    };
    let region = cloud.region_names(&REGIONS).map(region).collect();
    envelope.success(&Regions {
        regions: RegionList { region },
    })
}

fn endpoint(region: &str) -> String {
    match region {
        "cn-hangzhou" | "cn-shanghai-finance-1" | "cn-shenzhen-finance-1" => {
            "ecs-cn-hangzhou.aliyuncs.com".to_owned()
        }
        _ => format!("ecs.{region}.aliyuncs.com"),
    }
}

/// The names for people of some regions. The name of another region is the id.
const NAMES: [(&str, &str); 8] = [
    ("cn-beijing", "华北2（北京）"),
    ("cn-hangzhou", "华东1（杭州）"),
    ("cn-huhehaote", "华北5（呼和浩特）"),
    ("cn-qingdao", "华北1（青岛）"),
    ("cn-shanghai", "华东2（上海）"),
    ("cn-shenzhen", "华南1（深圳）"),
    ("cn-wulanchabu", "华北6（乌兰察布）"),
    ("cn-zhangjiakou", "华北3（张家口）"),
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Regions<'a> {
    regions: RegionList<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RegionList<'a> {
    region: Vec<Region<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Region<'a> {
    region_id: &'a str,
    region_endpoint: String,
    local_name: &'a str,
}

/// Reports whether the vendor has this region. Other names exist if instances are there.
pub(super) fn is_known(name: &str) -> bool {
    REGIONS.contains(&name)
}

/// The public regions of the Go SDK's endpoint map (vendor's source).
const REGIONS: [&str; 39] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ap-southeast-8",
    "cn-beijing",
    "cn-chengdu",
    "cn-fuzhou",
    "cn-guangzhou",
    "cn-hangzhou",
    "cn-heyuan",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-nanjing",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-shenzhen-finance-1",
    "cn-wuhan-lr",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "cn-zhongwei",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "me-central-1",
    "me-east-1",
    "na-south-1",
    "us-east-1",
    "us-southeast-1",
    "us-west-1",
    "cn-wuhan",
    "cn-zhangbei",
];
