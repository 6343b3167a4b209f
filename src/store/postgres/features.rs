//! Feature switches: `features`. A feature without a row is on; an unknown name belongs to a newer
//! program.

use crate::domain::features::Feature;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// A switch that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub feature: Feature,
    pub enabled: bool,
    pub reason: Option<String>,
    pub changed_by: String,
    pub changed_at: OffsetDateTime,
}

/// All switches that were ever set.
pub async fn all(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Stored>> {
    let rows = sqlx::query!("SELECT name, enabled, reason, changed_by, changed_at FROM features").fetch_all(executor).await?;
    let stored = rows.into_iter().filter_map(|row| {
        let feature = row.name.parse().ok()?;
        Some(Stored { feature, enabled: row.enabled, reason: row.reason, changed_by: row.changed_by, changed_at: row.changed_at })
    });
    Ok(stored.collect())
}

/// Sets a switch, waiting for concurrent changes; false if it is already in that state.
pub async fn switch(conn: &mut PgConnection, to: &Stored) -> sqlx::Result<bool> {
    sqlx::query!(
        "INSERT INTO features AS known (name, enabled, reason, changed_by, changed_at)
         SELECT $1, $2, $3, $4, $5 WHERE NOT $2 OR EXISTS (SELECT FROM features WHERE name = $1)
         ON CONFLICT (name) DO UPDATE
         SET enabled = excluded.enabled, reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at
         WHERE known.enabled <> excluded.enabled",
        to.feature.name(),
        to.enabled,
        to.reason,
        to.changed_by,
        to.changed_at,
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}
