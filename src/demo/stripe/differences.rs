//! Differences at Stripe, as if the webhooks of these changes had failed and expired: only
//! reconciliation finds them.
//!
//! A difference stays until an event other than the demo's own is applied to its object, e.g. by a
//! repair.

use super::objects::put_named;
use crate::{
    demo::{
        Year, kisetsu, lumen,
        stripe_events::{Item, Outcome, Particulars, Tax, invoice_id, item_events, subscription_id},
    },
    domain::period::months_later,
    service::Platform,
    store::postgres::mirror::originals,
    stripe_stand_in::{
        StandIn,
        store::{Store, built, integer, set, text},
    },
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// The number of the invoice that is missing here; no invoice of the year has it.
const NUMBER: u32 = 101;

/// The month of the first customer's year whose invoice was written off.
const WRITTEN_OFF: i32 = -4;

/// Adds them to a stand-in with the mirror's objects.
pub async fn seed(stand_in: &StandIn, platform: &Platform, year: &Year) -> anyhow::Result<()> {
    let missing = missing_invoice(year)?;
    let written_off = written_off(year)?;
    let cancelled = subscription_id(&kisetsu()?);
    let is_running = platform.clock.now() < months_later(year.anchor, 1);
    let pays = is_untouched(platform, year, &written_off).await?;
    let cancels = is_running && is_untouched(platform, year, &cancelled).await?;
    stand_in.work(|store| {
        if let Some(invoice) = missing.filter(|invoice| store.get("invoice", text(invoice, "id")).is_none()) {
            put_named(store, &invoice, integer(&invoice, "created"));
            store.put("invoice", invoice);
        }
        pay_late(store, &written_off, year.anchor - Duration::days(12), pays);
        if cancels {
            cancel_at_period_end(store, &cancelled, year.anchor + Duration::days(17));
        }
    });
    Ok(())
}

/// Whether only Stripe has an invoice.
pub fn is_seeded(invoice: &str, store: &Store) -> bool {
    store.get("invoice", invoice).is_some_and(|invoice| text(invoice, "number").ends_with(&format!("-{NUMBER:04}")))
}

/// Whether only the demo's own events were applied to an object.
async fn is_untouched(platform: &Platform, year: &Year, object: &str) -> anyhow::Result<bool> {
    let applied = originals::applied_to(&platform.db, object).await?;
    Ok(applied.iter().all(|event| year.events.contains(event)))
}

/// An open invoice that is missing here.
fn missing_invoice(year: &Year) -> anyhow::Result<Option<Value>> {
    let items = [Item { description: "Onboarding workshop, per day", quantity: 2, unit_amount: 90_000, tax: Tax::None }];
    let particulars = Particulars { number: Some(NUMBER), ..Particulars::default() };
    let made_at = year.anchor - Duration::days(15) + Duration::hours(10);
    let events = item_events(&lumen()?, made_at, Outcome::Open, &items, &particulars);
    Ok(events.into_iter().next_back().map(|mut event| event["data"]["object"].take()))
}

/// The invoice that was written off.
fn written_off(year: &Year) -> anyhow::Result<String> {
    Ok(invoice_id(&lumen()?, year.month(WRITTEN_OFF)?))
}

/// An invoice that was written off here and later paid by bank transfer. Its payment is missing
/// here too.
fn pay_late(store: &mut Store, invoice: &str, at: OffsetDateTime, also_the_invoice: bool) {
    let Some(mut paid) = store.get("invoice", invoice).cloned() else { return };
    let (due, at) = (integer(&paid, "amount_due"), at.unix_timestamp());
    let suffix = invoice.trim_start_matches("in_");
    let payment = built(
        "invoice_payment",
        json!({
            "id": format!("inpay_{suffix}"), "invoice": invoice, "amount_paid": due, "amount_requested": due, "created": at,
            "currency": paid["currency"], "status": "paid", "status_transitions": {"paid_at": at, "canceled_at": null},
            "payment": {"type": "payment_record", "payment_record": format!("pr_{suffix}")},
        }),
    );
    if store.get("invoice_payment", text(&payment, "id")).is_none() {
        store.put("invoice_payment", payment);
    }
    if also_the_invoice {
        set(&mut paid, json!({"status": "paid", "amount_paid": due, "amount_remaining": 0, "attempted": true}));
        paid["status_transitions"]["paid_at"] = json!(at);
        store.put("invoice", paid);
    }
}

/// A subscription cancelled by its customer, which is unknown here.
fn cancel_at_period_end(store: &mut Store, subscription: &str, at: OffsetDateTime) {
    let Some(mut cancelled) = store.get("subscription", subscription).cloned() else { return };
    let end = cancelled["items"]["data"][0]["current_period_end"].clone();
    set(&mut cancelled, json!({"cancel_at_period_end": true, "cancel_at": end, "canceled_at": at.unix_timestamp()}));
    cancelled["cancellation_details"] = json!({"reason": "cancellation_requested", "comment": null, "feedback": null});
    store.put("subscription", cancelled);
}
