//! Reads the environment and `Leptos.toml` once at start into one typed value.
//!
//! A missing or malformed value ends the program with one sentence: the variable, its value, and
//! the expected one.

mod address;
mod clickhouse;
mod file;
mod meters;
mod otlp;
mod reconcile;
mod secrets_key;
mod smtp;
mod stripe;

pub use address::PublicUrl;
pub use clickhouse::ClickHouse;
pub use file::{Database, File, Limits, Retention, Serving, Sessions};
pub use meters::Meters;
pub use otlp::OtlpEndpoint;
pub use reconcile::Reconcile;
pub use secrets_key::{SecretsKey, SecretsKeys};
pub use smtp::{Encryption, Smtp};
pub use stripe::Stripe;

use address::{api_base, local_url, public_url, trusted_proxies};
use ipnet::IpNet;
use leptos_config::LeptosOptions;
use lettre::message::Mailbox;
use serde::Deserialize;
use std::{fmt, net::SocketAddr, path::PathBuf};

/// A value that never appears in logs, errors or debug output.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    pub billing_enabled: bool,
    /// None: a private PostgreSQL under `./.data/pg`.
    pub database_url: Option<Secret>,
    /// None: raw usage events are stored in PostgreSQL.
    pub clickhouse: Option<ClickHouse>,
    /// All valid webhook secrets; several while rotating. Empty: a random one is generated and
    /// printed.
    pub stripe_webhook_secrets: Vec<Secret>,
    /// None: Stripe is never called, and features that need it report that.
    pub stripe_secret_key: Option<Secret>,
    /// Base URL of Stripe's API, without a trailing slash.
    pub stripe_api_base: String,
    /// The key's mode: events of the other mode are stored as ignored. None: both modes are
    /// accepted.
    pub stripe_livemode: Option<bool>,
    /// The account in `Stripe-Account` or `context` whose events are mirrored: a connected account,
    /// or one of an organization. None: events that name an account are stored as ignored.
    pub stripe_account: Option<String>,
    pub public_url: PublicUrl,
    /// Proxies whose `X-Forwarded-For` is trusted. Empty: none.
    pub trusted_proxies: Vec<IpNet>,
    pub metrics_addr: SocketAddr,
    /// None: mails are written to the log.
    pub smtp: Option<Smtp>,
    pub mail_from: Mailbox,
    pub log_format: Option<LogFormat>,
    /// None: no traces.
    pub otlp_endpoint: Option<OtlpEndpoint>,
    pub demo_password: Option<Secret>,
    /// File of breached passwords by SHA-1. None: only common passwords are rejected.
    pub breached_passwords_file: Option<PathBuf>,
    /// Keys that encrypt TOTP secrets. Without keys, they are stored unencrypted.
    pub secrets_keys: SecretsKeys,
    pub leptos: LeptosOptions,
    pub file: File,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

