//! Group commit: deliveries that arrive during a transaction are written together in the next one.
//!
//! A delivery that finds no writer at work is written at once, in a transaction of its own. Under
//! load a transaction holds the deliveries that arrived during the one before, which share the cost
//! of a commit and of each statement. A delivery is answered after its commit.
//!
//! A few writers share the queue. A writer skips deliveries of a customer that another writer is at
//! work on, so that writers don't wait for each other's locks, and a burst about one customer is
//! one batch.

use super::{
    Receipt,
    apply::{ApplyError, apply, prefetch},
    conclude, count, fetch, tell_metrics,
};
use crate::{
    service::{Error, Platform, Result, features},
    store::postgres::{
        inbox::{self, Attempt, Record},
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

/// Deliveries that are worth a second transaction beside a running one; fewer are cheaper in the
/// next one.
const A_SHARE: usize = 24;

/// Deliveries that make it worthwhile to wait for more.
const A_BURST: usize = 4;

/// How long a writer waits for a burst to return; a fraction of a transaction's duration.
const MOMENT: Duration = Duration::from_millis(2);

/// Deliveries in the queue, each of at most 1 MiB; Stripe sends the others again.
const MOST_WAITING: usize = 1_000;

/// The queue of deliveries and its writers; cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    queue: Mutex<Queue>,
    /// One writer at a time waits for a burst to return.
    gathering: Semaphore,
    /// Notified when as many deliveries are queued as that writer expects.
    enough: Notify,
}

/// The deliveries that wait, and the writers at work.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    writers: usize,
    /// Deliveries being written, or just written.
    underway: usize,
    /// The customers of those, by Stripe's ids.
    customers: HashSet<String>,
    /// How many queued deliveries a gathering writer expects.
    expected: Option<usize>,
}

impl Default for Intake {
    fn default() -> Self {
        Intake(Arc::new(Inner { queue: Mutex::default(), gathering: Semaphore::new(1), enough: Notify::new() }))
    }
}

impl Queue {
    /// Whether there is work for one more writer.
    fn needs_writer(&self) -> bool {
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
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that could panic is done under the lock.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a burst, waits a moment for the senders that were answered together, so that their
    /// next deliveries share a transaction.
    async fn gather(&self, answered: usize) {
        if answered < A_BURST {
            return;
        }
        let enough = async {
            // Never closed.
            let _turn = self.0.gathering.acquire().await;
            let notified = self.0.enough.notified();
            {
                let mut queue = self.queue();
                if queue.waiting.len() >= answered {
                    return;
                }
                queue.expected = Some(answered);
            }
            let _until_then = Gathering(self);
            notified.await;
        };
        let _came_or_not = tokio::time::timeout(MOMENT, enough).await;
    }
}

/// A writer gathers; no longer when this is dropped.
struct Gathering<'a>(&'a Intake);

impl Drop for Gathering<'_> {
    fn drop(&mut self) {
        self.0.queue().expected = None;
    }
}

/// A writer's place among [`WRITERS`]; freed on drop, after a panic too.
struct Writer {
    intake: Intake,
    underway: usize,
    customers: Vec<String>,
    gone: bool,
}

impl Writer {
    /// A place among the writers, if there is work for one more.
    fn if_needed(intake: &Intake, queue: &mut Queue) -> Option<Writer> {
        queue.needs_writer().then(|| {
            queue.writers += 1;
            Writer { intake: intake.clone(), underway: 0, customers: Vec::new(), gone: false }
        })
    }

    /// The next batch. Empty: the place is free again, and the next delivery gets a new writer.
    fn next(&mut self) -> Vec<Waiting> {
        let intake = self.intake.clone();
        let mut queue = intake.queue();
        queue.underway -= std::mem::take(&mut self.underway);
        let batch = queue.take();
        if batch.is_empty() {
            self.leave(&mut queue);
        }
        self.underway = batch.len();
        self.customers = batch.iter().filter_map(|waiting| waiting.customer().map(str::to_owned)).collect();
        batch
    }

