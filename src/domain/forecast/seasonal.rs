//! The weekly seasonal model: the shape of a week, the current level, and its trend.
//!
//! Hours are counted back from the end of the history, so that each week has every hour of the week
//! once, whatever its first day is.

use super::{
    DAY, WEEK,
    level::{Level, backtested, noise},
    statistics::{median, trimmed_mean},
};
use std::ops::RangeInclusive;

/// An hour below this share of the expected usage is an outage, above its inverse a burst.
const INCIDENT_SHARE: f64 = 0.33;
/// Consecutive hours of an incident: fewer are noise, more are a new normal.
const INCIDENT_HOURS: RangeInclusive<usize> = 3..=2 * DAY;
/// How the variance of a level's relative error grows with the weeks ahead; for a random walk it
/// would be 1.
const ERROR_GROWTH: f64 = 0.9;
/// Minimum uncertainty of the level, as a share of a week's noise.
const LEAST_DOUBT: f64 = 0.25;

/// What a history says about the hours after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    profile: Vec<f64>,
    level: Level,
    /// Standard deviation of a week's relative error.
    error: f64,
    /// The part of its variance that is daily noise.
    even: f64,
    /// The mean factor of incidents on a total, and how much it varies a day's share.
    incidents: (f64, f64),
}

impl Model {
    /// Needs two weeks of history.
    pub fn of(history: &[f64]) -> Model {
        let shape = Shape::of(history);
        let days = shape.days(history);
        let (level, error) = backtested(&days);
        let incidents = shape.incidents(history, &days);
        Model { level, error, even: noise(&days).powi(2) / 7.0, incidents, profile: shape.profile }
    }

    /// The expected usage of the next hours, and the standard deviation of its relative error.
    pub fn expect(&self, ahead: f64) -> (f64, f64) {
        let Model { profile, level, error, even, incidents: (incidents, incident_variance) } = self;
        // Only part of the current hour remains; the history ends where it begins.
        let hour = |j: usize| profile[j % WEEK] * level.after(j as f64 / DAY as f64 + 0.5);
        let part = |j: usize| if j == 0 && ahead.fract() > 0.0 { ahead.fract() } else { 1.0 };
        let rest: f64 = (0..ahead.ceil() as usize).map(|j| part(j) * hour(j)).sum();
        let weeks = (ahead / WEEK as f64).max(0.01);
        // Daily noise averages out over the time ahead; the rest of a week's error belongs to the
        // level, which stays and grows.
        let variance = even / weeks + (error * error - even).max(LEAST_DOUBT * even) * weeks.powf(ERROR_GROWTH);
        (rest * incidents, (variance + incident_variance / (7.0 * weeks)).sqrt())
    }
}

/// A week: each hour's share of the level, 1 on average, and the hours of the history without an
/// incident.
struct Shape {
    profile: Vec<f64>,
    usual: Vec<bool>,
}

/// Index in the week of the hour this many hours before the last one.
const fn place(back: usize) -> usize {
    WEEK - 1 - back % WEEK
}

impl Shape {
    fn of(history: &[f64]) -> Shape {
        let mut shape = Shape { profile: vec![1.0; WEEK], usual: vec![true; history.len()] };
        for _ in 0..2 {
            shape.profile = shape.profile(history);
            shape.usual = shape.usual(history);
        }
        shape.profile = shape.profile(history);
        shape
    }

    /// Each hour's share of its week's level, over the weeks without the highest and the lowest.
    fn profile(&self, history: &[f64]) -> Vec<f64> {
        let weeks: Vec<(&[f64], &[bool])> = history.rchunks_exact(WEEK).zip(self.usual.rchunks_exact(WEEK)).collect();
        let levels: Vec<f64> =
            weeks.iter().map(|(hours, usual)| level((0..WEEK).filter(|i| usual[*i]).map(|i| (hours[i], self.profile[i])))).collect();
        let mut profile: Vec<f64> = (0..WEEK)
            .map(|i| {
                let known = weeks.iter().zip(&levels).filter(|((_, usual), level)| usual[i] && **level > 0.0);
                trimmed_mean(&mut known.map(|((hours, _), level)| hours[i] / level).collect::<Vec<f64>>())
            })
            .collect();
        let mean = profile.iter().sum::<f64>() / WEEK as f64;
        if mean > 0.0 {
            profile.iter_mut().for_each(|share| *share /= mean);
            profile
        } else {
            vec![1.0; WEEK]
        }
    }

