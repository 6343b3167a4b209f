//! Events without their object: it is fetched before they are finished.

use super::scope;
use crate::{domain::mirror::Kind, service::Platform, store::postgres::inbox::Attempt, stripe::webhook::event::Event};

/// A thin event about a kind of object that is mirrored, where Stripe can be asked:
/// `service::fetch` fetches the object and settles the event. Other events are applied or ignored
/// at once.
pub(super) fn awaits_fetch(platform: &Platform, event: &Event) -> bool {
    let is_mirrored = event.related_object().is_some_and(|(kind, _)| Kind::of_object(kind).is_some());
    platform.stripe.is_some() && is_mirrored && scope(platform).foreign(event).is_none() && event.check().is_ok()
}

/// A new event that is not tried yet.
pub(super) fn pending(platform: &Platform, event: &Event) -> Attempt {
    if awaits_fetch(platform, event) { Attempt::PENDING_FETCH } else { Attempt::PENDING }
}
