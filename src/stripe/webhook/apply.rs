//! From stored events to the mirror: the same code for the first time, a retry and a replay, for one event or many.
//!
//! Any number of events come to the mirror in a fixed number of statements. Their order among each other doesn't matter (see
//! `domain::mirror`), so that of several snapshots of one object only the newest is written at all.

use super::{
    event::{Document, Event},
    read::{Reading, read},
    snapshot::{Change, CustomerSnapshot, Mirrored, Snapshot},
};
use crate::{
    domain::identity::CustomerId,
    store::postgres::{
        inbox,
        mirror::{self, Met, Reference, Row},
    },
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// An event, and what it means to the mirror.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub event: Event,
    meaning: Meaning,
}

#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    /// The object that the event is about, then what came along in it; never empty.
    Changes(Vec<Change>),
    Nothing(String),
    Unreadable(String),
}

impl Opened {
    /// Reads a body that comes from Stripe. `livemode`: the mode that is mirrored; None takes both.
    pub fn open(body: &str, livemode: Option<bool>) -> Opened {
        let document = Document::read(body);
        let event = &document.event;
        let meaning = match (event.check(), livemode, event.livemode) {
            (Err(error), _, _) => Meaning::Unreadable(error.0),
            (_, Some(true), Some(false)) => Meaning::Nothing("a test mode event, but live mode is mirrored".into()),
            (_, Some(false), Some(true)) => Meaning::Nothing("a live mode event, but test mode is mirrored".into()),
            _ => match read(&document) {
                Ok(Reading::Changes { subject, along }) => Meaning::Changes(std::iter::once(*subject).chain(along).collect()),
                Ok(Reading::Ignored(reason)) => Meaning::Nothing(reason.to_owned()),
                Err(error) => Meaning::Unreadable(error.0),
            },
        };
        Opened { event: document.event, meaning }
    }

    fn subject(&self) -> Option<&Change> {
        match &self.meaning {
            Meaning::Changes(changes) => changes.first(),
            Meaning::Nothing(_) | Meaning::Unreadable(_) => None,
        }
    }

    /// Of the object that the event is about.
    pub fn subject_id(&self) -> Option<&str> {
        self.subject().map(|change| change.snapshot.id())
    }

    /// Whom it is about, by Stripe's id.
    pub fn stripe_customer(&self) -> Option<&str> {
        self.subject().and_then(|change| change.snapshot.customer())
    }

    /// It names no customer: whose it is depends on what is mirrored already.
    pub fn is_orphan(&self) -> bool {
        self.subject().is_some_and(|change| change.snapshot.customer().is_none())
    }
}

/// What an event came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The mirror contains it now; or did before, in which case nothing changed.
    Applied {
        customer: Option<CustomerId>,
        stripe_invoice_id: Option<String>,
        /// The domain event that others of this platform may follow, if something changed.
        changed: Option<&'static str>,
    },
    Ignored {
        reason: String,
        /// The Stripe customer that is unknown here: the event is taken up when it becomes known.
        awaits_customer: Option<String>,
    },
    /// It can't be applied, and the next try will likely end the same.
    Unreadable { reason: String },
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The database refuses one of the events, and will refuse it again.
    #[error("the database refused it: {0}")]
    Refused(String),
    /// The database could not, now.
    #[error(transparent)]
    Database(sqlx::Error),
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
            Some(refusal) => ApplyError::Refused(refusal.message().to_owned()),
            None => ApplyError::Database(error),
        }
    }
}

/// An event on its way into the mirror.
struct Underway<'a> {
    /// Its place among the caller's events.
    n: usize,
    changes: &'a [Change],
    customer: Option<CustomerId>,
}

/// Asks what has to be known before events are applied, and puts the changes of their customers in a row until the transaction ends.
pub async fn meet(conn: &mut PgConnection, events: &[&Opened]) -> Result<Met, ApplyError> {
    let ids: BTreeSet<&str> = events.iter().map(|opened| opened.event.id.as_str()).collect();
    let customers: BTreeSet<&str> = events.iter().filter_map(|opened| opened.stripe_customer()).collect();
    // What could be anybody's takes another lock, and that one first.
    let lock = !events.iter().any(|opened| opened.is_orphan());
    Ok(mirror::meet(conn, &ids.into_iter().collect::<Vec<_>>(), &customers.into_iter().collect::<Vec<_>>(), lock).await?)
}

