//! Starts a run, or resumes the existing one.

use super::{Asked, Error, MISSING, Platform, Result, Work, rfc3339, run::Stage, scope::Scope};
use crate::{
    domain::{error_code::ErrorCode, identity::CustomerId, reconcile::ReconciliationStatus},
    service::actor::By,
    store::postgres::{
        audit,
        backfill::Lead,
        reconcile::{self as store, Begin, Run},
    },
};
use serde_json::json;
use uuid::Uuid;

/// The result of requesting a run.
pub enum Begun {
    /// The request's run has ended.
    Ended(Uuid),
    /// This process carries it out.
    Ours(Box<Work>),
}

/// Starts a run, or resumes the unfinished one of the same request.
///
/// # Errors
/// `stripe_not_configured`; `invalid_parameter`; `reconciliation_running` while another process
/// runs one with the same scope.
#[tracing::instrument(name = "reconcile.begin", level = "debug", skip_all)]
pub async fn begin(platform: &Platform, by: &By, asked: &Asked, request: Option<Uuid>, dry_run: bool) -> Result<Begun> {
    platform.stripe()?;
    if let Some(known) = find(platform, request).await? {
        return known_run(platform, known).await;
    }
    let scope = Scope::of(platform, asked).await?;
    let lead = lead(platform, scope.customer).await?.ok_or_else(busy)?;
    // Another process with the same request may have had the lock until now.
    if let Some(known) = find(platform, request).await? {
        lead.give_up().await?;
        return known_run(platform, known).await;
    }
    let run = add(platform, by, scope, asked.repair, request, dry_run).await?;
    Ok(Begun::Ours(Box::new(Work { platform: platform.clone(), run, lead })))
}

async fn find(platform: &Platform, request: Option<Uuid>) -> Result<Option<Uuid>> {
    match request {
        Some(request) => Ok(store::of_request(&platform.db, request).await?),
        None => Ok(None),
    }
}

/// The run of an earlier identical request.
async fn known_run(platform: &Platform, id: Uuid) -> Result<Begun> {
    let run = store::run(&platform.db, id).await?.ok_or(MISSING)?;
    if matches!(run.status, ReconciliationStatus::Completed | ReconciliationStatus::Cancelled) {
        return Ok(Begun::Ended(id));
    }
    match resume(platform, id).await? {
        Some(work) => Ok(Begun::Ours(Box::new(work))),
        None => Err(busy()),
    }
}

/// Resumes an unfinished run. None while another process is working on it, or if it has ended.
pub(super) async fn resume(platform: &Platform, id: Uuid) -> Result<Option<Work>> {
    let Some(run) = store::run(&platform.db, id).await? else { return Ok(None) };
    let Some(lead) = lead(platform, run.customer).await? else { return Ok(None) };
    store::take_up(&platform.db, id, platform.clock.now()).await?;
    // Its state now that no other process is working on it.
    match store::run(&platform.db, id).await?.filter(|run| run.status == ReconciliationStatus::Running) {
        Some(run) => {
            tracing::info!(reconciliation_id = %id, stage = run.stage, rows = run.rows_checked, "reconciliation resumed");
            Ok(Some(Work { platform: platform.clone(), run, lead }))
        }
        None => {
            lead.give_up().await?;
            Ok(None)
        }
    }
}

pub(super) async fn lead(platform: &Platform, customer: Option<CustomerId>) -> Result<Option<Lead>> {
    let key = store::lock_key(&platform.db, customer).await?;
    Ok(Lead::of_key(&platform.db, key).await?)
}

fn busy() -> Error {
    Error::refused(ErrorCode::ReconciliationRunning, ErrorCode::ReconciliationRunning.sentence())
}

pub(super) async fn add(platform: &Platform, by: &By, scope: Scope, repair: bool, request: Option<Uuid>, dry_run: bool) -> Result<Run> {
    let at = platform.clock.now();
    let begin = Begin {
        request,
        actor: &by.actor,
        ip_address: by.origin.ip_address.as_deref(),
        user_agent: by.origin.user_agent.as_deref(),
        customer: scope.customer,
        from: scope.from,
        to: scope.to,
        repair,
        dry_run,
        tolerance: platform.config.file.reconcile.tolerance(),
        stage: Stage::FIRST.as_str(),
        at,
    };
    let mut tx = platform.db.begin().await?;
    let id = store::begin(&mut tx, &begin).await?;
    if !dry_run {
        let data = json!({"reconciliation_id": id, "from": scope.from.map(rfc3339), "to": rfc3339(scope.to), "repair": repair});
        audit::record(&mut tx, by.entry("reconciliation.started", scope.customer, data)).await?;
    }
    tx.commit().await?;
    store::run(&platform.db, id).await?.ok_or(MISSING)
}
