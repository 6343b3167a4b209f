//! Errors of requests to Stripe. They contain no secret: Stripe's text is truncated, and key-like
//! words are removed.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// No response, or Stripe is unavailable; a retry may succeed.
    #[error("Stripe does not respond: {0}")]
    Unavailable(String),
    /// The circuit breaker is open.
    #[error("Stripe failed repeatedly; requests are suspended for a moment")]
    CircuitOpen,
    #[error("Stripe's rate limit is reached")]
    RateLimited,
    /// A retry would be refused too.
    #[error("Stripe refused the request (status {status}{}): {message}", .code.as_ref().map(|code| format!(", {code}")).unwrap_or_default())]
    Rejected { status: u16, code: Option<String>, message: String },
    /// A response in an undocumented format.
    #[error("Stripe's response can't be parsed: {0}")]
    Unreadable(String),
}

impl StripeError {
    /// The error, if a call about any other object would fail with it as well.
    pub fn if_it_concerns_all(self) -> Option<StripeError> {
        match self {
            StripeError::Rejected { .. } | StripeError::Unreadable(_) => None,
            StripeError::Unavailable(_) | StripeError::CircuitOpen | StripeError::RateLimited => Some(self),
        }
    }

    /// From the status and body of an error response.
    pub fn of_answer(status: u16, body: &[u8]) -> StripeError {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |key: &str| body.get("error").and_then(|error| error.get(key)).and_then(Value::as_str);
        match status {
            401 => StripeError::Rejected { status, code: None, message: "the secret key is not accepted".into() },
            429 => StripeError::RateLimited,
            500.. => StripeError::Unavailable(format!("status {status}")),
            _ => StripeError::Rejected {
                status,
                code: text("code").or_else(|| text("type")).map(presentable),
                message: text("message").map_or_else(|| "no reason given".into(), presentable),
            },
        }
    }

    /// The object doesn't exist, or was deleted.
    pub fn is_missing(&self) -> bool {
        matches!(self, StripeError::Rejected { status, code, .. } if *status == 404 || code.as_deref() == Some("resource_missing"))
    }

    /// The request itself is invalid.
    pub const fn is_final(&self) -> bool {
        matches!(self, StripeError::Rejected { .. })
    }

    /// The metric's label.
    pub const fn result(&self) -> &'static str {
        match self {
            StripeError::Unavailable(_) | StripeError::Unreadable(_) => "unavailable",
            StripeError::CircuitOpen => "circuit_open",
            StripeError::RateLimited => "rate_limited",
            StripeError::Rejected { .. } => "rejected",
        }
    }
}

/// One line of limited length without key-like words.
fn presentable(text: &str) -> String {
    const KEYS: [&str; 5] = ["sk_live", "sk_test", "rk_live", "rk_test", "whsec_"];
    let words = text.split_whitespace().map(|word| if KEYS.iter().any(|key| word.contains(key)) { "[secret]" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_contain_stripes_message() {
        let body = br#"{"error":{"code":"resource_missing","message":"No such customer:\n 'cus_1'","type":"invalid_request_error"}}"#;
        let error = StripeError::of_answer(404, body);
        assert_eq!(error.to_string(), "Stripe refused the request (status 404, resource_missing): No such customer: 'cus_1'");
        assert!(error.is_missing() && error.is_final());
        assert!(StripeError::of_answer(400, body).is_missing());
    }

    #[test]
    fn any_response_is_an_error_without_secrets() {
        for (status, body) in [
            (400, r#"{"error":{"message":"Invalid API Key provided: sk_live_hunter2"}}"#.as_bytes()),
            (401, br#"{"error":{"message":"hunter2"}}"#),
            (403, b"<html>hunter2"),
            (429, b""),
            (502, b"\xff\xfe"),
            (302, br#"{"error":7}"#),
        ] {
            let error = StripeError::of_answer(status, body);
            assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(10_000));
        assert!(StripeError::of_answer(400, long.as_bytes()).to_string().len() < 400);
    }
}
