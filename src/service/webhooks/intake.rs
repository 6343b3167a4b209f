//! Group commit: deliveries that come while others are being written are written together.
//!
//! A delivery that finds nobody writing is written at once, by itself. Under load a transaction holds as many as came during the one before,
//! so that the price of a commit and of each statement is shared. Every delivery is answered after the commit that holds it.
//!
//! A few writers share what waits. None takes deliveries of a customer whose others are being written, so that they don't wait for each
//! other's locks, and a burst about one customer is one batch.

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

/// Transactions at once in one process: while one waits for the disk, another computes.
const WRITERS: usize = 2;

/// Events of one transaction.
const MOST_AT_ONCE: usize = 64;

/// Deliveries that are worth a transaction of their own beside another one; fewer are cheaper together, even if they wait for the other.
const A_SHARE: usize = 24;

/// Deliveries that make it worth while to wait for more.
const A_BURST: usize = 4;

/// How long a burst is given to come back; a fraction of what a transaction takes.
const MOMENT: Duration = Duration::from_millis(2);

/// Deliveries that may wait, each of at most 1 MiB; Stripe sends the others again.
const MOST_WAITING: usize = 1_000;

/// Where deliveries wait for their turn; cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    desk: Mutex<Desk>,
    /// Of the writers that gather, one has the next deliveries.
    gathering: Semaphore,
    /// Told when as many wait as that one wants.
    enough: Notify,
}

/// What waits, and who is at work.
#[derive(Default)]
struct Desk {
    waiting: VecDeque<Waiting>,
    writers: usize,
    /// Deliveries that are being written, or have been a moment ago.
    underway: usize,
    /// Whose, by Stripe's ids.
    customers: HashSet<String>,
    /// How many have to wait before somebody wants to be told.
    wanted: Option<usize>,
}

impl Default for Intake {
    fn default() -> Self {
        Intake(Arc::new(Inner { desk: Mutex::default(), gathering: Semaphore::new(1), enough: Notify::new() }))
    }
}

impl Desk {
    /// Is there work for one writer more?
    fn wants_a_writer(&self) -> bool {
        !self.waiting.is_empty() && (self.writers == 0 || (self.writers < WRITERS && self.waiting.len() >= A_SHARE))
    }

    /// The next batch: a writer's share of all there is, without customers who are being written.
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
        // Nothing that could panic is done under the lock.
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In a burst, gives those who were answered together a moment to come back, and so to share a transaction with those who wait.
    async fn gather(&self, answered: usize) {
        if answered < A_BURST {
            return;
        }
        let enough = async {
            // Never closed.
            let _turn = self.0.gathering.acquire().await;
            let told = self.0.enough.notified();
            {
                let mut desk = self.desk();
                if desk.waiting.len() >= answered {
                    return;
                }
                desk.wanted = Some(answered);
            }
            let _until_then = Wanting(self);
            told.await;
        };
        let _came_or_not = tokio::time::timeout(MOMENT, enough).await;
    }
}

/// Somebody waits to be told; not any more when it is dropped.
struct Wanting<'a>(&'a Intake);

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.0.desk().wanted = None;
    }
}

/// A writer's place; given up when it is dropped, however that comes.
struct Writer {
    intake: Intake,
    underway: usize,
    customers: Vec<String>,
    gone: bool,
}

impl Writer {
    /// A place among the writers, if there is work for one more.
    fn wanted(intake: &Intake, desk: &mut Desk) -> Option<Writer> {
        desk.wants_a_writer().then(|| {
            desk.writers += 1;
            Writer { intake: intake.clone(), underway: 0, customers: Vec::new(), gone: false }
        })
    }

    /// The next batch; empty when the place is given up, and whoever hands in after that finds it free.
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

    /// Others may write these customers again.
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

/// An event that comes from Stripe.
pub struct Delivery {
    pub parsed: ParsedEvent,
    /// The span of the request that brought it.
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

/// Has a delivery stored and applied; the answer follows the commit.
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
        // A task of its own: whoever hangs up while it writes must not take the others with them.
        tokio::spawn(write_all(platform.clone(), writer));
    }
    answered.await.unwrap_or(Err(Error::Busy))
}

/// Writes what waits.
async fn write_all(platform: Platform, mut writer: Writer) {
    loop {
        let batch = writer.next();
        if batch.is_empty() {
            return;
        }
        let answered = batch.len();
        // What names no customer may belong to what comes with it, and must see it; and it alone takes the lock that stops all others.
        let (orphans, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|waiting| waiting.delivery.parsed.is_orphan());
        for batch in [others, orphans] {
            // It belongs to as many traces as it holds deliveries.
            let span = tracing::debug_span!(parent: None, "webhooks.write", deliveries = batch.len());
            for request in batch.iter().filter_map(|waiting| waiting.delivery.request.id()) {
                span.follows_from(request);
            }
            write(&platform, batch).instrument(span).await;
        }
        writer.release(&mut platform.intake.desk());
        // Those who were answered count as underway until then: they are about to come back.
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
            // Whoever was alone need not be tried once more to be the one that is refused.
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

/// Writes one, as failed if the database refuses what is in it; `refused`: why it is known to.
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
        // Nobody there: Stripe hung up, and will send it again as a duplicate.
        let _hung_up = answer.send(receipt);
    }
}

/// One transaction; `refused`: why these can't be applied, so that they are only kept.
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
        // Switched off, billing still takes what Stripe sends, and applies it when it is back.
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
