//! The mirror in PostgreSQL keeps the promise of `domain::mirror`: the order and number of deliveries don't matter.

use super::{INVOICE, ask, deliver, deliver_all, month, of_type, pixel_forge, platform, september, titles};
use crate::support::TestApp;
use apex_billing::{
    demo::stripe_events::{DemoCustomer, Outcome, credit_note_events, customer_event, in_old_shape, month_events, subscription_events},
    service::webhooks::apply_waiting,
};
use serde_json::{Value, json};
use time::Duration;

/// Everything of the mirror that is not of this database's own making.
pub async fn mirrored(app: &TestApp) -> Vec<String> {
    let mut rows = Vec::new();
    for sql in [
        "SELECT to_jsonb(invoices) - '{id,customer_id,version,updated_at}'::text[] FROM invoices ORDER BY stripe_invoice_id",
        "SELECT to_jsonb(l) - 'invoice_id' FROM invoice_line_items l ORDER BY stripe_line_id",
        "SELECT to_jsonb(subscriptions) - '{id,customer_id,updated_at}'::text[] FROM subscriptions",
        "SELECT to_jsonb(p) - 'customer_id', customer_id IS NULL FROM invoice_payments p ORDER BY stripe_payment_id",
        "SELECT to_jsonb(c) - 'customer_id' FROM charges c ORDER BY stripe_charge_id",
        "SELECT to_jsonb(r) - 'customer_id', customer_id IS NULL FROM refunds r ORDER BY stripe_refund_id",
        "SELECT to_jsonb(n) - 'customer_id' FROM credit_notes n ORDER BY stripe_credit_note_id",
        "SELECT to_jsonb(c) - '{id,created_at}'::text[] FROM customers c ORDER BY stripe_customer_id",
        "SELECT stripe_event_id, status FROM stripe_webhook_events ORDER BY stripe_event_id",
    ] {
        rows.push(ask(&app.db, sql).await);
    }
    rows
}

/// Empties the mirror: what is left is what this platform itself was told of its customers.
pub(super) async fn forget_mirror(app: &TestApp) {
    sqlx::raw_sql(
        "TRUNCATE invoices, invoice_line_items, subscriptions, subscription_items, invoice_payments, charges, refunds, credit_notes, stripe_alerts, billed_usage;
         UPDATE stripe_webhook_events SET customer_id = NULL;
         DELETE FROM customers WHERE added_name IS NULL;
         UPDATE customers SET name = added_name, email = added_email, currency = added_currency, address = NULL, tax_ids = NULL,
             preferred_locale = NULL, balance = 0, deleted = false, event_created_at = NULL, event_rank = NULL, event_progress = NULL, event_id = NULL",
    )
    .execute(&app.db)
    .await
    .expect("an empty mirror");
}

pub async fn forget(app: &TestApp) {
    forget_mirror(app).await;
    sqlx::raw_sql("TRUNCATE stripe_webhook_events").execute(&app.db).await.expect("an empty inbox");
}

/// A year's worth of trouble in two months: a refund, a retry, a subscription, and one invoice told in both shapes.
pub(super) fn history() -> Vec<Value> {
    let october = apex_billing::domain::period::Period::calendar_month(september().end());
    let mut events = subscription_events(&pixel_forge(), &[september(), october]);
    events.extend(month(Outcome::PartiallyRefunded));
    let november = apex_billing::domain::period::Period::calendar_month(october.end());
    events.extend(month_events(&pixel_forge(), october, Outcome::FailedThenPaid, &[]));
    events.extend(month_events(&pixel_forge(), november, Outcome::PaidOutOfBand, &[]));
    let at = november.end() + Duration::days(20);
    events.extend(credit_note_events(&pixel_forge(), november, Outcome::PaidOutOfBand, &[], 5_000, at));
    for (days, event_type) in [(0, "customer.created"), (1, "customer.updated"), (2, "customer.updated")] {
        let mut told = customer_event(&pixel_forge(), event_type, september().start() + Duration::days(days));
        told["data"]["object"]["balance"] = json!(-100 * days);
        events.push(told);
    }
    // An account whose version changed on the way: the older endpoint's copy of the payment tells of it too.
    for mut old in
        month(Outcome::PartiallyRefunded).iter().filter_map(in_old_shape).filter(|event| event["type"] == "invoice.payment_succeeded")
    {
        old["id"] = json!("evt_old_shape");
        events.push(old);
    }
    events
}

