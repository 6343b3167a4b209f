//! Reports of runs.

use super::{Error, MISSING, Platform, Result, named};
use crate::{
    domain::{
        error_code::ErrorCode,
        list::{DiscrepancyFilter, EveryRun, ListQuery, Pagination},
        money::Currency,
        reconcile::{
            DiscrepancyPage, FoundDiscrepancy, Reconciliation, ReconciliationDetail, ReconciliationPage, ReconciliationStatus,
            ReconciliationSummary,
        },
    },
    service::parameter::{paging, value},
    store::postgres::reconcile::{self as store, found},
};

/// Maximum number of discrepancies in the response to a run.
pub(super) const MOST_ANSWERED: i64 = 1000;

pub(super) async fn answer(platform: &Platform, summary: ReconciliationSummary) -> Result<Reconciliation> {
    let (Some(timestamp), Some(within_tolerance)) = (summary.finished_at, summary.within_tolerance) else {
        let detail = summary.error.unwrap_or_else(|| "it has not ended yet".into());
        return Err(match summary.status {
            ReconciliationStatus::Cancelled => Error::Refused { code: ErrorCode::ReconciliationCancelled, detail },
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

/// A page of the runs, newest first.
#[tracing::instrument(name = "reconcile.list", level = "debug", skip_all)]
pub async fn list(platform: &Platform, query: ListQuery<EveryRun>) -> Result<ReconciliationPage> {
    let (page, limit) = paging(query.paging, u32::MAX)?;
    let (reconciliations, total) = store::list(&platform.db, i64::from(limit.0), page.offset(limit)).await?;
    let pagination = Pagination::new(page, limit, u64::try_from(total).unwrap_or(0));
    Ok(ReconciliationPage { reconciliations, pagination, stripe_configured: platform.stripe.is_some() })
}

/// A run with a page of its discrepancies so far.
#[tracing::instrument(name = "reconcile.detail", level = "debug", skip_all)]
pub async fn detail(platform: &Platform, id: &str, query: ListQuery<DiscrepancyFilter>) -> Result<ReconciliationDetail> {
    let (page, limit) = paging(query.paging, u32::MAX)?;
    let kind = value("kind", query.filter.kind)?;
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
    let discrepancies = found::page(&platform.db, summary.id, kind, i64::from(limit.0), page.offset(limit)).await?;
    Ok(ReconciliationDetail {
        summary,
        found: DiscrepancyPage {
            discrepancies,
            kinds: sum.kinds,
            pagination: Pagination::new(page, limit, u64::try_from(total).unwrap_or(0)),
        },
    })
}

/// A run's first discrepancies, at most a thousand, largest amounts first.
pub async fn first_found(platform: &Platform, id: &str) -> Result<Vec<FoundDiscrepancy>> {
    Ok(found::page(&platform.db, named(id)?, None, MOST_ANSWERED, 0).await?)
}
