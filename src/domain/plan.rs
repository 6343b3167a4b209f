//! Plans: included quantities and overage prices.

use super::{
    metric::{PerMetric, Quantities},
    money::Currency,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The plans on sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanType {
    Starter,
    Growth,
    Scale,
    Enterprise,
}

impl PlanType {
    pub const ALL: [PlanType; 4] = [PlanType::Starter, PlanType::Growth, PlanType::Scale, PlanType::Enterprise];

    /// As in the database and Stripe's metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            PlanType::Starter => "starter",
            PlanType::Growth => "growth",
            PlanType::Scale => "scale",
            PlanType::Enterprise => "enterprise",
        }
    }

    /// Display name.
    pub const fn title(self) -> &'static str {
        match self {
            PlanType::Starter => "Starter",
            PlanType::Growth => "Growth",
            PlanType::Scale => "Scale",
            PlanType::Enterprise => "Enterprise",
        }
    }
}

impl fmt::Display for PlanType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PlanType {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        PlanType::ALL.into_iter().find(|plan| plan.as_str() == s).ok_or_else(|| format!("`{s}` is not a plan"))
    }
}

/// One metric's terms in a plan version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Included per period, in the metric's own unit.
    pub included: u64,
    /// Units per package; a started package is billed in full.
    pub package: std::num::NonZeroU64,
    /// Minor units of the plan's currency per package.
    pub price_per_package: u32,
}

/// A plan version with its prices in one currency. A sold version never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub plan_type: PlanType,
    pub version: i32,
    pub currency: Currency,
    pub terms: PerMetric<Terms>,
}

/// A plan version as sold in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub plan_type: PlanType,
    /// Per period.
    pub included: Quantities,
    /// None: the plan has no price in the currency, and the overage cost is unknown.
    pub prices: Option<Plan>,
}

/// Why a subscription's usage can't be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpriced {
    /// The plan has no price in the subscription's currency.
    NoPrice(Currency),
    /// The plan is unknown; this is its name in Stripe.
    UnknownPlan(Option<String>),
}

impl Unpriced {
    /// All labels.
    pub const LABELS: [&str; 2] = ["no_price", "unknown_plan"];

    /// The label of the metric.
    pub const fn label(&self) -> &'static str {
        match self {
            Unpriced::NoPrice(_) => "no_price",
            Unpriced::UnknownPlan(_) => "unknown_plan",
        }
    }
}

impl fmt::Display for Unpriced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unpriced::NoPrice(currency) => write!(f, "no price in {}", currency.code().to_ascii_uppercase()),
            Unpriced::UnknownPlan(Some(name)) => write!(f, "unknown plan {name}"),
            Unpriced::UnknownPlan(None) => f.write_str("the subscription names no plan"),
        }
    }
}
