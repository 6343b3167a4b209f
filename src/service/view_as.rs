//! Staff viewing the pages as a customer. The session stores the customer; the guard enforces
//! read-only access.

use super::{Error, Platform, Result, actor::Origin};
use crate::{
    auth::Principal,
    domain::identity::CustomerId,
    store::postgres::{
        audit::{self, Entry},
        customers,
    },
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
        audit::record(&mut tx, entry("view_as.stopped", &actor, before, origin)).await?;
    }
    audit::record(&mut tx, entry("view_as.started", &actor, customer, origin)).await?;
    tx.commit().await?;
    Ok(customer)
}

/// Ends viewing as a customer, if active.
pub async fn stop(platform: &Platform, principal: &Principal, origin: &Origin) -> Result<()> {
    if let Some(customer) = principal.viewing() {
        let mut conn = platform.db.acquire().await?;
        audit::record(&mut conn, entry("view_as.stopped", &principal.actor(), customer, origin)).await?;
    }
    Ok(())
}

fn entry<'a>(event_type: &'a str, actor: &'a str, customer: CustomerId, origin: &'a Origin) -> Entry<'a> {
    Entry {
        event_type,
        actor,
        customer: Some(customer),
        data: json!({}),
        ip_address: origin.ip_address.as_deref(),
        user_agent: origin.user_agent.as_deref(),
    }
}
