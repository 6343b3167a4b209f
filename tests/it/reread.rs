//! Rows of an older program get a newer reader's fields from the stored events.

use crate::{
    outgoing::connected_to,
    stripe::StandIn,
    support::{TestApp, app::NOW, stand_in::TestStandIn},
    webhooks::{
        ask,
        convergence::mirrored,
        figures::{event, invoice},
    },
};
use apex_billing::{
    service::{complete_objects, reread},
    store::postgres::backfill::{Lead, Task},
};
use serde_json::{Value, json};
use time::Duration;

/// As written by an older program: without newer columns.
const AS_BEFORE: &str = "
    UPDATE invoices SET taxes = NULL, pretax_credits = NULL, shipping = NULL, customer_tax_ids = NULL, customer_tax_exempt = NULL, custom_fields = NULL,
        footer = NULL, effective_at = NULL, collection_method = NULL, lookups = NULL, reader_version = NULL, reader_event = NULL;
    UPDATE invoice_line_items SET quantity_decimal = NULL, taxes = NULL, pretax_credits = NULL, transform_quantity = NULL;
    UPDATE credit_notes SET pre_payment_amount = NULL, post_payment_amount = NULL, discount = NULL, taxes = NULL, lines = NULL, lines_complete = true,
        reader_version = NULL, reader_event = NULL;
    TRUNCATE tax_rates, stripe_lookups, prices";

async fn as_before(app: &TestApp) {
    sqlx::raw_sql(AS_BEFORE).execute(&app.db).await.expect("rows of before");
}

fn with_everything() -> Value {
    invoice(json!({
        "id": "in_rich", "effective_at": 1_789_000_000, "footer": "Thank you", "custom_fields": [{"name": "PO", "value": "4711"}],
        "customer_tax_exempt": "none", "customer_tax_ids": [{"type": "eu_vat", "value": "DE1"}, {"type": "ch_vat", "value": "CHE1"}],
        "collection_method": "charge_automatically", "shipping_cost": {"amount_subtotal": 500, "amount_tax": 0, "amount_total": 500},
        "total_taxes": null, "total_pretax_credit_amounts": [{"amount": 100, "type": "credit_balance_transaction"}],
        "lines": {"data": [{"id": "il_rich", "quantity_decimal": "2.5", "taxes": [{"amount": 1_900, "tax_behavior": "inclusive", "tax_rate_details": {"tax_rate": "txr_1"}}]}]},
    }))
}

/// Only what the old mirror already had.
fn plain() -> Value {
    invoice(
        json!({"id": "in_plain", "effective_at": 1_790_003_600, "customer_tax_exempt": "none", "collection_method": "charge_automatically"}),
    )
}

fn credit_note() -> Value {
    json!({"id": "cn_1", "object": "credit_note", "customer": "cus_forge", "invoice": "in_rich", "status": "issued", "type": "pre_payment", "currency": "usd",
        "amount": 500, "created": 1_790_000_000, "lines": {"data": [{"id": "cnli_1", "amount": 500, "description": "Plan"}]}})
}

async fn with_history() -> TestApp {
    let app = TestApp::start().await;
    app.add_customer("forge").await;
    app.deliver(&[
        event("evt_1", "invoice.finalized", with_everything()),
        event("evt_2", "invoice.finalized", plain()),
        event("evt_3", "credit_note.created", credit_note()),
    ])
    .await;
    app
}

const NOISE: &str = "SELECT (SELECT count(*) FROM billing_audit) AS one, (SELECT count(*) FROM events) AS two, (SELECT max(attempts) FROM stripe_webhook_events) AS three";
const VERSIONS: &str = "SELECT stripe_invoice_id, version FROM invoices ORDER BY 1";

#[tokio::test]
async fn an_old_inbox_fills_the_new_columns() {
    let app = with_history().await;
    let (expected, noise) = (mirrored(&app).await, ask(&app.db, NOISE).await);
    // The credit note is shown with its invoice.
    assert_eq!(ask(&app.db, VERSIONS).await, "in_plain|1 in_rich|2");
    as_before(&app).await;
    // The older program took the totals literally.
    sqlx::raw_sql("UPDATE invoices SET tax = 0, paid_out_of_band = stripe_invoice_id = 'in_plain'").execute(&app.db).await.unwrap();
    assert_ne!(mirrored(&app).await, expected);
    assert_eq!(reread::run(&app.platform).await.unwrap(), 3);
    // Values computed in link.rs don't come from the event.
    assert_eq!(ask(&app.db, "SELECT stripe_invoice_id FROM invoices WHERE paid_out_of_band").await, "in_plain");
    sqlx::raw_sql("UPDATE invoices SET paid_out_of_band = false").execute(&app.db).await.unwrap();
    assert_eq!(mirrored(&app).await, expected);
    assert_eq!(ask(&app.db, "SELECT object_id FROM stripe_lookups").await, "txr_1");
    // Nothing happened, so only invoices with another display have a new version.
    assert_eq!(ask(&app.db, NOISE).await, noise);
    assert_eq!(ask(&app.db, VERSIONS).await, "in_plain|1 in_rich|3");
    assert_eq!(reread::run(&app.platform).await.unwrap(), 0);
    assert_eq!(ask(&app.db, VERSIONS).await, "in_plain|1 in_rich|3");
}

