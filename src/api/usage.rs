//! Usage ingest, and the usage history as a file.

use crate::{
    domain::{
        error_code::ErrorCode,
        file_name::content_disposition,
        metric::{Metric, Unit},
        usage_history::UsageSpan,
    },
    http::{
        content_coding::{self, Coding},
        extract::Query,
        problem::ApiError,
        state::Server,
    },
    service::{
        Error,
        caller::{Caller, Machine},
        ingest::{self, Admitted, Allowance, Format},
        usage::history,
    },
};
use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(events)).routes(routes!(history_csv))
}

/// The body's compression. Several are listed in the order in which they were applied.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Encoding {
    Gzip,
    Zstd,
    Identity,
}

/// A usage event.
#[derive(ToSchema)]
#[schema(example = json!({
    "id": "b1c2f0", "metric": Metric::ALL[0], "quantity": 1, "timestamp": "2026-11-22T15:49:59.120Z", "app_id": "app_42",
    "properties": {"placement": "rewarded"}
}))]
pub struct UsageEventDraft {
    /// Chosen by the sender, unique per customer; printable characters.
    #[schema(min_length = 1, max_length = 255)]
    pub id: String,
    pub metric: Metric,
    /// In the metric's own unit; 0 only in a correction. At most 10^15 for metrics in bytes, 10^12
    /// for the others.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub quantity: u64,
    /// At most 35 days old and 5 minutes ahead.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: String,
    #[schema(min_length = 1, max_length = 128)]
    pub app_id: String,
    /// Any JSON of the sender, up to 4096 bytes.
    #[schema(value_type = Object)]
    pub properties: Option<Map<String, Value>>,
    /// Makes this a correction: the id of an event with the same metric, app and timestamp, whose
    /// quantity is replaced.
    #[schema(min_length = 1, max_length = 255)]
    pub corrects: Option<String>,
}

const _: () = assert!(Unit::Bytes.max_per_event() == 1_000_000_000_000_000 && Unit::Count.max_per_event() == 1_000_000_000_000);

/// One event, or up to 10,000 of them.
#[derive(ToSchema)]
#[schema(as = UsageEvents)]
#[serde(untagged)]
pub enum UsageEvents {
    One(UsageEventDraft),
    Many(Vec<UsageEventDraft>),
}

/// Up to 10,000 JSON objects, one per line.
#[derive(ToSchema)]
#[schema(value_type = String, example = json!(line()))]
pub struct UsageEventLines(pub String);

/// The example above.
fn line() -> String {
    let metric = Metric::ALL[0];
    format!("{{\"id\":\"b1c2f0\",\"metric\":\"{metric}\",\"quantity\":1,\"timestamp\":\"2026-11-22T15:49:59Z\",\"app_id\":\"app_42\"}}\n")
}

/// `POST /usage/events`: stores usage events of the key's customer. A request over its key's or the
/// server's limits is refused before its body is read.
#[utoipa::path(
    post, path = "/api/v1/usage/events", tag = "Usage", security(("api_key" = [])),
    summary = "Send usage events",
    description = "One event, an array of them, or a line each; up to 10,000 events or 10 MiB after decoding. What is accepted is durable, and \
                   counted once however often it is sent. Each item is accepted, a duplicate or in `rejected`; corrections are applied before the \
                   events. A body that can't be decoded whole is a 400, and nothing of it is stored.",
    params(("Content-Encoding" = Option<Encoding>, Header, description = "The body's compression")),
    request_body(content(
        (UsageEvents = "application/json"),
        (UsageEventLines = "application/x-ndjson"),
    )),
    responses((status = 202, description = "The result of the events", body = ingest::Receipt, headers(
        ("ratelimit-policy" = String, description = "The key's quotas (draft-ietf-httpapi-ratelimit-headers)"),
        ("ratelimit" = String, description = "The remaining quotas"),
    ))),
    extensions(("x-problems" = json!([
        "bad_request", "invalid_json", "too_many_events", "usage_cap_reached", "rate_limited", "overloaded", "usage_ingest_disabled",
    ])))
)]
pub async fn events(machine: Machine, headers: HeaderMap, body: Body) -> Result<Response, ApiError> {
    let Machine { platform, key, customer } = machine;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Format::Json,
        "application/x-ndjson" => Format::Ndjson,
        _ => return Err(Error::UnsupportedMediaType("application/json, application/x-ndjson").into()),
    };
    let codings = content_coding::of(&headers)?;
    let limit = platform.config.file.limits.ingest_body_bytes;
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    if declared > limit {
        return Err(Error::TooLarge { limit }.into());
    }
    let mut admitted = ingest::admit(&platform, key, declared)?;
    let body = read(body, declared, limit, &mut admitted).await?;
    let (body, admitted) = decode(body, codings, limit, admitted).await?;
    let (receipt, allowance) = ingest::ingest_admitted(&platform, &admitted, customer, format, &body).await?;
    let mut response = (StatusCode::ACCEPTED, Json(receipt)).into_response();
    tell(&mut response, allowance);
    Ok(response)
}

/// The whole body, which may exceed its declared length or have none.
async fn read(mut body: Body, declared: usize, limit: usize, admitted: &mut Admitted) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(declared);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::refused(ErrorCode::BadRequest, "The body ended early. Nothing was stored. Send it again."))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > limit {
            return Err(Error::TooLarge { limit });
        }
        admitted.hold(length)?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The decoded body. Decoding may take some 50 ms, so it runs on its own thread.
async fn decode(body: Vec<u8>, codings: Vec<Coding>, limit: usize, mut admitted: Admitted) -> Result<(Vec<u8>, Admitted), Error> {
    if codings.is_empty() {
        return Ok((body, admitted));
    }
    let decoding = tokio::task::spawn_blocking(move || {
        let plain = content_coding::decode(&body, &codings, limit, |length| admitted.hold(body.len() + length))?;
        Ok((plain, admitted))
    });
    decoding.await.unwrap_or_else(|error| Err(Error::Internal(error.into())))
}

/// draft-ietf-httpapi-ratelimit-headers.
fn tell(response: &mut Response, allowance: Allowance) {
    let Allowance { requests, events, most_requests, most_events, window_seconds } = allowance;
    for (name, value) in [
        ("ratelimit-policy", format!(r#""requests";q={most_requests};w={window_seconds}, "events";q={most_events};w={window_seconds}"#)),
        ("ratelimit", format!(r#""requests";r={requests}, "events";r={events}"#)),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// `GET /billing/usage/history.csv`.
#[utoipa::path(
    get, path = "/api/v1/billing/usage/history.csv", tag = "Usage",
    summary = "Usage history as a CSV file",
    params(UsageSpan, crate::app::calls::parameters::OfCustomer),
    description = "Ends with the current hour, day or month. Starts with a byte order mark; `gigabytes` has quantities of bytes in GB of 10^9 bytes.",
    responses((status = 200, description = "A header and a row per point (RFC 4180)", body = String,
        content_type = "text/csv; charset=utf-8; header=present",
        headers(("Content-Disposition" = String, description = "`attachment` with a file name: the customer, and the first and last day")))),
    extensions(("x-problems" = json!(["not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn history_csv(caller: Caller, Query(span): Query<UsageSpan>) -> Result<Response, ApiError> {
    let file = history::file(&caller.platform, caller.customer, span).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, content_disposition(&file.name)),
    ];
    Ok((headers, file.text).into_response())
}
