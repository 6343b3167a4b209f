//! Bodies: JSON of programs, forms of pages.

use crate::{
    domain::{csv::BYTE_ORDER_MARK, error_code::ErrorCode},
    http::{
        problem::ApiError,
        request::{DEFAULT_BODY_BYTES, is_form},
    },
    service::Error,
};
use axum::{
    Form,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use std::convert::Infallible;

/// A JSON body. Its rejections: `unsupported_media_type`, `invalid_json`, and `invalid_parameter`
/// for JSON of another shape. As an `Option`: None for a body without content, whatever its type.
#[derive(Clone, Copy, Debug)]
pub struct JsonBody<T>(pub T);

/// A page's form. Its rejection is `invalid_parameter` for a form of another shape.
#[derive(Clone, Copy, Debug)]
pub struct FormBody<T>(pub T);

/// JSON of a program, or the same fields as a page's form sends them. Its rejections are those of
/// [`JsonBody`], and `invalid_body` for a form of another shape.
#[derive(Clone, Copy, Debug)]
pub struct FormOrJson<T> {
    pub body: T,
    pub by_form: bool,
}

/// Whether a page's form made the request, not a program.
#[derive(Clone, Copy, Debug)]
pub struct ByForm(pub bool);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<JsonBody<T>, ApiError> {
        require_json(request.headers(), "application/json")?;
        Ok(JsonBody(parse(&read(request, state).await?)?))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<JsonBody<T>>, ApiError> {
        let is_json = require_json(request.headers(), "application/json");
        let body = read(request, state).await?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        is_json?;
        Ok(Some(JsonBody(parse(&body)?)))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for FormBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<FormBody<T>, ApiError> {
        let form = Form::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::UnsupportedMediaType("application/x-www-form-urlencoded"),
            status => too_large_or(status, || Error::invalid("body", rejection.body_text())),
        });
        Ok(FormBody(form?.0))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for FormOrJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<FormOrJson<T>, ApiError> {
        if !is_form(request.headers()) {
            require_json(request.headers(), "application/json, application/x-www-form-urlencoded")?;
            return Ok(FormOrJson { body: parse(&read(request, state).await?)?, by_form: false });
        }
        let form = Form::from_request(request, state)
            .await
            .map_err(|rejection| too_large_or(rejection.status(), || Error::refused(ErrorCode::InvalidBody, rejection.body_text())));
        Ok(FormOrJson { body: form?.0, by_form: true })
    }
}

impl<S: Sync> FromRequestParts<S> for ByForm {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<ByForm, Infallible> {
        Ok(ByForm(is_form(&parts.headers)))
    }
}

/// `accepted`: the content types that the rejection names.
fn require_json(headers: &HeaderMap, accepted: &'static str) -> Result<(), Error> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if is_json { Ok(()) } else { Err(Error::UnsupportedMediaType(accepted)) }
}

/// The whole body, up to the limit of its route.
async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| {
        too_large_or(rejection.status(), || Error::refused(ErrorCode::BadRequest, "The body is malformed. Nothing was done."))
    })
}

/// The error of a body that the framework rejects.
fn too_large_or(status: StatusCode, other: impl FnOnce() -> Error) -> Error {
    if status == StatusCode::PAYLOAD_TOO_LARGE { Error::TooLarge { limit: DEFAULT_BODY_BYTES } } else { other() }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    // A byte order mark is ignored, as in usage events.
    let body = body.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(body);
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Error::invalid("body", error.to_string())
        } else {
            Error::refused(ErrorCode::InvalidJson, format!("The body is not JSON: {error}. Nothing was done."))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: String,
    }

    fn request(content_type: &str, body: &'static str) -> Request {
        Request::post("/").header(header::CONTENT_TYPE, content_type).body(Body::from(body)).unwrap()
    }

    async fn code<T: FromRequest<(), Rejection = ApiError>>(content_type: &str, body: &'static str) -> &'static str {
        T::from_request(request(content_type, body), &()).await.err().map_or("none", |ApiError(error)| error.code().as_str())
    }

    #[tokio::test]
    async fn rejections_of_bodies_have_stable_codes() {
        const FORM: &str = "application/x-www-form-urlencoded";
        const JSON: &str = "Application/JSON; charset=utf-8";
        for (content_type, body, json, form, either) in [
            (JSON, r#"{"name":"a"}"#, "none", "unsupported_media_type", "none"),
            (JSON, "\u{feff}{\"name\":\"a\"}", "none", "unsupported_media_type", "none"),
            (JSON, "{", "invalid_json", "unsupported_media_type", "invalid_json"),
            (JSON, "{}", "invalid_parameter", "unsupported_media_type", "invalid_parameter"),
            (FORM, "name=a", "unsupported_media_type", "none", "none"),
            (FORM, "title=a", "unsupported_media_type", "invalid_parameter", "invalid_body"),
            ("text/plain", "a", "unsupported_media_type", "unsupported_media_type", "unsupported_media_type"),
        ] {
            assert_eq!(code::<JsonBody<Named>>(content_type, body).await, json, "JSON: {content_type} {body}");
            assert_eq!(code::<FormBody<Named>>(content_type, body).await, form, "form: {content_type} {body}");
            assert_eq!(code::<FormOrJson<Named>>(content_type, body).await, either, "either: {content_type} {body}");
        }
    }

    #[tokio::test]
    async fn an_optional_body_may_be_left_out() {
        let read = async |content_type, body| Option::<JsonBody<Named>>::from_request(request(content_type, body), &()).await;
        assert!(read("text/plain", " \r\n").await.is_ok_and(|body| body.is_none()));
        let body = read("application/json", r#"{"name":"a"}"#).await.ok().flatten();
        assert_eq!(body.map(|JsonBody(named)| named), Some(Named { name: "a".into() }));
        let wrong = read("text/plain", r#"{"name":"a"}"#).await.err().map(|ApiError(error)| error.code().as_str());
        assert_eq!(wrong, Some("unsupported_media_type"));
    }
}
