//! The languages of the console, of mails and of documents, and which of them a reader gets.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A language that every text exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "de")]
    German,
    #[serde(rename = "fr")]
    French,
}

/// A text in every language.
#[derive(Debug)]
pub struct Translated {
    pub en: &'static str,
    pub de: &'static str,
    pub fr: &'static str,
}

impl Translated {
    pub const fn of(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::German => self.de,
            Language::French => self.fr,
        }
    }
}

/// Bytes of an `Accept-Language` header that are read. Browsers send fewer than 100.
const HEADER_BYTES: usize = 1_024;

/// Language ranges of an `Accept-Language` header that are read.
const HEADER_RANGES: usize = 32;

impl Language {
    /// All languages, in the order of forms.
    pub const ALL: [Language; 3] = [Language::English, Language::German, Language::French];

    /// The language subtag, as stored, in forms and in `lang` attributes.
    pub const fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::French => "fr",
        }
    }

    /// The language's name in itself.
    pub const fn native_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "Deutsch",
            Language::French => "Français",
        }
    }

    /// The language of a BCP 47 tag by lookup (RFC 4647 section 3.4): `de-AT` is German. Also takes
    /// the underscore that some systems write in place of the hyphen.
    pub fn of_tag(tag: &str) -> Option<Language> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Language::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The language that an `Accept-Language` header prefers (RFC 9110 section 12.5.4). None: it
    /// accepts no language of ours. Invalid ranges are skipped.
    pub fn negotiate(accept_language: &str) -> Option<Language> {
        let end = (0..=HEADER_BYTES.min(accept_language.len())).rev().find(|end| accept_language.is_char_boundary(*end))?;
        let mut weights: [Option<u16>; Language::ALL.len()] = [None; Language::ALL.len()];
        let mut positions = [usize::MAX; Language::ALL.len()];
        let mut any: Option<(u16, usize)> = None;
        for (position, range) in accept_language[..end].split(',').take(HEADER_RANGES).enumerate() {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let Some(weight) = parts.next().map_or(Some(1_000), weight) else { continue };
            if tag == "*" {
                any = any.or(Some((weight, position)));
            } else if let Some(language) = Language::of_tag(tag) {
                let index = language as usize;
                if weights[index].is_none_or(|known| weight > known) {
                    (weights[index], positions[index]) = (Some(weight), position);
                }
            }
        }
        // The wildcard matches languages that no other range matches.
        for (index, known) in weights.iter_mut().enumerate() {
            if let (None, Some((weight, position))) = (*known, any) {
                (*known, positions[index]) = (Some(weight), position);
            }
        }
        let accepted = Language::ALL.into_iter().filter(|language| weights[*language as usize].is_some_and(|weight| weight > 0));
        accepted.min_by_key(|language| {
            let index = *language as usize;
            (std::cmp::Reverse(weights[index]), positions[index], index)
        })
    }

    /// The language of a reader: the person's own setting, else the first known language among
    /// the customer's preferred locales at Stripe, else the browser's, else English.
    pub fn choose<'a>(
        person: Option<Language>,
        preferred_locales: impl IntoIterator<Item = &'a str>,
        accept_language: Option<&str>,
    ) -> Language {
        person
            .or_else(|| preferred_locales.into_iter().find_map(Language::of_tag))
            .or_else(|| Language::negotiate(accept_language?))
            .unwrap_or_default()
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Language::ALL.into_iter().find(|language| language.code() == s).ok_or_else(|| {
            let known = Language::ALL.map(Language::code).join(", ");
            format!("`{s}` is not a language; it is one of {known}")
        })
    }
}

/// A quality value in thousandths: `q=0.8` is 800 (RFC 9110 section 12.4.2). None: invalid.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let value = value.trim();
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Language::*, *};
    use proptest::prelude::*;

    #[test]
    fn tags_are_matched_by_their_language() {
        for (tag, language) in [("de", German), ("de-AT", German), ("DE_ch", German), ("fr-CA", French), ("en-GB-oxendict", English)] {
            assert_eq!(Language::of_tag(tag), Some(language), "{tag}");
        }
        for tag in ["", "-", "deu", "es", "*", "d", "de1"] {
            assert_eq!(Language::of_tag(tag), None, "{tag}");
        }
    }

    #[test]
    fn the_highest_weight_is_preferred() {
        for (header, language) in [
            ("de-DE,de;q=0.9,en;q=0.8", Some(German)),
            ("en;q=0.5, fr;q=0.7", Some(French)),
            ("fr, de", Some(French)),
            ("es, de;q=0.3", Some(German)),
            ("es", None),
            ("", None),
            ("*", Some(English)),
            ("en;q=0, *", Some(German)),
            ("en;q=0", None),
            ("de;q=0.1, *;q=0.5", Some(English)),
            ("fr;q=0.4, de;q=0.400", Some(French)),
            ("de; q=0.2 , en ;q=0.1", Some(German)),
            // Invalid weights.
            ("de;q=2, fr;q=0.1", Some(French)),
            ("de;q=0.1234, de;x=1, fr;q=.5, en;q=", None),
        ] {
            assert_eq!(Language::negotiate(header), language, "{header}");
        }
    }

    #[test]
    fn only_the_beginning_of_a_header_is_read() {
        assert_eq!(Language::negotiate(&format!("{}de", "x,".repeat(HEADER_RANGES))), None);
        assert_eq!(Language::negotiate(&format!("{},de", "é".repeat(HEADER_BYTES))), None);
    }

    #[test]
    fn a_persons_setting_comes_first() {
        let choose = |person, locales: &[&str], browser| Language::choose(person, locales.iter().copied(), browser);
        assert_eq!(choose(Some(French), &["de"], Some("en")), French);
        assert_eq!(choose(None, &["ja", "de-CH"], Some("fr")), German);
        assert_eq!(choose(None, &["ja"], Some("fr")), French);
        assert_eq!(choose(None, &[], Some("ja")), English);
        assert_eq!(choose(None, &[], None), English);
    }

    #[test]
    fn codes_are_the_names_in_json_and_forms() {
        for language in Language::ALL {
            assert_eq!(serde_json::to_value(language).unwrap(), language.code());
            assert_eq!(language.code().parse(), Ok(language));
        }
        assert_eq!("es".parse::<Language>().unwrap_err(), "`es` is not a language; it is one of en, de, fr");
    }

    proptest! {
        #[test]
        fn no_header_or_tag_panics(text in any::<String>()) {
            let _ = (Language::negotiate(&text), Language::of_tag(&text), text.parse::<Language>());
        }

        #[test]
        fn no_header_of_ranges_panics(text in "([a-z*é]{0,3}(-[A-Z]{2})?( ?;q=[01.]{0,6})?,){0,40}") {
            let _ = Language::negotiate(&text);
        }

        #[test]
        fn a_single_acceptable_language_is_found(index in 0..3usize, region in "(-[A-Z]{2})?", weight in 1..=1000u16) {
            let language = Language::ALL[index];
            let header = format!("xx, {}{region};q={}.{:03}", language.code(), weight / 1000, weight % 1000);
            prop_assert_eq!(Language::negotiate(&header), Some(language));
        }
    }
}
