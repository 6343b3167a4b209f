//! `SMTP_URL` and `MAIL_FROM`.

use super::{ConfigError, PublicUrl, Secret};
use lettre::{Address, message::Mailbox};
use std::net::IpAddr;

/// The mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    /// User and password.
    pub login: Option<(String, Secret)>,
}

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte (`smtps://`).
    Implicit,
    /// STARTTLS is required.
    Required,
    /// Unencrypted: for a server on this machine or in a trusted network.
    None,
}

/// Parses `smtp(s)://[user:password@]host[:port][?tls=required|none]`. The message omits the value:
/// it contains a password.
pub fn read(url: &str) -> Result<Smtp, ConfigError> {
    let parts = || {
        let uri: axum::http::Uri = url.trim().parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host().trim_matches(['[', ']']);
        (!host.is_empty() && matches!(uri.path(), "" | "/")).then_some(())?;
        // An invalid port must not fall back to the default.
        let (login, place) = authority.as_str().rsplit_once('@').map_or((None, authority.as_str()), |(login, place)| (Some(login), place));
        let port = match (authority.port_u16(), place.rsplit_once(':')) {
            (Some(port), _) => Some(port),
            (None, Some((_, after))) if !after.ends_with(']') => return None,
            _ => None,
        };
        let (encryption, usual_port) = match (uri.scheme_str()?, uri.query()) {
            ("smtps", None) => (Encryption::Implicit, 465),
            ("smtp", None) if is_this_machine(host) => (Encryption::None, 25),
            ("smtp", None | Some("tls=required")) => (Encryption::Required, 587),
            ("smtp", Some("tls=none")) => (Encryption::None, 25),
            _ => return None,
        };
        let login = match login {
            None => None,
            Some(login) => {
                let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(String::from);
                let (user, password) = login.split_once(':')?;
                Some((decoded(user)?, Secret(decoded(password)?)))
            }
        };
        Some(Smtp { host: host.to_owned(), port: port.unwrap_or(usual_port), encryption, login })
    };
    parts().ok_or_else(|| {
        ConfigError("SMTP_URL is not a mail server URL; expected smtp://user:password@host:587 or smtps://user:password@host:465".into())
    })
}

/// `MAIL_FROM`, or `billing@` the host of `PUBLIC_URL`; an IP address is not a valid sender domain.
pub fn sender(given: Option<String>, public_url: &PublicUrl) -> Result<Mailbox, ConfigError> {
    if let Some(text) = given {
        return text.parse().map_err(|_| super::wrong("MAIL_FROM", &text, "an address such as Apex Billing <billing@example.com>"));
    }
    let host = public_url.origin().rsplit("://").next().unwrap_or_default();
    let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() }.unwrap_or_default();
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let domain = if is_address { "localhost" } else { name };
    Address::new("billing", domain)
        .map(|address| Mailbox::new(None, address))
        .map_err(|_| ConfigError(format!("MAIL_FROM is not set, and `billing@{domain}`, after PUBLIC_URL, is not an address")))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_need_tls_unless_configured_otherwise() {
        let of = |url: &str| read(url).unwrap();
        let usual = of("smtp://app:p%40ss%3Aword@mail.example.com");
        assert_eq!((usual.host.as_str(), usual.port, usual.encryption), ("mail.example.com", 587, Encryption::Required));
        assert_eq!(usual.login, Some(("app".into(), Secret("p@ss:word".into()))));
        assert_eq!((of("smtps://mail.example.com").port, of("smtps://mail.example.com").encryption), (465, Encryption::Implicit));
        assert_eq!((of("smtp://[::1]:2525").host.as_str(), of("smtp://[::1]:2525").port), ("::1", 2525));
        assert_eq!(of("smtp://localhost").encryption, Encryption::None);
        assert_eq!(of("smtp://10.0.0.7?tls=none").encryption, Encryption::None);
        assert_eq!(of("smtp://127.0.0.1?tls=required").encryption, Encryption::Required);
    }

    #[test]
    fn the_default_sender_is_at_the_public_host() {
        let of = |url: &str| sender(None, &super::super::public_url(url).unwrap()).unwrap().to_string();
        assert_eq!(of("https://billing.example.com"), "billing@billing.example.com");
        assert_eq!(of("http://127.0.0.1:3000"), "billing@localhost");
        assert_eq!(of("http://[::1]:3000"), "billing@localhost");
        assert_eq!(of("http://localhost:3000"), "billing@localhost");
        let named = sender(Some("Apex Billing <pay@example.com>".into()), &super::super::public_url("https://x.example").unwrap()).unwrap();
        assert_eq!(named.email.to_string(), "pay@example.com");
    }
}
