//! The effective features: the single source for all modules.
//!
//! The switches are in the database. Each process caches them ([`Switches`]) and reads them every
//! second, so that checks are free and an unavailable database changes nothing.
//! `BILLING_ENABLED=false` overrides them.

use super::{Error, Platform, Result, actor::By};
use crate::{
    domain::features::{Feature, Features, Off, Switch},
    store::postgres::{
        audit,
        features::{self as store, Stored},
        outbox,
    },
    telemetry,
};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// Maximum length of a reason.
pub const MOST_REASON_CHARS: usize = 500;

/// This process's cached switches; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Switches(Arc<AtomicU8>);

impl Switches {
    fn off(&self) -> Off {
        Off::of_bits(self.0.load(Ordering::Relaxed))
    }

    fn remember(&self, off: Off) {
        self.0.store(off.bits(), Ordering::Relaxed);
    }
}

/// The response of `GET /meta/features`.
pub fn current(platform: &Platform) -> Features {
    platform.switches.off().features(platform.config.billing_enabled, platform.stripe.is_some())
}

/// The error for a switched-off feature. A portal without a Stripe key has its own error.
pub fn require(platform: &Platform, feature: Feature) -> Result<()> {
    let off = platform.switches.off();
    let features = off.features(platform.config.billing_enabled, true);
    if feature.is_part_of_billing() && !features.billing_enabled {
        return Err(Error::FeatureDisabled(Feature::Billing));
    }
    if features.has(feature) { Ok(()) } else { Err(Error::FeatureDisabled(feature)) }
}

/// Reads the switches again. On an error the cached ones stay.
pub async fn refresh(platform: &Platform) -> Result<()> {
    remember(platform, &store::all(&platform.db).await?);
    Ok(())
}

fn remember(platform: &Platform, stored: &[Stored]) {
    let off = stored.iter().filter(|switch| !switch.enabled).fold(Off::default(), |off, switch| off.with(switch.feature));
    platform.switches.remember(off);
    let features = current(platform);
    for feature in Feature::ALL {
        metrics::gauge!(telemetry::FEATURE_ENABLED, "feature" => feature.name()).set(f64::from(u8::from(features.has(feature))));
    }
}

/// Every switch, its effective state, and who set it last.
pub async fn list(platform: &Platform) -> Result<Vec<Switch>> {
    let stored = store::all(&platform.db).await?;
    remember(platform, &stored);
    Ok(Feature::ALL.into_iter().map(|feature| shown(platform, feature, &stored)).collect())
}

fn shown(platform: &Platform, feature: Feature, stored: &[Stored]) -> Switch {
    let moved = stored.iter().find(|stored| stored.feature == feature);
    Switch {
        name: feature,
        enabled: current(platform).has(feature),
        switched_on: moved.is_none_or(|moved| moved.enabled),
        held_off_by: platform.switches.off().hold(feature, platform.config.billing_enabled, platform.stripe.is_some()),
        changed_by: moved.map(|moved| moved.changed_by.clone()),
        changed_at: moved.map(|moved| moved.changed_at),
        reason: moved.and_then(|moved| moved.reason.clone()),
    }
}

/// Parses a feature's name in `GET /meta/features`.
///
/// # Errors
/// `not_found`.
pub fn named(name: &str) -> Result<Feature> {
    name.parse().map_err(|_| Error::NotFound("feature"))
}

/// Switches a feature on or off for all servers. If it is already in that state, nothing changes
/// and nothing is audited.
///
/// # Errors
/// `invalid_parameter` for a reason that is too long or contains control characters.
pub async fn switch(platform: &Platform, by: &By, feature: Feature, enabled: bool, reason: Option<&str>) -> Result<Switch> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > MOST_REASON_CHARS || reason.chars().any(char::is_control)) {
        return Err(Error::invalid("reason", format!("must have at most {MOST_REASON_CHARS} characters and no control characters")));
    }
    let to = Stored { feature, enabled, reason: reason.map(str::to_owned), changed_by: by.actor.clone(), changed_at: platform.clock.now() };
    let mut transaction = platform.db.begin().await?;
    if store::switch(&mut transaction, &to).await? {
        let data = json!({"feature": feature, "before": !enabled, "after": enabled, "reason": reason});
        audit::record(&mut transaction, by.entry("feature.switched", None, data.clone())).await?;
        outbox::publish(&mut transaction, "feature.switched", None, data).await?;
        tracing::warn!(%feature, enabled, actor = by.actor, "feature switched");
    }
    transaction.commit().await?;
    let stored = store::all(&platform.db).await?;
    remember(platform, &stored);
    Ok(shown(platform, feature, &stored))
}
