//! What the error answers of Huawei's services and of the gateway before them mean.
//!
//! The codes of ECS: `huaweicloudDocs/ecs`, `cn.zh-cn/API参考/错误码.md` on GitHub, and
//! <https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/appendix/error_codes.html>. The
//! codes of the gateway:
//! <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-errorcode.html>.

use lifecycle_core::{ExecutionStatus, Fault, FaultKind, HttpResponse, InstanceId, ResponseExt};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Is this answer a refusal or a failure?
///
/// 200 is not: the faults in such a body are those of a job or of a server. Other 2xx can be: flow
/// control answers 202.
pub(crate) fn check(reply: &HttpResponse) -> Result<(), Fault> {
    if reply.status().as_u16() == 200 {
        return Ok(());
    }
    match reported(reply) {
        Some(fault) => Err(fault),
        None if reply.status().is_success() => Ok(()),
        None => Err(without_request(reply.fault_from_status()).with_request_id(request_id(reply))),
    }
}

/// The gateway's header, that of the identity service, or what the body of an error says where a
/// proxy has dropped them.
pub(crate) fn request_id(reply: &HttpResponse) -> Option<String> {
    let headers = ["x-request-id", "x-iam-trace-id"];
    if let Some(id) = headers.iter().find_map(|name| reply.header(name)) {
        return Some(id.to_owned());
    }
    if reply.status().as_u16() == 200 {
        return None;
    }
    let body: Value = serde_json::from_slice(reply.body()).ok()?;
    Some(body.get("request_id")?.as_str()?.to_owned())
}

/// The body of a good answer.
pub(crate) fn read<T: DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fault> {
    reply.json().map_err(without_request)
}

/// The fault of a 2xx answer that lacks what it is there for: the error that it reports instead,
/// or that nobody can tell what it says.
pub(crate) fn instead_of(reply: &HttpResponse, expected: &str) -> Fault {
    reported(reply)
        .unwrap_or_else(|| without_request(reply.unreadable(&format!("it has no {expected}"))))
}

/// The fault that a job reports of itself or of one of its parts, which is finished.
pub(crate) fn of_job(code: Option<&str>, reason: &str) -> Fault {
    Notice {
        code: code.map(str::to_owned),
        message: reason.to_owned(),
    }
    .fault(|_| FaultKind::Failed)
}

/// The fault in the body of an answer, if it has one in any of the cloud's forms.
fn reported(reply: &HttpResponse) -> Option<Fault> {
    let body: Value = serde_json::from_slice(reply.body()).ok()?;
    let notice = if reply.status().is_success() {
        Notice::whole(&body)?
    } else {
        Notice::in_body(&body)?
    };
    let fault = notice.fault(|code| match code {
        Some(code) => kind_of_status(code, reply.status().as_u16()),
        // All of the cloud's forms have a code: this text may be anybody's.
        None => reply.fault_from_status().kind(),
    });
    Some(
        with_causes(fault, &Cause::in_body(&body))
            .with_status(reply.status().as_u16())
            .with_request_id(request_id(reply))
            .with_retry_after(reply.retry_after()),
    )
}

/// Code and message, in whichever form they came.
struct Notice {
    code: Option<String>,
    message: String,
}

impl Notice {
    /// The outermost pair of code and message; where there is none, half of one.
    fn in_body(body: &Value) -> Option<Self> {
        Self::whole(body).or_else(|| Self::half(body))
    }

    /// The names are tried in the order of Huawei's SDK.
    fn whole(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        NAMES
            .iter()
            .find_map(|(code, message)| {
                Some(Self {
                    code: Some(code_in(object, code)?),
                    message: text_in(object, message)?,
                })
            })
            .or_else(|| inner(object).find_map(Self::whole))
    }

    fn half(value: &Value) -> Option<Self> {
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
            .or_else(|| inner(object).find_map(Self::half))
    }

