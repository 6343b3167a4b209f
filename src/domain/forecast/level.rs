//! A metric's level, its trend, and the error of both in the past. Days are counted back, newest
//! first; None is a day without information.

use super::statistics::median;

/// A trend decays by this factor per day (damped trend).
const DAMPING: f64 = 0.98;
/// Smoothing weights of the newest day, from a constant level to only the last days.
const SMOOTHINGS: [f64; 5] = [0.03, 0.07, 0.15, 0.3, 0.5];
/// Index of the default smoothing, used without enough history.
const PREFERRED: usize = 1;
/// Penalty for each step away from the default, as a share of the error.
const PREFERENCE: f64 = 0.3;
/// Candidate methods: each smoothing, without and with a trend.
const WAYS: usize = 2 * SMOOTHINGS.len();
/// Days between two trials.
const TRIAL_STEP: usize = 3;
/// The expected error of noise counts as this many trials.
const PRIOR_TRIALS: f64 = 5.0;
/// Days from which a trend is estimated.
const TREND_DAYS: usize = 42;
/// Maximum daily growth: 40 % a week.
const STEEPEST: f64 = 0.05;
/// Minimum jump of the level, as a logarithm and in standard deviations.
const JUMP: (f64, f64) = (0.25, 5.0);

/// Level per hour at the end of the history, and its daily growth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    level: f64,
    slope: f64,
}

impl Level {
    /// Weighted mean of the days, each moved along the trend to the end.
    fn of(days: &[Option<f64>], smoothing: f64, slope: f64) -> Level {
        let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
        for (back, level) in days.iter().enumerate() {
            if let Some(level) = level {
                sum += weight * level * (slope * (back as f64 + 0.5)).exp();
                weights += weight;
            }
            weight *= 1.0 - smoothing;
        }
        Level { level: if weights > 0.0 { sum / weights } else { 0.0 }, slope }
    }

    /// The level after this many days.
    pub fn after(&self, days: f64) -> f64 {
        self.level * (self.slope * (1.0 - DAMPING.powf(days)) / (1.0 - DAMPING)).exp()
    }

    /// Mean of the next week.
    fn week(&self) -> f64 {
        (0..7).map(|day| self.after(f64::from(day) + 0.5)).sum::<f64>() / 7.0
    }
}

/// The level by the method with the smallest error in past weeks, and the standard deviation of its
/// relative error for a week.
pub fn backtested(days: &[Option<f64>]) -> (Level, f64) {
    let least = least(days);
    let (mut errors, mut trials) = ([0.0; WAYS], 0.0);
    // Each trial knows two weeks or more and predicts a week.
    for today in (7..days.len().saturating_sub(13)).step_by(TRIAL_STEP) {
        let truth: Vec<f64> = days[today - 7..today].iter().flatten().copied().collect();
        if truth.is_empty() {
            continue;
        }
        let mean = truth.iter().sum::<f64>() / truth.len() as f64;
        for (error, level) in errors.iter_mut().zip(ways(&days[today..])) {
            *error += (mean.max(least) / level.week().max(least)).ln().abs();
        }
        trials += 1.0;
    }
    let prior = 0.46 * noise(days) + 0.001;
    let mean_error = |(way, error): (usize, &f64)| {
        let steps = (way % SMOOTHINGS.len()).abs_diff(PREFERRED) as f64;
        let handicap = 1.0 + PREFERENCE * steps / (1.0 + trials / 6.0);
        (error + prior * PRIOR_TRIALS * handicap) / (trials + PRIOR_TRIALS)
    };
    let (level, error) = ways(days)
        .into_iter()
        .zip(errors.iter().enumerate().map(mean_error))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .unwrap_or((Level::default(), prior));
    // From a normal distribution's mean absolute error to its standard deviation. The best of
    // several methods looks better than it is, and few trials may be lucky, so shrink towards the
    // expected error.
    (level, error * (std::f64::consts::PI / 2.0).sqrt() * (1.05 + 0.5 / (1.0 + trials)))
}

