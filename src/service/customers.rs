//! Customers: their list for staff, adding them, linking them to Stripe, and the customer of a
//! request.

use super::{
    Error, Platform, Result,
    actor::system_entry,
    parameter::{paging, value},
    usage,
};
use crate::{
    auth::Principal,
    domain::{
        customer::CustomerPage,
        error_code::ErrorCode,
        identity::CustomerId,
        list::{CustomerFilter, ListQuery, Pagination, SearchText},
        money::Currency,
        plan::Unpriced,
        subscription::{Subscription, metered_at},
    },
    store::postgres::{audit, customers as store, inbox, mirror, outbox, subscriptions, usage::offer},
    stripe::fetched::is_askable,
    telemetry,
};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, hash_map::Entry};
use time::Duration;

/// Maximum page number.
const MOST_PAGES: u32 = 1_000_000;

/// A page of the customers whose name, e-mail address, id or Stripe id contains the search text.
pub async fn list(platform: &Platform, query: ListQuery<CustomerFilter>) -> Result<CustomerPage> {
    let (page, limit) = paging(query.paging, MOST_PAGES)?;
    let q = value("q", query.filter.q)?;
    let q = q.as_ref().map(SearchText::as_str);
    let rows = store::list(&platform.db, q, i64::from(limit.0), page.offset(limit));
    let (mut customers, total) = tokio::try_join!(rows, store::count(&platform.db, q))?;
    let ids: Vec<CustomerId> = customers.iter().map(|customer| customer.id).collect();
    let mut standing = metered(platform, &ids).await?;
    for customer in &mut customers {
        if let Some(Standing { subscription, unpriced }) = standing.remove(&customer.id) {
            customer.plan_type = subscription.plan;
            customer.plan_name = subscription.other_plan().map(str::to_owned);
            customer.subscription_status = Some(subscription.status);
            customer.unpriced = unpriced.map(|why| why.to_string());
        }
    }
    Ok(CustomerPage { customers, pagination: Pagination::new(page, limit, total) })
}

/// A customer's metered subscription.
struct Standing {
    subscription: Subscription,
    unpriced: Option<Unpriced>,
}

/// The metered subscription of each of these customers that has one.
async fn metered(platform: &Platform, customers: &[CustomerId]) -> Result<HashMap<CustomerId, Standing>> {
    let now = platform.clock.now();
    let mut offers = HashMap::new();
    let mut standing = HashMap::new();
    for (customer, all) in subscriptions::of_customers(&platform.db, customers, now - Duration::DAY).await? {
        let metered = metered_at(&all, now);
        let Some(subscription) = metered.subscription else { continue };
        let unpriced = match subscription.plan {
            None => usage::unpriced(subscription, None),
            Some(plan) => {
                // Plan versions are months old, so any two instants of a day have the same one.
                let key = (plan, subscription.currency, metered.period.start().date());
                let offer = match offers.entry(key) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => {
                        unknown.insert(offer(&platform.db, plan, subscription.currency, metered.period.start()).await?)
                    }
                };
                usage::unpriced(subscription, offer.as_ref())
            }
        };
        standing.insert(customer, Standing { subscription: subscription.clone(), unpriced });
    }
    Ok(standing)
}

/// Customers per query.
const AT_A_TIME: i64 = 500;
/// Maximum number of customers in a log line.
const NAMED: usize = 20;

/// Counts the customers whose usage can't be priced, for the metric and the log. Returns them with
/// the reason.
pub async fn find_unpriced(platform: &Platform) -> Result<BTreeMap<CustomerId, Unpriced>> {
    let mut found = BTreeMap::new();
    let mut after = CustomerId(uuid::Uuid::nil());
    loop {
        let page = store::subscribed(&platform.db, after, AT_A_TIME).await?;
        let Some(last) = page.last() else { break };
        after = *last;
        let standing = metered(platform, &page).await?;
        found.extend(standing.into_iter().filter_map(|(customer, standing)| Some((customer, standing.unpriced?))));
    }
    for reason in Unpriced::LABELS {
        let count = found.values().filter(|why| why.label() == reason).count();
        metrics::gauge!(telemetry::USAGE_UNPRICED_CUSTOMERS, "reason" => reason).set(count as f64);
    }
    Ok(found)
}

/// Logs them.
pub fn log_unpriced(found: &BTreeMap<CustomerId, Unpriced>) {
    let named: Vec<String> = found.iter().take(NAMED).map(|(customer, why)| format!("{customer}: {why}")).collect();
    tracing::warn!(customers = found.len(), examples = named.join("; "), "usage of customers cannot be priced");
}

