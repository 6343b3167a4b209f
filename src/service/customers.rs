//! The list of customers, for staff.

use super::usage;
use super::{
    Platform, Result,
    parameter::{DEFAULT_LIMIT, MAX_LIMIT, number, search},
};
use crate::{
    domain::{
        customer::CustomerPage,
        identity::CustomerId,
        invoice::Pagination,
        plan::Unpriced,
        subscription::{Subscription, metered_at},
    },
    store::postgres::{customers as store, subscriptions, usage::offer},
    telemetry,
};
use std::collections::{BTreeMap, HashMap, hash_map::Entry};
use time::Duration;

/// Maximum page number.
const MOST_PAGES: u32 = 1_000_000;

/// A page of the customers whose name, e-mail address, id or Stripe id contains `q`.
pub async fn list(platform: &Platform, q: Option<String>, page: Option<String>, limit: Option<String>) -> Result<CustomerPage> {
    let limit = number("limit", limit, DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let page = number("page", page, 1, 1..=MOST_PAGES)?;
    let q = search("q", q)?;
    let offset = i64::from(page - 1) * i64::from(limit);
    let (mut customers, total) =
        tokio::try_join!(store::list(&platform.db, q.as_deref(), i64::from(limit), offset), store::count(&platform.db, q.as_deref()))?;
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
    Ok(CustomerPage { customers, pagination: Pagination { page, limit, total, total_pages: total.div_ceil(u64::from(limit)) } })
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
