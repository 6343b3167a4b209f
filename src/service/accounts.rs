//! Customers, users, keys: who may sign in and what machines may send.

use super::{
    Error, Platform, Result,
    actor::{Origin, system_entry},
    new_password, view_as,
};
use crate::{
    auth::{Principal, api_key, password},
    domain::{
        identity::{CustomerId, Role, Viewer, ViewerCustomer},
        money::Currency,
    },
    store::postgres::{
        accounts as store, api_keys,
        audit::{self, Entry},
        inbox, mirror, outbox, sessions,
    },
    stripe::fetched::is_askable,
};
use serde_json::json;
use uuid::Uuid;

/// Notes that somebody signed out.
pub async fn signed_out(platform: &Platform, principal: &Principal, origin: &Origin) -> Result<()> {
    let entry = Entry {
        event_type: "session.logout",
        actor: &principal.actor(),
        customer: principal.own_customer(),
        data: json!({}),
        ip_address: origin.ip_address.as_deref(),
        user_agent: origin.user_agent.as_deref(),
    };
    view_as::stop(platform, principal, origin).await?;
    Ok(audit::record(&mut *platform.db.acquire().await?, entry).await?)
}

/// Who is signed in, for the pages.
pub async fn viewer(platform: &Platform, principal: &Principal) -> Result<Viewer> {
    let customer = match principal.customer() {
        None => None,
        Some(id) => store::customer_name(&platform.db, id).await?.map(|name| ViewerCustomer { id, name }),
    };
    Ok(Viewer { email: principal.actor(), role: principal.role(), customer, viewing: principal.viewing().is_some() })
}

/// The signed-in person of a session.
#[tracing::instrument(name = "accounts.principal", level = "debug", skip_all)]
pub async fn principal_of_user(platform: &Platform, user: Uuid) -> Result<Option<Principal>> {
    let user = store::user(&platform.db, user).await?;
    Ok(user.map(|user| Principal::User {
        id: user.id,
        email: user.email,
        role: user.role,
        customer: user.customer,
        has_second_factor: user.has_second_factor,
        viewing: None,
    }))
}

/// The machine of a key.
#[tracing::instrument(name = "accounts.principal", level = "debug", skip_all)]
pub async fn principal_of_key(platform: &Platform, key: &str) -> Result<Option<Principal>> {
    let Some(hash) = api_key::hash(key) else { return Ok(None) };
    let key = store::api_key(&platform.db, &hash).await?;
    let now = platform.clock.now();
    if let Some(key) = key.as_ref().filter(|key| key.last_used_at.is_none_or(|at| now - at >= time::Duration::MINUTE)) {
        api_keys::touch(&platform.db, key.id, now).await?;
    }
    Ok(key.map(|key| Principal::ApiKey { id: key.id, name: key.name, customer: key.customer }))
}

/// The customer that a caller's question is about: its own, or for staff the one that it names.
pub async fn customer_of(platform: &Platform, principal: &Principal, named: Option<&str>) -> Result<CustomerId> {
    let Some(named) = named.map(str::trim).filter(|text| !text.is_empty()) else {
        return principal.customer().ok_or_else(|| Error::invalid("customer_id", "staff without a customer of their own name one"));
    };
    let id = named.parse().map(CustomerId).map_err(|_| Error::NotFound("customer"))?;
    let known =
        if principal.role().is_staff() { store::customer_exists(&platform.db, id).await? } else { principal.customer() == Some(id) };
    if known { Ok(id) } else { Err(Error::NotFound("customer")) }
}

/// Adds a customer, or changes the one that has this Stripe id. What Stripe sent of it before it was known waits to be applied from now on.
pub async fn put_customer(platform: &Platform, stripe_id: &str, name: &str, email: &str, currency: Currency) -> Result<CustomerId> {
    let (stripe_id, name) = (stripe_customer_id(stripe_id)?, customer_name(name)?);
    let mut tx = platform.db.begin().await?;
    mirror::lock_claim(&mut tx, stripe_id).await?;
    let before = store::customer_state(&mut tx, stripe_id).await?;
    let customer = store::put_customer(&mut tx, stripe_id, name, email, currency, platform.clock.now()).await?;
    let data = json!({"stripe_customer_id": stripe_id, "before": before, "after": state(name, email, currency)});
    audit::record(&mut tx, system_entry("customer.put", Some(customer), data)).await?;
    inbox::take_up(&mut tx, stripe_id).await?;
    tx.commit().await?;
    Ok(customer)
}

