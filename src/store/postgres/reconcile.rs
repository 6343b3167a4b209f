//! Reconciliation runs: their positions and discrepancies, and the mirror as they read it.
//!
//! All of it is for staff only.

pub mod found;
pub mod mirror;

use super::decode;
use crate::domain::{
    identity::CustomerId,
    money::Currency,
    reconcile::{Checked, Millionths, ReconciliationStatus, ReconciliationSummary, Totals},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// First half of the advisory locks' keys.
const LOCK_SPACE: i32 = 0x5245_434f;

/// The advisory lock of a scope: one run at a time.
pub async fn lock_key(pool: &PgPool, customer: Option<CustomerId>) -> sqlx::Result<(i32, i32)> {
    let scope = customer.map_or_else(|| "everybody".to_owned(), |customer| customer.to_string());
    let key = sqlx::query_scalar!(r#"SELECT hashtext($1) AS "key!""#, scope).fetch_one(pool).await?;
    Ok((LOCK_SPACE, key))
}

/// A run's position within its stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Objects created at this Unix second or later are done.
    pub before: Option<i64>,
    /// The last id of its last page, for stages with another order.
    pub after: Option<String>,
}

/// The parameters of a run.
#[derive(Clone, Debug)]
pub struct Begin<'a> {
    pub request: Option<Uuid>,
    pub actor: &'a str,
    pub ip_address: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub customer: Option<CustomerId>,
    pub from: Option<OffsetDateTime>,
    pub to: OffsetDateTime,
    pub repair: bool,
    pub dry_run: bool,
    pub tolerance: Millionths,
    pub stage: &'a str,
    pub at: OffsetDateTime,
}

/// A run with the data to work on it.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: Uuid,
    pub actor: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub customer: Option<CustomerId>,
    /// Stripe's id of that customer.
    pub stripe_customer: Option<String>,
    pub from: Option<OffsetDateTime>,
    pub to: OffsetDateTime,
    pub repair: bool,
    pub dry_run: bool,
    pub tolerance: Millionths,
    pub status: ReconciliationStatus,
    pub stage: String,
    pub position: Position,
    pub checked: Checked,
    pub rows_checked: i64,
    pub rows_total: Option<i64>,
    pub started_at: OffsetDateTime,
}

/// Adds a run.
pub async fn begin(conn: &mut PgConnection, begin: &Begin<'_>) -> sqlx::Result<Uuid> {
    sqlx::query_scalar!(
        "INSERT INTO reconciliations (request, actor, ip_address, user_agent, customer_id, window_from, window_to, repair, dry_run, tolerance,
                                      status, stage, started_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'running', $11, $12, $12) RETURNING id",
        begin.request,
        begin.actor,
        begin.ip_address,
        begin.user_agent,
        begin.customer.map(|customer| customer.0),
        begin.from,
        begin.to,
        begin.repair,
        begin.dry_run,
        begin.tolerance.0,
        begin.stage,
        begin.at,
    )
    .fetch_one(conn)
    .await
}

/// The run of a request.
pub async fn of_request(pool: &PgPool, request: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM reconciliations WHERE request = $1", request).fetch_optional(pool).await
}

/// A run's last stored state.
pub async fn run(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<Run>> {
    let row = sqlx::query!(
        r#"SELECT run.id, actor, ip_address, user_agent, customer_id, stripe_customer_id AS "stripe_customer_id?", window_from, window_to, repair,
                  dry_run, tolerance, status, stage, position AS "position: Json<Position>", checked_customers, checked_subscriptions,
                  checked_invoices, checked_metrics, rows_checked, rows_total, started_at
           FROM reconciliations run LEFT JOIN customers ON customers.id = run.customer_id WHERE run.id = $1"#,
        id
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Run {
            id: row.id,
            actor: row.actor,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            customer: row.customer_id.map(CustomerId),
            stripe_customer: row.stripe_customer_id,
            from: row.window_from,
            to: row.window_to,
            repair: row.repair,
            dry_run: row.dry_run,
            tolerance: Millionths(row.tolerance),
            status: decode(&row.status)?,
            stage: row.stage,
            position: row.position.map(|position| position.0).unwrap_or_default(),
            checked: Checked {
                customers: row.checked_customers,
                subscriptions: row.checked_subscriptions,
                invoices: row.checked_invoices,
                metrics: row.checked_metrics,
            },
            rows_checked: row.rows_checked,
            rows_total: row.rows_total,
            started_at: row.started_at,
        })
    })
    .transpose()
}

