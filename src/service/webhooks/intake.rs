//! Group commit: deliveries that arrive while others are being written are written together.
//!
//! Without load, a delivery is written at once, alone. Under load a transaction contains the
//! deliveries that arrived during the previous one, which shares the cost of a commit and of each
//! statement. Every delivery is answered after its commit.
//!
//! A few writers share the queue. A writer skips deliveries of customers that another writer is
//! writing, so that they don't wait for each other's locks, and a burst about one customer is one
//! batch.

use super::{Receipt, Tried, count, fetch, tell_metrics};
use crate::{
    service::{
        Error, Platform, Result, features,
        webhooks::apply::{ApplyError, Outcome, apply, prefetch},
    },
    store::postgres::{
        inbox::{self, Record},
        mirror, storage,
    },
    stripe::webhook::parsed::ParsedEvent,
};
use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, oneshot};
use tracing::{Instrument, Span};

/// Concurrent transactions per process: while one waits for the disk, another computes.
const WRITERS: usize = 2;

/// Events per transaction.
const MOST_AT_ONCE: usize = 64;

/// Minimum deliveries for an additional writer; fewer are cheaper in the next batch.
const A_SHARE: usize = 24;

/// Number of deliveries that makes waiting for more worthwhile.
const A_BURST: usize = 4;

/// How long to wait for a burst's next deliveries; a fraction of a transaction's duration.
const MOMENT: Duration = Duration::from_millis(2);

/// Maximum number of queued deliveries, each of at most 1 MiB; Stripe retries the others.
const MOST_WAITING: usize = 1_000;

/// The queue of deliveries; cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    desk: Mutex<Desk>,
    /// One of the gathering writers takes the next deliveries.
    gathering: Semaphore,
    /// Notified when the queue has as many as that writer waits for.
    enough: Notify,
}

/// The queue and the writers' state.
#[derive(Default)]
struct Desk {
    waiting: VecDeque<Waiting>,
    writers: usize,
    /// Deliveries being written, or just written.
    underway: usize,
    /// Their customers, by Stripe's ids.
    customers: HashSet<String>,
    /// The queue length at which the waiting writer is notified.
    wanted: Option<usize>,
}

impl Default for Intake {
    fn default() -> Self {
        Intake(Arc::new(Inner { desk: Mutex::default(), gathering: Semaphore::new(1), enough: Notify::new() }))
    }
}

impl Desk {
    /// Whether another writer is worthwhile.
    fn needs_a_writer(&self) -> bool {
        !self.waiting.is_empty() && (self.writers == 0 || (self.writers < WRITERS && self.waiting.len() >= A_SHARE))
    }

    /// The next batch: a writer's share of the queue, without customers being written.
    fn take(&mut self) -> Vec<Waiting> {
        let share = (self.waiting.len() + self.underway).div_ceil(WRITERS).clamp(A_SHARE, MOST_AT_ONCE);
        let (mut batch, mut left) = (Vec::with_capacity(share), VecDeque::new());
        for waiting in self.waiting.drain(..) {
            let free = waiting.customer().is_none_or(|customer| !self.customers.contains(customer));
            if free && batch.len() < share { batch.push(waiting) } else { left.push_back(waiting) }
        }
        self.waiting = left;
        self.underway += batch.len();
        self.customers.extend(batch.iter().filter_map(|waiting| waiting.customer().map(str::to_owned)));
        batch
    }
}

impl Intake {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // No code under the lock can panic.
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In a burst, waits briefly for clients answered together, so that their next deliveries share
    /// a transaction with the queue.
    async fn gather(&self, answered: usize) {
        if answered < A_BURST {
            return;
        }
        let enough = async {
            // Never closed.
            let _turn = self.0.gathering.acquire().await;
            let notified = self.0.enough.notified();
            {
                let mut desk = self.desk();
                if desk.waiting.len() >= answered {
                    return;
                }
                desk.wanted = Some(answered);
            }
            let _until_then = Wanting(self);
            notified.await;
        };
        let _came_or_not = tokio::time::timeout(MOMENT, enough).await;
    }
}

/// A waiting writer; deregisters on drop.
struct Wanting<'a>(&'a Intake);

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.0.desk().wanted = None;
    }
}

/// A writer's slot; released on drop.
struct Writer {
    intake: Intake,
    underway: usize,
    customers: Vec<String>,
    gone: bool,
}