/// Adds a customer here and in Stripe. Ours comes first, so that Stripe's can name it; whatever fails after that, the same command again
/// completes it: the same name and e-mail address are the same customer.
///
/// # Errors
/// `stripe_not_configured` before anything is done; Stripe's, upon which ours is there without a Stripe id.
pub async fn create_in_stripe(platform: &Platform, name: &str, email: &str, currency: Currency) -> Result<CustomerId> {
    platform.stripe()?;
    let name = customer_name(name)?;
    let email = email.trim();
    if !email.contains('@') || email.len() > 320 {
        return Err(Error::invalid("email", "wants an e-mail address"));
    }
    let mut tx = platform.db.begin().await?;
    // Nobody else adds the same one meanwhile.
    mirror::lock_claim(&mut tx, email).await?;
    let customer = match store::customer_added_as(&mut tx, name, email).await? {
        Some(known) => known,
        None => {
            let customer = store::add_customer(&mut tx, name, email, currency).await?;
            let data = json!({"before": null, "after": state(name, email, currency)});
            audit::record(&mut tx, system_entry("customer.put", Some(customer), data)).await?;
            outbox::publish(&mut tx, "customer.changed", Some(customer), json!({})).await?;
            customer
        }
    };
    tx.commit().await?;
    link_to_stripe(platform, customer, None).await?;
    Ok(customer)
}

/// Makes one of our customers and one of Stripe's the same: the one that is named, or else one that is made there. The metadata of Stripe's
/// names ours, so that its webhooks alone would link them too. Gives Stripe's id; a second time changes nothing.
///
/// # Errors
/// `customer_linked` when either already belongs to another; `stripe_not_configured` unless one is named; Stripe's.
pub async fn link_to_stripe(platform: &Platform, customer: CustomerId, stripe_id: Option<&str>) -> Result<String> {
    let (name, email) = store::customer_contact(&platform.db, customer).await?.ok_or(Error::NotFound("customer"))?;
    if let Some(known) = store::stripe_id(&platform.db, customer).await? {
        return if stripe_id.is_none_or(|wanted| wanted == known) { Ok(known) } else { Err(linked(&known)) };
    }
    let ours = customer.to_string();
    let stripe_id = match stripe_id {
        Some(stripe_id) => {
            // It becomes part of a path.
            if !is_askable(stripe_customer_id(stripe_id)?) {
                return Err(Error::invalid("stripe_id", "wants a Stripe customer's id, cus_…"));
            }
            if store::customer_by_stripe_id(&platform.db, stripe_id).await?.is_some() {
                return Err(linked(stripe_id));
            }
            // Without a key Stripe can't be told; what it sends finds the customer by the id.
            if let Some(stripe) = &platform.stripe {
                stripe.claim_customer(stripe_id, &ours).await?;
            }
            stripe_id.to_owned()
        }
        None => {
            let email = email.ok_or_else(|| Error::invalid("email", "the customer has none"))?;
            platform.stripe()?.put_customer(&ours, &name, &email).await?
        }
    };
    let mut tx = platform.db.begin().await?;
    mirror::lock_claim(&mut tx, &stripe_id).await?;
    match mirror::customers(&mut tx, &[&stripe_id]).await?.get(&stripe_id).copied() {
        // Its webhook was faster.
        Some(known) if known == customer => return Ok(stripe_id),
        Some(_) => return Err(linked(&stripe_id)),
        None => {}
    }
    if mirror::link_customer(&mut tx, customer.0, &stripe_id).await?.is_none() {
        return Err(linked(&stripe_id));
    }
    let data = json!({"stripe_customer_id": stripe_id});
    let change = json!({"before": {"stripe_customer_id": null}, "after": data});
    audit::record(&mut tx, system_entry("customer.linked", Some(customer), change)).await?;
    outbox::publish(&mut tx, "customer.changed", Some(customer), data).await?;
    inbox::take_up(&mut tx, &stripe_id).await?;
    tx.commit().await?;
    Ok(stripe_id)
}

