//! Group commit: deliveries that come while others are being written are written together.
//!
//! A delivery that finds nobody writing is written at once, by itself. Under load a transaction holds as many as came during the one before,
//! so that the price of a commit and of each statement is shared. Every delivery is answered after the commit that holds it.

use super::{Receipt, Tried, count, fetch, tell_metrics};
use crate::{
    service::{Error, Platform, Result, features},
    store::postgres::inbox::{self, Record},
    stripe::webhook::apply::{ApplyError, Opened, Outcome, apply},
};
use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, oneshot};

/// Transactions at once in one process. What comes in a burst is mostly one customer's, so that two would wait for each other's locks; one
/// makes the batches larger instead.
const WRITERS: usize = 1;

/// The statements of a batch take arrays of any length, and are the same for all of them: to plan each anew costs more than it gives.
const BEGIN: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan";

/// Events of one transaction.
const MOST_AT_ONCE: usize = 64;

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
    waiting: Mutex<VecDeque<Waiting>>,
    writers: Semaphore,
    /// Told when `wanted` deliveries wait.
    enough: Notify,
    wanted: AtomicUsize,
}

impl Default for Intake {
    fn default() -> Self {
        Intake(Arc::new(Inner {
            waiting: Mutex::default(),
            writers: Semaphore::new(WRITERS),
            enough: Notify::new(),
            wanted: AtomicUsize::new(usize::MAX),
        }))
    }
}

impl Intake {
    /// In a burst, gives those who were answered together a moment to come back, and so to share a transaction with those who wait.
    async fn gather(&self, answered: usize) {
        let waiting = self.waiting().len();
        let expected = (waiting + answered).min(MOST_AT_ONCE);
        if expected < A_BURST || waiting >= expected {
            return;
        }
        self.0.wanted.store(expected, Ordering::Relaxed);
        let _came_or_not = tokio::time::timeout(MOMENT, self.0.enough.notified()).await;
        self.0.wanted.store(usize::MAX, Ordering::Relaxed);
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        // Nothing that could panic is done under the lock.
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that comes from Stripe, and its meaning.
pub struct Delivery {
    pub opened: Opened,
    pub body: String,
}

struct Waiting {
    delivery: Delivery,
    answer: oneshot::Sender<Result<Receipt>>,
}

/// Has a delivery stored and applied; the answer follows the commit.
pub async fn hand_in(platform: &Platform, delivery: Delivery) -> Result<Receipt> {
    let (answer, answered) = oneshot::channel();
    {
        let mut waiting = platform.intake.waiting();
        if waiting.len() >= MOST_WAITING {
            return Err(Error::Busy);
        }
        waiting.push_back(Waiting { delivery, answer });
        if waiting.len() >= platform.intake.0.wanted.load(Ordering::Relaxed) {
            platform.intake.0.enough.notify_one();
        }
    }
    if platform.intake.0.writers.available_permits() > 0 {
        // A task of its own: whoever hangs up while it writes must not take the others with them.
        tokio::spawn(write_all(platform.clone()));
    }
    answered.await.unwrap_or(Err(Error::Busy))
}

/// Writes what waits, unless enough others are doing so.
async fn write_all(platform: Platform) {
    // Whoever hands in after the last look finds a writer's place free again, so that nothing is left lying.
    while !platform.intake.waiting().is_empty() {
        let Ok(_writer) = platform.intake.0.writers.try_acquire() else { return };
        loop {
            let batch: Vec<Waiting> = {
                let mut waiting = platform.intake.waiting();
                let many = waiting.len().min(MOST_AT_ONCE);
                waiting.drain(..many).collect()
            };
            if batch.is_empty() {
                break;
            }
            let answered = batch.len();
            // What names no customer may belong to what comes with it, and must see it; and it alone takes the lock that stops all others.
            let (orphans, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|waiting| waiting.delivery.opened.is_orphan());
            write(&platform, others).await;
            write(&platform, orphans).await;
            platform.intake.gather(answered).await;
        }
    }
}

/// Writes these in one transaction; if the database refuses one of them, each in its own.
async fn write(platform: &Platform, batch: Vec<Waiting>) {
    if batch.is_empty() {
        return;
    }
    let deliveries: Vec<&Delivery> = batch.iter().map(|waiting| &waiting.delivery).collect();
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
            answer(batch.into_iter().map(|waiting| (waiting, Err(Error::Busy))));
        }
    }
}

/// Writes one, as failed if the database refuses what is in it; `refused`: why it is known to.
async fn write_alone(platform: &Platform, waiting: Waiting, refused: Option<String>) {
    let delivery = [&waiting.delivery];
    let written = match try_to_write(platform, &delivery, refused).await {
        Err(refused @ ApplyError::Refused(_)) => try_to_write(platform, &delivery, Some(refused.to_string())).await,
        other => other,
    };
    let receipt = match written {
        Ok(receipts) => receipts.into_iter().next().ok_or(Error::Busy),
        Err(error) => Err(Error::Internal(error.into())),
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
    let mut transaction = platform.db.begin_with(BEGIN).await?;
    let ids: Vec<&str> = deliveries.iter().map(|delivery| delivery.opened.event.id.as_str()).collect();
    let mut seen = inbox::stored(&mut *transaction, &ids).await?;
    let new: Vec<&Delivery> = deliveries.iter().copied().filter(|delivery| seen.insert(delivery.opened.event.id.clone())).collect();
    let opened: Vec<&Opened> = new.iter().map(|delivery| &delivery.opened).collect();
    let tried: Vec<Tried> = match refused {
        Some(reason) => opened.iter().map(|opened| Tried::new(Outcome::Unreadable { reason: reason.clone() }, &opened.event, 0)).collect(),
        // Switched off, billing still takes what Stripe sends, and applies it when it is back.
        None if !features::current(platform).billing_enabled => opened.iter().map(|_| Tried::WAITING).collect(),
        None => {
            let outcomes = apply(&mut transaction, &opened).await?;
            let tried = |(opened, outcome): (&&Opened, Outcome)| {
                if fetch::waits(platform, &opened.event) { Tried::WAITING } else { Tried::new(outcome, &opened.event, 0) }
            };
            opened.iter().zip(outcomes).map(tried).collect()
        }
    };
    let records: Vec<Record<'_>> = new
        .iter()
        .zip(&tried)
        .map(|(delivery, tried)| Record {
            event: &delivery.opened.event,
            body: &delivery.body,
            attempt: tried.attempt(),
            subject_id: delivery.opened.subject_id(),
            changed: tried.changed,
        })
        .collect();
    let mut stored =
        if records.is_empty() { HashSet::new() } else { inbox::store(&mut transaction, &records, platform.clock.now()).await? };
    let to_fetch: Vec<&str> =
        opened.iter().map(|opened| &opened.event).filter(|event| fetch::waits(platform, event)).map(|event| event.id.as_str()).collect();
    if !to_fetch.is_empty() {
        inbox::fetch::postpone_new(&mut transaction, &to_fetch).await?;
    }
    transaction.commit().await?;
    for (delivery, tried) in new.iter().zip(&tried).filter(|(delivery, _)| stored.contains(&delivery.opened.event.id)) {
        tell_metrics(platform, &delivery.opened.event, tried.status);
    }
    let receipts = deliveries.iter().map(|delivery| {
        let duplicate = !stored.remove(&delivery.opened.event.id);
        if duplicate {
            count(&delivery.opened.event, "duplicate");
        }
        Receipt { received: true, duplicate }
    });
    Ok(receipts.collect())
}
