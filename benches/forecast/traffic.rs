//! Generated traffic: a drifting and growing level, daily and weekly rhythm, noise, outages and
//! bursts.

use time::OffsetDateTime;

/// A kind of traffic. Rates are relative to the level: 0.1 is 10 %.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// Days of history before the period.
    pub days_before: i64,
    /// Mean quantity per hour.
    mean: f64,
    /// Swing between night and evening, and the difference on weekends.
    daily: f64,
    weekend: f64,
    growth_a_week: f64,
    /// Standard deviations: the level's daily drift, daily noise and hourly noise.
    drift: f64,
    day_noise: f64,
    hour_noise: f64,
    /// Daily probability of an outage of 4 to 40 hours, and of a burst as long.
    outages: f64,
    bursts: f64,
    /// A lasting jump of the level by this factor, between two weeks before and three weeks into
    /// the period.
    jump: f64,
}

const APP: Kind = Kind {
    name: "an app: daily and weekly rhythm",
    days_before: 70,
    mean: 20_000.0,
    daily: 0.6,
    weekend: 0.3,
    growth_a_week: 0.0,
    drift: 0.01,
    day_noise: 0.05,
    hour_noise: 0.12,
    outages: 0.0,
    bursts: 0.0,
    jump: 1.0,
};

pub const KINDS: &[Kind] = &[
    Kind { name: "flat, no rhythm, hourly noise", daily: 0.0, weekend: 0.0, drift: 0.0, day_noise: 0.0, ..APP },
    Kind { name: "flat, no rhythm, daily noise", daily: 0.0, weekend: 0.0, drift: 0.0, ..APP },
    APP,
    Kind { name: "office hours, weekends a tenth", daily: 0.9, weekend: -0.9, ..APP },
    Kind { name: "weekends double", weekend: 1.0, ..APP },
    Kind { name: "restless: drifts 3 % a day", drift: 0.03, ..APP },
    Kind { name: "grows 4 % a week", growth_a_week: 0.04, ..APP },
    Kind { name: "grows 12 % a week", growth_a_week: 0.12, drift: 0.015, ..APP },
    Kind { name: "shrinks 6 % a week", growth_a_week: -0.06, ..APP },
    Kind { name: "outages, one every two weeks", outages: 1.0 / 14.0, ..APP },
    Kind { name: "bursts, one every two weeks", bursts: 1.0 / 14.0, ..APP },
    Kind { name: "a launch: level times 1.8", jump: 1.8, ..APP },
    Kind { name: "an app taken down: level times 0.5", jump: 0.5, ..APP },
    Kind { name: "seldom: one use in two hours", mean: 0.5, drift: 0.0, day_noise: 0.0, hour_noise: 0.0, ..APP },
    Kind { name: "three weeks known before", days_before: 21, weekend: 0.6, ..APP },
    Kind { name: "new: five days known before", days_before: 5, ..APP },
];

/// Quantities per hour from an instant on. The same seed gives the same traffic.
pub fn generate(kind: &Kind, seed: u64, first: OffsetDateTime, hours: usize) -> Vec<u64> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ kind.name.len() as u64);
    let before = usize::try_from(kind.days_before).unwrap_or(0) * 24;
    let jump_at = (before + (random.share() * 35.0 * 24.0) as usize).saturating_sub(14 * 24);
    let weekend_starts = 5 + (random.share() * 2.0) as i64;
    let peak = 12.0 + random.share() * 10.0;
    let (mut walk, mut day) = (0.0_f64, 0.0_f64);
    let (mut event_left, mut event_factor) = (0_usize, 1.0);
    let mut quantities = Vec::with_capacity(hours);
    for hour in 0..hours {
        let at = first + time::Duration::HOUR * u32::try_from(hour).unwrap_or(u32::MAX);
        if hour % 24 == 0 {
            walk += kind.drift * random.normal();
            day = kind.day_noise * random.normal();
        }
        if event_left == 0 {
            event_factor = 1.0;
            let chance = random.share() * 24.0;
            if chance < kind.outages + kind.bursts {
                event_left = 4 + (random.share() * 36.0) as usize;
                event_factor = if chance < kind.outages { 0.0 } else { 3.0 + 3.0 * random.share() };
            }
        }
        event_left = event_left.saturating_sub(1);
        let angle = (f64::from(at.hour()) - peak) / 24.0 * std::f64::consts::TAU;
        let weekday = i64::from(at.weekday().number_days_from_monday());
        let weekend = if (weekday - weekend_starts).rem_euclid(7) < 2 { 1.0 + kind.weekend } else { 1.0 };
        let growth = kind.growth_a_week.ln_1p() * (hour as f64 - before as f64) / 168.0;
        let jump = if hour >= jump_at { kind.jump } else { 1.0 };
        let mean = kind.mean * (1.0 + kind.daily * angle.cos()) * weekend * jump * event_factor * (growth + walk + day).exp();
        let noise = (kind.hour_noise * random.normal()).exp();
        quantities.push(random.poisson(mean * noise));
    }
    quantities
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.share()).ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }

    /// Counts exponential gaps; for a large mean, uses the normal distribution.
    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).max(0.0).round() as u64;
        }
        let (mut count, mut left) = (0, mean);
        loop {
            left += (1.0 - self.share()).ln();
            if left < 0.0 {
                return count;
            }
            count += 1;
        }
    }
}
