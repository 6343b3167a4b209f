//! Refusals and failures in the audit log: at most once a minute per client, route and kind, so
//! that a loop doesn't fill it.
//!
//! Responses don't wait for it. A few entries are written concurrently; if the database is
//! unavailable, further ones are only logged.

use super::refusals;
use crate::{
    auth::Principal,
    domain::identity::CustomerId,
    service::{Error, Platform, actor::Origin},
    store::postgres::audit,
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// Maximum number of remembered keys per minute; further ones are not audited.
const MOST_REMEMBERED: usize = 2_000;
/// Maximum number of concurrent writes.
const MOST_UNDERWAY: u32 = 8;
/// Timeout of a write.
const PATIENCE: Duration = Duration::from_secs(10);
/// Maximum length of an error's text.
const MOST_TEXT_CHARS: usize = 500;

/// What this process audited in the current minute, and its running writes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Incidents(Arc<State>);

#[derive(Debug)]
struct State {
    recorded: Mutex<Recorded>,
    turns: Arc<Semaphore>,
    unrecorded: AtomicU64,
}

impl Default for Incidents {
    fn default() -> Incidents {
        let turns = Arc::new(Semaphore::new(MOST_UNDERWAY as usize));
        Incidents(Arc::new(State { recorded: Mutex::default(), turns, unrecorded: AtomicU64::new(0) }))
    }
}

impl Incidents {
    /// Waits until no write is running.
    pub async fn settled(&self) {
        // The semaphore is never closed.
        drop(self.0.turns.acquire_many(MOST_UNDERWAY).await);
    }

    /// Writes an entry in the background, unless the same key was audited in this minute or too
    /// many writes are running.
    fn tell(&self, platform: &Platform, like: Like, incident: Incident) {
        let minute = platform.clock.now().unix_timestamp().div_euclid(60);
        if !self.0.recorded.lock().unwrap_or_else(PoisonError::into_inner).is_news(like, minute) {
            return;
        }
        let Ok(turn) = self.0.turns.clone().try_acquire_owned() else { return self.leave_unrecorded(incident.event_type) };
        let platform = platform.clone();
        tokio::spawn(async move {
            let written = tokio::time::timeout(PATIENCE, write(&platform, &incident)).await;
            if !matches!(written, Ok(Ok(()))) {
                platform.incidents.leave_unrecorded(incident.event_type);
            }
            drop(turn);
        });
    }

    /// The error is logged elsewhere; this only counts, rarely.
    fn leave_unrecorded(&self, event_type: &str) {
        let unrecorded = self.0.unrecorded.fetch_add(1, Ordering::Relaxed) + 1;
        if unrecorded.is_power_of_two() {
            tracing::warn!(event_type, untold = unrecorded, "not everything that was refused or failed could be audited");
        }
    }
}

async fn write(platform: &Platform, incident: &Incident) -> sqlx::Result<()> {
    let entry = incident.origin.entry(incident.event_type, &incident.actor, incident.customer, incident.data.clone());
    if incident.is_of_stranger {
        return refusals::try_to_record(platform, entry).await;
    }
    audit::record(&mut *platform.db.acquire().await?, entry).await
}

struct Incident {
    event_type: &'static str,
    actor: String,
    customer: Option<CustomerId>,
    data: Value,
    origin: Origin,
    /// Unauthenticated, and so rate limited.
    is_of_stranger: bool,
}

/// The kind, the client and the route.
type Like = (&'static str, String, String);

/// The keys audited in the current minute.
#[derive(Debug, Default)]
struct Recorded {
    minute: i64,
    of: HashSet<Like>,
}

impl Recorded {
    /// Adds a key, unless it exists or the set is full.
    fn is_news(&mut self, like: Like, minute: i64) -> bool {
        if self.minute != minute {
            self.minute = minute;
            self.of.clear();
        }
        self.of.len() < MOST_REMEMBERED && self.of.insert(like)
    }
}

/// A request, as recorded in the audit log.
#[derive(Clone, Debug)]
pub struct Asked {
    pub principal: Option<Principal>,
    pub origin: Origin,
    pub method: String,
    /// With parameter names instead of values, so that their number is bounded.
    pub route: String,
    pub status: u16,
    /// The error code of its problem+json response.
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// The prefix of an invalid API key, if it looks like one.
    pub key_prefix: Option<String>,
}

impl Asked {
    fn tell(self, platform: &Platform, event_type: &'static str) {
        let actor = self.principal.as_ref().map_or_else(|| "anonymous".to_owned(), Principal::actor);
        let customer = self.principal.as_ref().and_then(Principal::customer);
        let who = if self.principal.is_some() { actor.clone() } else { self.origin.ip_address.clone().unwrap_or_default() };
        let like = (event_type, who, format!("{} {}", self.method, self.route));
        let mut data = json!({
            "method": self.method, "route": self.route, "status": self.status, "code": self.code, "request_id": self.request_id,
        });
        if let Some(prefix) = self.key_prefix {
            data["key_prefix"] = prefix.into();
        }
        let is_of_stranger = self.principal.is_none();
        platform.incidents.tell(platform, like, Incident { event_type, actor, customer, data, origin: self.origin, is_of_stranger });
    }
}

/// Audits a refused request.
pub fn refused(platform: &Platform, asked: Asked) {
    asked.tell(platform, "access.refused");
}

/// Audits a request that failed on our side.
pub fn request_failed(platform: &Platform, asked: Asked) {
    asked.tell(platform, "error");
}

/// Audits a failed background job.
pub fn job_failed(platform: &Platform, job: &'static str, error: &Error) {
    let text: String = error.to_string().chars().take(MOST_TEXT_CHARS).collect();
    let incident = Incident {
        event_type: "error",
        actor: "system".to_owned(),
        customer: None,
        data: json!({"job": job, "code": error.code(), "error": text}),
        origin: Origin::default(),
        is_of_stranger: false,
    };
    platform.incidents.tell(platform, ("error", "system".to_owned(), format!("job {job}")), incident);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(who: usize) -> Like {
        ("error", format!("192.0.2.{who}"), "GET /".to_owned())
    }

    #[test]
    fn equal_incidents_are_audited_once_a_minute() {
        let mut recorded = Recorded::default();
        assert!(recorded.is_news(like(1), 7));
        assert!(!recorded.is_news(like(1), 7));
        assert!(recorded.is_news(like(2), 7));
        assert!(recorded.is_news(like(1), 8));
    }

    #[test]
    fn remembered_addresses_are_bounded() {
        let mut recorded = Recorded::default();
        let news = (0..10 * MOST_REMEMBERED).filter(|who| recorded.is_news(like(*who), 7)).count();
        assert_eq!((news, recorded.of.len()), (MOST_REMEMBERED, MOST_REMEMBERED));
        assert!(recorded.is_news(like(0), 8));
        assert_eq!(recorded.of.len(), 1);
    }
}
