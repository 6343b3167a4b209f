//! Usage over time as a CSV file.

use crate::domain::{
    csv,
    metric::{BYTES_PER_GB, Unit},
    usage_history::{UsageHistory, UsagePoint, UsageSeries},
};
use std::io;
use time::format_description::well_known::Rfc3339;

const HEAD: [&str; 6] = ["metric", "app_id", "other_apps", "start", "quantity", "gigabytes"];

/// A byte order mark, a header and a row per point (RFC 4180). `gigabytes` repeats a quantity of
/// bytes in GB of 10^9 bytes.
pub fn text(history: &UsageHistory) -> io::Result<String> {
    let points = history.series.iter().flat_map(|series| series.points.iter().map(move |point| row(series, point)));
    Ok(format!("{}{}{}", csv::BYTE_ORDER_MARK, csv::rows([HEAD])?, csv::rows(points)?))
}

fn row(series: &UsageSeries, point: &UsagePoint) -> [String; HEAD.len()] {
    [
        series.metric.to_string(),
        csv::text(series.app_id.as_deref().unwrap_or_default()).into_owned(),
        series.other_apps.map(|count| count.to_string()).unwrap_or_default(),
        point.start.format(&Rfc3339).unwrap_or_default(),
        point.quantity.to_string(),
        if series.metric.unit() == Unit::Bytes { gigabytes(point.quantity) } else { String::new() },
    ]
}

/// Bytes as GB with all digits: `37.25`.
fn gigabytes(bytes: u64) -> String {
    match (bytes / BYTES_PER_GB, bytes % BYTES_PER_GB) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{}", format!("{rest:09}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metric::Metric;
    use time::macros::datetime;

    #[test]
    fn apps_are_never_formulas_in_spreadsheets() {
        let point = UsagePoint { start: datetime!(2026-11-01 0:00 UTC), quantity: 5 };
        let series = |app_id: Option<&str>, other_apps| UsageSeries {
            metric: Metric::ApiCalls,
            app_id: app_id.map(str::to_owned),
            other_apps,
            points: vec![point],
        };
        let history = UsageHistory { series: vec![series(Some("=HYPERLINK(\"x\"),1"), None), series(None, Some(3))] };
        assert_eq!(
            text(&history).unwrap(),
            "\u{feff}metric,app_id,other_apps,start,quantity,gigabytes\r\n\
             api_calls,\"'=HYPERLINK(\"\"x\"\"),1\",,2026-11-01T00:00:00Z,5,\r\n\
             api_calls,,3,2026-11-01T00:00:00Z,5,\r\n"
        );
    }

    #[test]
    fn a_file_ends_with_today_and_shows_gigabytes() {
        let day = |day: u8, quantity| UsagePoint { start: datetime!(2026-11-01 0:00 UTC).replace_day(day).unwrap(), quantity };
        let points = vec![day(21, 37_250_000_000), day(22, 5), day(23, 0)];
        let history =
            UsageHistory { series: vec![UsageSeries { metric: Metric::DataTransferBytes, app_id: None, other_apps: None, points }] };
        let text = text(&history.until(datetime!(2026-11-22 15:50 UTC))).unwrap();
        assert!(
            text.ends_with("2026-11-21T00:00:00Z,37250000000,37.25\r\ndata_transfer_bytes,,,2026-11-22T00:00:00Z,5,0.000000005\r\n"),
            "{text}"
        );
    }
}
