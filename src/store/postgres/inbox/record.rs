//! The write path of the inbox: the result of an attempt, and the one statement that stores it.

use crate::{
    domain::{identity::CustomerId, webhook::WebhookStatus},
    stripe::webhook::event::Event,
};
use sqlx::PgConnection;
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// Attempts before an event is `dead` and left to a person: at the waits of
/// [`super::next_waiting`], some four days.
const MOST_ATTEMPTS: i32 = 10;

/// The result of one attempt to apply an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub status: WebhookStatus,
    /// Why it was ignored or failed.
    pub reason: Option<String>,
    pub customer: Option<CustomerId>,
    pub stripe_invoice_id: Option<String>,
    /// The unknown Stripe customer that is the only reason why the event was ignored: see
    /// [`super::take_up`].
    pub awaits_customer: Option<String>,
    /// The event is applied when its object has been fetched.
    pub awaits_fetch: bool,
    /// The domain event of the change of the mirror. None: the mirror did not change.
    pub changed: Option<&'static str>,
    /// The order of the object's events within their second is unknown, so that the last resort
    /// chose.
    pub undecided: bool,
}

impl Attempt {
    /// The event is stored and was not tried: billing is switched off.
    pub const PENDING: Attempt = Attempt::pending(false);

    /// The event is stored and waits for its object to be fetched.
    pub const PENDING_FETCH: Attempt = Attempt::pending(true);

    const fn pending(awaits_fetch: bool) -> Attempt {
        Attempt {
            status: WebhookStatus::Received,
            reason: None,
            customer: None,
            stripe_invoice_id: None,
            awaits_customer: None,
            awaits_fetch,
            changed: None,
            undecided: false,
        }
    }

    pub fn ignored(reason: impl Into<String>) -> Attempt {
        Attempt { status: WebhookStatus::Ignored, reason: Some(reason.into()), ..Attempt::PENDING }
    }

    pub fn failed(reason: impl Into<String>) -> Attempt {
        Attempt { status: WebhookStatus::Failed, reason: Some(reason.into()), ..Attempt::PENDING }
    }

    /// The same attempt after this many earlier ones: the last failure makes the event `dead`.
    #[must_use]
    pub fn after(mut self, earlier: i32) -> Attempt {
        if self.status == WebhookStatus::Failed && earlier + 1 >= MOST_ATTEMPTS {
            self.status = WebhookStatus::Dead;
        }
        self
    }

    fn is_attempt(&self) -> bool {
        self.status != WebhookStatus::Received
    }
}

/// An event with the result of an attempt to apply it.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Row of a stored event; None for a new one.
    pub row: Option<i64>,
    pub event: &'a Event,
    /// Byte for byte. Used for new events only.
    pub body: &'a str,
    /// Stripe's id of the object that was mirrored.
    pub subject_id: Option<&'a str>,
    pub attempt: &'a Attempt,
}

/// Stores new events and updates stored ones, with the audit row and the domain event of those that
/// changed the mirror. Returns Stripe's ids of the updated events and of the new ones that were not
/// stored before. Waits for concurrent deliveries of the same event.
pub async fn record(conn: &mut PgConnection, records: &[Record<'_>], at: OffsetDateTime) -> sqlx::Result<HashSet<String>> {
    if records.is_empty() {
        return Ok(HashSet::new());
    }
    let each = records.iter();
    sqlx::query_file_scalar!(
        "src/store/postgres/inbox/record.sql",
        &each.clone().map(|record| record.row).collect::<Vec<_>>() as &[Option<i64>],
        &each.clone().map(|record| record.event.id.as_str()).collect::<Vec<_>>() as &[&str],
        &each.clone().map(|record| record.event.event_type.as_str()).collect::<Vec<_>>() as &[&str],
        &each.clone().map(|record| record.attempt.status.as_str()).collect::<Vec<_>>() as &[&str],
        &each.clone().map(|record| if record.row.is_none() { record.body } else { "" }).collect::<Vec<_>>() as &[&str],
        &each.clone().map(|record| record.event.api_version.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &each.clone().map(|record| record.event.livemode).collect::<Vec<_>>() as &[Option<bool>],
        &each.clone().map(|record| record.event.object_id.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &each.clone().map(|record| record.attempt.stripe_invoice_id.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &each.clone().map(|record| record.attempt.customer.map(|customer| customer.0)).collect::<Vec<_>>() as &[Option<Uuid>],
        &each.clone().map(|record| record.attempt.awaits_customer.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &each.clone().map(|record| record.attempt.awaits_fetch).collect::<Vec<_>>(),
        &each.clone().map(|record| record.event.created).collect::<Vec<_>>() as &[Option<OffsetDateTime>],
        &each.clone().map(|record| record.attempt.reason.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &each.clone().map(|record| record.subject_id).collect::<Vec<_>>() as &[Option<&str>],
        &each.clone().map(|record| i32::from(record.attempt.is_attempt())).collect::<Vec<_>>(),
        &each.map(|record| record.attempt.changed).collect::<Vec<_>>() as &[Option<&str>],
        at,
    )
    .fetch_all(conn)
    .await
    .map(|ids| ids.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failed_attempt_makes_an_event_dead() {
        let after = |earlier| Attempt::failed("invoice.currency is missing").after(earlier).status;
        assert_eq!((after(0), after(MOST_ATTEMPTS - 2)), (WebhookStatus::Failed, WebhookStatus::Failed));
        assert_eq!((after(MOST_ATTEMPTS - 1), after(MOST_ATTEMPTS)), (WebhookStatus::Dead, WebhookStatus::Dead));
        assert_eq!(Attempt::ignored("not a type that is handled").after(MOST_ATTEMPTS).status, WebhookStatus::Ignored);
    }
}
