//! Baseline of the benchmark of iterations: a typed reader over borrowed text, and one outcome per instance.
//!
//! The reader accepts the recorded responses and nothing else: no field may be missing or of another type.

use std::collections::HashMap;

use lifecycle_bench::BenchResult;
use lifecycle_core::InstanceId;
use lifecycle_facade::Cloud;
use serde::Deserialize;

/// Returns the state of each instance from the response to an observation, in the order of `ids`.
pub(crate) fn read_states(
    cloud: Cloud,
    body: &[u8],
    ids: &[InstanceId],
) -> BenchResult<Vec<(InstanceId, Option<String>)>> {
    let rows = match cloud {
        Cloud::Aliyun => serde_json::from_slice::<Aliyun<'_>>(body)?.instances.rows,
        Cloud::Zenlayer => serde_json::from_slice::<Zenlayer<'_>>(body)?.response.rows,
        _ => serde_json::from_slice::<Rows<'_>>(body)?.rows,
    };
    let states: HashMap<&str, &str> = rows.iter().map(|row| (row.id, row.status)).collect();
    let outcome = |id: &InstanceId| {
        let status = states.get(id.as_str()).map(ToString::to_string);
        (id.clone(), status)
    };
    Ok(ids.iter().map(outcome).collect())
}

#[derive(Deserialize)]
struct Aliyun<'a> {
    #[serde(borrow, rename = "Instances")]
    instances: Rows<'a>,
}

#[derive(Deserialize)]
struct Zenlayer<'a> {
    #[serde(borrow)]
    response: Rows<'a>,
}

#[derive(Deserialize)]
struct Rows<'a> {
    #[serde(
        borrow,
        alias = "instances",
        alias = "servers",
        alias = "dataSet",
        alias = "Instance"
    )]
    rows: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(alias = "instanceId", alias = "InstanceId")]
    id: &'a str,
    #[serde(alias = "instanceStatus", alias = "Status")]
    status: &'a str,
}