/// Stores a run's progress.
pub async fn keep(conn: &mut PgConnection, run: &Run, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE reconciliations SET stage = $2, position = $3, checked_customers = $4, checked_subscriptions = $5, checked_invoices = $6,
             checked_metrics = $7, rows_checked = $8, rows_total = $9, updated_at = $10
         WHERE id = $1 AND status = 'running'",
        run.id,
        run.stage,
        Json(&run.position) as _,
        run.checked.customers,
        run.checked.subscriptions,
        run.checked.invoices,
        run.checked.metrics,
        run.rows_checked,
        run.rows_total,
        at,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// How a run ends.
#[derive(Clone, Debug)]
pub struct End<'a> {
    pub status: ReconciliationStatus,
    pub discrepancies: i64,
    pub repaired: i64,
    pub totals: &'a Totals,
    /// For a completed run.
    pub within_tolerance: Option<bool>,
    pub error: Option<&'a str>,
    pub at: OffsetDateTime,
}

/// Ends a run; false if it had already ended.
pub async fn end(conn: &mut PgConnection, id: Uuid, end: &End<'_>) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE reconciliations SET status = $2, discrepancies = $3, repaired = $4, currency_totals = $5, within_tolerance = $6, error = $7,
             updated_at = $8, finished_at = $8
         WHERE id = $1 AND status = 'running'",
        id,
        end.status.as_str(),
        end.discrepancies,
        end.repaired,
        Json(end.totals) as _,
        end.within_tolerance,
        end.error,
        end.at,
    )
    .execute(&mut *conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Resumes a failed run at its position.
pub async fn take_up(pool: &PgPool, id: Uuid, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE reconciliations SET status = 'running', error = NULL, finished_at = NULL, cancel_requested_at = NULL, updated_at = $2
         WHERE id = $1 AND status = 'failed'",
        id,
        at,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Deletes a run with its discrepancies.
pub async fn remove(pool: &PgPool, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM reconciliations WHERE id = $1", id).execute(pool).await.map(drop)
}

/// Deletes old runs, and the rows of dry runs that died; returns how many.
pub async fn forget(pool: &PgPool, ended_before: OffsetDateTime, dead_before: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!(
        "DELETE FROM reconciliations WHERE (status <> 'running' AND finished_at < $1) OR (dry_run AND updated_at < $2)",
        ended_before,
        dead_before,
    )
    .execute(pool)
    .await
    .map(|done| done.rows_affected())
}

/// Requests the cancellation of a run; false if it has ended or doesn't exist.
pub async fn ask_to_cancel(conn: &mut PgConnection, id: Uuid, at: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE reconciliations SET cancel_requested_at = coalesce(cancel_requested_at, $2) WHERE id = $1 AND status = 'running'",
        id,
        at,
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Whether a run's cancellation was requested.
pub async fn is_cancelled(pool: &PgPool, id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT cancel_requested_at IS NOT NULL AS "asked!" FROM reconciliations WHERE id = $1"#, id)
        .fetch_optional(pool)
        .await
        .map(|asked| asked.unwrap_or(false))
}

/// Runs that have not ended, oldest first.
pub async fn running(pool: &PgPool) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM reconciliations WHERE status = 'running' AND NOT dry_run ORDER BY started_at LIMIT 100")
        .fetch_all(pool)
        .await
}

/// Whether the platform itself has started a run over all customers since then.
pub async fn began_since(pool: &PgPool, actor: &str, since: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM reconciliations WHERE actor = $1 AND customer_id IS NULL AND NOT dry_run AND started_at >= $2) AS "began!""#,
        actor,
        since,
    )
    .fetch_one(pool)
    .await
}

