//! Traces by OTLP (http/protobuf) if `OTEL_EXPORTER_OTLP_ENDPOINT` is set: one span per request
//! with route and status, per operation in `service`, per statement and per call to Stripe. Nothing
//! waits for the collector: spans that it doesn't accept are lost, and that is logged.

use super::{News, Outage};
use crate::config::OtlpEndpoint;
use axum::http::HeaderMap;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator,
    trace::{Span as _, SpanKind, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use std::{
    fmt::Debug,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::runtime::Handle;
use tracing::{
    Dispatch, Event, Level, Metadata, Span, Subscriber,
    dispatcher::WeakDispatch,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_opentelemetry::{OpenTelemetrySpanExt, get_otel_context};
use tracing_subscriber::{Layer, filter::filter_fn, layer, registry::LookupSpan};

/// The target of sqlx's events about statements.
const STATEMENTS: &str = "sqlx::query";
/// Time limit for sending a batch of spans.
const EXPORT: Duration = Duration::from_secs(10);
/// Time limit for the remaining spans at shutdown.
const FLUSH: Duration = Duration::from_secs(2);
/// Maximum size of a collector's response.
const MOST_BYTES: usize = 64 * 1024;

/// Whether this process exports traces.
static EXPORTING: OnceLock<()> = OnceLock::new();

/// The exporter of this process, if there is one.
#[derive(Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Exports the remaining spans within two seconds.
    pub async fn flush(self) {
        let Some(provider) = self.0 else { return };
        // It blocks, and the collector's client needs this runtime meanwhile.
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be exported");
        }
    }
}

/// The exporter, and the layer that gives it spans.
pub(super) fn start<S>(endpoint: Option<&OtlpEndpoint>) -> anyhow::Result<(Traces, Box<dyn Layer<S> + Send + Sync>)>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    // Not an `Option`, which doesn't pass on `on_register_dispatch`.
    let Some(endpoint) = endpoint else { return Ok((Traces::default(), layer::Identity::new().boxed())) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new())
        .with_endpoint(endpoint.traces())
        .with_timeout(EXPORT)
        .build()?;
    let name = std::env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "apex-billing".into());
    let resource = Resource::builder()
        .with_service_name(name)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()))
        .build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer("apex-billing");
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer.clone())
        .with_threads(false)
        .with_location(false)
        .with_target(false)
        .with_filter(filter_fn(is_traced).with_max_level_hint(LevelFilter::DEBUG));
    let statements = Statements { tracer, dispatch: OnceLock::new() }.with_filter(
        filter_fn(|metadata| metadata.target() == STATEMENTS || (metadata.is_span() && is_traced(metadata)))
            .with_max_level_hint(LevelFilter::DEBUG),
    );
    EXPORTING.get_or_init(|| ());
    Ok((Traces(Some(provider)), spans.and_then(statements).boxed()))
}

/// Our own spans, and errors within them. Lower levels are only logged, because they may contain
/// private data.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("apex_billing") && (metadata.is_span() || *metadata.level() <= Level::WARN)
}

/// Whether spans are exported.
pub fn on() -> bool {
    EXPORTING.get().is_some()
}

/// Continues the trace of the request's sender (W3C Trace Context).
pub fn continue_from(span: &Span, headers: &HeaderMap) {
    if !on() || !headers.contains_key("traceparent") {
        return;
    }
    let sender = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if sender.span().span_context().is_valid()
        && let Err(error) = span.set_parent(sender)
    {
        tracing::debug!(%error, "the sender's trace can't be continued");
    }
}

/// Passes the current trace to an outgoing request.
pub fn pass_on(headers: &mut HeaderMap) {
    if on() {
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(headers));
    }
}

/// Sets an attribute of a span for traces only.
pub fn attribute(span: &Span, key: &'static str, value: impl Into<opentelemetry::Value>) {
    if on() {
        span.set_attribute(key, value);
    }
}

/// Marks a span as failed.
pub fn failed(span: &Span) {
    if on() {
        span.set_status(opentelemetry::trace::Status::error(""));
    }
}

/// Creates a span per statement from sqlx's event at its end.
struct Statements {
    tracer: SdkTracer,
    dispatch: OnceLock<WeakDispatch>,
}

impl<S> Layer<S> for Statements
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.dispatch.get_or_init(|| dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        if event.metadata().target() != STATEMENTS {
            return;
        }
        let parent = || {
            let span = context.event_span(event)?.id();
            get_otel_context(&span, &self.dispatch.get()?.upgrade()?)
        };
        let Some(parent) = parent().filter(|parent| parent.span().is_recording()) else { return };
        let ended = SystemTime::now();
        let mut statement = Statement::default();
        event.record(&mut statement);
        let taken = Duration::try_from_secs_f64(statement.seconds).unwrap_or_default();
        let text = if statement.text.trim().is_empty() { statement.summary.clone() } else { statement.text.trim().to_owned() };
        let mut span = self
            .tracer
            .span_builder(statement.summary)
            .with_kind(SpanKind::Client)
            .with_start_time(ended.checked_sub(taken).unwrap_or(ended))
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.query.text", text),
                KeyValue::new("db.response.returned_rows", statement.rows),
            ])
            .start_with_context(&self.tracer, &parent);
        span.end_with_timestamp(ended);
    }
}

/// Fields of sqlx's event. The statement has placeholders, no values.
#[derive(Default)]
struct Statement {
    summary: String,
    text: String,
    seconds: f64,
    rows: i64,
}

impl Visit for Statement {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.text),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = i64::try_from(value).unwrap_or(i64::MAX);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }
}

/// The connection to the collector. The exporter has its own thread without a runtime; connections
/// belong to our runtime.
#[derive(Debug)]
struct Collector {
    pool: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    outage: Arc<Mutex<Outage>>,
}

impl Collector {
    fn new() -> Collector {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let pool = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Collector { pool, runtime: Handle::current(), outage: Arc::default() }
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (pool, outage) = (self.pool.clone(), Arc::clone(&self.outage));
        let task = self.runtime.spawn(async move {
            let exchanged = tokio::time::timeout(EXPORT, exchange(pool, request)).await;
            let answer = exchanged.unwrap_or_else(|_| Err(format!("no answer within {} s", EXPORT.as_secs()).into()));
            let trouble = match &answer {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(answer.status().to_string()),
                Err(error) => Some(error.to_string()),
            };
            tell(&outage, trouble.as_deref());
            answer
        });
        task.await?
    }
}

async fn exchange(pool: Client<HttpsConnector<HttpConnector>, Full<Bytes>>, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = pool.request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

fn tell(outage: &Mutex<Outage>, trouble: Option<&str>) {
    let now = Instant::now();
    let mut outage = outage.lock().unwrap_or_else(PoisonError::into_inner);
    let news = if trouble.is_some() { outage.failed(now) } else { outage.worked(now) };
    let trouble = trouble.unwrap_or_default();
    match news {
        Some(News::Began) => tracing::warn!(trouble, "traces can't be exported and are lost"),
        Some(News::Lasts { failures, seconds }) => tracing::warn!(trouble, failures, seconds, "traces still can't be exported"),
        Some(News::Over { failures, seconds }) => tracing::info!(failures, seconds, "traces are exported again"),
        None => {}
    }
}
