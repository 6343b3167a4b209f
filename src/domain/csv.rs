//! Text in a CSV file (RFC 4180) that people open in a spreadsheet.

use std::borrow::Cow;

/// Begins a file, or spreadsheets read its UTF-8 as something else. Programs that send JSON begin with it too, sometimes.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One field. Text that a spreadsheet would run as a formula begins with an apostrophe, as OWASP's page on CSV injection advises.
pub fn field(text: &str) -> Cow<'_, str> {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r', '\n']);
    let safe = if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if safe.contains(['"', ',', ';', '\r', '\n', '\t']) { Cow::Owned(format!("\"{}\"", safe.replace('"', "\"\""))) } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["", "app_42", "com.example.game", "日本語", "3-2", "a b"] {
            assert_eq!(field(text), text);
        }
    }

    #[test]
    fn separators_and_quotes_are_quoted() {
        assert_eq!(field(r#"a,"b""#), r#""a,""b""""#);
        assert_eq!(field("two\nlines"), "\"two\nlines\"");
    }

    #[test]
    fn nothing_runs_as_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            let cell = field(text);
            assert!(cell.trim_start_matches('"').starts_with('\''), "{cell}");
        }
    }
}
