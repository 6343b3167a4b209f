//! Subscriptions.

use super::{Moment, currency, owned, owned_id, required_id};
use crate::{
    domain::{
        mirror::{
            self,
            snapshot::{Change, ItemSnapshot, Snapshot, Span, SubscriptionSnapshot},
        },
        period::Period,
        plan::PlanType,
        subscription::{Interval, Unit, item_period},
    },
    stripe::webhook::field::{Field, Read},
};

pub(super) fn read(subscription: &Field<'_>, moment: &Moment<'_>) -> Read<Change> {
    let status = subscription.get("status").need(subscription.get("status").text()?)?;
    let created = subscription.any([&["created"], &["start_date"]]);
    let entries = subscription.get("items").entries()?;
    let billing_cycle_anchor = subscription.get("billing_cycle_anchor").time()?;
    let mut items = entries.iter().map(item).collect::<Read<Vec<_>>>()?;
    let current_period = periods(subscription, &mut items)?;
    let named = plan_name(subscription)?;
    let plan = match plan_called(named) {
        Some(plan) => Some(plan),
        None => items.iter().find_map(|item| item.plan),
    };
    let pause = subscription.get("pause_collection");
    let snapshot = SubscriptionSnapshot {
        id: required_id(subscription, "id")?,
        customer: required_id(subscription, "customer")?,
        status: status.to_owned(),
        plan,
        plan_name: match (plan, named) {
            (Some(_), _) => None,
            (None, Some(name)) => Some(name.to_owned()),
            (None, None) => price_plan_name(&entries)?,
        },
        currency: match entries.first() {
            // Before 2022 only the prices had the currency.
            Some(item) if !subscription.get("currency").exists() => currency(&item.any([&["price"], &["plan"]]))?,
            _ => currency(subscription)?,
        },
        current_period,
        cancel_at_period_end: subscription.get("cancel_at_period_end").boolean()?.unwrap_or(false),
        cancel_at: subscription.get("cancel_at").time()?,
        canceled_at: subscription.get("canceled_at").time()?,
        ended_at: subscription.get("ended_at").time()?,
        created_at: created.need(created.time()?)?,
        start_date: subscription.get("start_date").time()?,
        billing_cycle_anchor,
        trial_end: subscription.get("trial_end").time()?,
        billing_mode: owned(&subscription.get("billing_mode").get("type"))?,
        pause_behavior: owned(&pause.get("behavior"))?,
        pause_resumes_at: pause.get("resumes_at").time()?,
        items,
        items_complete: !subscription.get("items").get("has_more").boolean()?.unwrap_or(false),
    };
    // A period begins after the previous one, so its start only increases.
    let progress = current_period.start.map_or(0, |start| start.unix_timestamp());
    let rank = mirror::subscription_rank(status);
    Ok(moment.change(Snapshot::Subscription(Box::new(snapshot)), true, rank, progress))
}

/// Since 2025-03-31.basil each item has its own period; older versions have the smallest one on the
/// subscription (changelog 2025-07-30.basil, "mixed interval subscriptions"). Here both have both.
/// Returns the subscription's.
fn periods(subscription: &Field<'_>, items: &mut [ItemSnapshot]) -> Read<Span> {
    let (start, end) = (subscription.get("current_period_start").time()?, subscription.get("current_period_end").time()?);
    let anchor = subscription.get("billing_cycle_anchor").time()?;
    let given = start.zip(end).and_then(|(start, end)| Period::new(start, end));
    if let Some(smallest) = given {
        let shortest = items.iter().filter_map(ItemSnapshot::interval).min_by_key(|interval| interval.about_days());
        for item in items.iter_mut().filter(|item| item.period == Span::default()) {
            item.period = Span::from(item_period(smallest, shortest, item.interval(), anchor));
        }
    }
    let of_items = items.iter().filter_map(|item| item.period.period()).min_by_key(|period| (period.length(), period.end()));
    Ok(of_items.or(given).map_or(Span { start, end }, Span::from))
}

/// The plan with this name.
fn plan_called(name: Option<&str>) -> Option<PlanType> {
    name.and_then(|name| name.trim().to_ascii_lowercase().parse().ok())
}

/// The plan's name in the subscription's metadata.
fn plan_name<'a>(subscription: &Field<'a>) -> Read<Option<&'a str>> {
    Ok(subscription.get("metadata").get("plan_type").text()?.map(str::trim).filter(|name| !name.is_empty()))
}

/// The plan's name in a price's metadata.
fn price_plan_name(items: &[Field<'_>]) -> Read<Option<String>> {
    for item in items {
        for price in [item.get("price"), item.get("plan")] {
            if let Some(name) = plan_name(&price)? {
                return Ok(Some(name.to_owned()));
            }
        }
    }
    Ok(None)
}

/// The known plan of an item's price.
fn plan(item: &Field<'_>) -> Read<Option<PlanType>> {
    for price in [item.get("price"), item.get("plan")] {
        for says in [price.get("metadata").get("plan_type"), price.get("lookup_key"), price.get("nickname")] {
            let text = says.text()?;
            // `growth_monthly_eur`, `Growth (monthly)`: one of the words is the plan's name.
            let mut words = text.into_iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
            if let Some(plan) = words.find_map(|word| plan_called(Some(word))) {
                return Ok(Some(plan));
            }
        }
    }
    Ok(None)
}

fn item(item: &Field<'_>) -> Read<ItemSnapshot> {
    let price = item.any([&["price"], &["plan"]]);
    let recurring = |key: &'static str| item.any([&["price", "recurring", key], &["plan", key]]);
    let meter = recurring("meter");
    let usage_type = match recurring("usage_type").text()? {
        // Only metered prices have a meter.
        None if meter.exists() => Some("metered"),
        said => said.filter(|said| ["metered", "licensed"].contains(said)),
    };
    // An interval added by Stripe later is unknown; then only the period itself is used.
    let unit = recurring("interval").text()?.and_then(|unit| unit.parse::<Unit>().ok());
    let count = recurring("interval_count").integer()?.unwrap_or(1);
    let interval = unit.zip(u16::try_from(count).ok()).and_then(|(unit, count)| Interval::new(unit, count));
    Ok(ItemSnapshot {
        id: required_id(item, "id")?,
        price: owned_id(&price)?,
        lookup_key: owned(&price.get("lookup_key"))?,
        quantity: item.get("quantity").integer()?,
        plan: plan(item)?,
        usage_type: usage_type.map(str::to_owned),
        price_interval: interval.map(|interval| interval.unit.as_str()),
        price_interval_count: interval.map(|interval| i32::from(interval.count)),
        period: super::span(&item.get("current_period_start"), &item.get("current_period_end"))?,
    })
}
