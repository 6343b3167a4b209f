//! Who makes a request, as the guard admits them.

use super::Query;
use crate::{
    guard,
    http::{
        problem::ApiError,
        request::{by, origin},
        state::Server,
    },
    service::{
        actor::{By, Origin},
        caller::{Caller, Machine, Person, Reader, Staff},
    },
};
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Deserialize;
use std::convert::Infallible;

/// A caller who may change the customer's settings, or see how they are changed.
pub struct Manager(pub Caller);

/// A caller who may change the customer's settings, and does not just view them as that customer.
pub struct Changer(pub Caller);

/// The query parameter with which staff name a customer.
#[derive(Deserialize)]
struct Named {
    customer_id: Option<String>,
}

async fn customer_id(parts: &mut Parts, server: &Server) -> Result<Option<String>, ApiError> {
    let Query(Named { customer_id }) = Query::from_request_parts(parts, server).await?;
    Ok(customer_id)
}

impl FromRequestParts<Server> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Reader, ApiError> {
        Ok(guard::reader_of(server.platform.clone(), &parts.extensions)?)
    }
}

impl FromRequestParts<Server> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Person, ApiError> {
        Ok(guard::person_of(server.platform.clone(), &parts.extensions)?)
    }
}

impl FromRequestParts<Server> for Machine {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Machine, ApiError> {
        Ok(guard::machine_of(server.platform.clone(), &parts.extensions)?)
    }
}

impl FromRequestParts<Server> for Staff {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Staff, ApiError> {
        Ok(guard::staff_of(server.platform.clone(), &parts.extensions)?)
    }
}

impl FromRequestParts<Server> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Caller, ApiError> {
        let named = customer_id(parts, server).await?;
        Ok(guard::caller_of(server.platform.clone(), &parts.extensions, named.as_deref()).await?)
    }
}

impl FromRequestParts<Server> for Manager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Manager, ApiError> {
        let named = customer_id(parts, server).await?;
        Ok(Manager(guard::manager_of(server.platform.clone(), &parts.extensions, named.as_deref()).await?))
    }
}

impl FromRequestParts<Server> for Changer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Changer, ApiError> {
        let named = customer_id(parts, server).await?;
        Ok(Changer(guard::changer_of(server.platform.clone(), &parts.extensions, named.as_deref()).await?))
    }
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Origin, Infallible> {
        Ok(origin(parts))
    }
}

/// The signed-in person or machine, for the audit log. It does not authorize: name a caller as
/// well.
impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<By, ApiError> {
        Ok(by(&guard::principal_of(&parts.extensions)?, parts))
    }
}
