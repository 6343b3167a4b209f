//! The guard: authorization for server functions and handlers. It decides independently of the
//! request's path: pages, server functions, API and downloads all use it.

use crate::{
    auth::Principal,
    domain::session::SessionKey,
    service::{
        Error, Platform, Result,
        caller::{Caller, Machine, Person, Reader, Staff},
        customers,
        invoices::Scope,
        second_factor,
    },
};
use axum::http::{Extensions, request::Parts};
use leptos::prelude::{use_context, with_context};
use std::sync::Arc;
use tower_sessions::Session;

/// Why a request has no principal although it carries credentials: they are invalid, or could not
/// be looked up.
#[derive(Clone, Debug)]
pub struct Unidentified(Arc<Error>);

impl Unidentified {
    pub fn new(error: Error) -> Unidentified {
        Unidentified(Arc::new(error))
    }

    /// The error where credentials are required.
    fn error(&self) -> Error {
        match &*self.0 {
            Error::Unauthenticated => Error::Unauthenticated,
            Error::Busy => Error::Busy,
            Error::StorageFull(cause) => Error::StorageFull(anyhow::anyhow!("{cause:#}")),
            Error::Unavailable(cause) => Error::Unavailable(anyhow::anyhow!("{cause:#}")),
            other => Error::Internal(anyhow::anyhow!("{other:#}")),
        }
    }
}

/// The platform, in a server function.
pub fn platform() -> Result<Platform> {
    use_context::<Platform>().ok_or_else(|| Error::Internal(anyhow::anyhow!("the context has no platform")))
}

/// What the layers found out about the request, in a server function.
fn in_request<T>(read: impl FnOnce(&Extensions) -> Result<T>) -> Result<T> {
    with_context(|parts: &Parts| read(&parts.extensions))
        .unwrap_or_else(|| Err(Error::Internal(anyhow::anyhow!("the context has no request"))))
}

/// The authenticated caller, with or without a required second factor, in a server function: only
/// for reading its own identity.
pub async fn signed_in() -> Result<(Platform, Principal)> {
    Ok((platform()?, in_request(principal_of)?))
}

/// The authenticated caller, in a server function.
pub async fn reader() -> Result<Reader> {
    let platform = platform()?;
    in_request(|extensions| reader_of(platform, extensions))
}

/// The authenticated caller and its customer, in a server function.
pub async fn caller(customer_id: Option<String>) -> Result<Caller> {
    about(reader().await?, customer_id.as_deref()).await
}

/// The authenticated caller and its customer, in a handler.
pub async fn caller_of(platform: Platform, extensions: &Extensions, customer_id: Option<&str>) -> Result<Caller> {
    about(reader_of(platform, extensions)?, customer_id).await
}

/// The caller with the customer that it names, or its own.
async fn about(Reader { platform, principal, .. }: Reader, customer_id: Option<&str>) -> Result<Caller> {
    let customer = customers::customer_of(&platform, &principal, customer_id).await?;
    Ok(Caller { platform, principal, customer })
}

/// A caller that may change its customer's settings, in a handler.
pub async fn manager_of(platform: Platform, extensions: &Extensions, customer_id: Option<&str>) -> Result<Caller> {
    let reader = reader_of(platform, extensions)?;
    if reader.principal.role().manages() { about(reader, customer_id).await } else { Err(Error::Forbidden("publisher")) }
}

/// A caller that may read how settings are changed, or changes them now, in a handler.
pub async fn changer_of(platform: Platform, extensions: &Extensions, customer_id: Option<&str>) -> Result<Caller> {
    let caller = manager_of(platform, extensions, customer_id).await?;
    if may_change(&caller.principal, customer_id) { Ok(caller) } else { Err(Error::ViewingAs) }
}

/// Its role may change a customer's settings, and it is not viewing as that customer: then it must
/// name the customer.
pub fn may_change(principal: &Principal, customer_id: Option<&str>) -> bool {
    principal.role().manages() && (principal.viewing().is_none() || customer_id.is_some_and(|named| !named.trim().is_empty()))
}

/// The signed-in staff user, in a server function.
pub async fn staff() -> Result<Staff> {
    let platform = platform()?;
    in_request(|extensions| staff_of(platform, extensions))
}

/// The signed-in staff user, in a handler.
pub fn staff_of(platform: Platform, extensions: &Extensions) -> Result<Staff> {
    let principal = admitted(&platform, extensions)?;
    if principal.role().is_staff() { Ok(Staff { platform, principal }) } else { Err(Error::Forbidden("admin")) }
}

/// The signed-in user, in a server function.
pub async fn person() -> Result<Person> {
    let platform = platform()?;
    in_request(|extensions| person_of(platform, extensions))
}

/// The signed-in user, in a handler: for its own account, where a second factor is set up.
pub fn person_of(platform: Platform, extensions: &Extensions) -> Result<Person> {
    let principal = principal_of(extensions)?;
    let Principal::User { id, email, .. } = &principal else { return Err(Error::PeopleOnly) };
    let session = extensions.get::<Session>().and_then(Session::id).map(|id| SessionKey(id.to_string()));
    Ok(Person { platform, id: *id, email: email.clone(), session, principal })
}

/// The customer's machine that makes a request by its key.
///
/// # Errors
/// `forbidden` for a person.
pub fn machine_of(platform: Platform, extensions: &Extensions) -> Result<Machine> {
    match principal_of(extensions)? {
        Principal::User { .. } => Err(Error::Forbidden("API key")),
        Principal::ApiKey { id, customer, .. } => Ok(Machine { platform, key: id, customer }),
    }
}

/// The authenticated caller, in a handler.
pub fn reader_of(platform: Platform, extensions: &Extensions) -> Result<Reader> {
    let principal = admitted(&platform, extensions)?;
    let scope = match (principal.role().is_staff(), principal.customer()) {
        (true, _) => principal.viewing().map_or(Scope::Everyone, Scope::Customer),
        (false, Some(customer)) => Scope::Customer(customer),
        (false, None) => return Err(Error::Forbidden("admin")),
    };
    Ok(Reader { platform, principal, scope })
}

/// The authenticated caller of a request.
///
/// # Errors
/// `unauthenticated`; `unavailable` or `busy` if the credentials could not be looked up.
pub fn principal_of(extensions: &Extensions) -> Result<Principal> {
    let unknown = || extensions.get::<Unidentified>().map_or(Error::Unauthenticated, Unidentified::error);
    extensions.get::<Principal>().cloned().ok_or_else(unknown)
}

/// The same, if it has the second factor that its role requires.
fn admitted(platform: &Platform, extensions: &Extensions) -> Result<Principal> {
    let principal = principal_of(extensions)?;
    if lacks_second_factor(platform, &principal) { Err(Error::TotpEnrolmentRequired) } else { Ok(principal) }
}

/// Its role requires a second factor, and the user has not set one up.
pub fn lacks_second_factor(platform: &Platform, principal: &Principal) -> bool {
    matches!(principal, Principal::User { role, has_second_factor: false, .. } if second_factor::is_required(platform, *role))
}
