//! The mirrored types of Stripe objects, with Stripe's names.

/// In import order: each type after those that its objects belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Customer,
    Subscription,
    Invoice,
    InvoicePayment,
    CreditNote,
    Charge,
    Refund,
}

impl Kind {
    pub const ALL: [Kind; 7] =
        [Kind::Customer, Kind::Subscription, Kind::Invoice, Kind::InvoicePayment, Kind::CreditNote, Kind::Charge, Kind::Refund];

    /// Stripe's object type.
    pub const fn object(self) -> &'static str {
        match self {
            Kind::Customer => "customer",
            Kind::Subscription => "subscription",
            Kind::Invoice => "invoice",
            Kind::InvoicePayment => "invoice_payment",
            Kind::CreditNote => "credit_note",
            Kind::Charge => "charge",
            Kind::Refund => "refund",
        }
    }

    pub fn of_object(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.object() == name)
    }

    /// The event type that stands for a fetched object.
    pub const fn event_type(self) -> &'static str {
        match self {
            Kind::Customer => "customer.fetched",
            Kind::Subscription => "customer.subscription.fetched",
            Kind::Invoice => "invoice.fetched",
            Kind::InvoicePayment => "invoice_payment.fetched",
            Kind::CreditNote => "credit_note.fetched",
            Kind::Charge => "charge.fetched",
            Kind::Refund => "refund.fetched",
        }
    }

    /// The plural, as in the API's path and in cursors.
    pub const fn plural(self) -> &'static str {
        match self {
            Kind::Customer => "customers",
            Kind::Subscription => "subscriptions",
            Kind::Invoice => "invoices",
            Kind::InvoicePayment => "invoice_payments",
            Kind::CreditNote => "credit_notes",
            Kind::Charge => "charges",
            Kind::Refund => "refunds",
        }
    }
}
