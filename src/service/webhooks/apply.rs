//! Applies stored events to the mirror: the same code for a first delivery, a retry and a replay,
//! for one event or many.
//!
//! The number of statements is fixed, whatever the number of events. The events' order doesn't
//! matter (see `domain::mirror`): of several snapshots of one object only the newest is written. If
//! timestamps alone don't show which is newest, the object's neighbouring events in the inbox are
//! compared; only such snapshots need that query.

use crate::{
    domain::{
        identity::CustomerId,
        mirror::snapshot::{Change, CustomerSnapshot, Snapshot},
        webhook::WebhookStatus,
    },
    store::postgres::{
        inbox::{self, Attempt, ties::Tie},
        mirror::{self, Prefetched, Put, Reference, Table},
    },
    stripe::webhook::{
        parsed::{Meaning, ParsedEvent},
        second::{Shown, newest},
    },
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, btree_map::Entry};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The database refuses one of the events, and will refuse it again.
    #[error("the database refused it: {0}")]
    Refused(String),
    /// The database is currently unavailable.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for ApplyError {
    /// Temporary errors of the database: lost connections, and the SQLSTATE classes 08, 40, 53, 55,
    /// 57 and 58 ("PostgreSQL Error Codes"). Any other error is permanent, and must not block later
    /// events.
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

/// An event to be applied.
struct Underway<'a> {
    /// Its index in the caller's events.
    n: usize,
    parsed: &'a ParsedEvent,
    changes: &'a [Change],
    customer: Option<CustomerId>,
}

/// Fetches what has to be known before events are applied, and locks their customers until the
/// transaction ends.
pub async fn prefetch(conn: &mut PgConnection, events: &[&ParsedEvent]) -> Result<Prefetched, ApplyError> {
    let ids: BTreeSet<&str> = events.iter().map(|parsed| parsed.event.id.as_str()).collect();
    let customers: BTreeSet<&str> = events.iter().filter_map(|parsed| parsed.stripe_customer()).collect();
    // Events without a customer take another lock first.
    let lock = !events.iter().any(|parsed| parsed.is_orphan());
    Ok(mirror::prefetch(conn, &ids.into_iter().collect::<Vec<_>>(), &customers.into_iter().collect::<Vec<_>>(), lock).await?)
}

