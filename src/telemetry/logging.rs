//! Logging to standard error: as text, or one JSON object per line.

use super::traces::{self, Traces};
use crate::config::{Config, LogFormat};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{
    fmt::{self, Debug},
    io::IsTerminal,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{
        FmtContext, FormattedFields,
        format::{FormatEvent, JsonFields, Writer},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Default log filter, overridden by `RUST_LOG`. tower-sessions warns of a possible attack when an
/// expired cookie arrives, which happens every day.
const DEFAULT_FILTER: &str = "info,sqlx::postgres::notice=warn,tower_sessions_core::session=error";

/// Starts logging, with the filter of `RUST_LOG` and the format of `LOG_FORMAT` (by default
/// depending on the terminal). Also starts traces if `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
///
/// # Errors
/// The collector's settings are invalid.
pub fn start_logging(config: &Config) -> anyhow::Result<Traces> {
    let pretty = match config.log_format {
        Some(format) => format == LogFormat::Pretty,
        None => std::io::stderr().is_terminal(),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if pretty { lines.compact().boxed() } else { lines.fmt_fields(JsonFields::new()).event_format(FlatJson).boxed() };
    let (traces, exported) = traces::start(config.otlp_endpoint.as_ref())?;
    let started = tracing_subscriber::registry().with(lines.with_filter(filter)).with(exported).try_init();
    // A second call has no effect: tests share a process.
    drop(started);
    Ok(traces)
}

/// One flat object per line: fields of the enclosing spans (request id, customer, Stripe event) are
/// next to the event's fields, so that each has one name for searching.
struct FlatJson;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    #[serde(flatten)]
    fields: Map<String, Value>,
    target: &'a str,
}

impl<S> FormatEvent<S, JsonFields> for FlatJson
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(&self, context: &FmtContext<'_, S, JsonFields>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Map::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let known = extensions.get::<FormattedFields<JsonFields>>().and_then(|known| serde_json::from_str(known).ok());
            if let Some(Value::Object(known)) = known {
                // Span fields for traces only.
                fields.extend(known.into_iter().filter(|(name, _)| !name.starts_with("otel.")));
            }
        }
        let mut said = Said { fields, target: None };
        event.record(&mut said);
        let line = Line {
            timestamp: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            level: event.metadata().level().as_str(),
            target: said.target.as_deref().unwrap_or_else(|| event.metadata().target()),
            fields: said.fields,
        };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

/// The event's fields. Events of the crate `log` carry their own target.
struct Said {
    fields: Map<String, Value>,
    target: Option<String>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("log.target", Value::String(target)) => self.target = Some(target),
            (name, _) if name.starts_with("log.") => {}
            // Our own field names win over an event's fields.
            (name @ ("timestamp" | "level" | "target"), value) => drop(self.fields.insert(format!("{name}_"), value)),
            (name, value) => drop(self.fields.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, i64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value)));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, u64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value)));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };
    use tower_sessions::{
        Session, SessionStore,
        session::{Id, Record},
        session_store,
    };

    /// The `Expires` of a deleted cookie.
    #[derive(Debug)]
    struct Ended;

    #[async_trait]
    impl SessionStore for Ended {
        async fn save(&self, _: &Record) -> session_store::Result<()> {
            Ok(())
        }

        async fn load(&self, _: &Id) -> session_store::Result<Option<Record>> {
            Ok(None)
        }

        async fn delete(&self, _: &Id) -> session_store::Result<()> {
            Ok(())
        }
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Logs the message for an expired session cookie, then a warning.
    async fn logged(filter: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_filter(EnvFilter::new(filter));
        let logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let session = Session::new(Some(Id::default()), Arc::new(Ended), None);
        assert_eq!(session.get_value("user").await.unwrap(), None);
        tracing::warn!("the disk is nearly full");
        drop(logging);
        let text = lines.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn expired_session_cookies_are_not_warned_about() {
        for (filter, warned) in [(DEFAULT_FILTER, false), ("info", true)] {
            let lines = logged(filter).await;
            assert_eq!(lines.contains("suspicious"), warned, "{filter}: {lines}");
            assert!(lines.contains("the disk is nearly full"), "{filter}: {lines}");
        }
    }
}
