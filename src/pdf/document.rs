//! The text of an invoice: every string is ready to print, missing data are absent. `invoice.typ`
//! only places it.

use super::{Seller, text};
use crate::{
    domain::{
        invoice::{CreditNote, InvoiceDetail, InvoiceStatus, LineItem, Payment, Refund, SumRole, SumRow, line::LinePrice},
        language::Language,
    },
    text::{common, document as words, format},
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
    /// The language of the text, as BCP 47 tag.
    lang: &'static str,
    labels: Labels,
    title: String,
    number: Option<String>,
    status: &'static str,
    /// Whether the status is set off by the accent colour.
    accent_status: bool,
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

/// Headings and other fixed text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Labels {
    invoice: &'static str,
    from: &'static str,
    bill_to: &'static str,
    description: &'static str,
    period: &'static str,
    quantity: &'static str,
    unit_price: &'static str,
    amount: &'static str,
    payments: &'static str,
    refunds: &'static str,
    credit_notes: &'static str,
    how_to_pay: &'static str,
    pay_online: &'static str,
    notes: &'static str,
    page: &'static str,
    page_of: &'static str,
}

impl Labels {
    const fn new(language: Language) -> Labels {
        Labels {
            invoice: words::invoice(language),
            from: words::from(language),
            bill_to: words::bill_to(language),
            description: words::description(language),
            period: words::period(language),
            quantity: words::quantity(language),
            unit_price: words::unit_price(language),
            amount: words::amount(language),
            payments: words::payments(language),
            refunds: words::refunds(language),
            credit_notes: words::credit_notes(language),
            how_to_pay: words::how_to_pay(language),
            pay_online: words::pay_online(language),
            notes: words::notes(language),
            page: words::page(language),
            page_of: words::page_of(language),
        }
    }
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
    /// The invoice in the language of its customer.
    pub fn new(language: Language, invoice: &InvoiceDetail, seller: &Seller) -> InvoiceDocument {
        let number = invoice.summary.number.as_deref().map(|number| text::one_line(number, LINE_LIMIT)).filter(|number| !number.is_empty());
        let status = invoice.summary.status;
        InvoiceDocument {
            id: format!("invoice {}", invoice.summary.id),
            dated: invoice.summary.dated(),
            lang: language.code(),
            labels: Labels::new(language),
            title: match &number {
                Some(number) => words::invoice_numbered(language, number),
                None => words::invoice_with_status(language, common::invoice_status(language, status)),
            },
            status: common::invoice_status(language, status),
            accent_status: matches!(status, InvoiceStatus::Open | InvoiceStatus::Paid),
            watermark: match status {
                InvoiceStatus::Draft => Some(words::draft_watermark(language)),
                InvoiceStatus::Void => Some(words::void_watermark(language)),
                InvoiceStatus::Open | InvoiceStatus::Paid | InvoiceStatus::Uncollectible => None,
            },
            seller: seller_party(language, seller),
            customer: customer_party(language, invoice),
            headline: headline(language, invoice),
            facts: facts(language, invoice, number.as_deref()),
            lines: invoice.line_items.iter().map(|line| Line::new(language, line, invoice)).collect(),
            lines_notice: (!invoice.lines_complete).then_some(words::lines_missing(language)),
            totals: totals(language, invoice),
            tax_notes: words::tax_notes(language, invoice),
            payments: invoice
                .payments
                .iter()
                .filter(|payment| payment.status == "paid")
                .map(|payment| Receipt::payment(language, payment, invoice))
                .collect(),
            refunds: invoice.refunds.iter().filter_map(|refund| Receipt::refund(language, refund, invoice)).collect(),
            credit_notes: invoice
                .credit_notes
                .iter()
                .filter_map(|credit_note| Receipt::credit_note(language, credit_note, invoice))
                .collect(),
            how_to_pay: how_to_pay(language, invoice),
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

fn seller_party(language: Language, seller: &Seller) -> Party {
    let tax_id = seller.tax_id.as_ref().map(|id| format!("{} {id}", words::other_tax_id(language)));
    party(&seller.name, seller.address.iter().cloned().chain(tax_id).chain(seller.email.clone()).chain(seller.website.clone()))
}

fn customer_party(language: Language, invoice: &InvoiceDetail) -> Party {
    let customer = &invoice.customer;
    let tax_ids = customer.tax_ids.iter().map(|id| words::tax_id(language, id));
    party(&customer.name, words::address_lines(language, customer).into_iter().chain(tax_ids).chain(customer.email.clone()))
}

fn headline(language: Language, invoice: &InvoiceDetail) -> String {
    let summary = &invoice.summary;
    let remaining = summary.money(summary.amount_remaining);
    let paid = summary.money(summary.amount_paid);
    match (summary.status, summary.due_date, summary.paid_at) {
        (InvoiceStatus::Draft, ..) => words::estimated(language, summary.money(summary.total)),
        (InvoiceStatus::Open, Some(due), _) => words::due_on(language, remaining, &format::long_date(language, due)),
        (InvoiceStatus::Open, None, _) => words::due(language, remaining),
        (InvoiceStatus::Paid, _, Some(at)) if summary.amount_paid == 0 => words::settled_on(language, &format::long_date(language, at)),
        (InvoiceStatus::Paid, _, None) if summary.amount_paid == 0 => words::settled(language).to_owned(),
        (InvoiceStatus::Paid, _, Some(at)) => words::amount_paid_on(language, paid, &format::long_date(language, at)),
        (InvoiceStatus::Paid, _, None) => words::amount_paid(language, paid),
        (InvoiceStatus::Void, ..) => words::voided(language).to_owned(),
        (InvoiceStatus::Uncollectible, ..) => words::written_off(language, remaining),
    }
}

fn facts(language: Language, invoice: &InvoiceDetail, number: Option<&str>) -> Vec<Fact> {
    let summary = &invoice.summary;
    let date = |at| format::long_date(language, at);
    let issued = if summary.issued_at.is_none() { words::created(language) } else { words::issue_date(language) };
    let facts = [
        (words::invoice_number(language), number.map(str::to_owned)),
        (issued, Some(date(summary.dated()))),
        (words::due_date(language), summary.due_date.map(date)),
        (words::paid_on(language), summary.paid_at.filter(|_| summary.amount_paid != 0).map(date)),
        (words::period(language), summary.period.map(|period| text::unbroken(&format::long_period(language, &period)))),
        (words::currency(language), Some(summary.currency.code().to_uppercase())),
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
    fn new(language: Language, line: &LineItem, invoice: &InvoiceDetail) -> Line {
        let currency = invoice.summary.currency;
        let LinePrice { quantity, unit_price, per, .. } = words::line_price(language, line, currency);
        Line {
            description: text::one_line(&line.description, LINE_LIMIT),
            remark: line.proration.then_some(words::prorated(language)),
            details: words::remarks(language, line, invoice).iter().map(|remark| text::one_line(remark, LINE_LIMIT)).collect(),
            period: line.period.map(|period| text::unbroken(&format::period(language, &period))),
            quantity,
            unit_price,
            price_unit: per,
            amount: format::money(language, invoice.summary.money(line.amount)),
        }
    }
}

/// The sums as on the page and in the API.
fn totals(language: Language, invoice: &InvoiceDetail) -> Vec<Total> {
    let last = invoice.sums.iter().rposition(|row| row.role == SumRole::Sum);
    let weight = |place: usize, row: &SumRow| match row.role {
        SumRole::Sum if Some(place) == last => Weight::Due,
        SumRole::Sum if place > 0 => Weight::Sum,
        SumRole::Sum | SumRole::Part => Weight::Plain,
        SumRole::Note => Weight::Aside,
    };
    let row = |(place, row): (usize, &SumRow)| Total {
        label: text::one_line(&words::sum_label(language, row, invoice), LINE_LIMIT),
        amount: format::money(language, row.money(invoice.summary.currency)),
        weight: weight(place, row),
    };
    invoice.sums.iter().enumerate().map(row).collect()
}

impl Receipt {
    fn payment(language: Language, payment: &Payment, invoice: &InvoiceDetail) -> Receipt {
        let method = words::payment_method(language, payment.method.as_deref().unwrap_or_default());
        Receipt {
            date: format::long_date(language, payment.at),
            text: text::one_line(&method, LINE_LIMIT),
            amount: format::money(language, invoice.summary.money(payment.amount)),
        }
    }

    /// None for a refund that failed or was canceled.
    fn refund(language: Language, refund: &Refund, invoice: &InvoiceDetail) -> Option<Receipt> {
        let state = match refund.status.as_str() {
            "succeeded" => words::refund(language),
            "pending" | "requires_action" => words::refund_pending(language),
            _ => return None,
        };
        // Stripe's other reason, `fraudulent`, must not be printed.
        let text = match refund.reason.as_deref() {
            Some("duplicate") => words::refund_duplicate(language, state),
            Some("requested_by_customer") => words::refund_requested(language, state),
            _ => state.to_owned(),
        };
        let amount = format::money(language, invoice.summary.money(refund.amount));
        Some(Receipt { date: format::long_date(language, refund.at), text, amount })
    }

    /// None for a voided one.
    fn credit_note(language: Language, credit_note: &CreditNote, invoice: &InvoiceDetail) -> Option<Receipt> {
        let number = credit_note.number.as_deref().map(|number| text::one_line(number, LINE_LIMIT)).filter(|number| !number.is_empty());
        let text = match number {
            Some(number) => words::credit_note_numbered(language, &number),
            None => words::credit_note(language).to_owned(),
        };
        let amount = format::money(language, invoice.summary.money(credit_note.amount.saturating_neg()));
        (credit_note.status != "void").then(|| Receipt { date: format::long_date(language, credit_note.at), text, amount })
    }
}

fn how_to_pay(language: Language, invoice: &InvoiceDetail) -> Option<HowToPay> {
    let summary = &invoice.summary;
    let url = invoice
        .hosted_invoice_url
        .as_deref()
        .filter(|url| url.starts_with("https://") && url.len() <= 2_000 && url.chars().all(|c| c.is_ascii_graphic()))?;
    if summary.amount_remaining <= 0 {
        return None;
    }
    let amount = summary.money(summary.amount_remaining);
    let text = match (summary.status, summary.due_date) {
        (InvoiceStatus::Open, Some(due)) => words::please_pay_by(language, amount, &format::long_date(language, due)),
        (InvoiceStatus::Open, None) => words::please_pay(language, amount),
        (InvoiceStatus::Uncollectible, _) => words::can_still_pay(language, amount),
        (InvoiceStatus::Draft | InvoiceStatus::Paid | InvoiceStatus::Void, _) => return None,
    };
    Some(HowToPay { url: url.to_owned(), text })
}

#[cfg(test)]
mod tests;
