//! The demo's usage: hour by hour, with a day's and a week's rhythm, per app.

use crate::domain::{metric::Metric, period::hour_of, usage_event::MAX_AGE};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// One app's mean use per day, in the metrics' own units.
#[derive(Clone, Copy, Debug)]
pub struct App {
    id: &'static str,
    impressions: u64,
    api_calls: u64,
    data_transfer_bytes: u64,
}

/// A growth plan that goes over its impressions some days before the period's end.
pub const LUMEN: &[App] = &[
    App { id: "puzzle_quest", impressions: 330_000, api_calls: 21_000, data_transfer_bytes: 6_200_000_000 },
    App { id: "word_garden", impressions: 190_000, api_calls: 12_000, data_transfer_bytes: 3_900_000_000 },
    App { id: "star_drift", impressions: 95_000, api_calls: 6_500, data_transfer_bytes: 1_900_000_000 },
];

/// A starter plan that is nearly used up.
pub const KISETSU: &[App] = &[
    App { id: "haiku_diary", impressions: 21_000, api_calls: 1_900, data_transfer_bytes: 700_000_000 },
    App { id: "tabi_maps", impressions: 13_000, api_calls: 1_100, data_transfer_bytes: 500_000_000 },
];

/// Every event of the apps that is young enough to be taken, as lines of JSON, oldest first.
pub fn events(apps: &[App], now: OffsetDateTime) -> Vec<String> {
    let first = hour_of(now - MAX_AGE) + Duration::HOUR;
    std::iter::successors(Some(first), |hour| Some(*hour + Duration::HOUR))
        .take_while(|hour| *hour <= now)
        .flat_map(|hour| apps.iter().flat_map(move |app| Metric::ALL.map(move |metric| (hour, app, metric))))
        .filter_map(|(hour, app, metric)| event(app, metric, hour).filter(|(at, _)| *at <= now).map(|(_, line)| line))
        .collect()
}

fn event(app: &App, metric: Metric, hour: OffsetDateTime) -> Option<(OffsetDateTime, String)> {
    let id = format!("demo-{}-{metric}-{}", app.id, hour.unix_timestamp() / 3600);
    let noise = Sha256::digest(&id);
    let at = hour + Duration::seconds(i64::from(noise[0]) * 2);
    let mean = match metric {
        Metric::Impressions => app.impressions,
        Metric::ApiCalls => app.api_calls,
        Metric::DataTransferBytes => app.data_transfer_bytes,
    } / 24;
    // Percent: people play in the evening and at the weekend, and every hour differs a little.
    let daily = [60, 48, 40, 38, 42, 55, 75, 92, 100, 104, 106, 110, 116, 112, 108, 110, 118, 130, 146, 158, 160, 142, 116, 84]
        [usize::from(hour.hour())];
    let weekly = if matches!(hour.weekday(), time::Weekday::Saturday | time::Weekday::Sunday) { 112 } else { 97 };
    let quantity = mean * daily / 100 * weekly / 100 * (85 + u64::from(noise[1]) % 31) / 100;
    let line = json!({"id": id, "metric": metric, "quantity": quantity.max(1), "timestamp": at.format(&Rfc3339).ok()?, "app_id": app.id});
    Some((at, line.to_string()))
}
