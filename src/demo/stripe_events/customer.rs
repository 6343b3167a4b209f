//! The customer itself, and credit notes on its invoices.

use super::{DemoCustomer, Outcome, OverageLine, event, id, month_events};
use crate::domain::period::Period;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// `customer.created`, `customer.updated` or `customer.deleted`, with this customer.
pub fn customer_event(customer: &DemoCustomer, event_type: &str, at: OffsetDateTime) -> Value {
    let address = &customer.address;
    let object = json!({
        "id": customer.stripe_id, "object": "customer", "name": customer.name, "email": customer.email, "currency": customer.currency.code(),
        "address": {
            "line1": address.line1, "line2": null, "city": address.city, "postal_code": address.postal_code, "state": address.state, "country": address.country,
        },
        "balance": 0, "created": at.unix_timestamp(), "default_source": null, "delinquent": false, "description": null, "discount": null,
        "invoice_prefix": id("", &customer.stripe_id)[..8].to_ascii_uppercase(), "livemode": false, "metadata": {}, "phone": null,
        "preferred_locales": [], "shipping": null, "tax_exempt": "none", "test_clock": null,
    });
    event(&format!("{}/{event_type}/{}", customer.stripe_id, at.unix_timestamp()), event_type, at, object)
}

/// How a credit note on a paid invoice is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credited {
    /// By bank transfer, outside Stripe.
    OutOfBand,
    /// To the customer's balance; the next invoice uses it.
    Balance,
}

/// A credit note over `amount` on a month's invoice with this outcome, and the invoice after it.
pub fn credit_note_events(
    customer: &DemoCustomer,
    period: Period,
    outcome: Outcome,
    lines: &[OverageLine],
    amount: i64,
    at: OffsetDateTime,
) -> Vec<Value> {
    credit_events(&month_events(customer, period, outcome, lines), amount, Credited::OutOfBand, at)
}

/// A credit note over `amount` on an invoice with these events, and the invoice after it. The
/// amount still due is credited before payment, the rest after it.
pub fn credit_events(history: &[Value], amount: i64, credited: Credited, at: OffsetDateTime) -> Vec<Value> {
    let Some(latest) = history.iter().rev().map(|event| &event["data"]["object"]).find(|object| object["object"] == "invoice") else {
        return Vec::new();
    };
    let mut invoice = latest.clone();
    let paid = invoice["status"] == "paid";
    if paid {
        invoice["post_payment_credit_notes_amount"] = json!(amount);
    } else {
        invoice["pre_payment_credit_notes_amount"] = json!(amount);
        for key in ["amount_due", "amount_remaining"] {
            invoice[key] = json!(invoice[key].as_i64().unwrap_or(0) - amount);
        }
    }
    let invoice_id = latest["id"].as_str().unwrap_or_default();
    let seed = format!("{invoice_id}/credit_note");
    let (pre, post) = if paid { (0, amount) } else { (amount, 0) };
    let balance = (paid && credited == Credited::Balance).then(|| id("cbtxn_1", &seed));
    let line = json!({
        "id": id("cnli_1", &seed), "object": "credit_note_line_item", "type": "custom_line_item", "description": "Goodwill credit",
        "amount": amount, "quantity": 1, "unit_amount": amount, "unit_amount_decimal": amount.to_string(), "discount_amount": 0,
        "discount_amounts": [], "pretax_credit_amounts": [], "taxes": [], "invoice_line_item": null, "livemode": false,
    });
    let credit_note = json!({
        "id": id("cn_1", &seed), "object": "credit_note", "customer": latest["customer"], "invoice": invoice_id,
        "number": invoice["number"].as_str().map(|number| format!("{number}-CN-01")), "status": "issued",
        "type": if paid { "post_payment" } else { "pre_payment" }, "pre_payment_amount": pre, "post_payment_amount": post,
        "currency": latest["currency"], "amount": amount, "subtotal": amount, "subtotal_excluding_tax": amount, "total": amount,
        "total_excluding_tax": amount, "total_taxes": [], "discount_amount": 0, "discount_amounts": [], "pretax_credit_amounts": [],
        "amount_shipping": 0, "shipping_cost": null, "customer_balance_transaction": balance, "refunds": [],
        "out_of_band_amount": (paid && credited == Credited::OutOfBand).then_some(amount),
        "reason": "order_change", "memo": null, "pdf": null, "livemode": false, "metadata": {},
        "created": at.unix_timestamp(), "effective_at": at.unix_timestamp(), "voided_at": null,
        "lines": {"object": "list", "data": [line], "has_more": false, "url": format!("/v1/credit_notes/{}/lines", id("cn_1", &seed))},
    });
    vec![
        event(&format!("{seed}/created"), "credit_note.created", at, credit_note),
        event(&format!("{seed}/invoice"), "invoice.updated", at, invoice),
    ]
}

/// The same credit note, voided.
pub fn credit_note_voided(created: &Value, at: OffsetDateTime) -> Value {
    let mut object = created["data"]["object"].clone();
    object["status"] = json!("void");
    object["voided_at"] = json!(at.unix_timestamp());
    let seed = format!("{}/voided", object["id"].as_str().unwrap_or_default());
    event(&seed, "credit_note.voided", at, object)
}
