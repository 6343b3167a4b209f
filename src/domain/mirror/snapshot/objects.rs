//! The mirrored fields of Stripe's objects: one shape for all API versions. Amounts are minor units
//! of the currency.
//!
//! Serialized, a snapshot has the names of the mirror's columns: `store::postgres::mirror` passes
//! it to PostgreSQL unchanged.

use crate::domain::{
    invoice::{CreditNoteLine, CustomField, InvoiceStatus, PretaxCredit, ShippingCost, TaxAmount, TaxId, TransformQuantity},
    money::Currency,
    period::Period,
    plan::PlanType,
    subscription::{Interval, Item},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use time::OffsetDateTime;

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
    /// The value of the first tax id.
    pub customer_tax_id: Option<String>,
    pub customer_tax_ids: Vec<TaxId>,
    /// `none`, `exempt` or `reverse`.
    pub customer_tax_exempt: Option<String>,
    pub custom_fields: Vec<CustomField>,
    pub footer: Option<String>,
    /// `charge_automatically` or `send_invoice`.
    pub collection_method: Option<String>,
    /// On the whole invoice, one per rate, behaviour and reason.
    pub taxes: Vec<TaxAmount>,
    pub pretax_credits: Vec<PretaxCredit>,
    pub shipping: Option<ShippingCost>,
    pub period: Span,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_date: Option<OffsetDateTime>,
    /// The date of issue that Stripe prints; absent on drafts.
    #[serde(with = "time::serde::rfc3339::option")]
    pub effective_at: Option<OffsetDateTime>,
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
    /// False while further pages of lines have not been fetched.
    pub lines_complete: bool,
    #[serde(skip)]
    pub named: Named,
}

/// Tax rates and prices that an object references, with or without their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub rates: Vec<TaxRateSnapshot>,
    /// The ids that must be known to display the object.
    pub ids: BTreeSet<(Lookup, String)>,
}

/// Object types that events reference by id and that are fetched once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    TaxRate,
    Price,
}

impl Lookup {
    /// Stripe's object type.
    pub const fn object(self) -> &'static str {
        match self {
            Lookup::TaxRate => "tax_rate",
            Lookup::Price => "price",
        }
    }

    pub fn of_object(name: &str) -> Option<Lookup> {
        [Lookup::TaxRate, Lookup::Price].into_iter().find(|lookup| lookup.object() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaxRateSnapshot {
    #[serde(rename = "stripe_tax_rate_id")]
    pub id: String,
    pub display_name: String,
    /// An exact decimal.
    pub percentage: Option<String>,
    pub inclusive: bool,
    pub tax_type: Option<String>,
    pub country: Option<String>,
    pub state: Option<String>,
    pub jurisdiction: Option<String>,
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

/// Start and end; None if both are the same instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    #[serde(with = "time::serde::rfc3339::option")]
    pub start: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub end: Option<OffsetDateTime>,
}

impl Span {
    /// None unless it begins before it ends.
    pub fn period(&self) -> Option<Period> {
        self.start.zip(self.end).and_then(|(start, end)| Period::new(start, end))
    }
}

impl From<Period> for Span {
    fn from(period: Period) -> Span {
        Span { start: Some(period.start()), end: Some(period.end()) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineSnapshot {
    #[serde(rename = "stripe_line_id")]
    pub id: String,
    pub description: String,
    /// Truncated to a whole number.
    pub quantity: Option<i64>,
    /// An exact decimal.
    pub quantity_decimal: Option<String>,
    /// An exact decimal, which may have fractions of the minor unit for a package price.
    pub unit_amount: Option<String>,
    /// How the price converts the quantity into packages, if the event contains the price.
    pub transform_quantity: Option<TransformQuantity>,
    /// Before discounts and taxes.
    pub amount: i64,
    pub discount: i64,
    pub taxes: Vec<TaxAmount>,
    pub pretax_credits: Vec<PretaxCredit>,
    /// Taxes on top of the amount; included taxes don't count.
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
    /// The unknown plan in its metadata.
    pub plan_name: Option<String>,
    pub currency: Currency,
    /// The smallest of its items' periods.
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
    #[serde(with = "time::serde::rfc3339::option")]
    pub start_date: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub billing_cycle_anchor: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub trial_end: Option<OffsetDateTime>,
    /// `classic` or `flexible`.
    pub billing_mode: Option<String>,
    pub pause_behavior: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub pause_resumes_at: Option<OffsetDateTime>,
    pub items: Vec<ItemSnapshot>,
    /// False while further pages of items have not been fetched.
    pub items_complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemSnapshot {
    #[serde(rename = "stripe_item_id")]
    pub id: String,
    #[serde(rename = "price_id")]
    pub price: Option<String>,
    pub lookup_key: Option<String>,
    pub quantity: Option<i64>,
    /// The plan that the price names.
    #[serde(rename = "plan_type")]
    pub plan: Option<PlanType>,
    /// `metered` or `licensed`.
    pub usage_type: Option<String>,
    pub price_interval: Option<&'static str>,
    pub price_interval_count: Option<i32>,
    pub period: Span,
}

impl ItemSnapshot {
    /// As input of the rule in `domain::subscription`.
    pub fn item(&self) -> Item {
        Item {
            id: self.id.clone(),
            plan: self.plan,
            lookup_key: self.lookup_key.clone(),
            metered: self.usage_type.as_deref().map(|usage_type| usage_type == "metered"),
            interval: self.interval(),
            period: self.period.period(),
        }
    }

    pub fn interval(&self) -> Option<Interval> {
        Interval::new(self.price_interval?.parse().ok()?, u16::try_from(self.price_interval_count?).ok()?)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChargeSnapshot {
    #[serde(rename = "stripe_charge_id")]
    pub id: String,
    /// None: a guest's charge without a customer.
    #[serde(skip)]
    pub customer: Option<String>,
    /// Only in older API versions; otherwise it follows from the intent's payment.
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
    /// Known if the payment was derived from its invoice.
    #[serde(skip)]
    pub customer: Option<String>,
    /// Derived from an invoice of an older API version, not Stripe's own InvoicePayment.
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
    /// None if Stripe didn't include them, which is usual.
    pub tax_ids: Option<Value>,
    pub preferred_locale: Option<String>,
    /// Negative is credit.
    pub balance: i64,
    /// `metadata.apex_customer`: this platform's customer id.
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
    pub discount: i64,
    pub tax: i64,
    pub taxes: Vec<TaxAmount>,
    /// What it subtracts from the amount due; None: unknown.
    pub pre_payment_amount: Option<i64>,
    /// What it refunds of a payment; None: unknown.
    pub post_payment_amount: Option<i64>,
    pub lines: Vec<CreditNoteLine>,
    /// False while further pages of lines have not been fetched.
    pub lines_complete: bool,
    #[serde(skip)]
    pub named: Named,
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
    /// Alert id and customer id: Stripe has no id for the pair.
    pub id: String,
    #[serde(skip)]
    pub customer: String,
    #[serde(rename = "stripe_alert_id")]
    pub alert: String,
    pub title: Option<String>,
    pub meter_event_name: Option<String>,
    /// In the meter's unit, like the value.
    pub threshold: Option<i64>,
    pub value: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub triggered_at: OffsetDateTime,
}