/// Applies different events within the caller's transaction, and returns the results in their
/// order. `prefetched`: of [`prefetch`] with the same events in the same transaction.
///
/// # Errors
/// The transaction has to be rolled back.
pub async fn apply(conn: &mut PgConnection, events: &[&ParsedEvent], prefetched: &Prefetched) -> Result<Vec<Attempt>, ApplyError> {
    let mut attempts: Vec<Attempt> = events.iter().map(|parsed| without_effect(parsed)).collect();
    let mut underway = Vec::with_capacity(events.len());
    for (n, parsed) in events.iter().enumerate() {
        if let Meaning::Changes(changes) = &parsed.meaning {
            underway.push(Underway { n, parsed, changes, customer: None });
        }
    }
    identify(conn, &mut underway, &prefetched.customers, &mut attempts).await?;
    if underway.is_empty() {
        return Ok(attempts);
    }

    let is_locked = |customer: &CustomerId| prefetched.locked && prefetched.customers.values().any(|known| known == customer);
    let customers: Vec<CustomerId> = underway.iter().filter_map(|event| event.customer).filter(|customer| !is_locked(customer)).collect();
    let anybody = underway.iter().any(|event| event.customer.is_none());
    if anybody || !customers.is_empty() {
        mirror::lock(conn, &customers, anybody).await?;
    }
    for event in underway.iter_mut().filter(|event| event.customer.is_none()) {
        // The parent may have arrived while this waited for the lock.
        event.customer = mirror::customer_of_parent(conn, &event.changes[0].snapshot).await?;
    }

    let Written { changed, invoices, stored, undecided } = put(conn, &underway).await?;
    let mut touched: Vec<(usize, CustomerId, Reference<'_>)> = Vec::new();
    for event in underway.iter().filter(|event| changed.contains(&event.n)) {
        let Some(customer) = event.customer else { continue };
        let of_stored = stored.iter().filter(|(n, _)| *n == event.n).map(|(_, change)| change);
        touched.extend(event.changes.iter().chain(of_stored).map(|change| (event.n, customer, Reference::of(&change.snapshot))));
    }
    let mut concerned = mirror::link(conn, &touched, &invoices).await?;
    for Underway { n, parsed: _, changes, customer } in underway {
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
        let undecided = undecided.contains(&n);
        attempts[n] = Attempt { status: WebhookStatus::Applied, customer, stripe_invoice_id, changed, undecided, ..Attempt::PENDING };
    }
    Ok(attempts)
}

fn without_effect(parsed: &ParsedEvent) -> Attempt {
    match &parsed.meaning {
        // Until it turns out otherwise.
        Meaning::Changes(_) => Attempt::ignored("it belongs to no customer"),
        Meaning::Nothing(reason) => Attempt::ignored(reason),
        Meaning::Unreadable(reason) => Attempt::failed(reason),
    }
}

/// Finds the events' customers; events of unknown customers are ignored.
async fn identify(
    conn: &mut PgConnection,
    underway: &mut Vec<Underway<'_>>,
    prefetched: &HashMap<String, CustomerId>,
    attempts: &mut [Attempt],
) -> Result<(), ApplyError> {
    let names: BTreeSet<&str> = underway.iter().filter_map(|event| event.changes[0].snapshot.customer()).collect();
    let mut known: HashMap<&str, CustomerId> = prefetched.iter().map(|(name, customer)| (name.as_str(), *customer)).collect();
    let mut unknown: HashMap<&str, String> = HashMap::new();
    // In the order of the names, so that transactions can't deadlock.
    for name in names {
        if known.contains_key(name) {
            continue;
        }
        let descriptions = underway.iter().filter_map(|event| match &event.changes[0].snapshot {
            Snapshot::Customer(described) if described.id == name => Some(&**described),
            _ => None,
        });
        match claim_customer(conn, name, descriptions.max_by_key(|described| described.claim.is_some())).await? {
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
                    attempts[event.n] = Attempt { awaits_customer: Some(name.to_owned()), ..Attempt::ignored(reason) };
                    continue;
                }
            },
            None => event.customer = mirror::customer_of_parent(conn, subject).await?,
        }
        identified.push(event);
    }
    *underway = identified;
    Ok(())
}

/// The customer with a Stripe id, or why it is unknown. A Stripe customer is only added to this
/// platform if its `metadata.apex_customer` requests it: other systems may use the same Stripe
/// account.
async fn claim_customer(
    conn: &mut PgConnection,
    stripe_id: &str,
    described: Option<&CustomerSnapshot>,
) -> Result<Result<CustomerId, String>, ApplyError> {
    mirror::lock_claim(conn, stripe_id).await?;
    // Another process may have added it before this acquired the lock.
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

/// The result of [`put`].
#[derive(Default)]
struct Written {
    /// Indexes of the events that changed the mirror.
    changed: HashSet<usize>,
    /// Stripe ids.
    invoices: Vec<String>,
    /// Changes of earlier events written now, with the index of the event that showed them to be
    /// the newest.
    stored: Vec<(usize, Change)>,
    /// Indexes of the events in whose second the last resort chose a snapshot.
    undecided: HashSet<usize>,
}

/// An object's snapshots in these events.
struct Offered<'a> {
    event: &'a Underway<'a>,
    change: &'a Change,
    /// Timestamps alone don't make it the newest of these.
    ties: bool,
}

/// The events' objects, each with its newest snapshot by timestamp.
fn offered<'a>(underway: &'a [Underway<'a>]) -> BTreeMap<(Table, &'a str), Offered<'a>> {
    let mut objects: BTreeMap<(Table, &str), Offered<'_>> = BTreeMap::new();
    for event in underway {
        for change in event.changes {
            let offer = Offered { event, change, ties: false };
            match objects.entry((Table::of(&change.snapshot), change.snapshot.id())) {
                Entry::Vacant(place) => drop(place.insert(offer)),
                Entry::Occupied(mut place) => {
                    let known = place.get_mut();
                    let ties = known.change.stamp.second() == change.stamp.second();
                    if known.change.stamp < change.stamp {
                        *known = Offered { ties, ..offer };
                    } else if ties {
                        known.ties = true;
                    }
                }
            }
        }
    }
    objects
}

