//! Looks after a private PostgreSQL while the program runs.

use super::Cluster;
use crate::telemetry::Outage;
use std::{
    sync::Weak,
    time::{Duration, Instant},
};

/// How often the server is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Starts the server again whenever it has died, for as long as the cluster is in use. What can't be started is tried again: the log says so at
/// once and then each minute, and `/readyz` says no meanwhile.
pub async fn keep_alive(cluster: Weak<Cluster>) {
    let mut outage = Outage::default();
    let mut turns = tokio::time::interval(EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let Some(cluster) = cluster.upgrade() else { return };
        match tokio::task::spawn_blocking(move || cluster.revive()).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => {
                outage.worked(Instant::now());
                tracing::error!("private PostgreSQL died, and was started again");
            }
            Ok(Err(error)) => match outage.failed(Instant::now()) {
                Some(_) => tracing::error!(%error, "private PostgreSQL died and can't be started"),
                None => tracing::debug!(%error, "private PostgreSQL died and can't be started"),
            },
            Err(error) => tracing::error!(%error, "private PostgreSQL can't be looked after"),
        }
    }
}
