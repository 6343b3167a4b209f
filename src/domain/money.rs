//! Money: integer minor units with their currency. No floating point.

pub mod parse;

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 4217 currency, lower case as Stripe writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(value_type = String, example = "usd")]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    pub const USD: Currency = Currency(*b"usd");

    /// Currencies without a minor unit at Stripe ("Supported currencies").
    pub const ZERO_DECIMAL: [&str; 15] =
        ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];

    /// Currencies with a minor unit of a thousandth.
    pub const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

    /// Lower-case code, as in the API.
    pub fn code(&self) -> &str {
        // The constructor only accepts ASCII letters.
        str::from_utf8(&self.0).unwrap_or("usd")
    }

    /// Decimal places of the minor unit, as Stripe charges it.
    pub fn exponent(&self) -> u32 {
        match self.code() {
            code if Currency::ZERO_DECIMAL.contains(&code) => 0,
            code if Currency::THREE_DECIMAL.contains(&code) => 3,
            _ => 2,
        }
    }

    fn symbol(&self) -> Option<&'static str> {
        Some(match self.code() {
            "usd" => "$",
            "eur" => "€",
            "gbp" => "£",
            "jpy" => "¥",
            "inr" => "₹",
            "krw" => "₩",
            _ => return None,
        })
    }
}

impl FromStr for Currency {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match <[u8; 3]>::try_from(s.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_alphabetic) => Ok(Currency(code.map(|b| b.to_ascii_lowercase()))),
            _ => Err(format!("`{s}` is not a three-letter currency code")),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(s: String) -> Result<Self, Self::Error> {
        s.parse()
    }
}

impl From<Currency> for String {
    fn from(c: Currency) -> Self {
        c.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in the currency's minor unit (cents for USD, yen for JPY).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub amount: i64,
    pub currency: Currency,
}

impl Money {
    pub const fn new(amount: i64, currency: Currency) -> Money {
        Money { amount, currency }
    }

    /// The number only, grouped by thousands: `-1,234.56`.
    pub fn number(&self) -> String {
        let exponent = self.currency.exponent();
        let scale = 10u64.pow(exponent);
        let magnitude = self.amount.unsigned_abs();
        let mut out = if self.amount < 0 { "-".to_owned() } else { String::new() };
        out.push_str(&group_thousands(magnitude / scale));
        if exponent > 0 {
            out.push_str(&format!(".{:0width$}", magnitude % scale, width = exponent as usize));
        }
        out
    }

    /// The number only, for programs and spreadsheets: `-1234.56`.
    pub fn decimal(&self) -> String {
        self.number().replace(',', "")
    }
}

impl fmt::Display for Money {
    /// In English format: `$1,234.56`, `-€5.00`, `¥1,200`, `CHF 10.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number();
        let (sign, digits) = number.strip_prefix('-').map_or(("", number.as_str()), |digits| ("-", digits));
        match self.currency.symbol() {
            Some(symbol) => write!(f, "{sign}{symbol}{digits}"),
            None => write!(f, "{sign}{}\u{a0}{digits}", self.currency.code().to_uppercase()),
        }
    }
}

/// `1234567` as `1,234,567`.
pub fn group_thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_follow_the_currencys_exponent() {
        let show = |amount, code: &str| Money::new(amount, code.parse().unwrap()).to_string();
        assert_eq!(show(123456, "usd"), "$1,234.56");
        assert_eq!(show(-500, "eur"), "-€5.00");
        assert_eq!(show(1200, "JPY"), "¥1,200");
        assert_eq!(show(12345, "kwd"), "KWD\u{a0}12.345");
        assert_eq!(show(0, "usd"), "$0.00");
        assert_eq!(show(i64::MIN, "usd"), "-$92,233,720,368,547,758.08");
    }

    #[test]
    fn a_decimal_has_no_separators() {
        let decimal = |amount, code: &str| Money::new(amount, code.parse().unwrap()).decimal();
        assert_eq!([decimal(-123_456_789, "usd"), decimal(1_013, "jpy"), decimal(5, "kwd")], ["-1234567.89", "1013", "0.005"]);
    }

    #[test]
    fn invalid_currency_codes_are_rejected() {
        for bad in ["", "us", "usdd", "u1d", "€€€"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn displayed_digits_equal_the_amount(amount in any::<i64>(), code in prop::sample::select(vec!["usd", "jpy", "kwd"])) {
            let shown = Money::new(amount, code.parse().unwrap()).to_string();
            let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits.parse::<u128>().unwrap(), u128::from(amount.unsigned_abs()));
            prop_assert_eq!(shown.starts_with('-'), amount < 0);
        }
    }
}
