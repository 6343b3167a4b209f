//! The text of an invoice: every string is ready to print, missing data are absent. `invoice.typ`
//! only places it.

use super::{Seller, text};
use crate::domain::invoice::{
    CreditNote, InvoiceCustomer, InvoiceDetail, InvoiceStatus, LineItem, Payment, Refund, SumRole, SumRow, TaxId, line::LinePrice,
};
use serde::Serialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use time::OffsetDateTime;

/// Longest name, address line or description that is printed whole; longer text would not fit on a
/// page.
const LINE_LIMIT: usize = 500;
const NOTE_LIMIT: usize = 5_000;
const ADDRESS_LINES: usize = 16;
/// Stripe allows four fields of 40 and 140 characters ("Create an invoice", `custom_fields`).
const CUSTOM_FIELDS: usize = 8;
const FIELD_LIMIT: usize = 200;

/// A printable invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceDocument {
    /// Identifies the document in all its versions.
    #[serde(skip)]
    pub(super) id: String,
    /// The file's creation time, so that rendering again gives the same bytes.
    #[serde(skip)]
    pub(super) dated: OffsetDateTime,
    title: String,
    number: Option<String>,
    status: &'static str,
    /// Watermark across the page.
    watermark: Option<&'static str>,
    seller: Party,
    customer: Party,
    /// The headline: `$1,234.56 due 1 December 2026`.
    headline: String,
    facts: Vec<Fact>,
    lines: Vec<Line>,
    lines_notice: Option<&'static str>,
    totals: Vec<Total>,
    tax_notes: Vec<String>,
    payments: Vec<Receipt>,
    refunds: Vec<Receipt>,
    credit_notes: Vec<Receipt>,
    how_to_pay: Option<HowToPay>,
    notes: Option<String>,
    footer: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Party {
    name: String,
    lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Fact {
    label: String,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Line {
    description: String,
    remark: Option<&'static str>,
    /// One row each, below the description.
    details: Vec<String>,
    period: Option<String>,
    quantity: Option<String>,
    unit_price: Option<String>,
    price_unit: Option<String>,
    amount: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Total {
    label: String,
    amount: String,
    weight: Weight,
}

/// How much a row of the totals is emphasised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Weight {
    Plain,
    Sum,
    Due,
    /// Below the amount due, and not part of it.
    Aside,
}

/// A transfer: a payment, a refund, a credit note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Receipt {
    date: String,
    text: String,
    amount: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct HowToPay {
    url: String,
    text: String,
}

impl InvoiceDocument {
    pub fn new(invoice: &InvoiceDetail, seller: &Seller) -> InvoiceDocument {
        let number = invoice.summary.number.as_deref().map(|number| text::one_line(number, LINE_LIMIT)).filter(|number| !number.is_empty());
        let status = invoice.summary.status;
        InvoiceDocument {
            id: format!("invoice {}", invoice.summary.id),
            dated: invoice.summary.dated(),
            title: number.as_ref().map_or_else(|| format!("{} invoice", status.title()), |number| format!("Invoice {number}")),
            status: status.title(),
            watermark: match status {
                InvoiceStatus::Draft => Some("DRAFT"),
                InvoiceStatus::Void => Some("VOID"),
                InvoiceStatus::Open | InvoiceStatus::Paid | InvoiceStatus::Uncollectible => None,
            },
            seller: seller_party(seller),
            customer: customer_party(&invoice.customer),
            headline: headline(invoice),
            facts: facts(invoice, number.as_deref()),
            lines: invoice.line_items.iter().map(|line| Line::new(line, invoice)).collect(),
            lines_notice: (!invoice.lines_complete)
                .then_some("More lines belong to this invoice than are listed here. The sums below are those of the whole invoice."),
            totals: totals(invoice),
            tax_notes: invoice.tax_notes.clone(),
            payments: invoice
                .payments
                .iter()
                .filter(|payment| payment.status == "paid")
                .map(|payment| Receipt::payment(payment, invoice))
                .collect(),
            refunds: invoice.refunds.iter().filter_map(|refund| Receipt::refund(refund, invoice)).collect(),
            credit_notes: invoice.credit_notes.iter().filter_map(|credit_note| Receipt::credit_note(credit_note, invoice)).collect(),
            how_to_pay: how_to_pay(invoice),
            notes: paragraphs(invoice.description.as_deref()),
            footer: paragraphs(invoice.footer.as_deref()),
            number,
        }
    }

    /// Hash of everything that is printed.
    pub fn fingerprint(&self) -> i64 {
        let mut hasher = DefaultHasher::new();
        // Text and lists of text can always be serialized.
        serde_json::to_vec(self).unwrap_or_default().hash(&mut hasher);
        self.dated.hash(&mut hasher);
        hasher.finish().cast_signed()
    }
}

fn paragraphs(text: Option<&str>) -> Option<String> {
    text.map(|text| text::paragraphs(text, NOTE_LIMIT)).filter(|text| !text.is_empty())
}

fn party(name: &str, lines: impl Iterator<Item = String>) -> Party {
    let lines = lines.map(|line| text::one_line(&line, LINE_LIMIT)).filter(|line| !line.is_empty());
    Party { name: text::one_line(name, LINE_LIMIT), lines: lines.take(ADDRESS_LINES).collect() }
}

fn seller_party(seller: &Seller) -> Party {
    let tax_id = seller.tax_id.as_ref().map(|id| format!("Tax ID {id}"));
    party(&seller.name, seller.address.iter().cloned().chain(tax_id).chain(seller.email.clone()).chain(seller.website.clone()))
}

fn customer_party(customer: &InvoiceCustomer) -> Party {
    let tax_ids = customer.tax_ids.iter().map(TaxId::shown);
    party(&customer.name, customer.address.iter().cloned().chain(tax_ids).chain(customer.email.clone()))
}

fn headline(invoice: &InvoiceDetail) -> String {
    let summary = &invoice.summary;
    let remaining = summary.money(summary.amount_remaining);
    match (summary.status, summary.due_date, summary.paid_at) {
        (InvoiceStatus::Draft, ..) => format!("{} estimated", summary.money(summary.total)),
        (InvoiceStatus::Open, Some(due), _) => format!("{remaining} due {}", text::date(due)),
        (InvoiceStatus::Open, None, _) => format!("{remaining} due"),
        (InvoiceStatus::Paid, _, Some(at)) if summary.amount_paid == 0 => format!("Settled on {}, nothing to pay", text::date(at)),
        (InvoiceStatus::Paid, _, None) if summary.amount_paid == 0 => "Settled, nothing to pay".to_owned(),
        (InvoiceStatus::Paid, _, Some(paid)) => format!("{} paid on {}", summary.money(summary.amount_paid), text::date(paid)),
        (InvoiceStatus::Paid, _, None) => format!("{} paid", summary.money(summary.amount_paid)),
        (InvoiceStatus::Void, ..) => "Void: nothing is owed on this invoice".to_owned(),
        (InvoiceStatus::Uncollectible, ..) => format!("{remaining} unpaid, written off"),
    }
}

fn facts(invoice: &InvoiceDetail, number: Option<&str>) -> Vec<Fact> {
    let summary = &invoice.summary;
    let issued = if summary.issued_at.is_none() { "Created" } else { "Issue date" };
    let facts = [
        ("Invoice number", number.map(str::to_owned)),
        (issued, Some(text::date(summary.dated()))),
        ("Due date", summary.due_date.map(text::date)),
        ("Paid on", summary.paid_at.filter(|_| summary.amount_paid != 0).map(text::date)),
        ("Period", summary.period.map(text::period)),
        ("Currency", Some(summary.currency.code().to_uppercase())),
    ];
    let known = facts.into_iter().filter_map(|(label, value)| Some(Fact { label: label.to_owned(), value: value? }));
    let own = invoice
        .custom_fields
        .iter()
        .take(CUSTOM_FIELDS)
        .map(|field| Fact { label: text::one_line(&field.name, FIELD_LIMIT), value: text::one_line(&field.value, FIELD_LIMIT) });
    known.chain(own).collect()
}

impl Line {
    fn new(line: &LineItem, invoice: &InvoiceDetail) -> Line {
        let currency = invoice.summary.currency;
        let LinePrice { quantity, unit_price, per, .. } = line.price(currency);
        Line {
            description: text::one_line(&line.description, LINE_LIMIT),
            remark: line.proration.then_some("Prorated"),
            details: line.remarks(invoice).iter().map(|remark| text::one_line(remark, LINE_LIMIT)).collect(),
            period: line.period.map(text::short_period),
            quantity,
            unit_price,
            price_unit: per,
            amount: invoice.summary.money(line.amount).to_string(),
        }
    }
}

/// The sums as on the page and in the API.
fn totals(invoice: &InvoiceDetail) -> Vec<Total> {
    let last = invoice.sums.iter().rposition(|row| row.role == SumRole::Sum);
    let weight = |place: usize, row: &SumRow| match row.role {
        SumRole::Sum if Some(place) == last => Weight::Due,
        SumRole::Sum if place > 0 => Weight::Sum,
        SumRole::Sum | SumRole::Part => Weight::Plain,
        SumRole::Note => Weight::Aside,
    };
    let row = |(place, row): (usize, &SumRow)| Total {
        label: text::one_line(&row.label, LINE_LIMIT),
        amount: row.money(invoice.summary.currency).to_string(),
        weight: weight(place, row),
    };
    invoice.sums.iter().enumerate().map(row).collect()
}

impl Receipt {
    fn payment(payment: &Payment, invoice: &InvoiceDetail) -> Receipt {
        let text = payment.method.as_deref().map_or_else(|| "Payment".to_owned(), payment_method);
        Receipt { date: text::date(payment.at), text, amount: invoice.summary.money(payment.amount).to_string() }
    }

    /// None for a refund that failed or was canceled.
    fn refund(refund: &Refund, invoice: &InvoiceDetail) -> Option<Receipt> {
        let state = match refund.status.as_str() {
            "succeeded" => "Refund",
            "pending" | "requires_action" => "Refund, pending",
            _ => return None,
        };
        // Stripe's other reason, `fraudulent`, must not be printed.
        let text = match refund.reason.as_deref() {
            Some("duplicate") => format!("{state}: duplicate payment"),
            Some("requested_by_customer") => format!("{state}: requested by customer"),
            _ => state.to_owned(),
        };
        Some(Receipt { date: text::date(refund.at), text, amount: invoice.summary.money(refund.amount).to_string() })
    }

    /// None for a voided one.
    fn credit_note(credit_note: &CreditNote, invoice: &InvoiceDetail) -> Option<Receipt> {
        let number = credit_note.number.as_deref().map(|number| text::one_line(number, LINE_LIMIT)).filter(|number| !number.is_empty());
        let text = number.map_or_else(|| "Credit note".to_owned(), |number| format!("Credit note {number}"));
        let amount = invoice.summary.money(credit_note.amount.saturating_neg()).to_string();
        (credit_note.status != "void").then(|| Receipt { date: text::date(credit_note.at), text, amount })
    }
}

/// Display names of Stripe's payment method types.
fn payment_method(method: &str) -> String {
    match method {
        "card" => "Card".to_owned(),
        "sepa_debit" => "SEPA Direct Debit".to_owned(),
        "us_bank_account" => "ACH Direct Debit".to_owned(),
        "bacs_debit" => "Bacs Direct Debit".to_owned(),
        "customer_balance" => "Bank transfer".to_owned(),
        "paypal" => "PayPal".to_owned(),
        "out_of_band" => "Paid by other means".to_owned(),
        other => {
            let words = text::one_line(&other.replace('_', " "), LINE_LIMIT);
            let mut letters = words.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_else(|| "Payment".to_owned())
        }
    }
}

fn how_to_pay(invoice: &InvoiceDetail) -> Option<HowToPay> {
    let summary = &invoice.summary;
    let url = invoice
        .hosted_invoice_url
        .as_deref()
        .filter(|url| url.starts_with("https://") && url.len() <= 2_000 && url.chars().all(|c| c.is_ascii_graphic()))?;
    if summary.amount_remaining <= 0 {
        return None;
    }
    let amount = summary.money(summary.amount_remaining);
    let text = match summary.status {
        InvoiceStatus::Open => {
            let due = summary.due_date.map(|due| format!(" by {}", text::date(due))).unwrap_or_default();
            format!("Please pay {amount}{due}.")
        }
        InvoiceStatus::Uncollectible => format!("Written off. You can still pay it: {amount}."),
        InvoiceStatus::Draft | InvoiceStatus::Paid | InvoiceStatus::Void => return None,
    };
    Some(HowToPay { url: url.to_owned(), text })
}

#[cfg(test)]
mod tests;
