//! Converts error responses of Huawei's services, and of the API gateway in front of them, into
//! faults.
//!
//! Codes of ECS: `huaweicloudDocs/ecs`, `cn.zh-cn/API参考/错误码.md` on GitHub, and
//! <https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/appendix/error_codes.html>.
//! Codes of the gateway:
//! <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-errorcode.html>.

use lifecycle_core::{ExecutionStatus, Fault, FaultKind, HttpResponse, InstanceId, ResponseExt};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Returns the fault of an error response.
///
/// A response with 200 is never an error: faults in the body belong to a job or a server. Another
/// 2xx status can be an error: flow control uses 202.
pub(crate) fn check(response: &HttpResponse) -> Result<(), Fault> {
    if response.status().as_u16() == 200 {
        return Ok(());
    }
    match reported_fault(response) {
        Some(fault) => Err(fault),
        None if response.status().is_success() => Ok(()),
        None => Err(without_echoed_request(response.fault_from_status())
            .with_request_id(request_id(response))),
    }
}

/// Returns the request id of the gateway's header, of IAM's header, or of an error body if a proxy
/// has removed the headers.
pub(crate) fn request_id(response: &HttpResponse) -> Option<String> {
    let headers = ["x-request-id", "x-iam-trace-id"];
    if let Some(id) = headers.iter().find_map(|name| response.header(name)) {
        return Some(id.to_owned());
    }
    if response.status().as_u16() == 200 {
        return None;
    }
    let body: Value = serde_json::from_slice(response.body()).ok()?;
    Some(body.get("request_id")?.as_str()?.to_owned())
}

/// Reads the body of a successful response.
pub(crate) fn read<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, Fault> {
    response.json().map_err(without_echoed_request)
}

/// Returns the fault of a 2xx response without the expected field: the error in the body, else an
/// unreadable response.
pub(crate) fn missing_field(response: &HttpResponse, expected: &str) -> Fault {
    reported_fault(response)
        .unwrap_or_else(|| without_echoed_request(response.unreadable(&format!("no {expected}"))))
}

/// Returns the fault of a failed job, or of a failed part of a job.
pub(crate) fn from_job(code: Option<&str>, reason: &str) -> Fault {
    ErrorBody {
        code: code.map(str::to_owned),
        message: reason.to_owned(),
    }
    .fault(|_| FaultKind::Failed)
}

/// Returns the fault in the body of a response; `None` for a body in none of the cloud's error
/// formats.
fn reported_fault(response: &HttpResponse) -> Option<Fault> {
    let body: Value = serde_json::from_slice(response.body()).ok()?;
    let error = if response.status().is_success() {
        ErrorBody::complete(&body)?
    } else {
        ErrorBody::in_body(&body)?
    };
    let fault = error.fault(|code| match code {
        Some(code) if is_own_code(code) || request_id(response).is_some() => {
            kind_of_status(code, response.status().as_u16())
        }
        // The text may come from a proxy, whose status 404 does not mean an unknown server: every error
        // format of the cloud has a code.
        _ => response.fault_from_status().kind(),
    });
    let fault = with_part_errors(fault, &PartError::in_body(&body))
        .with_status(response.status().as_u16())
        .with_request_id(request_id(response))
        .with_retry_after(response.retry_after());
    Some(rejected_before_execution(fault))
}

/// Marks a fault as not executed if the cloud rejected the request after a check of the servers, or
/// with a code that is unknown to this library. A proxy knows neither the form of the codes nor a
/// request id.
fn rejected_before_execution(fault: Fault) -> Fault {
    let code = fault.code().unwrap_or_default();
    let is_checked = matches!(
        code.split_once('.'),
        Some(("Ecs", "0101" | "0102" | "0105" | "0119"))
    );
    let is_own = is_own_code(code) || fault.request_id().is_some();
    match fault.kind() {
        FaultKind::Failed if is_checked => {
            fault.with_execution_status(ExecutionStatus::NotExecuted)
        }
        FaultKind::Unknown if is_own => fault.with_plain_rejection(),
        _ => fault,
    }
}

