//! The table `[meters]` of `Leptos.toml`: usage for Stripe's billing meters.

use super::ConfigError;
use crate::domain::metric::{Metric, PerMetric};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// Stripe's maximum length of a name.
const LONGEST_NAME: usize = 100;
/// A week: longer than late senders need, shorter than Stripe's 35 days.
const LONGEST_GRACE_MINUTES: u32 = 7 * 24 * 60;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Meters {
    /// Off by default: Stripe bills what it receives.
    pub enabled: bool,
    /// Delay after its end until an hour is sent.
    pub grace_minutes: u32,
    /// Earlier hours are never sent. None: as far back as Stripe accepts them.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// The meters' event names in Stripe. The default is the metric's own name.
    #[serde(deserialize_with = "event_names")]
    pub event_names: PerMetric<String>,
}

impl Default for Meters {
    fn default() -> Self {
        Meters { enabled: false, grace_minutes: 15, since: None, event_names: PerMetric::from_fn(own_name) }
    }
}

fn own_name(metric: Metric) -> String {
    metric.as_str().to_owned()
}

fn event_names<'de, D: Deserializer<'de>>(d: D) -> Result<PerMetric<String>, D::Error> {
    let mut names = PerMetric::from_fn(own_name);
    for (metric, name) in BTreeMap::<Metric, String>::deserialize(d)? {
        names[metric] = name;
    }
    Ok(names)
}

impl Meters {
    pub fn grace(&self) -> Duration {
        Duration::minutes(i64::from(self.grace_minutes))
    }

    pub fn event_name(&self, metric: Metric) -> &str {
        &self.event_names[metric]
    }

    /// Two metrics with one name would be added up.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.grace_minutes > LONGEST_GRACE_MINUTES {
            return Err(ConfigError(format!(
                "Leptos.toml: meters.grace-minutes is {}, but must be at most {LONGEST_GRACE_MINUTES}",
                self.grace_minutes
            )));
        }
        let names = Metric::ALL.map(|metric| self.event_name(metric));
        for (at, name) in names.into_iter().enumerate() {
            if name.trim().is_empty() || name.len() > LONGEST_NAME || names[..at].contains(&name) {
                return Err(ConfigError(format!(
                    "Leptos.toml: meters.event-names.{} is `{name}`, but must be a unique name of 1 to {LONGEST_NAME} bytes",
                    Metric::ALL[at]
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{config::Config, domain::metric::Metric};

    fn read(meters: &str) -> Result<Config, String> {
        let text = include_str!("../../Leptos.toml");
        let (without, _) = text.split_once("[meters]").unwrap();
        Config::read(&format!("{without}{meters}"), &|_: &str| None).map_err(|error| error.to_string())
    }

    #[test]
    fn meters_are_off_by_default() {
        for text in ["", include_str!("../../Leptos.toml").split_once("[meters]").unwrap().1] {
            let text = if text.is_empty() { String::new() } else { format!("[meters]{text}") };
            let meters = read(&text).unwrap().file.meters;
            assert!(!meters.enabled && meters.since.is_none());
            assert_eq!((meters.grace().whole_minutes(), meters.event_name(Metric::ApiCalls)), (15, "api_calls"));
        }
    }

    #[test]
    fn names_and_times_are_checked() {
        let meters = read("[meters]\nenabled = true\nsince = \"2026-11-01T00:00:00Z\"\n[meters.event-names]\napi_calls = \"calls\"\n");
        let meters = meters.unwrap().file.meters;
        assert!(meters.enabled && meters.since.is_some());
        assert_eq!((meters.event_name(Metric::ApiCalls), meters.event_name(Metric::Impressions)), ("calls", "impressions"));
        for wrong in [
            "grace-minutes = 20000",
            "grace-minutes = -1",
            "since = \"yesterday\"",
            "speed = 1",
            "event-names = { calls = \"calls\" }",
            "event-names = { api_calls = \" \" }",
            "event-names = { api_calls = \"impressions\" }",
        ] {
            let error = read(&format!("[meters]\n{wrong}\n")).unwrap_err();
            assert!(error.starts_with("Leptos.toml: ") && !error.contains('\n'), "{error}");
        }
    }
}
