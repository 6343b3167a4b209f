//! Instants, periods and distances in time. All in UTC.

use crate::domain::{
    language::Language,
    period::{Period, calendar_days},
};
use time::{Duration, OffsetDateTime, UtcOffset};

/// Abbreviated months as CLDR has them within a date. English keeps three letters.
const fn months(language: Language) -> [&'static str; 12] {
    match language {
        Language::English => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        Language::German => ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
        Language::French => ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
    }
}

/// Months in full, as within a date.
const fn long_months(language: Language) -> [&'static str; 12] {
    match language {
        Language::English => {
            ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
        }
        Language::German => {
            ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"]
        }
        Language::French => {
            ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"]
        }
    }
}

type Months = fn(Language) -> [&'static str; 12];

/// `1`, in German `1.`.
fn day(language: Language, at: OffsetDateTime) -> String {
    let dot = if language == Language::German { "." } else { "" };
    format!("{}{dot}", at.day())
}

/// `1 Nov 2026`, `1. Nov. 2026`, `1 nov. 2026`.
pub fn date(language: Language, at: OffsetDateTime) -> String {
    with_year(language, at, months)
}

/// `1 November 2026`, `1. November 2026`, `1 novembre 2026`.
pub fn long_date(language: Language, at: OffsetDateTime) -> String {
    with_year(language, at, long_months)
}

fn with_year(language: Language, at: OffsetDateTime, months: Months) -> String {
    format!("{} {}", without_year(language, at, months), at.to_offset(UtcOffset::UTC).year())
}

/// `1 Nov`, `1. Nov.`, `1 nov.`.
pub fn day_month(language: Language, at: OffsetDateTime) -> String {
    without_year(language, at, months)
}

fn without_year(language: Language, at: OffsetDateTime, months: Months) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let month = months(language)[usize::from(u8::from(at.month()) - 1)];
    format!("{} {month}", day(language, at))
}

/// `1 Nov 2026, 15:49`.
pub fn date_time(language: Language, at: OffsetDateTime) -> String {
    let utc = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02}", date(language, utc), utc.hour(), utc.minute())
}

/// `1 Nov 2026, 15:49:59`.
pub fn date_time_seconds(language: Language, at: OffsetDateTime) -> String {
    format!("{}:{:02}", date_time(language, at), at.second())
}

/// For the `datetime` attribute of `<time>`; the same in every language.
pub fn machine(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute(), at.second())
}

/// `1 – 30 Nov 2026`, `15 Nov – 14 Dec 2026`, `20 Dec 2026 – 19 Jan 2027`, `1 Nov 2026`: with the
/// last day of the period, which is the day before if it ends at midnight.
pub fn period(language: Language, period: &Period) -> String {
    span(language, period, months)
}

/// The same with months in full: `1 – 30 November 2026`.
pub fn long_period(language: Language, period: &Period) -> String {
    span(language, period, long_months)
}

fn span(language: Language, period: &Period, months: Months) -> String {
    let first = period.start().to_offset(UtcOffset::UTC);
    let last = (period.end() - Duration::NANOSECOND).to_offset(UtcOffset::UTC);
    let until = with_year(language, last, months);
    if first.date() == last.date() {
        until
    } else if (first.year(), first.month()) == (last.year(), last.month()) {
        let dash = if language == Language::English { " – " } else { "–" };
        format!("{}{dash}{until}", day(language, first))
    } else if first.year() == last.year() {
        format!("{} – {until}", without_year(language, first, months))
    } else {
        format!("{} – {until}", with_year(language, first, months))
    }
}

texts! {
    now_text { en: "now", de: "jetzt", fr: "maintenant" }
    in_seconds(count: u64) {
        en: { one: "in {count} second", other: "in {count} seconds" },
        de: { one: "in {count} Sekunde", other: "in {count} Sekunden" },
        fr: { one: "dans {count} seconde", other: "dans {count} secondes" },
    }
    in_minutes(count: u64) {
        en: { one: "in {count} minute", other: "in {count} minutes" },
        de: { one: "in {count} Minute", other: "in {count} Minuten" },
        fr: { one: "dans {count} minute", other: "dans {count} minutes" },
    }
    in_hours(count: u64) {
        en: { one: "in {count} hour", other: "in {count} hours" },
        de: { one: "in {count} Stunde", other: "in {count} Stunden" },
        fr: { one: "dans {count} heure", other: "dans {count} heures" },
    }
    in_days(count: u64) {
        en: { one: "in {count} day", other: "in {count} days" },
        de: { one: "in {count} Tag", other: "in {count} Tagen" },
        fr: { one: "dans {count} jour", other: "dans {count} jours" },
    }
    seconds_ago(count: u64) {
        en: { one: "{count} second ago", other: "{count} seconds ago" },
        de: { one: "vor {count} Sekunde", other: "vor {count} Sekunden" },
        fr: { one: "il y a {count} seconde", other: "il y a {count} secondes" },
    }
    minutes_ago(count: u64) {
        en: { one: "{count} minute ago", other: "{count} minutes ago" },
        de: { one: "vor {count} Minute", other: "vor {count} Minuten" },
        fr: { one: "il y a {count} minute", other: "il y a {count} minutes" },
    }
    hours_ago(count: u64) {
        en: { one: "{count} hour ago", other: "{count} hours ago" },
        de: { one: "vor {count} Stunde", other: "vor {count} Stunden" },
        fr: { one: "il y a {count} heure", other: "il y a {count} heures" },
    }
    days_ago(count: u64) {
        en: { one: "{count} day ago", other: "{count} days ago" },
        de: { one: "vor {count} Tag", other: "vor {count} Tagen" },
        fr: { one: "il y a {count} jour", other: "il y a {count} jours" },
    }
}

