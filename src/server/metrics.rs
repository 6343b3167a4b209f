//! Prometheus metrics on a separate address, never on the public one.

use crate::{
    service::{Platform, gauges, webhooks},
    telemetry,
};
use axum::{Router, routing::get};

/// `GET /metrics`. Installs the recorder: earlier measurements are lost.
///
/// # Errors
/// A second recorder in one process.
pub fn router(platform: &Platform) -> anyhow::Result<Router> {
    let recorder = telemetry::recorder()?;
    webhooks::register_counters();
    let process = metrics_process::Collector::default();
    process.describe();
    let platform = platform.clone();
    Ok(Router::new().route(
        "/metrics",
        get(move || {
            let (recorder, process, platform) = (recorder.clone(), process.clone(), platform.clone());
            async move {
                gauges::measure(&platform).await;
                process.collect();
                recorder.run_upkeep();
                ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], recorder.render())
            }
        }),
    ))
}
