//! Forecasts a period's total usage from its hours so far and earlier hours.

mod level;
mod seasonal;
mod statistics;
#[cfg(test)]
mod tests;

use super::period::{Period, hour_of};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// Hours of history that a forecast uses: ten weeks.
pub const LOOK_BACK_HOURS: usize = 10 * WEEK;
/// Hours in a week.
const WEEK: usize = 7 * DAY;
/// Hours in a day.
const DAY: usize = 24;
/// 80 % of a normal distribution lies within this many standard deviations.
const FOUR_FIFTHS: f64 = 1.2816;
/// Maximum standard deviation of the relative error: a factor of seven either way.
const WIDEST: f64 = 1.5;

/// An expected total at the period's end, with an 80 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Forecast {
    pub amount: u64,
    pub low: u64,
    pub high: u64,
}

impl Forecast {
    /// The same, limited to a quantity at which usage stops.
    pub fn up_to(self, end: u64) -> Forecast {
        Forecast { amount: self.amount.min(end), low: self.low.min(end), high: self.high.min(end) }
    }
}

/// Usage per UTC hour without gaps, from the first known hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    first: OffsetDateTime,
    hours: Vec<u64>,
}

impl History {
    /// `first` is an instant of the first hour.
    pub fn new(first: OffsetDateTime, hours: Vec<u64>) -> History {
        History { first: hour_of(first), hours }
    }

    /// Without the hours that begin before an instant.
    pub fn since(&self, at: OffsetDateTime) -> History {
        let skipped = self.index(at);
        History {
            first: self.first + Duration::HOUR * u32::try_from(skipped).unwrap_or(u32::MAX),
            hours: self.hours.get(skipped..).unwrap_or_default().to_vec(),
        }
    }

    /// Without the hours that begin at an instant or later.
    pub fn before(&self, at: OffsetDateTime) -> History {
        History { first: self.first, hours: self.hours.iter().take(self.index(at)).copied().collect() }
    }

    /// The total.
    pub fn total(&self) -> u64 {
        self.hours.iter().fold(0, |sum: u64, hour| sum.saturating_add(*hour))
    }

    /// Usage of the hours that begin in the period.
    fn sum(&self, period: &Period) -> u64 {
        let end = self.index(period.end()).min(self.hours.len());
        self.hours[self.index(period.start()).min(end)..end].iter().fold(0, |sum: u64, hour| sum.saturating_add(*hour))
    }

    /// Closed hours at an instant, at most as many as a forecast uses; unknown hours had no usage.
    fn over(&self, at: OffsetDateTime) -> Vec<f64> {
        let count = self.index(hour_of(at));
        (count.saturating_sub(LOOK_BACK_HOURS)..count).map(|hour| self.hours.get(hour).map_or(0.0, |quantity| *quantity as f64)).collect()
    }

    /// Index of the first hour that begins at an instant or later.
    fn index(&self, at: OffsetDateTime) -> usize {
        let seconds = (at - self.first).whole_seconds().max(0);
        usize::try_from((seconds + 3599) / 3600).unwrap_or(usize::MAX)
    }
}

/// What two weeks or more of closed hours say about the next ones. It takes a millisecond, and
/// stays the same until another hour closes or one of them changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The highest hour.
    highest: f64,
    seasonal: seasonal::Model,
}

impl Model {
    /// Of consecutive hours.
    pub fn of(hours: &[f64]) -> Model {
        // As shares of the highest hour, so that results don't depend on the unit.
        let highest = hours.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let shares: Vec<f64> = hours.iter().map(|hour| hour / highest).collect();
        Model { highest, seasonal: seasonal::Model::of(&shares) }
    }
}

/// The total at the period's end. With two weeks of history it uses the hour of the week and the
/// recent level, otherwise the mean rate.
///
/// None until a day is known: a forecast would be a guess. Never below the current usage.
pub fn forecast(period: &Period, history: &History, at: OffsetDateTime) -> Option<Forecast> {
    forecast_by(period, history, at, |hours| Arc::new(Model::of(hours)))
}

/// The same with a cache of models: `model` returns [`Model::of`] the hours.
pub fn forecast_by(period: &Period, history: &History, at: OffsetDateTime, model: impl FnOnce(&[f64]) -> Arc<Model>) -> Option<Forecast> {
    let over = history.over(at);
    if over.len() < DAY {
        return None;
    }
    // A metric that started later than the others has its own history.
    let unused = over.iter().take_while(|hour| **hour == 0.0).count();
    let over = if over.len() - unused < DAY { &over[..] } else { &over[unused..] };
    let (used, left) = (history.sum(period), hours_left(period, at));
    if over.len() < 2 * WEEK {
        return Some(at_pace(over, used, left));
    }
    let model = model(over);
    let (share, spread) = model.seasonal.expect(left);
    let rest = share * model.highest;
    // Errors are multiplicative: the interval is symmetric in proportion.
    let factor = (FOUR_FIFTHS * spread.min(WIDEST)).exp();
    Some(ending(used, rest, rest / factor, rest * factor))
}

/// Extrapolates the period's usage at the history's mean rate; the baseline for `forecast`.
///
/// None until a day is known, never below the current usage.
pub fn linear(period: &Period, history: &History, at: OffsetDateTime) -> Option<Forecast> {
    let over = history.over(at);
    (over.len() >= DAY).then(|| at_pace(&over, history.sum(period), hours_left(period, at)))
}

/// Needs a day of history. The interval comes from the variance of full days (normal, 80 %).
fn at_pace(over: &[f64], used: u64, hours_left: f64) -> Forecast {
    let left = hours_left / DAY as f64;
    let per_day = over.iter().sum::<f64>() / over.len() as f64 * DAY as f64;
    let days: Vec<f64> = over.rchunks_exact(DAY).map(|day| day.iter().sum()).collect();
    let count = days.len() as f64;
    let mean = days.iter().sum::<f64>() / count;
    let variance = days.iter().map(|day| (day - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    // Variance of the remaining days (left), and of the mean, which is only known from the days so
    // far (left²/n).
    let spread = FOUR_FIFTHS * (variance * (left + left * left / count)).sqrt();
    let rest = per_day * left;
    ending(used, rest, rest - spread, rest + spread)
}

fn hours_left(period: &Period, at: OffsetDateTime) -> f64 {
    (period.length() - period.elapsed(at)).as_seconds_f64() / 3600.0
}

fn ending(used: u64, rest: f64, low: f64, high: f64) -> Forecast {
    let total = |rest: f64| used.saturating_add(rest.max(0.0).round() as u64);
    Forecast { amount: total(rest), low: total(low), high: total(high) }
}
