//! The table `[reconcile]` of `Leptos.toml`.

use super::ConfigError;
use crate::domain::reconcile::Millionths;
use serde::Deserialize;
use std::time::Duration;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Reconcile {
    /// In percent of Stripe's value.
    pub tolerance_percent: Millionths,
    /// Whether a run starts automatically every night.
    pub nightly: bool,
    /// In UTC.
    pub nightly_hour: u8,
    /// Major units of any currency that may be at stake without an alert.
    pub alert_over: i64,
    /// Delay before a difference is compared again.
    pub settle_seconds: u32,
    /// How long ended runs are stored.
    pub keep_days: u32,
}

impl Default for Reconcile {
    fn default() -> Self {
        Reconcile {
            tolerance_percent: Millionths(5_000),
            nightly: true,
            nightly_hour: 3,
            alert_over: 1000,
            settle_seconds: 10,
            keep_days: 400,
        }
    }
}

impl Reconcile {
    pub const fn tolerance(&self) -> Millionths {
        self.tolerance_percent
    }

    pub fn settle(&self) -> Duration {
        Duration::from_secs(u64::from(self.settle_seconds))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let checks = [
            ((0..=1_000_000).contains(&self.tolerance_percent.0), "tolerance-percent", self.tolerance_percent.to_string(), "0 to 100"),
            (self.nightly_hour < 24, "nightly-hour", self.nightly_hour.to_string(), "0 to 23"),
            (self.alert_over >= 0, "alert-over", self.alert_over.to_string(), "0 or more"),
            (self.settle_seconds <= 600, "settle-seconds", self.settle_seconds.to_string(), "at most 600"),
            (self.keep_days >= 1, "keep-days", self.keep_days.to_string(), "at least 1"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, name, got, expected)) => Err(ConfigError(format!("Leptos.toml: reconcile.{name} is {got}, but must be {expected}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{config::Config, domain::reconcile::Millionths};

    fn read(table: &str) -> Result<Config, String> {
        let text = include_str!("../../Leptos.toml");
        let (before, rest) = text.split_once("[reconcile]").unwrap();
        let (_, after) = rest.split_once("# Sends the usage of closed hours").unwrap();
        Config::read(&format!("{before}{table}\n#{after}"), &|_: &str| None).map_err(|error| error.to_string())
    }

    #[test]
    fn without_the_table_defaults_apply() {
        let (there, none) = (include_str!("../../Leptos.toml"), read("").unwrap().file.reconcile);
        let there = Config::read(there, &|_: &str| None).unwrap().file.reconcile;
        assert_eq!(format!("{there:?}"), format!("{none:?}"));
        assert_eq!(none.tolerance(), Millionths(5_000));
    }

    #[test]
    fn values_are_validated() {
        assert_eq!(read("[reconcile]\ntolerance-percent = 2").unwrap().file.reconcile.tolerance(), Millionths(20_000));
        for wrong in [
            "tolerance-percent = 101",
            "tolerance-percent = -0.1",
            "nightly-hour = 24",
            "alert-over = -1",
            "settle-seconds = 601",
            "keep-days = 0",
            "speed = 1",
            "nightly-hour = \"three\"",
        ] {
            let error = read(&format!("[reconcile]\n{wrong}")).unwrap_err();
            assert!(error.starts_with("Leptos.toml: ") && !error.contains('\n'), "{error}");
        }
    }
}
