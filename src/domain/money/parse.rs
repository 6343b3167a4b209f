//! Parses amounts and quantities as people type them: `1,500`, `$1,500.00`, `1.500,00`, `1 500`,
//! `¥1,500`. Ambiguous text is rejected with a question, never guessed.

use super::Currency;
use std::fmt;

/// Longer than any typed number.
const MAX_CHARS: usize = 64;

/// Why text is not a valid number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misread {
    NotANumber,
    /// More decimal places than the unit has.
    TooFine {
        places: u32,
    },
    TooLarge,
    /// The symbol or code of another currency.
    OtherCurrency(Currency),
    /// Ambiguous between thousands and a decimal number.
    Ambiguous {
        grouped: String,
        decimal: String,
    },
    /// Several numbers, or one.
    Several {
        one: Option<String>,
        several: String,
    },
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misread::NotANumber => f.write_str("is not a number such as 1500 or 1,500.00"),
            Misread::TooFine { places: 0 } => f.write_str("must be a whole number"),
            Misread::TooFine { places } => write!(f, "has more than {places} decimal places"),
            Misread::TooLarge => f.write_str("is too large"),
            Misread::OtherCurrency(currency) => write!(f, "is not in {}", currency.code().to_uppercase()),
            Misread::Ambiguous { grouped, decimal } => write!(f, "can be read in two ways. Did you mean {grouped}? Or {decimal}?"),
            Misread::Several { one: Some(one), several } => {
                write!(f, "can be read in two ways. Did you mean {one}? Or several, separated by semicolons: {several}?")
            }
            Misread::Several { one: None, several } => write!(f, "looks like several numbers. Separate them by semicolons: {several}"),
        }
    }
}

/// An amount in a currency's minor unit, with or without symbol or code: `$1,500.00`, `1.500,00 €`,
/// `CHF 1'500`.
pub fn amount(text: &str, currency: Currency) -> Result<u64, Misread> {
    if text.chars().count() > MAX_CHARS {
        return Err(Misread::NotANumber);
    }
    let plain = ascii(text);
    let number = without_currency(&plain, currency)?;
    scaled(number, currency.exponent())
}

/// A quantity in units; the typed unit is 10^places of them: 0 for whole numbers, 9 for bytes typed
/// in GB.
pub fn quantity(text: &str, places: u32) -> Result<u64, Misread> {
    if text.chars().count() > MAX_CHARS { Err(Misread::NotANumber) } else { scaled(ascii(text).trim(), places) }
}

/// Several amounts, separated by semicolons or line breaks. Commas belong to numbers: `1,500` is
/// one, and `50, 100` is rejected with a question.
pub fn amounts(text: &str, currency: Currency) -> Result<Vec<u64>, (String, Misread)> {
    let parts = text.split([';', '\n', '\r']).map(str::trim).filter(|part| !part.is_empty());
    let read =
        |part: &str| amount(part, currency).map_err(|misread| several(part, &|word| amount(word, currency).is_ok()).unwrap_or(misread));
    parts.map(|part| read(part).map_err(|misread| (part.chars().take(MAX_CHARS).collect(), misread))).collect()
}

/// The question for text that may be several numbers with commas or spaces between them.
pub fn several(text: &str, is_number: &dyn Fn(&str) -> bool) -> Option<Misread> {
    let words: Vec<&str> = text.split([',', ' ', '\u{a0}']).filter(|word| !word.is_empty()).collect();
    let joined = words.concat();
    (words.len() > 1 && words.iter().all(|word| is_number(word))).then(|| Misread::Several {
        one: (joined.bytes().all(|b| b.is_ascii_digit()) && is_number(&joined)).then_some(joined),
        several: words.join("; "),
    })
}

/// Converts full-width digits and symbols (Japanese keyboards) and all kinds of spaces to ASCII.
fn ascii(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| match c {
            '０'..='９' | '，' | '．' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '￥' => '¥',
            '’' => '\'',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect()
}

/// Currency symbols and their currencies. A dollar sign means the billing currency if that is a
/// dollar.
const SIGNS: [(&str, &[&str]); 14] = [
    ("US$", &["usd"]),
    ("$", &["usd", "aud", "cad", "nzd", "sgd", "hkd", "twd", "mxn", "clp", "cop", "ars"]),
    ("€", &["eur"]),
    ("£", &["gbp"]),
    ("¥", &["jpy", "cny"]),
    ("円", &["jpy"]),
    ("元", &["cny"]),
    ("₹", &["inr"]),
    ("₩", &["krw"]),
    ("₺", &["try"]),
    ("₫", &["vnd"]),
    ("zł", &["pln"]),
    ("kr", &["sek", "nok", "dkk", "isk"]),
    ("Fr.", &["chf"]),
];

/// The number without this currency's symbol or code.
fn without_currency(text: &str, currency: Currency) -> Result<&str, Misread> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | ' ');
    let (Some(first), Some(last)) = (text.find(|c: char| c.is_ascii_digit()), text.rfind(|c: char| c.is_ascii_digit())) else {
        return Err(Misread::NotANumber);
    };
    // In `.50`, the point belongs to the number.
    let start =
        text[..first].rfind(|c: char| !matches!(c, '.' | ',')).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let (before, number, after) = (text[..start].trim(), &text[start..=last], text[last + 1..].trim());
    if !number.chars().all(is_number) {
        return Err(Misread::NotANumber);
    }
    let sign = match (before, after) {
        ("", "") => return Ok(number),
        (sign, "") | ("", sign) => sign,
        _ => return Err(Misread::NotANumber),
    };
    let is_sign_of = |whose: &[&str]| whose.contains(&currency.code());
    let known = SIGNS.iter().find(|(known, _)| known.eq_ignore_ascii_case(sign)).map(|(_, whose)| *whose);
    match (known, sign.parse::<Currency>()) {
        (Some(whose), _) if is_sign_of(whose) => Ok(number),
        (None, Ok(code)) if code == currency => Ok(number),
        (Some(_), _) | (None, Ok(_)) => Err(Misread::OtherCurrency(currency)),
        (None, Err(_)) => Err(Misread::NotANumber),
    }
}

