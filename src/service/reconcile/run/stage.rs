//! The stages of a run, in order.

/// A run's stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Customers,
    Subscriptions,
    Invoices,
    Charges,
    Payments,
    Refunds,
    CreditNotes,
    Meters,
    BilledUsage,
    Events,
    SecondLook,
    Repair,
}

impl Stage {
    pub const FIRST: Stage = Stage::Customers;

    pub const ALL: [Stage; 12] = [
        Stage::Customers,
        Stage::Subscriptions,
        Stage::Invoices,
        Stage::Charges,
        Stage::Payments,
        Stage::Refunds,
        Stage::CreditNotes,
        Stage::Meters,
        Stage::BilledUsage,
        Stage::Events,
        Stage::SecondLook,
        Stage::Repair,
    ];

    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Customers => "customers",
            Stage::Subscriptions => "subscriptions",
            Stage::Invoices => "invoices",
            Stage::Charges => "charges",
            Stage::Payments => "payments",
            Stage::Refunds => "refunds",
            Stage::CreditNotes => "credit_notes",
            Stage::Meters => "usage",
            Stage::BilledUsage => "billed_usage",
            Stage::Events => "events",
            Stage::SecondLook => "second_look",
            Stage::Repair => "repair",
        }
    }
}
