//! Formats values for people: fixed English and UTC, so that server and browser render the same.

use super::{
    metric::{Metric, Unit},
    money::group_thousands,
    period::{Period, calendar_days},
};
use time::{Duration, OffsetDateTime, UtcOffset};

/// `1 Nov 2026`.
pub fn date(at: OffsetDateTime) -> String {
    format!("{} {}", day_month(at), at.to_offset(UtcOffset::UTC).year())
}

/// `1 Nov`.
pub fn day_month(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let month = at.month().to_string();
    format!("{} {}", at.day(), &month[..3])
}

/// `1 Nov 2026, 15:49`.
pub fn date_time(at: OffsetDateTime) -> String {
    let utc = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02}", date(utc), utc.hour(), utc.minute())
}

/// `1 Nov 2026, 15:49:59`.
pub fn date_time_seconds(at: OffsetDateTime) -> String {
    let utc = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02}:{:02}", date(utc), utc.hour(), utc.minute(), utc.second())
}

/// For the `datetime` attribute of `<time>`.
pub fn machine(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute(), at.second())
}

/// The last day of a period. A period that ends at midnight ends on the previous day.
pub fn last_day(period: &Period) -> OffsetDateTime {
    period.end() - Duration::NANOSECOND
}

/// `1 – 30 Nov 2026`, `15 Nov – 14 Dec 2026`, `20 Dec 2026 – 19 Jan 2027`, `1 Nov 2026`.
pub fn period(period: &Period) -> String {
    let (first, last) = (period.start().to_offset(UtcOffset::UTC), last_day(period).to_offset(UtcOffset::UTC));
    if first.date() == last.date() {
        date(last)
    } else if (first.year(), first.month()) == (last.year(), last.month()) {
        format!("{} – {}", first.day(), date(last))
    } else if first.year() == last.year() {
        format!("{} – {}", day_month(first), date(last))
    } else {
        format!("{} – {}", date(first), date(last))
    }
}

/// Calendar days until the period ends; 0 on its last day and after it.
pub fn days_left(period: &Period, at: OffsetDateTime) -> i64 {
    calendar_days(at, period.end()).max(0)
}

/// `in 3 days`, `2 hours ago`: in hours within a day, beyond that in calendar days (UTC), as
/// [`days_left`] counts.
pub fn relative(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let seconds = (at - now).whole_seconds();
    let (count, unit) = match seconds.unsigned_abs() {
        0..5 => return "just now".to_owned(),
        s @ 5..60 => (s, "second"),
        s @ 60..3_600 => (s / 60, "minute"),
        s @ 3_600..86_400 => (s / 3_600, "hour"),
        _ => (calendar_days(now, at).unsigned_abs(), "day"),
    };
    let count = counted(count, unit);
    if seconds > 0 { format!("in {count}") } else { format!("{count} ago") }
}

/// `1 day`, `3 days`, `3 entries`.
pub fn counted(count: u64, noun: &str) -> String {
    let count_text = group_thousands(count);
    match noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        _ if count == 1 => format!("{count_text} {noun}"),
        Some(stem) => format!("{count_text} {stem}ies"),
        None => format!("{count_text} {noun}s"),
    }
}

/// Whole percent, rounded down, so that 100 % appears only when it is reached.
pub fn percent(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part) * 100 / u128::from(whole.max(1))).unwrap_or(u64::MAX)
}