    /// Finds outages and bursts by comparison with the days around.
    fn usual(&self, history: &[f64]) -> Vec<bool> {
        let hours = history.len();
        let days: Vec<f64> = (0..hours / DAY).map(|day| level(self.day(history, day).map(|(_, pair)| pair))).collect();
        let around: Vec<f64> =
            (0..days.len()).map(|day| median(&mut days[day.saturating_sub(7)..(day + 8).min(days.len())].to_vec())).collect();
        let incident = |i: usize| {
            let back = hours - 1 - i;
            let expected = around[(back / DAY).min(around.len() - 1)] * self.profile[place(back)];
            if history[i] < INCIDENT_SHARE * expected { Some(false) } else { (history[i] * INCIDENT_SHARE > expected).then_some(true) }
        };
        let incidents: Vec<Option<bool>> = (0..hours).map(incident).collect();
        let mut usual = vec![true; hours];
        let mut start = 0;
        for run in incidents.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            // A burst that continues may be a launch; an outage that continues will end.
            let over = end < hours || run[0] == Some(false);
            if run[0].is_some() && INCIDENT_HOURS.contains(&run.len()) && over {
                usual[start..end].fill(false);
            }
            start = end;
        }
        // If incidents are frequent, there are none: the metric is rarely used.
        if usual.iter().filter(|usual| !**usual).count() * 5 > hours { vec![true; hours] } else { usual }
    }

    /// The level of each day without its hourly rhythm, newest first; None for a day of outage.
    fn days(&self, history: &[f64]) -> Vec<Option<f64>> {
        let usual = |day| self.day(history, day).filter(|(back, _)| self.usual[history.len() - 1 - back]).map(|(_, pair)| pair);
        (0..history.len() / DAY)
            .map(|day| (usual(day).map(|(_, share)| share).sum::<f64>() > DAY as f64 / 4.0).then(|| level(usual(day))))
            .collect()
    }

    /// The hours of a day, counted back: the offset, and the usage with the hour's share of the
    /// level.
    fn day(&self, history: &[f64], day: usize) -> impl Iterator<Item = (usize, (f64, f64))> {
        (day * DAY..(day + 1) * DAY).map(|back| (back, (history[history.len() - 1 - back], self.profile[place(back)])))
    }

    /// The mean factor of incidents on a total, and how much it varies a day's share.
    ///
    /// A single incident may not recur: the fewer incidents, the less they count in the mean.
    fn incidents(&self, history: &[f64], days: &[Option<f64>]) -> (f64, f64) {
        let known = days.iter().flatten().count().max(1) as f64;
        let mean = days.iter().flatten().sum::<f64>() / known * DAY as f64;
        if mean <= 0.0 {
            return (1.0, 0.0);
        }
        let (mut count, mut shift, mut squares) = (0.0, 0.0, 0.0);
        let mut start = 0;
        for run in self.usual.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            if !run[0] {
                let expected = |i: usize| {
                    let back = history.len() - 1 - i;
                    days.get(back / DAY).copied().flatten().unwrap_or(mean / DAY as f64) * self.profile[place(back)]
                };
                let moved = (start..end).map(|i| history[i] - expected(i)).sum::<f64>() / mean;
                count += 1.0;
                shift += moved;
                squares += moved * moved;
            }
            start = end;
        }
        let length = history.len() as f64 / DAY as f64;
        ((1.0 + shift / length * count / (count + 1.0)).max(0.0), squares / length)
    }
}

/// Usage per share of the level.
fn level(hours: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (used, shares) = hours.fold((0.0, 0.0), |(used, shares), (hour, share)| (used + hour, shares + share));
    if shares > 0.0 { used / shares } else { 0.0 }
}
