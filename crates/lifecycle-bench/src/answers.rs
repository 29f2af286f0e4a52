//! Responses of the four clouds to a start and to an observation, as bytes that the benchmark
//! server sends.
//!
//! The responses have the fields and the headers of real ones, so that reading costs as much as in
//! production. Zenlayer's rows are short, because an observation asks for states alone there.

use bytes::Bytes;
use lifecycle_bench::{BenchResult, ids};
use lifecycle_core::HttpResponse;
use lifecycle_facade::Cloud;

/// The number of instances in a batch. Every list in a response has as many rows.
pub(crate) const BATCH: usize = 100;

/// Responses, by the part of a request that identifies the operation.
#[derive(Debug)]
pub(crate) struct Answers {
    known: Vec<(RequestMatcher, Vec<u8>)>,
    unknown: Vec<u8>,
}

/// The part of a request that identifies the operation.
#[derive(Clone, Copy, Debug)]
enum RequestMatcher {
    /// The beginning of the request.
    Beginning(&'static str),
    /// A whole line among the request's headers.
    Header(&'static str),
}

impl Answers {
    /// Creates the responses for the instances of the benchmarks.
    pub(crate) fn new() -> BenchResult<Self> {
        Ok(Self {
            known: [aliyun()?, zenlayer()?, baidu()?, huawei()?].concat(),
            unknown: response("404 Not Found", "", "the benchmarks have no answer to this"),
        })
    }

    /// Returns the response to a request with this first line and these headers.
    pub(crate) fn to(&self, head: &str) -> &[u8] {
        let (_, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let mut known = self.known.iter();
        let matching = known.find(|(mark, _)| match mark {
            RequestMatcher::Beginning(text) => head.starts_with(text),
            RequestMatcher::Header(line) => headers.split("\r\n").any(|header| header == *line),
        });
        matching.map_or(&self.unknown, |(_, answer)| answer)
    }
}

/// Returns the response of the benchmark server to a request.
pub(crate) fn recorded(request: &http::Request<Bytes>) -> BenchResult<HttpResponse> {
    let mut head = format!("{} {} HTTP/1.1", request.method(), request.uri().path());
    for (name, value) in request.headers() {
        head += &format!("\r\n{name}: {}", value.to_str()?);
    }
    let answers = Answers::new()?;
    let answer = str::from_utf8(answers.to(&head))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or("the response has no end of its headers")?;
    let mut response = http::Response::builder();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").ok_or("a header has no value")?;
        response = response.header(name, value);
    }
    Ok(response.body(Bytes::copy_from_slice(body.as_bytes()))?)
}

fn aliyun() -> BenchResult<Vec<(RequestMatcher, Vec<u8>)>> {
    const REQUEST: &str = r#""RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E""#;
    let started = rows(
        Cloud::Aliyun,
        include_str!("../answers/aliyun-started.json"),
    )?;
    let instances = rows(
        Cloud::Aliyun,
        include_str!("../answers/aliyun-instance.json"),
    )?;
    let answer = |body: &str| {
        let headers = "x-acs-request-id: 473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E\r\n";
        response("200 OK", headers, body)
    };
    Ok(vec![
        (
            RequestMatcher::Header("x-acs-action: StartInstance"),
            answer(&format!("{{{REQUEST}}}")),
        ),
        (
            RequestMatcher::Header("x-acs-action: StartInstances"),
            answer(&format!(
                r#"{{{REQUEST},"InstanceResponses":{{"InstanceResponse":[{started}]}}}}"#
            )),
        ),
        (
            RequestMatcher::Header("x-acs-action: DescribeInstances"),
            answer(&format!(
                r#"{{"Instances":{{"Instance":[{instances}]}},"TotalCount":{BATCH},{REQUEST},"NextToken":""}}"#
            )),
        ),
    ])
}

fn zenlayer() -> BenchResult<Vec<(RequestMatcher, Vec<u8>)>> {
    const REQUEST: &str = r#""requestId":"TA1B2C3D4-0000-4000-8000-000000000003""#;
    let statuses = rows(
        Cloud::Zenlayer,
        include_str!("../answers/zenlayer-status.json"),
    )?;
    let answer = |fields: &str| {
        let body = format!(r#"{{{REQUEST},"response":{{{REQUEST},{fields}}}}}"#);
        response("200 OK", "", &body)
    };
    Ok(vec![
        (
            RequestMatcher::Header("x-zc-action: StartInstances"),
            answer(r#""instanceIds":[]"#),
        ),
        (
            RequestMatcher::Header("x-zc-action: DescribeInstancesStatus"),
            answer(&format!(r#""totalCount":{BATCH},"dataSet":[{statuses}]"#)),
        ),
    ])
}

fn baidu() -> BenchResult<Vec<(RequestMatcher, Vec<u8>)>> {
    let instances = rows(Cloud::Baidu, include_str!("../answers/baidu-instance.json"))?;
    let answer = |body: &str| {
        let headers = "x-bce-request-id: 1214cca7-4ad5-451d-9215-71cb844c0a50\r\nserver: BWS\r\n";
        response("200 OK", headers, body)
    };
    Ok(vec![
        (
            RequestMatcher::Beginning("PUT /v2/instance/"),
            answer(
                r#"{"requestId":"1214cca7-4ad5-451d-9215-71cb844c0a50","failedInstanceIdList":[]}"#,
            ),
        ),
        (
            RequestMatcher::Beginning("POST /v2/instance/listByInstanceId"),
            answer(&format!(
                r#"{{"marker":"","isTruncated":false,"maxKeys":{BATCH},"instances":[{instances}]}}"#
            )),
        ),
    ])
}

fn huawei() -> BenchResult<Vec<(RequestMatcher, Vec<u8>)>> {
    let servers = rows(Cloud::Huawei, include_str!("../answers/huawei-server.json"))?;
    let answer = |body: &str| {
        let headers = "x-request-id: 77cd5e2ed8d8bbe3a7d4fd0ee6bb8b4d\r\n";
        response("200 OK", headers, body)
    };
    Ok(vec![
        (
            RequestMatcher::Beginning("POST /v1/"),
            answer(r#"{"job_id":"ff80808288d41e1b018990260955686a"}"#),
        ),
        (
            RequestMatcher::Beginning("GET /v1/"),
            answer(&format!(r#"{{"count":{BATCH},"servers":[{servers}]}}"#)),
        ),
    ])
}

/// A row for each instance of a batch, separated by commas.
fn rows(cloud: Cloud, row: &str) -> BenchResult<String> {
    let ids = ids(cloud, BATCH)?;
    let rows = ids.iter().map(|id| row.trim().replace("{id}", id.as_str()));
    Ok(rows.collect::<Vec<_>>().join(","))
}

fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ndate: Fri, 21 Nov 2025 00:00:00 GMT\r\n\
         content-type: application/json;charset=utf-8\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(head: &str) -> String {
        let answer = String::from_utf8(Answers::new().unwrap().to(head).to_vec()).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    #[test]
    fn every_list_is_json_with_a_row_for_each_instance() {
        for (cloud, head, list) in [
            (
                Cloud::Aliyun,
                "POST /?a HTTP/1.1\r\nx-acs-action: StartInstances\r\nhost: x",
                "/InstanceResponses/InstanceResponse",
            ),
            (
                Cloud::Aliyun,
                "POST /?a HTTP/1.1\r\nx-acs-action: DescribeInstances\r\nhost: x",
                "/Instances/Instance",
            ),
            (
                Cloud::Zenlayer,
                "POST / HTTP/1.1\r\nx-zc-action: DescribeInstancesStatus",
                "/response/dataSet",
            ),
            (
                Cloud::Baidu,
                "POST /v2/instance/listByInstanceId?maxKeys=100 HTTP/1.1\r\nhost: x",
                "/instances",
            ),
            (
                Cloud::Huawei,
                "GET /v1/p/cloudservers/detail?limit=100 HTTP/1.1\r\nhost: x",
                "/servers",
            ),
        ] {
            let answer: serde_json::Value = serde_json::from_str(&body(head)).expect(head);
            let rows = answer.pointer(list).expect(list).as_array().expect(list);
            assert_eq!(rows.len(), BATCH, "{head}");
            for (row, id) in rows.iter().zip(ids(cloud, BATCH).unwrap()) {
                assert!(row.to_string().contains(id.as_str()), "{row}");
            }
        }
    }

    #[test]
    fn one_instance_has_an_answer_of_its_own_and_the_unknown_has_none() {
        let one = body("POST /?a HTTP/1.1\r\nx-acs-action: StartInstance\r\nhost: x");
        assert!(!one.contains("InstanceResponses"), "{one}");
        let answers = Answers::new().unwrap();
        for head in ["GET / HTTP/1.1\r\nhost: x", "", "DELETE /v1/x HTTP/1.1"] {
            assert!(answers.to(head).starts_with(b"HTTP/1.1 404 "), "{head}");
        }
    }
}
