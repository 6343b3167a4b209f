//! Searches invoices by number, Stripe's id, a line's text or the total.

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pattern: String,
    /// The text as an amount in minor units, for currencies with 0, 2 and 3 decimal places.
    amounts: [Option<i64>; 3],
}

/// The parameters of a query; all are NULL without a search.
#[derive(Default)]
pub(super) struct Parameters<'a> {
    pub pattern: Option<&'a str>,
    pub zero_decimal: Option<i64>,
    pub two_decimal: Option<i64>,
    pub three_decimal: Option<i64>,
}

impl Search {
    pub fn new(text: &str) -> Search {
        Search { pattern: caseless(text), amounts: [0, 2, 3].map(|places| minor_units(text, places)) }
    }

    pub(super) fn parameters(search: Option<&Search>) -> Parameters<'_> {
        search.map_or_else(Parameters::default, |Search { pattern, amounts: [zero_decimal, two_decimal, three_decimal] }| Parameters {
            pattern: Some(pattern),
            zero_decimal: *zero_decimal,
            two_decimal: *two_decimal,
            three_decimal: *three_decimal,
        })
    }
}

/// A regular expression (PostgreSQL manual, "POSIX Regular Expressions") that matches the text
/// case-insensitively.
///
/// `ILIKE` and `lower()` only know ASCII if the database has the locale C, and ICU may be missing,
/// so both cases are spelled out.
fn caseless(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        let mut cases = vec![literal(c.to_string().chars())];
        for case in [literal(c.to_lowercase()), literal(c.to_uppercase()), literal(c.to_uppercase().flat_map(char::to_lowercase))] {
            if !cases.contains(&case) {
                cases.push(case);
            }
        }
        match cases.as_slice() {
            [only] => pattern.push_str(only),
            several => pattern.push_str(&format!("(?:{})", several.join("|"))),
        }
    }
    pattern
}

/// Escapes characters with a special meaning in regular expressions.
fn literal(chars: impl Iterator<Item = char>) -> String {
    chars.flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c])).collect()
}

/// `$1,234.50` in minor units with this many decimal places. None if it is not an amount.
fn minor_units(text: &str, places: usize) -> Option<i64> {
    let is_symbol = |c: char| c.is_whitespace() || matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₩');
    let text = text.trim();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let number: String = digits.trim_matches(is_symbol).chars().filter(|c| *c != ',').collect();
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let fraction = if fraction.len() > places { fraction.trim_end_matches('0') } else { fraction };
    let is_number = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number || fraction.len() > places {
        return None;
    }
    format!("{sign}{whole}{fraction:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_case_insensitive() {
        assert_eq!(caseless("ä-1"), "(?:ä|Ä)\\-1");
        assert_eq!(caseless("ß"), "(?:ß|SS|ss)");
        assert_eq!(caseless("(a.*)"), "\\((?:a|A)\\.\\*\\)");
    }

    #[test]
    fn amounts_are_searched_per_currency() {
        assert_eq!(Search::new("726.01").amounts, [None, Some(72_601), Some(726_010)]);
        assert_eq!(Search::new("$1,234.50").amounts, [None, Some(123_450), Some(1_234_500)]);
        assert_eq!(Search::new("¥1,013").amounts, [Some(1_013), Some(101_300), Some(1_013_000)]);
        assert_eq!(Search::new("-10.00").amounts, [Some(-10), Some(-1_000), Some(-10_000)]);
        for text in ["INV-1", "1.2.3", "1.2345", "", "99999999999999999999"] {
            assert_eq!(Search::new(text).amounts, [None; 3], "{text}");
        }
    }
}
