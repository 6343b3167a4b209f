//! The hours before the running period, which only the forecast looks back on: read once in a while, where the period's own are read anew
//! for every page.

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

/// How long what was read is believed: late events and corrections of earlier periods move a forecast little.
const BELIEVED: Duration = Duration::minutes(5);
/// Customers that are remembered, at 100 kB each at most.
const CUSTOMERS: usize = 500;

/// What this process knows of customers' earlier hours; clones share it.
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
    /// The hours that a forecast of this period looks back on, up to the period's start.
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
