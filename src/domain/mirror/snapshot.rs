//! A snapshot of a Stripe object of any type: its id, its customer, its parent.

mod objects;

pub use objects::{
    AlertSnapshot, ChargeSnapshot, CreditNoteSnapshot, CustomerSnapshot, InvoiceAmounts, InvoicePaymentSnapshot, InvoiceSnapshot,
    ItemSnapshot, LineSnapshot, Lookup, Named, RefundSnapshot, Span, SubscriptionSnapshot, TaxRateSnapshot,
};

use super::{Kind, Stamp};
use serde::Serialize;

/// The fields that the mirror stores. Rows of an older reader are parsed again from their stored
/// event: see `service::reread`.
pub trait Mirrored: Serialize {
    /// Increased with every field that a new reader takes from stored events. 0: no row is parsed
    /// again.
    const READER_VERSION: i32 = 0;
}

impl Mirrored for InvoiceSnapshot {
    const READER_VERSION: i32 = 1;
}
impl Mirrored for CreditNoteSnapshot {
    const READER_VERSION: i32 = 1;
}
impl Mirrored for SubscriptionSnapshot {
    const READER_VERSION: i32 = 1;
}
impl Mirrored for ChargeSnapshot {}
impl Mirrored for RefundSnapshot {}
impl Mirrored for InvoicePaymentSnapshot {}
impl Mirrored for CustomerSnapshot {}
impl Mirrored for AlertSnapshot {}

/// An object as one event showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub stamp: Stamp,
    pub snapshot: Snapshot,
}

/// Serialized with the names of its table's columns, without its type.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Snapshot {
    Invoice(Box<InvoiceSnapshot>),
    Subscription(Box<SubscriptionSnapshot>),
    Charge(ChargeSnapshot),
    Refund(RefundSnapshot),
    Payment(InvoicePaymentSnapshot),
    Customer(Box<CustomerSnapshot>),
    CreditNote(Box<CreditNoteSnapshot>),
    Alert(AlertSnapshot),
}

impl Snapshot {
    /// Stripe's id of the object.
    pub fn id(&self) -> &str {
        match self {
            Snapshot::Invoice(invoice) => &invoice.id,
            Snapshot::Subscription(subscription) => &subscription.id,
            Snapshot::Charge(charge) => &charge.id,
            Snapshot::Refund(refund) => &refund.id,
            Snapshot::Payment(payment) => &payment.id,
            Snapshot::Customer(customer) => &customer.id,
            Snapshot::CreditNote(credit_note) => &credit_note.id,
            Snapshot::Alert(alert) => &alert.id,
        }
    }

    /// Stripe's id of the customer, if the object has one.
    pub fn customer(&self) -> Option<&str> {
        match self {
            Snapshot::Invoice(invoice) => Some(&invoice.customer),
            Snapshot::Subscription(subscription) => Some(&subscription.customer),
            Snapshot::Charge(charge) => charge.customer.as_deref(),
            Snapshot::Refund(refund) => refund.customer.as_deref(),
            Snapshot::Payment(payment) => payment.customer.as_deref(),
            Snapshot::Customer(customer) => Some(&customer.id),
            Snapshot::CreditNote(credit_note) => Some(&credit_note.customer),
            Snapshot::Alert(alert) => Some(&alert.customer),
        }
    }

    /// Whether this snapshot has the same state as the other one, and the whole list instead of its
    /// first page.
    pub fn completes(&self, other: &Snapshot) -> bool {
        match (self, other) {
            (Snapshot::Invoice(this), Snapshot::Invoice(other)) => completes(&**this, other),
            (Snapshot::CreditNote(this), Snapshot::CreditNote(other)) => completes(&**this, other),
            (Snapshot::Subscription(this), Snapshot::Subscription(other)) => completes(&**this, other),
            _ => false,
        }
    }

    /// Stripe's id of the object that may contain this one.
    pub fn parent(&self) -> Option<&str> {
        match self {
            Snapshot::Payment(payment) => Some(&payment.invoice),
            Snapshot::Refund(refund) => refund.charge.as_deref(),
            Snapshot::Invoice(_)
            | Snapshot::Subscription(_)
            | Snapshot::Charge(_)
            | Snapshot::Customer(_)
            | Snapshot::CreditNote(_)
            | Snapshot::Alert(_) => None,
        }
    }

    /// The type and id for fetching it again from Stripe. None for objects without a URL.
    pub fn address(&self) -> Option<(Kind, &str)> {
        Some(match self {
            Snapshot::Invoice(invoice) => (Kind::Invoice, &invoice.id),
            Snapshot::Subscription(subscription) => (Kind::Subscription, &subscription.id),
            Snapshot::Charge(charge) => (Kind::Charge, &charge.id),
            Snapshot::Refund(refund) => (Kind::Refund, &refund.id),
            Snapshot::Payment(payment) if payment.from_invoice => (Kind::Invoice, &payment.invoice),
            Snapshot::Payment(payment) => (Kind::InvoicePayment, &payment.id),
            Snapshot::Customer(customer) => (Kind::Customer, &customer.id),
            Snapshot::CreditNote(credit_note) => (Kind::CreditNote, &credit_note.id),
            Snapshot::Alert(_) => return None,
        })
    }
}

/// A snapshot with a list of which Stripe sends only a page.
trait Paged: Clone + PartialEq {
    fn is_complete(&self) -> bool;

    /// Without the list and the values derived from its entries.
    fn without_list(&self) -> Self;
}

fn completes<S: Paged>(this: &S, other: &S) -> bool {
    this.is_complete() && !other.is_complete() && this.without_list() == other.without_list()
}

impl Paged for InvoiceSnapshot {
    fn is_complete(&self) -> bool {
        self.lines_complete
    }

    fn without_list(&self) -> Self {
        InvoiceSnapshot { lines: Vec::new(), lines_complete: true, named: Named::default(), ..self.clone() }
    }
}

impl Paged for CreditNoteSnapshot {
    fn is_complete(&self) -> bool {
        self.lines_complete
    }

    fn without_list(&self) -> Self {
        CreditNoteSnapshot { lines: Vec::new(), lines_complete: true, named: Named::default(), ..self.clone() }
    }
}

impl Paged for SubscriptionSnapshot {
    fn is_complete(&self) -> bool {
        self.items_complete
    }

    /// Plan and period are derived from the items.
    fn without_list(&self) -> Self {
        SubscriptionSnapshot {
            items: Vec::new(),
            items_complete: true,
            plan: None,
            plan_name: None,
            current_period: Span::default(),
            ..self.clone()
        }
    }
}
