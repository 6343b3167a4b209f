//! Staff viewing the pages as a customer. The session stores the customer; the guard enforces
//! read-only access.

use super::{Error, Platform, Result, actor::Origin};
use crate::{
    auth::Principal,
    domain::identity::CustomerId,
    store::postgres::{audit, customers},
};
use serde_json::json;

/// Starts viewing as a customer, instead of a previous one. Repeating has no effect.
///
/// # Errors
/// `not_found`.
pub async fn start(platform: &Platform, principal: &Principal, origin: &Origin, customer_id: &str) -> Result<CustomerId> {
    let customer = customer_id.trim().parse().map(CustomerId).map_err(|_| Error::NotFound("customer"))?;
    if !customers::exists(&platform.db, customer).await? {
        return Err(Error::NotFound("customer"));
    }
    if principal.viewing() == Some(customer) {
        return Ok(customer);
    }
    let actor = principal.actor();
    let mut tx = platform.db.begin().await?;
    if let Some(before) = principal.viewing() {
        audit::record(&mut tx, origin.entry("view_as.stopped", &actor, Some(before), json!({}))).await?;
    }
    audit::record(&mut tx, origin.entry("view_as.started", &actor, Some(customer), json!({}))).await?;
    tx.commit().await?;
    Ok(customer)
}

/// Ends viewing as a customer, if active.
pub async fn stop(platform: &Platform, principal: &Principal, origin: &Origin) -> Result<()> {
    if let Some(customer) = principal.viewing() {
        let mut conn = platform.db.acquire().await?;
        audit::record(&mut conn, origin.entry("view_as.stopped", &principal.actor(), Some(customer), json!({}))).await?;
    }
    Ok(())
}
