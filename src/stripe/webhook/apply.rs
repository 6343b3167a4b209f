//! From a stored event to the mirror: the same code for the first time, a retry and a replay.

use super::{
    event::Event,
    field::FieldError,
    read::{Reading, read},
    snapshot::{Change, Snapshot},
};
use crate::{
    domain::identity::CustomerId,
    store::postgres::{audit, inbox, mirror, outbox},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// What an event came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The mirror contains it now; or did before, in which case nothing changed.
    Applied { customer: Option<CustomerId>, stripe_invoice_id: Option<String>, changed: bool },
    Ignored {
        reason: String,
        /// The Stripe customer that is unknown here: the event is taken up when it becomes known.
        awaits_customer: Option<String>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The event can't be applied, and the next try will likely end the same.
    #[error("{0}")]
    Unreadable(String),
    /// The database could not, now.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<FieldError> for ApplyError {
    fn from(error: FieldError) -> Self {
        ApplyError::Unreadable(error.0)
    }
}

impl From<sqlx::Error> for ApplyError {
    /// What passes by itself is the database's matter: lost connections, and the SQLSTATE classes 08, 40, 53, 55, 57 and 58 ("PostgreSQL Error
    /// Codes"). Whatever else the database refuses it will refuse again, and must not hold up the events behind.
    fn from(error: sqlx::Error) -> Self {
        let refusal = error.as_database_error().filter(|refusal| {
            let code = refusal.code().unwrap_or_default();
            !["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
        });
        match refusal {
            Some(refusal) => ApplyError::Unreadable(format!("the database refused it: {}", refusal.message())),
            None => ApplyError::Database(error),
        }
    }
}

/// Applies an event within the caller's transaction. `livemode`: the mode that is mirrored; None takes both.
pub async fn apply(conn: &mut PgConnection, event: &Event, livemode: Option<bool>) -> Result<Outcome, ApplyError> {
    let ignored = |reason: &str| Ok(Outcome::Ignored { reason: reason.to_owned(), awaits_customer: None });
    event.check()?;
    match (livemode, event.livemode) {
        (Some(true), Some(false)) => return ignored("a test mode event, but live mode is mirrored"),
        (Some(false), Some(true)) => return ignored("a live mode event, but test mode is mirrored"),
        _ => {}
    }
    let (subject, along) = match read(event)? {
        Reading::Changes { subject, along } => (subject, along),
        Reading::Ignored(reason) => return ignored(reason),
    };
    let customer = match (subject.snapshot.customer(), &subject.snapshot) {
        (Some(stripe_id), snapshot) => match acquaint(conn, stripe_id, snapshot).await? {
            Ok(customer) => Some(customer),
            Err(reason) => return Ok(Outcome::Ignored { reason, awaits_customer: Some(stripe_id.to_owned()) }),
        },
        (None, Snapshot::Charge(_)) => return ignored("a charge without a customer"),
        (None, orphan) => mirror::customer_of_parent(conn, orphan).await?,
    };
    mirror::lock(conn, customer).await?;
    // The parent may have come while this waited for the lock.
    let customer = match customer {
        Some(customer) => Some(customer),
        None => mirror::customer_of_parent(conn, &subject.snapshot).await?,
    };

    let mut touched = mirror::Touched::default();
    let mut changed = false;
    for change in std::iter::once(&*subject).chain(&along) {
        touched.add(&change.snapshot);
        changed |= put(conn, customer, change).await?;
    }
    let mut invoices = Vec::new();
    if let Some(customer) = customer.filter(|_| changed) {
        invoices = mirror::link(conn, customer, &touched).await?;
    }
    if changed {
        let data = json!({"stripe_event_id": event.id, "event_type": event.event_type, "object_id": subject.snapshot.id()});
        let entry = audit::Entry {
            event_type: "webhook.applied",
            actor: "stripe",
            customer,
            data: data.clone(),
            ip_address: None,
            user_agent: None,
        };
        audit::record(conn, entry).await?;
        outbox::publish(conn, changed_type(&subject.snapshot), customer, data).await?;
    }
    let stripe_invoice_id = match subject.snapshot {
        Snapshot::Invoice(invoice) => Some(invoice.id),
        Snapshot::Payment(payment) => Some(payment.invoice),
        Snapshot::CreditNote(credit_note) => Some(credit_note.invoice),
        Snapshot::Charge(_) | Snapshot::Refund(_) | Snapshot::Subscription(_) | Snapshot::Customer(_) => invoices.into_iter().next(),
    };
    Ok(Outcome::Applied { customer, stripe_invoice_id, changed })
}

/// The customer of this platform that Stripe calls so, or why there is none. A customer of Stripe's becomes one of this platform only when its
/// `metadata.apex_customer` asks for it: the same Stripe account may serve others.
async fn acquaint(conn: &mut PgConnection, stripe_id: &str, snapshot: &Snapshot) -> Result<Result<CustomerId, String>, ApplyError> {
    if let Some(customer) = mirror::customer(conn, stripe_id).await? {
        return Ok(Ok(customer));
    }
    mirror::lock_acquaintance(conn, stripe_id).await?;
    // Somebody may have added it before this held the lock.
    if let Some(customer) = mirror::customer(conn, stripe_id).await? {
        return Ok(Ok(customer));
    }
    let unknown = format!("{stripe_id} is not a customer of this platform");
    let Snapshot::Customer(described) = snapshot else { return Ok(Err(unknown)) };
    let customer = match described.claim.as_deref() {
        None => return Ok(Err(unknown)),
        Some("new") => mirror::add_customer(conn, described).await?,
        Some(claim) => {
            let Ok(id) = claim.parse::<Uuid>() else {
                return Ok(Err(format!("{unknown}: its metadata.apex_customer is neither `new` nor a customer's id")));
            };
            match mirror::link_customer(conn, id, stripe_id).await? {
                Some(customer) => customer,
                None => return Ok(Err(format!("{unknown}: its metadata.apex_customer names no customer that lacks a Stripe id"))),
            }
        }
    };
    inbox::take_up(conn, stripe_id).await?;
    Ok(Ok(customer))
}

async fn put(conn: &mut PgConnection, customer: Option<CustomerId>, Change { stamp, snapshot }: &Change) -> Result<bool, ApplyError> {
    let known = || customer.ok_or_else(|| ApplyError::Unreadable(format!("{} has no customer", snapshot.id())));
    Ok(match snapshot {
        Snapshot::Invoice(invoice) => mirror::put_invoice(conn, known()?, invoice, stamp).await?,
        Snapshot::Subscription(subscription) => mirror::put_subscription(conn, known()?, subscription, stamp).await?,
        Snapshot::Charge(charge) => mirror::put_charge(conn, known()?, charge, stamp).await?,
        Snapshot::Refund(refund) => mirror::put_refund(conn, customer, refund, stamp).await?,
        Snapshot::Payment(payment) => mirror::put_payment(conn, customer, payment, stamp).await?,
        Snapshot::Customer(described) => mirror::put_customer(conn, known()?, described, stamp).await?,
        Snapshot::CreditNote(credit_note) => mirror::put_credit_note(conn, known()?, credit_note, stamp).await?,
    })
}

/// The domain event that others of this platform may follow.
const fn changed_type(snapshot: &Snapshot) -> &'static str {
    match snapshot {
        Snapshot::Invoice(_) => "invoice.changed",
        Snapshot::Subscription(_) => "subscription.changed",
        Snapshot::Charge(_) => "charge.changed",
        Snapshot::Refund(_) => "refund.changed",
        Snapshot::Payment(_) => "invoice_payment.changed",
        Snapshot::Customer(_) => "customer.changed",
        Snapshot::CreditNote(_) => "credit_note.changed",
    }
}
