//! Reconciliation: the mirror, the usage and the inbox against Stripe, object by object.
//!
//! A run reads both sides in the same order, holds no more of them than a few pages, and keeps where it is. What differs is suspected first
//! and looked at once more at the end: a webhook may have been on its way. Only a run that has seen everything says that all is well.

mod events;
mod repair;
mod run;
mod second_look;
mod streams;
mod usage;

pub use repair::{repair, repair_all};
pub use run::{Listener, Progress, Work};

use super::{Error, Platform, Result, features, parameter, webhooks::By};
use crate::{
    domain::{
        identity::CustomerId,
        invoice::Pagination,
        money::Currency,
        reconcile::{
            DiscrepancyPage, FoundDiscrepancy, Kind, Reconciliation, ReconciliationDetail, ReconciliationPage, ReconciliationStatus,
            ReconciliationSummary,
        },
    },
    service::accounts::Origin,
    store::postgres::{
        accounts,
        audit::{self, Entry},
        backfill::Lead,
        reconcile::{self as store, Begin, Run, found},
    },
    telemetry,
};
use run::Stage;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Discrepancies that the answer to a run holds at most.
const MOST_ANSWERED: i64 = 1000;
/// Who starts what nobody asks for.
const SYSTEM: &str = "system";

/// What is to be compared, as it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub customer_id: Option<String>,
    /// Objects made in `[from, to)`: instants, or dates, of which the last one counts whole.
    pub from: Option<String>,
    pub to: Option<String>,
    #[serde(default)]
    pub repair: bool,
}

/// What is to be compared.
#[derive(Clone, Copy, Debug)]
struct Scope {
    customer: Option<CustomerId>,
    from: Option<OffsetDateTime>,
    to: OffsetDateTime,
}

impl Scope {
    async fn of(platform: &Platform, asked: &Asked) -> Result<Scope> {
        // Stripe's clock ticks in seconds.
        let second = |at: OffsetDateTime| at.replace_nanosecond(0).unwrap_or(at);
        let now = second(platform.clock.now()) + Duration::SECOND;
        let instant = |name, text: &Option<String>, shift| {
            parameter::given(text.clone()).map(|text| parameter::instant(name, &text, shift).map(second)).transpose()
        };
        let from = instant("from", &asked.from, Duration::ZERO)?;
        let to = instant("to", &asked.to, Duration::DAY)?.map_or(now, |to| to.min(now));
        if from.is_some_and(|from| from >= to) {
            return Err(Error::invalid("from", "wants an instant before `to`, and not in the future"));
        }
        let Some(named) = parameter::given(asked.customer_id.clone()) else { return Ok(Scope { customer: None, from, to }) };
        let unknown = || Error::invalid("customer_id", "names no customer");
        let customer = CustomerId(named.parse().map_err(|_| unknown())?);
        if accounts::customer_name(&platform.db, customer).await?.is_none() {
            return Err(unknown());
        }
        if accounts::stripe_id(&platform.db, customer).await?.is_none() {
            return Err(Error::invalid("customer_id", "names a customer that Stripe does not know"));
        }
        Ok(Scope { customer: Some(customer), from, to })
    }
}

/// What became of asking for a run.
pub enum Begun {
    /// The run of this request is over.
    Ended(Uuid),
    /// It is ours to carry out.
    Ours(Box<Work>),
}

/// Begins a run, or takes up the unfinished one of the same request.
///
/// # Errors
/// `stripe_not_configured`; `invalid_parameter`; `reconciliation_running` while another process has one of the same scope.
#[tracing::instrument(name = "reconcile.begin", level = "debug", skip_all)]
pub async fn begin(platform: &Platform, by: &By, asked: &Asked, request: Option<Uuid>, dry_run: bool) -> Result<Begun> {
    platform.stripe()?;
    if let Some(known) = find(platform, request).await? {
        return known_run(platform, known).await;
    }
    let scope = Scope::of(platform, asked).await?;
    let lead = lead(platform, scope.customer).await?.ok_or_else(busy)?;
    // Somebody with the same request may have had the lead until now.
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

/// The run of a request that came before.
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

/// Takes up an unfinished run where it was. None while another process is at it, or when it is over by now.
async fn resume(platform: &Platform, id: Uuid) -> Result<Option<Work>> {
    let Some(run) = store::run(&platform.db, id).await? else { return Ok(None) };
    let Some(lead) = lead(platform, run.customer).await? else { return Ok(None) };
    store::take_up(&platform.db, id, platform.clock.now()).await?;
    // As it is now that nobody else works on it.
    match store::run(&platform.db, id).await?.filter(|run| run.status == ReconciliationStatus::Running) {
        Some(run) => {
            tracing::info!(reconciliation_id = %id, stage = run.stage, rows = run.rows_checked, "a reconciliation goes on where it was");
            Ok(Some(Work { platform: platform.clone(), run, lead }))
        }
        None => {
            lead.give_up().await?;
            Ok(None)
        }
    }
}

async fn lead(platform: &Platform, customer: Option<CustomerId>) -> Result<Option<Lead>> {
    let key = store::lock_key(&platform.db, customer).await?;
    Ok(Lead::of_key(&platform.db, key).await?)
}

fn busy() -> Error {
    Error::Conflict {
        code: "reconciliation_running",
        detail: "a reconciliation of the same scope is running; look at it, or wait for its end".into(),
    }
}

async fn add(platform: &Platform, by: &By, scope: Scope, repair: bool, request: Option<Uuid>, dry_run: bool) -> Result<Run> {
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
        audit::record(&mut tx, entry("reconciliation.started", by, scope.customer, data)).await?;
    }
    tx.commit().await?;
    store::run(&platform.db, id).await?.ok_or(MISSING)
}

