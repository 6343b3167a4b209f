use super::*;
use crate::domain::money::Money;
use proptest::prelude::*;

fn usd(text: &str) -> Result<u64, Misread> {
    amount(text, Currency::USD)
}

fn of(code: &str, text: &str) -> Result<u64, Misread> {
    amount(text, code.parse().unwrap())
}

fn question(grouped: &str, decimal: &str) -> Result<u64, Misread> {
    Err(Misread::Ambiguous { grouped: grouped.into(), decimal: decimal.into() })
}

#[test]
fn amounts_parse_in_common_formats() {
    for text in [
        "1,500",
        "1500",
        "$1,500.00",
        "1.500,00",
        "1 500",
        "1\u{202f}500,00 $",
        "1'500.00",
        "USD 1500",
        "1,500.00 usd",
        "US$1,500",
        "１，５００",
        "1500.0",
        "1,500.000",
    ] {
        assert_eq!(usd(text), Ok(150_000), "{text}");
    }
    for (text, cents) in [
        ("50", 5000),
        ("49.99", 4999),
        ("49,99", 4999),
        ("0.5", 50),
        (".5", 50),
        ("0,50", 50),
        ("1,5", 150),
        ("1.234.567,89", 123_456_789),
        ("12 345.67", 1_234_567),
        ("0,500", 50),
    ] {
        assert_eq!(usd(text), Ok(cents), "{text}");
    }
    assert_eq!(of("eur", "1.500,00 €"), Ok(150_000));
    assert_eq!(of("eur", "€1,500"), Ok(150_000));
    assert_eq!(of("chf", "CHF 1’500.50"), Ok(150_050));
    for text in ["¥1,500", "￥１，５００", "1.500", "1 500円", "1500"] {
        assert_eq!(of("jpy", text), Ok(1500), "{text}");
    }
    assert_eq!(of("kwd", "1,500.250"), Ok(1_500_250));
    assert_eq!(of("cad", "$20"), Ok(2000));
}

#[test]
fn ambiguous_amounts_are_questioned() {
    assert_eq!(usd("1.500"), question("1500", "1.50"));
    assert_eq!(usd("$12.345"), question("12345", "12.34"));
    assert_eq!(of("kwd", "1.500"), question("1500", "1.50"));
    assert_eq!(of("kwd", "1,234"), question("1234", "1.2340"));
    assert_eq!(quantity("1,500", 9), question("1500", "1.50"));
    assert_eq!(quantity("1.000", 9), question("1000", "1.00"));
    assert_eq!(usd("1.500").unwrap_err().to_string(), "can be read in two ways. Did you mean 1500? Or 1.50?");
}

#[test]
fn invalid_numbers_are_rejected() {
    for text in [
        "",
        " ",
        "$",
        "many",
        "-5",
        "+5",
        "1,50,000",
        "1,500,00",
        "1.5.0",
        "15 00",
        "1,,500",
        "1.",
        "1,",
        ",500",
        "1e3",
        "0x10",
        "5 %",
        "$5 USD",
        "1,500.00.00",
        "1 500.000 000",
        "٣",
        "½",
        "1\u{0}2",
    ] {
        assert_eq!(usd(text), Err(Misread::NotANumber), "{text}");
    }
    assert_eq!(usd("1.2345"), Err(Misread::TooFine { places: 2 }));
    assert_eq!(quantity("1.5", 0), Err(Misread::TooFine { places: 0 }));
    assert_eq!(usd("€50"), Err(Misread::OtherCurrency(Currency::USD)));
    assert_eq!(usd("50 EUR"), Err(Misread::OtherCurrency(Currency::USD)));
    assert_eq!(of("eur", "$50"), Err(Misread::OtherCurrency("eur".parse().unwrap())));
    assert_eq!(usd("99999999999999999999999"), Err(Misread::TooLarge));
    assert_eq!(usd(&"1".repeat(5000)), Err(Misread::NotANumber));
}

