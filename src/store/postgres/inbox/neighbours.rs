//! An object's events around one second.

use sqlx::PgConnection;
use time::OffsetDateTime;

/// Maximum number of compared events of one object and second; more than Stripe creates.
const MOST: i64 = 32;

/// The bodies of the applied events of these objects in these seconds, and of the nearest seconds
/// with events before and after.
pub async fn neighbours(conn: &mut PgConnection, asked: &[(&str, OffsetDateTime)]) -> sqlx::Result<Vec<String>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (event.id) event.id AS "id!", event.payload AS "payload!"
           FROM unnest($1::text[], $2::timestamptz[]) AS asked(object_id, second) CROSS JOIN LATERAL (
               SELECT near.stripe_created_at FROM (
                   SELECT asked.second AS stripe_created_at
                   UNION ALL (SELECT before.stripe_created_at FROM stripe_webhook_events before
                              WHERE before.object_id = asked.object_id AND before.stripe_created_at < asked.second AND before.status = 'applied'
                              ORDER BY before.stripe_created_at DESC LIMIT 1)
                   UNION ALL (SELECT after.stripe_created_at FROM stripe_webhook_events after
                              WHERE after.object_id = asked.object_id AND after.stripe_created_at > asked.second AND after.status = 'applied'
                              ORDER BY after.stripe_created_at LIMIT 1)
               ) AS near OFFSET 0
           ) AS near CROSS JOIN LATERAL (
               SELECT stored.id, stored.payload FROM stripe_webhook_events stored
               WHERE stored.object_id = asked.object_id AND stored.stripe_created_at = near.stripe_created_at AND stored.status = 'applied'
               ORDER BY stored.stripe_event_id COLLATE "C" DESC LIMIT $3
           ) AS event
           ORDER BY event.id"#,
        &asked.iter().map(|(id, _)| *id).collect::<Vec<_>>() as &[&str],
        &asked.iter().map(|(_, second)| *second).collect::<Vec<_>>(),
        MOST,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.payload).collect())
}
