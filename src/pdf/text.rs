//! Formats dates and external text for printing.

use crate::domain::period::Period;
use time::{Date, Duration, Month, OffsetDateTime, UtcOffset};

/// Makes external text safe for one printed line: no line breaks, no invisible characters that
/// reorder or hide text, and at most `limit` characters (with an ellipsis if cut).
pub fn one_line(text: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    printable(&words.join(" "), limit)
}

/// Like [`one_line`], but with line breaks. Two or more empty lines become one.
pub fn paragraphs(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for line in text.trim().lines() {
        let line: Vec<&str> = line.split_whitespace().collect();
        if !(line.is_empty() && out.ends_with("\n\n")) {
            out.push_str(&line.join(" "));
            out.push('\n');
        }
    }
    printable(out.trim_end(), limit)
}

fn printable(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            out.push('…');
            break;
        }
        // Control characters and bidirectional overrides (Unicode Standard Annex 9, section 2)
        // become the replacement character.
        let c =
            if (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') { '\u{fffd}' } else { c };
        out.push(c);
    }
    out
}

/// `1 November 2026`, in UTC.
pub fn date(at: OffsetDateTime) -> String {
    let day = at.to_offset(UtcOffset::UTC).date();
    format!("{} {} {}", day.day(), day.month(), day.year())
}

/// `1 – 30 November 2026`. The end is exclusive, so the last day contains the instant before it.
pub fn period(period: Period) -> String {
    span(period, |month| month.to_string())
}

/// `1 – 30 Nov 2026`, for narrow columns.
pub fn short_period(period: Period) -> String {
    span(period, |month| month.to_string().chars().take(3).collect())
}

fn span(period: Period, month: impl Fn(Month) -> String) -> String {
    let (first, last) = (period.start().date(), (period.end() - Duration::NANOSECOND).date());
    let full = |day: Date| format!("{}\u{a0}{}\u{a0}{}", day.day(), month(day.month()), day.year());
    if first == last {
        full(first)
    } else if (first.year(), first.month()) == (last.year(), last.month()) {
        format!("{}\u{a0}–\u{a0}{}", first.day(), full(last))
    } else if first.year() == last.year() {
        format!("{}\u{a0}{} – {}", first.day(), month(first.month()), full(last))
    } else {
        format!("{} – {}", full(first), full(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_period_ends_on_its_last_day() {
        let show = |start, end| period(Period::new(start, end).unwrap()).replace('\u{a0}', " ");
        assert_eq!(show(datetime!(2026-11-01 0:00 UTC), datetime!(2026-12-01 0:00 UTC)), "1 – 30 November 2026");
        assert_eq!(show(datetime!(2026-11-15 0:00 UTC), datetime!(2026-12-15 0:00 UTC)), "15 November – 14 December 2026");
        assert_eq!(show(datetime!(2026-12-15 0:00 UTC), datetime!(2027-01-15 0:00 UTC)), "15 December 2026 – 14 January 2027");
        assert_eq!(show(datetime!(2026-11-01 0:00 UTC), datetime!(2026-11-02 0:00 UTC)), "1 November 2026");
        assert_eq!(show(datetime!(2026-11-01 9:30 UTC), datetime!(2026-12-01 9:30 UTC)), "1 November – 1 December 2026");
        let november = Period::new(datetime!(2026-11-01 0:00 UTC), datetime!(2026-12-01 0:00 UTC)).unwrap();
        assert_eq!(short_period(november).replace('\u{a0}', " "), "1 – 30 Nov 2026");
    }

    #[test]
    fn text_is_one_line_without_control_characters() {
        assert_eq!(one_line("  a\t\r\n b\u{0}c ", 100), "a b\u{fffd}c");
        assert_eq!(one_line("pay \u{202e}99.1$", 100), "pay \u{fffd}99.1$");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(paragraphs("one\r\n\r\n\r\n\r\ntwo \n", 100), "one\n\ntwo");
    }
}
