//! Names of countries, and postal addresses as their country writes them. Source: Universal Postal
//! Union, "Postal addressing systems in member countries".

use super::countries::COUNTRIES;
use crate::domain::{address::Address, language::Language};

/// The name of a country by its ISO 3166-1 alpha-2 code. None: an unknown code.
pub fn country(language: Language, code: &str) -> Option<&'static str> {
    let code = code.trim().to_ascii_uppercase();
    let index = COUNTRIES.binary_search_by_key(&code.as_str(), |(known, _)| known).ok()?;
    Some(COUNTRIES[index].1[language as usize])
}

/// The lines of an address below the name, in the order of its country; the country is last, in the
/// reader's language. An unknown country is written as its code.
pub fn lines(language: Language, address: &Address) -> Vec<String> {
    let Address { line1, line2, city, state, postal_code, country: code } = address;
    let [city, state, postal_code] = [city, state, postal_code].map(|part| part.as_deref().unwrap_or_default());
    let code = code.as_deref().unwrap_or_default().to_ascii_uppercase();
    let streets = [line1, line2].into_iter().flatten().cloned();
    let locality = |parts: &[String]| parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>();
    let region = join(city, ", ", &join(state, " ", postal_code));
    let (before, after) = match code.as_str() {
        // Japanese addresses run from the largest part to the smallest.
        "JP" if [line1.as_deref().unwrap_or_default(), city, state].into_iter().any(is_ideographic) => {
            (locality(&[join("〒", "", postal_code).trim_end_matches('〒').to_owned(), format!("{state}{city}")]), Vec::new())
        }
        "US" | "PR" | "GU" | "VI" | "AS" | "MP" | "JP" | "CN" | "TW" | "KR" | "EG" | "AE" => (Vec::new(), locality(&[region])),
        "CA" | "AU" => (Vec::new(), locality(&[join(&join(city, " ", state), " ", postal_code)])),
        "GB" | "GG" | "JE" | "IM" | "IE" | "ZA" | "HK" => (Vec::new(), [city, state, postal_code].map(str::to_owned).to_vec()),
        "NZ" | "SG" | "TH" => (Vec::new(), locality(&[join(city, " ", postal_code), state.to_owned()])),
        "IN" => (Vec::new(), locality(&[join(city, " ", postal_code), state.to_owned()])),
        "BR" => (Vec::new(), locality(&[join(city, "-", state), postal_code.to_owned()])),
        "ES" | "PT" => (Vec::new(), locality(&[join(postal_code, " ", city), state.to_owned()])),
        "IT" => (Vec::new(), locality(&[join(&join(postal_code, " ", city), " ", state)])),
        // Most countries: the postal code comes before the city, as in `10115 Berlin`.
        _ => (Vec::new(), locality(&[join(&join(postal_code, " ", city), ", ", state)])),
    };
    let name = country(language, &code).map_or_else(|| code.clone(), str::to_owned);
    before.into_iter().chain(streets).chain(after).chain([name]).filter(|line| !line.is_empty()).collect()
}

/// Both parts, or the one that isn't empty.
fn join(first: &str, separator: &str, second: &str) -> String {
    let separator = if first.is_empty() || second.is_empty() { "" } else { separator };
    format!("{first}{separator}{second}")
}

/// Han, hiragana or katakana.
fn is_ideographic(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'))
}

#[cfg(test)]
mod tests {
    use super::{Language::*, *};
    use proptest::prelude::*;

    fn written(language: Language, [line1, city, state, postal_code, country]: [&str; 5]) -> Vec<String> {
        let part = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let address = Address {
            line1: part(line1),
            line2: None,
            city: part(city),
            state: part(state),
            postal_code: part(postal_code),
            country: part(country),
        };
        lines(language, &address)
    }

    #[test]
    fn addresses_follow_their_country() {
        let cases: [(Language, [&str; 5], &[&str]); 10] = [
            (
                English,
                ["1 Main Street", "San Francisco", "CA", "94105", "US"],
                &["1 Main Street", "San Francisco, CA 94105", "United States"],
            ),
            (French, ["1 Main Street", "San Francisco", "", "94105", "US"], &["1 Main Street", "San Francisco, 94105", "États-Unis"]),
            (German, ["Hauptstr. 1", "Berlin", "", "10115", "DE"], &["Hauptstr. 1", "10115 Berlin", "Deutschland"]),
            (English, ["1 rue X", "Paris", "", "75001", "fr"], &["1 rue X", "75001 Paris", "France"]),
            (English, ["10 High St", "London", "", "SW1A 1AA", "GB"], &["10 High St", "London", "SW1A 1AA", "United Kingdom"]),
            (
                English,
                ["1-1 Marunouchi", "Chiyoda-ku", "Tokyo", "100-0005", "JP"],
                &["1-1 Marunouchi", "Chiyoda-ku, Tokyo 100-0005", "Japan"],
            ),
            (German, ["丸の内1-1", "千代田区", "東京都", "100-0005", "JP"], &["〒100-0005", "東京都千代田区", "丸の内1-1", "Japan"]),
            (English, ["1 King St", "Toronto", "ON", "M5H 1A1", "CA"], &["1 King St", "Toronto ON M5H 1A1", "Canada"]),
            (English, ["Via X 1", "Roma", "RM", "00184", "IT"], &["Via X 1", "00184 Roma RM", "Italy"]),
            (English, ["", "", "", "", "ZZ"], &["ZZ"]),
        ];
        for (language, address, expected) in cases {
            assert_eq!(written(language, address), expected, "{address:?}");
        }
        assert!(written(English, ["", "", "", "", ""]).is_empty());
        assert_eq!(written(English, ["", "東京", "", "", "JP"]), ["東京", "Japan"]);
    }

    #[test]
    fn countries_are_sorted_and_named() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(COUNTRIES.iter().all(|(code, names)| code.len() == 2 && names.iter().all(|name| !name.is_empty())));
        assert_eq!(Language::ALL.map(|language| country(language, "de").unwrap()), ["Germany", "Deutschland", "Allemagne"]);
        assert_eq!(country(English, "XX"), None);
    }

    proptest! {
        #[test]
        fn every_part_of_an_address_is_written(
            street in "[A-Z]{1,8} [0-9]{1,3}", city in "[A-Z]{2,9}", state in "[A-Z]{2}", postal_code in "[0-9]{4,6}", index in 0..COUNTRIES.len()
        ) {
            for language in Language::ALL {
                let (code, names) = COUNTRIES[index];
                let written = written(language, [&street, &city, &state, &postal_code, code]);
                let all = written.join("\n");
                prop_assert!([&street, &city, &state, &postal_code].iter().all(|part| all.contains(part.as_str())), "{}", all);
                prop_assert_eq!(written.last().unwrap(), names[language as usize]);
            }
        }
    }
}
