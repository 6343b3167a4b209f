//! Stripe's errors.

use serde_json::{Value, json};

/// A handler's result: an object, or an error with Stripe's wording.
pub type Checked<T> = Result<T, ApiError>;

#[derive(Clone, Debug)]
pub struct ApiError {
    pub status: u16,
    pub kind: &'static str,
    pub code: Option<String>,
    pub message: String,
    pub param: Option<String>,
}

impl ApiError {
    /// An invalid parameter.
    pub fn invalid(message: &str, param: &str) -> ApiError {
        let param = Some(param.to_owned()).filter(|param| !param.is_empty());
        ApiError { status: 400, kind: "invalid_request_error", code: None, message: message.to_owned(), param }
    }

    pub fn invalid_code(code: &str, message: &str, param: &str) -> ApiError {
        ApiError { code: Some(code.to_owned()), ..ApiError::invalid(message, param) }
    }

    pub fn missing(param: &str) -> ApiError {
        ApiError::invalid_code("parameter_missing", &format!("Missing required param: {param}."), param)
    }

    pub fn unknown(param: &str) -> ApiError {
        ApiError::invalid_code("parameter_unknown", &format!("Received unknown parameter: {param}"), param)
    }

    /// The object that a parameter names doesn't exist; 404 if the path names it.
    pub fn no_such(noun: &str, id: &str, param: &str) -> ApiError {
        let status = if param == "id" { 404 } else { 400 };
        ApiError { status, ..ApiError::invalid_code("resource_missing", &format!("No such {noun}: '{id}'"), param) }
    }

    /// The object's state doesn't allow the operation.
    pub fn state(code: &str, message: &str) -> ApiError {
        ApiError::invalid_code(code, message, "")
    }

    pub fn unrecognized(method: &str, path: &str) -> ApiError {
        ApiError { status: 404, ..ApiError::invalid(&format!("Unrecognized request URL ({method}: {path})."), "") }
    }

    pub fn unauthorized(message: &str) -> ApiError {
        ApiError { status: 401, ..ApiError::invalid(message, "") }
    }

    pub fn declined() -> ApiError {
        ApiError {
            status: 402,
            kind: "card_error",
            code: Some("card_declined".into()),
            message: "Your card was declined.".into(),
            param: None,
        }
    }

    pub fn idempotency(status: u16, code: Option<&str>, message: &str) -> ApiError {
        ApiError { status, kind: "idempotency_error", code: code.map(str::to_owned), message: message.to_owned(), param: None }
    }

    /// The error of a fault.
    pub fn of_status(status: u16) -> ApiError {
        let (kind, code, message) = match status {
            429 => ("invalid_request_error", Some("rate_limit"), "Request rate limit exceeded."),
            400..500 => ("invalid_request_error", None, "The request can't be served."),
            _ => ("api_error", None, "An unknown error occurred."),
        };
        ApiError { status, kind, code: code.map(str::to_owned), message: message.to_owned(), param: None }
    }

    /// The body without absent members.
    pub fn body(&self) -> Value {
        let mut error = json!({"type": self.kind, "message": self.message});
        for (key, value) in [("code", &self.code), ("param", &self.param)] {
            if let Some(value) = value {
                error[key] = json!(value);
            }
        }
        if self.status == 402 {
            error["decline_code"] = json!("generic_decline");
        }
        json!({ "error": error })
    }
}
