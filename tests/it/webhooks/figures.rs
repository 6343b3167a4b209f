//! Components of sums and documents, from Stripe's events to the mirror's columns.

use super::{ask, deliver, platform};
use crate::support::TestApp;
use serde_json::{Value, json};

/// An invoice in Stripe's current shape, with these differences.
pub fn invoice(more: Value) -> Value {
    let line = json!({"id": "il_1", "object": "line_item", "amount": 10_000, "currency": "usd", "description": "Growth plan", "quantity": 1,
        "quantity_decimal": "1", "discount_amounts": [], "taxes": [], "pretax_credit_amounts": [], "period": {"start": 1_790_000_000, "end": 1_792_592_000}});
    let mut invoice = json!({"id": "in_1", "object": "invoice", "customer": "cus_forge", "status": "open", "currency": "usd", "number": "B1-0001",
        "created": 1_790_000_000, "subtotal": 10_000, "total": 10_000, "amount_due": 10_000, "amount_paid": 0, "amount_remaining": 10_000,
        "total_discount_amounts": [], "total_taxes": [], "total_pretax_credit_amounts": [], "effective_at": null,
        "status_transitions": {"finalized_at": 1_790_003_600}, "lines": {"object": "list", "has_more": false, "data": [line]}});
    merge(&mut invoice, more);
    invoice
}

