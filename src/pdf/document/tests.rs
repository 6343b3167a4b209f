//! The sums and sentences of a document, without rendering it.

use super::*;
use crate::domain::invoice::{InvoiceSummary, TimelineEntry};
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
            period: None,
            created_at: datetime!(2026-11-30 23:50 UTC),
            due_date: Some(datetime!(2026-12-14 0:00 UTC)),
            paid_at: None,
            overdue: false,
        },
        customer: InvoiceCustomer { name: "Acme".to_owned(), email: None, address: Vec::new(), tax_id: None },
        subtotal: 10_000,
        discount: 0,
        tax: 1_900,
        credit_applied: 0,
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
    InvoiceDocument::new(invoice, &Seller::apex_mediation())
}

fn labels(invoice: &InvoiceDetail) -> Vec<&'static str> {
    totals(invoice).iter().map(|total| total.label).collect()
}

#[test]
fn tax_stands_above_the_total_unless_it_is_included() {
    let mut invoice = invoice();
    assert_eq!(labels(&invoice), ["Subtotal", "Tax", "Total", "Amount due"]);
    invoice.subtotal = 11_900;
    assert_eq!(labels(&invoice), ["Subtotal", "Total", "Tax included in total", "Amount due"]);
}

#[test]
fn a_void_invoice_has_nothing_due_and_no_way_to_pay() {
    let mut invoice = invoice();
    invoice.summary.status = InvoiceStatus::Void;
    assert_eq!(labels(&invoice), ["Subtotal", "Tax", "Total"]);
    let document = document(&invoice);
    assert_eq!(document.how_to_pay, None);
    assert_eq!(document.watermark, Some("VOID"));
}

#[test]
fn only_a_secure_link_is_a_way_to_pay() {
    let mut invoice = invoice();
    assert_eq!(document(&invoice).how_to_pay.unwrap().text, "Please pay €119.00 by 14 December 2026.");
    for url in ["javascript:alert(1)", "http://invoice.stripe.com", "https://a b", ""] {
        invoice.hosted_invoice_url = Some(url.to_owned());
        assert_eq!(document(&invoice).how_to_pay, None, "{url}");
    }
}

#[test]
fn the_issue_date_is_that_of_finalization() {
    let mut invoice = invoice();
    assert_eq!(document(&invoice).facts[1].value, "30 November 2026");
    let entry = |at| TimelineEntry { event_type: "invoice.finalized".to_owned(), title: String::new(), at };
    invoice.timeline = vec![entry(datetime!(2026-12-01 0:50 UTC)), entry(datetime!(2026-12-02 0:00 UTC))];
    let document = document(&invoice);
    assert_eq!(document.facts[1].value, "1 December 2026");
    assert_eq!(document.dated, datetime!(2026-12-01 0:50 UTC));
}

#[test]
fn refunds_that_did_not_happen_and_suspicions_are_not_printed() {
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
fn methods_of_payment_have_their_names() {
    assert_eq!(payment_method("sepa_debit"), "SEPA Direct Debit");
    assert_eq!(payment_method("wechat_pay"), "Wechat pay");
    assert_eq!(payment_method(""), "Payment");
}