/// Digits with thousands grouped by one separator, and at most one decimal separator that differs
/// from it.
fn scaled(text: &str, places: u32) -> Result<u64, Misread> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !text.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(Misread::NotANumber);
    }
    if !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | ' ')) {
        return Err(Misread::NotANumber);
    }
    let count = |sign: char| text.matches(sign).count();
    let last = text.rfind(['.', ',']).map(|at| (at, &text[at..=at]));
    let (whole, fraction) = match last {
        None => (text, None),
        Some((at, sign)) => {
            let (before, after) = (&text[..at], &text[at + 1..]);
            let is_only_one = count(',') + count('.') == 1;
            let is_alone = is_only_one && count(' ') + count('\'') == 0;
            let looks_grouped = after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
            if !is_only_one && before.contains(sign) {
                // In `1,500,000`, a repeated separator groups thousands.
                (text, None)
            } else if is_alone && looks_grouped {
                match thousand_or_decimal(before, after, sign, places)? {
                    true => (text, None),
                    false => (before, Some(after)),
                }
            } else {
                (before, Some(after))
            }
        }
    };
    let whole = ungrouped(whole).ok_or(Misread::NotANumber)?;
    let fraction = fraction.unwrap_or_default();
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Misread::NotANumber);
    }
    number(&whole, fraction, places)
}

/// Whether `1,500` or `1.500` are thousands. With up to two decimal places, three digits after a
/// comma are thousands. A point is a decimal separator to most programs, so it is ambiguous for
/// every currency with decimals.
fn thousand_or_decimal(before: &str, after: &str, sign: &str, places: u32) -> Result<bool, Misread> {
    if places == 0 || (places < 3 && sign == ",") {
        return Ok(true);
    }
    let grouped = format!("{before}{after}");
    let decimal = match number(before, after, places) {
        // Never `1.500` again: with one digit more, or fewer, it is read as decimals.
        Ok(_) => match after.trim_end_matches('0') {
            "" => format!("{before}.{}", "0".repeat(places.min(2) as usize)),
            digits if digits.len() == 3 => format!("{before}.{digits}0"),
            digits => format!("{before}.{digits:0<2}"),
        },
        Err(_) => return Err(Misread::Ambiguous { decimal: format!("{before}.{}", &after[..places.min(2) as usize]), grouped }),
    };
    Err(Misread::Ambiguous { grouped, decimal })
}

/// The digits of `1,234,567`, `1 234 567` and `12'345`. India's `10,20,100` could be three numbers,
/// so it is rejected.
fn ungrouped(text: &str) -> Option<String> {
    let Some(sign) = text.chars().find(|c| !c.is_ascii_digit()) else { return Some(text.to_owned()) };
    let groups: Vec<&str> = text.split(sign).collect();
    let (first, rest) = groups.split_first()?;
    let is_digits = |group: &&str| group.bytes().all(|b| b.is_ascii_digit());
    let fits = (1..=3).contains(&first.len()) && !first.starts_with('0') && rest.iter().all(|group| group.len() == 3 && is_digits(group));
    (fits && is_digits(first)).then(|| groups.concat())
}

/// Zeros beyond the decimal places are ignored; other digits are an error.
fn number(whole: &str, fraction: &str, places: u32) -> Result<u64, Misread> {
    let exact = fraction.trim_end_matches('0');
    if exact.len() > places as usize {
        return Err(Misread::TooFine { places });
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    format!("{whole}{exact:0<width$}", width = places as usize).parse().map_err(|_| Misread::TooLarge)
}

/// Formats a number for typing: without trailing zeros, and never ambiguous.
pub fn typed(number: u64, places: u32) -> String {
    let scale = 10_u64.pow(places);
    let (whole, rest) = (number / scale, number % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = format!("{rest:0width$}", width = places as usize);
    let digits = digits.trim_end_matches('0');
    // `1.500` and `1.234` look like thousands.
    if digits.len() == 3 { format!("{whole}.{digits}0") } else { format!("{whole}.{digits}") }
}

#[cfg(test)]
mod tests;
