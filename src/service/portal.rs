//! Stripe's customer portal, where customers manage payment methods, addresses and past payments.

use super::{Error, Platform, Result, actor::Origin, features};
use crate::{
    auth::Principal,
    domain::{error_code::ErrorCode, features::Feature, identity::CustomerId, web_link::https_link},
    store::postgres::{audit, customers},
    stripe::client::StripeError,
};
use serde::Serialize;
use serde_json::json;

/// `POST /billing/portal`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Portal {
    /// Stripe's URL; valid for a few minutes and for one user.
    pub url: String,
}

/// Opens a portal session for a customer. `back`: our path to which the portal returns.
///
/// # Errors
/// `forbidden` for read-only users; `customer_portal_disabled`; `stripe_not_configured`;
/// `no_stripe_customer` if the customer has no Stripe id; `stripe_unavailable` and
/// `stripe_refused`.
#[tracing::instrument(name = "portal.open", level = "debug", skip_all)]
pub async fn open(platform: &Platform, principal: &Principal, customer: CustomerId, origin: &Origin, back: &str) -> Result<Portal> {
    if !principal.role().manages() {
        return Err(Error::Forbidden("publisher"));
    }
    features::require(platform, Feature::CustomerPortal)?;
    let stripe = platform.stripe()?;
    let stripe_id = customers::stripe_id(&platform.db, customer)
        .await?
        .ok_or_else(|| Error::refused(ErrorCode::NoStripeCustomer, ErrorCode::NoStripeCustomer.sentence()))?;
    let url = stripe.portal(&stripe_id, &format!("{}{back}", platform.config.public_url.origin())).await?;
    // A browser is redirected there.
    let is_of_stand_in = platform
        .config
        .portal_origin()
        .and_then(|origin| url.strip_prefix(&origin).map(|path| path.starts_with('/') && url.bytes().all(|byte| byte.is_ascii_graphic())))
        .unwrap_or(false);
    if https_link(&url).is_none() && !is_of_stand_in {
        return Err(StripeError::Unreadable("the portal's URL is invalid".into()).into());
    }
    let actor = principal.actor();
    let entry = origin.entry("portal.opened", &actor, Some(customer), json!({"stripe_customer_id": stripe_id}));
    audit::record(&mut *platform.db.acquire().await?, entry).await?;
    Ok(Portal { url })
}
