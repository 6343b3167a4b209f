//! The client's address: the connection's peer, or the one that trusted proxies report.
//!
//! `X-Forwarded-For` of other peers is ignored, because any client can send it.

use axum::{
    extract::{ConnectInfo, Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The client's address, in the extensions of every request from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The networks of trusted proxies, whose `X-Forwarded-For` counts.
pub type TrustedProxies = Arc<[IpNet]>;

/// Adds the [`ClientAddress`] to the request, and replaces the connection's peer, so that inner
/// layers don't take a proxy for the client.
pub async fn locate(State(trusted): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        let address = client_address(peer.ip(), request.headers(), &trusted);
        let port = if address == peer.ip().to_canonical() { peer.port() } else { 0 };
        request.extensions_mut().insert(ClientAddress(address));
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, port)));
    }
    next.run(request).await
}

/// The peer, unless it is a trusted proxy: then the right-most address of `X-Forwarded-For` that is
/// not a trusted proxy. An unparsable entry ends the search, because entries to its left may be
/// forged; then the last address reported by a trusted proxy counts.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    for line in lines.into_iter().rev() {
        let Ok(line) = line.to_str() else { return address };
        for entry in line.rsplit(',') {
            if !trusted.iter().any(|network| network.contains(&address)) {
                return address;
            }
            match entry_address(entry.trim()) {
                Some(further) => address = further,
                None => return address,
            }
        }
    }
    address
}

/// `192.0.2.1`, `2001:db8::1`, and either with a port, as some proxies add it.
fn entry_address(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().or_else(|| entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok()).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(of("203.0.113.9", &["192.0.2.1"], &[]), "203.0.113.9");
        assert_eq!(of("203.0.113.9", &["192.0.2.1"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(of("10.1.2.3", &["192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(of("::ffff:10.1.2.3", &["192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn forged_entries_to_the_left_are_ignored() {
        assert_eq!(of("10.0.0.1", &["127.0.0.1, 192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["127.0.0.1", "192.0.2.1, 10.0.0.7"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.3");
    }

    #[test]
    fn ports_brackets_and_invalid_entries() {
        let proxies = &["10.0.0.0/8", "2001:db8:1::/48"];
        assert_eq!(of("10.0.0.1", &["192.0.2.1:4711"], proxies), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["[2001:db8::7]:4711"], proxies), "2001:db8::7");
        assert_eq!(of("2001:db8:1::5", &["[2001:db8::7]"], proxies), "2001:db8::7");
        for nonsense in ["", "unknown", ",", "192.0.2.1, ", "192.0.2.1, \u{e4}", "999.1.1.1"] {
            assert_eq!(of("10.0.0.1", &[nonsense], proxies), "10.0.0.1", "{nonsense:?}");
        }
        assert_eq!(of("10.0.0.1", &[], proxies), "10.0.0.1");
    }
}
