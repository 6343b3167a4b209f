//! Reconciliation: compares this platform's copies of Stripe's objects with Stripe.
//!
//! Both sides are [`Record`]s, whatever their source. [`merge`] pairs two ordered streams of them
//! in bounded memory, [`compare`] finds how a pair differs. Other modules read the records and
//! confirm differences.

pub mod compare;
pub mod merge;
mod report;
#[cfg(test)]
mod tests;

pub use compare::{Figure, Record, Tolerance, Unit, compare, written};
pub use merge::{Merge, Pair, Step};
pub use report::{
    Checked, DiscrepancyPage, FoundDiscrepancy, KindCount, Reconciliation, ReconciliationDetail, ReconciliationPage, ReconciliationStatus,
    ReconciliationSummary, Repair,
};

use super::money::Currency;
use serde::{Deserialize, Serialize, Serializer};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The kinds of discrepancies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DiscrepancyKind)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    MissingLocally,
    MissingInStripe,
    Amount,
    Status,
    Currency,
    UsageQuantity,
    SubscriptionDrift,
    MissedEvent,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::MissingLocally,
        Kind::MissingInStripe,
        Kind::Amount,
        Kind::Status,
        Kind::Currency,
        Kind::UsageQuantity,
        Kind::SubscriptionDrift,
        Kind::MissedEvent,
    ];

    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::MissingLocally => "missing_locally",
            Kind::MissingInStripe => "missing_in_stripe",
            Kind::Amount => "amount",
            Kind::Status => "status",
            Kind::Currency => "currency",
            Kind::UsageQuantity => "usage_quantity",
            Kind::SubscriptionDrift => "subscription_drift",
            Kind::MissedEvent => "missed_event",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == s).ok_or_else(|| format!("`{s}` is not a kind of discrepancy"))
    }
}

/// The compared types of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DiscrepancyObject)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    Customer,
    Subscription,
    Invoice,
    Charge,
    InvoicePayment,
    Refund,
    CreditNote,
    /// A customer's metric in a period, here and in Stripe's meter.
    Meter,
    Event,
}

impl Object {
    pub const ALL: [Object; 9] = [
        Object::Customer,
        Object::Subscription,
        Object::Invoice,
        Object::Charge,
        Object::InvoicePayment,
        Object::Refund,
        Object::CreditNote,
        Object::Meter,
        Object::Event,
    ];

    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Object::Customer => "customer",
            Object::Subscription => "subscription",
            Object::Invoice => "invoice",
            Object::Charge => "charge",
            Object::InvoicePayment => "invoice_payment",
            Object::Refund => "refund",
            Object::CreditNote => "credit_note",
            Object::Meter => "meter",
            Object::Event => "event",
        }
    }

    /// Display name.
    pub const fn title(self) -> &'static str {
        match self {
            Object::Customer => "Customer",
            Object::Subscription => "Subscription",
            Object::Invoice => "Invoice",
            Object::Charge => "Charge",
            Object::InvoicePayment => "Payment",
            Object::Refund => "Refund",
            Object::CreditNote => "Credit note",
            Object::Meter => "Metered usage",
            Object::Event => "Event",
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Object {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Object::ALL.into_iter().find(|object| object.as_str() == s).ok_or_else(|| format!("`{s}` is not a compared type"))
    }
}

/// The value of one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DiscrepancyValue)]
#[serde(untagged)]
pub enum Said {
    Number(i64),
    Text(String),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Number(number) => number.fmt(f),
            Said::Text(text) => text.fmt(f),
        }
    }
}

/// A share in millionths, serialized in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = f64)]
pub struct Millionths(pub i64);

impl fmt::Display for Millionths {
    /// In percent, with at most four decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let text = format!("{sign}{}.{:04}", size / 10_000, size % 10_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Millionths {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.0 as f64 / 10_000.0)
    }
}

impl<'de> Deserialize<'de> for Millionths {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        f64::deserialize(d).map(|percent| Millionths((percent * 10_000.0).round() as i64))
    }
}

/// A field's values on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DiscrepancyField)]
pub struct Field {
    pub name: String,
    pub internal: Option<Said>,
    pub stripe: Option<Said>,
    pub differs: bool,
}

/// utoipa reads the name `Object` as any JSON object.
type ComparedObject = Object;

/// An object that differs between both sides in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Discrepancy {
    pub kind: Kind,
    #[schema(value_type = ComparedObject)]
    pub object: Object,
    /// Its Stripe id.
    pub object_id: String,
    /// Stripe's id of the customer, if known.
    pub stripe_customer_id: Option<String>,
    pub subscription_id: Option<String>,
    pub invoice_id: Option<String>,
    pub metric: Option<String>,
    /// The field of the values; of several differing fields, the one that differs most.
    pub field: Option<String>,
    pub internal_value: Option<Said>,
    pub stripe_value: Option<Said>,
    /// Internal minus Stripe's value, for numbers.
    pub difference: Option<i64>,
    /// Relative to Stripe's value; null if that is 0 or absent.
    pub percentage_diff: Option<Millionths>,
    /// The amount at stake in minor units of `currency`, never negative. Each object counts once,
    /// however many fields differ.
    pub amount: i64,
    pub currency: Option<Currency>,
    pub within_tolerance: bool,
    /// All compared objects.
    pub fields: Vec<Field>,
}

/// Minor units by currency; different currencies are never added up.
pub type Totals = BTreeMap<Currency, i64>;

/// Adds a discrepancy's amount.
pub fn add_up(totals: &mut Totals, currency: Currency, amount: i64) {
    let total = totals.entry(currency).or_default();
    *total = total.saturating_add(amount);
}

/// Currencies with more at stake than this many major units.
pub fn over(totals: &Totals, major_units: i64) -> Vec<Currency> {
    let limit = |currency: Currency| major_units.saturating_mul(10_i64.pow(currency.exponent()));
    totals.iter().filter(|(currency, total)| **total > limit(**currency)).map(|(currency, _)| *currency).collect()
}