/// The customer of a request: the caller's own, or for staff the one that the request names.
pub async fn customer_of(platform: &Platform, principal: &Principal, named: Option<&str>) -> Result<CustomerId> {
    let Some(named) = named.map(str::trim).filter(|text| !text.is_empty()) else {
        return principal.customer().ok_or_else(|| Error::invalid("customer_id", "staff without their own customer must name one"));
    };
    let id = named.parse().map(CustomerId).map_err(|_| Error::NotFound("customer"))?;
    let known = if principal.role().is_staff() { store::exists(&platform.db, id).await? } else { principal.customer() == Some(id) };
    if known { Ok(id) } else { Err(Error::NotFound("customer")) }
}

/// Adds a customer, or changes the one with this Stripe id. Stripe's earlier events about it are
/// queued.
pub async fn put(platform: &Platform, stripe_id: &str, name: &str, email: &str, currency: Currency) -> Result<CustomerId> {
    let (stripe_id, name) = (stripe_customer_id(stripe_id)?, customer_name(name)?);
    let mut tx = platform.db.begin().await?;
    mirror::lock_claim(&mut tx, stripe_id).await?;
    let before = store::state(&mut tx, stripe_id).await?;
    let customer = store::put(&mut tx, stripe_id, name, email, currency, platform.clock.now()).await?;
    let data = json!({"stripe_customer_id": stripe_id, "before": before, "after": state(name, email, currency)});
    audit::record(&mut tx, system_entry("customer.put", Some(customer), data)).await?;
    inbox::take_up(&mut tx, stripe_id).await?;
    tx.commit().await?;
    Ok(customer)
}

/// Adds a customer here and in Stripe. Ours is created first, so that Stripe's metadata can contain
/// its id. After a failure, repeating the command completes it: the same name and e-mail address
/// identify the same customer.
///
/// # Errors
/// `stripe_not_configured`, with no effect; Stripe's errors, after which our customer exists
/// without a Stripe id.
pub async fn create_in_stripe(platform: &Platform, name: &str, email: &str, currency: Currency) -> Result<CustomerId> {
    platform.stripe()?;
    let name = customer_name(name)?;
    let email = email.trim();
    if !email.contains('@') || email.len() > 320 {
        return Err(Error::invalid("email", "must be an e-mail address"));
    }
    let mut tx = platform.db.begin().await?;
    // Lock against a concurrent creation of the same customer.
    mirror::lock_claim(&mut tx, email).await?;
    let customer = match store::added_as(&mut tx, name, email).await? {
        Some(known) => known,
        None => {
            let customer = store::add(&mut tx, name, email, currency).await?;
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

/// Links a customer to the named Stripe customer, or to a new one. Its Stripe metadata contain our
/// id, so that webhooks alone would link it too. Returns Stripe's id; repeating has no effect.
///
/// # Errors
/// `customer_linked` if either is already linked to another; `stripe_not_configured` unless a
/// Stripe customer is named; Stripe's errors.
pub async fn link_to_stripe(platform: &Platform, customer: CustomerId, stripe_id: Option<&str>) -> Result<String> {
    let (name, email) = store::contact(&platform.db, customer).await?.ok_or(Error::NotFound("customer"))?;
    if let Some(known) = store::stripe_id(&platform.db, customer).await? {
        return if stripe_id.is_none_or(|wanted| wanted == known) { Ok(known) } else { Err(linked(&known)) };
    }
    let ours = customer.to_string();
    let stripe_id = match stripe_id {
        Some(stripe_id) => {
            // It becomes part of a URL's path.
            if !is_askable(stripe_customer_id(stripe_id)?) {
                return Err(Error::invalid("stripe_id", "must be a Stripe customer's id, cus_…"));
            }
            if store::by_stripe_id(&platform.db, stripe_id).await?.is_some() {
                return Err(linked(stripe_id));
            }
            // Without a key Stripe's metadata stay unchanged; events find the customer by its
            // Stripe id.
            if let Some(stripe) = &platform.stripe {
                stripe.claim_customer(stripe_id, &ours).await?;
            }
            stripe_id.to_owned()
        }
        None => {
            let email = email.ok_or_else(|| Error::invalid("email", "the customer has no Stripe id"))?;
            platform.stripe()?.put_customer(&ours, &name, &email).await?
        }
    };
    let mut tx = platform.db.begin().await?;
    mirror::lock_claim(&mut tx, &stripe_id).await?;
    match mirror::customers(&mut tx, &[&stripe_id]).await?.get(&stripe_id).copied() {
        // The webhook was faster.
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
    Error::refused(ErrorCode::CustomerLinked, format!("{stripe_id} is already linked to a customer of this platform"))
}

fn stripe_customer_id(text: &str) -> Result<&str> {
    if text.starts_with("cus_") && text.len() <= 255 {
        Ok(text)
    } else {
        Err(Error::invalid("stripe_id", "must be a Stripe customer's id, cus_…"))
    }
}

fn customer_name(text: &str) -> Result<&str> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::invalid("name", "must have 1 to 200 characters"));
    }
    Ok(name)
}
