//! Amounts of money.

use super::{NBSP, decimal, decimal_separator, integer};
use crate::domain::{
    language::Language,
    money::{Currency, Money},
};

/// The number without its currency: `-1,234.56`, with the decimals of the currency's minor unit.
pub fn amount(language: Language, money: Money) -> String {
    let sign = if money.amount < 0 { "-" } else { "" };
    format!("{sign}{}", magnitude(language, money))
}

/// `$726.01`, `726,01 $`, `726,01 $US`. A currency without a known symbol is written as its code:
/// `KWD 12.345`.
pub fn money(language: Language, money: Money) -> String {
    with_currency(language, money.amount < 0, &magnitude(language, money), money.currency)
}

/// An exact decimal of the major unit with its currency, such as a unit price: `$0.00008`.
pub fn decimal_money(language: Language, number: &str, currency: Currency) -> String {
    let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
    with_currency(language, is_negative, &decimal(language, number), currency)
}

fn with_currency(language: Language, is_negative: bool, number: &str, currency: Currency) -> String {
    let sign = if is_negative { "-" } else { "" };
    match (language, symbol(language, currency)) {
        (Language::English, Some(symbol)) => format!("{sign}{symbol}{number}"),
        (Language::English, None) => format!("{sign}{}{NBSP}{number}", code(currency)),
        (_, Some(symbol)) => format!("{sign}{number}{NBSP}{symbol}"),
        (_, None) => format!("{sign}{number}{NBSP}{}", code(currency)),
    }
}

fn code(currency: Currency) -> String {
    currency.code().to_ascii_uppercase()
}

fn magnitude(language: Language, money: Money) -> String {
    let exponent = money.currency.exponent();
    let scale = 10u64.pow(exponent);
    let magnitude = money.amount.unsigned_abs();
    let whole = integer(language, magnitude / scale);
    if exponent == 0 {
        return whole;
    }
    format!("{whole}{}{:0width$}", decimal_separator(language), magnitude % scale, width = exponent as usize)
}

/// The symbol that CLDR has for readers of a language, of the currencies whose symbol everyone
/// reads. Dollars of other countries are written as their code, which can't be mistaken.
fn symbol(language: Language, currency: Currency) -> Option<&'static str> {
    Some(match (currency.code(), language) {
        ("usd", Language::French) => "$US",
        ("usd", _) => "$",
        ("eur", _) => "€",
        ("gbp", Language::French) => "£GB",
        ("gbp", _) => "£",
        ("jpy", Language::French) => return None,
        ("jpy", _) => "¥",
        ("inr", _) => "₹",
        ("krw", _) => "₩",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn money_follows_the_language() {
        let written = |amount, code: &str| Language::ALL.map(|language| money(language, Money::new(amount, code.parse().unwrap())));
        assert_eq!(written(72_601, "usd"), ["$726.01", "726,01\u{a0}$", "726,01\u{a0}$US"]);
        assert_eq!(written(22_935, "jpy"), ["¥22,935", "22.935\u{a0}¥", "22\u{202f}935\u{a0}JPY"]);
        assert_eq!(written(-123_456, "eur"), ["-€1,234.56", "-1.234,56\u{a0}€", "-1\u{202f}234,56\u{a0}€"]);
        assert_eq!(written(12_345, "kwd"), ["KWD\u{a0}12.345", "12,345\u{a0}KWD", "12,345\u{a0}KWD"]);
        assert_eq!(written(i64::MIN, "usd")[0], "-$92,233,720,368,547,758.08");
    }

    proptest! {
        #[test]
        fn written_digits_equal_the_amount(cents in any::<i64>(), code in prop::sample::select(vec!["usd", "jpy", "kwd", "xxx"])) {
            for language in Language::ALL {
                let shown = money(language, Money::new(cents, code.parse().unwrap()));
                let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits.parse::<u128>().unwrap(), u128::from(cents.unsigned_abs()));
                prop_assert_eq!(shown.starts_with('-'), cents < 0);
            }
        }
    }
}