fn entry<'a>(event_type: &'a str, by: &'a By, customer: Option<CustomerId>, data: serde_json::Value) -> Entry<'a> {
    Entry {
        event_type,
        actor: &by.actor,
        customer,
        data,
        ip_address: by.origin.ip_address.as_deref(),
        user_agent: by.origin.user_agent.as_deref(),
    }
}

/// Runs a reconciliation to its end. It goes on by itself when whoever asked has gone: the same request again finds it.
///
/// # Errors
/// As [`begin`]; `reconciliation_failed`, with what it covered; `reconciliation_cancelled`.
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
    answer(platform, summary).await
}

/// Begins a reconciliation that goes on by itself, and gives its id.
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

async fn answer(platform: &Platform, summary: ReconciliationSummary) -> Result<Reconciliation> {
    let (Some(timestamp), Some(within_tolerance)) = (summary.finished_at, summary.within_tolerance) else {
        let detail = summary.error.unwrap_or_else(|| "it is not over yet".into());
        return Err(match summary.status {
            ReconciliationStatus::Cancelled => Error::Conflict { code: "reconciliation_cancelled", detail },
            _ => Error::ReconciliationFailed(detail),
        });
    };
    Ok(Reconciliation {
        success: true,
        reconciliation_id: summary.id,
        timestamp,
        checked: summary.checked,
        discrepancies: found::page(&platform.db, summary.id, None, MOST_ANSWERED, 0).await?,
        discrepancy_count: summary.discrepancies,
        total_discrepancy_amount: summary.currency_totals.get(&Currency::USD).copied().unwrap_or(0),
        currency_totals: summary.currency_totals,
        within_tolerance,
        repaired: summary.repaired,
    })
}

/// One page of the runs, newest first.
#[tracing::instrument(name = "reconcile.list", level = "debug", skip_all)]
pub async fn list(platform: &Platform, page: Option<String>, limit: Option<String>) -> Result<ReconciliationPage> {
    let (page, limit) = paging(page, limit)?;
    let (reconciliations, total) = store::list(&platform.db, i64::from(limit), i64::from(page - 1) * i64::from(limit)).await?;
    Ok(ReconciliationPage { reconciliations, pagination: pagination(page, limit, total), stripe_configured: platform.stripe.is_some() })
}

/// One run with a page of what it found, or has found so far.
#[tracing::instrument(name = "reconcile.detail", level = "debug", skip_all)]
pub async fn detail(
    platform: &Platform,
    id: &str,
    kind: Option<String>,
    page: Option<String>,
    limit: Option<String>,
) -> Result<ReconciliationDetail> {
    let (page, limit) = paging(page, limit)?;
    let kind = parameter::given(kind).map(|text| text.parse::<Kind>().map_err(|detail| Error::invalid("kind", detail))).transpose()?;
    let mut summary = store::summary(&platform.db, named(id)?).await?.ok_or(MISSING)?;
    let mut conn = platform.db.acquire().await?;
    let sum = found::sum(&mut conn, summary.id).await?;
    let total = match kind {
        Some(kind) => sum.kinds.iter().find(|count| count.kind == kind).map_or(0, |count| count.count),
        None => sum.count,
    };
    if summary.status == ReconciliationStatus::Running {
        (summary.discrepancies, summary.currency_totals) = (sum.count, sum.totals);
    }
    drop(conn);
    let discrepancies = found::page(&platform.db, summary.id, kind, i64::from(limit), i64::from(page - 1) * i64::from(limit)).await?;
    Ok(ReconciliationDetail {
        summary,
        found: DiscrepancyPage { discrepancies, kinds: sum.kinds, pagination: pagination(page, limit, total) },
    })
}

/// The first discrepancies of a run, a thousand at most, those of the most money first.
pub async fn first_found(platform: &Platform, id: &str) -> Result<Vec<FoundDiscrepancy>> {
    Ok(found::page(&platform.db, named(id)?, None, MOST_ANSWERED, 0).await?)
}

