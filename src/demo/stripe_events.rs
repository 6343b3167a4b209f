//! Stripe's events for the demo and for tests: a subscription, and a month of an invoice's life
//! cycle.
//!
//! Pure and deterministic: the same customer and month give the same ids and bodies, so sending
//! them again changes nothing. Objects have the shapes of Stripe's published fixtures, reduced to
//! the fields that a billing platform reads.

#[cfg(test)]
mod convergence;
mod customer;
mod invoice;
mod old_shape;
mod sums;

pub use customer::{Credited, credit_events, credit_note_events, credit_note_voided, customer_event};
pub use old_shape::in_old_shape;

use crate::domain::{
    metric::Metric,
    money::Currency,
    period::Period,
    plan::{PlanType, Terms},
};
use invoice::{Bill, Facts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// The events' API version.
pub const API_VERSION: &str = "2026-10-28.endive";

/// The customer of the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoCustomer {
    /// `cus_…`
    pub stripe_id: String,
    pub name: String,
    pub email: String,
    pub address: Address,
    /// Stripe's type and value, e.g. `eu_vat` and `DE123456789`.
    pub tax_id: Option<(String, String)>,
    pub currency: Currency,
    pub plan: PlanType,
    /// Added to the sum of the lines after the discount.
    pub tax_percent: i64,
    /// Discount on the sum of the lines; 0 for none.
    pub discount_percent: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub line1: String,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: String,
    /// Two letters.
    pub country: String,
}

/// A month's usage of one metric and its terms; the overage becomes an invoice line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverageLine {
    pub metric: Metric,
    pub terms: Terms,
    /// In the metric's own unit, including the included quantity.
    pub used: u64,
}

/// The taxes of a line or the shipping; rates in whole percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tax {
    #[default]
    None,
    /// On top of the amount.
    Exclusive(i64),
    /// Part of the amount.
    Inclusive(i64),
    /// Reverse charge: owed by the customer to its own tax office.
    ReverseCharge,
}

/// Particulars of an invoice. The default is a usual one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Particulars {
    /// After the customer's prefix; None: numbered by month.
    pub number: Option<u32>,
    /// Discount on the plan's fee, at its line.
    pub fee_discount_percent: i64,
    /// Deducted before tax ("Billing credits"), in minor units.
    pub billing_credits: i64,
    /// Of the plan's lines; None: the customer's rate on top.
    pub tax: Option<Tax>,
    /// Before tax, in minor units.
    pub shipping: Option<(i64, Tax)>,
    /// The customer's balance before the invoice is finalized: debt, or credit if negative.
    pub starting_balance: i64,
    /// An overpayment out of band.
    pub overpaid: i64,
    pub footer: Option<&'static str>,
}

/// An invoice item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub description: &'static str,
    pub quantity: i64,
    /// Minor units.
    pub unit_amount: i64,
    pub tax: Tax,
}

/// The outcome of a month's invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Paid,
    /// Sent, due after 30 days.
    Open,
    /// Sent, and past due after 14 days.
    Overdue,
    FailedThenPaid,
    Void,
    Uncollectible,
    Draft,
    /// Paid, and a quarter refunded ten days later.
    PartiallyRefunded,
    /// By bank transfer outside Stripe, a week later.
    PaidOutOfBand,
}

impl Outcome {
    pub const ALL: [Outcome; 9] = [
        Outcome::Paid,
        Outcome::Open,
        Outcome::Overdue,
        Outcome::FailedThenPaid,
        Outcome::Void,
        Outcome::Uncollectible,
        Outcome::Draft,
        Outcome::PartiallyRefunded,
        Outcome::PaidOutOfBand,
    ];
}

/// The plan's monthly fee without overage, in minor units.
pub fn base_fee(plan: PlanType, currency: Currency) -> i64 {
    let (yen, cents) = match plan {
        PlanType::Starter => (15_000, 9_900),
        PlanType::Growth => (75_000, 49_900),
        PlanType::Scale => (300_000, 199_900),
        PlanType::Enterprise => (750_000, 499_900),
    };
    if currency.exponent() == 0 { yen } else { cents }
}

