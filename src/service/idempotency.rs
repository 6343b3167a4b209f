//! Requests that are done once under a key of their sender's: whose run it is, what is kept of it, and for how long.
//!
//! A run holds its key by a lease that it renews. Once that is past, its process has died, and the same request runs again under the same id,
//! by which the work knows what it has done already. A run that can't renew its lease ends itself before that, so that no two are at work.

use super::{Error, Platform, Result};
use crate::{store::postgres::idempotency as store, telemetry};
use std::time::Duration;
use tokio::time::{Instant, interval_at, timeout};

pub use store::{Request, Run, SavedAnswer};

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A run that has not said for so long that it lives has died.
pub const LEASE: Duration = Duration::from_secs(15);

/// Whose turn it is.
#[derive(Debug)]
pub enum Begun {
    Ours(Run),
    Saved(SavedAnswer),
}

/// What a run came to.
#[derive(Debug)]
pub enum Outcome {
    /// Kept, and answered again.
    Done(SavedAnswer),
    /// Nothing was done: the key is free again.
    Refused,
    /// Something may have been done: the same request may be sent again, and goes on under the same id.
    Failed,
}

/// Between being refused and being looked at a key may go; then it is tried again.
const TRIES: usize = 3;

/// Takes the key for this request, or finds its answer.
///
/// # Errors
/// `idempotency_key_reused` when another request has the key, `idempotency_in_progress` while the same one runs.
pub async fn begin(platform: &Platform, request: &Request<'_>) -> Result<Begun> {
    let begun = try_to_begin(platform, request).await;
    let result = match &begun {
        Ok(Begun::Ours(run)) if run.is_first() => "run",
        Ok(Begun::Ours(_)) => "run_again",
        Ok(Begun::Saved(_)) => "replayed",
        Err(Error::IdempotencyKeyReused) => "reused",
        Err(Error::IdempotencyInProgress) => "in_progress",
        Err(_) => "failed",
    };
    metrics::counter!(telemetry::IDEMPOTENT_REQUESTS, "result" => result).increment(1);
    begun
}

async fn try_to_begin(platform: &Platform, request: &Request<'_>) -> Result<Begun> {
    for _ in 0..TRIES {
        if let Some(run) = store::claim(&platform.db, request, platform.clock.now(), LEASE, KEPT).await? {
            return Ok(Begun::Ours(run));
        }
        match store::standing(&platform.db, request).await? {
            Some(store::Standing::Done(answer)) => return Ok(Begun::Saved(answer)),
            Some(store::Standing::Running) => return Err(Error::IdempotencyInProgress),
            Some(store::Standing::Other) => return Err(Error::IdempotencyKeyReused),
            None => {}
        }
    }
    Err(Error::IdempotencyInProgress)
}

/// Renews a run's lease again and again, and ends when it is lost: taken over, or about to be over because the database is away.
pub async fn until_lost(platform: &Platform, run: Run, lease: Duration) {
    let pace = lease / 3;
    let mut renewed = Instant::now();
    let mut turns = interval_at(renewed + pace, pace);
    loop {
        turns.tick().await;
        let now = Instant::now();
        match timeout(pace, store::renew(&platform.db, run, platform.clock.now() + lease)).await {
            Ok(Ok(true)) => renewed = now,
            Ok(Ok(false)) => return tracing::warn!(run = %run.id, "another run has taken this one's idempotency key over"),
            Ok(Err(error)) => tracing::warn!(%error, run = %run.id, "the lease of an idempotency key"),
            Err(_) => tracing::warn!(run = %run.id, "the lease of an idempotency key: the database does not answer"),
        }
        if renewed.elapsed() + pace >= lease {
            return;
        }
    }
}

/// Keeps what a run came to; nothing if it is no longer ours.
pub async fn settle(platform: &Platform, run: Run, outcome: &Outcome) -> Result<()> {
    let ours = match outcome {
        Outcome::Done(answer) => store::finish(&platform.db, run, answer, platform.clock.now()).await?,
        Outcome::Refused => store::release(&platform.db, run).await?,
        Outcome::Failed => store::fail(&platform.db, run, platform.clock.now()).await?,
    };
    if !ours {
        tracing::warn!(run = %run.id, "another run has taken this one's idempotency key over");
    }
    Ok(())
}

/// Removes what is no longer kept; how many keys there were.
pub async fn remove_expired(platform: &Platform) -> Result<u64> {
    Ok(store::delete_expired(&platform.db, platform.clock.now()).await?)
}
