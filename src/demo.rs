//! A year of sample data for two customers, through the code paths of real traffic: signed webhooks
//! and ingested events. Each invoice bills the usage of its month.
//!
//! Deterministic from the day of the first run: a later run sends the same events, which changes
//! nothing, and those that happened since.

mod access;
mod first_run;
pub mod stripe;
pub mod stripe_events;
mod traffic;
mod year;

pub use access::Access;
pub use first_run::FirstRun;

use crate::{
    domain::{
        identity::CustomerId,
        metric::Metric,
        period::{Period, hour_of, months_later},
        plan::{Plan, PlanType},
        role::Role,
        usage_event::{MAX_AGE, RejectionCode},
    },
    service::{Clock, Error, Platform, api_keys, customers, ingest, users, webhooks},
    store::postgres::{customers as store, usage},
    stripe::signature,
};
use anyhow::{Context, bail};
use std::collections::HashSet;
use stripe_events::{Address, DemoCustomer, OverageLine};
use time::{Duration, OffsetDateTime, Time};
use traffic::{Event, Traffic};

const ADMIN: &str = "admin@demo.test";
const PUBLISHER: &str = "publisher@demo.test";
const READONLY: &str = "readonly@demo.test";

/// How far into its period each customer is at the first run: late enough for one to exceed its
/// plan.
const INTO_THE_PERIOD: Duration = Duration::days(20);

const MONTHS: usize = 12;

fn lumen() -> anyhow::Result<DemoCustomer> {
    Ok(DemoCustomer {
        stripe_id: "cus_demo_lumen".into(),
        name: "Lumen Games".into(),
        email: "billing@lumen-games.example".into(),
        address: Address {
            line1: "500 Market Street".into(),
            city: "San Francisco".into(),
            state: Some("CA".into()),
            postal_code: "94105".into(),
            country: "US".into(),
        },
        tax_id: None,
        currency: "usd".parse().map_err(anyhow::Error::msg)?,
        plan: PlanType::Growth,
        tax_percent: 0,
        discount_percent: 10,
    })
}

fn kisetsu() -> anyhow::Result<DemoCustomer> {
    Ok(DemoCustomer {
        stripe_id: "cus_demo_kisetsu".into(),
        name: "Kisetsu Apps 株式会社".into(),
        email: "keiri@kisetsu.example".into(),
        address: Address {
            line1: "1-1 Marunouchi".into(),
            city: "Chiyoda-ku, Tokyo".into(),
            state: None,
            postal_code: "100-0005".into(),
            country: "JP".into(),
        },
        tax_id: Some(("jp_trn".into(), "T7010001234567".into())),
        currency: "jpy".parse().map_err(anyhow::Error::msg)?,
        plan: PlanType::Starter,
        tax_percent: 10,
        discount_percent: 0,
    })
}

/// The year that the demo tells.
#[derive(Clone, Debug)]
pub struct Year {
    /// The start of the period in which the first run was.
    anchor: OffsetDateTime,
    /// Ids of all events of the year.
    events: HashSet<String>,
}

impl Year {
    /// The month that begins so many months after the anchor.
    fn month(&self, after: i32) -> anyhow::Result<Period> {
        Period::new(months_later(self.anchor, after), months_later(self.anchor, after + 1)).context("the year lacks a month")
    }
}

/// Creates the demo data; rejects a database with other customers.
pub async fn fill(platform: &Platform, access: &Access) -> anyhow::Result<Year> {
    if platform.config.stripe_livemode == Some(true) {
        bail!("the demo is not for a live Stripe account: STRIPE_SECRET_KEY is a live key");
    }
    let (lumen, kisetsu) = (lumen()?, kisetsu()?);
    let since = store::since(&platform.db, &lumen.stripe_id).await?;
    if since.is_none() && store::any(&platform.db).await? {
        bail!("the database holds customers that are not the demo's; the demo requires a database of its own");
    }
    let now = platform.clock.now();
    let anchor = anchor_of(since.unwrap_or(now));
    let months = months_until(anchor, now);
    let first = months.first().context("the year has no month")?;
    ingest::prepare(platform).await?;
    // Beyond the age limit of normal events.
    platform.usage.prepare(first.start(), now).await?;
    let put = async |customer: &DemoCustomer| {
        customers::put(platform, &customer.stripe_id, &customer.name, &customer.email, customer.currency).await
    };
    let (lumen_id, kisetsu_id) = (put(&lumen).await?, put(&kisetsu).await?);
    for (email, role, customer) in
        [(ADMIN, Role::Admin, lumen_id), (PUBLISHER, Role::Publisher, lumen_id), (READONLY, Role::Readonly, kisetsu_id)]
    {
        users::put(platform, email, &access.password.0, role, Some(customer)).await?;
    }
    api_keys::add(platform, lumen_id, "demo", &access.api_key.0).await?;

    let mut sent = Year { anchor, events: HashSet::new() };
    for (customer, id, year, traffic) in
        [(&lumen, lumen_id, year::lumen()?, traffic::LUMEN), (&kisetsu, kisetsu_id, year::kisetsu(), traffic::KISETSU)]
    {
        let offer = usage::offer(&platform.db, customer.plan, customer.currency, first.start()).await?;
        let plan = offer.and_then(|offer| offer.prices).context("the plans are missing")?;
        deliver(platform, access, &stripe_events::subscription_events(customer, &months), &mut sent).await?;
        let known = known_hours(platform, id, first.start(), now).await?;
        let mut invoices = 0;
        for (index, month) in months.iter().enumerate() {
            let events = traffic.events(index, *month, now);
            let lines = overage_lines(&plan, &events);
            send(platform, id, &traffic, events, *month, &known).await?;
            let usual = year::Month::default();
            let (events, made) = year.get(index).unwrap_or(&usual).events(customer, index, *month, &lines, invoices, now);
            deliver(platform, access, &events, &mut sent).await?;
            invoices += made;
        }
    }
    ingest::settle(platform).await?;
    Ok(sent)
}