/// The subscription from its first month on: created, paid and so active, then renewed for each
/// following month.
pub fn subscription_events(customer: &DemoCustomer, months: &[Period]) -> Vec<Value> {
    let Some(first) = months.first() else { return Vec::new() };
    let seed = format!("{}/subscription", customer.stripe_id);
    let snapshot = |status: &str, period: &Period| subscription(customer, status, first.start(), period);
    let mut events = vec![
        event(&format!("{seed}/created"), "customer.subscription.created", first.start(), snapshot("incomplete", first)),
        event(&format!("{seed}/active"), "customer.subscription.updated", first.start(), snapshot("active", first)),
    ];
    for month in &months[1..] {
        let at = month.start();
        events.push(event(&format!("{seed}/{}", at.unix_timestamp()), "customer.subscription.updated", at, snapshot("active", month)));
    }
    events
}

/// The subscription's end: no later event overrides it.
pub fn cancellation_event(customer: &DemoCustomer, first: &Period, last: &Period) -> Value {
    let mut canceled = subscription(customer, "canceled", first.start(), last);
    let at = last.end();
    canceled["canceled_at"] = json!(at.unix_timestamp());
    canceled["ended_at"] = json!(at.unix_timestamp());
    event(&format!("{}/subscription/deleted", customer.stripe_id), "customer.subscription.deleted", at, canceled)
}

/// Every event of a month's invoice, which is created at the end of the month; in Stripe's order.
pub fn month_events(customer: &DemoCustomer, period: Period, outcome: Outcome, lines: &[OverageLine]) -> Vec<Value> {
    month_events_with(customer, period, outcome, lines, &Particulars::default())
}

/// The same for an invoice with particulars.
pub fn month_events_with(
    customer: &DemoCustomer,
    period: Period,
    outcome: Outcome,
    lines: &[OverageLine],
    particulars: &Particulars,
) -> Vec<Value> {
    history(&Bill::of_month(customer, period, outcome, lines, particulars), outcome)
}

/// Every event of an invoice for items without a subscription.
pub fn item_events(
    customer: &DemoCustomer,
    created_at: OffsetDateTime,
    outcome: Outcome,
    items: &[Item],
    particulars: &Particulars,
) -> Vec<Value> {
    history(&Bill::of_items(customer, created_at, outcome, items, particulars), outcome)
}

fn history(bill: &Bill<'_>, outcome: Outcome) -> Vec<Value> {
    let created = bill.created_at();
    let finalized = created + Duration::HOUR;
    let draft = Facts::draft(created);
    let mut events = vec![bill.invoice_event("invoice.created", created, &draft)];
    if outcome == Outcome::Draft {
        return events;
    }
    let open = Facts { status: "open", finalized_at: Some(finalized), ..draft };
    events.push(bill.invoice_event("invoice.finalized", finalized, &open));
    match outcome {
        Outcome::Paid => events.extend(bill.payment(&open, finalized + Duration::seconds(4))),
        Outcome::PartiallyRefunded => {
            events.extend(bill.payment(&open, finalized + Duration::seconds(4)));
            events.extend(bill.refund(bill.due() / 4, finalized, finalized + Duration::days(10)));
        }
        Outcome::FailedThenPaid => {
            let failed = Facts { attempts: 1, ..open };
            events.push(bill.invoice_event("invoice.payment_failed", finalized + Duration::seconds(4), &failed));
            events.extend(bill.payment(&failed, finalized + Duration::days(3)));
        }
        Outcome::Open => events.push(bill.invoice_event("invoice.sent", finalized, &open)),
        Outcome::Overdue => {
            events.push(bill.invoice_event("invoice.sent", finalized, &open));
            events.push(bill.invoice_event("invoice.overdue", finalized + Duration::days(14), &open));
        }
        Outcome::Void => {
            let at = finalized + Duration::days(2);
            events.push(bill.invoice_event("invoice.voided", at, &Facts { status: "void", voided_at: Some(at), ..open }));
        }
        Outcome::Uncollectible => {
            let (failed_at, at) = (finalized + Duration::seconds(4), finalized + Duration::days(21));
            let failed = Facts { attempts: 1, ..open };
            events.push(bill.invoice_event("invoice.payment_failed", failed_at, &failed));
            let lost = Facts { status: "uncollectible", marked_uncollectible_at: Some(at), ..failed };
            events.push(bill.invoice_event("invoice.marked_uncollectible", at, &lost));
        }
        Outcome::PaidOutOfBand => events.extend(bill.payment_out_of_band(&open, finalized + Duration::days(7))),
        Outcome::Draft => {}
    }
    events
}

