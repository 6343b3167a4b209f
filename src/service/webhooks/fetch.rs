//! Events that come without their object: it is fetched before they count as settled.

use super::Tried;
use crate::{
    domain::webhook::WebhookStatus,
    service::{Platform, Result},
    store::postgres::inbox::fetch as store,
    stripe::{fetched::Kind, webhook::event::Event},
};
use sqlx::PgConnection;

/// Has a thin event about something that the mirror holds wait for `service::fetch`, where Stripe can be asked. None for every other event,
/// which is applied or ignored as it is.
pub(super) async fn postpone(conn: &mut PgConnection, platform: &Platform, row: i64, event: &Event) -> Result<Option<Tried>> {
    let mirrored = event.related_object().is_some_and(|(kind, _)| Kind::of_object(kind).is_some());
    let ours = platform.config.stripe_livemode.is_none_or(|livemode| event.livemode.is_none_or(|of_event| of_event == livemode));
    if platform.stripe.is_none() || !mirrored || !ours || event.check().is_err() {
        return Ok(None);
    }
    store::postpone(conn, row).await?;
    Ok(Some(Tried { status: WebhookStatus::Received, reason: None, customer: None, stripe_invoice_id: None, awaits_customer: None }))
}
