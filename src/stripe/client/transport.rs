//! One request and response: pooled connections, TLS, common headers.

use super::{Answer, StripeError};
use crate::{config::Secret, telemetry::traces};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::de::IgnoredAny;
use std::time::{Duration, Instant};
use stripe_client_core::{RequestBuilder, StripeMethod};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Maximum size of a response: a page of a hundred large objects is well below.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Idle timeout of a connection, below Stripe's.
const IDLE: Duration = Duration::from_secs(30);

pub struct Transport {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    authorization: HeaderValue,
    account: Option<HeaderValue>,
    api_version: String,
}

/// A request that can be sent several times.
pub struct Prepared(Request<Full<Bytes>>);

/// Why an attempt failed.
#[derive(Debug)]
pub struct Failure {
    pub error: StripeError,
    /// A retry may succeed.
    pub may_pass: bool,
    /// Stripe is unavailable; the request is not the cause.
    pub counts: bool,
    /// The delay in `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Transport {
    /// `account`: the account of requests, if not the key's own ("Making API calls for connected
    /// accounts").
    pub fn new(key: &Secret, base: &str, account: Option<&str>) -> Result<Transport, StripeError> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", key.0)).map_err(|_| StripeError::Rejected {
            status: 401,
            code: None,
            message: "the secret key contains invalid characters".into(),
        })?;
        authorization.set_sensitive(true);
        let account = account.map(HeaderValue::from_str).transpose().map_err(|_| StripeError::Rejected {
            status: 400,
            code: None,
            message: "the account id contains invalid characters".into(),
        })?;
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().enable_http2().build();
        let pool = Pool::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).pool_timer(TokioTimer::new()).build(connector);
        let api_version = stripe_client_core::VERSION.as_str().to_owned();
        Ok(Transport { pool, base: base.trim_end_matches('/').to_owned(), authorization, account, api_version })
    }

    /// Builds a request from one of the library's.
    pub fn prepare(&self, request: RequestBuilder, idempotency_key: Option<&str>) -> Result<Prepared, StripeError> {
        let method = match request.method {
            StripeMethod::Get => Method::GET,
            StripeMethod::Post => Method::POST,
            StripeMethod::Delete => Method::DELETE,
        };
        let query = request.query.filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default();
        let mut builder = Request::builder()
            .method(method)
            .uri(format!("{}/v1{}{query}", self.base, request.path))
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::USER_AGENT, concat!("apex-billing/", env!("CARGO_PKG_VERSION")))
            .header("stripe-version", &self.api_version);
        if let Some(account) = &self.account {
            builder = builder.header("stripe-account", account.clone());
        }
        if let Some(key) = idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        if request.body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = Full::new(Bytes::from(request.body.unwrap_or_default()));
        builder.body(body).map(Prepared).map_err(|error| StripeError::Rejected {
            status: 400,
            code: None,
            message: format!("the request can't be written: {error}"),
        })
    }

    /// One attempt, including the whole body.
    pub async fn send(&self, prepared: &Prepared, within: Duration) -> Result<Answer, Failure> {
        match tokio::time::timeout(within, self.exchange(prepared.0.clone())).await {
            Ok(exchanged) => exchanged,
            Err(_) => Err(Failure::of_connection(format!("no answer within {} ms", within.as_millis()))),
        }
    }

    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        traces::pass_on(request.headers_mut());
        let began = Instant::now();
        let response: Response<_> = self.pool.request(request).await.map_err(|error| Failure::of_connection(chain(&error)))?;
        let waited = began.elapsed();
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| Failure::of_connection(chain(&*error)))?.to_bytes();
        let at = date(&head.headers);
        let status = head.status.as_u16();
        if !head.status.is_success() {
            let should_retry = text(&head.headers, "stripe-should-retry").and_then(|value| value.parse().ok());
            return Err(Failure {
                error: StripeError::of_answer(status, &body),
                may_pass: super::backoff::may_pass(status, should_retry),
                counts: status >= 500,
                retry_after: retry_after(&head.headers, at),
            });
        }
        // If it was truncated without a Content-Length, it looks complete.
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(&body) {
            return Err(Failure { error: StripeError::Unreadable(error.to_string()), may_pass: true, counts: true, retry_after: None });
        }
        let api_version = text(&head.headers, "stripe-version").unwrap_or(&self.api_version).to_owned();
        // `Date` has whole seconds, like the events that it is compared with.
        let asked_at = at.map(|at| at - Duration::from_secs(waited.as_secs()));
        Ok(Answer { at, asked_at, api_version, body })
    }
}

impl Failure {
    pub const fn of_connection(why: String) -> Failure {
        Failure { error: StripeError::Unavailable(why), may_pass: true, counts: true, retry_after: None }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn date(headers: &HeaderMap) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text(headers, "date")?, &Rfc2822).ok()
}

/// Seconds, or an instant (RFC 9110, section 10.2.3) by Stripe's clock.
fn retry_after(headers: &HeaderMap, now: Option<OffsetDateTime>) -> Option<Duration> {
    let value = text(headers, "retry-after")?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = OffsetDateTime::parse(value, &Rfc2822).ok()? - now?;
    Some(wait.try_into().unwrap_or(Duration::ZERO))
}

/// An error with its causes: hyper's own text lacks them.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_an_instant() {
        let asked = |value: &'static str| {
            let headers: HeaderMap = [("retry-after", value), ("date", "Sun, 22 Nov 2026 15:50:00 GMT")]
                .into_iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect();
            retry_after(&headers, date(&headers))
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun, 22 Nov 2026 15:51:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(asked("Sun, 22 Nov 2026 15:49:00 GMT"), Some(Duration::ZERO));
        assert_eq!((asked("-1"), asked("soon")), (None, None));
    }
}
