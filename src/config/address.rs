//! Addresses: where the console and Stripe's API are reached, and whose word on a sender's address is taken.

use super::{ConfigError, parsed, wrong};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The address that browsers and mails use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// `scheme://host[:port]`, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

pub(super) fn public_url(value: &str) -> Result<PublicUrl, ConfigError> {
    let wants = "an origin such as https://billing.example.com, without a path";
    let trimmed = value.trim_end_matches('/');
    let uri: axum::http::Uri = parsed("PUBLIC_URL", trimmed, wants)?;
    match (uri.scheme_str(), uri.authority(), uri.path()) {
        (Some("http" | "https"), Some(authority), "" | "/") if uri.query().is_none() && !authority.as_str().contains('@') => {
            Ok(PublicUrl(trimmed.to_ascii_lowercase()))
        }
        _ => Err(wrong("PUBLIC_URL", value, wants)),
    }
}

/// Where the console is reached on this machine: what `PUBLIC_URL` is unless set.
pub(super) fn local_url(listening: SocketAddr) -> String {
    if listening.ip().is_loopback() { format!("http://{listening}") } else { format!("http://127.0.0.1:{}", listening.port()) }
}

/// A value with a password in it stays out of the message, as the secret that it is.
pub(super) fn api_base(value: &str) -> Result<String, ConfigError> {
    let wants = "an address such as https://api.stripe.com";
    if value.contains('@') {
        return Err(ConfigError(format!("STRIPE_API_BASE holds a user or a password, but wants {wants}")));
    }
    let trimmed = value.trim().trim_end_matches('/');
    let uri: axum::http::Uri = parsed("STRIPE_API_BASE", trimmed, wants)?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) if uri.query().is_none() => Ok(trimmed.to_owned()),
        _ => Err(wrong("STRIPE_API_BASE", value, wants)),
    }
}

/// Networks and single addresses. One that everybody is in would let anybody name any address.
pub(super) fn trusted_proxies(value: &str) -> Result<Vec<IpNet>, ConfigError> {
    let wants = "addresses and networks such as 10.0.0.5,192.168.0.0/16";
    let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let network = part.parse().or_else(|_| part.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())));
            network.ok().filter(|network| network.prefix_len() > 0).ok_or_else(|| wrong("TRUSTED_PROXIES", part, wants))
        })
        .collect()
}