/// A part's share of the whole as a CSS or SVG length, never above `100%`: `42.17%`.
pub fn share(part: u64, whole: u64) -> String {
    let hundredths = (u128::from(part) * 10_000 / u128::from(whole.max(1))).min(10_000);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// A quantity in few characters, for axes: `1.5M`, `20k`, `2.5 GB`.
pub fn compact(metric: Metric, quantity: u64) -> String {
    const COUNTS: [(u64, &str); 4] = [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")];
    const BYTES: [(u64, &str); 4] = [(1_000_000_000_000, " TB"), (1_000_000_000, " GB"), (1_000_000, " MB"), (1_000, " kB")];
    let (units, smallest) = match metric.unit() {
        Unit::Count => (COUNTS, ""),
        Unit::Bytes => (BYTES, " B"),
    };
    let Some((size, suffix)) = units.into_iter().find(|(size, _)| quantity >= *size) else {
        return format!("{quantity}{}", if quantity == 0 { "" } else { smallest });
    };
    // Three digits say enough: 1.05M, 16.2M, 178M.
    let decimals = match quantity / size {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let scale = 10u128.pow(decimals);
    let scaled = u128::from(quantity) * scale / u128::from(size);
    match (scaled / scale, scaled % scale) {
        (whole, 0) => format!("{whole}{suffix}"),
        (whole, rest) => format!("{whole}.{}{suffix}", format!("{rest:0width$}", width = decimals as usize).trim_end_matches('0')),
    }
}

/// A word of Stripe's for people: `sepa_debit` is `Sepa debit`.
pub fn words(code: &str) -> String {
    let spaced = code.replace('_', " ");
    let mut chars = spaced.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn instants_are_written_in_utc() {
        let at = datetime!(2026-11-01 01:05:09 +02:00);
        assert_eq!(date(at), "31 Oct 2026");
        assert_eq!(date_time(at), "31 Oct 2026, 23:05");
        assert_eq!(date_time_seconds(at), "31 Oct 2026, 23:05:09");
        assert_eq!(machine(at), "2026-10-31T23:05:09Z");
    }

    #[test]
    fn a_periods_end_is_its_last_day() {
        let show = |start, end| period(&Period::new(start, end).unwrap());
        assert_eq!(show(datetime!(2026-11-01 0:00 UTC), datetime!(2026-12-01 0:00 UTC)), "1 – 30 Nov 2026");
        assert_eq!(show(datetime!(2026-11-15 10:22 UTC), datetime!(2026-12-15 10:22 UTC)), "15 Nov – 15 Dec 2026");
        assert_eq!(show(datetime!(2026-12-20 0:00 UTC), datetime!(2027-01-20 0:00 UTC)), "20 Dec 2026 – 19 Jan 2027");
        assert_eq!(show(datetime!(2026-11-01 0:00 UTC), datetime!(2026-11-02 0:00 UTC)), "1 Nov 2026");
    }

    #[test]
    fn days_left_and_days_until_are_the_same_days() {
        let (now, end) = (datetime!(2026-11-30 15:00 UTC), datetime!(2026-12-10 0:00 UTC));
        let period = Period::new(datetime!(2026-11-10 0:00 UTC), end).unwrap();
        assert_eq!((days_left(&period, now), relative(end, now)), (10, "in 10 days".to_owned()));
        // Whatever the times of day are, two days apart are two days.
        assert_eq!(relative(datetime!(2026-12-02 8:00 UTC), datetime!(2026-11-30 15:00 UTC)), "in 2 days");
        assert_eq!(relative(datetime!(2026-11-28 23:00 UTC), datetime!(2026-11-30 1:00 UTC)), "2 days ago");
    }

    #[test]
    fn a_started_day_is_left() {
        let november = Period::calendar_month(datetime!(2026-11-10 0:00 UTC));
        assert_eq!(days_left(&november, datetime!(2026-11-30 23:59:59 UTC)), 1);
        assert_eq!(days_left(&november, datetime!(2026-11-22 15:50 UTC)), 9);
        assert_eq!(days_left(&november, datetime!(2026-12-03 0:00 UTC)), 0);
    }

    #[test]
    fn distances_in_time_take_the_largest_unit() {
        let now = datetime!(2026-11-22 12:00 UTC);
        assert_eq!(relative(datetime!(2026-12-05 12:00 UTC), now), "in 13 days");
        assert_eq!(relative(datetime!(2026-11-22 11:59:48 UTC), now), "12 seconds ago");
        assert_eq!(relative(datetime!(2026-11-22 10:59 UTC), now), "1 hour ago");
        assert_eq!(relative(now, now), "just now");
    }

    #[test]
    fn shares_are_exact_and_bounded() {
        assert_eq!((percent(12_345_678, 10_000_000), percent(999, 1000), percent(5, 0)), (123, 99, 500));
        assert_eq!((share(1, 3), share(7, 5), share(0, 0)), ("33.33%".into(), "100.00%".into(), "0.00%".into()));
    }

    #[test]
    fn axes_read_at_a_glance() {
        assert_eq!(compact(Metric::Impressions, 1_500_000), "1.5M");
        assert_eq!(compact(Metric::ApiCalls, 20_000), "20k");
        assert_eq!(compact(Metric::ApiCalls, 1_055_600), "1.05M");
        assert_eq!(compact(Metric::Impressions, 178_412_345), "178M");
        assert_eq!(compact(Metric::ApiCalls, 950), "950");
        assert_eq!(compact(Metric::DataTransferBytes, 2_500_000_000), "2.5 GB");
        assert_eq!(compact(Metric::DataTransferBytes, 0), "0");
    }

    #[test]
    fn stripes_words_read_as_words() {
        assert_eq!(words("past_due"), "Past due");
        assert_eq!(words(""), "");
    }
}
