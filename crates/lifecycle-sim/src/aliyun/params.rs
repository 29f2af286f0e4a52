//! The parameters of a request to simulated Alibaba ECS.

use super::{
    api_error::{self, ApiError},
    switches::Switches,
};
use crate::request::{ReceivedRequest, form_pairs};

/// The parameters of a request: the operation and the format of the response, too.
#[derive(Debug)]
pub(super) struct Params {
    pub(super) action: String,
    pub(super) version: String,
    /// The requested format, or `None` if the request does not name a format.
    pub(super) format: Option<Format>,
    parameters: Vec<(String, String)>,
}

/// The format of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Xml,
}

impl Params {
    /// Collects the parameters of a request. A V3 signature covers headers that name the operation,
    /// a V1 signature covers parameters; signed values count.
    pub(super) fn of(request: &ReceivedRequest) -> Self {
        let parameters = parameters(request);
        let signed_in_headers = request.headers.contains_key("authorization");
        let word = |header: &str, name: &str| {
            let from_header = request.header(header);
            let from_parameter = value(&parameters, name);
            let word = if signed_in_headers {
                from_header.or(from_parameter)
            } else {
                from_parameter.or(from_header)
            };
            word.unwrap_or_default().to_owned()
        };
        Self {
            action: word("x-acs-action", "Action"),
            version: word("x-acs-version", "Version"),
            format: format(value(&parameters, "Format"), request.header("accept")),
            parameters,
        }
    }

    /// Returns a parameter, or `None` for a missing or empty parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        value(&self.parameters, name).filter(|value| !value.is_empty())
    }

    /// Returns a mandatory parameter.
    pub(super) fn required(&self, name: &str, switches: &Switches) -> Result<&str, ApiError> {
        self.text(name)
            .ok_or_else(|| api_error::missing(name, switches.missing_parameter))
    }

    /// Returns a boolean; the default is false. `true` and `True` are both in use (vendor's
    /// source).
    pub(super) fn flag(&self, name: &str, switches: &Switches) -> Result<bool, ApiError> {
        match self.text(name) {
            None | Some("false" | "False") => Ok(false),
            Some("true" | "True") => Ok(true),
            Some("TRUE") if switches.upper_case_booleans => Ok(true),
            Some("FALSE") if switches.upper_case_booleans => Ok(false),
            Some(_) => Err(api_error::invalid(name)),
        }
    }

    /// Returns a number from `min` to `max`, or `default`. The rejection of other
    /// numbers is inferred.
    pub(super) fn number(
        &self,
        name: &str,
        default: usize,
        min: usize,
        max: usize,
    ) -> Result<usize, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        text.parse()
            .ok()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| api_error::invalid(name))
    }

    /// Returns the members `Name.1`, `Name.2`, ... in the order of the numbers.
    pub(super) fn members(&self, name: &str) -> Vec<&str> {
        let members = self.numbered(&format!("{name}."), "");
        members.into_iter().map(|(_, value)| value).collect()
    }

    /// Returns the numbers and values of the parameters `<prefix>N<suffix>`, in the order of the numbers.
    pub(super) fn numbered(&self, prefix: &str, suffix: &str) -> Vec<(u32, &str)> {
        let mut members: Vec<_> = self
            .parameters
            .iter()
            .filter_map(|(name, value)| {
                let number = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
                Some((number.parse().ok()?, value.as_str()))
            })
            .collect();
        members.sort_by_key(|(number, _)| *number);
        members
    }

    /// Reports whether the name of any parameter begins with this prefix.
    pub(super) fn has_any(&self, prefix: &str) -> bool {
        self.parameters
            .iter()
            .any(|(name, _)| name.starts_with(prefix))
    }

    /// Returns the ids of a JSON array in text form, or `None` for a missing parameter. An empty
    /// array means no instances, a missing parameter all instances (documented).
    pub(super) fn json_ids(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let Some(text) = value(&self.parameters, name) else {
            return Ok(None);
        };
        serde_json::from_str(text)
            .map(Some)
            .map_err(|_| api_error::invalid(name))
    }
}

/// Returns all parameters: first from the query, then from a form body. The service accepts both
/// (vendor's source).
pub(super) fn parameters(request: &ReceivedRequest) -> Vec<(String, String)> {
    let mut parameters: Vec<_> = request.pairs().collect();
    let is_form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if is_form {
        parameters.extend(form_pairs(&String::from_utf8_lossy(&request.body)));
    }
    parameters
}

/// Returns the first value of a name.
pub(super) fn value<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    parameters
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

fn format(parameter: Option<&str>, accept: Option<&str>) -> Option<Format> {
    match parameter {
        Some(word) if word.eq_ignore_ascii_case("json") => return Some(Format::Json),
        Some(word) if word.eq_ignore_ascii_case("xml") => return Some(Format::Xml),
        _ => {}
    }
    let accept = accept?;
    if accept.contains("json") {
        Some(Format::Json)
    } else if accept.contains("xml") {
        Some(Format::Xml)
    } else {
        None
    }
}
