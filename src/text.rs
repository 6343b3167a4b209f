//! Every text that people read, in every language, and how values are written in it.
//!
//! A text is a function that takes the language. `texts!` makes the functions from tables, one
//! file for each area, and requires every language: a missing text doesn't compile.
//!
//! ```
//! use apex_billing::{domain::language::Language, text::usage as words};
//! assert_eq!(words::title(Language::German), "Nutzung");
//! ```

#[macro_use]
mod texts;

pub mod account;
pub mod address;
pub mod common;
mod countries;
pub mod document;
pub mod format;
pub mod invoices;
pub mod login;
pub mod mail;
pub mod navigation;
pub mod problems;
pub mod settings;
pub mod staff;
pub mod usage;

use crate::domain::{language::Language, money::Money};
use std::fmt::Display;

/// A text without arguments.
pub type Text = fn(Language) -> &'static str;

/// The grammatical number of a counted noun (CLDR "Language Plural Rules", cardinal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plural {
    One,
    Other,
}

impl Plural {
    /// English and German: one is 1. French: one is 0 and 1. The rule `many` of French is for
    /// compact numbers and whole millions; none of our nouns differs in it.
    pub const fn of(language: Language, count: u64) -> Plural {
        match (language, count) {
            (_, 1) | (Language::French, 0) => Plural::One,
            _ => Plural::Other,
        }
    }
}

/// A value in a text, written in the text's language.
pub trait Argument {
    fn written(self, language: Language) -> impl Display;
}

impl Argument for &str {
    fn written(self, _: Language) -> impl Display {
        self
    }
}

impl Argument for String {
    fn written(self, _: Language) -> impl Display {
        self
    }
}

impl Argument for u64 {
    fn written(self, language: Language) -> impl Display {
        format::integer(language, self)
    }
}

impl Argument for Money {
    fn written(self, language: Language) -> impl Display {
        format::money(language, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    texts! {
        fixed { en: "Save", de: "Speichern", fr: "Enregistrer" }
        sum(amount: Money, days: u64) { en: "{amount} in {days}", de: "{amount} nach {days}", fr: "{amount} après {days}" }
        /// Counted by the first argument.
        events(count: u64, place: &str) {
            en: { one: "{count} event at {place}", other: "{count} events at {place}" },
            de: { one: "{count} Ereignis bei {place}", other: "{count} Ereignisse bei {place}" },
            fr: { one: "{count} événement à {place}", other: "{count} événements à {place}" },
        }
    }

    #[test]
    fn nouns_follow_the_plural_rules() {
        let written = |count| Language::ALL.map(|language| events(language, count, "Kiel"));
        assert_eq!(written(0), ["0 events at Kiel", "0 Ereignisse bei Kiel", "0 événement à Kiel"]);
        assert_eq!(written(1), ["1 event at Kiel", "1 Ereignis bei Kiel", "1 événement à Kiel"]);
        assert_eq!(written(1_234), ["1,234 events at Kiel", "1.234 Ereignisse bei Kiel", "1\u{202f}234 événements à Kiel"]);
    }

    #[test]
    fn values_are_written_in_the_texts_language() {
        let amount = Money::new(123_456, "usd".parse().unwrap());
        let written = Language::ALL.map(|language| sum(language, amount, 1_000));
        assert_eq!(written, ["$1,234.56 in 1,000", "1.234,56\u{a0}$ nach 1.000", "1\u{202f}234,56\u{a0}$US après 1\u{202f}000"]);
        assert_eq!(fixed(Language::French), "Enregistrer");
    }

    #[test]
    fn lost_placeholders_and_empty_texts_are_found() {
        let found = |en, de, fr| texts::faults(&[("text", [&[en], &[de], &[fr]])]).len();
        assert_eq!(found("{a} of {b}", "{a} von {b}", "{b} sur {a}"), 0);
        assert_eq!(found("{a} of {b}", "{a} von b", "{a} sur {b}"), 1);
        assert_eq!(found("Save", "", " Enregistrer"), 2);
        assert_eq!(found("Sure?", "Sicher?", "Certain ?"), 1);
        assert_eq!(found("Sure?", "Sicher?", "Certain\u{202f}?"), 0);
    }
}