/// The Stripe id of a month's invoice.
pub fn invoice_id(customer: &DemoCustomer, period: Period) -> String {
    id("in_1", &format!("{}/{}", customer.stripe_id, period.start().unix_timestamp()))
}

/// The Stripe id of the customer's subscription.
pub fn subscription_id(customer: &DemoCustomer) -> String {
    id("sub_1", &customer.stripe_id)
}

fn subscription(customer: &DemoCustomer, status: &str, started: OffsetDateTime, period: &Period) -> Value {
    let subscription_id = subscription_id(customer);
    let fee = base_fee(customer.plan, customer.currency);
    json!({
        "id": subscription_id, "object": "subscription", "customer": customer.stripe_id, "status": status,
        "created": started.unix_timestamp(), "start_date": started.unix_timestamp(), "billing_cycle_anchor": started.unix_timestamp(),
        "currency": customer.currency.code(), "collection_method": "charge_automatically", "livemode": false,
        "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null, "ended_at": null, "trial_start": null, "trial_end": null,
        "metadata": {"plan_type": customer.plan.as_str()}, "discounts": [], "latest_invoice": null,
        "items": {
            "object": "list", "has_more": false, "url": format!("/v1/subscription_items?subscription={subscription_id}"),
            "data": [{
                "id": id("si_", &customer.stripe_id), "object": "subscription_item", "subscription": subscription_id, "quantity": 1,
                "created": started.unix_timestamp(), "metadata": {}, "discounts": [], "tax_rates": [],
                "current_period_start": period.start().unix_timestamp(), "current_period_end": period.end().unix_timestamp(),
                "price": price(customer.plan, customer.currency, fee),
            }],
        },
    })
}

fn price_id(plan: PlanType, what: &str, currency: Currency) -> String {
    id("price_1", &format!("{plan}/{what}/{currency}"))
}

fn price(plan: PlanType, currency: Currency, amount: i64) -> Value {
    json!({
        "id": price_id(plan, "base", currency), "object": "price", "active": true, "billing_scheme": "per_unit", "currency": currency.code(),
        "lookup_key": format!("{plan}_monthly_{currency}"), "nickname": plan.title(), "metadata": {"plan_type": plan.as_str()},
        "product": id("prod_", plan.as_str()), "recurring": {"interval": "month", "interval_count": 1, "meter": null, "usage_type": "licensed"},
        "type": "recurring", "unit_amount": amount, "unit_amount_decimal": amount.to_string(), "livemode": false,
    })
}

fn event(seed: &str, event_type: &str, at: OffsetDateTime, object: Value) -> Value {
    json!({
        "id": id("evt_1", seed), "object": "event", "api_version": API_VERSION, "created": at.unix_timestamp(), "livemode": false,
        "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "type": event_type, "data": {"object": object},
    })
}

/// An id in Stripe's format that is always the same for the same seed.
fn id(prefix: &str, seed: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(format!("{prefix}{seed}"));
    digest.iter().take(23).fold(prefix.to_owned(), |mut id, byte| {
        id.push(char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        id
    })
}

#[cfg(test)]
mod tests;
