//! Alert settings, fired alerts, and their pending mails.

use super::decode;
use crate::domain::{
    alert::{AlertSettings, CapRefusals, FiredAlert, Threshold},
    identity::CustomerId,
    metric::Metric,
    money::Currency,
    period::Period,
};
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};
use time::OffsetDateTime;

/// A customer's settings; None if it has saved none.
pub async fn settings(db: impl PgExecutor<'_>, customer: CustomerId) -> sqlx::Result<Option<AlertSettings>> {
    sqlx::query_scalar!(
        r#"SELECT settings AS "settings: Json<AlertSettings>" FROM usage_alert_settings WHERE customer_id = $1"#,
        customer.0
    )
    .fetch_optional(db)
    .await
    .map(|settings| settings.map(|Json(settings)| settings))
}

/// Replaces a customer's settings and returns the previous ones. Locks the customer's row, so that
/// changes are serialized.
pub async fn put_settings(
    conn: &mut PgConnection,
    customer: CustomerId,
    settings: &AlertSettings,
    at: OffsetDateTime,
) -> sqlx::Result<Option<AlertSettings>> {
    sqlx::query!("SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE", customer.0).fetch_one(&mut *conn).await?;
    let before = sqlx::query_scalar!(
        r#"SELECT settings AS "settings: Json<AlertSettings>" FROM usage_alert_settings WHERE customer_id = $1"#,
        customer.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO usage_alert_settings (customer_id, settings, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (customer_id) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at",
        customer.0,
        Json(settings) as Json<&AlertSettings>,
        at,
    )
    .execute(&mut *conn)
    .await?;
    // The next run compares usage with the new thresholds.
    sqlx::query!("DELETE FROM usage_alert_checks WHERE customer_id = $1", customer.0).execute(conn).await?;
    Ok(before.map(|Json(settings)| settings))
}

/// Claims customers whose usage may have changed since it was last compared with their thresholds:
/// those with later usage in these hours, and all customers from time to time, for late events and
/// changed plans.
///
/// The half minute covers transactions that began before the last comparison and committed after
/// it.
pub async fn claim_customers(pool: &PgPool, since_hour: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<CustomerId>> {
    let ids = sqlx::query_scalar!(
        r#"INSERT INTO usage_alert_checks AS checks (customer_id, checked_at)
           SELECT customers.id, now()
           FROM customers LEFT JOIN usage_alert_checks ON customer_id = customers.id
           WHERE checked_at IS NULL OR checked_at < now() - interval '5 minutes'
              OR EXISTS (SELECT 1 FROM usage_records AS records
                         WHERE records.customer_id = customers.id AND metric = ANY(ARRAY(SELECT name FROM metrics))
                           AND hour >= $1 AND updated_at > checked_at - interval '30 seconds')
           ORDER BY checked_at NULLS FIRST, customers.id LIMIT $2
           ON CONFLICT (customer_id) DO UPDATE SET checked_at = excluded.checked_at WHERE checks.checked_at < excluded.checked_at
           RETURNING customer_id"#,
        since_hour,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(CustomerId).collect())
}

/// A threshold that fired and is not re-armed.
#[derive(Clone, Copy, Debug)]
pub struct Fired {
    pub id: i64,
    pub metric: Metric,
    pub threshold: Threshold,
    /// The included quantity when it fired.
    pub included: Option<u64>,
    pub currency: Currency,
}

/// Alerts of a customer in the period with this start that still count as reached.
pub async fn fired_thresholds(db: impl PgExecutor<'_>, customer: CustomerId, period_start: OffsetDateTime) -> sqlx::Result<Vec<Fired>> {
    let rows = sqlx::query!(
        "SELECT id, metric, kind, threshold, included, currency FROM usage_alerts
         WHERE customer_id = $1 AND period_start = $2 AND rearmed_at IS NULL AND metric = ANY($3)",
        customer.0,
        period_start,
        &Metric::names() as &[&str],
    )
    .fetch_all(db)
    .await?;
    let mut known = Vec::with_capacity(rows.len());
    for row in rows {
        // A kind from a newer server.
        let Some(threshold) = Threshold::of(&row.kind, row.threshold) else { continue };
        let included = row.included.map(|units| u64::try_from(units).unwrap_or(0));
        known.push(Fired { id: row.id, metric: decode(&row.metric)?, threshold, included, currency: decode(&row.currency)? });
    }
    Ok(known)
}

/// Re-arms fired thresholds. Those that another process has re-armed are left out of the result.
pub async fn rearm(conn: &mut PgConnection, ids: &[i64], at: OffsetDateTime) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!("UPDATE usage_alerts SET rearmed_at = $2 WHERE id = ANY($1) AND rearmed_at IS NULL RETURNING id", ids, at)
        .fetch_all(conn)
        .await
}

/// Adds events that a cap refused. If the cap had stopped refusing, the count restarts.
pub async fn refused(pool: &PgPool, customer: CustomerId, period_start: OffsetDateTime, refused: &CapRefusals) -> sqlx::Result<()> {
    let units = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    sqlx::query!(
        "INSERT INTO usage_refusals AS known (customer_id, period_start, metric, cap, since, last_at, events, quantity)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (customer_id, period_start, metric, cap) DO UPDATE SET
             since = CASE WHEN known.ended_at IS NULL THEN known.since ELSE excluded.since END,
             last_at = greatest(known.last_at, excluded.last_at),
             events = CASE WHEN known.ended_at IS NULL THEN known.events ELSE 0 END + excluded.events,
             quantity = least(CASE WHEN known.ended_at IS NULL THEN known.quantity ELSE 0 END::numeric + excluded.quantity, 9223372036854775807)::bigint,
             ended_at = NULL",
        customer.0,
        period_start,
        refused.metric.as_str(),
        units(refused.cap),
        refused.since,
        refused.last_at,
        units(refused.events),
        units(refused.quantity),
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Records that the caps of a metric have stopped refusing.
pub async fn stopped_refusing(conn: &mut PgConnection, customer: CustomerId, metric: Metric, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE usage_refusals SET ended_at = $3 WHERE customer_id = $1 AND metric = $2 AND ended_at IS NULL",
        customer.0,
        metric.as_str(),
        at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Events refused by caps in the period with this start, for caps that still refuse.
pub async fn refusals(db: impl PgExecutor<'_>, customer: CustomerId, period_start: OffsetDateTime) -> sqlx::Result<Vec<CapRefusals>> {
    let rows = sqlx::query!(
        "SELECT metric, cap, since, last_at, events, quantity FROM usage_refusals
         WHERE customer_id = $1 AND period_start = $2 AND ended_at IS NULL AND metric = ANY($3) ORDER BY since, metric, cap",
        customer.0,
        period_start,
        &Metric::names() as &[&str],
    )
    .fetch_all(db)
    .await?;
    let units = |units: i64| u64::try_from(units).unwrap_or(0);
    rows.into_iter()
        .map(|row| {
            Ok(CapRefusals {
                metric: decode(&row.metric)?,
                cap: units(row.cap),
                since: row.since,
                last_at: row.last_at,
                events: units(row.events),
                quantity: units(row.quantity),
            })
        })
        .collect()
}

/// Records that a threshold fired, with a pending mail; false if it has already fired and is not
/// re-armed.
pub async fn fire(conn: &mut PgConnection, customer: CustomerId, alert: &FiredAlert) -> sqlx::Result<bool> {
    let units = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    sqlx::query!(
        "INSERT INTO usage_alerts
             (customer_id, period_start, period_end, metric, kind, threshold, used, included, cost, currency, fired_at, next_attempt_at, crossed_at,
              round, cost_known)
         SELECT $1::uuid, $2::timestamptz, $3::timestamptz, $4::text, $5::text, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::text,
                $11::timestamptz, $11::timestamptz, $12::timestamptz, coalesce(max(round) + 1, 0), $13::boolean
         FROM usage_alerts
         WHERE customer_id = $1 AND period_start = $2 AND metric = $4 AND kind = $5 AND threshold = $6 AND rearmed_at IS NOT NULL
         ON CONFLICT ON CONSTRAINT usage_alerts_once DO NOTHING",
        customer.0,
        alert.period.start(),
        alert.period.end(),
        alert.metric.as_str(),
        alert.kind,
        alert.threshold,
        units(alert.used),
        alert.included.map(units),
        alert.cost.unwrap_or(0),
        alert.currency.code(),
        alert.fired_at,
        alert.crossed_at,
        alert.cost.is_some(),
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

struct Row {
    id: i64,
    customer_id: uuid::Uuid,
    metric: String,
    kind: String,
    threshold: i64,
    used: i64,
    included: Option<i64>,
    cost: i64,
    cost_known: bool,
    currency: String,
    period_start: OffsetDateTime,
    period_end: OffsetDateTime,
    fired_at: OffsetDateTime,
    crossed_at: Option<OffsetDateTime>,
    rearmed_at: Option<OffsetDateTime>,
    notified_at: Option<OffsetDateTime>,
    notified_to: Vec<String>,
    attempts: i32,
}

impl TryFrom<&Row> for FiredAlert {
    type Error = sqlx::Error;

    fn try_from(row: &Row) -> sqlx::Result<FiredAlert> {
        let units = |units: i64| u64::try_from(units).unwrap_or(0);
        Ok(FiredAlert {
            metric: decode(&row.metric)?,
            kind: row.kind.clone(),
            threshold: row.threshold,
            used: units(row.used),
            included: row.included.map(units),
            cost: row.cost_known.then_some(row.cost),
            currency: decode(&row.currency)?,
            period: Period::new(row.period_start, row.period_end).ok_or(sqlx::Error::RowNotFound)?,
            fired_at: row.fired_at,
            crossed_at: row.crossed_at,
            rearmed_at: row.rearmed_at,
            notified_at: row.notified_at,
        })
    }
}

/// Alerts of a customer in the period with this start, newest first.
pub async fn fired(db: impl PgExecutor<'_>, customer: CustomerId, period_start: OffsetDateTime) -> sqlx::Result<Vec<FiredAlert>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, customer_id, metric, kind, threshold, used, included, cost, cost_known, currency, period_start, period_end, fired_at, crossed_at, rearmed_at, notified_at, notified_to, attempts
         FROM usage_alerts WHERE customer_id = $1 AND period_start = $2 AND metric = ANY($3) ORDER BY fired_at DESC, id DESC LIMIT 100",
        customer.0,
        period_start,
        &Metric::names() as &[&str],
    )
    .fetch_all(db)
    .await?;
    rows.iter().map(FiredAlert::try_from).collect()
}

/// An alert with pending mails.
#[derive(Clone, Debug)]
pub struct Owed {
    pub id: i64,
    pub customer: CustomerId,
    pub alert: FiredAlert,
    /// Recipients so far.
    pub notified_to: Vec<String>,
    /// Number of attempts, including this one.
    pub attempts: i32,
}

/// Claims up to this many alerts whose mails are due. A claim expires after a time that doubles
/// with every attempt, from one minute to an hour, so a crash loses none. Mails that could not be
/// sent since `not_before` are given up.
pub async fn take_owed(pool: &PgPool, now: OffsetDateTime, not_before: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<Owed>> {
    let rows = sqlx::query_as!(
        Row,
        "UPDATE usage_alerts SET
             attempts = attempts + 1,
             next_attempt_at = $1::timestamptz + least(interval '1 minute' * power(2, least(attempts, 10)), interval '1 hour')
         WHERE id = ANY (ARRAY(SELECT id FROM usage_alerts WHERE notified_at IS NULL AND next_attempt_at <= $1 AND fired_at >= $2
                                 AND metric = ANY($4)
                               ORDER BY next_attempt_at, id LIMIT $3 FOR UPDATE SKIP LOCKED))
         RETURNING id, customer_id, metric, kind, threshold, used, included, cost, cost_known, currency, period_start, period_end, fired_at, crossed_at, rearmed_at, notified_at, notified_to, attempts",
        now,
        not_before,
        limit,
        &Metric::names() as &[&str],
    )
    .fetch_all(pool)
    .await?;
    let mut owed: Vec<Owed> = rows
        .iter()
        .map(|row| {
            Ok(Owed {
                id: row.id,
                customer: CustomerId(row.customer_id),
                alert: row.try_into()?,
                notified_to: row.notified_to.clone(),
                attempts: row.attempts,
            })
        })
        .collect::<sqlx::Result<_>>()?;
    owed.sort_by_key(|owed| owed.id);
    Ok(owed)
}

/// Records that a recipient got the mail about these.
pub async fn sent_to(pool: &PgPool, ids: &[i64], recipient: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE usage_alerts SET notified_to = array_append(notified_to, $2) WHERE id = ANY($1)", ids, recipient)
        .execute(pool)
        .await
        .map(drop)
}

/// Records that all recipients got the mail about these.
pub async fn notified(conn: &mut PgConnection, ids: &[i64], at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE usage_alerts SET notified_at = $2, last_error = NULL WHERE id = ANY($1)", ids, at).execute(conn).await.map(drop)
}

/// Records why the mail about these is not completely sent.
pub async fn not_sent(pool: &PgPool, ids: &[i64], error: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE usage_alerts SET last_error = $2 WHERE id = ANY($1)", ids, error).execute(pool).await.map(drop)
}
