//! A believable year of two customers, through the code paths that real traffic takes: signed webhooks and ingested events.
//!
//! Deterministic from the day of the first run on: a later run sends the same again, which changes nothing, and what has happened since.

mod access;
pub mod stripe_events;
mod traffic;

pub use access::Access;

use crate::{
    domain::{
        identity::Role,
        metric::Metric,
        period::{Period, months_later},
        plan::{Plan, PlanType},
    },
    service::{Platform, accounts, ingest, webhooks},
    store::postgres::{accounts as store, usage},
    stripe::signature,
};
use anyhow::{Context, bail};
use stripe_events::{Address, DemoCustomer, Outcome, OverageLine};
use time::{Duration, OffsetDateTime, Time};

const ADMIN: &str = "admin@demo.test";
const PUBLISHER: &str = "publisher@demo.test";
const READONLY: &str = "readonly@demo.test";

/// How far into its period the first run finds each customer: late enough for one of them to be over its plan.
const INTO_THE_PERIOD: Duration = Duration::days(20);

const MONTHS: usize = 12;

/// How the invoices of the past twelve months ended, oldest first.
type Year = [Outcome; MONTHS];

const LUMEN_YEAR: Year = {
    use Outcome::*;
    [Paid, Paid, FailedThenPaid, Paid, Void, Paid, PartiallyRefunded, Paid, Uncollectible, Paid, Overdue, Open]
};

/// Which of Lumen's months was paid, and then credited in part.
const LUMEN_CREDITED: usize = 7;

const KISETSU_YEAR: Year = {
    use Outcome::*;
    [Paid, Paid, PaidOutOfBand, Paid, Paid, FailedThenPaid, Paid, PartiallyRefunded, Paid, Paid, Paid, Draft]
};

fn lumen() -> anyhow::Result<DemoCustomer> {
    Ok(DemoCustomer {
        stripe_id: "cus_demo_lumen".into(),
        name: "Lumen Games".into(),
        email: "billing@lumen-games.example".into(),
        address: Address {
            line1: "500 Market Street".into(),
            city: "San Francisco, CA".into(),
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
            postal_code: "100-0005".into(),
            country: "JP".into(),
        },
        tax_id: None,
        currency: "jpy".parse().map_err(anyhow::Error::msg)?,
        plan: PlanType::Starter,
        tax_percent: 10,
        discount_percent: 0,
    })
}

/// Fills the database; refuses one that holds other customers already.
pub async fn fill(platform: &Platform, access: &Access) -> anyhow::Result<()> {
    if platform.config.stripe_livemode == Some(true) {
        bail!("the demo is not for a live Stripe account: STRIPE_SECRET_KEY is a live key");
    }
    let (lumen, kisetsu) = (lumen()?, kisetsu()?);
    let since = store::customer_since(&platform.db, &lumen.stripe_id).await?;
    if since.is_none() && store::any_customer(&platform.db).await? {
        bail!("the database holds customers that are not the demo's; the demo wants one of its own");
    }
    ingest::prepare(platform).await?;
    let put = async |customer: &DemoCustomer| {
        accounts::put_customer(platform, &customer.stripe_id, &customer.name, &customer.email, customer.currency).await
    };
    let (lumen_id, kisetsu_id) = (put(&lumen).await?, put(&kisetsu).await?);
    for (email, role, customer) in
        [(ADMIN, Role::Admin, lumen_id), (PUBLISHER, Role::Publisher, lumen_id), (READONLY, Role::Readonly, kisetsu_id)]
    {
        accounts::put_user(platform, email, &access.password.0, role, Some(customer)).await?;
    }
    accounts::add_api_key(platform, lumen_id, "demo", &access.api_key.0).await?;

    let now = platform.clock.now();
    let anchor = anchor_of(since.unwrap_or(now));
    for (customer, id, year, traffic) in
        [(&lumen, lumen_id, &LUMEN_YEAR, traffic::LUMEN), (&kisetsu, kisetsu_id, &KISETSU_YEAR, traffic::KISETSU)]
    {
        let months = months_until(anchor, now);
        let Some(first) = months.first() else { continue };
        let offer = usage::offer(&platform.db, customer.plan, customer.currency, first.start()).await?;
        let plan = offer.and_then(|offer| offer.prices).context("the plans are missing")?;
        deliver(platform, access, &stripe_events::subscription_events(customer, &months)).await?;
        for (index, month) in months.iter().enumerate().filter(|(_, month)| month.end() <= now) {
            let outcome = year.get(index).copied().unwrap_or(Outcome::Paid);
            let lines = overage_lines(&plan, index);
            deliver(platform, access, &stripe_events::month_events(customer, *month, outcome, &lines)).await?;
            if id == lumen_id && index == LUMEN_CREDITED {
                let at = month.end() + Duration::days(12);
                deliver(platform, access, &stripe_events::credit_note_events(customer, *month, outcome, &lines, 5_000, at)).await?;
            }
        }
        for batch in traffic::events(traffic, now).chunks(ingest::MAX_EVENTS) {
            let receipt = ingest::ingest(platform, id, ingest::Format::Ndjson, batch.join("\n").as_bytes()).await?;
            if let Some(rejection) = receipt.rejected.first() {
                bail!("a demo event was rejected: {}", rejection.detail);
            }
        }
    }
    ingest::settle(platform).await?;
    Ok(())
}

/// The day on which the demo's periods begin; one that every month has.
fn anchor_of(since: OffsetDateTime) -> OffsetDateTime {
    let day = (since - INTO_THE_PERIOD).replace_time(Time::MIDNIGHT);
    day.replace_day(day.day().min(28)).unwrap_or(day)
}

/// The twelve months before the anchor's, and those since, the running one last.
fn months_until(anchor: OffsetDateTime, now: OffsetDateTime) -> Vec<Period> {
    (-(MONTHS as i32)..)
        .map_while(|month| Period::new(months_later(anchor, month), months_later(anchor, month + 1)))
        .take_while(|period| period.start() <= now)
        .collect()
}

/// What a past month used over the plan: it grew, and swung a little.
fn overage_lines(plan: &Plan, month: usize) -> Vec<OverageLine> {
    let percent = |metric: Metric| -> u64 {
        let (base, growth) = match metric {
            Metric::Impressions => (82, 5),
            Metric::ApiCalls => (60, 2),
            Metric::DataTransferBytes => (96, 1),
        };
        base + growth * month as u64 + [0, 7, 2, 11, 5, 1][month % 6]
    };
    Metric::ALL
        .into_iter()
        .map(|metric| OverageLine { metric, terms: plan.terms(metric), used: plan.terms(metric).included / 100 * percent(metric) + 4_321 })
        .collect()
}

async fn deliver(platform: &Platform, access: &Access, events: &[serde_json::Value]) -> anyhow::Result<()> {
    for event in events {
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
    fn every_day_of_first_use_gives_a_year_and_a_running_period_late_in_its_course() {
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
