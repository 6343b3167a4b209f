//! Counts customers whose usage can't be priced, and logs them when they change.

use crate::{
    domain::{identity::CustomerId, plan::Unpriced},
    service::{Platform, Result, customers},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub const EVERY: Duration = Duration::from_secs(300);

/// The customers logged last.
pub type Reported = Mutex<BTreeMap<CustomerId, Unpriced>>;

pub async fn run(platform: Platform, reported: Arc<Reported>) -> Result<()> {
    let found = customers::find_unpriced(&platform).await?;
    let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
    if *reported != found {
        customers::log_unpriced(&found);
        *reported = found;
    }
    Ok(())
}
