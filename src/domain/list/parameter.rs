//! A query parameter, and the types of values that lists share.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use time::{Date, Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Maximum length of a search text.
const MAX_SEARCH_CHARS: usize = 100;

/// A query parameter. An empty one is absent, because forms send every field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Parameter<T> {
    #[default]
    Absent,
    Given(T),
    /// Text that is not a valid value, and the reason.
    Invalid {
        text: String,
        detail: String,
    },
}

impl<T> Parameter<T> {
    pub const fn is_absent(&self) -> bool {
        matches!(self, Parameter::Absent)
    }

    pub const fn is_invalid(&self) -> bool {
        matches!(self, Parameter::Invalid { .. })
    }

    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Parameter::Given(value) => Some(value),
            Parameter::Absent | Parameter::Invalid { .. } => None,
        }
    }
}

impl<T: FromStr<Err = String>> Parameter<T> {
    pub fn parse(text: &str) -> Parameter<T> {
        match text.trim() {
            "" => Parameter::Absent,
            text => match text.parse() {
                Ok(value) => Parameter::Given(value),
                Err(detail) => Parameter::Invalid { text: text.to_owned(), detail },
            },
        }
    }
}

impl<T: fmt::Display> Parameter<T> {
    /// The text in a URL.
    pub fn text(&self) -> Option<String> {
        match self {
            Parameter::Absent => None,
            Parameter::Given(value) => Some(value.to_string()),
            Parameter::Invalid { text, .. } => Some(text.clone()),
        }
    }
}

impl<T> From<Option<T>> for Parameter<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Parameter::Absent, Parameter::Given)
    }
}

impl<T: fmt::Display> Serialize for Parameter<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().unwrap_or_default().serialize(serializer)
    }
}

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Parameter<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Parameter::parse(&String::deserialize(deserializer)?))
    }
}

/// The number of a page; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageNumber(pub u32);

impl PageNumber {
    /// Rows on the pages before this one.
    pub const fn offset(self, limit: Limit) -> i64 {
        (self.0 as i64 - 1) * limit.0 as i64
    }
}

impl Default for PageNumber {
    fn default() -> Self {
        PageNumber(1)
    }
}

impl FromStr for PageNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().filter(|number| *number >= 1);
        number.map(PageNumber).ok_or_else(|| "must be a whole number from 1".to_owned())
    }
}

impl fmt::Display for PageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Rows per page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u32);

impl Limit {
    pub const MAX: u32 = 100;
}

impl Default for Limit {
    fn default() -> Self {
        Limit(20)
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().filter(|number| (1..=Limit::MAX).contains(number));
        number.map(Limit).ok_or_else(|| format!("must be a whole number from 1 to {}", Limit::MAX))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A search text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<SearchText> for String {
    fn from(text: SearchText) -> String {
        text.0
    }
}

impl FromStr for SearchText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().count() > MAX_SEARCH_CHARS || text.chars().any(char::is_control) {
            return Err(format!("must have at most {MAX_SEARCH_CHARS} characters and no control characters"));
        }
        Ok(SearchText(text.to_owned()))
    }
}

impl fmt::Display for SearchText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The start or end of a span of time: an RFC 3339 instant, or a date, which means its whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeBound {
    Date(Date),
    Instant(OffsetDateTime),
}

impl TimeBound {
    /// The first instant, in UTC, of a date.
    pub const fn start(self) -> OffsetDateTime {
        match self {
            TimeBound::Date(date) => date.midnight().assume_utc(),
            TimeBound::Instant(instant) => instant,
        }
    }

    /// The instant after the last one, in UTC, of a date.
    pub fn end(self) -> OffsetDateTime {
        match self {
            TimeBound::Date(date) => date.midnight().assume_utc().saturating_add(Duration::DAY),
            TimeBound::Instant(instant) => instant,
        }
    }
}

impl FromStr for TimeBound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bound = match Date::parse(text, format_description!("[year]-[month]-[day]")) {
            Ok(date) => Some(TimeBound::Date(date)),
            Err(_) => OffsetDateTime::parse(text, &Rfc3339).ok().map(TimeBound::Instant),
        };
        // PostgreSQL's timestamps have a smaller range.
        bound
            .filter(|bound| (1..=9998).contains(&bound.start().year()))
            .ok_or_else(|| "must be a date such as 2026-11-01 or an RFC 3339 instant".to_owned())
    }
}

impl fmt::Display for TimeBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeBound::Date(date) => date.fmt(f),
            TimeBound::Instant(instant) => f.write_str(&instant.format(&Rfc3339).map_err(|_| fmt::Error)?),
        }
    }
}

impl utoipa::PartialSchema for TimeBound {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let schema = serde_json::json!({
            "type": "string",
            "anyOf": [{"format": "date"}, {"format": "date-time"}],
            "examples": ["2026-11-01", "2026-11-01T00:00:00Z"],
        });
        // An invalid schema would allow everything; the document's snapshot shows it.
        serde_json::from_value(schema).unwrap_or_else(|_| utoipa::openapi::Schema::default().into())
    }
}

impl utoipa::ToSchema for TimeBound {}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn page_and_limit_are_bounded() {
        for bad in ["0", "-1", "1.5", "1e9", "10000000000", "x", "101"] {
            assert!(Limit::from_str(bad).is_err(), "{bad}");
        }
        for bad in ["0", "-1", "1.5", "1e9", "10000000000", "x"] {
            assert!(PageNumber::from_str(bad).is_err(), "{bad}");
        }
        assert_eq!((Limit::from_str("100"), PageNumber::from_str("4294967295")), (Ok(Limit(100)), Ok(PageNumber(u32::MAX))));
    }

    #[test]
    fn a_date_covers_its_whole_day() {
        let bound = |text: &str| text.parse::<TimeBound>().unwrap();
        assert_eq!(bound("2026-11-30").start(), datetime!(2026-11-30 0:00 UTC));
        assert_eq!(bound("2026-11-30").end(), datetime!(2026-12-01 0:00 UTC));
        assert_eq!(bound("2026-11-30T12:00:00+01:00").end(), datetime!(2026-11-30 11:00 UTC));
        assert_eq!(bound("2026-11-30").to_string(), "2026-11-30");
        assert_eq!(bound("2026-11-30T12:00:00+01:00").to_string(), "2026-11-30T12:00:00+01:00");
        for bad in ["30.11.2026", "2026-13-01", "2026-02-30", "-0001-01-01", "9999-12-31", "now"] {
            assert!(bad.parse::<TimeBound>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_search_is_short_and_printable() {
        assert!("ü".repeat(100).parse::<SearchText>().is_ok());
        assert!("ü".repeat(101).parse::<SearchText>().is_err());
        assert!("a\nb".parse::<SearchText>().is_err());
    }
}
