//! The queue of logins: only a few are processed at once, so that a flood leaves database
//! connections and cores to other requests. The queue's length is limited, also per address.

use super::{Error, Result};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Queued or in progress, in total.
const MOST: usize = 128;
/// Per address (IPv6: /64).
const MOST_OF_ADDRESS: usize = 32;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct LoginQueue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    turns: Arc<Semaphore>,
    queued: Mutex<Queued>,
}

#[derive(Debug, Default)]
struct Queued {
    in_all: usize,
    of_addresses: HashMap<String, usize>,
}

impl LoginQueue {
    /// Leaves three quarters of the database's connections to other requests.
    pub fn new(database_connections: u32) -> LoginQueue {
        let turns = usize::try_from(database_connections / 4).unwrap_or(1).max(1);
        LoginQueue(Arc::new(Inner { turns: Arc::new(Semaphore::new(turns)), queued: Mutex::default() }))
    }

    /// Waits in the queue; the permit is released on drop.
    ///
    /// # Errors
    /// `busy` if the queue is full; `rate_limited` if the address has reached its limit.
    pub async fn turn(&self, address: Option<&str>) -> Result<Turn> {
        let place = self.place(address.unwrap_or_default())?;
        let permit = Arc::clone(&self.0.turns).acquire_owned().await.map_err(|error| Error::Internal(error.into()))?;
        Ok(Turn { _permit: permit, _place: place })
    }

    fn place(&self, address: &str) -> Result<Place> {
        let mut queued = self.queued();
        let of_address = queued.of_addresses.get(address).copied().unwrap_or(0);
        if queued.in_all >= MOST {
            return Err(Error::Busy);
        }
        if of_address >= MOST_OF_ADDRESS {
            return Err(Error::AddressLimited { retry_after: 1 });
        }
        queued.in_all += 1;
        queued.of_addresses.insert(address.to_owned(), of_address + 1);
        Ok(Place { queue: self.clone(), address: address.to_owned() })
    }

    fn queued(&self) -> MutexGuard<'_, Queued> {
        // No code under the lock can panic.
        self.0.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A login in progress.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}

struct Place {
    queue: LoginQueue,
    address: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queued = self.queue.queued();
        queued.in_all = queued.in_all.saturating_sub(1);
        if let Some(of_address) = queued.of_addresses.get_mut(&self.address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                queued.of_addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_code::ErrorCode;

    #[tokio::test]
    async fn each_address_has_a_limited_share_of_the_queue() {
        let queue = LoginQueue::new(16);
        let held: Vec<Place> = (0..MOST_OF_ADDRESS).map(|_| queue.place("192.0.2.1").unwrap()).collect();
        assert_eq!(queue.place("192.0.2.1").err().unwrap().code(), ErrorCode::RateLimited);
        assert!(queue.turn(Some("192.0.2.2")).await.is_ok());
        drop(held);
        assert!(queue.turn(Some("192.0.2.1")).await.is_ok());
        assert!(queue.queued().of_addresses.is_empty() && queue.queued().in_all == 0);
    }

    #[test]
    fn the_queue_is_bounded() {
        let queue = LoginQueue::new(1);
        let places: Vec<Result<Place>> = (0..MOST + 1).map(|n| queue.place(&format!("2001:db8::{n}"))).collect();
        assert_eq!(places.iter().filter(|place| place.is_ok()).count(), MOST);
        assert!(matches!(places.last(), Some(Err(Error::Busy))));
    }
}