/// The day on which the demo's periods begin; every month has it.
fn anchor_of(since: OffsetDateTime) -> OffsetDateTime {
    let day = (since - INTO_THE_PERIOD).replace_time(Time::MIDNIGHT);
    day.replace_day(day.day().min(28)).unwrap_or(day)
}

/// The twelve months before the anchor's, and those since; the current one is last.
fn months_until(anchor: OffsetDateTime, now: OffsetDateTime) -> Vec<Period> {
    (-(MONTHS as i32)..)
        .map_while(|month| Period::new(months_later(anchor, month), months_later(anchor, month + 1)))
        .take_while(|period| period.start() <= now)
        .collect()
}

/// A month's usage, with the included quantities.
fn overage_lines(plan: &Plan, events: &[Event]) -> Vec<OverageLine> {
    let used = traffic::quantities(events);
    Metric::ALL.into_iter().map(|metric| OverageLine { metric, terms: plan.terms[metric], used: used[metric] }).collect()
}

/// Hours with usage, for events too old for deduplication by id.
async fn known_hours(
    platform: &Platform,
    customer: CustomerId,
    first: OffsetDateTime,
    now: OffsetDateTime,
) -> anyhow::Result<HashSet<OffsetDateTime>> {
    ingest::settle(platform).await?;
    let Some(span) = Period::new(first, now - MAX_AGE) else { return Ok(HashSet::new()) };
    Ok(platform.usage.figures(customer, span).await?.hours.into_iter().map(|hour| hour.hour).collect())
}

/// Sends a month's events as if in that month, so that none is too old.
async fn send(
    platform: &Platform,
    customer: CustomerId,
    traffic: &Traffic,
    events: Vec<Event>,
    month: Period,
    known: &HashSet<OffsetDateTime>,
) -> anyhow::Result<()> {
    let at = platform.clock.now().min(month.end());
    let then = platform.with(|parts| parts.clock = Clock::new(move || at));
    let new: Vec<Event> = events.into_iter().filter(|event| !known.contains(&hour_of(event.at))).collect();
    // An hour is stored completely or not at all.
    let batch = ingest::MAX_EVENTS - ingest::MAX_EVENTS % traffic.events_per_moment();
    for batch in new.chunks(batch) {
        let lines: Vec<String> = batch.iter().map(Event::line).collect();
        let receipt = match ingest::ingest(&then, customer, ingest::Format::Ndjson, lines.join("\n").as_bytes()).await {
            Ok(receipt) => receipt,
            // A cap set in the demo applies to its events too.
            Err(Error::UsageCapReached(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        if let Some(rejection) = receipt.rejected.iter().find(|rejection| rejection.code != RejectionCode::UsageCapReached) {
            bail!("a demo event was rejected: {}", rejection.detail);
        }
    }
    Ok(())
}

async fn deliver(platform: &Platform, access: &Access, events: &[serde_json::Value], year: &mut Year) -> anyhow::Result<()> {
    for event in events {
        year.events.extend(event["id"].as_str().map(str::to_owned));
        let body = event.to_string();
        let signature = signature::sign(body.as_bytes(), &access.webhook_secret, platform.clock.now());
        webhooks::receive(platform, Some(&signature), body.as_bytes()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn every_first_day_gives_a_year_and_a_late_period() {
        let mut now = datetime!(2026-01-01 10:00 UTC);
        for _ in 0..400 {
            let months = months_until(anchor_of(now), now);
            let running = months.last().unwrap();
            assert!(running.contains(now), "{now}");
            assert_eq!(months.len(), MONTHS + 1, "{now}");
            assert!((20..=24).contains(&running.elapsed(now).whole_days()), "{now}");
            now += Duration::DAY;
        }
    }
}
