//! The target of traces.

use super::{ConfigError, parsed, wrong};

/// URL of a collector that accepts OTLP over HTTP, `OTEL_EXPORTER_OTLP_ENDPOINT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    pub(super) fn read(value: &str) -> Result<OtlpEndpoint, ConfigError> {
        const NAME: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let expected = "an address such as http://collector:4318";
        if value.contains('@') {
            return Err(ConfigError(format!(
                "{NAME} holds a user or a password, but must be {expected}; put keys into OTEL_EXPORTER_OTLP_HEADERS"
            )));
        }
        let trimmed = value.trim().trim_end_matches('/');
        let uri: axum::http::Uri = parsed(NAME, trimmed, expected)?;
        match (uri.scheme_str(), uri.authority(), uri.query()) {
            (Some("http" | "https"), Some(_), None) => Ok(OtlpEndpoint(trimmed.to_owned())),
            _ => Err(wrong(NAME, value, expected)),
        }
    }

    /// The URL for spans (OTLP specification).
    pub fn traces(&self) -> String {
        format!("{}/v1/traces", self.0)
    }
}
