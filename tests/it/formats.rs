//! Formats by language, compared with ICU through Node's Intl. `scripts/cldr.mjs` writes the
//! fixture, which names the versions of ICU and CLDR.
//!
//! Deliberate differences:
//! - English dates are those of `en-GB`, except that September has three letters like every month.
//! - The spaces around the dash of a period are plain, not thin.
//! - Dollars of other countries, and other currencies without a symbol that readers everywhere
//!   know, are written as their code: CLDR writes `CA$`, `$CA`, `F CFA`.
//! - Compact quantities are rounded down and have three digits, and English thousands have a lower
//!   case `k`; German writes thousands in full with a separator.

use apex_billing::{
    domain::{language::Language, metric::Metric, money::Money, period::Period},
    text::{Plural, format},
};
use serde_json::Value;
use time::OffsetDateTime;

fn fixture() -> Value {
    serde_json::from_str(include_str!("formats/cldr.json")).unwrap()
}

/// Every row of a table, with its language.
fn rows(table: &str) -> Vec<(Language, Vec<Value>)> {
    let rows: Vec<_> = fixture()["cases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|of| {
            let language: Language = of["language"].as_str().unwrap().parse().unwrap();
            let rows = of[table].as_array().unwrap().clone();
            rows.into_iter().map(move |row| (language, row.as_array().unwrap().clone()))
        })
        .collect();
    assert!(rows.len() >= 9, "{table}: {}", rows.len());
    rows
}

fn instant(seconds: &Value) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds.as_i64().unwrap()).unwrap()
}

/// Compares ours with ICU's, and names every difference.
fn compare(found: impl IntoIterator<Item = (String, String)>) {
    let differences: Vec<_> = found.into_iter().filter(|(ours, icu)| ours != icu).collect();
    assert!(differences.is_empty(), "ours, ICU's: {differences:#?}");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn the_fixture_names_its_source() {
    let fixture = fixture();
    assert!(fixture["icu"].as_str().is_some_and(|version| version.starts_with(char::is_numeric)));
    assert!(fixture["cldr"].is_string() && fixture["node"].is_string());
}

#[test]
fn numbers_are_written_as_icu_does() {
    compare(rows("integers").into_iter().map(|(language, row)| (format::integer(language, row[0].as_u64().unwrap()), text(&row[1]))));
    compare(rows("percents").into_iter().map(|(language, row)| (format::percent(language, row[0].as_u64().unwrap()), text(&row[1]))));
}

#[test]
fn money_is_written_as_icu_does() {
    compare(rows("money").into_iter().map(|(language, row)| {
        let code = row[0].as_str().unwrap();
        let money = Money::new(row[1].as_i64().unwrap(), code.parse().unwrap());
        let upper = code.to_uppercase();
        let mut icu = text(&row[2]);
        // Written as their code.
        for symbol in ["CA$", "$CA", "F\u{202f}CFA", "F CFA", "CFA"] {
            if icu.contains(symbol) {
                let space = if language == Language::English && !icu.contains('\u{a0}') { "\u{a0}" } else { "" };
                icu = icu.replace(symbol, &format!("{upper}{space}"));
                break;
            }
        }
        (format::money(language, money), icu)
    }));
}

#[test]
fn dates_are_written_as_icu_does() {
    let short = |language: Language, text: String| if language == Language::English { text.replace("Sept", "Sep") } else { text };
    for (language, row) in rows("dates") {
        let at = instant(&row[0]);
        compare([
            (format::date(language, at), short(language, text(&row[1]))),
            (format::day_month(language, at), short(language, text(&row[2]))),
            (format::date_time(language, at), short(language, text(&row[3]))),
        ]);
    }
}

#[test]
fn periods_are_written_as_icu_does() {
    compare(rows("periods").into_iter().map(|(language, row)| {
        let period = Period::new(instant(&row[0]), instant(&row[1])).unwrap();
        let mut icu = text(&row[2]).replace('\u{2009}', " ");
        if language == Language::English && !icu.contains(" – ") {
            icu = icu.replace('–', " – ");
        }
        (format::period(language, &period), icu)
    }));
}

#[test]
fn distances_in_time_are_written_as_icu_does() {
    let now = OffsetDateTime::from_unix_timestamp(1_796_040_000).unwrap();
    compare(rows("relative").into_iter().map(|(language, row)| {
        let seconds = match row[0].as_str().unwrap() {
            "second" => 1,
            "minute" => 60,
            "hour" => 3_600,
            _ => 86_400,
        };
        let at = now + time::Duration::seconds(row[1].as_i64().unwrap() * seconds);
        (format::relative(language, at, now), text(&row[2]))
    }));
}

#[test]
fn quantities_are_written_as_icu_does() {
    compare(
        rows("compact")
            .into_iter()
            .map(|(language, row)| (format::compact(language, Metric::Impressions, row[0].as_u64().unwrap()), text(&row[1]))),
    );
    compare(rows("gigabytes").into_iter().map(|(language, row)| {
        let bytes = (row[0].as_f64().unwrap() * 1e9).round() as u64;
        (format::quantity(language, Metric::DataTransferBytes, bytes), text(&row[1]))
    }));
}

#[test]
fn plurals_follow_the_rules_of_cldr() {
    for (language, row) in rows("plurals") {
        let icu = if row[1] == "one" { Plural::One } else { Plural::Other };
        assert_eq!(Plural::of(language, row[0].as_u64().unwrap()), icu, "{language:?} {row:?}");
    }
}