/// Applies different events within the caller's transaction; the outcomes are in their order. `met`: what [`meet`] said of these in it.
///
/// # Errors
/// Either all of them are in the mirror or, with an error, the transaction is of no more use.
pub async fn apply(conn: &mut PgConnection, events: &[&Opened], met: &Met) -> Result<Vec<Outcome>, ApplyError> {
    let mut outcomes: Vec<Outcome> = events.iter().map(|opened| without_effect(opened)).collect();
    let mut underway = Vec::with_capacity(events.len());
    for (n, opened) in events.iter().enumerate() {
        if let Meaning::Changes(changes) = &opened.meaning {
            underway.push(Underway { n, changes, customer: None });
        }
    }
    identify(conn, &mut underway, &met.customers, &mut outcomes).await?;
    if underway.is_empty() {
        return Ok(outcomes);
    }

    let is_locked = |customer: &CustomerId| met.locked && met.customers.values().any(|known| known == customer);
    let customers: Vec<CustomerId> = underway.iter().filter_map(|event| event.customer).filter(|customer| !is_locked(customer)).collect();
    let anybody = underway.iter().any(|event| event.customer.is_none());
    if anybody || !customers.is_empty() {
        mirror::lock(conn, &customers, anybody).await?;
    }
    for event in underway.iter_mut().filter(|event| event.customer.is_none()) {
        // The parent may have come while this waited for the lock.
        event.customer = mirror::customer_of_parent(conn, &event.changes[0].snapshot).await?;
    }

    let Written { changed, invoices } = put(conn, &underway).await?;
    let touched: Vec<_> = underway
        .iter()
        .filter(|event| changed.contains(&event.n))
        .filter_map(|event| event.customer.map(|customer| (event, customer)))
        .flat_map(|(event, customer)| event.changes.iter().map(move |change| (event.n, customer, Reference::of(&change.snapshot))))
        .collect();
    let mut concerned = mirror::link(conn, &touched, &invoices).await?;
    for Underway { n, changes, customer } in underway {
        let subject = &changes[0].snapshot;
        let stripe_invoice_id = match subject {
            Snapshot::Invoice(invoice) => Some(invoice.id.clone()),
            Snapshot::Payment(payment) => Some(payment.invoice.clone()),
            Snapshot::CreditNote(credit_note) => Some(credit_note.invoice.clone()),
            Snapshot::Charge(_) | Snapshot::Refund(_) | Snapshot::Subscription(_) | Snapshot::Customer(_) | Snapshot::Alert(_) => {
                concerned.remove(&n).and_then(|invoices| invoices.into_iter().next())
            }
        };
        let changed = changed.contains(&n).then(|| changed_type(subject));
        outcomes[n] = Outcome::Applied { customer, stripe_invoice_id, changed };
    }
    Ok(outcomes)
}

fn without_effect(opened: &Opened) -> Outcome {
    match &opened.meaning {
        // Until it turns out otherwise.
        Meaning::Changes(_) => Outcome::Ignored { reason: "a charge without a customer".into(), awaits_customer: None },
        Meaning::Nothing(reason) => Outcome::Ignored { reason: reason.clone(), awaits_customer: None },
        Meaning::Unreadable(reason) => Outcome::Unreadable { reason: reason.clone() },
    }
}

/// Finds out whose the events are; those that are nobody's here are ignored.
async fn identify(
    conn: &mut PgConnection,
    underway: &mut Vec<Underway<'_>>,
    met: &HashMap<String, CustomerId>,
    outcomes: &mut [Outcome],
) -> Result<(), ApplyError> {
    let names: BTreeSet<&str> = underway.iter().filter_map(|event| event.changes[0].snapshot.customer()).collect();
    let mut known: HashMap<&str, CustomerId> = met.iter().map(|(name, customer)| (name.as_str(), *customer)).collect();
    let mut unknown: HashMap<&str, String> = HashMap::new();
    // In the order of the names: nobody waits in a circle.
    for name in names {
        if known.contains_key(name) {
            continue;
        }
        let descriptions = underway.iter().filter_map(|event| match &event.changes[0].snapshot {
            Snapshot::Customer(described) if described.id == name => Some(&**described),
            _ => None,
        });
        match acquaint(conn, name, descriptions.max_by_key(|described| described.claim.is_some())).await? {
            Ok(customer) => drop(known.insert(name, customer)),
            Err(reason) => drop(unknown.insert(name, reason)),
        }
    }
    let mut identified = Vec::with_capacity(underway.len());
    for mut event in underway.drain(..) {
        let subject = &event.changes[0].snapshot;
        match subject.customer() {
            Some(name) => match known.get(name) {
                Some(customer) => event.customer = Some(*customer),
                None => {
                    let reason = unknown.get(name).cloned().unwrap_or_default();
                    outcomes[event.n] = Outcome::Ignored { reason, awaits_customer: Some(name.to_owned()) };
                    continue;
                }
            },
            None if matches!(subject, Snapshot::Charge(_)) => continue,
            None => event.customer = mirror::customer_of_parent(conn, subject).await?,
        }
        identified.push(event);
    }
    *underway = identified;
    Ok(())
}

