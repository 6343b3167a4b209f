//! Settings that customers manage besides alerts: billing contacts and API keys.

use super::{Error, Platform, Result, actor::By, alerts, usage};
use crate::{
    auth::api_key,
    domain::{
        email::EmailAddress,
        field_error::{Fault, FieldError, FieldErrors},
        identity::CustomerId,
        settings::{ApiKeySummary, Contact, CustomerSettings, NewApiKey},
    },
    store::postgres::{api_keys, audit, contacts, outbox},
};
use serde_json::json;
use uuid::Uuid;

const MAX_CONTACTS: i64 = 20;
const MAX_KEYS: i64 = 50;
const MAX_NAME_CHARS: usize = 100;

/// The data of the settings page; keys only if `manages`.
#[tracing::instrument(name = "settings.all", level = "debug", skip_all)]
pub async fn all(platform: &Platform, customer: CustomerId, manages: bool) -> Result<CustomerSettings> {
    let (currency, _) = usage::billed(platform, customer).await?;
    Ok(CustomerSettings {
        manages,
        alerts: alerts::settings(platform, customer).await?,
        currency,
        fired: alerts::fired(platform, customer).await?.alerts,
        billing_email: contacts::billing_email(&platform.db, customer).await?,
        contacts: contacts::list(&platform.db, customer).await?,
        api_keys: if manages { Some(api_keys::list(&platform.db, customer).await?) } else { None },
    })
}

/// A customer's billing contacts, by their address.
pub async fn contacts(platform: &Platform, customer: CustomerId) -> Result<Vec<Contact>> {
    Ok(contacts::list(&platform.db, customer).await?)
}

/// Adds a contact, or renames the one with this address.
pub async fn put_contact(platform: &Platform, by: &By, customer: CustomerId, name: Option<&str>, email: &str) -> Result<Contact> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let wrong_name = name.filter(|name| !is_name(name)).map(|_| {
        let detail = format!("must have at most {MAX_NAME_CHARS} characters and no control characters");
        FieldError::new("name", detail, Fault::Name(MAX_NAME_CHARS as u64))
    });
    let email = email.parse::<EmailAddress>().map_err(|detail| FieldError::new("email", detail, Fault::email(email)));
    let email = match (email, wrong_name) {
        (Ok(email), None) => email,
        (email, wrong_name) => return Err(email.err().into_iter().chain(wrong_name).collect::<FieldErrors>().into()),
    };
    let mut tx = platform.db.begin().await?;
    let (before, contact) = contacts::put(&mut tx, customer, name, &email).await?;
    if contacts::count(&mut tx, customer).await? > MAX_CONTACTS {
        let detail = format!("the limit of {MAX_CONTACTS} contacts is reached; remove one first");
        return Err(Error::invalid_field("email", detail, Fault::Limit(MAX_CONTACTS.unsigned_abs())));
    }
    let data = json!({"email": email, "name": name});
    audit::record(&mut tx, by.entry("billing_contact.put", Some(customer), json!({"before": before, "after": contact}))).await?;
    outbox::publish(&mut tx, "billing_contact.put", Some(customer), data).await?;
    tx.commit().await?;
    Ok(contact)
}

/// Removes a contact.
pub async fn remove_contact(platform: &Platform, by: &By, customer: CustomerId, id: &str) -> Result<()> {
    let id: Uuid = id.parse().map_err(|_| Error::NotFound("contact"))?;
    let mut tx = platform.db.begin().await?;
    let before = contacts::remove(&mut tx, customer, id).await?.ok_or(Error::NotFound("contact"))?;
    let data = json!({"email": before.email});
    audit::record(&mut tx, by.entry("billing_contact.removed", Some(customer), json!({"before": before, "after": null}))).await?;
    outbox::publish(&mut tx, "billing_contact.removed", Some(customer), data).await?;
    Ok(tx.commit().await?)
}

/// A customer's active keys, newest first.
pub async fn api_keys(platform: &Platform, customer: CustomerId) -> Result<Vec<ApiKeySummary>> {
    Ok(api_keys::list(&platform.db, customer).await?)
}

/// Creates a key. Only this response has it; it can't be derived from the stored hash.
pub async fn create_api_key(platform: &Platform, by: &By, customer: CustomerId, name: &str) -> Result<NewApiKey> {
    let name = name.trim();
    if name.is_empty() || !is_name(name) {
        let fault = if name.is_empty() { Fault::Required } else { Fault::Name(MAX_NAME_CHARS as u64) };
        return Err(Error::invalid_field("name", format!("must have 1 to {MAX_NAME_CHARS} characters and no control characters"), fault));
    }
    let key = api_key::generate();
    let hash = api_key::hash(&key).ok_or_else(|| anyhow::anyhow!("generated an invalid key"))?;
    let mut tx = platform.db.begin().await?;
    if api_keys::count_for_update(&mut tx, customer).await? >= MAX_KEYS {
        let detail = format!("the limit of {MAX_KEYS} keys is reached; revoke one first");
        return Err(Error::invalid_field("name", detail, Fault::Limit(MAX_KEYS.unsigned_abs())));
    }
    let summary = api_keys::add(&mut tx, customer, name, api_key::prefix(&key), &hash, platform.clock.now()).await?;
    let data = json!({"name": name, "prefix": summary.prefix});
    audit::record(&mut tx, by.entry("api_key.created", Some(customer), data.clone())).await?;
    outbox::publish(&mut tx, "api_key.created", Some(customer), data).await?;
    tx.commit().await?;
    Ok(NewApiKey { summary, key })
}

/// Revokes a key: requests with it are refused from now on.
pub async fn revoke_api_key(platform: &Platform, by: &By, customer: CustomerId, id: &str) -> Result<ApiKeySummary> {
    let id: Uuid = id.parse().map_err(|_| Error::NotFound("API key"))?;
    let mut tx = platform.db.begin().await?;
    let key = api_keys::revoke(&mut tx, customer, id, platform.clock.now()).await?.ok_or(Error::NotFound("API key"))?;
    let data = json!({"name": key.name, "prefix": key.prefix});
    audit::record(&mut tx, by.entry("api_key.revoked", Some(customer), data.clone())).await?;
    outbox::publish(&mut tx, "api_key.revoked", Some(customer), data).await?;
    tx.commit().await?;
    Ok(key)
}

fn is_name(text: &str) -> bool {
    text.chars().count() <= MAX_NAME_CHARS && !text.chars().any(char::is_control)
}
