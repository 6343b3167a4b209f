//! Queries of the deployment checklist, and the deletion of its test data.
//!
//! It checks databases of any version, so its queries are not checked against the migrations.

use sqlx::PgPool;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Id prefix of its events.
pub const PING_PREFIX: &str = "evt_checklist_";
/// A type that is neither Stripe's nor handled.
pub const PING_TYPE: &str = "apex.checklist_ping";

/// The status of an event.
pub async fn ping_status(db: &PgPool, stripe_event_id: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT status FROM stripe_webhook_events WHERE stripe_event_id = $1").bind(stripe_event_id).fetch_optional(db).await
}

/// Deletes its own events only: they changed nothing.
pub async fn remove_pings(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM stripe_webhook_events WHERE event_type = $1 AND starts_with(stripe_event_id, $2) AND status IN ('ignored', 'received')")
        .bind(PING_TYPE)
        .bind(PING_PREFIX)
        .execute(db)
        .await
        .map(drop)
}

/// Number of counted usage events of this app.
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

/// `table.column` for the whole schema.
pub async fn columns(db: &PgPool) -> sqlx::Result<BTreeSet<String>> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'")
            .fetch_all(db)
            .await?;
    Ok(names.into_iter().collect())
}

/// Names of valid indexes; failed concurrent builds are left out.
pub async fn indexes(db: &PgPool) -> sqlx::Result<BTreeSet<String>> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relnamespace = 'public'::regnamespace AND i.indisvalid",
    )
    .fetch_all(db)
    .await?;
    Ok(names.into_iter().collect())
}
