//! Why Stripe didn't do what it was asked. Holds no secret: what Stripe writes is cut, and stripped of anything that looks like a key.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// No answer, or only that there can be none now; it may be otherwise soon.
    #[error("Stripe does not answer: {0}")]
    Unavailable(String),
    /// It failed so often of late that it was not asked.
    #[error("Stripe failed too often of late and is not asked for a moment")]
    CircuitOpen,
    #[error("Stripe wants fewer requests for a moment")]
    RateLimited,
    /// The same request will be refused again.
    #[error("Stripe refuses this (status {status}{}): {message}", .code.as_ref().map(|code| format!(", {code}")).unwrap_or_default())]
    Rejected { status: u16, code: Option<String>, message: String },
    /// An answer that is not what the API describes.
    #[error("Stripe's answer can't be read: {0}")]
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

    /// From the status and body of an answer that is no success.
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
                message: text("message").map_or_else(|| "it gives no reason".into(), presentable),
            },
        }
    }

    /// There is no such object, or no more.
    pub fn is_missing(&self) -> bool {
        matches!(self, StripeError::Rejected { status, code, .. } if *status == 404 || code.as_deref() == Some("resource_missing"))
    }

    /// The request itself is at fault, not the moment.
    pub const fn is_final(&self) -> bool {
        matches!(self, StripeError::Rejected { .. })
    }

    /// As the metric calls it.
    pub const fn result(&self) -> &'static str {
        match self {
            StripeError::Unavailable(_) | StripeError::Unreadable(_) => "unavailable",
            StripeError::CircuitOpen => "circuit_open",
            StripeError::RateLimited => "rate_limited",
            StripeError::Rejected { .. } => "rejected",
        }
    }
}

/// One line of a sane length without anything that looks like a key.
fn presentable(text: &str) -> String {
    const KEYS: [&str; 5] = ["sk_live", "sk_test", "rk_live", "rk_test", "whsec_"];
    let words = text.split_whitespace().map(|word| if KEYS.iter().any(|key| word.contains(key)) { "[secret]" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_stripe_says() {
        let body = br#"{"error":{"code":"resource_missing","message":"No such customer:\n 'cus_1'","type":"invalid_request_error"}}"#;
        let error = StripeError::of_answer(404, body);
        assert_eq!(error.to_string(), "Stripe refuses this (status 404, resource_missing): No such customer: 'cus_1'");
        assert!(error.is_missing() && error.is_final());
        assert!(StripeError::of_answer(400, body).is_missing());
    }

    #[test]
    fn whatever_comes_back_is_an_error_without_secrets() {
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