async fn put(conn: &mut PgConnection, underway: &[Underway<'_>]) -> sqlx::Result<Written> {
    let mut written = Written::default();
    let mut open = offered(underway);
    let newer: Vec<_> = open.values().filter(|offer| !offer.ties).map(|offer| (offer.event.customer, offer.change)).collect();
    let put: HashSet<(Table, String)> = mirror::put(conn, &newer, Put::Newer).await?.into_iter().collect();
    open.retain(|(table, id), offer| {
        let is_put = put.contains(&(*table, (*id).to_owned()));
        if is_put {
            written.changed.insert(offer.event.n);
        }
        !is_put
    });
    written.invoices.extend(put.into_iter().filter(|(table, _)| *table == Table::Invoices).map(|(_, id)| id));
    if !open.is_empty() {
        settle(conn, underway, open, &mut written).await?;
    }
    Ok(written)
}

/// Finds the newest snapshot of objects whose events are not ordered by timestamp, using their
/// events in the inbox.
async fn settle(
    conn: &mut PgConnection,
    underway: &[Underway<'_>],
    open: BTreeMap<(Table, &str), Offered<'_>>,
    written: &mut Written,
) -> sqlx::Result<()> {
    let mut asked: BTreeSet<(&str, OffsetDateTime)> = BTreeSet::new();
    for ((_, id), offer) in &open {
        let second = offer.change.stamp.created;
        asked.extend([Some(*id), offer.change.snapshot.parent()].into_iter().flatten().map(|id| (id, second)));
    }
    let stored = inbox::neighbours(conn, &asked.into_iter().collect::<Vec<_>>()).await?;
    let stored: Vec<ParsedEvent> = stored.iter().map(|body| ParsedEvent::parse(body, None)).collect();
    let at_hand = underway.iter().map(|event| event.parsed);
    let mut choices = Vec::new();
    for ((table, id), offer) in open {
        let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
        for parsed in at_hand.clone().chain(&stored) {
            for one in Shown::all(parsed, Some(id)) {
                if Table::of(&one.change.snapshot) == table {
                    shown.entry(parsed.event.id.clone()).or_insert(one);
                }
            }
        }
        let shown: Vec<&Shown> = shown.values().collect();
        let Some(choice) = newest(&shown).filter(|choice| choice.among > 1) else { continue };
        choices.push((table, offer, shown[choice.place].change.clone(), choice.decided));
    }
    let rows: Vec<_> = choices.iter().map(|(_, offer, change, _)| (offer.event.customer, change)).collect();
    let put: HashSet<(Table, String)> = mirror::put(conn, &rows, Put::Chosen).await?.into_iter().collect();
    let mut ties = Vec::new();
    let mut decided = Vec::new();
    for (table, offer, change, is_decided) in &choices {
        let id = change.snapshot.id();
        // The event of the snapshot, if among these; else the one that showed it to be the newest.
        let of_change = underway.iter().find(|event| event.parsed.event.id == change.stamp.event_id);
        let n = of_change.map_or(offer.event.n, |event| event.n);
        if put.contains(&(*table, id.to_owned())) {
            written.changed.insert(n);
            if *table == Table::Invoices {
                written.invoices.push(id.to_owned());
            }
            if of_change.is_none() {
                written.stored.push((n, change.clone()));
            }
        }
        match change.snapshot.address() {
            _ if *is_decided => decided.push(id),
            Some((kind, id)) => ties.push((n, Tie { kind: kind.object(), object_id: id, second: change.stamp.created })),
            None => drop(written.undecided.insert(n)),
        }
    }
    inbox::ties::settled(conn, &decided).await?;
    let new = inbox::ties::note(conn, &ties.iter().map(|(_, tie)| *tie).collect::<Vec<_>>()).await?;
    written.undecided.extend(ties.iter().filter(|(_, tie)| new.contains(tie.object_id)).map(|(n, _)| *n));
    Ok(())
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