    /// Others may write these customers again.
    fn release(&mut self, queue: &mut Queue) {
        for customer in self.customers.drain(..) {
            queue.customers.remove(&customer);
        }
    }

    fn leave(&mut self, queue: &mut Queue) {
        self.release(queue);
        queue.underway -= std::mem::take(&mut self.underway);
        queue.writers -= usize::from(!std::mem::replace(&mut self.gone, true));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let intake = self.intake.clone();
        self.leave(&mut intake.queue());
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

/// Has a delivery stored and applied; returns after the commit.
pub async fn hand_in(platform: &Platform, delivery: Delivery) -> Result<Receipt> {
    let (answer, answered) = oneshot::channel();
    let intake = &platform.intake;
    let writer = {
        let mut queue = intake.queue();
        if queue.waiting.len() >= MOST_WAITING {
            return Err(Error::Busy);
        }
        queue.waiting.push_back(Waiting { delivery: Box::new(delivery), answer });
        if queue.expected.is_some_and(|expected| queue.waiting.len() >= expected) {
            queue.expected = None;
            intake.0.enough.notify_one();
        }
        Writer::if_needed(intake, &mut queue)
    };
    if let Some(writer) = writer {
        // A task of its own: a client that disconnects during the transaction must not cancel the
        // other deliveries.
        tokio::spawn(write_all(platform.clone(), writer));
    }
    answered.await.unwrap_or(Err(Error::Busy))
}

/// Writes batches until the queue is empty.
async fn write_all(platform: Platform, mut writer: Writer) {
    loop {
        let batch = writer.next();
        if batch.is_empty() {
            return;
        }
        let answered = batch.len();
        // An event without a customer may belong to an object of the same batch and has to see it.
        // It takes the lock that stops all others.
        let (orphans, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|waiting| waiting.delivery.parsed.is_orphan());
        for batch in [others, orphans] {
            // It belongs to the traces of all its deliveries.
            let span = tracing::debug_span!(parent: None, "webhooks.write", deliveries = batch.len());
            for request in batch.iter().filter_map(|waiting| waiting.delivery.request.id()) {
                span.follows_from(request);
            }
            write(&platform, batch).instrument(span).await;
        }
        writer.release(&mut platform.intake.queue());
        // The answered senders count as underway until then: their next deliveries are about to
        // arrive.
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
            // A single delivery need not be tried again to find out which one is refused.
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

/// Writes one delivery, as failed if the database refuses its content; `refused`: the known reason
/// for that.
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
        // No receiver: Stripe disconnected, and will send the event again as a duplicate.
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
    let attempts: Vec<Attempt> = match refused {
        Some(reason) => parsed.iter().map(|parsed| conclude(Attempt::failed(&reason), &parsed.event, 0)).collect(),
        // While billing is switched off, events are stored; they are applied when it is on again.
        None if !features::current(platform).billing_enabled => {
            parsed.iter().map(|parsed| fetch::pending(platform, &parsed.event)).collect()
        }
        None => {
            let attempts = apply(&mut transaction, &parsed, &prefetched).await?;
            let concluded = |(parsed, attempt): (&&ParsedEvent, Attempt)| {
                if fetch::awaits_fetch(platform, &parsed.event) { Attempt::PENDING_FETCH } else { conclude(attempt, &parsed.event, 0) }
            };
            parsed.iter().zip(attempts).map(concluded).collect()
        }
    };
    let records: Vec<Record<'_>> = parsed
        .iter()
        .zip(&attempts)
        .map(|(parsed, attempt)| Record { row: None, event: &parsed.event, body: &parsed.body, subject_id: parsed.subject_id(), attempt })
        .collect();
    let mut stored = inbox::record(&mut transaction, &records, platform.clock.now()).await?;
    transaction.commit().await?;
    for (delivery, attempt) in new.iter().zip(&attempts).filter(|(delivery, _)| stored.contains(&delivery.parsed.event.id)) {
        tell_metrics(platform, &delivery.parsed.event, attempt);
        if let Some(customer) = attempt.customer {
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
