//! Gauges that are computed when the metrics are read.

use super::{Platform, features};
use crate::{
    store::postgres::{self, schema},
    telemetry,
};
use std::time::{Duration, Instant};

/// Timeout for the database, so that metrics remain readable without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sets the gauges of the pool, the schema and the kill switch.
pub async fn measure(platform: &Platform) {
    let db = &platform.db;
    let (open, idle) = (db.size() as usize, db.num_idle());
    for (state, connections) in [("idle", idle), ("in_use", open.saturating_sub(idle))] {
        metrics::gauge!(telemetry::DATABASE_POOL_CONNECTIONS, "state" => state).set(connections as f64);
    }
    metrics::gauge!(telemetry::DATABASE_POOL_MAX).set(f64::from(db.options().get_max_connections()));
    metrics::gauge!(telemetry::BILLING_ENABLED).set(f64::from(u8::from(features::current(platform).billing_enabled)));
    let started = Instant::now();
    let connection = tokio::time::timeout(PATIENCE, db.acquire()).await;
    metrics::histogram!(telemetry::DATABASE_POOL_WAIT_SECONDS).record(started.elapsed().as_secs_f64());
    drop(connection);
    let known = postgres::MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    metrics::gauge!(telemetry::DATABASE_SCHEMA_VERSION_KNOWN).set(known as f64);
    let schema = tokio::time::timeout(PATIENCE, schema::state(db)).await;
    metrics::gauge!(telemetry::DATABASE_UP).set(f64::from(u8::from(matches!(schema, Ok(Ok(_))))));
    // Without the database, earlier values stay.
    if let Ok(Ok(state)) = schema {
        metrics::gauge!(telemetry::DATABASE_SCHEMA_VERSION).set(state.version as f64);
        metrics::counter!(telemetry::DATABASE_MIGRATION_FAILURES).absolute(state.failures.unsigned_abs());
    }
}
