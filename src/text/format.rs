//! Values as people read them, by language, after CLDR. Machine formats (API, CSV, `datetime`
//! attributes) don't depend on a language. Instants are written in UTC, the zone that bills are
//! computed in; pages say so once.
//!
//! `tests/it/formats.rs` compares these functions with ICU and lists where they differ on purpose.

mod dates;
mod money;
mod quantities;

pub use dates::{date, date_time, date_time_seconds, day_month, long_date, long_period, machine, period, relative};
pub use money::{amount, decimal_money, money};
pub use quantities::{bytes_unit, compact, quantity};

use crate::domain::language::Language;

/// No-break space.
pub(crate) const NBSP: &str = "\u{a0}";

/// Narrow no-break space.
pub(crate) const NNBSP: &str = "\u{202f}";

/// What groups digits by thousands.
pub const fn group_separator(language: Language) -> &'static str {
    match language {
        Language::English => ",",
        Language::German => ".",
        Language::French => NNBSP,
    }
}

/// What separates decimals.
pub const fn decimal_separator(language: Language) -> &'static str {
    match language {
        Language::English => ".",
        Language::German | Language::French => ",",
    }
}

/// `1,234`, `1.234`, `1 234`.
pub fn integer(language: Language, number: u64) -> String {
    grouped(language, &number.to_string())
}

/// Digits, grouped by thousands.
fn grouped(language: Language, digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push_str(group_separator(language));
        }
        out.push(digit);
    }
    out
}

/// An exact decimal as APIs write it, such as `-1234.50`: `-1,234.50`. Text that isn't one is
/// returned unchanged.
pub fn decimal(language: Language, number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return number.to_owned();
    }
    let fraction = fraction.map(|fraction| format!("{}{fraction}", decimal_separator(language))).unwrap_or_default();
    format!("{sign}{}{fraction}", grouped(language, whole))
}

/// `125%`, `125 %`.
pub fn percent(language: Language, percent: u64) -> String {
    percent_sign(language, &integer(language, percent))
}

/// An exact decimal in percent, such as a tax rate: `8.1%`, `8,1 %`.
pub fn decimal_percent(language: Language, percent: &str) -> String {
    percent_sign(language, &decimal(language, percent))
}

fn percent_sign(language: Language, number: &str) -> String {
    let space = if language == Language::English { "" } else { NBSP };
    format!("{number}{space}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_follow_the_language() {
        let written = |number| Language::ALL.map(|language| integer(language, number));
        assert_eq!(written(0), ["0", "0", "0"]);
        assert_eq!(written(1_234_567), ["1,234,567", "1.234.567", "1\u{202f}234\u{202f}567"]);
        assert_eq!(Language::ALL.map(|language| percent(language, 1_250)), ["1,250%", "1.250\u{a0}%", "1\u{202f}250\u{a0}%"]);
        assert_eq!(Language::ALL.map(|language| decimal_percent(language, "8.10")), ["8.10%", "8,10\u{a0}%", "8,10\u{a0}%"]);
    }

    #[test]
    fn decimals_keep_their_digits() {
        let written = |number| decimal(Language::German, number);
        assert_eq!([written("-1234.50"), written("0.0012"), written("12")], ["-1.234,50", "0,0012", "12"]);
        for other in ["", "-", "1.", ".5", "1e3", "1.2.3", "1,5", "é.1"] {
            assert_eq!(written(other), other);
        }
    }

    proptest! {
        #[test]
        fn no_decimal_panics_or_loses_digits(number in "\\PC{0,12}|-?[0-9]{1,30}(\\.[0-9]{1,12})?") {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            for language in Language::ALL {
                prop_assert_eq!(digits(&decimal(language, &number)), digits(&number));
            }
        }
    }
}