#[tokio::test]
async fn many_rows_are_read_again_in_batches() {
    let app = TestApp::start().await;
    app.add_customer("forge").await;
    let events: Vec<Value> = (0..120)
        .map(|n| {
            event(&format!("evt_{n}"), "invoice.finalized", invoice(json!({"id": format!("in_{n}"), "footer": format!("Footer {n}")})))
        })
        .collect();
    app.deliver(&events).await;
    as_before(&app).await;
    // One replica runs it; the other finds it busy.
    let lead = Lead::take(&app.db, Task::Reread).await.unwrap().expect("the lead");
    assert_eq!(reread::run(&app.platform).await.unwrap(), 0);
    lead.give_up().await.unwrap();
    assert_eq!(reread::run(&app.platform).await.unwrap(), 120);
    assert_eq!(ask(&app.db, "SELECT count(DISTINCT footer), count(*) FROM invoices WHERE taxes = '[]'").await, "120|120");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoice_line_items WHERE quantity_decimal = 1").await, "120");
}

/// A running older program writes the row of a newer event; and an event may be missing or invalid
/// by now.
#[tokio::test]
async fn rows_of_an_older_program_are_found_again() {
    let app = with_history().await;
    sqlx::raw_sql("UPDATE invoices SET footer = NULL, event_id = 'evt_later' WHERE stripe_invoice_id = 'in_rich'")
        .execute(&app.db)
        .await
        .unwrap();
    assert_eq!(reread::run(&app.platform).await.unwrap(), 1);
    // Its event is missing: the row stays, and is not tried again.
    assert_eq!(
        ask(&app.db, "SELECT footer IS NULL AS one, event_id FROM invoices WHERE stripe_invoice_id = 'in_rich'").await,
        "true|evt_later"
    );
    assert_eq!(reread::run(&app.platform).await.unwrap(), 0);
    sqlx::raw_sql(
        "UPDATE invoices SET reader_version = 0 WHERE stripe_invoice_id = 'in_plain';
         UPDATE stripe_webhook_events SET payload = 'nonsense' WHERE stripe_event_id = 'evt_2'",
    )
    .execute(&app.db)
    .await
    .unwrap();
    assert_eq!(reread::run(&app.platform).await.unwrap(), 1);
    assert_eq!(reread::run(&app.platform).await.unwrap(), 0);
    // The current reader parses newer events as usual.
    let mut later = event("evt_9", "invoice.sent", with_everything());
    later["created"] = json!(1_790_009_000);
    app.deliver(&[later]).await;
    assert_eq!(ask(&app.db, "SELECT footer FROM invoices WHERE stripe_invoice_id = 'in_rich'").await, "Thank you");
    assert_eq!(reread::run(&app.platform).await.unwrap(), 0);
}

/// The last event has only the first ten lines; an earlier fetch had all.
#[tokio::test]
async fn lines_beyond_the_tenth_are_read_again_too() {
    let stand_in = StandIn::start().await;
    stand_in.seed_customer("forge");
    let app = connected_to(&stand_in).await;
    app.add_customer("forge").await;
    let line =
        |n: usize| json!({"id": format!("il_{n}"), "object": "line_item", "amount": 1_000, "quantity": 1, "quantity_decimal": "1.5"});
    let mut long = invoice(json!({"subtotal": 12_000, "total": 12_000, "amount_due": 12_000}));
    long["lines"] = json!({"object": "list", "has_more": false, "data": (0..12).map(line).collect::<Vec<_>>()});
    stand_in.work(|store| store.put("invoice", long.clone()));
    let mut short = long;
    short["lines"] = json!({"object": "list", "has_more": true, "data": (0..10).map(line).collect::<Vec<_>>()});
    app.deliver(&[event("evt_1", "invoice.finalized", short.clone())]).await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    app.advance(Duration::minutes(5));
    let mut later = event("evt_2", "invoice.sent", short);
    later["created"] = json!((NOW + Duration::minutes(5)).unix_timestamp());
    app.deliver(&[later]).await;
    const LINES: &str =
        "SELECT lines_complete, event_id, (SELECT count(*) FROM invoice_line_items WHERE quantity_decimal = 1.5) AS lines FROM invoices";
    assert_eq!(ask(&app.db, LINES).await, "true|evt_2|12");
    as_before(&app).await;
    assert_eq!(ask(&app.db, LINES).await, "true|evt_2|0");
    assert_eq!(reread::run(&app.platform).await.unwrap(), 1);
    assert_eq!(ask(&app.db, LINES).await, "true|evt_2|12");
}
