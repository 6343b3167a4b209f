//! Stripe's objects as records for reconciliation, parsed as the mirror parses them, so that equal
//! values compare equal.

pub mod thin;

use super::{
    client::StripeError,
    decimal,
    webhook::read::{Reading, read_object},
};
use crate::domain::{
    invoice::TaxBehavior,
    mirror::{
        Kind,
        snapshot::{CreditNoteSnapshot, InvoiceAmounts, InvoiceSnapshot, ItemSnapshot, Snapshot, SubscriptionSnapshot},
    },
    reconcile::{Figure, Object, Record, Unit, written},
    subscription::{Item, metered_item},
};
use serde_json::Value;
use time::OffsetDateTime;

/// Stripe's object type for a compared type, if any.
pub const fn kind_of(object: Object) -> Option<Kind> {
    Some(match object {
        Object::Customer => Kind::Customer,
        Object::Subscription => Kind::Subscription,
        Object::Invoice => Kind::Invoice,
        Object::Charge => Kind::Charge,
        Object::InvoicePayment => Kind::InvoicePayment,
        Object::Refund => Kind::Refund,
        Object::CreditNote => Kind::CreditNote,
        Object::Meter | Object::Event => return None,
    })
}

/// Parses a Stripe object. One that the mirror can't parse is still a record; its status contains
/// the error.
///
/// # Errors
/// An object without an id or a creation time.
pub fn read(kind: Kind, object: &Value, at: OffsetDateTime) -> Result<Record, StripeError> {
    let text = |name: &str| object[name].as_str().map(str::to_owned);
    let (Some(id), Some(created)) = (text("id"), object["created"].as_i64()) else {
        return Err(StripeError::Unreadable(format!("{} without an id or a time", kind.object())));
    };
    let record = match read_object(kind, object, at) {
        Ok(Reading::Changes { subject, .. }) => of_snapshot(subject.snapshot),
        Ok(Reading::Ignored(reason)) => unreadable(text("customer"), reason),
        Err(error) => unreadable(text("customer"), &error.to_string()),
    };
    let mut record = Record { id, created, ..record };
    if let Some(period) = metered_period(object).filter(|_| kind == Kind::Subscription) {
        record.facts.iter_mut().filter(|(name, _)| *name == "metered_period").for_each(|(_, fact)| fact.clone_from(&period));
    }
    Ok(record)
}

/// The period of metered items, directly from Stripe's items instead of the mirror's reader, so
/// that an error of the reader is noticed. None without a metered item with its own period.
fn metered_period(subscription: &Value) -> Option<String> {
    let metered = |item: &&Value| item["price"]["recurring"]["usage_type"] == "metered";
    let period = |item: &Value| Some((item["current_period_start"].as_i64()?, item["current_period_end"].as_i64()?));
    let items = subscription["items"]["data"].as_array()?;
    let (start, end) = items.iter().filter(metered).filter_map(period).min_by_key(|(start, end)| (end - start, *end))?;
    let at = |seconds| written(OffsetDateTime::from_unix_timestamp(seconds).ok());
    Some(format!("{} – {}", at(start), at(end)))
}

fn unreadable(customer: Option<String>, reason: &str) -> Record {
    Record { customer, status: Some(format!("unreadable: {reason}")), ..Record::default() }
}

fn of_snapshot(snapshot: Snapshot) -> Record {
    match snapshot {
        Snapshot::Invoice(invoice) => of_invoice(*invoice),
        Snapshot::Subscription(subscription) => of_subscription(*subscription),
        Snapshot::Charge(charge) => Record {
            customer: charge.customer,
            invoice: charge.invoice,
            payment_intent: charge.payment_intent,
            currency: Some(charge.currency),
            status: Some(charge.status),
            figures: vec![Figure::money("amount", charge.amount), Figure::money("amount_refunded", charge.amount_refunded)],
            ..Record::default()
        },
        Snapshot::Refund(refund) => Record {
            customer: refund.customer,
            charge: refund.charge,
            payment_intent: refund.payment_intent,
            currency: Some(refund.currency),
            status: Some(refund.status),
            figures: vec![Figure::money("amount", refund.amount)],
            ..Record::default()
        },
        // The mirror doesn't store a payment's currency: it is the invoice's.
        Snapshot::Payment(payment) => Record {
            customer: payment.customer,
            invoice: Some(payment.invoice),
            status: Some(payment.status),
            figures: vec![Figure::money("amount", payment.amount)],
            ..Record::default()
        },
        Snapshot::Customer(customer) => Record {
            customer: Some(customer.id),
            currency: customer.currency,
            figures: vec![Figure::money("balance", customer.balance)],
            ..Record::default()
        },
        Snapshot::CreditNote(credit_note) => of_credit_note(*credit_note),
        Snapshot::Alert(_) => Record::default(),
    }
}

