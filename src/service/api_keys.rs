//! API keys, for operators and authentication.

use super::{Error, Platform, Result, actor::system_entry};
use crate::{
    auth::{Principal, api_key},
    domain::identity::CustomerId,
    store::postgres::{api_keys as store, audit},
};
use serde_json::json;

/// The API key of a bearer token.
#[tracing::instrument(name = "api_keys.principal", level = "debug", skip_all)]
pub async fn principal(platform: &Platform, key: &str) -> Result<Option<Principal>> {
    let Some(hash) = api_key::hash(key) else { return Ok(None) };
    let key = store::find(&platform.db, &hash).await?;
    let now = platform.clock.now();
    if let Some(key) = key.as_ref().filter(|key| key.last_used_at.is_none_or(|at| now - at >= time::Duration::MINUTE)) {
        store::touch(&platform.db, key.id, now).await?;
    }
    Ok(key.map(|key| Principal::ApiKey { id: key.id, name: key.name, customer: key.customer }))
}

/// Creates an API key for a customer. The key is shown only once; it can't be derived from the
/// stored hash.
pub async fn create(platform: &Platform, customer: CustomerId, name: &str) -> Result<String> {
    let key = api_key::generate();
    add(platform, customer, name, &key).await?;
    Ok(key)
}

/// Stores an existing key (the demo's).
pub async fn add(platform: &Platform, customer: CustomerId, name: &str, key: &str) -> Result<()> {
    let hash = api_key::hash(key).ok_or_else(|| Error::invalid("key", "is not an API key"))?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Error::invalid("name", "must have 1 to 100 characters"));
    }
    let mut tx = platform.db.begin().await?;
    if store::add_if_new(&mut tx, customer, name, api_key::prefix(key), &hash).await? {
        let data = json!({"name": name, "prefix": api_key::prefix(key)});
        audit::record(&mut tx, system_entry("api_key.created", Some(customer), data)).await?;
    }
    Ok(tx.commit().await?)
}

/// Revokes the key that begins with a prefix.
pub async fn revoke(platform: &Platform, prefix: &str) -> Result<()> {
    let mut tx = platform.db.begin().await?;
    if store::revoke_by_prefix(&mut tx, prefix, platform.clock.now()).await? == 0 {
        return Err(Error::NotFound("API key"));
    }
    audit::record(&mut tx, system_entry("api_key.revoked", None, json!({"prefix": prefix}))).await?;
    Ok(tx.commit().await?)
}
