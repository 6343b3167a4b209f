//! Customers as the platform's staff look for them.

use super::{identity::CustomerId, invoice::Pagination, money::Currency, plan::PlanType};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How a customer's mirror of Stripe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct MirrorState {
    /// When an event last changed something here.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_applied_at: Option<OffsetDateTime>,
    /// Events that name the customer and can't be applied. A thousand of all that failed are looked at.
    pub failed_events: u64,
    /// When the last comparison with Stripe that covers the customer ended; null before the first one, and for what was added after it began.
    #[serde(with = "time::serde::rfc3339::option")]
    pub reconciled_at: Option<OffsetDateTime>,
    /// An event has changed something here since that comparison began.
    #[serde(default)]
    pub changed_since: bool,
    /// What that comparison found and nobody has repaired; None before the first one.
    pub open_discrepancies: Option<u64>,
}

impl MirrorState {
    /// Somebody has to look at it.
    pub fn wants_attention(&self) -> bool {
        self.failed_events > 0 || self.open_discrepancies.is_some_and(|open| open > 0)
    }
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CustomerSummary {
    pub id: CustomerId,
    pub name: String,
    pub email: Option<String>,
    /// None until it is linked.
    pub stripe_customer_id: Option<String>,
    /// It was deleted in Stripe.
    pub deleted: bool,
    pub currency: Currency,
    /// Of the subscription that is metered; null without one, and where its plan is none of ours.
    pub plan_type: Option<PlanType>,
    /// What Stripe calls its plan, where that is none of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_name: Option<String>,
    /// As Stripe calls it; None without a running subscription.
    pub subscription_status: Option<String>,
    /// Why its usage can't be priced; null: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<String>,
    pub mirror: MirrorState,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// `GET /admin/customers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CustomerPage {
    pub customers: Vec<CustomerSummary>,
    pub pagination: Pagination,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_wants_attention_when_something_failed_or_differs() {
        let well =
            MirrorState { last_applied_at: None, failed_events: 0, reconciled_at: None, changed_since: false, open_discrepancies: None };
        assert!(!well.wants_attention());
        assert!(!MirrorState { open_discrepancies: Some(0), ..well }.wants_attention());
        assert!(MirrorState { open_discrepancies: Some(1), ..well }.wants_attention());
        assert!(MirrorState { failed_events: 1, ..well }.wants_attention());
    }
}