fn of_invoice(invoice: InvoiceSnapshot) -> Record {
    let total = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0, i64::saturating_add);
    let parts = Parts {
        tax_inclusive: Some(total(&mut invoice.taxes.iter().filter(|tax| tax.behavior == TaxBehavior::Inclusive).map(|tax| tax.amount))),
        pretax_credits: Some(total(&mut invoice.pretax_credits.iter().map(|credit| credit.amount))),
        shipping: Some(invoice.shipping.as_ref().map_or(0, |shipping| shipping.total)),
    };
    let lines = LineTotals {
        count: i64::try_from(invoice.lines.len()).unwrap_or(i64::MAX),
        sum: total(&mut invoice.lines.iter().map(|line| line.amount)),
        quantity: decimal::sum(invoice.lines.iter().filter_map(|line| line.quantity_decimal.as_deref())),
    };
    let lines = Some(lines).filter(|_| invoice.lines_complete);
    Record {
        customer: Some(invoice.customer),
        invoice: Some(invoice.id),
        subscription: invoice.subscription,
        currency: Some(invoice.currency),
        status: Some(invoice.status.to_string()),
        facts: invoice_facts(lines.as_ref()),
        figures: invoice_figures(&invoice.amounts, &parts, lines.as_ref()),
        ..Record::default()
    }
}

/// Sums of an invoice's lines.
#[derive(Clone, Debug)]
pub struct LineTotals {
    pub count: i64,
    /// Minor units of the invoice's currency.
    pub sum: i64,
    /// An exact decimal without trailing zeros; None if it has too many digits.
    pub quantity: Option<String>,
}

/// Components of an invoice's sums; None if unknown on this side, as in rows of an older reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    pub tax_inclusive: Option<i64>,
    pub pretax_credits: Option<i64>,
    /// Including its taxes.
    pub shipping: Option<i64>,
}

/// The compared facts of an invoice, on both sides. `lines`: None if lines are missing.
pub fn invoice_figures(amounts: &InvoiceAmounts, parts: &Parts, lines: Option<&LineTotals>) -> Vec<Figure> {
    vec![
        Figure::money("total", amounts.total),
        Figure::money("subtotal", amounts.subtotal),
        Figure::money("discount", amounts.discount),
        Figure::money("tax", amounts.tax),
        Figure::unsure("tax_inclusive", parts.tax_inclusive, Unit::Money),
        Figure::unsure("pretax_credits", parts.pretax_credits, Unit::Money),
        Figure::unsure("shipping", parts.shipping, Unit::Money),
        Figure::money("amount_due", amounts.due),
        Figure::money("amount_paid", amounts.paid),
        Figure::money("amount_remaining", amounts.remaining),
        Figure::money("amount_overpaid", amounts.overpaid),
        Figure::money("starting_balance", amounts.starting_balance),
        Figure::money("ending_balance", amounts.ending_balance.unwrap_or(0)),
        Figure::money("credit_notes_pre_payment", amounts.credit_notes_pre_payment),
        Figure::money("credit_notes_post_payment", amounts.credit_notes_post_payment),
        Figure::unsure("line_sum", lines.map(|lines| lines.sum), Unit::Money),
        Figure::unsure("line_count", lines.map(|lines| lines.count), Unit::Count),
    ]
}

/// The same for non-integers.
pub fn invoice_facts(lines: Option<&LineTotals>) -> Vec<(&'static str, String)> {
    lines.and_then(|lines| lines.quantity.clone()).map(|quantity| ("line_quantity", quantity)).into_iter().collect()
}

fn of_subscription(subscription: SubscriptionSnapshot) -> Record {
    let parts: Vec<Item> = subscription.items.iter().map(ItemSnapshot::item).collect();
    let period = metered_item(&parts).and_then(|item| item.period).or(subscription.current_period.period());
    let metered = format!("{} – {}", written(period.map(|period| period.start())), written(period.map(|period| period.end())));
    Record {
        customer: Some(subscription.customer),
        subscription: Some(subscription.id),
        currency: Some(subscription.currency),
        status: Some(subscription.status),
        facts: vec![
            ("items", items(subscription.items)),
            ("current_period_start", written(subscription.current_period.start)),
            ("current_period_end", written(subscription.current_period.end)),
            ("metered_period", metered),
            ("cancel_at_period_end", subscription.cancel_at_period_end.to_string()),
            ("cancel_at", written(subscription.cancel_at)),
            ("canceled_at", written(subscription.canceled_at)),
            ("ended_at", written(subscription.ended_at)),
        ],
        ..Record::default()
    }
}

/// In the format of the mirror's query.
fn items(mut items: Vec<ItemSnapshot>) -> String {
    items.sort_by(|one, other| one.id.cmp(&other.id));
    let item = |item: &ItemSnapshot| {
        let quantity = item.quantity.map_or_else(|| "–".to_owned(), |quantity| quantity.to_string());
        format!("{}: {} × {quantity}", item.id, item.price.as_deref().unwrap_or("–"))
    };
    if items.is_empty() { "–".to_owned() } else { items.iter().map(item).collect::<Vec<_>>().join(", ") }
}

fn of_credit_note(credit_note: CreditNoteSnapshot) -> Record {
    Record {
        customer: Some(credit_note.customer),
        invoice: Some(credit_note.invoice),
        currency: Some(credit_note.currency),
        status: Some(credit_note.status),
        figures: vec![
            Figure::money("amount", credit_note.amount),
            Figure::money("subtotal", credit_note.subtotal),
            Figure::money("tax", credit_note.tax),
            Figure::unsure("discount", Some(credit_note.discount), Unit::Money),
            Figure::unsure("pre_payment_amount", credit_note.pre_payment_amount, Unit::Money),
            Figure::unsure("post_payment_amount", credit_note.post_payment_amount, Unit::Money),
        ],
        ..Record::default()
    }
}