fn state(name: &str, email: &str, currency: Currency) -> store::CustomerState {
    store::CustomerState { name: name.to_owned(), email: Some(email.to_owned()), currency: currency.code().to_owned() }
}

fn linked(stripe_id: &str) -> Error {
    Error::Conflict { code: "customer_linked", detail: format!("{stripe_id} and a customer of this platform belong together already") }
}

fn stripe_customer_id(text: &str) -> Result<&str> {
    if text.starts_with("cus_") && text.len() <= 255 {
        Ok(text)
    } else {
        Err(Error::invalid("stripe_id", "wants a Stripe customer's id, cus_…"))
    }
}

fn customer_name(text: &str) -> Result<&str> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::invalid("name", "wants 1 to 200 characters"));
    }
    Ok(name)
}

/// Adds a user, or changes the one of this e-mail address. Another password than before ends all its sessions.
pub async fn put_user(platform: &Platform, email: &str, given: &str, role: Role, customer: Option<CustomerId>) -> Result<()> {
    let email = email.trim().to_lowercase();
    if !email.contains('@') || email.len() > 320 {
        return Err(Error::invalid("email", "wants an e-mail address"));
    }
    if customer.is_none() && !role.is_staff() {
        return Err(Error::invalid("customer", "every user but an admin belongs to a customer"));
    }
    new_password::check(platform, given, &email).await?;
    let known = store::user_by_email(&platform.db, &email).await?.map(|user| user.password_hash);
    let is_same = known.is_some() && password::verify(given.to_owned(), known).await?;
    let hash = password::hash(given.to_owned()).await?;
    let mut tx = platform.db.begin().await?;
    let before = store::user_state(&mut tx, &email).await?;
    let user = store::put_user(&mut tx, &email, &hash, role, customer).await?;
    let ended = if is_same { 0 } else { sessions::end_all(&mut tx, user, None).await? };
    let after = store::UserState { role: role.as_str().to_owned(), customer_id: customer.map(|id| id.0), enabled: true };
    let data = json!({"email": email, "before": before, "after": after, "sessions_ended": ended});
    audit::record(&mut tx, system_entry("user.put", customer, data)).await?;
    Ok(tx.commit().await?)
}

/// Sets a user's password, and ends all its sessions.
pub async fn set_password(platform: &Platform, email: &str, given: &str) -> Result<()> {
    let email = email.trim().to_lowercase();
    new_password::check(platform, given, &email).await?;
    let hash = password::hash(given.to_owned()).await?;
    let mut tx = platform.db.begin().await?;
    let user = store::set_password(&mut tx, &email, &hash).await?.ok_or(Error::NotFound("user"))?;
    let ended = sessions::end_all(&mut tx, user, None).await?;
    audit::record(&mut tx, system_entry("user.password_set", None, json!({"email": email, "sessions_ended": ended}))).await?;
    Ok(tx.commit().await?)
}

/// Makes a key for a customer's machines. The key is shown this once; what is kept can't be turned back into it.
pub async fn create_api_key(platform: &Platform, customer: CustomerId, name: &str) -> Result<String> {
    let key = api_key::generate();
    add_api_key(platform, customer, name, &key).await?;
    Ok(key)
}

/// Puts a key that was made before (the demo's) in force.
pub async fn add_api_key(platform: &Platform, customer: CustomerId, name: &str, key: &str) -> Result<()> {
    let hash = api_key::hash(key).ok_or_else(|| Error::invalid("key", "is no API key"))?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Error::invalid("name", "wants 1 to 100 characters"));
    }
    let mut tx = platform.db.begin().await?;
    if store::add_api_key(&mut tx, customer, name, api_key::prefix(key), &hash).await? {
        let data = json!({"name": name, "prefix": api_key::prefix(key)});
        audit::record(&mut tx, system_entry("api_key.created", Some(customer), data)).await?;
    }
    Ok(tx.commit().await?)
}

/// Revokes the key that begins with a prefix.
pub async fn revoke_api_key(platform: &Platform, prefix: &str) -> Result<()> {
    let mut tx = platform.db.begin().await?;
    if store::revoke_api_key(&mut tx, prefix, platform.clock.now()).await? == 0 {
        return Err(Error::NotFound("API key"));
    }
    audit::record(&mut tx, system_entry("api_key.revoked", None, json!({"prefix": prefix}))).await?;
    Ok(tx.commit().await?)
}