/// Returns true for a code in the form of the cloud: a service and a number, such as `Ecs.0005`.
fn is_own_code(code: &str) -> bool {
    code.split_once('.').is_some_and(|(service, number)| {
        let is_complete = !service.is_empty() && !number.is_empty();
        let is_name = service.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        is_complete && is_name && is_number
    })
}

/// The code and the message of an error, independent of the format.
struct ErrorBody {
    code: Option<String>,
    message: String,
}

impl ErrorBody {
    /// Finds the outermost object with a code and a message, else with one of the two.
    fn in_body(body: &Value) -> Option<Self> {
        Self::complete(body).or_else(|| Self::partial(body))
    }

    /// Tries the field names in the order of Huawei's SDK.
    fn complete(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        NAMES
            .iter()
            .find_map(|(code, message)| {
                Some(Self {
                    code: Some(code_in(object, code)?),
                    message: text_in(object, message)?,
                })
            })
            .or_else(|| children(object).find_map(Self::complete))
    }

    fn partial(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        NAMES
            .iter()
            .find_map(|(code, message)| {
                let (code, message) = (code_in(object, code), text_in(object, message));
                (code.is_some() || message.is_some()).then(|| Self {
                    code,
                    message: message.unwrap_or_default(),
                })
            })
            .or_else(|| children(object).find_map(Self::partial))
    }

    /// Converts the error; `fallback` returns the kind of a code without an entry in the tables.
    fn fault(self, fallback: impl Fn(Option<&str>) -> FaultKind) -> Fault {
        let code = self.code.as_deref();
        let listed = code.and_then(|code| kind_of_code(code, &self.message));
        let quoted = match listed {
            None | Some(FaultKind::Unavailable) => kind_of_quoted_error(&self.message),
            Some(_) => None,
        };
        let kind = quoted.or(listed).unwrap_or_else(|| fallback(code));
        let mut fault = Fault::new(kind, self.message);
        if code.is_some_and(stopped_at_gateway) {
            fault = fault.with_execution_status(ExecutionStatus::NotExecuted);
        }
        if quoted.is_some() {
            // The outer service had started the action when the inner service rejected the call.
            fault = fault.with_execution_status(ExecutionStatus::Unknown);
        }
        if let Some(code) = self.code {
            fault = fault.with_code(code);
        }
        without_echoed_request(fault)
    }
}

/// Field names of code and message: of the gateway, of some newer services, of ECS and OpenStack,
/// and of the rows of a failed batch.
const NAMES: [(&str, &str); 4] = [
    ("error_code", "error_msg"),
    ("errorCode", "errorMsg"),
    ("code", "message"),
    ("error_code", "error_message"),
];

/// Accepts numbers too, because OpenStack's codes are numbers.
fn code_in(object: &Map<String, Value>, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(code) if !code.is_empty() => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    }
}

