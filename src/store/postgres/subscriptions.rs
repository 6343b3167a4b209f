//! Subscriptions as input of the rule in `domain::subscription`.

use super::decode;
use crate::domain::{
    identity::CustomerId,
    period::Period,
    reconcile::written,
    subscription::{Interval, Item, PauseCollection, Subscription, metered_item},
};
use serde::Deserialize;
use sqlx::{PgExecutor, types::Json};
use std::collections::HashMap;
use time::OffsetDateTime;

/// Maximum number of subscriptions per customer: the newest.
const MOST: i64 = 200;

/// An item in the query's format.
#[derive(Debug, Deserialize)]
pub struct ItemRow {
    id: String,
    plan_type: Option<String>,
    lookup_key: Option<String>,
    usage_type: Option<String>,
    price_interval: Option<String>,
    price_interval_count: Option<i32>,
    #[serde(with = "time::serde::rfc3339::option")]
    period_start: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    period_end: Option<OffsetDateTime>,
}

impl ItemRow {
    fn interval(&self) -> Option<Interval> {
        Interval::new(self.price_interval.as_deref()?.parse().ok()?, u16::try_from(self.price_interval_count?).ok()?)
    }

    fn item(self) -> sqlx::Result<Item> {
        Ok(Item {
            plan: self.plan_type.as_deref().map(decode).transpose()?,
            metered: self.usage_type.as_deref().map(|usage_type| usage_type == "metered"),
            interval: self.interval(),
            period: span(self.period_start, self.period_end),
            lookup_key: self.lookup_key,
            id: self.id,
        })
    }
}

/// The metered period of a subscription with these items, in the format of both sides of a
/// reconciliation.
pub fn metered_period(items: Vec<ItemRow>, start: Option<OffsetDateTime>, end: Option<OffsetDateTime>) -> String {
    let items: Vec<Item> = items.into_iter().filter_map(|item| item.item().ok()).collect();
    let period = metered_item(&items).and_then(|item| item.period).or(span(start, end));
    format!("{} – {}", written(period.map(|period| period.start())), written(period.map(|period| period.end())))
}

/// The subscriptions of a customer that had not ended before an instant.
pub async fn of_customer(db: impl PgExecutor<'_>, customer: CustomerId, since: OffsetDateTime) -> sqlx::Result<Vec<Subscription>> {
    Ok(of_customers(db, &[customer], since).await?.remove(&customer).unwrap_or_default())
}

/// The same for several customers; those without subscriptions are left out.
pub async fn of_customers(
    db: impl PgExecutor<'_>,
    customers: &[CustomerId],
    since: OffsetDateTime,
) -> sqlx::Result<HashMap<CustomerId, Vec<Subscription>>> {
    let ids: Vec<uuid::Uuid> = customers.iter().map(|customer| customer.0).collect();
    let rows = sqlx::query!(
        r#"SELECT subscription.customer_id AS "customer_id!", stripe_subscription_id AS "id!", status AS "status!", plan_type, plan_name,
                  currency AS "currency!", created_at AS "created_at!", start_date, billing_cycle_anchor, current_period_start,
                  current_period_end, cancel_at_period_end AS "cancel_at_period_end!", cancel_at, canceled_at, ended_at, deleted AS "deleted!",
                  pause_behavior, pause_resumes_at,
                  (SELECT coalesce(jsonb_agg(jsonb_build_object(
                              'id', stripe_item_id, 'plan_type', item.plan_type, 'lookup_key', lookup_key, 'usage_type', usage_type,
                              'price_interval', price_interval, 'price_interval_count', price_interval_count,
                              'period_start', period_start, 'period_end', period_end) ORDER BY stripe_item_id COLLATE "C"), '[]')
                   FROM subscription_items item WHERE item.subscription_id = subscription.id) AS "items!: Json<Vec<ItemRow>>"
           FROM unnest($1::uuid[]) AS wanted(customer_id), LATERAL (
               SELECT * FROM subscriptions
               WHERE subscriptions.customer_id = wanted.customer_id AND (ended_at IS NULL OR ended_at > $2)
               ORDER BY created_at DESC, stripe_subscription_id COLLATE "C" LIMIT $3
           ) AS subscription"#,
        &ids,
        since,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let mut subscriptions: HashMap<CustomerId, Vec<Subscription>> = HashMap::new();
    for row in rows {
        let subscription = Subscription {
            plan: row.plan_type.as_deref().map(decode).transpose()?,
            plan_name: row.plan_name,
            currency: decode(&row.currency)?,
            created_at: row.created_at,
            start_date: row.start_date,
            billing_cycle_anchor: row.billing_cycle_anchor,
            current_period: span(row.current_period_start, row.current_period_end),
            cancel_at_period_end: row.cancel_at_period_end,
            cancel_at: row.cancel_at,
            canceled_at: row.canceled_at,
            ended_at: row.ended_at,
            deleted: row.deleted,
            pause: row.pause_behavior.map(|behavior| PauseCollection { behavior, resumes_at: row.pause_resumes_at }),
            items: row.items.0.into_iter().map(ItemRow::item).collect::<sqlx::Result<_>>()?,
            status: row.status,
            id: row.id,
        };
        subscriptions.entry(CustomerId(row.customer_id)).or_default().push(subscription);
    }
    Ok(subscriptions)
}

fn span(start: Option<OffsetDateTime>, end: Option<OffsetDateTime>) -> Option<Period> {
    start.zip(end).and_then(|(start, end)| Period::new(start, end))
}
