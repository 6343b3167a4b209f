//! What was refused and what failed, in the trail: once a minute for whoever asks, the route and the kind, so that a loop fills nothing.
//!
//! Nobody waits for it: a few are written at a time, each beside the answer, and what comes while those wait for a database that is away is only
//! in the log.

use super::refusals;
use crate::{
    auth::Principal,
    domain::identity::CustomerId,
    service::{Error, Platform, actor::Origin},
    store::postgres::audit::{self, Entry},
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

/// Whoever is remembered of a minute at most; more of them go untold.
const MOST_REMEMBERED: usize = 2_000;
/// Written at once at most.
const MOST_UNDERWAY: u32 = 8;
/// Time for one to be written.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters of an error's text at most.
const MOST_TEXT_CHARS: usize = 500;

/// What this process told of the running minute, and what it is writing; cheap to clone.
#[derive(Clone, Debug)]
pub struct Incidents(Arc<State>);

#[derive(Debug)]
struct State {
    told: Mutex<Told>,
    turns: Arc<Semaphore>,
    untold: AtomicU64,
}

impl Default for Incidents {
    fn default() -> Incidents {
        let turns = Arc::new(Semaphore::new(MOST_UNDERWAY as usize));
        Incidents(Arc::new(State { told: Mutex::default(), turns, untold: AtomicU64::new(0) }))
    }
}

impl Incidents {
    /// Waits until nothing is being written.
    pub async fn settled(&self) {
        // Nobody closes it; whoever did would end the waiting.
        drop(self.0.turns.acquire_many(MOST_UNDERWAY).await);
    }

    /// Writes an entry beside whoever asks, unless its like was told in this minute or too many are underway.
    fn tell(&self, platform: &Platform, like: Like, incident: Incident) {
        let minute = platform.clock.now().unix_timestamp().div_euclid(60);
        if !self.0.told.lock().unwrap_or_else(PoisonError::into_inner).is_news(like, minute) {
            return;
        }
        let Ok(turn) = self.0.turns.clone().try_acquire_owned() else { return self.leave_untold(incident.event_type) };
        let platform = platform.clone();
        tokio::spawn(async move {
            let written = tokio::time::timeout(PATIENCE, write(&platform, &incident)).await;
            if !matches!(written, Ok(Ok(()))) {
                platform.incidents.leave_untold(incident.event_type);
            }
            drop(turn);
        });
    }

    /// The log has what failed; of this it only has how often, seldom enough.
    fn leave_untold(&self, event_type: &str) {
        let untold = self.0.untold.fetch_add(1, Ordering::Relaxed) + 1;
        if untold.is_power_of_two() {
            tracing::warn!(event_type, untold, "not everything that was refused or failed could be audited");
        }
    }
}

async fn write(platform: &Platform, incident: &Incident) -> sqlx::Result<()> {
    let entry = Entry {
        event_type: incident.event_type,
        actor: &incident.actor,
        customer: incident.customer,
        data: incident.data.clone(),
        ip_address: incident.origin.ip_address.as_deref(),
        user_agent: incident.origin.user_agent.as_deref(),
    };
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
    /// Not signed in, and so bounded.
    is_of_stranger: bool,
}

/// The kind, whoever asked and the route.
type Like = (&'static str, String, String);

/// What was told of the running minute.
#[derive(Debug, Default)]
struct Told {
    minute: i64,
    of: HashSet<Like>,
}

impl Told {
    /// Remembers it, unless its like was told before or there is no room.
    fn is_news(&mut self, like: Like, minute: i64) -> bool {
        if self.minute != minute {
            self.minute = minute;
            self.of.clear();
        }
        self.of.len() < MOST_REMEMBERED && self.of.insert(like)
    }
}

/// A request as the trail tells of it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub principal: Option<Principal>,
    pub origin: Origin,
    pub method: String,
    /// With names in place of parameters, so that there are only so many.
    pub route: String,
    pub status: u16,
    /// Of the problem that it was answered with.
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// The beginning of a key that is not in force, where it looks like one.
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

/// Notes that somebody was refused what it may not do.
pub fn refused(platform: &Platform, asked: Asked) {
    asked.tell(platform, "access.refused");
}

/// Notes that a request failed on our side.
pub fn request_failed(platform: &Platform, asked: Asked) {
    asked.tell(platform, "error");
}

/// Notes that a background job failed.
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
    fn a_like_is_news_once_a_minute() {
        let mut told = Told::default();
        assert!(told.is_news(like(1), 7));
        assert!(!told.is_news(like(1), 7));
        assert!(told.is_news(like(2), 7));
        assert!(told.is_news(like(1), 8));
    }

    #[test]
    fn a_flood_of_addresses_is_remembered_up_to_a_bound() {
        let mut told = Told::default();
        let news = (0..10 * MOST_REMEMBERED).filter(|who| told.is_news(like(*who), 7)).count();
        assert_eq!((news, told.of.len()), (MOST_REMEMBERED, MOST_REMEMBERED));
        assert!(told.is_news(like(0), 8));
        assert_eq!(told.of.len(), 1);
    }
}
