//! Sums and sentences of a document, without rendering it.

use super::*;
use crate::domain::{
    address::Address,
    invoice::{CustomField, InvoiceCustomer, InvoiceSummary, SumKind},
};
use time::macros::datetime;
use uuid::Uuid;

fn invoice() -> InvoiceDetail {
    InvoiceDetail {
        summary: InvoiceSummary {
            id: Uuid::nil(),
            stripe_invoice_id: "in_1".to_owned(),
            number: Some("A-1".to_owned()),
            status: InvoiceStatus::Open,
            currency: "eur".parse().unwrap(),
            total: 11_900,
            amount_due: 11_900,
            amount_paid: 0,
            amount_remaining: 11_900,
            amount_refunded: 0,
            amount_credited: 0,
            period: None,
            created_at: datetime!(2026-11-30 23:50 UTC),
            issued_at: Some(datetime!(2026-12-01 0:50 UTC)),
            due_date: Some(datetime!(2026-12-14 0:00 UTC)),
            paid_at: None,
            overdue: false,
        },
        customer: InvoiceCustomer {
            name: "Acme".to_owned(),
            email: None,
            address: Vec::new(),
            postal: Address::default(),
            tax_id: None,
            tax_ids: Vec::new(),
            tax_exempt: None,
        },
        subtotal: 10_000,
        discount: 0,
        item_discount: 0,
        tax: 1_900,
        credit_applied: 0,
        sums: vec![sum(SumKind::Subtotal, 10_000), sum(SumKind::Total, 11_900), sum(SumKind::AmountDue, 11_900)],
        taxes: Vec::new(),
        tax_notes: Vec::new(),
        shipping: None,
        custom_fields: Vec::new(),
        footer: None,
        description: None,
        line_items: Vec::new(),
        lines_complete: true,
        payments: Vec::new(),
        refunds: Vec::new(),
        credit_notes: Vec::new(),
        timeline: Vec::new(),
        hosted_invoice_url: Some("https://invoice.stripe.com/i/1".to_owned()),
    }
}

fn document(invoice: &InvoiceDetail) -> InvoiceDocument {
    InvoiceDocument::new(Language::English, invoice, &Seller::apex_mediation())
}

fn sum(kind: SumKind, amount: i64) -> SumRow {
    SumRow { kind, role: SumRole::Sum, label: format!("{kind:?}"), amount, tax: None }
}

#[test]
fn the_last_sum_is_emphasised() {
    let weights: Vec<Weight> = totals(Language::English, &invoice()).into_iter().map(|total| total.weight).collect();
    assert_eq!(weights, [Weight::Plain, Weight::Sum, Weight::Due]);
}

#[test]
fn a_void_invoice_has_no_payment_link() {
    let mut invoice = invoice();
    invoice.summary.status = InvoiceStatus::Void;
    let document = document(&invoice);
    assert_eq!(document.how_to_pay, None);
    assert_eq!(document.watermark, Some("VOID"));
}

#[test]
fn a_written_off_invoice_can_still_be_paid() {
    let mut invoice = invoice();
    invoice.summary.status = InvoiceStatus::Uncollectible;
    let document = document(&invoice);
    assert_eq!(document.headline, "€119.00 unpaid, written off");
    assert_eq!(document.how_to_pay.unwrap().text, "Written off. You can still pay it: €119.00.");
}

#[test]
fn a_settled_invoice_names_no_payment() {
    let mut invoice = invoice();
    invoice.summary.status = InvoiceStatus::Paid;
    invoice.summary.paid_at = Some(datetime!(2026-12-01 0:50 UTC));
    let document = document(&invoice);
    assert_eq!(document.headline, "Settled on 1 December 2026, nothing to pay");
    assert!(document.facts.iter().all(|fact| fact.label != "Paid on"));
}

#[test]
fn only_an_https_link_is_a_payment_link() {
    let mut invoice = invoice();
    assert_eq!(document(&invoice).how_to_pay.unwrap().text, "Please pay €119.00 by 14 December 2026.");
    for url in ["javascript:alert(1)", "http://invoice.stripe.com", "https://a b", ""] {
        invoice.hosted_invoice_url = Some(url.to_owned());
        assert_eq!(document(&invoice).how_to_pay, None, "{url}");
    }
}

#[test]
fn the_issue_date_is_the_invoices_own() {
    let mut invoice = invoice();
    let issued = document(&invoice);
    assert_eq!((issued.facts[1].label.as_str(), issued.facts[1].value.as_str()), ("Issue date", "1 December 2026"));
    assert_eq!(issued.dated, datetime!(2026-12-01 0:50 UTC));
    invoice.summary.issued_at = None;
    let draft = document(&invoice);
    assert_eq!((draft.facts[1].label.as_str(), draft.facts[1].value.as_str()), ("Created", "30 November 2026"));
}

#[test]
fn the_fingerprint_covers_all_printed_text() {
    let mut invoice = invoice();
    let before = document(&invoice).fingerprint();
    invoice.summary.overdue = true;
    assert_eq!(document(&invoice).fingerprint(), before);
    invoice.custom_fields = vec![CustomField { name: "PO".to_owned(), value: "4711".to_owned() }];
    assert_ne!(document(&invoice).fingerprint(), before);
}

#[test]
fn failed_refunds_and_fraud_reasons_are_not_printed() {
    let mut invoice = invoice();
    let refund = |status: &str, reason: &str| Refund {
        id: "re".to_owned(),
        amount: 100,
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        at: datetime!(2026-12-01 0:00 UTC),
    };
    invoice.refunds = vec![refund("failed", "duplicate"), refund("pending", "duplicate"), refund("succeeded", "fraudulent")];
    let texts: Vec<String> = document(&invoice).refunds.into_iter().map(|refund| refund.text).collect();
    assert_eq!(texts, ["Refund, pending: duplicate payment", "Refund"]);
}

#[test]
fn documents_are_in_the_customers_language() {
    let mut invoice = invoice();
    invoice.summary.period = Some(crate::domain::period::Period::calendar_month(datetime!(2026-11-10 0:00 UTC)));
    invoice.customer.postal = Address { city: Some("Paris".into()), country: Some("FR".into()), ..Address::default() };
    let german = InvoiceDocument::new(Language::German, &invoice, &Seller::apex_mediation());
    assert_eq!((german.lang, german.title.as_str(), german.status), ("de", "Rechnung A-1", "Offen"));
    assert_eq!(german.headline.replace('\u{a0}', " "), "119,00 € fällig am 14. Dezember 2026");
    assert_eq!(german.customer.lines, ["Paris", "Frankreich"]);
    let period = &german.facts[3];
    assert_eq!((period.label.as_str(), period.value.replace('\u{a0}', " ")), ("Leistungszeitraum", "1.–30. November 2026".into()));
    let french = InvoiceDocument::new(Language::French, &invoice, &Seller::apex_mediation());
    assert_eq!(french.how_to_pay.unwrap().text.replace('\u{a0}', " "), "Merci de régler 119,00 € avant le 14 décembre 2026.");
    assert_eq!(french.labels.bill_to, "Facturé à");
}
