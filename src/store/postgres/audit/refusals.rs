//! Number of refusals of unauthenticated clients per hour, audited and not audited:
//! `audit_refusals`.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// Counts a refusal of a network in an hour; true while the network has fewer than
/// `most_of_network`, and all together fewer than `most`.
pub async fn count(conn: &mut PgConnection, hour: OffsetDateTime, network: &str, most_of_network: i32, most: i32) -> sqlx::Result<bool> {
    // The row of the total is locked until the transaction ends; its holder alone creates and
    // changes a network's row.
    let written = sqlx::query_scalar!(
        "INSERT INTO audit_refusals AS known (hour, network, written, left_out) VALUES ($1, '*', 0, 0)
         ON CONFLICT (hour, network) DO UPDATE SET written = known.written RETURNING written",
        hour,
    )
    .fetch_one(&mut *conn)
    .await?;
    let is_room = written < most;
    let is_written = if is_room {
        sqlx::query_scalar!(
            r#"INSERT INTO audit_refusals AS known (hour, network, written, left_out) VALUES ($1, $2, 1, 0)
               ON CONFLICT (hour, network) DO UPDATE SET written = least(known.written + 1, $3),
                   left_out = known.left_out + CASE WHEN known.written < $3 THEN 0 ELSE 1 END
               RETURNING left_out = 0 AS "is_written!""#,
            hour,
            network,
            most_of_network,
        )
        .fetch_one(&mut *conn)
        .await?
    } else {
        false
    };
    let (written, left_out) = (i32::from(is_written), i64::from(!is_room));
    sqlx::query!(
        "UPDATE audit_refusals SET written = written + $2, left_out = left_out + $3 WHERE hour = $1 AND network = '*'",
        hour,
        written,
        left_out,
    )
    .execute(conn)
    .await?;
    Ok(is_written)
}

/// Refusals of a network in an hour that were not audited.
#[derive(Clone, Debug)]
pub struct LeftOut {
    pub hour: OffsetDateTime,
    /// `*`: the total of all other networks.
    pub network: String,
    pub left_out: i64,
}

/// Whether there are counts of earlier hours.
pub async fn any_before(pool: &PgPool, hour: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM audit_refusals WHERE hour < $1) AS "any!""#, hour).fetch_one(pool).await
}

/// Deletes and returns the counts of earlier hours.
pub async fn take_before(conn: &mut PgConnection, hour: OffsetDateTime) -> sqlx::Result<Vec<LeftOut>> {
    sqlx::query_as!(LeftOut, "DELETE FROM audit_refusals WHERE hour < $1 RETURNING hour, network, left_out", hour).fetch_all(conn).await
}