macro_rules! summaries {
    ($where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT run.id, status, actor, customer_id, customer.name AS "customer?", window_from, window_to, repair, stage, checked_customers,
                      checked_subscriptions, checked_invoices, checked_metrics, rows_checked, rows_total, discrepancies, repaired,
                      currency_totals AS "currency_totals: Json<Totals>", within_tolerance, error, started_at, finished_at
               FROM reconciliations run LEFT JOIN customers customer ON customer.id = run.customer_id "# + $where,
            $($argument),*
        )
        .map(|row| {
            Ok(ReconciliationSummary {
                id: row.id,
                status: decode(&row.status)?,
                actor: row.actor,
                customer_id: row.customer_id.map(CustomerId),
                customer: row.customer,
                from: row.window_from,
                to: row.window_to,
                repair: row.repair,
                stage: row.stage,
                checked: Checked {
                    customers: row.checked_customers,
                    subscriptions: row.checked_subscriptions,
                    invoices: row.checked_invoices,
                    metrics: row.checked_metrics,
                },
                rows_checked: row.rows_checked,
                rows_total: row.rows_total,
                discrepancies: row.discrepancies,
                repaired: row.repaired,
                currency_totals: row.currency_totals.0,
                within_tolerance: row.within_tolerance,
                error: row.error,
                started_at: row.started_at,
                finished_at: row.finished_at,
            })
        })
    };
}

/// Runs, newest first, and their number.
pub async fn list(pool: &PgPool, limit: i64, offset: i64) -> sqlx::Result<(Vec<ReconciliationSummary>, i64)> {
    let rows: Vec<sqlx::Result<_>> =
        summaries!("WHERE NOT dry_run ORDER BY started_at DESC, run.id LIMIT $1 OFFSET $2", limit, offset).fetch_all(pool).await?;
    let total = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM reconciliations WHERE NOT dry_run"#).fetch_one(pool).await?;
    Ok((rows.into_iter().collect::<sqlx::Result<_>>()?, total))
}

/// One run.
pub async fn summary(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<ReconciliationSummary>> {
    summaries!("WHERE run.id = $1", id).fetch_optional(pool).await?.transpose()
}

/// The last completed run over all customers and all time.
pub async fn last_complete(pool: &PgPool) -> sqlx::Result<Option<ReconciliationSummary>> {
    summaries!(
        "WHERE status = 'completed' AND run.customer_id IS NULL AND window_from IS NULL AND NOT dry_run ORDER BY finished_at DESC LIMIT $1",
        1
    )
    .fetch_optional(pool)
    .await?
    .transpose()
}

/// The currencies in which customers are billed.
pub async fn currencies(pool: &PgPool) -> sqlx::Result<Vec<Currency>> {
    let codes = sqlx::query_scalar!("SELECT DISTINCT currency FROM customers").fetch_all(pool).await?;
    Ok(codes.iter().filter_map(|code| code.parse().ok()).collect())
}

/// Adds seen Stripe objects to a set; returns how many are new.
pub async fn saw(conn: &mut PgConnection, id: Uuid, object_ids: &[&str]) -> sqlx::Result<u64> {
    sqlx::query!(
        "INSERT INTO reconciliation_seen (reconciliation_id, object_id) SELECT $1, id FROM unnest($2::text[]) AS id ON CONFLICT DO NOTHING",
        id,
        object_ids as &[&str],
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}

/// Empties the set.
pub async fn forget_seen(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM reconciliation_seen WHERE reconciliation_id = $1", id).execute(conn).await.map(drop)
}
