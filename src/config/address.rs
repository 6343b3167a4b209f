//! URLs of the console and Stripe's API, and trusted proxies.

use super::{ConfigError, parsed, wrong};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The URL that browsers and mails use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// `scheme://host[:port]`, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

pub(super) fn public_url(value: &str) -> Result<PublicUrl, ConfigError> {
    let expected = "an origin such as https://billing.example.com, without a path";
    let trimmed = value.trim_end_matches('/');
    let uri: axum::http::Uri = parsed("PUBLIC_URL", trimmed, expected)?;
    match (uri.scheme_str(), uri.authority(), uri.path()) {
        (Some("http" | "https"), Some(authority), "" | "/") if uri.query().is_none() && !authority.as_str().contains('@') => {
            Ok(PublicUrl(trimmed.to_ascii_lowercase()))
        }
        _ => Err(wrong("PUBLIC_URL", value, expected)),
    }
}

/// The console's local URL: the default of `PUBLIC_URL`.
pub(super) fn local_url(listening: SocketAddr) -> String {
    if listening.ip().is_loopback() { format!("http://{listening}") } else { format!("http://127.0.0.1:{}", listening.port()) }
}

/// The message omits a value that contains a password.
pub(super) fn api_base(value: &str) -> Result<String, ConfigError> {
    let expected = "an address such as https://api.stripe.com";
    if value.contains('@') {
        return Err(ConfigError(format!("STRIPE_API_BASE holds a user or a password, but must be {expected}")));
    }
    let trimmed = value.trim().trim_end_matches('/');
    let uri: axum::http::Uri = parsed("STRIPE_API_BASE", trimmed, expected)?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) if uri.query().is_none() => Ok(trimmed.to_owned()),
        _ => Err(wrong("STRIPE_API_BASE", value, expected)),
    }
}

/// Networks and single addresses. A /0 network is rejected: any client could claim any address.
pub(super) fn trusted_proxies(value: &str) -> Result<Vec<IpNet>, ConfigError> {
    let expected = "addresses and networks such as 10.0.0.5,192.168.0.0/16";
    let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let network = part.parse().or_else(|_| part.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())));
            network.ok().filter(|network| network.prefix_len() > 0).ok_or_else(|| wrong("TRUSTED_PROXIES", part, expected))
        })
        .collect()
}
