//! The demo's usage: daily in the past, hourly since the month before the first run, with a daily
//! and weekly rhythm, per app.

use super::MONTHS;
use crate::domain::{
    metric::{Metric, PerMetric, Quantities},
    period::{Period, hour_of},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime, Weekday, format_description::well_known::Rfc3339};

/// An app's mean usage per day in the month of the first run, in the metrics' own units.
#[derive(Clone, Copy, Debug)]
pub struct App {
    id: &'static str,
    means: &'static [(Metric, u64)],
}

/// A customer's apps, and the relative usage of each month of the previous year.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    apps: &'static [App],
    percent: [u64; MONTHS],
}

/// A growth plan that exceeds its impressions some days before the period's end.
pub const LUMEN: Traffic = Traffic {
    apps: &[
        App {
            id: "puzzle_quest",
            means: &[(Metric::Impressions, 330_000), (Metric::ApiCalls, 21_000), (Metric::DataTransferBytes, 6_200_000_000)],
        },
        App {
            id: "word_garden",
            means: &[(Metric::Impressions, 190_000), (Metric::ApiCalls, 12_000), (Metric::DataTransferBytes, 3_900_000_000)],
        },
        App {
            id: "star_drift",
            means: &[(Metric::Impressions, 95_000), (Metric::ApiCalls, 6_500), (Metric::DataTransferBytes, 1_900_000_000)],
        },
    ],
    percent: [50, 57, 54, 61, 66, 63, 72, 75, 81, 78, 88, 94],
};

/// A starter plan that is nearly used up, and exceeded in two months.
pub const KISETSU: Traffic = Traffic {
    apps: &[
        App {
            id: "haiku_diary",
            means: &[(Metric::Impressions, 21_000), (Metric::ApiCalls, 1_900), (Metric::DataTransferBytes, 700_000_000)],
        },
        App {
            id: "tabi_maps",
            means: &[(Metric::Impressions, 13_000), (Metric::ApiCalls, 1_100), (Metric::DataTransferBytes, 500_000_000)],
        },
    ],
    percent: [58, 61, 128, 72, 66, 70, 74, 135, 80, 84, 87, 92],
};

/// An event before serialization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    id: String,
    pub at: OffsetDateTime,
    metric: Metric,
    quantity: u64,
    app: &'static str,
}

impl Event {
    /// One line of JSON.
    pub fn line(&self) -> String {
        let at = self.at.format(&Rfc3339).unwrap_or_default();
        json!({"id": self.id, "metric": self.metric, "quantity": self.quantity, "timestamp": at, "app_id": self.app}).to_string()
    }
}

/// The sums of events.
pub fn quantities(events: &[Event]) -> Quantities {
    PerMetric::from_fn(|metric| events.iter().filter(|event| event.metric == metric).map(|event| event.quantity).sum())
}

impl Traffic {
    /// Events per moment: all are stored or none, so that no batch needs to split it.
    pub fn events_per_moment(&self) -> usize {
        self.apps.iter().map(|app| app.means.len()).sum()
    }

    /// Every event of a month until now, oldest first. The first twelve months are before the first
    /// run.
    pub fn events(&self, index: usize, month: Period, now: OffsetDateTime) -> Vec<Event> {
        let is_hourly = index + 1 >= MONTHS;
        let step = if is_hourly { Duration::HOUR } else { Duration::DAY };
        let percent = self.percent.get(index).copied().unwrap_or(100);
        std::iter::successors(Some(month.start()), |at| Some(*at + step))
            .take_while(|at| *at < month.end() && *at <= now)
            .flat_map(|at| self.apps.iter().flat_map(move |app| app.means.iter().map(move |(metric, mean)| (at, app, *metric, *mean))))
            .map(|(at, app, metric, mean)| if is_hourly { app.hour(metric, mean, at, percent) } else { app.day(metric, mean, at, percent) })
            .filter(|event| event.at <= now)
            .collect()
    }
}

impl App {
    fn hour(&self, metric: Metric, mean: u64, hour: OffsetDateTime, percent: u64) -> Event {
        // Percent of the mean: people play in the evening.
        let daily = [60, 48, 40, 38, 42, 55, 75, 92, 100, 104, 106, 110, 116, 112, 108, 110, 118, 130, 146, 158, 160, 142, 116, 84]
            [usize::from(hour.hour())];
        let id = format!("demo-{}-{metric}-{}", self.id, hour_of(hour).unix_timestamp() / 3600);
        self.event(metric, id, hour, mean / 24 * daily / 100 * percent / 100)
    }

    /// In the day's last hour.
    fn day(&self, metric: Metric, mean: u64, day: OffsetDateTime, percent: u64) -> Event {
        let id = format!("demo-{}-{metric}-day-{}", self.id, day.unix_timestamp() / 86_400);
        self.event(metric, id, day + Duration::hours(23), mean * percent / 100)
    }

    fn event(&self, metric: Metric, id: String, hour: OffsetDateTime, usual: u64) -> Event {
        // More at the weekend, with a small difference per hour.
        let weekly = if matches!(hour.weekday(), Weekday::Saturday | Weekday::Sunday) { 112 } else { 97 };
        let noise = Sha256::digest(&id);
        let at = hour + Duration::seconds(i64::from(noise[0]) * 2);
        let quantity = (usual * weekly / 100 * (85 + u64::from(noise[1]) % 31) / 100).max(1);
        Event { id, at, metric, quantity, app: self.id }
    }
}