/// The numbers of a small generator: enough to shuffle by, and the same in every run.
pub(super) fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below
    }
}

#[tokio::test]
async fn any_order_with_any_duplicates_gives_the_same_mirror() {
    let (app, _) = platform().await;
    let history = history();
    deliver_all(&app, &history).await;
    let expected = mirrored(&app).await;
    assert!(expected[0].contains("\"amount_refunded\": 20428"), "{}", expected[0]);
    for seed in 0..25 {
        forget(&app).await;
        let mut next = numbers(seed + 1);
        let mut deliveries = history.clone();
        for _ in 0..5 {
            deliveries.push(history[next(history.len())].clone());
        }
        match seed {
            0 => deliveries.reverse(),
            _ => (1..deliveries.len()).rev().for_each(|i| deliveries.swap(i, next(i + 1))),
        }
        deliver_all(&app, &deliveries).await;
        assert_eq!(mirrored(&app).await, expected, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_at_the_same_time_give_the_same_mirror() {
    let (app, _) = platform().await;
    let history = history();
    deliver_all(&app, &history).await;
    let expected = mirrored(&app).await;
    for _ in 0..10 {
        forget(&app).await;
        let twice = history.iter().chain(&history);
        futures::future::join_all(twice.map(|event| deliver(&app, event))).await;
        assert_eq!(mirrored(&app).await, expected);
    }
}

#[tokio::test]
async fn paid_and_open_of_the_same_second_end_as_paid_in_either_order() {
    let events = month(Outcome::Paid);
    let paid = of_type(&events, "invoice.paid");
    let mut open = of_type(&events, "invoice.finalized");
    open["created"] = paid["created"].clone();
    for deliveries in [[&open, &paid], [&paid, &open]] {
        let (app, customer) = platform().await;
        for event in deliveries {
            deliver(&app, event).await;
        }
        assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|0");
        assert_eq!(titles(&app, customer).await, ["Invoice finalized", "Payment received"]);
    }
}

#[tokio::test]
async fn a_refund_and_a_payment_before_their_invoice_find_it_when_it_comes() {
    let (app, customer) = platform().await;
    let events = month(Outcome::PartiallyRefunded);
    for event_type in ["refund.created", "invoice_payment.paid"] {
        deliver(&app, &of_type(&events, event_type)).await;
    }
    assert_eq!(ask(&app.db, "SELECT count(*) FROM refunds WHERE customer_id IS NULL").await, "1");
    for event_type in ["charge.refunded", "invoice.paid"] {
        deliver(&app, &of_type(&events, event_type)).await;
    }
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|20428");
    assert_eq!(ask(&app.db, &format!("SELECT count(*) FROM refunds WHERE customer_id = '{customer}'")).await, "1");
    assert_eq!(ask(&app.db, &format!("SELECT count(*) FROM invoice_payments WHERE customer_id = '{customer}'")).await, "1");
    assert_eq!(titles(&app, customer).await, ["Payment received", "Refund of $204.28 issued"]);
}

#[tokio::test]
async fn replaying_the_whole_inbox_into_an_empty_mirror_gives_the_same_mirror() {
    let (app, _) = platform().await;
    let mut history = history();
    // One customer more, whom only Stripe's metadata makes one of this platform, after its first invoice.
    let late = DemoCustomer { stripe_id: "cus_late".into(), name: "Late Games".into(), ..pixel_forge() };
    history.extend(month_events(&late, september(), Outcome::FailedThenPaid, &[]));
    let mut arrival = customer_event(&late, "customer.created", september().start());
    arrival["data"]["object"]["metadata"]["apex_customer"] = json!("new");
    history.push(arrival);
    deliver_all(&app, &history).await;
    apply_waiting(&app.platform, 1000).await.expect("a run");
    let expected = mirrored(&app).await;
    assert!(expected[0].contains("cus_late") || expected.iter().any(|rows| rows.contains("Late Games")), "{expected:?}");

    forget_mirror(&app).await;
    assert_ne!(mirrored(&app).await, expected);
    sqlx::raw_sql("UPDATE stripe_webhook_events SET status = 'received', last_error = NULL, processed_at = NULL, attempts = 0")
        .execute(&app.db)
        .await
        .expect("an inbox that waits");
    let events = u64::try_from(history.len()).expect("a count");
    assert!(apply_waiting(&app.platform, 1000).await.expect("a run") >= events);
    assert_eq!(mirrored(&app).await, expected);
}
