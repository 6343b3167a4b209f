//! The tables of `Leptos.toml`.

use super::{ConfigError, Meters, Reconcile, Stripe};
use serde::Deserialize;
use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

/// Our tables of `Leptos.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The table of the Leptos tools; `leptos_config` reads it from here, with its overrides.
    #[serde(rename = "package")]
    _package: toml::Value,
    pub database: Database,
    pub sessions: Sessions,
    #[serde(default)]
    pub serving: Serving,
    pub limits: Limits,
    pub retention: Retention,
    #[serde(default)]
    pub stripe: Stripe,
    #[serde(default)]
    pub reconcile: Reconcile,
    #[serde(default)]
    pub meters: Meters,
}

impl File {
    /// Reads the text of a `Leptos.toml`.
    pub(super) fn read(leptos_toml: &str) -> Result<File, ConfigError> {
        let file: File =
            toml::from_str(leptos_toml).map_err(|error| ConfigError(format!("Leptos.toml: {}", one_line(&error.to_string()))))?;
        if file.retention.raw_usage_event_days < LEAST_RAW_USAGE_EVENT_DAYS {
            return Err(ConfigError(format!(
                "Leptos.toml: raw-usage-event-days is {}, but must be at least {LEAST_RAW_USAGE_EVENT_DAYS}",
                file.retention.raw_usage_event_days
            )));
        }
        file.serving.check()?;
        file.meters.check()?;
        file.reconcile.check()?;
        file.stripe.check()?;
        Ok(file)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Database {
    pub max_connections: u32,
    pub acquire_timeout_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sessions {
    pub idle_minutes: i64,
    pub absolute_hours: i64,
    /// Staff without a second factor can only open their own account page.
    #[serde(default)]
    pub require_totp_for_admins: bool,
}

/// Listening and shutdown.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Serving {
    /// Maximum number of open public connections; further ones wait.
    pub max_connections: NonZeroUsize,
    /// Maximum per client address (IPv6: /64); trusted proxies have no limit.
    pub connections_per_address: NonZeroUsize,
    /// Time limit for a request's headers, and for idle connections.
    pub head_milliseconds: u64,
    /// How long a client may read nothing of its response.
    pub write_milliseconds: u64,
    /// Removed in this version: `true` is rejected, `false` is only logged.
    pub reuse_port: Option<bool>,
    /// How long `/readyz` fails before connections are closed.
    pub unready_milliseconds: u64,
    /// How long requests and jobs may continue after that.
    pub drain_seconds: u64,
    /// Limit per address for unauthenticated requests; a burst may use twenty seconds' worth.
    #[serde(default = "anonymous_requests_per_second")]
    pub anonymous_requests_per_second: NonZeroU32,
}

const fn anonymous_requests_per_second() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(49)
}

impl Default for Serving {
    fn default() -> Serving {
        Serving {
            max_connections: const { NonZeroUsize::new(4096).unwrap() },
            connections_per_address: const { NonZeroUsize::new(256).unwrap() },
            head_milliseconds: 30_000,
            write_milliseconds: 30_000,
            reuse_port: None,
            unready_milliseconds: 5_000,
            drain_seconds: 20,
            anonymous_requests_per_second: anonymous_requests_per_second(),
        }
    }
}

impl Serving {
    /// # Errors
    /// When the file asks for what earlier versions did: with `reuse-port = true` a deployment
    /// starts a second server on the address of the first, which would now fail at every upgrade.
    fn check(&self) -> Result<(), ConfigError> {
        if self.reuse_port == Some(true) {
            return Err(ConfigError(
                "Leptos.toml: reuse-port = true is no longer supported: two servers can't share an address; let systemd hold the \
                 socket instead (deploy/systemd/apex-billing.socket, docs/operate/upgrade.md) and remove the line"
                    .into(),
            ));
        }
        Ok(())
    }

    pub const fn head(&self) -> Duration {
        Duration::from_millis(self.head_milliseconds)
    }

    pub const fn write(&self) -> Duration {
        Duration::from_millis(self.write_milliseconds)
    }

    pub const fn unready(&self) -> Duration {
        Duration::from_millis(self.unready_milliseconds)
    }

    pub const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    pub webhook_body_bytes: usize,
    pub ingest_body_bytes: usize,
    /// Total size of concurrent usage requests; one key may use a quarter.
    pub ingest_in_flight_bytes: usize,
    /// Limit per API key; a burst may use ten seconds' worth.
    pub ingest_requests_per_second: NonZeroU32,
    pub ingest_events_per_second: NonZeroU32,
    pub request_timeout_seconds: u64,
}

impl Limits {
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }
}

/// How long data that is not billed is stored.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Retention {
    pub raw_usage_event_days: u32,
}

/// Must cover raw events of open periods, and those still accepted.
const LEAST_RAW_USAGE_EVENT_DAYS: u32 = 62;

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const LEPTOS_TOML: &str = include_str!("../../Leptos.toml");

    #[test]
    fn unknown_tables_and_keys_are_rejected() {
        for extra in ["\n[oops]\n", "\n[limits]\nspeed = 1\n"] {
            let text = format!("{LEPTOS_TOML}{extra}");
            assert!(Config::read(&text, &|_: &str| None).is_err());
        }
    }

    #[test]
    fn reuse_port_is_refused_unless_it_is_off() {
        let with = |line: &str| Config::read(&LEPTOS_TOML.replace("[serving]", &format!("[serving]\n{line}")), &|_: &str| None);
        let error = with("reuse-port = true").unwrap_err().to_string();
        assert!(error.contains("reuse-port") && error.contains("apex-billing.socket"), "{error}");
        // Every earlier Leptos.toml has this line, so upgrades accept it.
        assert_eq!(with("reuse-port = false").unwrap().file.serving.reuse_port, Some(false));
        assert_eq!(with("").unwrap().file.serving.reuse_port, None);
    }

    #[test]
    fn raw_usage_events_are_stored_for_two_months() {
        let with = |days: &str| {
            Config::read(&LEPTOS_TOML.replace("raw-usage-event-days = 400", &format!("raw-usage-event-days = {days}")), &|_: &str| None)
        };
        assert!(with("62").is_ok());
        assert!(with("61").unwrap_err().to_string().contains("raw-usage-event-days"));
    }

    #[test]
    fn cargo_toml_and_leptos_toml_agree() {
        let table = |text: &str| toml::from_str::<toml::Table>(text).unwrap()["package"]["metadata"]["leptos"].as_table().unwrap().clone();
        let (build, run) = (table(include_str!("../../Cargo.toml")), table(LEPTOS_TOML));
        for (key, value) in &run {
            assert_eq!(build.get(key), Some(value), "{key}");
        }
    }
}
