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
use std::convert::{Infallible, identity};

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

/// Callers that the guard admits by the request's head.
macro_rules! admitted {
    ($($caller:ty: $admit:path;)*) => {$(
        impl FromRequestParts<Server> for $caller {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<$caller, ApiError> {
                Ok($admit(server.platform.clone(), &parts.extensions)?)
            }
        }
    )*};
}

admitted! {
    Reader: guard::reader_of;
    Person: guard::person_of;
    Machine: guard::machine_of;
    Staff: guard::staff_of;
}

/// Callers that the guard admits for a customer.
macro_rules! admitted_for_a_customer {
    ($($caller:ty: $admit:path, $extractor:path;)*) => {$(
        impl FromRequestParts<Server> for $caller {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<$caller, ApiError> {
                let named = customer_id(parts, server).await?;
                Ok($extractor($admit(server.platform.clone(), &parts.extensions, named.as_deref()).await?))
            }
        }
    )*};
}

admitted_for_a_customer! {
    Caller: guard::caller_of, identity;
    Manager: guard::manager_of, Manager;
    Changer: guard::changer_of, Changer;
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
