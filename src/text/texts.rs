//! The macro that makes functions of a table of texts, and what is checked of each table.

/// Makes one function for each text. Every language is required.
///
/// - `save { en: "Save", de: "Speichern", fr: "Enregistrer" }` makes
///   `fn save(language: Language) -> &'static str`.
/// - `due(amount: Money) { en: "{amount} due", … }` makes
///   `fn due(language: Language, amount: Money) -> String`. The types of arguments are those that
///   implement [`Argument`](super::Argument); numbers and money are written as the language does.
/// - `days(count: u64) { en: { one: "{count} day", other: "{count} days" }, … }` chooses by the
///   first argument, which is a `u64`.
///
/// In French texts, a no-break space comes before a colon (`\u{a0}:`) and a narrow one before
/// `;`, `!` and `?` (`\u{202f}?`).
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $(($($arguments:tt)*))? { en: $en:tt, de: $de:tt, fr: $fr:tt $(,)? })+) => {
        $(texts!(@one [$(#[$doc])*] $name [$($($arguments)*)?] $en $de $fr);)+

        #[cfg(test)]
        mod table {
            #[test]
            fn every_language_has_every_text() {
                let faults = $crate::text::texts::faults(&[
                    $((stringify!($name), [texts!(@literals $en), texts!(@literals $de), texts!(@literals $fr)]),)+
                ]);
                assert!(faults.is_empty(), "{faults:#?}");
            }
        }
    };

    // A text without arguments.
    (@one [$($doc:tt)*] $name:ident [] $en:literal $de:literal $fr:literal) => {
        $($doc)*
        pub const fn $name(language: $crate::domain::language::Language) -> &'static str {
            match language {
                $crate::domain::language::Language::English => $en,
                $crate::domain::language::Language::German => $de,
                $crate::domain::language::Language::French => $fr,
            }
        }
    };

    // A counted noun.
    (@one [$($doc:tt)*] $name:ident [$count:ident: u64 $(, $argument:ident: $type:ty)* $(,)?]
        { one: $en_one:literal, other: $en:literal $(,)? }
        { one: $de_one:literal, other: $de:literal $(,)? }
        { one: $fr_one:literal, other: $fr:literal $(,)? }
    ) => {
        $($doc)*
        pub fn $name(language: $crate::domain::language::Language, $count: u64 $(, $argument: $type)*) -> String {
            use $crate::{domain::language::Language, text::{Argument, Plural}};
            let plural = Plural::of(language, $count);
            let $count = Argument::written($count, language);
            $(let $argument = Argument::written($argument, language);)*
            match (language, plural) {
                (Language::English, Plural::One) => format!($en_one),
                (Language::English, Plural::Other) => format!($en),
                (Language::German, Plural::One) => format!($de_one),
                (Language::German, Plural::Other) => format!($de),
                (Language::French, Plural::One) => format!($fr_one),
                (Language::French, Plural::Other) => format!($fr),
            }
        }
    };

    // A text with arguments.
    (@one [$($doc:tt)*] $name:ident [$($argument:ident: $type:ty),+ $(,)?] $en:literal $de:literal $fr:literal) => {
        $($doc)*
        pub fn $name(language: $crate::domain::language::Language, $($argument: $type),+) -> String {
            use $crate::{domain::language::Language, text::Argument};
            $(let $argument = Argument::written($argument, language);)+
            match language {
                Language::English => format!($en),
                Language::German => format!($de),
                Language::French => format!($fr),
            }
        }
    };

    (@literals { one: $one:literal, other: $other:literal $(,)? }) => { &[$one, $other] };
    (@literals $text:literal) => { &[$text] };
}

/// A text's name and its forms in each language.
#[cfg(test)]
pub(crate) type Row<'a> = (&'a str, [&'a [&'a str]; 3]);

/// What is wrong with a table: empty texts, placeholders that a language lacks, spaces at the ends,
/// and French punctuation after a space that lines break at.
#[cfg(test)]
pub(crate) fn faults(table: &[Row]) -> Vec<String> {
    let placeholders = |text: &str| {
        let names = text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.split(':').next()?.to_owned()));
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let mut faults = Vec::new();
    for (name, forms) in table {
        let expected = placeholders(forms[0].last().copied().unwrap_or_default());
        for (language, text) in forms.iter().enumerate().flat_map(|(language, forms)| forms.iter().map(move |text| (language, text))) {
            if text.trim() != *text || text.is_empty() {
                faults.push(format!("{name}: `{text}` is empty or has spaces at its ends"));
            } else if placeholders(text) != expected {
                faults.push(format!("{name}: `{text}` has other placeholders than the English text"));
            } else if language == 2 && [" :", " ;", " !", " ?", " »", "« "].iter().any(|wrong| text.contains(wrong)) {
                faults.push(format!("{name}: `{text}` lacks a no-break space at its punctuation"));
            }
        }
    }
    faults
}
