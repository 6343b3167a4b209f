//! Reconciliation: compares the mirror, the usage and the inbox with Stripe, object by object.
//!
//! A run reads both sides in the same order, buffers a few pages, and stores its position. A
//! difference is first a suspect and is compared again at the end, because a webhook may have been
//! on its way. Only a completed run has a verdict.

mod begin;
mod confirm;
mod events;
mod repair;
mod reports;
mod run;
mod scheduled;
mod scope;
mod streams;
mod usage;

pub use begin::{Begun, begin};
pub use repair::{repair, repair_all};
pub use reports::{detail, first_found, list};
pub use run::{Listener, Progress, Work};
pub use scheduled::{measure, tend};
pub use scope::Asked;

use super::{Error, Platform, Result, actor::By};
use crate::{
    domain::reconcile::{Reconciliation, ReconciliationStatus, ReconciliationSummary},
    store::postgres::{audit, reconcile as store},
};
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MISSING: Error = Error::NotFound("reconciliation");

/// Runs a reconciliation to its end. It continues if the client disconnects: repeating the request
/// finds it.
///
/// # Errors
/// As [`begin`]; `reconciliation_failed` with what it covered; `reconciliation_cancelled`.
pub async fn reconcile(platform: &Platform, by: &By, asked: &Asked, request: Option<Uuid>) -> Result<Reconciliation> {
    let id = match begin(platform, by, asked, request, false).await? {
        Begun::Ended(id) => id,
        Begun::Ours(work) => {
            let id = work.id();
            spawn(*work).await.map_err(|error| Error::Internal(error.into()))??;
            id
        }
    };
    let summary = store::summary(&platform.db, id).await?.ok_or(MISSING)?;
    reports::answer(platform, summary).await
}

/// Starts a reconciliation in the background and returns its id.
///
/// # Errors
/// As [`begin`].
pub async fn start(platform: &Platform, by: &By, asked: &Asked) -> Result<Uuid> {
    match begin(platform, by, asked, None, false).await? {
        Begun::Ended(id) => Ok(id),
        Begun::Ours(work) => {
            let id = work.id();
            drop(spawn(*work));
            Ok(id)
        }
    }
}

fn spawn(work: Work) -> tokio::task::JoinHandle<Result<ReconciliationSummary>> {
    let silent: Listener = Arc::new(|_| ());
    tokio::spawn(async move { work.carry_out(&silent, &CancellationToken::new()).await })
}

/// Cancels a run: at once if no process is working on it, else within a second.
pub async fn cancel(platform: &Platform, by: &By, id: &str) -> Result<ReconciliationSummary> {
    let id = named(id)?;
    let run = store::run(&platform.db, id).await?.ok_or(MISSING)?;
    let mut tx = platform.db.begin().await?;
    if store::ask_to_cancel(&mut tx, id, platform.clock.now()).await? {
        audit::record(&mut tx, by.entry("reconciliation.cancel_requested", run.customer, json!({"reconciliation_id": id}))).await?;
    }
    tx.commit().await?;
    if run.status == ReconciliationStatus::Running
        && let Some(work) = begin::resume(platform, id).await?
    {
        let cancelled = CancellationToken::new();
        cancelled.cancel();
        let silent: Listener = Arc::new(|_| ());
        return work.carry_out(&silent, &cancelled).await;
    }
    store::summary(&platform.db, id).await?.ok_or(MISSING)
}

fn named(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| MISSING)
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