fn text_in(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

/// Returns the values of an object, `error` first.
fn children(object: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let others = object.iter().filter(|(name, _)| *name != "error");
    object
        .get("error")
        .into_iter()
        .chain(others.map(|(_, value)| value))
}

/// Returns the kind of a code; `None` for a code whose kind depends on the HTTP status, and for an
/// unknown code.
fn kind_of_code(code: &str, message: &str) -> Option<FaultKind> {
    if let Ok(status) = code.parse() {
        return Some(FaultKind::from_status(status)).filter(|kind| *kind != FaultKind::Unknown);
    }
    Some(match code.split_once('.')? {
        // ECS.
        ("Ecs", "0000" | "0005") | ("Common", "0002" | "0011") => FaultKind::Invalid,
        ("Ecs", "0100") => FaultKind::WrongState,
        ("Ecs", "0114" | "0614") => FaultKind::NotFound,
        ("Ecs", "0001" | "0021" | "0022" | "0118") => FaultKind::Quota,
        // HTTP 501, although the reason is another running command: "retry after 1 minute".
        ("Ecs", "0603") => FaultKind::Busy,
        // The system disk is in a backup.
        ("Ecs", "0073") => FaultKind::Busy,
        ("Ecs", "0030" | "0605") => FaultKind::Locked,
        ("Ecs", "0018" | "0019" | "0044" | "0319" | "0703") => FaultKind::Capacity,
        // Account not verified, no balance, no payment method, no budget, frozen, suspended
        // (arrears).
        ("Ecs", "0003" | "0066" | "0067" | "0068" | "0069" | "0070" | "0071" | "7000") => {
            FaultKind::Billing
        }
        ("Ecs", "0004" | "0023" | "0049" | "0110" | "0707")
        | ("Common", "0018")
        | ("Pdp", "0001") => FaultKind::Permission,
        ("Common", "0013") => FaultKind::Credential,
        // HTTP 202, and 503 or 429.
        ("Common", "0024" | "1503") => FaultKind::Throttled,
        ("Ecs", "0101" | "0102" | "0105" | "0119" | "0226" | "0227" | "0611")
        | ("Common", "0020" | "0021" | "0999") => FaultKind::Failed,
        (
            "Ecs",
            "0002" | "0106" | "0208" | "0615" | "1000" | "1001" | "1002" | "1100" | "1200" | "1201"
            | "1300",
        )
        | ("Common", "0001" | "0022" | "0025" | "0026") => FaultKind::Unavailable,
        // "Try again later", from 0301 to 0323.
        ("Ecs", number) if ("0301"..="0323").contains(&number) && number.len() == 4 => {
            FaultKind::Unavailable
        }

        // The gateway; `APIG` is the prefix of gateways that customers run. 0101 is an unknown path
        // or method, not a missing server, although both are 404: the endpoint is not the endpoint
        // of ECS.
        ("APIGW" | "APIG", number) => match number {
            "0101" => FaultKind::WrongEndpoint,
            "0301" if is_clock_skew(message) => FaultKind::ClockSkew,
            // A wrong signature, an unknown key, a locked key, an invalid token.
            "0301" | "0305" | "0307" => FaultKind::Credential,
            "0308" => FaultKind::Throttled,
            "0302" | "0306" | "0310" | "0401" | "0402" | "0404" | "0801" | "0802" => {
                FaultKind::Permission
            }
            "0103" | "0601" | "0605" | "0606" | "0608" | "0610" | "0613" => FaultKind::Unavailable,
            // 0201 comes with six HTTP statuses, each with another meaning.
            _ => return None,
        },
        _ => return None,
    })
}

/// Detects a clock difference of more than 15 minutes, which has the same code as a wrong
/// signature.
fn is_clock_skew(message: &str) -> bool {
    message.to_ascii_lowercase().contains("signature expired")
}

/// Returns true if the gateway did not forward the request: no backend, or no authentication
/// service.
fn stopped_at_gateway(code: &str) -> bool {
    matches!(
        code.split_once('.'),
        Some(("APIGW" | "APIG", "0103" | "0610" | "0613"))
    )
}

/// Returns the kind of a code without an entry in the tables.
///
/// ECS returns 400 for most errors, so the status says nothing about an unknown code of ECS, except for
/// keys, permissions, unknown servers, lost time and throttling. The statuses of the gateway are
/// meaningful.
fn kind_of_status(code: &str, status: u16) -> FaultKind {
    let is_of_gateway = code.starts_with("APIG");
    match (FaultKind::from_unlisted_code(code, status), status) {
        (FaultKind::Unavailable, _) => FaultKind::Unavailable,
        (kind, 401 | 403 | 404 | 429) => kind,
        (_, 400) if !is_of_gateway => FaultKind::Unknown,
        (_, 400..=499) if !is_of_gateway && is_own_code(code) => FaultKind::Unknown,
        (_, 494) => FaultKind::Invalid,
        (kind, _) => kind,
    }
}

/// Returns the kind of an error of an inner service that a message quotes, such as
/// `.. error message ={"itemNotFound": {"message": "..", "code": 404}}`.
fn kind_of_quoted_error(message: &str) -> Option<FaultKind> {
    let document = message.get(message.find('{')?..)?;
    let mut documents = serde_json::Deserializer::from_str(document).into_iter::<Value>();
    let error = ErrorBody::in_body(&documents.next()?.ok()?)?;
    Some(match kind_of_code(&error.code?, &error.message)? {
        // ECS sent the call to the inner service, so request and key of the caller are not at
        // fault.
        FaultKind::Invalid | FaultKind::Permission | FaultKind::Credential => FaultKind::Failed,
        kind => kind,
    })
}

/// The error of one part of a batch.
struct PartError {
    instance: Option<InstanceId>,
    error: ErrorBody,
}

impl PartError {
    /// Reads `error.details`, and the `internalError` of batches other than power actions.
    fn in_body(body: &Value) -> Vec<Self> {
        [body.pointer("/error/details"), body.get("internalError")]
            .into_iter()
            .filter_map(|rows| rows?.as_array())
            .flatten()
            .filter_map(|row| {
                let id = row.get("id").and_then(Value::as_str);
                Some(Self {
                    instance: id
                        .and_then(|id| InstanceId::new(id).ok())
                        .map(|id| crate::canonical_id(&id)),
                    error: ErrorBody::in_body(row)?,
                })
            })
            .collect()
    }

    fn kind(&self) -> Option<FaultKind> {
        kind_of_code(self.error.code.as_deref()?, &self.error.message)
    }
}

/// Adds the errors of the parts to the fault of a batch, which has little information.
///
/// The kind of the parts means that the parts were rejected. The cloud does not say whether other
/// parts were executed, so the execution status of the batch is kept.
fn with_part_errors(fault: Fault, parts: &[PartError]) -> Fault {
    let Some(first) = parts.first() else {
        return fault;
    };
    let shared = first
        .kind()
        .filter(|kind| parts.iter().all(|part| part.kind() == Some(*kind)));
    let kind = match fault.kind() {
        FaultKind::Failed => shared.unwrap_or(FaultKind::Failed),
        specific => specific,
    };
    let reasons: Vec<&str> = parts
        .iter()
        .take(3)
        .flat_map(|part| {
            [
                part.error.code.as_deref(),
                Some(part.error.message.as_str()),
            ]
        })
        .flatten()
        .collect();
    let message = format!("{} ({})", fault.message(), reasons.join(" "));
    let instances = parts.iter().filter_map(|part| part.instance.clone());
    let execution_status = fault.execution_status();
    without_echoed_request(
        fault
            .with_kind(kind)
            .with_execution_status(execution_status)
            .with_instances(instances.collect())
            .with_message(message),
    )
}

/// Cuts the message before any part of the request.
///
/// For a wrong signature, the gateway returns the canonical request, with lines separated by `|`.
/// These lines hold the values of headers, such as the session token.
fn without_echoed_request(fault: Fault) -> Fault {
    let lower_case = fault.message().to_ascii_lowercase();
    let Some(end) = ECHO_MARKERS
        .iter()
        .filter_map(|marker| lower_case.find(marker))
        .min()
    else {
        return fault;
    };
    let kept = fault.message().get(..end).unwrap_or_default();
    let kept = kept.trim_end_matches([' ', ',', ':', '"']).to_owned();
    fault.with_message(kept)
}

/// Texts at the start of an echoed request, and header names inside of it.
const ECHO_MARKERS: [&str; 11] = [
    "canonicalrequest",
    "canonical request",
    "|",
    "authorization:",
    "content-type:",
    "\nhost:",
    " host:",
    "x-auth-token",
    "x-project-id",
    "x-sdk-date",
    "x-security-token",
];

#[cfg(test)]
mod tests;
