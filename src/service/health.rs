//! Health of the platform's dependencies.

use super::Platform;
use crate::store::postgres::{self, storage};
use serde::Serialize;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use time::OffsetDateTime;

/// `GET /health`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    pub status: Status,
    pub version: &'static str,
    pub checks: Checks,
}

/// `degraded` still serves requests; `down` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = HealthStatus)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Ok,
    Degraded,
    Down,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Checks {
    pub database: Status,
    pub usage_store: Status,
    pub webhooks: Status,
    pub jobs: Status,
}

/// When the scheduler of the jobs last completed a run.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<AtomicI64>);

/// The jobs count as stuck after this long without a run; the most frequent one runs every second.
const SILENCE: time::Duration = time::Duration::minutes(2);

impl Heartbeat {
    /// Notes a run.
    pub fn beat(&self, now: OffsetDateTime) {
        self.0.store(now.unix_timestamp(), Ordering::Relaxed);
    }

    /// Whether a job ran recently.
    pub fn is_alive(&self, now: OffsetDateTime) -> bool {
        now.unix_timestamp() - self.0.load(Ordering::Relaxed) <= SILENCE.whole_seconds()
    }
}

/// Accepted usage is normally counted within two seconds; after this time something is wrong.
const USAGE_MAY_BE_BEHIND: Duration = Duration::from_secs(60);

/// Checks the database, which also counts as down if it can't store data, and the inbox.
/// `jobs_alive`: the scheduler ran a job recently.
#[tracing::instrument(name = "health.check", level = "debug", skip_all)]
pub async fn check(platform: &Platform, jobs_alive: bool) -> Health {
    let database = match tokio::time::timeout(Duration::from_secs(2), postgres::ping(&platform.db)).await {
        Ok(Ok(())) if storage::takes_writes(&platform.db).await => Status::Ok,
        _ => Status::Down,
    };
    let webhooks = match database {
        Status::Ok => match postgres::inbox::unsettled(&platform.db).await {
            Ok(unsettled) if unsettled.dead == 0 => Status::Ok,
            _ => Status::Degraded,
        },
        _ => Status::Down,
    };
    let jobs = if jobs_alive { Status::Ok } else { Status::Degraded };
    // Without its store, usage is still accepted, but not counted.
    let usage_store = match database {
        Status::Ok => {
            let condition = platform.usage.condition().await;
            if condition.reachable && condition.behind < USAGE_MAY_BE_BEHIND { Status::Ok } else { Status::Degraded }
        }
        _ => Status::Down,
    };
    let checks = Checks { database, usage_store, webhooks, jobs };
    let status = match (database, usage_store, webhooks, jobs) {
        (Status::Ok, Status::Ok, Status::Ok, Status::Ok) => Status::Ok,
        (Status::Ok, ..) => Status::Degraded,
        _ => Status::Down,
    };
    Health { status, version: env!("CARGO_PKG_VERSION"), checks }
}
