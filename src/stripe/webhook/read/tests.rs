use super::*;
use crate::domain::{
    invoice::{CustomField, PretaxCredit, PretaxCreditKind, ShippingCost, TaxAmount, TaxBehavior, TaxId, TransformQuantity},
    mirror::snapshot::{CreditNoteSnapshot, InvoicePaymentSnapshot, InvoiceSnapshot, LineSnapshot, Lookup, SubscriptionSnapshot},
    plan::PlanType,
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
fn invoices_need_few_fields_and_errors_name_them() {
    let least = invoice(json!({}));
    assert_eq!((least.currency.code(), least.amounts.remaining, least.lines_complete), ("usd", 119, true));
    for field in ["id", "status", "currency", "created", "subtotal", "total", "amount_due"] {
        assert_eq!(failure("invoice.updated", with(least_invoice(), json!({field: null}))), format!("invoice.{field} is missing"));
    }
    assert_eq!(
        failure("invoice.updated", with(least_invoice(), json!({"lines": {"data": [{"id": "il_1", "amount": "a dozen"}]}}))),
        "invoice.lines[0].amount is another string, but should be a whole number"
    );
    let of_no_customer = read_event("invoice.updated", with(least_invoice(), json!({"customer": null, "customer_account": "acct_1"})));
    assert_eq!(of_no_customer, Ok(Reading::Ignored("it belongs to an account (customer_account), not to a customer")));
    assert!(
        failure("invoice.paid", with(least_invoice(), json!({"status": "lost"}))).starts_with("invoice.status can't be parsed: `lost`")
    );
    assert!(failure("invoice.paid", json!({"id": "ch_1", "object": "charge"})).starts_with("invoice.object is `charge`"));
    assert_eq!(
        read(&Document::read(r#"{"id":"evt_1","type":"invoice.paid","created":1}"#)).unwrap_err().to_string(),
        "event.data.object is missing"
    );
}

#[test]
fn taxes_discounts_and_periods_parse_in_all_versions() {
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
fn lines_parse_alike_in_all_versions() {
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
fn lines_have_discounts_and_exclusive_taxes() {
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
fn stripes_alerts_parse_with_their_values() {
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
fn payments_of_invoices_parse_in_all_versions() {
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
fn deleted_invoices_keep_their_amounts() {
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
fn a_subscriptions_plan_is_found_in_all_places() {
    let item = |price: Value| json!({"items": {"data": [{"id": "si_1", "price": price}]}});
    assert_eq!(subscription(json!({"metadata": {"plan_type": "scale"}})).plan, Some(PlanType::Scale));
    assert_eq!(subscription(item(json!({"id": "price_1", "metadata": {"plan_type": "starter"}}))).plan, Some(PlanType::Starter));
    assert_eq!(subscription(item(json!({"id": "price_1", "lookup_key": "growth_monthly_eur"}))).plan, Some(PlanType::Growth));
    assert_eq!(subscription(item(json!({"id": "price_1", "nickname": "Enterprise (monthly)"}))).plan, Some(PlanType::Enterprise));
    assert_eq!(subscription(item(json!({"id": "price_1", "nickname": "Autoscale"}))).plan, None);
}

#[test]
fn a_subscriptions_period_is_its_smallest_items_period() {
    let seconds = |span: Span| (span.start.map(OffsetDateTime::unix_timestamp), span.end.map(OffsetDateTime::unix_timestamp));
    assert_eq!(seconds(subscription(json!({"current_period_start": 5, "current_period_end": 9})).current_period), (Some(5), Some(9)));
    let items = json!({"items": {"data": [{"id": "si_1", "current_period_start": 5, "current_period_end": 99},
                                          {"id": "si_2", "current_period_start": 5, "current_period_end": 8}]}});
    assert_eq!(seconds(subscription(items).current_period), (Some(5), Some(8)));
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

fn credit_note(object: Value) -> CreditNoteSnapshot {
    match changes("credit_note.created", object).0.snapshot {
        Snapshot::CreditNote(credit_note) => *credit_note,
        other => panic!("{other:?}"),
    }
}

#[test]
fn credit_note_taxes_parse_in_all_versions() {
    let least = json!({"id": "cn_1", "object": "credit_note", "customer": "cus_1", "invoice": {"id": "in_1"}, "status": "issued", "type": "pre_payment",
        "currency": "usd", "amount": 119, "created": 5});
    let tax = |more: Value| {
        let credit_note = credit_note(with(least.clone(), more));
        (credit_note.invoice, credit_note.subtotal, credit_note.tax)
    };
    assert_eq!(tax(json!({})), ("in_1".into(), 119, 0));
    assert_eq!(tax(json!({"subtotal": 100, "total_taxes": [{"amount": 19}]})), ("in_1".into(), 100, 19));
    assert_eq!(tax(json!({"subtotal": 100, "tax_amounts": [{"amount": 12}, {"amount": 7}]})), ("in_1".into(), 100, 19));
}

#[test]
fn unmirrored_types_are_ignored_with_a_reason() {
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

fn line_of(invoice: InvoiceSnapshot) -> LineSnapshot {
    invoice.lines.into_iter().next().unwrap()
}

fn with_line(line: Value) -> InvoiceSnapshot {
    invoice(json!({"lines": {"data": [with(json!({"id": "il_1", "amount": 11_900}), line)]}}))
}

fn vat(amount: i64, behavior: TaxBehavior) -> TaxAmount {
    TaxAmount {
        amount,
        taxable_amount: Some(10_000),
        behavior,
        reason: Some("standard_rated".into()),
        rate_id: Some("txr_1".into()),
        rate: None,
    }
}

/// Case C8.
#[test]
fn a_tax_has_behavior_reason_and_rate_in_every_shape() {
    let common = json!({"amount": 1_900, "taxable_amount": 10_000, "taxability_reason": "standard_rated"});
    let new = |behavior: &str| with(common.clone(), json!({"tax_behavior": behavior, "tax_rate_details": {"tax_rate": "txr_1"}}));
    let old = |inclusive: bool| with(common.clone(), json!({"inclusive": inclusive, "tax_rate": "txr_1"}));
    let expanded = |inclusive: bool| {
        with(
            common.clone(),
            json!({"tax_rate": {"id": "txr_1", "object": "tax_rate", "display_name": "VAT", "percentage": 19, "inclusive": inclusive}}),
        )
    };
    for (behavior, word, inclusive) in [(TaxBehavior::Inclusive, "inclusive", true), (TaxBehavior::Exclusive, "exclusive", false)] {
        for list in [json!({"taxes": [new(word)]}), json!({"tax_amounts": [old(inclusive)]}), json!({"tax_amounts": [expanded(inclusive)]})]
        {
            let read = line_of(with_line(list.clone()));
            assert_eq!(read.taxes, [vat(1_900, behavior)], "{list}");
            assert_eq!(read.tax, if inclusive { 0 } else { 1_900 }, "{list}");
        }
        for list in [json!({"total_taxes": [new(word)]}), json!({"total_tax_amounts": [old(inclusive)]})] {
            let read = invoice(list);
            assert_eq!((read.taxes, read.amounts.tax), (vec![vat(1_900, behavior)], 1_900));
        }
    }
    // The oldest versions have a sum and no list.
    let old = invoice(json!({"tax": 19})).taxes;
    assert_eq!(old, [TaxAmount { amount: 19, ..TaxAmount::default() }]);
}

/// Case C9.
#[test]
fn missing_totals_come_from_the_lines() {
    let tax = |amount: i64, rate: &str| json!({"amount": amount, "tax_behavior": "exclusive", "taxable_amount": 100, "tax_rate_details": {"tax_rate": rate}});
    let line = |id: &str, tax: Value| {
        json!({"id": id, "amount": 100, "discount_amounts": [{"amount": 5}], "taxes": [tax],
               "pretax_credit_amounts": [{"amount": 7, "type": "credit_balance_transaction"}, {"amount": 5, "type": "discount"}]})
    };
    let lines = json!({"data": [line("il_1", tax(19, "txr_1")), line("il_2", tax(7, "txr_2")), line("il_3", tax(19, "txr_1"))]});
    let shipping = json!({"amount_subtotal": 100, "amount_tax": 19, "amount_total": 119, "taxes": [tax(19, "txr_1")]});
    for empty in [Value::Null, json!([])] {
        let roll_ups = json!({"total_taxes": empty, "total_discount_amounts": empty, "total_pretax_credit_amounts": empty});
        let read = invoice(with(roll_ups, json!({"lines": lines, "shipping_cost": shipping})));
        let sums: Vec<_> = read.taxes.iter().map(|tax| (tax.rate_id.as_deref().unwrap(), tax.amount, tax.taxable_amount)).collect();
        assert_eq!(sums, [("txr_1", 57, Some(300)), ("txr_2", 7, Some(100))]);
        assert_eq!((read.amounts.tax, read.amounts.discount), (64, 15));
        let credits: Vec<_> = read.pretax_credits.iter().map(|credit| (credit.kind, credit.amount)).collect();
        assert_eq!(credits, [(PretaxCreditKind::CreditBalanceTransaction, 21), (PretaxCreditKind::Discount, 15)]);
    }
    // The invoice's own total takes precedence.
    let said = json!({"total_taxes": [tax(60, "txr_1")], "total_discount_amounts": [{"amount": 14}],
        "total_pretax_credit_amounts": [{"amount": 20, "type": "credit_balance_transaction"}], "lines": lines});
    let read = invoice(said);
    assert_eq!((read.amounts.tax, read.amounts.discount, read.pretax_credits[0].amount), (60, 14, 20));
}

/// Case C10.
#[test]
fn a_quantity_is_an_exact_decimal() {
    let read = |quantities: Value| {
        let line = line_of(with_line(quantities));
        (line.quantity, line.quantity_decimal)
    };
    assert_eq!(read(json!({"quantity": 2, "quantity_decimal": "2.5"})), (Some(2), Some("2.5".into())));
    assert_eq!(read(json!({"quantity": null, "quantity_decimal": "2.5"})), (Some(2), Some("2.5".into())));
    assert_eq!(read(json!({"quantity": 3})), (Some(3), Some("3".into())));
    assert_eq!(read(json!({"quantity": 2, "quantity_decimal": 2.5})), (Some(2), Some("2.5".into())));
    assert_eq!(read(json!({"quantity_decimal": "0.000000000001"})), (Some(0), Some("0.000000000001".into())));
    assert_eq!(read(json!({})), (None, None));
}

/// Case C18.
#[test]
fn packages_come_from_the_price_in_all_versions() {
    let price = json!({"id": "price_1", "unit_amount": 500, "transform_quantity": {"divide_by": 100, "round": "up"}});
    let line = json!({"quantity": 250, "amount": 1_500});
    let hundreds = Some(TransformQuantity { divide_by: 100, round_up: true });
    for place in [json!({"price": price}), json!({"plan": price}), json!({"pricing": {"price_details": {"price": price}}})] {
        let read = with_line(with(line.clone(), place.clone()));
        assert!(read.named.ids.is_empty(), "{place}");
        assert_eq!(line_of(read).transform_quantity, hundreds, "{place}");
    }
    let by_id = json!({"pricing": {"unit_amount_decimal": "500", "price_details": {"price": "price_1"}}});
    let read = with_line(with(line.clone(), by_id.clone()));
    assert_eq!(read.named.ids.into_iter().collect::<Vec<_>>(), [(Lookup::Price, "price_1".to_owned())]);
    // If the unit price gives the amount, no look-up is needed; nor for a proration.
    for more in
        [json!({"quantity": 3}), json!({"quantity_decimal": "3.0"}), json!({"parent": {"subscription_item_details": {"proration": true}}})]
    {
        assert!(with_line(with(with(line.clone(), by_id.clone()), more.clone())).named.ids.is_empty(), "{more}");
    }
}

/// Cases C1, C11 and C19.
#[test]
fn printed_fields_are_parsed() {
    let read = invoice(json!({
        "effective_at": 1_790_000_000, "footer": "Thank you", "custom_fields": [{"name": "PO", "value": "4711"}], "collection_method": "send_invoice",
        "customer_tax_exempt": "reverse", "customer_tax_ids": [{"type": "eu_vat", "value": "DE1"}, {"type": "de_stn", "value": null}, {"type": "ch_vat", "value": "CHE1"}],
        "total_pretax_credit_amounts": [{"amount": 2500, "type": "credit_balance_transaction"}, {"amount": 100, "type": "discount"}, {"amount": 1, "type": "gift"}],
        "shipping_cost": {"amount_subtotal": 500, "amount_tax": 95, "amount_total": 595, "taxes": [{"amount": 95, "tax_behavior": "exclusive"}]},
    }));
    assert_eq!(read.effective_at.map(OffsetDateTime::unix_timestamp), Some(1_790_000_000));
    assert_eq!((read.footer.as_deref(), read.collection_method.as_deref()), (Some("Thank you"), Some("send_invoice")));
    assert_eq!(read.custom_fields, [CustomField { name: "PO".into(), value: "4711".into() }]);
    let tax_id = |kind: &str, value: &str| TaxId { kind: kind.into(), value: value.into() };
    assert_eq!(read.customer_tax_ids, [tax_id("eu_vat", "DE1"), tax_id("ch_vat", "CHE1")]);
    assert_eq!((read.customer_tax_id.as_deref(), read.customer_tax_exempt.as_deref()), (Some("DE1"), Some("reverse")));
    let credit = |amount: i64, kind: PretaxCreditKind| PretaxCredit { amount, kind };
    let expected = [
        credit(2500, PretaxCreditKind::CreditBalanceTransaction),
        credit(100, PretaxCreditKind::Discount),
        credit(1, PretaxCreditKind::Other),
    ];
    assert_eq!(read.pretax_credits, expected);
    let taxes = vec![TaxAmount { amount: 95, ..TaxAmount::default() }];
    assert_eq!(read.shipping, Some(ShippingCost { subtotal: 500, tax: 95, total: 595, taxes }));
    let least = invoice(json!({}));
    assert_eq!((least.shipping, least.effective_at, least.footer, least.taxes), (None, None, None, vec![]));
    assert_eq!(invoice(json!({"billing": "send_invoice"})).collection_method.as_deref(), Some("send_invoice"));
}

#[test]
fn complete_rates_need_no_lookup() {
    let rate = |id: &str| json!({"id": id, "object": "tax_rate", "display_name": "VAT", "percentage": 19.5, "effective_percentage": null, "inclusive": false, "country": "DE"});
    let by_id = |id: &str| json!({"amount": 1, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": id}});
    let read = invoice(json!({"total_taxes": [by_id("txr_1"), by_id("txr_2"), by_id("txr_3")], "default_tax_rates": [rate("txr_1")],
        "lines": {"data": [{"id": "il_1", "amount": 1, "tax_rates": [rate("txr_2"), rate("txr_1")]}]}}));
    let rates: Vec<_> = read.named.rates.iter().map(|rate| (rate.id.as_str(), rate.percentage.as_deref())).collect();
    assert_eq!(rates, [("txr_2", Some("19.5")), ("txr_1", Some("19.5"))]);
    assert_eq!(read.named.ids.into_iter().collect::<Vec<_>>(), [(Lookup::TaxRate, "txr_3".to_owned())]);
    // For a rate of Stripe Tax, the charged one counts.
    let charged = read_tax_rate(&with(rate("txr_4"), json!({"effective_percentage": 0}))).unwrap();
    assert_eq!((charged.percentage.as_deref(), charged.country.as_deref()), (Some("0"), Some("DE")));
    assert_eq!(read_tax_rate(&json!({"id": "txr_5"})).unwrap_err().to_string(), "tax_rate.display_name is missing");
    let price = json!({"id": "price_1", "transform_quantity": {"divide_by": 10, "round": "down"}});
    assert_eq!(read_price(&price), Ok(Some(TransformQuantity { divide_by: 10, round_up: false })));
    assert_eq!(read_price(&json!({"id": "price_1", "transform_quantity": null})), Ok(None));
}

#[test]
fn a_credit_note_has_lines_and_two_parts() {
    let least = json!({"id": "cn_1", "object": "credit_note", "customer": "cus_1", "invoice": "in_1", "status": "issued", "type": "mixed",
        "currency": "usd", "amount": 1_190, "created": 5});
    let new = json!({"pre_payment_amount": 500, "post_payment_amount": 690, "discount_amount": 100, "total_taxes": null, "lines": {"has_more": true, "data": [
        {"id": "cnli_1", "amount": 1_100, "description": "Plan", "quantity": 2, "unit_amount_decimal": "550", "discount_amount": 100,
         "taxes": [{"amount": 190, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_1"}}]}]}});
    let read = credit_note(with(least.clone(), new));
    assert_eq!((read.pre_payment_amount, read.post_payment_amount, read.discount, read.tax), (Some(500), Some(690), 100, 190));
    assert!(!read.lines_complete);
    let line = &read.lines[0];
    assert_eq!((line.quantity.as_deref(), line.unit_amount.as_deref(), line.amount, line.discount), (Some("2"), Some("550"), 1_100, 100));
    assert_eq!((line.taxes[0].amount, read.taxes[0].rate_id.as_deref()), (190, Some("txr_1")));
    // Before basil the type named the part, and the lines had the rates.
    let parts = |kind: &str| {
        let read = credit_note(with(least.clone(), json!({"type": kind})));
        (read.pre_payment_amount, read.post_payment_amount)
    };
    assert_eq!(parts("pre_payment"), (Some(1_190), Some(0)));
    assert_eq!(parts("post_payment"), (Some(0), Some(1_190)));
    assert_eq!(parts("mixed"), (None, None));
    let old = json!({"tax_amounts": [{"amount": 190, "inclusive": true, "tax_rate": "txr_1"}], "lines": {"data": [
        {"id": "cnli_1", "amount": 1_190, "quantity": null, "unit_amount": null, "discount_amounts": [{"amount": 3}],
         "tax_rates": [{"id": "txr_1", "display_name": "VAT", "percentage": 19, "inclusive": true}]}]}});
    let read = credit_note(with(least, old));
    assert_eq!((read.taxes[0].behavior, read.discount, read.named.rates.len(), read.named.ids.len()), (TaxBehavior::Inclusive, 3, 1, 0));
}