/// One sentence for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// The source of values: the process environment, or a test's own.
pub trait Environment {
    fn get(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// Stripe's API, the default.
const STRIPE_API: &str = "https://api.stripe.com";

/// Stripe's customer portal.
const STRIPE_PORTAL: &str = "https://billing.stripe.com";

/// Folder for local data: the private cluster, the demo's secrets.
pub fn data_dir() -> PathBuf {
    PathBuf::from(".data")
}

impl Config {
    /// The origin of Stripe's customer portal, as a target of forms (CSP `form-action`); None
    /// without a Stripe key. A stand-in for Stripe's API has its portal at the same origin.
    pub fn portal_origin(&self) -> Option<String> {
        self.stripe_secret_key.as_ref()?;
        if self.stripe_api_base == STRIPE_API {
            return Some(STRIPE_PORTAL.to_owned());
        }
        let base: axum::http::Uri = self.stripe_api_base.parse().ok()?;
        Some(format!("{}://{}", base.scheme_str()?, base.authority()?))
    }

    /// Whether the operator names a Stripe: by a key, or by the base URL of another one.
    pub fn names_stripe(&self) -> bool {
        self.stripe_secret_key.is_some() || self.stripe_api_base != STRIPE_API
    }

    /// Reads `.env` (if present), the environment, and `Leptos.toml` in the working directory.
    pub fn load() -> Result<Config, ConfigError> {
        match dotenvy::dotenv() {
            Ok(_) => {}
            Err(error) if error.not_found() => {}
            Err(error) => return Err(ConfigError(format!("the file .env can't be read: {error}"))),
        }
        let text = std::fs::read_to_string("Leptos.toml")
            .map_err(|error| ConfigError(format!("Leptos.toml can't be read in the working directory: {error}")))?;
        Config::read(&text, &|name: &str| std::env::var(name).ok())
    }

    /// Reads from an environment and the text of a `Leptos.toml`.
    pub fn read(leptos_toml: &str, env: &dyn Environment) -> Result<Config, ConfigError> {
        let file = File::read(leptos_toml)?;
        let leptos = leptos_config::get_config_from_str(leptos_toml)
            .map_err(|error| ConfigError(format!("Leptos.toml or a LEPTOS_ variable: {error}")))?;
        let set = |name: &str| env.get(name).filter(|value| !value.trim().is_empty());
        let public_url = public_url(&set("PUBLIC_URL").unwrap_or_else(|| local_url(leptos.site_addr)))?;
        Ok(Config {
            billing_enabled: match set("BILLING_ENABLED") {
                None => true,
                Some(value) => boolean("BILLING_ENABLED", &value)?,
            },
            database_url: set("DATABASE_URL").map(Secret).map(database_url).transpose()?,
            clickhouse: set("CLICKHOUSE_URL").map(|url| clickhouse::read(&url, set("CLICKHOUSE_CLUSTER"))).transpose()?,
            stripe_webhook_secrets: set("STRIPE_WEBHOOK_SECRET")
                .map(|value| value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| Secret(part.to_owned())).collect())
                .unwrap_or_default(),
            stripe_livemode: match set("STRIPE_SECRET_KEY") {
                None => None,
                Some(key) if key.starts_with("sk_live_") || key.starts_with("rk_live_") => Some(true),
                Some(key) if key.starts_with("sk_test_") || key.starts_with("rk_test_") => Some(false),
                Some(_) => {
                    return Err(ConfigError(
                        "STRIPE_SECRET_KEY is set, but is not a Stripe key; expected sk_live_…, sk_test_…, rk_live_… or rk_test_…".into(),
                    ));
                }
            },
            stripe_account: match set("STRIPE_ACCOUNT") {
                Some(id) if !is_account(id.trim()) => {
                    return Err(wrong("STRIPE_ACCOUNT", &id, "an account's id, such as acct_1N2aBcDeFgHiJkLm"));
                }
                id => id.map(|id| id.trim().to_owned()),
            },
            stripe_secret_key: set("STRIPE_SECRET_KEY").map(Secret),
            stripe_api_base: set("STRIPE_API_BASE").map_or_else(|| Ok(STRIPE_API.to_owned()), |value| api_base(&value))?,
            smtp: set("SMTP_URL").map(|url| smtp::read(&url)).transpose()?,
            mail_from: smtp::sender(set("MAIL_FROM"), &public_url)?,
            public_url,
            trusted_proxies: set("TRUSTED_PROXIES").map(|value| trusted_proxies(&value)).transpose()?.unwrap_or_default(),
            metrics_addr: parsed(
                "METRICS_ADDR",
                &set("METRICS_ADDR").unwrap_or_else(|| "127.0.0.1:9464".into()),
                "an address such as 127.0.0.1:9464",
            )?,
            log_format: match set("LOG_FORMAT").as_deref() {
                None => None,
                Some("pretty") => Some(LogFormat::Pretty),
                Some("json") => Some(LogFormat::Json),
                Some(other) => return Err(wrong("LOG_FORMAT", other, "pretty or json")),
            },
            otlp_endpoint: set("OTEL_EXPORTER_OTLP_ENDPOINT").map(|value| OtlpEndpoint::read(&value)).transpose()?,
            demo_password: set("DEMO_PASSWORD").map(Secret),
            breached_passwords_file: set("BREACHED_PASSWORDS_FILE").map(PathBuf::from),
            secrets_keys: set("SECRETS_KEY").map(|keys| secrets_key::read(&keys)).transpose()?.unwrap_or_default(),
            leptos,
            file,
        })
    }
}

fn is_account(id: &str) -> bool {
    id.strip_prefix("acct_")
        .is_some_and(|rest| !rest.is_empty() && rest.len() < 100 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn wrong(name: &str, got: &str, expected: &str) -> ConfigError {
    ConfigError(format!("{name} is `{got}`, but must be {expected}"))
}

fn boolean(name: &str, value: &str) -> Result<bool, ConfigError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong(name, value, "true or false")),
    }
}

fn parsed<T: std::str::FromStr>(name: &str, value: &str, expected: &str) -> Result<T, ConfigError> {
    value.parse().map_err(|_| wrong(name, value, expected))
}

