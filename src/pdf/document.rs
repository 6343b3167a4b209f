//! What stands on an invoice: every string ready to print, every missing datum absent. `invoice.typ` only places it.

use super::{Seller, text};
use crate::domain::invoice::{InvoiceCustomer, InvoiceDetail, InvoiceStatus, LineItem, Payment, Refund};
use serde::Serialize;
use time::OffsetDateTime;

/// Longest name, address line or description that is printed whole: more would not fit on a page beside the rest.
const LINE_LIMIT: usize = 500;
const NOTE_LIMIT: usize = 5_000;
const ADDRESS_LINES: usize = 12;

/// An invoice as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceDocument {
    /// Names the document for its whole life, whatever its version.
    #[serde(skip)]
    pub(super) id: String,
    /// Stands in the file as its time of creation, so that rendering again changes nothing.
    #[serde(skip)]
    pub(super) dated: OffsetDateTime,
    title: String,
    number: Option<String>,
    status: &'static str,
    /// Stands across the page.
    watermark: Option<&'static str>,
    seller: Party,
    customer: Party,
    /// What a reader looks for first: `$1,234.56 due 1 December 2026`.
    headline: String,
    facts: Vec<Fact>,
    lines: Vec<Line>,
    lines_notice: Option<&'static str>,
    totals: Vec<Total>,
    payments: Vec<Receipt>,
    refunds: Vec<Receipt>,
    how_to_pay: Option<HowToPay>,
    notes: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Party {
    name: String,
    lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Fact {
    label: &'static str,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Line {
    description: String,
    remark: Option<&'static str>,
    period: Option<String>,
    quantity: Option<String>,
    unit_price: Option<String>,
    price_unit: Option<&'static str>,
    amount: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Total {
    label: &'static str,
    amount: String,
    weight: Weight,
}

/// How much a row of the totals stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Weight {
    Plain,
    Sum,
    Due,
    /// Below the sum that is due, and no part of it.
    Aside,
}

/// Money that moved: a payment or a refund.
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
            dated: issued_at(invoice),
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
            payments: invoice
                .payments
                .iter()
                .filter(|payment| payment.status == "paid")
                .map(|payment| Receipt::payment(payment, invoice))
                .collect(),
            refunds: invoice.refunds.iter().filter_map(|refund| Receipt::refund(refund, invoice)).collect(),
            how_to_pay: how_to_pay(invoice),
            notes: invoice.description.as_deref().map(|notes| text::paragraphs(notes, NOTE_LIMIT)).filter(|notes| !notes.is_empty()),
            number,
        }
    }
}

/// When the invoice was finalized, as far as the events tell, else created.
fn issued_at(invoice: &InvoiceDetail) -> OffsetDateTime {
    invoice
        .timeline
        .iter()
        .filter(|entry| entry.event_type == "invoice.finalized")
        .map(|entry| entry.at)
        .min()
        .unwrap_or(invoice.summary.created_at)
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
    let tax_id = customer.tax_id.as_ref().filter(|id| !id.trim().is_empty()).map(|id| format!("Tax ID {id}"));
    party(&customer.name, customer.address.iter().cloned().chain(tax_id).chain(customer.email.clone()))
}

fn headline(invoice: &InvoiceDetail) -> String {
    let summary = &invoice.summary;
    let remaining = summary.money(summary.amount_remaining);
    match (summary.status, summary.due_date, summary.paid_at) {
        (InvoiceStatus::Draft, ..) => format!("{} estimated", summary.money(summary.total)),
        (InvoiceStatus::Open, Some(due), _) => format!("{remaining} due {}", text::date(due)),
        (InvoiceStatus::Open, None, _) => format!("{remaining} due"),
        (InvoiceStatus::Paid, _, Some(paid)) => format!("{} paid on {}", summary.money(summary.amount_paid), text::date(paid)),
        (InvoiceStatus::Paid, _, None) => format!("{} paid", summary.money(summary.amount_paid)),
        (InvoiceStatus::Void, ..) => "Void: nothing is owed on this invoice".to_owned(),
        (InvoiceStatus::Uncollectible, ..) => format!("{remaining} unpaid"),
    }
}

fn facts(invoice: &InvoiceDetail, number: Option<&str>) -> Vec<Fact> {
    let summary = &invoice.summary;
    let issued = if summary.status == InvoiceStatus::Draft { "Created" } else { "Issue date" };
    let facts = [
        ("Invoice number", number.map(str::to_owned)),
        (issued, Some(text::date(issued_at(invoice)))),
        ("Due date", summary.due_date.map(text::date)),
        ("Paid on", summary.paid_at.map(text::date)),
        ("Period", summary.period.map(text::period)),
        ("Currency", Some(summary.currency.code().to_uppercase())),
    ];
    facts.into_iter().filter_map(|(label, value)| value.map(|value| Fact { label, value })).collect()
}

