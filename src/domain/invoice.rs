//! Invoices as the console and the API show them.

mod figures;
pub mod line;
pub mod sums;
pub mod timeline;

pub use figures::{
    CreditNoteLine, CustomField, PretaxCredit, PretaxCreditKind, ShippingCost, TaxAmount, TaxBehavior, TaxId, TaxRate, TransformQuantity,
};
pub use sums::{SumKind, SumRole, SumRow};

use super::{
    money::{Currency, Money},
    period::Period,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;
use uuid::Uuid;

/// Stripe's invoice statuses. Deleted drafts are kept in the mirror but shown to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Void,
    Uncollectible,
}

impl InvoiceStatus {
    pub const ALL: [InvoiceStatus; 5] =
        [InvoiceStatus::Draft, InvoiceStatus::Open, InvoiceStatus::Paid, InvoiceStatus::Void, InvoiceStatus::Uncollectible];

    /// As Stripe and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            InvoiceStatus::Draft => "draft",
            InvoiceStatus::Open => "open",
            InvoiceStatus::Paid => "paid",
            InvoiceStatus::Void => "void",
            InvoiceStatus::Uncollectible => "uncollectible",
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            InvoiceStatus::Draft => "Draft",
            InvoiceStatus::Open => "Open",
            InvoiceStatus::Paid => "Paid",
            InvoiceStatus::Void => "Void",
            InvoiceStatus::Uncollectible => "Uncollectible",
        }
    }
}

impl fmt::Display for InvoiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for InvoiceStatus {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        InvoiceStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == s)
            .ok_or_else(|| format!("`{s}` is not an invoice status; it is one of draft, open, paid, void, uncollectible"))
    }
}

/// How a list of invoices is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum InvoiceSort {
    #[default]
    #[cfg_attr(feature = "ssr", schema(rename = "-issued"))]
    NewestFirst,
    #[cfg_attr(feature = "ssr", schema(rename = "issued"))]
    OldestFirst,
    #[cfg_attr(feature = "ssr", schema(rename = "-total"))]
    LargestFirst,
    #[cfg_attr(feature = "ssr", schema(rename = "total"))]
    SmallestFirst,
}

impl InvoiceSort {
    pub const ALL: [InvoiceSort; 4] =
        [InvoiceSort::NewestFirst, InvoiceSort::OldestFirst, InvoiceSort::LargestFirst, InvoiceSort::SmallestFirst];

    /// As in the query string: a column, with `-` for descending.
    pub const fn as_str(self) -> &'static str {
        match self {
            InvoiceSort::NewestFirst => "-issued",
            InvoiceSort::OldestFirst => "issued",
            InvoiceSort::LargestFirst => "-total",
            InvoiceSort::SmallestFirst => "total",
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            InvoiceSort::NewestFirst => "Newest first",
            InvoiceSort::OldestFirst => "Oldest first",
            InvoiceSort::LargestFirst => "Largest first",
            InvoiceSort::SmallestFirst => "Smallest first",
        }
    }
}

impl FromStr for InvoiceSort {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let name = match s {
            // The names until the date of issue was known.
            "-created" => "-issued",
            "created" => "issued",
            other => other,
        };
        InvoiceSort::ALL
            .into_iter()
            .find(|sort| sort.as_str() == name)
            .ok_or_else(|| format!("`{s}` is not an order; it is one of -issued, issued, -total, total"))
    }
}

/// One row of the list. Amounts are minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InvoiceSummary {
    pub id: Uuid,
    pub stripe_invoice_id: String,
    /// None while a draft.
    pub number: Option<String>,
    pub status: InvoiceStatus,
    pub currency: Currency,
    pub total: i64,
    pub amount_due: i64,
    pub amount_paid: i64,
    pub amount_remaining: i64,
    pub amount_refunded: i64,
    /// What credit notes took back, before and after the payment.
    pub amount_credited: i64,
    /// What the lines cover; null while not all of them are known.
    pub period: Option<Period>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The date of issue; null on a draft.
    #[serde(with = "time::serde::rfc3339::option")]
    pub issued_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_date: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
    /// Open, and its due date has passed.
    pub overdue: bool,
}

impl InvoiceSummary {
    /// The date that stands on it: of issue, or of creation while it is a draft.
    pub fn dated(&self) -> OffsetDateTime {
        self.issued_at.unwrap_or(self.created_at)
    }

    pub const fn money(&self, amount: i64) -> Money {
        Money::new(amount, self.currency)
    }
}

/// `GET /billing/invoices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InvoicePage {
    pub invoices: Vec<InvoiceSummary>,
    pub pagination: Pagination,
    /// Sums over all of the customer's invoices, per currency.
    pub totals: Vec<InvoiceTotals>,
}

