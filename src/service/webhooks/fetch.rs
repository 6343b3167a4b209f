//! Events that come without their object: it is fetched before they count as settled.

use super::{Tried, scope};
use crate::{
    domain::mirror::Kind,
    service::{Platform, Result},
    store::postgres::inbox::fetch as store,
    stripe::webhook::event::Event,
};
use sqlx::PgConnection;

/// A thin event about something that the mirror holds, where Stripe can be asked. Every other event is applied or ignored as it is.
pub(super) fn waits(platform: &Platform, event: &Event) -> bool {
    let is_kept = event.related_object().is_some_and(|(kind, _)| Kind::of_object(kind).is_some());
    platform.stripe.is_some() && is_kept && scope(platform).foreign(event).is_none() && event.check().is_ok()
}

/// Has a stored event that [`waits`] wait for `service::fetch`; None for every other.
pub(super) async fn postpone(conn: &mut PgConnection, platform: &Platform, row: i64, event: &Event) -> Result<Option<Tried>> {
    if !waits(platform, event) {
        return Ok(None);
    }
    store::postpone(conn, row).await?;
    Ok(Some(Tried::WAITING))
}