/// Merges objects member by member, and arrays entry by entry.
fn merge(object: &mut Value, more: Value) {
    match (object, more) {
        (Value::Object(object), Value::Object(more)) => {
            for (key, value) in more {
                merge(object.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(entries), Value::Array(more)) if !entries.is_empty() => {
            for (n, value) in more.into_iter().enumerate() {
                match entries.get_mut(n) {
                    Some(entry) => merge(entry, value),
                    None => entries.push(value),
                }
            }
        }
        (object, more) => *object = more,
    }
}

pub fn event(id: &str, event_type: &str, object: Value) -> Value {
    json!({"id": id, "object": "event", "api_version": "2026-10-28.endive", "created": 1_790_003_600, "livemode": false, "type": event_type,
        "data": {"object": object}})
}

pub async fn mirrored(more: Value) -> TestApp {
    let (app, _) = platform().await;
    deliver(&app, &event("evt_1", "invoice.updated", invoice(more))).await;
    app
}

/// Case C8: each tax by its `tax_behavior`.
#[tokio::test]
async fn taxes_are_mirrored_for_each_line_and_over_all() {
    let tax = |amount: i64, behavior: &str, rate: &str| {
        json!({"amount": amount, "tax_behavior": behavior, "taxability_reason": "standard_rated", "taxable_amount": 10_000, "type": "tax_rate_details",
            "tax_rate_details": {"tax_rate": rate}})
    };
    let app = mirrored(json!({"total_taxes": [tax(1_900, "inclusive", "txr_19"), tax(700, "exclusive", "txr_7")],
        "lines": {"data": [{"amount": 11_900, "taxes": [tax(1_900, "inclusive", "txr_19"), tax(700, "exclusive", "txr_7")]}]}}))
    .await;
    let stored = r#"[{"amount": 1900, "reason": "standard_rated", "rate_id": "txr_19", "behavior": "inclusive", "taxable_amount": 10000}, {"amount": 700, "reason": "standard_rated", "rate_id": "txr_7", "behavior": "exclusive", "taxable_amount": 10000}]"#;
    assert_eq!(ask(&app.db, "SELECT taxes FROM invoices").await, stored);
    assert_eq!(ask(&app.db, "SELECT taxes FROM invoice_line_items").await, stored);
    assert_eq!(ask(&app.db, "SELECT invoices.tax, line.tax FROM invoices, invoice_line_items line").await, "2600|700");
    // Stripe is unavailable here, so both rates stay unknown, and the invoice is still stored.
    assert_eq!(ask(&app.db, "SELECT object_id, object FROM stripe_lookups ORDER BY 1").await, "txr_19|tax_rate txr_7|tax_rate");
    assert_eq!(ask(&app.db, "SELECT lookups FROM invoices").await, r#"["txr_19","txr_7"]"#);
}

/// Case C9.
#[tokio::test]
async fn missing_totals_come_from_the_lines() {
    let app =
        mirrored(json!({"total_taxes": null, "total_discount_amounts": null, "total_pretax_credit_amounts": null, "lines": {"data": [{
        "taxes": [{"amount": 1_900, "tax_behavior": "exclusive"}], "discount_amounts": [{"amount": 500}],
        "pretax_credit_amounts": [{"amount": 200, "type": "credit_balance_transaction"}]}]}}))
        .await;
    assert_eq!(
        ask(&app.db, "SELECT tax, discount, taxes -> 0 ->> 'amount' AS one, pretax_credits -> 0 ->> 'amount' AS two FROM invoices").await,
        "1900|500|1900|200"
    );
}

/// Case C10.
#[tokio::test]
async fn a_quantity_keeps_its_decimals() {
    let app = mirrored(json!({"lines": {"data": [{"quantity": 2, "quantity_decimal": "2.5", "amount": 25_000}]}})).await;
    assert_eq!(ask(&app.db, "SELECT quantity, quantity_decimal FROM invoice_line_items").await, "2|2.5");
}

/// Cases C11, C12 and C19.
#[tokio::test]
async fn printed_fields_are_mirrored() {
    let more = json!({"effective_at": 1_789_000_000, "footer": "Thank you", "custom_fields": [{"name": "PO", "value": "4711"}],
        "customer_tax_exempt": "reverse", "collection_method": "send_invoice",
        "customer_tax_ids": [{"type": "eu_vat", "value": "DE1"}, {"type": "ch_vat", "value": "CHE1"}],
        "shipping_cost": {"amount_subtotal": 500, "amount_tax": 0, "amount_total": 500}});
    let (app, _) = platform().await;
    // The only event.
    deliver(&app, &event("evt_1", "invoice.paid", invoice(more))).await;
    assert_eq!(
        ask(
            &app.db,
            "SELECT extract(epoch FROM effective_at)::bigint AS one, extract(epoch FROM finalized_at)::bigint AS two, footer, customer_tax_exempt,
                    collection_method, shipping ->> 'total' AS three, customer_tax_id FROM invoices"
        )
        .await,
        "1789000000|1790003600|Thank you|reverse|send_invoice|500|DE1"
    );
    assert_eq!(
        ask(&app.db, "SELECT custom_fields, customer_tax_ids FROM invoices").await,
        r#"[{"name": "PO", "value": "4711"}]|[{"type": "eu_vat", "value": "DE1"}, {"type": "ch_vat", "value": "CHE1"}]"#
    );
}

/// Case C18.
#[tokio::test]
async fn a_line_knows_how_its_price_makes_packages() {
    let price = json!({"id": "price_1", "unit_amount": 500, "transform_quantity": {"divide_by": 100, "round": "up"}});
    let app = mirrored(json!({"lines": {"data": [{"quantity": 250, "quantity_decimal": "250", "amount": 1_500, "price": price}]}})).await;
    assert_eq!(ask(&app.db, "SELECT transform_quantity FROM invoice_line_items").await, r#"{"round_up": true, "divide_by": 100}"#);
    assert_eq!(ask(&app.db, "SELECT count(*) FROM stripe_lookups").await, "0");
}

#[tokio::test]
async fn a_credit_notes_lines_and_parts_are_mirrored() {
    let (app, _) = platform().await;
    let note = json!({"id": "cn_1", "object": "credit_note", "customer": "cus_forge", "invoice": "in_1", "status": "issued", "type": "mixed", "currency": "usd",
        "amount": 1_190, "created": 1_790_000_000, "pre_payment_amount": 500, "post_payment_amount": 690, "discount_amount": 10, "lines": {"data": [
            {"id": "cnli_1", "amount": 1_010, "description": "Plan", "quantity": 1, "discount_amount": 10,
             "taxes": [{"amount": 190, "tax_behavior": "exclusive"}]}]}});
    deliver(&app, &event("evt_1", "credit_note.created", note)).await;
    assert_eq!(
        ask(&app.db, "SELECT pre_payment_amount, post_payment_amount, discount, tax, lines_complete FROM credit_notes").await,
        "500|690|10|190|true"
    );
    assert_eq!(
        ask(&app.db, "SELECT lines FROM credit_notes").await,
        r#"[{"taxes": [{"amount": 190, "behavior": "exclusive"}], "amount": 1010, "discount": 10, "quantity": "1", "description": "Plan"}]"#
    );
}

/// A complete rate in an event needs no look-up.
#[tokio::test]
async fn rates_that_events_carry_are_stored() {
    let rate = json!({"id": "txr_1", "object": "tax_rate", "display_name": "VAT", "percentage": 8.875, "inclusive": false, "country": "DE", "tax_type": "vat"});
    let app = mirrored(json!({"default_tax_rates": [rate], "total_taxes": [{"amount": 888, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_1"}}]})).await;
    assert_eq!(
        ask(&app.db, "SELECT stripe_tax_rate_id, display_name, percentage, inclusive, tax_type, country FROM tax_rates").await,
        "txr_1|VAT|8.875|false|vat|DE"
    );
    assert_eq!(ask(&app.db, "SELECT (SELECT count(*) FROM stripe_lookups) AS one, lookups IS NULL AS two FROM invoices").await, "0|true");
}

/// Case B7: the first ten lines are in every event, all of them in a fetch.
#[tokio::test]
async fn lines_are_complete_in_whichever_order_they_come() {
    let line = |n: usize| json!({"id": format!("il_{n}"), "object": "line_item", "amount": 1_000});
    let of = |id: &str, event_type: &str, created: i64, lines: usize| {
        let mut object = invoice(json!({"subtotal": 12_000, "total": 12_000, "amount_due": 12_000}));
        object["lines"] = json!({"object": "list", "has_more": lines < 12, "data": (0..lines).map(line).collect::<Vec<_>>()});
        let mut event = event(id, event_type, object);
        event["created"] = json!(created);
        event
    };
    let fetched = of("fetched_in_1_1790003700", "invoice.fetched", 1_790_003_700, 12);
    let sent = of("evt_2", "invoice.sent", 1_790_003_800, 10);
    for events in [[&fetched, &sent], [&sent, &fetched]] {
        let (app, _) = platform().await;
        for event in events {
            deliver(&app, event).await;
        }
        assert_eq!(
            ask(&app.db, "SELECT event_id, lines_complete, version, (SELECT count(*) FROM invoice_line_items) AS lines FROM invoices")
                .await,
            "evt_2|true|2|12"
        );
        // The first ten again, and an event with other lines.
        deliver(&app, &of("evt_3", "invoice.updated", 1_790_003_900, 10)).await;
        assert_eq!(
            ask(&app.db, "SELECT lines_complete, (SELECT count(*) FROM invoice_line_items) AS lines FROM invoices").await,
            "true|12"
        );
        let mut other = of("evt_4", "invoice.updated", 1_790_004_000, 10);
        other["data"]["object"]["lines"]["data"][3]["amount"] = json!(999);
        deliver(&app, &other).await;
        assert_eq!(
            ask(&app.db, "SELECT lines_complete, (SELECT count(*) FROM invoice_line_items) AS lines FROM invoices").await,
            "false|10"
        );
        // Earlier data don't have these.
        deliver(&app, &of("evt_5", "invoice.fetched", 1_790_003_950, 12)).await;
        assert_eq!(
            ask(&app.db, "SELECT lines_complete, (SELECT count(*) FROM invoice_line_items) AS lines FROM invoices").await,
            "false|10"
        );
    }
}
