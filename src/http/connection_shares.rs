//! Limits the open connections per address, so that no client takes them all.

use ipnet::IpNet;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Open connections by address; cheap to clone.
#[derive(Clone)]
pub struct ConnectionShares(Arc<Inner>);

struct Inner {
    most: usize,
    /// Proxies, whose connections carry many clients.
    exempt: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl ConnectionShares {
    pub fn new(most: usize, exempt: Vec<IpNet>) -> ConnectionShares {
        ConnectionShares(Arc::new(Inner { most, exempt, open: Mutex::default() }))
    }

    /// Counts a connection of this address until it is dropped; None if the address has reached its
    /// limit.
    pub fn take(&self, peer: IpAddr) -> Option<Share> {
        let peer = peer.to_canonical();
        if self.0.exempt.iter().any(|network| network.contains(&peer)) {
            return Some(Share { of: None });
        }
        let network = network(peer);
        let mut open = self.open();
        let count = open.entry(network).or_insert(0);
        if *count >= self.0.most {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Share { of: Some((self.clone(), network)) })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // No code under the lock can panic.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An IPv4 address, or the /64 that an IPv6 subscriber has at least.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// An open connection.
pub struct Share {
    of: Option<(ConnectionShares, IpAddr)>,
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, network)) = &self.of else { return };
        let mut open = shares.open();
        if let Some(count) = open.get_mut(network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_a_limited_share() {
        let shares = ConnectionShares::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let held: Vec<Share> = (0..2).filter_map(|_| shares.take(address("192.0.2.1"))).collect();
        assert_eq!(held.len(), 2);
        assert!(shares.take(address("192.0.2.1")).is_none() && shares.take(address("::ffff:192.0.2.1")).is_none());
        assert!(shares.take(address("192.0.2.2")).is_some());
        drop(held);
        assert!(shares.take(address("192.0.2.1")).is_some());
        assert!(shares.open().is_empty());
        // A proxy's connections belong to its clients.
        let proxied: Vec<Share> = (0..10).filter_map(|_| shares.take(address("10.0.0.1"))).collect();
        assert_eq!(proxied.len(), 10);
    }

    #[test]
    fn an_ipv6_subscriber_is_one_client() {
        let shares = ConnectionShares::new(1, Vec::new());
        let _held = shares.take(address("2001:db8:1:2::1")).unwrap();
        assert!(shares.take(address("2001:db8:1:2:ffff::9")).is_none());
        assert!(shares.take(address("2001:db8:1:3::1")).is_some());
    }
}
