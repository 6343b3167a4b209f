//! What the mirror takes from Stripe's objects: one shape for all API versions. Amounts are minor units of the currency.
//!
//! Serialized, a snapshot has the names of the mirror's columns: `store::postgres::mirror` hands it to PostgreSQL as it is.

use crate::{
    domain::{invoice::InvoiceStatus, mirror::Stamp, money::Currency, plan::PlanType},
    stripe::fetched::Kind,
};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

/// One object as one event showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub stamp: Stamp,
    pub snapshot: Snapshot,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Snapshot {
    Invoice(Box<InvoiceSnapshot>),
    Subscription(Box<SubscriptionSnapshot>),
    Charge(ChargeSnapshot),
    Refund(RefundSnapshot),
    Payment(InvoicePaymentSnapshot),
    Customer(Box<CustomerSnapshot>),
    CreditNote(Box<CreditNoteSnapshot>),
    Alert(AlertSnapshot),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvoiceSnapshot {
    #[serde(rename = "stripe_invoice_id")]
    pub id: String,
    /// Stripe's id of the customer.
    #[serde(skip)]
    pub customer: String,
    #[serde(rename = "stripe_subscription_id")]
    pub subscription: Option<String>,
    pub number: Option<String>,
    pub status: InvoiceStatus,
    pub currency: Currency,
    #[serde(flatten)]
    pub amounts: InvoiceAmounts,
    pub paid_out_of_band: bool,
    pub billing_reason: Option<String>,
    pub description: Option<String>,
    pub customer_name: Option<String>,
    pub customer_email: Option<String>,
    pub customer_address: Option<Value>,
    pub customer_tax_id: Option<String>,
    pub period: Span,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_date: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub finalized_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub voided_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub marked_uncollectible_at: Option<OffsetDateTime>,
    pub hosted_invoice_url: Option<String>,
    pub lines: Vec<LineSnapshot>,
    /// False when Stripe holds back further pages of lines.
    pub lines_complete: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InvoiceAmounts {
    pub subtotal: i64,
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
    #[serde(rename = "amount_due")]
    pub due: i64,
    #[serde(rename = "amount_paid")]
    pub paid: i64,
    #[serde(rename = "amount_remaining")]
    pub remaining: i64,
    #[serde(rename = "amount_overpaid")]
    pub overpaid: i64,
    pub starting_balance: i64,
    pub ending_balance: Option<i64>,
    pub credit_notes_pre_payment: i64,
    pub credit_notes_post_payment: i64,
}

/// From and to; nothing at all when the two are the same instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    #[serde(with = "time::serde::rfc3339::option")]
    pub start: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub end: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineSnapshot {
    #[serde(rename = "stripe_line_id")]
    pub id: String,
    pub description: String,
    pub quantity: Option<i64>,
    /// An exact decimal, finer than the minor unit where a package's price is.
    pub unit_amount: Option<String>,
    /// Before discounts and taxes.
    pub amount: i64,
    pub discount: i64,
    /// What is added for taxes; those that the amount includes are not.
    pub tax: i64,
    pub proration: bool,
    #[serde(rename = "price_id")]
    pub price: Option<String>,
    pub period: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriptionSnapshot {
    #[serde(rename = "stripe_subscription_id")]
    pub id: String,
    #[serde(skip)]
    pub customer: String,
    pub status: String,
    #[serde(rename = "plan_type")]
    pub plan: Option<PlanType>,
    pub currency: Currency,
    pub current_period: Span,
    pub cancel_at_period_end: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    pub cancel_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub canceled_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub items: Vec<ItemSnapshot>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemSnapshot {
    #[serde(rename = "stripe_item_id")]
    pub id: String,
    #[serde(rename = "price_id")]
    pub price: Option<String>,
    pub lookup_key: Option<String>,
    pub quantity: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChargeSnapshot {
    #[serde(rename = "stripe_charge_id")]
    pub id: String,
    /// None: a guest's charge, which is nobody's.
    #[serde(skip)]
    pub customer: Option<String>,
    /// Only older API versions tell; else the payment of its intent does.
    #[serde(rename = "stripe_invoice_id")]
    pub invoice: Option<String>,
    pub payment_intent: Option<String>,
    pub currency: Currency,
    pub amount: i64,
    pub amount_refunded: i64,
    pub status: String,
    pub method: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundSnapshot {
    #[serde(rename = "stripe_refund_id")]
    pub id: String,
    #[serde(skip)]
    pub customer: Option<String>,
    #[serde(rename = "stripe_charge_id")]
    pub charge: Option<String>,
    pub payment_intent: Option<String>,
    pub currency: Currency,
    pub amount: i64,
    pub status: String,
    pub reason: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoicePaymentSnapshot {
    #[serde(rename = "stripe_payment_id")]
    pub id: String,
    #[serde(rename = "stripe_invoice_id")]
    pub invoice: String,
    /// Known when the payment was read off its invoice.
    #[serde(skip)]
    pub customer: Option<String>,
    /// Made from what an older API version says on the invoice, not Stripe's own InvoicePayment.
    pub from_invoice: bool,
    pub payment_intent: Option<String>,
    pub charge: Option<String>,
    pub amount: i64,
    /// `open`, `paid`, `canceled`.
    pub status: String,
    pub method: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomerSnapshot {
    #[serde(rename = "stripe_customer_id")]
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub currency: Option<Currency>,
    pub address: Option<Value>,
    /// None when Stripe didn't send them along, which is usual.
    pub tax_ids: Option<Value>,
    pub preferred_locale: Option<String>,
    /// Negative is credit.
    pub balance: i64,
    /// `metadata.apex_customer`: as whom this platform shall know the customer.
    #[serde(skip)]
    pub claim: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreditNoteSnapshot {
    #[serde(rename = "stripe_credit_note_id")]
    pub id: String,
    #[serde(skip)]
    pub customer: String,
    #[serde(rename = "stripe_invoice_id")]
    pub invoice: String,
    pub number: Option<String>,
    /// `issued` or `void`.
    pub status: String,
    /// `pre_payment`, `post_payment` or `mixed`.
    #[serde(rename = "type")]
    pub kind: String,
    pub currency: Currency,
    pub amount: i64,
    pub subtotal: i64,
    pub tax: i64,
    pub reason: Option<String>,
    pub memo: Option<String>,
    pub pdf_url: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub effective_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub voided_at: Option<OffsetDateTime>,
}

/// Stripe's own usage alert, triggered for a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertSnapshot {
    /// Alert and customer: the two together have no id of Stripe's.
    pub id: String,
    #[serde(skip)]
    pub customer: String,
    #[serde(rename = "stripe_alert_id")]
    pub alert: String,
    pub title: Option<String>,
    pub meter_event_name: Option<String>,
    /// In the meter's unit, as is the value.
    pub threshold: Option<i64>,
    pub value: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub triggered_at: OffsetDateTime,
}

impl Snapshot {
    /// Stripe's id of the object.
    pub fn id(&self) -> &str {
        match self {
            Snapshot::Invoice(invoice) => &invoice.id,
            Snapshot::Subscription(subscription) => &subscription.id,
            Snapshot::Charge(charge) => &charge.id,
            Snapshot::Refund(refund) => &refund.id,
            Snapshot::Payment(payment) => &payment.id,
            Snapshot::Customer(customer) => &customer.id,
            Snapshot::CreditNote(credit_note) => &credit_note.id,
            Snapshot::Alert(alert) => &alert.id,
        }
    }

    /// Stripe's id of the customer, when the object tells.
    pub fn customer(&self) -> Option<&str> {
        match self {
            Snapshot::Invoice(invoice) => Some(&invoice.customer),
            Snapshot::Subscription(subscription) => Some(&subscription.customer),
            Snapshot::Charge(charge) => charge.customer.as_deref(),
            Snapshot::Refund(refund) => refund.customer.as_deref(),
            Snapshot::Payment(payment) => payment.customer.as_deref(),
            Snapshot::Customer(customer) => Some(&customer.id),
            Snapshot::CreditNote(credit_note) => Some(&credit_note.customer),
            Snapshot::Alert(alert) => Some(&alert.customer),
        }
    }

    /// Shows the same state as the other one, and what that one leaves out.
    pub fn completes(&self, other: &Snapshot) -> bool {
        let (Snapshot::Invoice(invoice), Snapshot::Invoice(other)) = (self, other) else { return false };
        let without_lines = |invoice: &InvoiceSnapshot| InvoiceSnapshot { lines: Vec::new(), lines_complete: true, ..invoice.clone() };
        invoice.lines_complete && !other.lines_complete && without_lines(invoice) == without_lines(other)
    }

    /// Stripe's id of the object that this one may have come along in.
    pub fn parent(&self) -> Option<&str> {
        match self {
            Snapshot::Payment(payment) => Some(&payment.invoice),
            Snapshot::Refund(refund) => refund.charge.as_deref(),
            Snapshot::Invoice(_)
            | Snapshot::Subscription(_)
            | Snapshot::Charge(_)
            | Snapshot::Customer(_)
            | Snapshot::CreditNote(_)
            | Snapshot::Alert(_) => None,
        }
    }

    /// What Stripe is asked for to see it again: the kind and the id. None for what has no address there.
    pub fn address(&self) -> Option<(Kind, &str)> {
        Some(match self {
            Snapshot::Invoice(invoice) => (Kind::Invoice, &invoice.id),
            Snapshot::Subscription(subscription) => (Kind::Subscription, &subscription.id),
            Snapshot::Charge(charge) => (Kind::Charge, &charge.id),
            Snapshot::Refund(refund) => (Kind::Refund, &refund.id),
            Snapshot::Payment(payment) if payment.from_invoice => (Kind::Invoice, &payment.invoice),
            Snapshot::Payment(payment) => (Kind::InvoicePayment, &payment.id),
            Snapshot::Customer(customer) => (Kind::Customer, &customer.id),
            Snapshot::CreditNote(credit_note) => (Kind::CreditNote, &credit_note.id),
            Snapshot::Alert(_) => return None,
        })
    }
}