/// The customer of this platform that Stripe calls so, or why there is none. A customer of Stripe's becomes one of this platform only when its
/// `metadata.apex_customer` asks for it: the same Stripe account may serve others.
async fn acquaint(
    conn: &mut PgConnection,
    stripe_id: &str,
    described: Option<&CustomerSnapshot>,
) -> Result<Result<CustomerId, String>, ApplyError> {
    mirror::lock_acquaintance(conn, stripe_id).await?;
    // Somebody may have added it before this held the lock.
    if let Some(customer) = mirror::customers(conn, &[stripe_id]).await?.remove(stripe_id) {
        return Ok(Ok(customer));
    }
    let unknown = format!("{stripe_id} is not a customer of this platform");
    let Some(described) = described else { return Ok(Err(unknown)) };
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

/// What [`put`] did.
#[derive(Default)]
struct Written {
    /// Places of the events that changed the mirror.
    changed: HashSet<usize>,
    /// Stripe ids.
    invoices: Vec<String>,
}

/// The newest of the snapshots of each object of one kind, by Stripe's id.
type Newest<'a, S> = BTreeMap<&'a str, (usize, Row<'a, S>, &'a Change)>;

/// Keeps a snapshot if it is the newest of its object so far.
fn keep<'a, S: Mirrored>(newest: &mut Newest<'a, S>, event: &Underway<'a>, change: &'a Change, snapshot: &'a S) {
    let id = change.snapshot.id();
    if newest.get(id).is_none_or(|(_, _, kept)| kept.stamp < change.stamp) {
        newest.insert(id, (event.n, Row::new(event.customer, &change.stamp, snapshot), change));
    }
}

async fn put(conn: &mut PgConnection, underway: &[Underway<'_>]) -> sqlx::Result<Written> {
    let (mut invoices, mut subscriptions, mut charges) = (Newest::new(), Newest::new(), Newest::new());
    let (mut refunds, mut payments, mut credit_notes) = (Newest::new(), Newest::new(), Newest::new());
    let (mut customers, mut alerts) = (Newest::new(), Newest::new());
    for event in underway {
        for change in event.changes {
            match &change.snapshot {
                Snapshot::Invoice(invoice) => keep(&mut invoices, event, change, &**invoice),
                Snapshot::Subscription(subscription) => keep(&mut subscriptions, event, change, &**subscription),
                Snapshot::Charge(charge) => keep(&mut charges, event, change, charge),
                Snapshot::Refund(refund) => keep(&mut refunds, event, change, refund),
                Snapshot::Payment(payment) => keep(&mut payments, event, change, payment),
                Snapshot::Customer(described) => keep(&mut customers, event, change, &**described),
                Snapshot::CreditNote(credit_note) => keep(&mut credit_notes, event, change, &**credit_note),
                Snapshot::Alert(alert) => keep(&mut alerts, event, change, alert),
            }
        }
    }
    let named = invoices.values().map(|(_, row, _)| &row.snapshot().named);
    let unknown = mirror::lookups::learn(conn, named.chain(credit_notes.values().map(|(_, row, _)| &row.snapshot().named))).await?;
    for (_, row, _) in invoices.values_mut() {
        row.wait_for(&row.snapshot().named, &unknown);
    }
    let mut written = Written::default();
    macro_rules! put_all {
        ($put:path, $newest:expr) => {{
            let rows: Vec<_> = $newest.values().map(|(_, row, _)| row).collect();
            let ids = if rows.is_empty() { Vec::new() } else { $put(conn, &rows).await? };
            written.changed.extend(ids.iter().filter_map(|id| $newest.get(id.as_str())).map(|(n, _, _)| *n));
            ids
        }};
    }
    written.invoices = put_all!(mirror::put_invoices, invoices);
    put_all!(mirror::put_subscriptions, subscriptions);
    put_all!(mirror::put_charges, charges);
    put_all!(mirror::put_refunds, refunds);
    put_all!(mirror::put_payments, payments);
    put_all!(mirror::put_credit_notes, credit_notes);
    put_all!(mirror::put_customers, customers);
    put_all!(mirror::put_alerts, alerts);
    Ok(written)
}

const fn changed_type(snapshot: &Snapshot) -> &'static str {
    match snapshot {
        Snapshot::Invoice(_) => "invoice.changed",
        Snapshot::Subscription(_) => "subscription.changed",
        Snapshot::Charge(_) => "charge.changed",
        Snapshot::Refund(_) => "refund.changed",
        Snapshot::Payment(_) => "invoice_payment.changed",
        Snapshot::Customer(_) => "customer.changed",
        Snapshot::CreditNote(_) => "credit_note.changed",
        Snapshot::Alert(_) => "billing_alert.triggered",
    }
}
