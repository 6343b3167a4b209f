//! Calls the stand-in like Stripe's libraries.

use crate::stripe::StandIn;
use axum::http::{HeaderMap, Request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// Asserts success, and returns the object.
    #[track_caller]
    pub fn done(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Asserts this error, and returns it.
    #[track_caller]
    pub fn error(self, status: u16, kind: &str) -> Value {
        assert_eq!((self.status, self.body["error"]["type"].as_str()), (status, Some(kind)), "{}", self.body);
        self.body["error"].clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The response, or why there was none.
pub async fn send(stand_in: &StandIn, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let mut request = Request::builder().method(method).uri(format!("{}{path}", stand_in.base_url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).map_err(|error| error.to_string())?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request).await.map_err(|error| error.to_string())?.into_parts();
    let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let body = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

pub async fn ask(stand_in: &StandIn, method: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {}", stand_in.secret_key());
    send(stand_in, method, path, body, &[("authorization", &bearer)]).await.expect("an answer")
}

pub async fn get(stand_in: &StandIn, path: &str) -> Value {
    ask(stand_in, "GET", path, "").await.done()
}

pub async fn post(stand_in: &StandIn, path: &str, body: &str) -> Value {
    ask(stand_in, "POST", path, body).await.done()
}

pub async fn post_with_key(stand_in: &StandIn, path: &str, body: &str, key: &str) -> Answer {
    let bearer = format!("Bearer {}", stand_in.secret_key());
    send(stand_in, "POST", path, body, &[("authorization", &bearer), ("idempotency-key", key)]).await.expect("an answer")
}

pub fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().expect("a list").iter().map(|object| object["id"].as_str().expect("an id").to_owned()).collect()
}