#[test]
fn several_amounts_are_separated_by_semicolons() {
    assert_eq!(amounts("50; $1,500.00;\n1.500,50", Currency::USD), Ok(vec![5000, 150_000, 150_050]));
    assert_eq!(amounts(" ; ", Currency::USD), Ok(vec![]));
    assert_eq!(amounts("1,500", Currency::USD), Ok(vec![150_000]));
    let asked = |text: &str| amounts(text, Currency::USD).unwrap_err().1;
    assert_eq!(asked("50, 100"), Misread::Several { one: Some("50100".into()), several: "50; 100".into() });
    assert_eq!(asked("1, 500"), Misread::Several { one: Some("1500".into()), several: "1; 500".into() });
    assert_eq!(asked("49.99, 100"), Misread::Several { one: None, several: "49.99; 100".into() });
    assert_eq!(asked("50 75"), Misread::Several { one: Some("5075".into()), several: "50; 75".into() });
    assert_eq!(asked("10,20,100"), Misread::Several { one: Some("1020100".into()), several: "10; 20; 100".into() });
    assert_eq!(asked("5; many"), Misread::NotANumber);
}

/// `1234567.89` in three CLDR locales.
fn localised(number: u64, places: u32, locale: &str, with_places: bool) -> String {
    let english = Money::new(i64::try_from(number).unwrap(), Currency::USD).number();
    assert_eq!(places, 2);
    let english = if with_places { english } else { english.split('.').next().unwrap().to_owned() };
    let (group, point) = match locale {
        "en" => (",", "."),
        "de" => (".", ","),
        _ => ("\u{202f}", ","),
    };
    english
        .chars()
        .map(|c| {
            if c == ',' {
                group.to_owned()
            } else if c == '.' {
                point.to_owned()
            } else {
                c.to_string()
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn numbers_of_three_locales_parse(cents in prop_oneof![0_u64..1_000_000, 0_u64..1_000_000_000_000_000], locale in prop::sample::select(vec!["en", "de", "fr"])) {
        let text = localised(cents, 2, locale, true);
        prop_assert_eq!(usd(&text), Ok(cents), "{}", text);
        // Without decimals the German thousand is questioned; it is never read as another number.
        let whole = cents / 100;
        let text = localised(cents, 2, locale, false);
        match usd(&text) {
            Ok(read) => prop_assert_eq!(read, whole * 100, "{}", text),
            Err(Misread::Ambiguous { grouped, .. }) => prop_assert_eq!(grouped, whole.to_string()),
            Err(other) => prop_assert!(false, "{}: {:?}", text, other),
        }
        prop_assert_eq!(quantity(&text, 0), Ok(whole), "{}", text);
    }

    #[test]
    fn formatted_input_round_trips(number in prop_oneof![0_u64..100_000, any::<u64>()], places in prop::sample::select(vec![0_u32, 2, 3, 9])) {
        let text = typed(number, places);
        prop_assert_eq!(quantity(&text, places), Ok(number), "{}", text);
    }

    #[test]
    fn suggested_amounts_are_unambiguous(text in "[0-9]{1,4}[.,][0-9]{3}", code in prop::sample::select(vec!["usd", "jpy", "kwd"])) {
        if let Err(Misread::Ambiguous { grouped, decimal }) = of(code, &text) {
            prop_assert!(of(code, &grouped).is_ok(), "{}", grouped);
            prop_assert!(of(code, &decimal).is_ok(), "{}", decimal);
        }
    }

    #[test]
    fn any_text_parses_or_is_rejected(text in any::<String>(), digits in "[0-9., '$]{0,20}") {
        let _ = (usd(&text), amounts(&text, Currency::USD));
        // Digits are never dropped or added.
        if let Ok(cents) = usd(&digits) {
            let typed: String = digits.chars().filter(char::is_ascii_digit).collect();
            let read = cents.to_string();
            prop_assert!(cents == 0 || read.trim_end_matches('0') == typed.trim_start_matches('0').trim_end_matches('0'), "{} -> {}", digits, cents);
        }
    }
}
