//! `CLICKHOUSE_URL` and `CLICKHOUSE_CLUSTER`.

use super::{ConfigError, Secret, wrong};

/// The ClickHouse database, from `CLICKHOUSE_URL` and `CLICKHOUSE_CLUSTER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickHouse {
    /// `http(s)://host:port`
    pub endpoint: String,
    pub user: String,
    pub password: Secret,
    pub database: String,
    /// Tables are created on all replicas of this cluster. None: a single server.
    pub cluster: Option<String>,
}

/// The message omits the value: it contains a password.
pub(super) fn read(url: &str, cluster_name: Option<String>) -> Result<ClickHouse, ConfigError> {
    let cluster = cluster(cluster_name)?;
    let parts = || {
        let uri: axum::http::Uri = url.trim().parse().ok()?;
        let (scheme, default_port) = match uri.scheme_str()? {
            "http" => ("http", 8123),
            "https" => ("https", 8443),
            _ => return None,
        };
        let authority = uri.authority()?;
        let (login, address) = authority.as_str().rsplit_once('@').unwrap_or(("default", authority.as_str()));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let port: u16 = match address.strip_prefix(authority.host())? {
            "" => default_port,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(String::from);
        let database = uri.path().trim_matches('/');
        let host = authority.host();
        (!host.is_empty() && uri.query().is_none() && is_identifier(database)).then_some(())?;
        Some(ClickHouse {
            endpoint: format!("{scheme}://{host}:{port}"),
            user: decoded(user)?,
            password: Secret(decoded(password)?),
            database: database.to_owned(),
            cluster,
        })
    };
    parts().ok_or_else(|| ConfigError("CLICKHOUSE_URL is not a ClickHouse URL; expected http(s)://user:password@host:8123/database".into()))
}

fn cluster(name: Option<String>) -> Result<Option<String>, ConfigError> {
    match name {
        Some(name) if !is_identifier(&name) => Err(wrong("CLICKHOUSE_CLUSTER", &name, "the name of a cluster: letters, digits and _")),
        name => Ok(name),
    }
}

/// Safe to insert into a statement.
fn is_identifier(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(include_str!("../../Leptos.toml"), &|name: &str| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn clickhouse_url_has_a_database() {
        let of = |url: &str| read(&[("CLICKHOUSE_URL", url)]).unwrap().clickhouse.unwrap();
        let whole = of("https://billing:p%40ss%3Aword@ch.example.com:9443/usage");
        assert_eq!((whole.endpoint.as_str(), whole.database.as_str()), ("https://ch.example.com:9443", "usage"));
        assert_eq!((whole.user.as_str(), whole.password.0.as_str()), ("billing", "p@ss:word"));
        let least = of("http://[::1]/usage/");
        assert_eq!((least.endpoint.as_str(), least.user.as_str(), least.password.0.as_str()), ("http://[::1]:8123", "default", ""));
        assert_eq!(read(&[]).unwrap().clickhouse, None);
        let cluster = |name: &str| read(&[("CLICKHOUSE_URL", "http://ch/usage"), ("CLICKHOUSE_CLUSTER", name)]);
        assert_eq!(cluster("billing_eu").unwrap().clickhouse.unwrap().cluster.as_deref(), Some("billing_eu"));
        assert!(cluster("billing' OR 1").is_err());
    }
}
