//! A cache of the hours before the current period, which only the forecast uses. The current
//! period's hours are read for every page.

use crate::{
    domain::{
        forecast::LOOK_BACK_HOURS,
        identity::CustomerId,
        period::{Period, hour_of},
    },
    service::{Platform, Result},
    store::usage::HourlyUsage,
};
use quick_cache::sync::Cache;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// Time to live: late events and corrections of earlier periods hardly change a forecast.
const BELIEVED: Duration = Duration::minutes(5);
/// Maximum number of cached customers, at most 100 kB each.
const CUSTOMERS: usize = 500;

/// This process's cache; clones share it.
#[derive(Clone)]
pub struct Earlier(Arc<Cache<CustomerId, Known>>);

#[derive(Clone)]
struct Known {
    read_at: OffsetDateTime,
    until: OffsetDateTime,
    hours: Arc<[HourlyUsage]>,
}

impl Default for Earlier {
    fn default() -> Earlier {
        Earlier(Arc::new(Cache::new(CUSTOMERS)))
    }
}

impl Earlier {
    /// The hours before the period's start that its forecast uses.
    pub async fn of(&self, platform: &Platform, customer: CustomerId, period: Period, now: OffsetDateTime) -> Result<Arc<[HourlyUsage]>> {
        let until = period.start();
        let is_good = |known: &Known| known.until == until && known.read_at <= now && now - known.read_at < BELIEVED;
        if let Some(known) = self.0.get(&customer).filter(is_good) {
            return Ok(known.hours);
        }
        let look_back = Duration::HOUR * u32::try_from(LOOK_BACK_HOURS).unwrap_or(u32::MAX);
        let hours: Arc<[HourlyUsage]> = match Period::new(hour_of(now) - look_back, until) {
            Some(span) => platform.usage.figures(customer, span).await?.hours.into(),
            None => Arc::default(),
        };
        self.0.insert(customer, Known { read_at: now, until, hours: hours.clone() });
        Ok(hours)
    }
}
