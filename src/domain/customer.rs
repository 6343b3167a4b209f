//! Customers as staff see them.

use super::{identity::CustomerId, list::Pagination, money::Currency, plan::PlanType};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// State of a customer's mirror of Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MirrorState {
    /// When a Stripe event last changed something.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_applied_at: Option<OffsetDateTime>,
    /// Failed events that name the customer. At most a thousand failed events are searched.
    pub failed_events: u64,
    /// End of the last reconciliation that covers the customer; null before the first one, and for
    /// customers added after it began.
    #[serde(with = "time::serde::rfc3339::option")]
    pub reconciled_at: Option<OffsetDateTime>,
    /// Whether an event has changed something since that reconciliation began.
    #[serde(default)]
    pub changed_since: bool,
    /// Discrepancies of that reconciliation that are not repaired; null before the first one.
    pub open_discrepancies: Option<u64>,
}

impl MirrorState {
    /// Whether staff have to act.
    pub fn needs_attention(&self) -> bool {
        self.failed_events > 0 || self.open_discrepancies.is_some_and(|open| open > 0)
    }
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CustomerSummary {
    pub id: CustomerId,
    pub name: String,
    pub email: Option<String>,
    /// Null until the customer is linked to Stripe.
    pub stripe_customer_id: Option<String>,
    /// Deleted in Stripe.
    pub deleted: bool,
    pub currency: Currency,
    /// Plan of the metered subscription; null without a subscription, and if the plan is unknown.
    pub plan_type: Option<PlanType>,
    /// The plan's name in Stripe, if it is unknown here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_name: Option<String>,
    /// Stripe's status; null without a running subscription.
    pub subscription_status: Option<String>,
    /// Why its usage can't be priced; null if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<String>,
    pub mirror: MirrorState,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// `GET /admin/customers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CustomerPage {
    pub customers: Vec<CustomerSummary>,
    pub pagination: Pagination,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_with_failures_or_drift_needs_attention() {
        let well =
            MirrorState { last_applied_at: None, failed_events: 0, reconciled_at: None, changed_since: false, open_discrepancies: None };
        assert!(!well.needs_attention());
        assert!(!MirrorState { open_discrepancies: Some(0), ..well }.needs_attention());
        assert!(MirrorState { open_discrepancies: Some(1), ..well }.needs_attention());
        assert!(MirrorState { failed_events: 1, ..well }.needs_attention());
    }
}
