//! Where traces go.

use super::{ConfigError, parsed, wrong};

/// The address of a collector that takes OTLP over HTTP, `OTEL_EXPORTER_OTLP_ENDPOINT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    pub(super) fn read(value: &str) -> Result<OtlpEndpoint, ConfigError> {
        const NAME: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let wants = "an address such as http://collector:4318";
        if value.contains('@') {
            return Err(ConfigError(format!(
                "{NAME} holds a user or a password, but wants {wants}; OTEL_EXPORTER_OTLP_HEADERS is for keys"
            )));
        }
        let trimmed = value.trim().trim_end_matches('/');
        let uri: axum::http::Uri = parsed(NAME, trimmed, wants)?;
        match (uri.scheme_str(), uri.authority(), uri.query()) {
            (Some("http" | "https"), Some(_), None) => Ok(OtlpEndpoint(trimmed.to_owned())),
            _ => Err(wrong(NAME, value, wants)),
        }
    }

    /// Where spans are sent to, by the specification of OTLP.
    pub fn traces(&self) -> String {
        format!("{}/v1/traces", self.0)
    }
}