impl Writer {
    /// A slot, if another writer is worthwhile.
    fn wanted(intake: &Intake, desk: &mut Desk) -> Option<Writer> {
        desk.needs_a_writer().then(|| {
            desk.writers += 1;
            Writer { intake: intake.clone(), underway: 0, customers: Vec::new(), gone: false }
        })
    }

    /// The next batch; if it is empty, the slot is already released for later deliveries.
    fn next(&mut self) -> Vec<Waiting> {
        let intake = self.intake.clone();
        let mut desk = intake.desk();
        desk.underway -= std::mem::take(&mut self.underway);
        let batch = desk.take();
        if batch.is_empty() {
            self.leave(&mut desk);
        }
        self.underway = batch.len();
        self.customers = batch.iter().filter_map(|waiting| waiting.customer().map(str::to_owned)).collect();
        batch
    }

    /// Releases these customers to other writers.
    fn release(&mut self, desk: &mut Desk) {
        for customer in self.customers.drain(..) {
            desk.customers.remove(&customer);
        }
    }

    fn leave(&mut self, desk: &mut Desk) {
        self.release(desk);
        desk.underway -= std::mem::take(&mut self.underway);
        desk.writers -= usize::from(!std::mem::replace(&mut self.gone, true));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let intake = self.intake.clone();
        self.leave(&mut intake.desk());
    }
}

/// An authentic event.
pub struct Delivery {
    pub parsed: ParsedEvent,
    /// The span of its request.
    pub request: Span,
}

struct Waiting {
    delivery: Box<Delivery>,
    answer: oneshot::Sender<Result<Receipt>>,
}

impl Waiting {
    fn customer(&self) -> Option<&str> {
        self.delivery.parsed.stripe_customer()
    }
}

/// Queues a delivery and waits until it is stored and applied; returns after the commit.
pub async fn hand_in(platform: &Platform, delivery: Delivery) -> Result<Receipt> {
    let (answer, answered) = oneshot::channel();
    let intake = &platform.intake;
    let writer = {
        let mut desk = intake.desk();
        if desk.waiting.len() >= MOST_WAITING {
            return Err(Error::Busy);
        }
        desk.waiting.push_back(Waiting { delivery: Box::new(delivery), answer });
        if desk.wanted.is_some_and(|wanted| desk.waiting.len() >= wanted) {
            desk.wanted = None;
            intake.0.enough.notify_one();
        }
        Writer::wanted(intake, &mut desk)
    };
    if let Some(writer) = writer {
        // In its own task: a disconnecting client must not cancel the other deliveries.
        tokio::spawn(write_all(platform.clone(), writer));
    }
    answered.await.unwrap_or(Err(Error::Busy))
}

/// Writes the queue.
async fn write_all(platform: Platform, mut writer: Writer) {
    loop {
        let batch = writer.next();
        if batch.is_empty() {
            return;
        }
        let answered = batch.len();
        // An event without a customer may belong to others of the batch and must see them; only it
        // takes the lock that excludes all others.
        let (orphans, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|waiting| waiting.delivery.parsed.is_orphan());
        for batch in [others, orphans] {
            // It belongs to the traces of all its deliveries.
            let span = tracing::debug_span!(parent: None, "webhooks.write", deliveries = batch.len());
            for request in batch.iter().filter_map(|waiting| waiting.delivery.request.id()) {
                span.follows_from(request);
            }
            write(&platform, batch).instrument(span).await;
        }
        writer.release(&mut platform.intake.desk());
        // Answered deliveries count as being written until then: their senders are about to send
        // more.
        platform.intake.gather(answered).await;
    }
}

/// Writes these in one transaction; if the database refuses one of them, each in its own.
async fn write(platform: &Platform, batch: Vec<Waiting>) {
    if batch.is_empty() {
        return;
    }
    let deliveries: Vec<&Delivery> = batch.iter().map(|waiting| &*waiting.delivery).collect();
    match try_to_write(platform, &deliveries, None).await {
        Ok(receipts) => answer(batch.into_iter().zip(receipts.into_iter().map(Ok))),
        Err(refused @ ApplyError::Refused(_)) => {
            // A single one was already tried alone.
            let known = (batch.len() == 1).then(|| refused.to_string());
            for waiting in batch {
                write_alone(platform, waiting, known.clone()).await;
            }
        }
        Err(ApplyError::Database(error)) => {
            tracing::error!(%error, deliveries = batch.len(), "webhook events can't be stored now");
            storage::note(&error);
            let is_full = storage::is_full(&error);
            let refusal = || if is_full { Error::StorageFull(anyhow::anyhow!("{error}")) } else { Error::Busy };
            answer(batch.into_iter().map(|waiting| (waiting, Err(refusal()))));
        }
    }
}

