//! Users.

use super::{
    Error, Platform, Result,
    actor::{Origin, system_entry},
    new_password, view_as,
};
use crate::{
    auth::{Principal, password},
    domain::{
        identity::{CustomerId, Viewer, ViewerCustomer},
        language::Language,
        role::Role,
        session::SessionKey,
    },
    store::postgres::{audit, customers, sessions, users as store},
};
use serde_json::json;
use uuid::Uuid;

/// Audits a logout.
pub async fn signed_out(platform: &Platform, principal: &Principal, origin: &Origin) -> Result<()> {
    view_as::stop(platform, principal, origin).await?;
    let actor = principal.actor();
    let entry = origin.entry("session.logout", &actor, principal.own_customer(), json!({}));
    Ok(audit::record(&mut *platform.db.acquire().await?, entry).await?)
}

/// The signed-in user, for the pages.
pub async fn viewer(platform: &Platform, principal: &Principal) -> Result<Viewer> {
    let customer = match (principal.customer(), principal.known_customer_name()) {
        (None, _) => None,
        (Some(id), Some(name)) => Some(ViewerCustomer { id, name: name.to_owned() }),
        (Some(id), None) => customers::name(&platform.db, id).await?.map(|name| ViewerCustomer { id, name }),
    };
    let (role, viewing, language) = (principal.role(), principal.viewing().is_some(), principal.language());
    Ok(Viewer { email: principal.actor(), role, customer, viewing, language })
}

/// The user of a session, and what the session's limits depend on.
pub struct SessionUser {
    pub principal: Principal,
    /// Unix seconds.
    pub signed_in_at: Option<i64>,
    pub seen_at: Option<i64>,
}

/// The user of a stored session that has not expired, read in one statement.
#[tracing::instrument(name = "users.of_session", level = "debug", skip_all)]
pub async fn of_session(platform: &Platform, session: &SessionKey) -> Result<Option<SessionUser>> {
    let found = sessions::signed_in(&platform.db, session).await?;
    Ok(found.map(|found| SessionUser {
        principal: Principal::User {
            id: found.user,
            email: found.email,
            role: found.role,
            customer: found.customer,
            customer_name: found.customer_name,
            has_second_factor: found.has_second_factor,
            viewing: None,
            language: found.language,
            customer_language: found.preferred_locale.as_deref().and_then(Language::of_tag),
        }
        .viewing_as(found.viewing),
        signed_in_at: found.signed_in_at,
        seen_at: found.seen_at,
    }))
}

/// An enabled user.
#[tracing::instrument(name = "users.principal", level = "debug", skip_all)]
pub async fn principal(platform: &Platform, user: Uuid) -> Result<Option<Principal>> {
    let user = store::by_id(&platform.db, user).await?;
    Ok(user.map(|user| Principal::User {
        id: user.id,
        email: user.email,
        role: user.role,
        customer: user.customer,
        customer_name: None,
        has_second_factor: user.has_second_factor,
        viewing: None,
        language: user.language,
        customer_language: user.preferred_locale.as_deref().and_then(Language::of_tag),
    }))
}

/// Adds a user, or changes the one with this e-mail address. A new password ends all its sessions.
pub async fn put(platform: &Platform, email: &str, given: &str, role: Role, customer: Option<CustomerId>) -> Result<()> {
    let email = email.trim().to_lowercase();
    if !email.contains('@') || email.len() > 320 {
        return Err(Error::invalid("email", "must be an e-mail address"));
    }
    if customer.is_none() && !role.is_staff() {
        return Err(Error::invalid("customer", "every user except an admin must have a customer"));
    }
    new_password::check(platform, given, &email).await?;
    let known = store::by_email(&platform.db, &email).await?.map(|user| user.password_hash);
    let is_same = known.is_some() && password::verify(given.to_owned(), known).await?;
    let hash = password::hash(given.to_owned()).await?;
    let mut tx = platform.db.begin().await?;
    let before = store::state(&mut tx, &email).await?;
    let user = store::put(&mut tx, &email, &hash, role, customer).await?;
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
