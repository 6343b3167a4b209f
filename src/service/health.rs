//! Is everything there that the platform needs?

use super::Platform;
use crate::store::postgres;
use serde::Serialize;
use std::time::Duration;

/// `GET /health`.
#[derive(Debug, Serialize)]
pub struct Health {
    pub status: Status,
    pub version: &'static str,
    pub checks: Checks,
}

/// `degraded` still serves; `down` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Ok,
    Degraded,
    Down,
}

#[derive(Debug, Serialize)]
pub struct Checks {
    pub database: Status,
    pub usage_store: Status,
    pub webhooks: Status,
    pub jobs: Status,
}

/// Asks the database and looks at the inbox and the jobs.
pub async fn check(platform: &Platform, jobs: &crate::jobs::Heartbeat) -> Health {
    let database = match tokio::time::timeout(Duration::from_secs(2), postgres::ping(&platform.db)).await {
        Ok(Ok(())) => Status::Ok,
        _ => Status::Down,
    };
    let webhooks = match database {
        Status::Ok => match postgres::inbox::unsettled(&platform.db).await {
            Ok(unsettled) if unsettled.dead == 0 => Status::Ok,
            _ => Status::Degraded,
        },
        _ => Status::Down,
    };
    let jobs = if jobs.is_alive(platform.clock.now()) { Status::Ok } else { Status::Degraded };
    // Usage events live in the same database.
    let checks = Checks { database, usage_store: database, webhooks, jobs };
    let status = match (database, webhooks, jobs) {
        (Status::Ok, Status::Ok, Status::Ok) => Status::Ok,
        (Status::Ok, ..) => Status::Degraded,
        _ => Status::Down,
    };
    Health { status, version: env!("CARGO_PKG_VERSION"), checks }
}
