//! Components of an invoice's sums. The mirror stores these values as Stripe sent them; amounts are
//! minor units of the invoice's currency.
//!
//! Serialized, they are both the mirror's `jsonb` columns and the API's fields. Source: Stripe API
//! reference, "The Invoice object", "The Invoice Line Item object", "The Tax Rate object", version
//! `2026-10-28.endive`.

use serde::{Deserialize, Serialize};

/// Whether a tax is part of the price or added to it (Stripe: `tax_behavior`; before basil:
/// `inclusive`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxBehavior {
    #[default]
    Exclusive,
    Inclusive,
}

/// One tax on an invoice, a line, the shipping cost or a credit note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TaxAmount {
    pub amount: i64,
    /// The taxable amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxable_amount: Option<i64>,
    pub behavior: TaxBehavior,
    /// Stripe's `taxability_reason`, e.g. `standard_rated`, `reverse_charge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Stripe's id of the rate (`txr_…`); absent for taxes that Stripe computed without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_id: Option<String>,
    /// The rate itself, once fetched; the mirror never stores it with the tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<TaxRate>,
}

/// Stripe's tax rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TaxRate {
    pub id: String,
    /// Display name on the invoice, e.g. `VAT`.
    pub display_name: String,
    /// An exact decimal, e.g. `19` or `8.875`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<String>,
    /// Stripe's `tax_type`, e.g. `vat`, `sales_tax`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_type: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
}

/// Type of a credit that reduces the taxable amount (Stripe: `pretax_credit_amounts[].type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PretaxCreditKind {
    /// A billing credit.
    CreditBalanceTransaction,
    /// A discount, which the discount amounts also contain.
    Discount,
    /// A type unknown to this version.
    #[serde(other)]
    Other,
}

/// A credit applied before tax; a positive amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PretaxCredit {
    pub amount: i64,
    #[serde(rename = "type")]
    pub kind: PretaxCreditKind,
}

/// Stripe's `shipping_cost`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShippingCost {
    /// Before taxes.
    pub subtotal: i64,
    pub tax: i64,
    pub total: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxAmount>,
}

/// A tax id of the customer as of finalization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TaxId {
    /// Stripe's type, e.g. `eu_vat`.
    #[serde(rename = "type")]
    pub kind: String,
    pub value: String,
}

/// A custom field in the invoice's header, e.g. a purchase order number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CustomField {
    pub name: String,
    pub value: String,
}

/// How a price converts a quantity into packages (Stripe: `transform_quantity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TransformQuantity {
    /// Units in a package, at least 1.
    pub divide_by: i64,
    /// Packages are rounded up; otherwise down.
    pub round_up: bool,
}

/// A line of a credit note. Amounts are positive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreditNoteLine {
    pub description: String,
    /// An exact decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<String>,
    /// Price of a unit in minor units, an exact decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_amount: Option<String>,
    /// Before discounts and taxes.
    pub amount: i64,
    #[serde(default)]
    pub discount: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxAmount>,
}