/// Writes one, as failed if the database refuses its content; `refused`: the known reason.
async fn write_alone(platform: &Platform, waiting: Waiting, refused: Option<String>) {
    let delivery = [&*waiting.delivery];
    let written = match try_to_write(platform, &delivery, refused).await {
        Err(refused @ ApplyError::Refused(_)) => try_to_write(platform, &delivery, Some(refused.to_string())).await,
        other => other,
    };
    let receipt = match written {
        Ok(receipts) => receipts.into_iter().next().ok_or(Error::Busy),
        Err(ApplyError::Database(error)) => Err(error.into()),
        Err(refused) => Err(Error::Internal(refused.into())),
    };
    answer([(waiting, receipt)]);
}

fn answer(answers: impl IntoIterator<Item = (Waiting, Result<Receipt>)>) {
    for (Waiting { answer, .. }, receipt) in answers {
        // Stripe has disconnected, and will retry; the retry is a duplicate.
        let _hung_up = answer.send(receipt);
    }
}

/// One transaction; `refused`: why these can't be applied, so that they are only stored.
async fn try_to_write(
    platform: &Platform,
    deliveries: &[&Delivery],
    refused: Option<String>,
) -> std::result::Result<Vec<Receipt>, ApplyError> {
    let mut transaction = platform.db.begin_with(mirror::BEGIN).await?;
    let all: Vec<&ParsedEvent> = deliveries.iter().map(|delivery| &delivery.parsed).collect();
    let prefetched = prefetch(&mut transaction, &all).await?;
    let mut seen = prefetched.stored.clone();
    let new: Vec<&Delivery> = deliveries.iter().copied().filter(|delivery| seen.insert(delivery.parsed.event.id.clone())).collect();
    let parsed: Vec<&ParsedEvent> = new.iter().map(|delivery| &delivery.parsed).collect();
    let tried: Vec<Tried> = match refused {
        Some(reason) => parsed.iter().map(|parsed| Tried::new(Outcome::Unreadable { reason: reason.clone() }, &parsed.event, 0)).collect(),
        // While billing is off, events are stored, and applied when it is on again.
        None if !features::current(platform).billing_enabled => parsed.iter().map(|_| Tried::WAITING).collect(),
        None => {
            let outcomes = apply(&mut transaction, &parsed, &prefetched).await?;
            let tried = |(parsed, outcome): (&&ParsedEvent, Outcome)| {
                if fetch::waits(platform, &parsed.event) { Tried::WAITING } else { Tried::new(outcome, &parsed.event, 0) }
            };
            parsed.iter().zip(outcomes).map(tried).collect()
        }
    };
    let records: Vec<Record<'_>> = new
        .iter()
        .zip(&tried)
        .map(|(delivery, tried)| Record {
            event: &delivery.parsed.event,
            body: &delivery.parsed.body,
            attempt: tried.attempt(),
            subject_id: delivery.parsed.subject_id(),
            changed: tried.changed,
        })
        .collect();
    let mut stored =
        if records.is_empty() { HashSet::new() } else { inbox::store(&mut transaction, &records, platform.clock.now()).await? };
    let to_fetch: Vec<&str> =
        parsed.iter().map(|parsed| &parsed.event).filter(|event| fetch::waits(platform, event)).map(|event| event.id.as_str()).collect();
    if !to_fetch.is_empty() {
        inbox::fetch::postpone_new(&mut transaction, &to_fetch).await?;
    }
    transaction.commit().await?;
    for (delivery, tried) in new.iter().zip(&tried).filter(|(delivery, _)| stored.contains(&delivery.parsed.event.id)) {
        tell_metrics(platform, &delivery.parsed.event, tried);
        if let Some(customer) = tried.customer {
            delivery.request.record("customer", tracing::field::display(customer));
        }
    }
    let receipts = deliveries.iter().map(|delivery| {
        let duplicate = !stored.remove(&delivery.parsed.event.id);
        if duplicate {
            count(&delivery.parsed.event, "duplicate");
        }
        Receipt { received: true, duplicate }
    });
    Ok(receipts.collect())
}