impl Line {
    fn new(line: &LineItem, invoice: &InvoiceDetail) -> Line {
        let summary = &invoice.summary;
        let unit_amount = line.unit_amount.as_deref();
        let unit_price = unit_amount.and_then(|price| text::unit_price(price, summary.currency));
        let per_thousand =
            unit_amount.is_some_and(|price| text::is_priced_per_thousand(&line.description, line.quantity, price, line.amount));
        Line {
            description: text::one_line(&line.description, LINE_LIMIT),
            remark: line.proration.then_some("Prorated"),
            period: line.period.map(text::short_period),
            quantity: line.quantity.map(quantity),
            price_unit: (unit_price.is_some() && per_thousand).then_some("per 1,000"),
            unit_price,
            amount: summary.money(line.amount).to_string(),
        }
    }
}

fn quantity(quantity: i64) -> String {
    let sign = if quantity < 0 { "-" } else { "" };
    format!("{sign}{}", crate::domain::money::group_thousands(quantity.unsigned_abs()))
}

/// The sums, each the result of those above it; rows of nothing are left out.
fn totals(invoice: &InvoiceDetail) -> Vec<Total> {
    let summary = &invoice.summary;
    let row = |label, amount: i64, weight| Total { label, amount: summary.money(amount).to_string(), weight };
    let less = |label, amount: i64| Total { label, amount: summary.money(amount.saturating_neg()).to_string(), weight: Weight::Plain };
    let net = i128::from(invoice.subtotal) - i128::from(invoice.discount);
    // Stripe's subtotal already holds tax that is included in prices ("The Invoice object": subtotal, total).
    let tax_is_included = invoice.tax != 0 && net == i128::from(summary.total);
    let mut totals = vec![row("Subtotal", invoice.subtotal, Weight::Plain)];
    if invoice.discount != 0 {
        totals.push(less("Discount", invoice.discount));
    }
    if invoice.tax != 0 && !tax_is_included {
        totals.push(row("Tax", invoice.tax, Weight::Plain));
    }
    totals.push(row("Total", summary.total, Weight::Sum));
    if tax_is_included {
        totals.push(row("Tax included in total", invoice.tax, Weight::Plain));
    }
    if invoice.credit_applied != 0 {
        totals.push(less("Credit applied", invoice.credit_applied));
    }
    if summary.amount_paid != 0 {
        totals.push(less("Amount paid", summary.amount_paid));
    }
    if summary.status != InvoiceStatus::Void {
        totals.push(row("Amount due", summary.amount_remaining, Weight::Due));
    }
    if summary.amount_refunded != 0 {
        totals.push(row("Refunded", summary.amount_refunded, Weight::Aside));
    }
    totals
}

impl Receipt {
    fn payment(payment: &Payment, invoice: &InvoiceDetail) -> Receipt {
        let text = payment.method.as_deref().map_or_else(|| "Payment".to_owned(), payment_method);
        Receipt { date: text::date(payment.at), text, amount: invoice.summary.money(payment.amount).to_string() }
    }

    /// None for a refund that did not happen.
    fn refund(refund: &Refund, invoice: &InvoiceDetail) -> Option<Receipt> {
        let state = match refund.status.as_str() {
            "succeeded" => "Refund",
            "pending" | "requires_action" => "Refund, pending",
            _ => return None,
        };
        // Stripe's other reason, `fraudulent`, is a suspicion and not for this page.
        let text = match refund.reason.as_deref() {
            Some("duplicate") => format!("{state}: duplicate payment"),
            Some("requested_by_customer") => format!("{state}: requested by customer"),
            _ => state.to_owned(),
        };
        Some(Receipt { date: text::date(refund.at), text, amount: invoice.summary.money(refund.amount).to_string() })
    }
}

/// Stripe's payment method types as people know them.
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
    if summary.status != InvoiceStatus::Open || summary.amount_remaining <= 0 {
        return None;
    }
    let due = summary.due_date.map(|due| format!(" by {}", text::date(due))).unwrap_or_default();
    Some(HowToPay { url: url.to_owned(), text: format!("Please pay {}{due}.", summary.money(summary.amount_remaining)) })
}

#[cfg(test)]
mod tests;
