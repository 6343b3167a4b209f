use super::*;
use crate::{
    domain::plan::PlanType,
    stripe::webhook::snapshot::{InvoicePaymentSnapshot, InvoiceSnapshot, SubscriptionSnapshot},
};
use serde_json::{Value, json};

fn read_event(event_type: &str, object: Value) -> Read<Reading> {
    let event = json!({"id": "evt_1", "object": "event", "type": event_type, "created": 1_790_000_000, "livemode": false, "data": {"object": object}});
    read(&Document::read(&event.to_string()))
}

fn changes(event_type: &str, object: Value) -> (Change, Vec<Change>) {
    match read_event(event_type, object).unwrap() {
        Reading::Changes { subject, along } => (*subject, along),
        Reading::Ignored(reason) => panic!("ignored: {reason}"),
    }
}

fn failure(event_type: &str, object: Value) -> String {
    read_event(event_type, object).unwrap_err().to_string()
}

fn least_invoice() -> Value {
    json!({"id": "in_1", "object": "invoice", "customer": "cus_1", "status": "open", "currency": "USD", "created": 1_780_000_000,
           "subtotal": 100, "total": 119, "amount_due": 119})
}

fn with(mut object: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn invoice(more: Value) -> InvoiceSnapshot {
    match changes("invoice.updated", with(least_invoice(), more)).0.snapshot {
        Snapshot::Invoice(invoice) => *invoice,
        other => panic!("{other:?}"),
    }
}

fn payments(more: Value) -> Vec<InvoicePaymentSnapshot> {
    let along = changes("invoice.updated", with(least_invoice(), more)).1;
    along.into_iter().map(|change| if let Snapshot::Payment(payment) = change.snapshot { payment } else { panic!("no payment") }).collect()
}

#[test]
fn an_invoice_needs_little_and_says_what_it_misses() {
    let least = invoice(json!({}));
    assert_eq!((least.currency.code(), least.amounts.remaining, least.lines_complete), ("usd", 119, true));
    for field in ["id", "customer", "status", "currency", "created", "subtotal", "total", "amount_due"] {
        assert_eq!(failure("invoice.updated", with(least_invoice(), json!({field: null}))), format!("invoice.{field} is missing"));
    }
    assert_eq!(
        failure("invoice.updated", with(least_invoice(), json!({"lines": {"data": [{"id": "il_1", "amount": "12"}]}}))),
        "invoice.lines[0].amount is another string, but should be a whole number"
    );
    assert!(failure("invoice.paid", with(least_invoice(), json!({"status": "lost"}))).starts_with("invoice.status can't be read: `lost`"));
    assert!(failure("invoice.paid", json!({"id": "ch_1", "object": "charge"})).starts_with("invoice.object is `charge`"));
    assert_eq!(
        read(&Document::read(r#"{"id":"evt_1","type":"invoice.paid","created":1}"#)).unwrap_err().to_string(),
        "event.data.object is missing"
    );
}

#[test]
fn taxes_discounts_and_periods_are_read_from_old_and_new_places() {
    assert_eq!(invoice(json!({"total_taxes": [{"amount": 12}, {"amount": 7}]})).amounts.tax, 19);
    assert_eq!(invoice(json!({"total_tax_amounts": [{"amount": 19}], "tax": 18})).amounts.tax, 19);
    assert_eq!(invoice(json!({"tax": 19})).amounts.tax, 19);
    assert_eq!(invoice(json!({"total_discount_amounts": [{"amount": 5}, {"amount": 6}]})).amounts.discount, 11);
    assert_eq!(invoice(json!({"subscription": {"id": "sub_1"}})).subscription.as_deref(), Some("sub_1"));
    assert_eq!(invoice(json!({"parent": {"subscription_details": {"subscription": "sub_2"}}})).subscription.as_deref(), Some("sub_2"));
    assert_eq!(invoice(json!({"period_start": 7, "period_end": 7})).period, Span::default());
    assert_eq!(invoice(json!({"period_start": 7, "period_end": 8})).period.end.map(OffsetDateTime::unix_timestamp), Some(8));
    assert_eq!(invoice(json!({"customer_address": {"city": null}})).customer_address, None);
    assert_eq!(invoice(json!({"customer_tax_ids": [{"type": "eu_vat", "value": "DE1"}]})).customer_tax_id.as_deref(), Some("DE1"));
    assert!(!invoice(json!({"lines": {"has_more": true, "data": []}})).lines_complete);
}

#[test]
fn lines_of_every_age_come_out_the_same() {
    let span = json!({"start": 5, "end": 6});
    let new = json!({"id": "il_1", "amount": 300, "quantity": 3, "description": "Calls", "period": span, "pricing": {"unit_amount_decimal": "100.5",
                     "price_details": {"price": "price_1"}}, "parent": {"subscription_item_details": {"proration": true}}});
    let old = json!({"id": "il_1", "amount": 300, "quantity": 3, "description": "Calls", "period": span, "proration": true,
                     "price": {"id": "price_1", "unit_amount_decimal": "100.5", "unit_amount": null}});
    let older = json!({"id": "il_1", "amount": 300, "quantity": 3, "description": null, "period": span, "proration": true,
                       "plan": {"id": "price_1", "amount_decimal": "100.5", "nickname": "Calls"}});
    let read = |line: Value| invoice(json!({"lines": {"data": [line]}})).lines;
    assert_eq!(read(new.clone()), read(old));
    assert_eq!(read(new), read(older));
}

#[test]
fn a_line_tells_its_discounts_and_the_taxes_on_top_of_it() {
    let read = |line: Value| {
        let line = &invoice(json!({"lines": {"data": [with(json!({"id": "il_1", "amount": 300}), line)]}})).lines[0];
        (line.discount, line.tax)
    };
    assert_eq!(read(json!({})), (0, 0));
    assert_eq!(
        read(json!({"discount_amounts": [{"amount": 20}, {"amount": 10}], "taxes": [{"amount": 51, "tax_behavior": "exclusive"}]})),
        (30, 51)
    );
    assert_eq!(read(json!({"taxes": [{"amount": 48, "tax_behavior": "inclusive"}, {"amount": 3, "tax_behavior": "exclusive"}]})), (0, 3));
    assert_eq!(read(json!({"tax_amounts": [{"amount": 48, "inclusive": true}, {"amount": 57, "inclusive": false}]})), (0, 57));
}

#[test]
fn stripes_own_alert_is_read_with_what_it_counts() {
    let object = json!({"object": "billing.alert_triggered", "customer": "cus_1", "value": 120_000, "created": 1_790_000_000, "livemode": false,
        "alert": {"id": "alrt_1", "object": "billing.alert", "title": "Calls", "usage_threshold": {"gte": 100_000, "meter": {"event_name": "api_calls"}}}});
    let (alert, _) = changes("billing.alert.triggered", object.clone());
    assert_eq!((alert.snapshot.id(), alert.snapshot.customer(), alert.stamp.progress), ("alrt_1/cus_1", Some("cus_1"), 120_000));
    let Snapshot::Alert(alert) = alert.snapshot else { panic!("{alert:?}") };
    assert_eq!(
        (alert.threshold, alert.meter_event_name.as_deref(), alert.title.as_deref()),
        (Some(100_000), Some("api_calls"), Some("Calls"))
    );
    assert_eq!(failure("billing.alert.triggered", with(object, json!({"value": null}))), "billing.alert_triggered.value is missing");
}

#[test]
fn how_an_invoice_was_paid_is_read_from_old_and_new_places() {
    let paid = json!({"status": "paid", "amount_paid": 119, "amount_remaining": 0, "status_transitions": {"paid_at": 1_780_000_009}});
    let old = payments(with(paid.clone(), json!({"payment_intent": {"id": "pi_1"}, "charge": "ch_1"})));
    assert_eq!(
        (old[0].id.as_str(), old[0].amount, old[0].status.as_str(), old[0].charge.as_deref()),
        ("in_1/payment", 119, "paid", Some("ch_1"))
    );
    let past_stripe = payments(with(paid.clone(), json!({"paid_out_of_band": true, "payment_intent": "pi_1"})));
    assert_eq!((past_stripe[0].method.as_deref(), past_stripe[0].payment_intent.as_deref()), (Some("out_of_band"), None));
    let list = json!({"payments": {"data": [{"id": "inpay_1", "status": "paid", "amount_paid": 119, "created": 5, "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]}});
    let new = payments(with(paid.clone(), list));
    assert_eq!(
        (new[0].id.as_str(), new[0].invoice.as_str(), new[0].payment_intent.as_deref(), new[0].from_invoice),
        ("inpay_1", "in_1", Some("pi_1"), false)
    );
    assert!(payments(paid).is_empty());
    assert!(payments(json!({"payment_intent": "pi_1"})).is_empty());
}

#[test]
fn a_deleted_invoice_keeps_its_amounts_and_is_marked() {
    let (deleted, _) = changes("invoice.deleted", with(least_invoice(), json!({"status": "deleted"})));
    assert!(deleted.stamp.deleted);
    assert!(!changes("invoice.voided", least_invoice()).0.stamp.deleted);
}

fn subscription(more: Value) -> SubscriptionSnapshot {
    let least = json!({"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "currency": "usd", "created": 1_780_000_000});
    match changes("customer.subscription.updated", with(least, more)).0.snapshot {
        Snapshot::Subscription(subscription) => *subscription,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subscriptions_plan_is_found_wherever_it_is_named() {
    let item = |price: Value| json!({"items": {"data": [{"id": "si_1", "price": price}]}});
    assert_eq!(subscription(json!({"metadata": {"plan_type": "scale"}})).plan, Some(PlanType::Scale));
    assert_eq!(subscription(item(json!({"id": "price_1", "metadata": {"plan_type": "starter"}}))).plan, Some(PlanType::Starter));
    assert_eq!(subscription(item(json!({"id": "price_1", "lookup_key": "growth_monthly_eur"}))).plan, Some(PlanType::Growth));
    assert_eq!(subscription(item(json!({"id": "price_1", "nickname": "Enterprise (monthly)"}))).plan, Some(PlanType::Enterprise));
    assert_eq!(subscription(item(json!({"id": "price_1", "nickname": "Autoscale"}))).plan, None);
}

#[test]
fn a_subscriptions_period_is_its_own_or_spans_its_items() {
    let seconds = |span: Span| (span.start.map(OffsetDateTime::unix_timestamp), span.end.map(OffsetDateTime::unix_timestamp));
    assert_eq!(seconds(subscription(json!({"current_period_start": 5, "current_period_end": 9})).current_period), (Some(5), Some(9)));
    let items = json!({"items": {"data": [{"id": "si_1", "current_period_start": 6, "current_period_end": 9},
                                          {"id": "si_2", "current_period_start": 5, "current_period_end": 8}]}});
    assert_eq!(seconds(subscription(items).current_period), (Some(5), Some(9)));
}

#[test]
fn an_old_charge_brings_its_refunds() {
    let charge = json!({"id": "ch_1", "object": "charge", "customer": "cus_1", "invoice": "in_1", "payment_intent": "pi_1", "currency": "usd", "amount": 100,
        "amount_refunded": 30, "created": 5, "refunds": {"data": [{"id": "re_1", "amount": 30, "currency": "usd", "created": 6}]}});
    let (_, along) = changes("charge.refunded", charge);
    let Snapshot::Refund(refund) = &along[0].snapshot else { panic!("no refund") };
    assert_eq!((refund.charge.as_deref(), refund.customer.as_deref(), refund.status.as_str()), (Some("ch_1"), Some("cus_1"), "succeeded"));
}

#[test]
fn a_customer_needs_nothing_but_its_id() {
    let customer = |more: Value| match changes("customer.updated", with(json!({"id": "cus_1", "object": "customer"}), more)).0.snapshot {
        Snapshot::Customer(customer) => *customer,
        other => panic!("{other:?}"),
    };
    let least = customer(json!({"deleted": true, "address": {"city": null}, "preferred_locales": [], "name": ""}));
    assert_eq!((least.name, least.currency, least.address, least.preferred_locale, least.balance), (None, None, None, None, 0));
    assert_eq!(customer(json!({"account_balance": -5})).balance, -5);
    assert_eq!(customer(json!({"balance": -7, "account_balance": -5})).balance, -7);
    assert_eq!(customer(json!({"metadata": {"apex_customer": "new"}})).claim.as_deref(), Some("new"));
    let tax_ids = customer(json!({"tax_ids": {"data": [{"id": "txi_1", "type": "eu_vat", "value": "DE1"}]}})).tax_ids;
    assert_eq!(tax_ids, Some(json!([{"type": "eu_vat", "value": "DE1"}])));
}

#[test]
fn a_credit_note_tells_its_taxes_in_old_and_new_places() {
    let least = json!({"id": "cn_1", "object": "credit_note", "customer": "cus_1", "invoice": {"id": "in_1"}, "status": "issued", "type": "pre_payment",
        "currency": "usd", "amount": 119, "created": 5});
    let tax = |more: Value| match changes("credit_note.created", with(least.clone(), more)).0.snapshot {
        Snapshot::CreditNote(credit_note) => (credit_note.invoice, credit_note.subtotal, credit_note.tax),
        other => panic!("{other:?}"),
    };
    assert_eq!(tax(json!({})), ("in_1".into(), 119, 0));
    assert_eq!(tax(json!({"subtotal": 100, "total_taxes": [{"amount": 19}]})), ("in_1".into(), 100, 19));
    assert_eq!(tax(json!({"subtotal": 100, "tax_amounts": [{"amount": 12}, {"amount": 7}]})), ("in_1".into(), 100, 19));
}

#[test]
fn what_is_not_mirrored_is_ignored_for_a_reason() {
    for (event_type, object) in [
        ("invoice.upcoming", json!({"object": "invoice"})),
        ("charge.dispute.created", json!({"id": "dp_1", "object": "dispute"})),
        ("customer.tax_id.created", json!({"id": "txi_1", "object": "tax_id"})),
        ("invoiceitem.created", json!({"id": "ii_1", "object": "invoiceitem"})),
        ("v1.billing.meter.error_report_triggered", Value::Null),
    ] {
        assert!(matches!(read_event(event_type, object), Ok(Reading::Ignored(_))), "{event_type}");
    }
}

#[test]
fn a_change_of_a_created_event_comes_before_all_others() {
    let created = changes("invoice.created", least_invoice()).0.stamp;
    let draft = changes("invoice.updated", with(least_invoice(), json!({"status": "draft"}))).0.stamp;
    assert!(created < draft && draft < changes("invoice.updated", least_invoice()).0.stamp);
    let failed = changes("invoice.payment_failed", with(least_invoice(), json!({"attempt_count": 1}))).0.stamp;
    assert!(changes("invoice.finalized", least_invoice()).0.stamp < failed);
}
