//! Backtest of the forecast: generated traffic with a known total, forecast at days 3, 7, 14 and 21
//! of a period and compared with the period's mean rate. `cargo bench --bench forecast N` uses N
//! months of each kind of traffic.

#[path = "forecast/traffic.rs"]
mod traffic;

use apex_billing::domain::{
    forecast::{Forecast, History, LOOK_BACK_HOURS, forecast, linear},
    period::Period,
};
use std::time::Instant;
use time::{Duration, OffsetDateTime, macros::datetime};
use traffic::{KINDS, Kind};

const DAYS: [i64; 4] = [3, 7, 14, 21];
const MONTHS: u64 = 60;

/// Errors of one method at one day of the period.
#[derive(Clone, Copy, Default)]
struct Score {
    count: f64,
    absolute: f64,
    within: f64,
    width: f64,
}

impl Score {
    fn add(&mut self, forecast: Option<Forecast>, truth: u64) {
        let Some(Forecast { amount, low, high }) = forecast else { return };
        let share = |quantity: u64| quantity as f64 / (truth as f64).max(1.0);
        self.count += 1.0;
        self.absolute += (share(amount) - 1.0).abs();
        self.within += f64::from(u8::from((low..=high).contains(&truth)));
        self.width += share(high - low);
    }

    fn merge(&mut self, other: &Score) {
        self.count += other.count;
        self.absolute += other.absolute;
        self.within += other.within;
        self.width += other.width;
    }

    /// Mean absolute percentage error, coverage and mean width of the interval, in percent.
    fn show(&self) -> String {
        let percent = |sum: f64| 100.0 * sum / self.count.max(1.0);
        format!("{:>6.2} {:>5.0} {:>6.1}", percent(self.absolute), percent(self.within), percent(self.width))
    }
}

fn main() {
    // cargo passes its own flags too.
    let months = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(MONTHS);
    println!(
        "Percent of the period's true total: mean absolute error, how often the 80 % interval held, its mean width; {months} months each."
    );
    println!("{:<42} {:>3} | {:^19} | {:^19}", "traffic", "day", "forecast", "mean pace");
    let mut totals = [[Score::default(); 2]; DAYS.len()];
    let (mut calls, mut spent) = (0, std::time::Duration::ZERO);
    for kind in KINDS {
        let mut scores = [[Score::default(); 2]; DAYS.len()];
        for seed in 0..months {
            let (period, first, hours) = month(kind, seed);
            let whole = History::new(first, hours);
            let truth = whole.since(period.start()).before(period.end()).total();
            for (day, [ours, pace]) in DAYS.into_iter().zip(&mut scores) {
                // Not at midnight, so that an hour is incomplete.
                let at = period.start() + Duration::days(day) + Duration::minutes(seed.cast_signed() % 24 * 60 + 25);
                let known = whole.before(at).since(at - Duration::HOUR * u32::try_from(LOOK_BACK_HOURS).unwrap_or(u32::MAX));
                let begun = Instant::now();
                ours.add(forecast(&period, &known, at), truth);
                spent += begun.elapsed();
                calls += 1;
                pace.add(linear(&period, &known.since(period.start()), at), truth);
            }
        }
        for ((day, [ours, pace]), total) in DAYS.iter().zip(&scores).zip(&mut totals) {
            println!("{:<42} {day:>3} | {} | {}", if *day == DAYS[0] { kind.name } else { "" }, ours.show(), pace.show());
            total[0].merge(ours);
            total[1].merge(pace);
        }
    }
    for (day, [ours, pace]) in DAYS.iter().zip(&totals) {
        println!("{:<42} {day:>3} | {} | {}", if *day == DAYS[0] { "all" } else { "" }, ours.show(), pace.show());
    }
    println!("{calls} forecasts, {:.0} µs each", spent.as_secs_f64() * 1e6 / f64::from(calls));
}

/// A month, the first known hour before it, and the traffic from then to the month's end.
fn month(kind: &Kind, seed: u64) -> (Period, OffsetDateTime, Vec<u64>) {
    let some_day = datetime!(2026-01-15 0:00 UTC) + Duration::days(30 * (seed % 12).cast_signed());
    let period = Period::calendar_month(some_day);
    let first = period.start() - Duration::days(kind.days_before);
    let hours = usize::try_from((period.end() - first).whole_hours()).unwrap_or(0);
    (period, first, traffic::generate(kind, seed, first, hours))
}