    /// `otherwise` judges a code that is not in the table.
    fn fault(self, otherwise: impl Fn(Option<&str>) -> FaultKind) -> Fault {
        let code = self.code.as_deref();
        let known = code.and_then(|code| kind_of(code, &self.message));
        let quoted = match known {
            None | Some(FaultKind::Unavailable) => kind_of_quoted(&self.message),
            Some(_) => None,
        };
        let kind = quoted.or(known).unwrap_or_else(|| otherwise(code));
        let mut fault = Fault::new(kind, self.message);
        if code.is_some_and(went_no_further) {
            fault = fault.with_execution_status(ExecutionStatus::NotExecuted);
        }
        if quoted.is_some() {
            // The outer service was at work when the inner one refused.
            fault = fault.with_execution_status(ExecutionStatus::Unknown);
        }
        if let Some(code) = self.code {
            fault = fault.with_code(code);
        }
        without_request(fault)
    }
}

/// What code and message are called: by the gateway, by some newer services, by ECS and OpenStack,
/// and in the rows of a failed batch.
const NAMES: [(&str, &str); 4] = [
    ("error_code", "error_msg"),
    ("errorCode", "errorMsg"),
    ("code", "message"),
    ("error_code", "error_message"),
];

/// OpenStack's codes are numbers.
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

/// What an object holds, `error` first.
fn inner(object: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let others = object.iter().filter(|(name, _)| *name != "error");
    object
        .get("error")
        .into_iter()
        .chain(others.map(|(_, value)| value))
}

/// The meaning of a code of the tables; `None` leaves it to the HTTP status.
fn kind_of(code: &str, message: &str) -> Option<FaultKind> {
    if let Ok(status) = code.parse() {
        return Some(FaultKind::from_status(status)).filter(|kind| *kind != FaultKind::Unknown);
    }
    Some(match code.split_once('.')? {
        // ECS.
        ("Ecs", "0000" | "0005") | ("Common", "0002" | "0011") => FaultKind::Invalid,
        ("Ecs", "0100") => FaultKind::WrongState,
        ("Ecs", "0114" | "0614") => FaultKind::NotFound,
        ("Ecs", "0118") => FaultKind::Quota,
        // HTTP 501, and still another command is under way: "retry after 1 minute".
        ("Ecs", "0603") => FaultKind::Busy,
        ("Ecs", "0030" | "0605") => FaultKind::Locked,
        ("Ecs", "0018" | "0319") => FaultKind::Capacity,
        // Not verified, no balance, no means of payment, no budget, frozen, suspended.
        ("Ecs", "0003" | "0066" | "0067" | "0068" | "0069" | "0070" | "0071") => FaultKind::Billing,
        ("Ecs", "0004" | "0023" | "0110") | ("Common", "0018") | ("Pdp", "0001") => {
            FaultKind::Permission
        }
        ("Common", "0013") => FaultKind::Credential,
        // HTTP 202, and 503 or 429.
        ("Common", "0024" | "1503") => FaultKind::Throttled,
        ("Ecs", "0226" | "0227" | "0611") | ("Common", "0020" | "0021" | "0999") => {
            FaultKind::Failed
        }
        (
            "Ecs",
            "0002" | "0301" | "0615" | "1000" | "1001" | "1002" | "1100" | "1200" | "1201" | "1300",
        )
        | ("Common", "0001" | "0022" | "0025") => FaultKind::Unavailable,

        // The gateway; APIG is its name at customers' own ones. 0101 is a wrong path or method,
        // not a missing server, although both are 404.
        ("APIGW" | "APIG", number) => match number {
            "0101" => FaultKind::Invalid,
            "0301" if is_about_time(message) => FaultKind::ClockSkew,
            // A wrong signature, an unknown key, a locked key, a token that cannot be read.
            "0301" | "0305" | "0307" => FaultKind::Credential,
            "0308" => FaultKind::Throttled,
            "0302" | "0306" | "0310" | "0401" | "0402" | "0404" | "0801" | "0802" => {
                FaultKind::Permission
            }
            "0103" | "0601" | "0605" | "0606" | "0608" | "0610" | "0613" => FaultKind::Unavailable,
            // 0201 comes with six HTTP statuses, and only they tell its meanings apart.
            _ => return None,
        },
        _ => return None,
    })
}

/// The one place where a text has to be read: a clock that is wrong by more than 15 minutes has
/// the code of a wrong signature.
fn is_about_time(message: &str) -> bool {
    message.to_ascii_lowercase().contains("signature expired")
}

