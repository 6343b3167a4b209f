//! Parses list parameters from text, so that an error can name the parameter.

use super::{Error, Result};
use time::{Date, Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

pub const DEFAULT_LIMIT: u32 = 20;
pub const MAX_LIMIT: u32 = 100;
const MAX_SEARCH_CHARS: usize = 100;

/// A form sends an empty parameter for an empty field.
pub fn given(value: Option<String>) -> Option<String> {
    value.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// An integer within the range.
pub fn number(name: &'static str, value: Option<String>, default: u32, range: std::ops::RangeInclusive<u32>) -> Result<u32> {
    let Some(text) = given(value) else { return Ok(default) };
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let expected = if *range.end() == u32::MAX {
            format!("a whole number from {}", range.start())
        } else {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        Error::invalid(name, format!("must be {expected}"))
    })
}

/// A search text.
pub fn search(name: &'static str, value: Option<String>) -> Result<Option<String>> {
    let text = given(value);
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH_CHARS || text.chars().any(char::is_control)) {
        return Err(Error::invalid(name, format!("must have at most {MAX_SEARCH_CHARS} characters and no control characters")));
    }
    Ok(text)
}

/// An RFC 3339 instant, or a date: its start in UTC plus `shift`.
pub fn instant(name: &'static str, text: &str, shift: Duration) -> Result<OffsetDateTime> {
    let parsed = match Date::parse(text, format_description!("[year]-[month]-[day]")) {
        Ok(date) => date.midnight().assume_utc().checked_add(shift),
        Err(_) => OffsetDateTime::parse(text, &Rfc3339).ok(),
    };
    // PostgreSQL's timestamps have a smaller range.
    parsed
        .filter(|at| (1..=9998).contains(&at.year()))
        .ok_or_else(|| Error::invalid(name, "must be a date such as 2026-11-01 or an RFC 3339 instant"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn page_and_limit_are_bounded() {
        for bad in ["0", "-1", "1.5", "1e9", "1000000000", "x", "101"] {
            assert!(number("limit", Some(bad.into()), 20, 1..=100).is_err(), "{bad}");
        }
        assert_eq!(number("limit", Some("".into()), 20, 1..=100).unwrap(), 20);
        assert_eq!(number("limit", Some("100".into()), 20, 1..=100).unwrap(), 100);
    }

    #[test]
    fn a_date_covers_its_whole_day() {
        assert_eq!(instant("to", "2026-11-30", Duration::DAY).unwrap(), datetime!(2026-12-01 0:00 UTC));
        assert_eq!(instant("to", "2026-11-30T12:00:00+01:00", Duration::DAY).unwrap(), datetime!(2026-11-30 11:00 UTC));
        for bad in ["30.11.2026", "2026-13-01", "2026-02-30", "-0001-01-01", "9999-12-31", "now"] {
            assert!(instant("to", bad, Duration::DAY).is_err(), "{bad}");
        }
    }
}