/// Page `page` (from 1) of `total_pages`, `limit` rows each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Pagination {
    pub page: u32,
    pub limit: u32,
    pub total: u64,
    pub total_pages: u64,
}

/// What is owed in one currency, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InvoiceTotals {
    pub currency: Currency,
    pub open: i64,
    pub overdue: i64,
}

/// `GET /billing/invoices/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InvoiceDetail {
    #[serde(flatten)]
    pub summary: InvoiceSummary,
    pub customer: InvoiceCustomer,
    pub subtotal: i64,
    /// Discounts on the whole invoice, a positive amount that is taken off.
    pub discount: i64,
    /// Discounts on items, a positive amount that the subtotal contains already.
    #[serde(default)]
    pub item_discount: i64,
    pub tax: i64,
    /// The part of the total that the customer's credit balance paid, a positive amount.
    pub credit_applied: i64,
    /// The rows from the subtotal to the amount due and what remains of it. Those of the role `part` add up, from each row of the role `sum`
    /// to the next; those of the role `note` belong to no sum.
    #[serde(default)]
    pub sums: Vec<SumRow>,
    /// Taxes over the whole invoice, as Stripe sent them; `sums` has them by rate.
    #[serde(default)]
    pub taxes: Vec<TaxAmount>,
    /// What the law demands to be said, e.g. about a reverse charge.
    #[serde(default)]
    pub tax_notes: Vec<String>,
    #[serde(default)]
    pub shipping: Option<ShippingCost>,
    /// Fields of the seller's own, e.g. a purchase order number.
    #[serde(default)]
    pub custom_fields: Vec<CustomField>,
    #[serde(default)]
    pub footer: Option<String>,
    pub description: Option<String>,
    pub line_items: Vec<LineItem>,
    /// False until every line has been read from Stripe.
    pub lines_complete: bool,
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    pub credit_notes: Vec<CreditNote>,
    pub timeline: Vec<TimelineEntry>,
    /// Where Stripe takes the payment.
    pub hosted_invoice_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InvoiceCustomer {
    pub name: String,
    pub email: Option<String>,
    /// Address lines as they are printed, country last.
    pub address: Vec<String>,
    /// The first of `tax_ids`.
    pub tax_id: Option<String>,
    /// As they were when the invoice was finalized. The type is empty where it was not stored.
    #[serde(default)]
    pub tax_ids: Vec<TaxId>,
    /// Stripe's `customer_tax_exempt`: `none`, `exempt`, `reverse`.
    #[serde(default)]
    pub tax_exempt: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LineItem {
    pub description: String,
    /// A whole number; `quantity_decimal` is exact.
    pub quantity: Option<i64>,
    /// An exact decimal, e.g. `2.5`.
    #[serde(default)]
    pub quantity_decimal: Option<String>,
    /// Price of one unit in minor units, as an exact decimal that may be finer than the minor unit.
    pub unit_amount: Option<String>,
    /// Before discounts and taxes.
    pub amount: i64,
    pub discount: i64,
    /// On top of the amount.
    pub tax: i64,
    #[serde(default)]
    pub taxes: Vec<TaxAmount>,
    #[serde(default)]
    pub pretax_credits: Vec<PretaxCredit>,
    /// How the price turns the quantity into packages.
    #[serde(default)]
    pub transform_quantity: Option<TransformQuantity>,
    pub period: Option<Period>,
    pub proration: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Payment {
    pub id: String,
    pub amount: i64,
    /// `card`, `sepa_debit`, …, or `out_of_band`.
    pub method: Option<String>,
    /// `paid`, `open`, `canceled`.
    pub status: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Refund {
    pub id: String,
    /// This invoice's part, where the payment that is refunded paid several invoices.
    pub amount: i64,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`: of the last two nothing was refunded.
    pub status: String,
    pub reason: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// What a credit note took back from an invoice after it was finalized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CreditNote {
    pub id: String,
    pub number: Option<String>,
    pub amount: i64,
    /// `issued`, `void`.
    pub status: String,
    /// `pre_payment` lowered what was due, `post_payment` gives back what was paid; `mixed` does both.
    #[serde(rename = "type")]
    pub kind: String,
    pub reason: Option<String>,
    pub memo: Option<String>,
    /// Stripe's PDF of it.
    pub pdf_url: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Something that happened to an invoice, from the events that Stripe sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TimelineEntry {
    /// Stripe's event type, e.g. `invoice.finalized`.
    pub event_type: String,
    /// A sentence for people.
    pub title: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}
