//! Dates, prices and foreign text as they are printed.

use crate::domain::{
    money::{Currency, Money, group_thousands},
    period::Period,
};
use time::{Date, Duration, Month, OffsetDateTime, UtcOffset};

/// Text from outside made fit for one printed line: no line breaks, nothing invisible that could reorder or hide what stands beside it, and at most `limit` characters
/// (with an ellipsis, so that a cut is seen).
pub fn one_line(text: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    printable(&words.join(" "), limit)
}

/// As [`one_line`], but keeps the lines. Two or more empty lines become one.
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
        // Control characters and the overrides that turn the direction of text (Unicode Standard Annex 9, section 2) show up as the replacement character.
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

/// `1 – 30 November 2026`. The end is exclusive, so the last day is the one that holds the instant before it.
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

/// A price per unit in the major unit, every digit kept: `0.008` US cents are `$0.00008`. None when `minor_units` is no plain decimal.
pub fn unit_price(minor_units: &str, currency: Currency) -> Option<String> {
    let (sign, digits) = minor_units.strip_prefix('-').map_or(("", minor_units), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_decimal = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_decimal(whole) || !is_decimal(fraction) || (digits.contains('.') && fraction.is_empty()) {
        return None;
    }
    let exponent = currency.exponent() as usize;
    let whole = format!("{whole:0>width$}", width = exponent + 1);
    let (major, minor) = whole.split_at(whole.len() - exponent);
    let mut decimals = format!("{minor}{fraction}");
    while decimals.len() > exponent && decimals.ends_with('0') {
        decimals.pop();
    }
    let mut number = group_thousands(major.parse().ok()?);
    if !decimals.is_empty() {
        number = format!("{number}.{decimals}");
    }
    // The symbol and its place are those of an amount of nothing.
    let zero = Money::new(0, currency);
    let shown = zero.to_string();
    let symbol = shown.strip_suffix(&zero.number())?;
    Some(format!("{sign}{symbol}{number}"))
}

/// Whether a line's price is for a thousand of what its quantity counts: its text says so, and the amount is not simply quantity times price.
pub fn is_priced_per_thousand(description: &str, quantity: Option<i64>, unit_amount: &str, amount: i64) -> bool {
    let text = description.to_lowercase();
    let says_so = ["per 1,000", "per 1000", "per 1 000", "per 1k", "/ 1,000", "/1,000", "/1000", "/ 1000", "per thousand", "cpm"]
        .iter()
        .any(|phrase| text.contains(phrase));
    let is_simple_product = quantity.is_some_and(|quantity| product_is(quantity, unit_amount, amount).unwrap_or(false));
    says_so && !is_simple_product
}

/// Whether `quantity × unit_amount` rounds to the amount. None when that can't be computed exactly.
fn product_is(quantity: i64, unit_amount: &str, amount: i64) -> Option<bool> {
    let (whole, fraction) = unit_amount.split_once('.').unwrap_or((unit_amount, ""));
    let scale = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let unit: i128 = format!("{whole}{fraction}").parse().ok()?;
    let distance = i128::from(quantity).checked_mul(unit)?.checked_sub(i128::from(amount).checked_mul(scale)?)?;
    Some(distance.abs() < scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[test]
    fn unit_prices_keep_every_digit() {
        let price = |minor, code: &str| unit_price(minor, code.parse().unwrap());
        assert_eq!(price("0.008", "usd").as_deref(), Some("$0.00008"));
        assert_eq!(price("250", "usd").as_deref(), Some("$2.50"));
        assert_eq!(price("250.000", "usd").as_deref(), Some("$2.50"));
        assert_eq!(price("-5", "eur").as_deref(), Some("-€0.05"));
        assert_eq!(price("1234567.5", "usd").as_deref(), Some("$12,345.675"));
        assert_eq!(price("12", "jpy").as_deref(), Some("¥12"));
        assert_eq!(price("0.25", "jpy").as_deref(), Some("¥0.25"));
        assert_eq!(price("1", "kwd").as_deref(), Some("KWD\u{a0}0.001"));
        for bad in ["", "-", ".", "1.", ".5", "1e3", "1,5", "--1", "١", "99999999999999999999999"] {
            assert_eq!(price(bad, "usd"), None, "{bad}");
        }
    }

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
    fn a_price_per_thousand_is_told_from_a_price_per_unit() {
        assert!(is_priced_per_thousand("Impressions (per 1,000)", Some(2_500_000), "50", 125_000));
        assert!(is_priced_per_thousand("Impressions, CPM", None, "50", 125_000));
        assert!(!is_priced_per_thousand("Impressions ($0.50 per 1,000)", Some(2_500_000), "0.05", 125_000));
        assert!(!is_priced_per_thousand("Seats", Some(3), "1000", 3_000));
    }

    #[test]
    fn text_is_one_line_without_tricks() {
        assert_eq!(one_line("  a\t\r\n b\u{0}c ", 100), "a b\u{fffd}c");
        assert_eq!(one_line("pay \u{202e}99.1$", 100), "pay \u{fffd}99.1$");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(paragraphs("one\r\n\r\n\r\n\r\ntwo \n", 100), "one\n\ntwo");
    }

    proptest! {
        #[test]
        fn a_unit_price_in_whole_minor_units_reads_as_money(amount in any::<i64>(), code in prop::sample::select(vec!["usd", "jpy", "kwd"])) {
            let currency: Currency = code.parse().unwrap();
            prop_assert_eq!(unit_price(&amount.to_string(), currency), Some(Money::new(amount, currency).to_string()));
        }
    }
}
