//! Quantities of metrics with their unit.

use super::{NBSP, NNBSP, decimal_separator, integer};
use crate::domain::{
    language::Language,
    metric::{BYTES_PER_GB, Metric, Unit},
};

/// A quantity as people read it, with its unit: `12,345`, `37.25 GB`. GB have at most two decimals,
/// rounded half up.
pub fn quantity(language: Language, metric: Metric, quantity: u64) -> String {
    match metric.unit() {
        Unit::Count => integer(language, quantity),
        Unit::Bytes => {
            let hundredths = (u128::from(quantity) + u128::from(BYTES_PER_GB / 200)) / u128::from(BYTES_PER_GB / 100);
            let whole = u64::try_from(hundredths / 100).unwrap_or(u64::MAX);
            let number = with_decimals(language, whole, hundredths % 100, 2);
            format!("{number}{}{}", unit_space(language), bytes_unit(language))
        }
    }
}

/// The unit that people read for bytes.
pub const fn bytes_unit(language: Language) -> &'static str {
    match language {
        Language::English | Language::German => "GB",
        Language::French => "Go",
    }
}

const fn unit_space(language: Language) -> &'static str {
    match language {
        Language::English => " ",
        Language::German => NBSP,
        Language::French => NNBSP,
    }
}

/// A whole number with decimals; zeros at the end are left out.
fn with_decimals(language: Language, whole: u64, fraction: u128, decimals: usize) -> String {
    let whole = integer(language, whole);
    match fraction {
        0 => whole,
        fraction => format!("{whole}{}{}", decimal_separator(language), format!("{fraction:0decimals$}").trim_end_matches('0')),
    }
}

/// A quantity in few characters, for axes: `1.5M`, `20k`, `2.5 GB`; `1,5 Mio.`; `1,5 M`, `2,5 Go`.
pub fn compact(language: Language, metric: Metric, quantity: u64) -> String {
    const SIZES: [u64; 4] = [1_000_000_000_000, 1_000_000_000, 1_000_000, 1_000];
    let units: [&str; 4] = match (metric.unit(), language) {
        (Unit::Count, Language::English) => ["T", "B", "M", "k"],
        // German doesn't abbreviate thousands.
        (Unit::Count, Language::German) => ["Bio.", "Mrd.", "Mio.", ""],
        (Unit::Count, Language::French) => ["Bn", "Md", "M", "k"],
        (Unit::Bytes, Language::English | Language::German) => ["TB", "GB", "MB", "kB"],
        (Unit::Bytes, Language::French) => ["To", "Go", "Mo", "ko"],
    };
    let space = match (metric.unit(), language) {
        (Unit::Bytes, language) => unit_space(language),
        (Unit::Count, Language::English) => "",
        (Unit::Count, _) => NBSP,
    };
    let found = SIZES.into_iter().zip(units).find(|(size, unit)| quantity >= *size && !unit.is_empty());
    let Some((size, unit)) = found else {
        let number = integer(language, quantity);
        return match metric.unit() {
            Unit::Bytes if quantity > 0 => format!("{number}{space}{}", if language == Language::French { "o" } else { "B" }),
            _ => number,
        };
    };
    // Three digits say enough: 1.05M, 16.2M, 178M.
    let decimals = match quantity / size {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let scale = 10u128.pow(decimals);
    let scaled = u128::from(quantity) * scale / u128::from(size);
    let whole = u64::try_from(scaled / scale).unwrap_or(u64::MAX);
    format!("{}{space}{unit}", with_decimals(language, whole, scaled % scale, decimals as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_their_unit() {
        let written = |metric, number| Language::ALL.map(|language| quantity(language, metric, number));
        assert_eq!(written(Metric::ApiCalls, 1_500), ["1,500", "1.500", "1\u{202f}500"]);
        assert_eq!(written(Metric::DataTransferBytes, 1_234_560_000_000), ["1,234.56 GB", "1.234,56\u{a0}GB", "1\u{202f}234,56\u{202f}Go"]);
        let english = |bytes| quantity(Language::English, Metric::DataTransferBytes, bytes);
        assert_eq!([english(1_500_000_000), english(999_999_999), english(0)], ["1.5 GB", "1 GB", "0 GB"]);
        assert_eq!(english(u64::MAX), "18,446,744,073.71 GB");
    }

    #[test]
    fn axes_read_at_a_glance() {
        let english = |metric, quantity| compact(Language::English, metric, quantity);
        assert_eq!(english(Metric::Impressions, 1_500_000), "1.5M");
        assert_eq!(english(Metric::ApiCalls, 20_000), "20k");
        assert_eq!(english(Metric::ApiCalls, 1_055_600), "1.05M");
        assert_eq!(english(Metric::Impressions, 178_412_345), "178M");
        assert_eq!(english(Metric::ApiCalls, 950), "950");
        assert_eq!(english(Metric::DataTransferBytes, 2_500_000_000), "2.5 GB");
        assert_eq!(english(Metric::DataTransferBytes, 0), "0");
        assert_eq!(english(Metric::DataTransferBytes, 12), "12 B");
        assert_eq!(compact(Language::German, Metric::ApiCalls, 20_000), "20.000");
        assert_eq!(compact(Language::German, Metric::ApiCalls, 1_500_000), "1,5\u{a0}Mio.");
        assert_eq!(compact(Language::French, Metric::ApiCalls, 20_000), "20\u{a0}k");
        assert_eq!(compact(Language::French, Metric::DataTransferBytes, 2_500_000_000), "2,5\u{202f}Go");
    }
}