fn paging(page: Option<String>, limit: Option<String>) -> Result<(u32, u32)> {
    let page = parameter::number("page", page, 1, 1..=u32::MAX)?;
    Ok((page, parameter::number("limit", limit, parameter::DEFAULT_LIMIT, 1..=parameter::MAX_LIMIT)?))
}

fn pagination(page: u32, limit: u32, total: i64) -> Pagination {
    let total = u64::try_from(total).unwrap_or(0);
    Pagination { page, limit, total, total_pages: total.div_ceil(u64::from(limit)) }
}

/// Ends a run early: at once when nobody works on it, else within a second.
pub async fn cancel(platform: &Platform, by: &By, id: &str) -> Result<ReconciliationSummary> {
    let id = named(id)?;
    let run = store::run(&platform.db, id).await?.ok_or(MISSING)?;
    let mut tx = platform.db.begin().await?;
    if store::ask_to_cancel(&mut tx, id, platform.clock.now()).await? {
        audit::record(&mut tx, entry("reconciliation.cancel_requested", by, run.customer, json!({"reconciliation_id": id}))).await?;
    }
    tx.commit().await?;
    if run.status == ReconciliationStatus::Running
        && let Some(work) = resume(platform, id).await?
    {
        let cancelled = CancellationToken::new();
        cancelled.cancel();
        let silent: Listener = Arc::new(|_| ());
        return work.carry_out(&silent, &cancelled).await;
    }
    store::summary(&platform.db, id).await?.ok_or(MISSING)
}

/// Takes up what was interrupted, and begins the nightly run when its hour has come. How many runs that were.
pub async fn tend(platform: &Platform) -> Result<usize> {
    if platform.stripe.is_none() || !features::current(platform).billing_enabled {
        return Ok(0);
    }
    let silent: Listener = Arc::new(|_| ());
    let mut runs = 0;
    for id in store::running(&platform.db).await? {
        if let Some(work) = resume(platform, id).await? {
            work.carry_out(&silent, &CancellationToken::new()).await?;
            runs += 1;
        }
    }
    if let Some(work) = nightly(platform).await? {
        work.carry_out(&silent, &CancellationToken::new()).await?;
        runs += 1;
    }
    let settings = &platform.config.file.reconcile;
    let now = platform.clock.now();
    store::forget(&platform.db, now - Duration::days(i64::from(settings.keep_days)), now - Duration::DAY).await?;
    Ok(runs)
}

/// How long after its hour the nightly run still begins.
const NIGHT: Duration = Duration::hours(3);

async fn nightly(platform: &Platform) -> Result<Option<Work>> {
    let settings = &platform.config.file.reconcile;
    if !settings.nightly {
        return Ok(None);
    }
    let now = platform.clock.now();
    let today = now.replace_time(time::Time::MIDNIGHT) + Duration::hours(i64::from(settings.nightly_hour));
    let due = if today <= now { today } else { today - Duration::DAY };
    if now - due >= NIGHT || store::began_since(&platform.db, SYSTEM, due).await? {
        return Ok(None);
    }
    let Some(lead) = lead(platform, None).await? else { return Ok(None) };
    // Another replica may have begun and ended since.
    if store::began_since(&platform.db, SYSTEM, due).await? {
        lead.give_up().await?;
        return Ok(None);
    }
    let by = By { actor: SYSTEM.to_owned(), origin: Origin::default() };
    let scope = Scope::of(platform, &Asked::default()).await?;
    let run = add(platform, &by, scope, false, None, false).await?;
    Ok(Some(Work { platform: platform.clone(), run, lead }))
}

/// Tells the metrics what the last complete run of everybody came to, whichever process ran it.
pub async fn measure(platform: &Platform) -> Result<()> {
    let Some(last) = store::last_complete(&platform.db).await? else { return Ok(()) };
    let mut conn = platform.db.acquire().await?;
    let sum = found::sum(&mut conn, last.id).await?;
    for currency in store::currencies(&platform.db).await? {
        let amount = last.currency_totals.get(&currency).copied().unwrap_or(0);
        metrics::gauge!(telemetry::RECONCILE_DISCREPANCY_MINOR_UNITS, "currency" => currency.code().to_owned()).set(amount as f64);
    }
    for kind in Kind::ALL {
        let count = sum.kinds.iter().find(|count| count.kind == kind).map_or(0, |count| count.count);
        metrics::gauge!(telemetry::RECONCILE_DISCREPANCIES, "kind" => kind.as_str()).set(count as f64);
    }
    metrics::gauge!(telemetry::RECONCILE_CHECKED).set(last.rows_checked as f64);
    if let Some(at) = last.finished_at {
        metrics::gauge!(telemetry::RECONCILE_LAST_COMPLETED).set(at.unix_timestamp() as f64);
    }
    Ok(())
}

fn named(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| MISSING)
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

const MISSING: Error = Error::NotFound("reconciliation");