/// Did a request with this code end at the gateway: no backend, or nobody who could tell whose
/// request it is?
fn went_no_further(code: &str) -> bool {
    matches!(
        code.split_once('.'),
        Some(("APIGW" | "APIG", "0103" | "0610" | "0613"))
    )
}

/// The meaning of a code that the tables do not have.
///
/// ECS answers most of its failures with 400, so the status says nothing about a code of its own
/// that is new; the gateway's statuses do.
fn kind_of_status(code: &str, status: u16) -> FaultKind {
    match status {
        400 if !code.starts_with("APIG") => FaultKind::Unknown,
        494 => FaultKind::Invalid,
        _ => FaultKind::from_status(status),
    }
}

/// The meaning of an error of an inner service that a message quotes, such as
/// `.. error message ={"itemNotFound": {"message": "..", "code": 404}}`.
fn kind_of_quoted(message: &str) -> Option<FaultKind> {
    let document = message.get(message.find('{')?..)?;
    let mut documents = serde_json::Deserializer::from_str(document).into_iter::<Value>();
    let notice = Notice::in_body(&documents.next()?.ok()?)?;
    Some(match kind_of(&notice.code?, &notice.message)? {
        // It was not the caller who asked the inner service, nor the caller's key.
        FaultKind::Invalid | FaultKind::Permission | FaultKind::Credential => FaultKind::Failed,
        kind => kind,
    })
}

/// Why one part of a batch failed.
struct Cause {
    instance: Option<InstanceId>,
    notice: Notice,
}

impl Cause {
    /// `error.details`, and the `internalError` of batches that are not power actions.
    fn in_body(body: &Value) -> Vec<Self> {
        [body.pointer("/error/details"), body.get("internalError")]
            .into_iter()
            .filter_map(|rows| rows?.as_array())
            .flatten()
            .filter_map(|row| {
                let id = row.get("id").and_then(Value::as_str);
                Some(Self {
                    instance: id.and_then(|id| InstanceId::new(id).ok()),
                    notice: Notice::in_body(row)?,
                })
            })
            .collect()
    }

    fn kind(&self) -> Option<FaultKind> {
        kind_of(self.notice.code.as_deref()?, &self.notice.message)
    }
}

/// The fault of a batch, which says little by itself, with what is known of its parts.
///
/// The kind of the parts is that of refusals, but nobody says whether the rest of the batch was
/// carried out: the effect stays that of the batch.
fn with_causes(fault: Fault, causes: &[Cause]) -> Fault {
    let Some(first) = causes.first() else {
        return fault;
    };
    let shared = first
        .kind()
        .filter(|kind| causes.iter().all(|cause| cause.kind() == Some(*kind)));
    let kind = match fault.kind() {
        FaultKind::Failed => shared.unwrap_or(FaultKind::Failed),
        known => known,
    };
    let reasons: Vec<&str> = causes
        .iter()
        .take(3)
        .flat_map(|cause| {
            [
                cause.notice.code.as_deref(),
                Some(cause.notice.message.as_str()),
            ]
        })
        .flatten()
        .collect();
    let message = format!("{} ({})", fault.message(), reasons.join(" "));
    let instances = causes.iter().filter_map(|cause| cause.instance.clone());
    let effect = fault.execution_status();
    without_request(
        fault
            .with_kind(kind)
            .with_execution_status(effect)
            .with_instances(instances.collect())
            .with_message(message),
    )
}

/// The fault with its message cut before any part of the request that it repeats.
///
/// The gateway answers a wrong signature with the canonical request that it made, its lines
/// separated by `|`, and these hold the values of headers: a session token among them.
fn without_request(fault: Fault) -> Fault {
    let lower_case = fault.message().to_ascii_lowercase();
    let Some(end) = REPEATED
        .iter()
        .filter_map(|word| lower_case.find(word))
        .min()
    else {
        return fault;
    };
    let kept = fault.message().get(..end).unwrap_or_default();
    let kept = kept.trim_end_matches([' ', ',', ':', '"']).to_owned();
    fault.with_message(kept)
}

/// What the repeated request begins with, and what is in it.
const REPEATED: [&str; 11] = [
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
