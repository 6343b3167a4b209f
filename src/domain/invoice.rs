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
    address::Address,
    list::Pagination,
    money::{Currency, Money},
    period::Period,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;
use uuid::Uuid;

/// Stripe's invoice statuses. Deleted drafts stay in the mirror but are never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
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

    /// As in Stripe and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            InvoiceStatus::Draft => "draft",
            InvoiceStatus::Open => "open",
            InvoiceStatus::Paid => "paid",
            InvoiceStatus::Void => "void",
            InvoiceStatus::Uncollectible => "uncollectible",
        }
    }

    /// Display name.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, utoipa::ToSchema)]
pub enum InvoiceSort {
    #[default]
    #[schema(rename = "-issued")]
    NewestFirst,
    #[schema(rename = "issued")]
    OldestFirst,
    #[schema(rename = "-total")]
    LargestFirst,
    #[schema(rename = "total")]
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

    /// Display name.
    pub const fn title(self) -> &'static str {
        match self {
            InvoiceSort::NewestFirst => "Newest first",
            InvoiceSort::OldestFirst => "Oldest first",
            InvoiceSort::LargestFirst => "Largest first",
            InvoiceSort::SmallestFirst => "Smallest first",
        }
    }
}

impl fmt::Display for InvoiceSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for InvoiceSort {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let name = match s {
            // Names from before the date of issue existed.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvoiceSummary {
    pub id: Uuid,
    pub stripe_invoice_id: String,
    /// Null for a draft.
    pub number: Option<String>,
    pub status: InvoiceStatus,
    pub currency: Currency,
    pub total: i64,
    pub amount_due: i64,
    pub amount_paid: i64,
    pub amount_remaining: i64,
    pub amount_refunded: i64,
    /// The sum of credit notes, before and after the payment.
    pub amount_credited: i64,
    /// The period of the lines; null while lines are missing.
    pub period: Option<Period>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The date of issue; null for a draft.
    #[serde(with = "time::serde::rfc3339::option")]
    pub issued_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_date: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
    /// Open, and past its due date.
    pub overdue: bool,
}

impl InvoiceSummary {
    /// The displayed date: the date of issue, or of creation for a draft.
    pub fn dated(&self) -> OffsetDateTime {
        self.issued_at.unwrap_or(self.created_at)
    }

    pub const fn money(&self, amount: i64) -> Money {
        Money::new(amount, self.currency)
    }
}

/// `GET /billing/invoices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvoicePage {
    pub invoices: Vec<InvoiceSummary>,
    pub pagination: Pagination,
    /// Sums over all of the customer's invoices, per currency.
    pub totals: Vec<InvoiceTotals>,
}

/// What is owed in one currency, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvoiceTotals {
    pub currency: Currency,
    pub open: i64,
    pub overdue: i64,
}

/// `GET /billing/invoices/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvoiceDetail {
    #[serde(flatten)]
    pub summary: InvoiceSummary,
    pub customer: InvoiceCustomer,
    pub subtotal: i64,
    /// Discounts on the whole invoice, as a positive amount.
    pub discount: i64,
    /// Discounts on items, as a positive amount that the subtotal already contains.
    #[serde(default)]
    pub item_discount: i64,
    pub tax: i64,
    /// The part of the total that the customer's credit balance paid, a positive amount.
    pub credit_applied: i64,
    /// The rows from the subtotal to the amount due and the amount remaining. Rows with the role
    /// `part` add up, from each row with the role `sum` to the next; rows with the role `note`
    /// belong to no sum.
    #[serde(default)]
    pub sums: Vec<SumRow>,
    /// Taxes on the whole invoice, as sent by Stripe; `sums` has them by rate.
    #[serde(default)]
    pub taxes: Vec<TaxAmount>,
    /// Legally required statements, e.g. about a reverse charge.
    #[serde(default)]
    pub tax_notes: Vec<String>,
    #[serde(default)]
    pub shipping: Option<ShippingCost>,
    /// Custom fields of the seller, e.g. a purchase order number.
    #[serde(default)]
    pub custom_fields: Vec<CustomField>,
    #[serde(default)]
    pub footer: Option<String>,
    pub description: Option<String>,
    pub line_items: Vec<LineItem>,
    /// False until every line has been fetched from Stripe.
    pub lines_complete: bool,
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    pub credit_notes: Vec<CreditNote>,
    pub timeline: Vec<TimelineEntry>,
    /// Stripe's payment page.
    pub hosted_invoice_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvoiceCustomer {
    pub name: String,
    pub email: Option<String>,
    /// Formatted address lines in English, country last.
    pub address: Vec<String>,
    /// The address, to be formatted in other languages.
    #[serde(skip)]
    pub postal: Address,
    /// The first of `tax_ids`.
    pub tax_id: Option<String>,
    /// As of finalization. The type is empty if it was not stored.
    #[serde(default)]
    pub tax_ids: Vec<TaxId>,
    /// Stripe's `customer_tax_exempt`: `none`, `exempt`, `reverse`.
    #[serde(default)]
    pub tax_exempt: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LineItem {
    pub description: String,
    /// A whole number; `quantity_decimal` is exact.
    pub quantity: Option<i64>,
    /// An exact decimal, e.g. `2.5`.
    #[serde(default)]
    pub quantity_decimal: Option<String>,
    /// Unit price in minor units, as an exact decimal that may have fractions.
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
    /// How the price converts the quantity into packages.
    #[serde(default)]
    pub transform_quantity: Option<TransformQuantity>,
    pub period: Option<Period>,
    pub proration: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refund {
    pub id: String,
    /// The part for this invoice, if the refunded payment paid several invoices.
    pub amount: i64,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`; the last two refund
    /// nothing.
    pub status: String,
    pub reason: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// A credit note on a finalized invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreditNote {
    pub id: String,
    pub number: Option<String>,
    pub amount: i64,
    /// `issued`, `void`.
    pub status: String,
    /// `pre_payment` reduced the amount due, `post_payment` refunds a payment; `mixed` does both.
    #[serde(rename = "type")]
    pub kind: String,
    pub reason: Option<String>,
    pub memo: Option<String>,
    /// Stripe's PDF of the credit note.
    pub pdf_url: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// An event in an invoice's timeline, from Stripe's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimelineEntry {
    /// Stripe's event type, e.g. `invoice.finalized`.
    pub event_type: String,
    /// A display sentence.
    pub title: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The amount of the event's refund or credit note, for the sentence in other languages.
    #[serde(skip)]
    pub amount: Option<Money>,
    /// The number of the event's credit note, likewise.
    #[serde(skip)]
    pub number: Option<String>,
}
