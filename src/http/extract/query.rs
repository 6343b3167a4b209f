//! Parameters of the query string and the path.

use crate::{domain::error_code::ErrorCode, http::problem::ApiError, service::Error};
use axum::{
    extract::{self, FromRequestParts},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

/// The query string as a struct; its rejection is `bad_request`.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// Parameters of the path; their rejection is `bad_request`.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

fn unreadable(detail: String) -> ApiError {
    ApiError(Error::refused(ErrorCode::BadRequest, detail))
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, ApiError> {
        let query = extract::Query::try_from_uri(&parts.uri);
        query.map(|extract::Query(query)| Query(query)).map_err(|rejection| unreadable(rejection.body_text()))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, ApiError> {
        let path = extract::Path::from_request_parts(parts, state).await;
        path.map(|extract::Path(path)| Path(path)).map_err(|rejection| unreadable(rejection.body_text()))
    }
}
