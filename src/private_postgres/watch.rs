//! Restarts the private PostgreSQL if it dies.

use super::Cluster;
use crate::telemetry::Outage;
use std::{
    sync::Weak,
    time::{Duration, Instant},
};

/// Interval of the check.
const EVERY: Duration = Duration::from_secs(1);

/// Restarts the server whenever it has died, as long as the cluster is in use. A failed start is
/// retried; it is logged at once and then each minute, and `/readyz` fails meanwhile.
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
                tracing::error!("private PostgreSQL died and was restarted");
            }
            Ok(Err(error)) => match outage.failed(Instant::now()) {
                Some(_) => tracing::error!(%error, "private PostgreSQL died and can't be restarted"),
                None => tracing::debug!(%error, "private PostgreSQL died and can't be restarted"),
            },
            Err(error) => tracing::error!(%error, "private PostgreSQL can't be monitored"),
        }
    }
}
