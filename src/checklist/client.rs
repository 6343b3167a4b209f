//! Requests to the deployment. One without a response has the status 0, which fails every check.

use super::Options;
use crate::config::Secret;
use anyhow::{Context, bail};
use axum::http::{HeaderMap, Method, Request, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Maximum size of a response; an invoice of thousands of lines stays below.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A reconciliation fetches everything from Stripe; no other request takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(180);

pub struct Site {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Without a trailing slash.
    base: String,
    pub options: Options,
}

/// The caller.
#[derive(Clone, Copy, Debug)]
pub enum As<'a> {
    Anonymous,
    Cookie(&'a Secret),
    Key(&'a Secret),
}

/// A response.
pub struct Answer {
    /// 0: no response.
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Until the last byte.
    pub took: Duration,
    /// Why there was no response.
    failure: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The stable code of a problem+json response.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Description for the report.
    pub fn said(&self) -> String {
        match (self.status, self.code()) {
            (0, _) => format!("no answer: {}", self.failure),
            (status, code) if code.is_empty() => format!("answered {status}"),
            (status, code) => format!("answered {status} {code}"),
        }
    }
}

impl Site {
    pub fn new(options: &Options) -> anyhow::Result<Site> {
        let base = options.url.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().with_context(|| format!("{base} is not a URL"))?;
        if uri.host().is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) || uri.path() != "/" {
            bail!("--url must be http(s)://host[:port], not {base}");
        }
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Ok(Site { pool: Pool::builder(TokioExecutor::new()).build(connector), base, options: options.clone() })
    }

    /// The origin that a browser sends for our own pages.
    pub fn origin(&self) -> &str {
        &self.base
    }

    /// A caller with a customer: by a user's session, or else an API key.
    pub fn member(&self) -> Option<As<'_>> {
        let person = self.options.member_cookie.as_ref().map(As::Cookie);
        person.or_else(|| self.options.api_key.as_ref().map(As::Key))
    }

    pub fn admin(&self) -> Option<As<'_>> {
        self.options.admin_cookie.as_ref().map(As::Cookie)
    }

    /// A caller that can open pages.
    pub fn person(&self) -> Option<As<'_>> {
        self.options.member_cookie.as_ref().or(self.options.admin_cookie.as_ref()).map(As::Cookie)
    }

    pub async fn get(&self, path: &str, who: As<'_>) -> Answer {
        self.send(Method::GET, path, who, &[], Vec::new()).await
    }

    pub async fn post_json(&self, path: &str, who: As<'_>, body: &Value) -> Answer {
        self.send(Method::POST, path, who, &[("content-type", "application/json")], body.to_string().into_bytes()).await
    }

    pub async fn send(&self, method: Method, path: &str, who: As<'_>, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.ask(method, &format!("{}{path}", self.base), who, headers, body).await
    }

    /// Another base URL: the metrics', or Prometheus's.
    pub async fn elsewhere(&self, url: &str) -> Answer {
        self.ask(Method::GET, url, As::Anonymous, &[], Vec::new()).await
    }

    async fn ask(&self, method: Method, url: &str, who: As<'_>, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(url).header(header::USER_AGENT, "apex-billing-checklist");
        match who {
            As::Anonymous => {}
            As::Key(key) => request = request.header(header::AUTHORIZATION, format!("Bearer {}", key.0)),
            As::Cookie(Secret(cookie)) if cookie.contains('=') => request = request.header(header::COOKIE, cookie),
            As::Cookie(Secret(value)) => request = request.header(header::COOKIE, format!("auth_token={value}")),
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let started = Instant::now();
        let none = |failure: String| Answer { status: 0, headers: HeaderMap::new(), body: Bytes::new(), took: started.elapsed(), failure };
        let request = match request.body(Full::new(Bytes::from(body))) {
            Ok(request) => request,
            Err(error) => return none(error.to_string()),
        };
        let exchange = async {
            let (parts, body) = self.pool.request(request).await.map_err(|error| chain(&error))?.into_parts();
            let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| chain(&*error))?.to_bytes();
            Ok::<_, String>((parts, body))
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Err(_) => none(format!("nothing within {} s", PATIENCE.as_secs())),
            Ok(Err(failure)) => none(failure),
            Ok(Ok((parts, body))) => {
                Answer { status: parts.status.as_u16(), headers: parts.headers, body, took: started.elapsed(), failure: String::new() }
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}