/// `in 3 days`, `2 hours ago`, as browsers write it (`Intl.RelativeTimeFormat`): in hours within a
/// day, beyond that in calendar days (UTC).
pub fn relative(language: Language, at: OffsetDateTime, now: OffsetDateTime) -> String {
    let seconds = (at - now).whole_seconds();
    let future = seconds > 0;
    match (seconds.unsigned_abs(), future) {
        (0..5, _) => now_text(language).to_owned(),
        (s @ 5..60, true) => in_seconds(language, s),
        (s @ 5..60, false) => seconds_ago(language, s),
        (s @ 60..3_600, true) => in_minutes(language, s / 60),
        (s @ 60..3_600, false) => minutes_ago(language, s / 60),
        (s @ 3_600..86_400, true) => in_hours(language, s / 3_600),
        (s @ 3_600..86_400, false) => hours_ago(language, s / 3_600),
        (_, true) => in_days(language, calendar_days(now, at).unsigned_abs()),
        (_, false) => days_ago(language, calendar_days(now, at).unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn instants_are_written_in_utc() {
        let at = datetime!(2026-11-01 01:05:09 +02:00);
        assert_eq!(Language::ALL.map(|language| date(language, at)), ["31 Oct 2026", "31. Okt. 2026", "31 oct. 2026"]);
        assert_eq!(date_time(Language::English, at), "31 Oct 2026, 23:05");
        assert_eq!(date_time_seconds(Language::German, at), "31. Okt. 2026, 23:05:09");
        assert_eq!(machine(at), "2026-10-31T23:05:09Z");
    }

    #[test]
    fn a_periods_end_is_its_last_day() {
        let show = |language, start, end| period(language, &Period::new(start, end).unwrap());
        let november = (datetime!(2026-11-01 0:00 UTC), datetime!(2026-12-01 0:00 UTC));
        let written = Language::ALL.map(|language| show(language, november.0, november.1));
        assert_eq!(written, ["1 – 30 Nov 2026", "1.–30. Nov. 2026", "1–30 nov. 2026"]);
        let english = |start, end| show(Language::English, start, end);
        assert_eq!(english(datetime!(2026-11-15 10:22 UTC), datetime!(2026-12-15 10:22 UTC)), "15 Nov – 15 Dec 2026");
        assert_eq!(english(datetime!(2026-12-20 0:00 UTC), datetime!(2027-01-20 0:00 UTC)), "20 Dec 2026 – 19 Jan 2027");
        assert_eq!(english(datetime!(2026-11-01 0:00 UTC), datetime!(2026-11-02 0:00 UTC)), "1 Nov 2026");
    }

    #[test]
    fn distances_in_time_take_the_largest_unit() {
        let now = datetime!(2026-11-22 12:00 UTC);
        let english = |at| relative(Language::English, at, now);
        assert_eq!(english(datetime!(2026-12-05 12:00 UTC)), "in 13 days");
        assert_eq!(english(datetime!(2026-11-22 11:59:48 UTC)), "12 seconds ago");
        assert_eq!(english(datetime!(2026-11-22 10:59 UTC)), "1 hour ago");
        assert_eq!(english(now), "now");
        assert_eq!(relative(Language::German, datetime!(2026-11-25 12:00 UTC), now), "in 3 Tagen");
        assert_eq!(relative(Language::French, datetime!(2026-11-22 11:59 UTC), now), "il y a 1 minute");
        // Whatever the times of day are, two days apart are two days.
        assert_eq!(relative(Language::English, datetime!(2026-12-02 8:00 UTC), datetime!(2026-11-30 15:00 UTC)), "in 2 days");
    }
}
