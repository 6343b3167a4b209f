//! What the deployment checklist asks of the database, and the removal of what it wrote.
//!
//! It looks at databases of whatever version, so its queries are not checked against the migrations.

use sqlx::PgPool;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// The ids of its events begin so.
pub const PING_PREFIX: &str = "evt_checklist_";
/// A type that Stripe has not and nobody handles.
pub const PING_TYPE: &str = "apex.checklist_ping";

/// What became of an event.
pub async fn ping_status(db: &PgPool, stripe_event_id: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT status FROM stripe_webhook_events WHERE stripe_event_id = $1").bind(stripe_event_id).fetch_optional(db).await
}

/// Removes its events, and no other: they changed nothing and prove nothing.
pub async fn remove_pings(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM stripe_webhook_events WHERE event_type = $1 AND starts_with(stripe_event_id, $2) AND status IN ('ignored', 'received')")
        .bind(PING_TYPE)
        .bind(PING_PREFIX)
        .execute(db)
        .await
        .map(drop)
}

/// Events of usage that are counted of this app.
pub async fn counted(db: &PgPool, app: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(sum(event_count), 0)::bigint FROM usage_records WHERE app_id = $1").bind(app).fetch_one(db).await
}

/// Stored events of this type.
pub async fn webhooks_of(db: &PgPool, event_type: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM stripe_webhook_events WHERE event_type = $1").bind(event_type).fetch_one(db).await
}

/// Audit rows of reconciliations since then.
pub async fn reconciliations_audited(db: &PgPool, since: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE starts_with(event_type, 'reconcil') AND created_at >= $1")
        .bind(since)
        .fetch_one(db)
        .await
}

/// `table.column` of everything in the schema.
pub async fn columns(db: &PgPool) -> sqlx::Result<BTreeSet<String>> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'")
            .fetch_all(db)
            .await?;
    Ok(names.into_iter().collect())
}

/// Names of the indexes that PostgreSQL uses: not those of an unfinished build.
pub async fn indexes(db: &PgPool) -> sqlx::Result<BTreeSet<String>> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relnamespace = 'public'::regnamespace AND i.indisvalid",
    )
    .fetch_all(db)
    .await?;
    Ok(names.into_iter().collect())
}
