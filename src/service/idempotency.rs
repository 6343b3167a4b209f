//! Idempotent requests: ownership of a key's run, its stored response, and expiry.
//!
//! A run holds its key with a lease that it renews. If the lease has expired, its process has died,
//! and the same request runs again under the same id, by which the operation knows what it has
//! already done. A run that can't renew its lease stops before it expires, so that two never run at
//! once.

use super::{Error, Platform, Result};
use crate::{store::postgres::idempotency as store, telemetry};
use std::time::Duration;
use tokio::time::{Instant, interval_at, timeout};

pub use store::{Request, Run, SavedAnswer};

/// How long a response is stored.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A run without a renewal for this long has died.
pub const LEASE: Duration = Duration::from_secs(15);

/// The claim's result.
#[derive(Debug)]
pub enum Begun {
    Ours(Run),
    Saved(SavedAnswer),
}

/// The result of a run.
#[derive(Debug)]
pub enum Outcome {
    /// Stored and returned again.
    Done(SavedAnswer),
    /// Nothing was done: the key is free again.
    Refused,
    /// It may have had effects: the same request may be repeated, and continues under the same id.
    Failed,
}

/// A key may expire between the claim and the look-up; then it is tried again.
const TRIES: usize = 3;

/// Claims the key for this request, or finds its response.
///
/// # Errors
/// `idempotency_key_reused` if another request has the key, `idempotency_in_progress` while the
/// same one runs.
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

/// Renews a run's lease until it is lost: taken over, or about to expire because the database is
/// unavailable.
pub async fn until_lost(platform: &Platform, run: Run, lease: Duration) {
    let pace = lease / 3;
    let mut renewed = Instant::now();
    let mut turns = interval_at(renewed + pace, pace);
    loop {
        turns.tick().await;
        let now = Instant::now();
        match timeout(pace, store::renew(&platform.db, run, platform.clock.now() + lease)).await {
            Ok(Ok(true)) => renewed = now,
            Ok(Ok(false)) => return tracing::warn!(run = %run.id, "another run has taken over this idempotency key"),
            Ok(Err(error)) => tracing::warn!(%error, run = %run.id, "renewing the lease of an idempotency key"),
            Err(_) => tracing::warn!(run = %run.id, "renewing the lease of an idempotency key: the database does not respond"),
        }
        if renewed.elapsed() + pace >= lease {
            return;
        }
    }
}

/// Stores a run's result, unless the run is no longer ours.
pub async fn settle(platform: &Platform, run: Run, outcome: &Outcome) -> Result<()> {
    let ours = match outcome {
        Outcome::Done(answer) => store::finish(&platform.db, run, answer, platform.clock.now()).await?,
        Outcome::Refused => store::release(&platform.db, run).await?,
        Outcome::Failed => store::fail(&platform.db, run, platform.clock.now()).await?,
    };
    if !ours {
        tracing::warn!(run = %run.id, "another run has taken over this idempotency key");
    }
    Ok(())
}

/// Deletes expired keys; returns how many.
pub async fn remove_expired(platform: &Platform) -> Result<u64> {
    Ok(store::delete_expired(&platform.db, platform.clock.now()).await?)
}
