//! Events without their object: it is fetched before they are finished.

use super::{Tried, scope};
use crate::{
    domain::mirror::Kind,
    service::{Platform, Result},
    store::postgres::inbox::fetch as store,
    stripe::webhook::event::Event,
};
use sqlx::PgConnection;

/// Whether this is a thin event about a mirrored type, and Stripe can be called. All other events
/// are applied or ignored at once.
pub(super) fn waits(platform: &Platform, event: &Event) -> bool {
    let is_kept = event.related_object().is_some_and(|(kind, _)| Kind::of_object(kind).is_some());
    platform.stripe.is_some() && is_kept && scope(platform).foreign(event).is_none() && event.check().is_ok()
}

/// Makes a stored event wait for `service::fetch` if it [`waits`]; None for others.
pub(super) async fn postpone(conn: &mut PgConnection, platform: &Platform, row: i64, event: &Event) -> Result<Option<Tried>> {
    if !waits(platform, event) {
        return Ok(None);
    }
    store::postpone(conn, row).await?;
    Ok(Some(Tried::WAITING))
}
