//! Errors on the wire: RFC 9457 problem+json, the same for the console and for API clients.
//! Codes and statuses are those of `domain::error_code`.

use crate::domain::{error_code::ErrorCode, field_error::FieldError};
use leptos::server_fn::{
    ContentType, Decodes, Encodes, Format, FormatType,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An error for people (`title`, `detail`) and for API clients (`status`, `code`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Stable error code.
    pub code: String,
    /// The invalid parameter, if any; the first of `errors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Every invalid field of the body (RFC 9457, section 3.2), if its fields were checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<InvalidField>,
    /// Also in the `x-request-id` header; include it in support requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A field of a body that is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvalidField {
    /// The field's path, such as `metrics.impressions.percent`.
    pub parameter: String,
    /// Stable code, such as `required`, `invalid_email`, `invalid_number`, `out_of_range`.
    pub code: String,
    /// In English: a predicate of the field.
    pub detail: String,
}

impl From<&FieldError> for InvalidField {
    fn from(error: &FieldError) -> InvalidField {
        InvalidField { parameter: error.field.clone(), code: error.fault.code().to_owned(), detail: error.detail.clone() }
    }
}

impl Problem {
    /// With the sentence of the code.
    pub fn of(code: ErrorCode) -> Problem {
        Problem::new(code, code.sentence())
    }

    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Problem {
        Problem::with(code.status(), code.as_str(), detail.into())
    }

    /// An answer that was made without a problem, by the framework or a proxy. Keeps its status.
    pub fn of_status(status: u16) -> Problem {
        let code = ErrorCode::of_status(status);
        Problem::with(status, code.as_str(), code.sentence().to_owned())
    }

    fn with(status: u16, code: &str, detail: String) -> Problem {
        Problem {
            kind: format!("urn:apex-billing:problem:{code}"),
            title: title(status).to_owned(),
            status,
            detail,
            instance: None,
            code: code.to_owned(),
            parameter: None,
            errors: Vec::new(),
            request_id: None,
        }
    }

    /// Its code; of a code that only browsers know, the one of its status.
    pub fn error_code(&self) -> ErrorCode {
        ErrorCode::parse(&self.code).unwrap_or_else(|| ErrorCode::of_status(self.status))
    }

    pub fn is(&self, code: ErrorCode) -> bool {
        self.code == code.as_str()
    }
}

impl From<crate::service::Error> for Problem {
    /// Logs the error: this is where its cause is lost.
    fn from(error: crate::service::Error) -> Problem {
        error.log();
        let parameter = error.parameter().map(str::to_owned);
        let errors = error.fields().iter().map(InvalidField::from).collect();
        Problem { parameter, errors, ..Problem::new(error.code(), error.detail()) }
    }
}

/// Reason phrases of the statuses in use (RFC 9110, section 15). 0 means no response.
const fn title(status: u16) -> &'static str {
    match status {
        0 => "No connection",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        500 => "Internal Server Error",
        _ => "Error",
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

/// The wire format of [`Problem`].
pub struct ProblemJson;

impl ContentType for ProblemJson {
    const CONTENT_TYPE: &'static str = "application/problem+json";
}

impl FormatType for ProblemJson {
    const FORMAT_TYPE: Format = Format::Text;
}

impl Encodes<Problem> for ProblemJson {
    type Error = serde_json::Error;

    fn encode(problem: &Problem) -> Result<leptos::server_fn::Bytes, Self::Error> {
        serde_json::to_vec(problem).map(Into::into)
    }
}

impl Decodes<Problem> for ProblemJson {
    type Error = serde_json::Error;

    fn decode(bytes: leptos::server_fn::Bytes) -> Result<Problem, Self::Error> {
        serde_json::from_slice(&bytes)
    }
}

impl FromServerFnError for Problem {
    type Encoder = ProblemJson;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) => Problem::new(ErrorCode::InvalidParameter, detail),
            // Codes of the browser: no server sends them.
            ServerFnErrorErr::Request(_) => {
                Problem::with(0, "network", "The server could not be reached. Check your connection and try again.".to_owned())
            }
            ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::Response(_) => {
                Problem::with(500, "unreadable_answer", "The server's response could not be parsed. Try again.".to_owned())
            }
            ServerFnErrorErr::UnsupportedRequestMethod(detail) => Problem::new(ErrorCode::MethodNotAllowed, detail),
            _ => Problem::of(ErrorCode::Internal),
        }
    }
}