/// The message omits the value: it contains a password.
fn database_url(url: Secret) -> Result<Secret, ConfigError> {
    if url.0.starts_with("postgres://") || url.0.starts_with("postgresql://") {
        Ok(url)
    } else {
        Err(ConfigError("DATABASE_URL is not a PostgreSQL URL; expected postgres://user:password@host:5432/database".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEPTOS_TOML: &str = include_str!("../Leptos.toml");

    fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(LEPTOS_TOML, &|name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn everything_has_a_default() {
        let config = read(&[]).unwrap();
        assert!(config.billing_enabled && config.database_url.is_none() && config.stripe_webhook_secrets.is_empty());
        assert_eq!(config.public_url.origin(), "http://127.0.0.1:3000");
        assert_eq!(config.metrics_addr.to_string(), "127.0.0.1:9464");
    }

    #[test]
    fn stripe_is_called_only_with_a_key() {
        let config = read(&[]).unwrap();
        assert!(config.stripe_secret_key.is_none() && config.stripe_api_base == "https://api.stripe.com");
        let config = read(&[("STRIPE_SECRET_KEY", "rk_test_1"), ("STRIPE_API_BASE", "http://127.0.0.1:12111/")]).unwrap();
        assert_eq!(config.stripe_secret_key, Some(Secret("rk_test_1".into())));
        assert_eq!((config.stripe_api_base.as_str(), config.stripe_livemode), ("http://127.0.0.1:12111", Some(false)));
        assert_eq!((config.stripe_account, read(&[]).unwrap().stripe_account), (None, None));
        assert_eq!(read(&[("STRIPE_ACCOUNT", " acct_1 ")]).unwrap().stripe_account.as_deref(), Some("acct_1"));
    }

    #[test]
    fn the_portal_is_stripes_or_the_stand_ins() {
        let portal = |set: &[(&str, &str)]| read(set).unwrap().portal_origin();
        let key = ("STRIPE_SECRET_KEY", "sk_test_1");
        assert_eq!(portal(&[("STRIPE_API_BASE", "http://127.0.0.1:12111/")]), None);
        assert_eq!(portal(&[key]).as_deref(), Some("https://billing.stripe.com"));
        assert_eq!(portal(&[key, ("STRIPE_API_BASE", "https://api.stripe.com/")]).as_deref(), Some("https://billing.stripe.com"));
        assert_eq!(portal(&[key, ("STRIPE_API_BASE", "http://127.0.0.1:12111/stripe/")]).as_deref(), Some("http://127.0.0.1:12111"));
    }

    #[test]
    fn secrets_can_be_rotated() {
        let config = read(&[("STRIPE_WEBHOOK_SECRET", "whsec_new, whsec_old,")]).unwrap();
        assert_eq!(config.stripe_webhook_secrets, [Secret("whsec_new".into()), Secret("whsec_old".into())]);
    }

    #[test]
    fn an_invalid_value_is_one_sentence_with_its_variable() {
        for (name, value) in [
            ("BILLING_ENABLED", "maybe"),
            ("PUBLIC_URL", "billing.example.com"),
            ("PUBLIC_URL", "https://billing.example.com/console"),
            ("METRICS_ADDR", "9464"),
            ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("TRUSTED_PROXIES", "10.0.0.1, proxy.internal"),
            ("TRUSTED_PROXIES", "0.0.0.0/0"),
            ("LOG_FORMAT", "xml"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector:4318"),
            ("DATABASE_URL", "mysql://root:hunter2@db/app"),
            ("STRIPE_SECRET_KEY", "hunter2"),
            ("STRIPE_ACCOUNT", "1N2aBcDe"),
            ("STRIPE_ACCOUNT", "acct_"),
            ("STRIPE_API_BASE", "api.stripe.com"),
            ("STRIPE_API_BASE", "ftp://api.stripe.com"),
            ("STRIPE_API_BASE", "http://api.stripe.com?version=1"),
            ("STRIPE_API_BASE", "https://me:hunter2@api.stripe.com"),
            ("STRIPE_API_BASE", "two words"),
            ("CLICKHOUSE_URL", "clickhouse://app:hunter2@ch:9000/usage"),
            ("CLICKHOUSE_URL", "http://app:hunter2@ch:8123"),
            ("CLICKHOUSE_URL", "http://app:hunter2@ch:8123/usage; DROP"),
            ("CLICKHOUSE_URL", "http://app:hunter2@ch:port/usage"),
            ("CLICKHOUSE_URL", "http://app:hunter2@/usage"),
            ("CLICKHOUSE_URL", "hunter2"),
            ("SMTP_URL", "http://app:hunter2@mail.example.com"),
            ("SMTP_URL", "smtp://app:hunter2@mail.example.com:port"),
            ("SMTP_URL", "smtp://hunter2@mail.example.com"),
            ("SMTP_URL", "smtp://app:hunter2@mail.example.com?tls=maybe"),
            ("SMTP_URL", "smtps://app:hunter2@mail.example.com?tls=none"),
            ("SMTP_URL", "smtp://app:hunter2@"),
            ("SMTP_URL", "hunter2"),
            ("MAIL_FROM", "billing at example.com"),
            ("SECRETS_KEY", "hunter2"),
            ("SECRETS_KEY", "plain"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name) && !error.contains('\n'), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let config = read(&[
            ("STRIPE_WEBHOOK_SECRET", "whsec_hunter2"),
            ("DATABASE_URL", "postgres://a:hunter2@b/c"),
            ("STRIPE_SECRET_KEY", "sk_live_hunter2"),
            ("CLICKHOUSE_URL", "http://a:hunter2@b/c"),
            ("SMTP_URL", "smtp://a:hunter2@b"),
        ])
        .unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