/// Standard deviation of a day's noise, from differences of neighbouring days, so that trends,
/// jumps and outages don't count.
pub fn noise(days: &[Option<f64>]) -> f64 {
    let logs: Vec<f64> = logs(days).into_iter().flatten().collect();
    let mut steps: Vec<f64> = logs.windows(2).map(|pair| (pair[0] - pair[1]).abs()).collect();
    // From the median absolute deviation to the standard deviation of a difference of two.
    median(&mut steps) * 1.4826 / std::f64::consts::SQRT_2
}

fn ways(days: &[Option<f64>]) -> [Level; WAYS] {
    let days = &days[..jumped(days).unwrap_or(days.len())];
    let slope = slope(days);
    std::array::from_fn(|way| {
        let smoothing = SMOOTHINGS[way % SMOOTHINGS.len()];
        Level::of(days, smoothing, if way < SMOOTHINGS.len() { 0.0 } else { slope })
    })
}

/// Zero has no logarithm; this replaces it, small compared with every other day.
fn least(days: &[Option<f64>]) -> f64 {
    (days.iter().flatten().fold(0.0, |highest: f64, day| highest.max(*day)) * 1e-4).max(f64::MIN_POSITIVE)
}

fn logs(days: &[Option<f64>]) -> Vec<Option<f64>> {
    let least = least(days);
    days.iter().map(|day| day.map(|day| day.max(least).ln())).collect()
}

/// How many days ago the level jumped to its current value, if within four weeks.
fn jumped(days: &[Option<f64>]) -> Option<usize> {
    let logs = logs(days);
    let noise = noise(days).max(0.03);
    let mean = |part: &[Option<f64>]| {
        let (sum, count) = part.iter().flatten().fold((0.0, 0.0), |(sum, count), log| (sum + log, count + 1.0));
        (sum / f64::max(count, 1.0), count)
    };
    (2..=28.min(days.len().saturating_sub(4)))
        .filter_map(|ago| {
            let ((now, n), (then, m)) = (mean(&logs[..ago]), mean(&logs[ago..(ago + 14).min(logs.len())]));
            let apart = (now - then).abs();
            let surprise = apart / (noise * (1.0 / n + 1.0 / m).sqrt());
            (n >= 2.0 && m >= 2.0 && apart > JUMP.0 && surprise > JUMP.1).then_some((ago, surprise))
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(ago, _)| ago)
}

/// Daily growth by the Theil–Sen estimator, reduced if it is not significant. Needs three weeks.
fn slope(days: &[Option<f64>]) -> f64 {
    if days.len() < 21 {
        return 0.0;
    }
    let logs = logs(&days[..days.len().min(TREND_DAYS)]);
    let points: Vec<(f64, f64)> = logs.iter().enumerate().filter_map(|(back, log)| Some((-(back as f64), (*log)?))).collect();
    let mut slopes: Vec<f64> = points
        .iter()
        .enumerate()
        .flat_map(|(i, a)| points[i + 1..].iter().filter(|b| a.0 - b.0 >= 7.0).map(move |b| (a.1 - b.1) / (a.0 - b.0)))
        .collect();
    let slope = median(&mut slopes);
    // A random walk looks like a trend: how far would it move by chance?
    let weeks: Vec<f64> = points.chunks_exact(7).map(|week| week.iter().map(|(_, log)| log).sum::<f64>() / 7.0).collect();
    let strays: f64 = weeks.windows(2).map(|pair| (pair[0] - pair[1] - 7.0 * slope).powi(2)).sum();
    let chance = strays / (weeks.len().max(3) - 2) as f64 / 7.0 * 1.2 / logs.len() as f64;
    let square = slope * slope;
    if square > 0.0 { (slope * square / (square + chance)).clamp(-STEEPEST, STEEPEST) } else { 0.0 }
}
