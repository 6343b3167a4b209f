//! Subscriptions.

use super::{Moment, currency, owned, owned_id, required_id};
use crate::{
    domain::{mirror, plan::PlanType},
    stripe::webhook::{
        field::{Field, Read},
        snapshot::{Change, ItemSnapshot, Snapshot, Span, SubscriptionSnapshot},
    },
};

pub(super) fn read(subscription: &Field<'_>, moment: &Moment<'_>) -> Read<Change> {
    let status = subscription.get("status").need(subscription.get("status").text()?)?;
    let created = subscription.any([&["created"], &["start_date"]]);
    let items = subscription.get("items").entries()?;
    let current_period = current_period(subscription, &items)?;
    let snapshot = SubscriptionSnapshot {
        id: required_id(subscription, "id")?,
        customer: required_id(subscription, "customer")?,
        status: status.to_owned(),
        plan: plan(subscription, &items)?,
        currency: match items.first() {
            // Before 2022 the currency was only on the prices.
            Some(item) if !subscription.get("currency").exists() => currency(&item.any([&["price"], &["plan"]]))?,
            _ => currency(subscription)?,
        },
        current_period,
        cancel_at_period_end: subscription.get("cancel_at_period_end").boolean()?.unwrap_or(false),
        cancel_at: subscription.get("cancel_at").time()?,
        canceled_at: subscription.get("canceled_at").time()?,
        ended_at: subscription.get("ended_at").time()?,
        created_at: created.need(created.time()?)?,
        items: items.iter().map(item).collect::<Read<_>>()?,
    };
    // A period starts after the one before it, so its start only grows.
    let progress = current_period.start.map_or(0, |start| start.unix_timestamp());
    let rank = mirror::subscription_rank(status);
    Ok(moment.change(Snapshot::Subscription(Box::new(snapshot)), true, rank, progress))
}

/// Since basil (2025-03-31) each item has its own period; the subscription's is the one that they share, else what they span.
fn current_period(subscription: &Field<'_>, items: &[Field<'_>]) -> Read<Span> {
    let (start, end) = (subscription.get("current_period_start").time()?, subscription.get("current_period_end").time()?);
    if start.is_some() || end.is_some() {
        return Ok(Span { start, end });
    }
    let mut span = Span::default();
    for item in items {
        let (start, end) = (item.get("current_period_start").time()?, item.get("current_period_end").time()?);
        span.start = [span.start, start].into_iter().flatten().min();
        span.end = [span.end, end].into_iter().flatten().max();
    }
    Ok(span)
}

/// Which of our plans it is for: what the subscription's metadata says, else what its prices say of themselves.
fn plan(subscription: &Field<'_>, items: &[Field<'_>]) -> Read<Option<PlanType>> {
    let named = |name: Option<&str>| name.and_then(|name| name.trim().to_ascii_lowercase().parse().ok());
    if let Some(plan) = named(subscription.get("metadata").get("plan_type").text()?) {
        return Ok(Some(plan));
    }
    for item in items {
        for price in [item.get("price"), item.get("plan")] {
            for says in [price.get("metadata").get("plan_type"), price.get("lookup_key"), price.get("nickname")] {
                let text = says.text()?;
                // `growth_monthly_eur`, `Growth (monthly)`: the plan's name is one of the words.
                let mut words = text.into_iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
                if let Some(plan) = words.find_map(|word| named(Some(word))) {
                    return Ok(Some(plan));
                }
            }
        }
    }
    Ok(None)
}

fn item(item: &Field<'_>) -> Read<ItemSnapshot> {
    let price = item.any([&["price"], &["plan"]]);
    Ok(ItemSnapshot {
        id: required_id(item, "id")?,
        price: owned_id(&price)?,
        lookup_key: owned(&price.get("lookup_key"))?,
        quantity: item.get("quantity").integer()?,
    })
}
