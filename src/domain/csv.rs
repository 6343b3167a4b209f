//! Text in a CSV file (RFC 4180) for spreadsheets.

use std::borrow::Cow;

/// Byte order mark: without it spreadsheets don't read the file as UTF-8. Some JSON clients send
/// one too.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One field. Text that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, "CSV
/// Injection").
pub fn field(text: &str) -> Cow<'_, str> {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r', '\n']);
    let safe = if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if safe.contains(['"', ',', ';', '\r', '\n', '\t']) { Cow::Owned(format!("\"{}\"", safe.replace('"', "\"\""))) } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_unchanged() {
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
    fn formulas_are_escaped() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            let cell = field(text);
            assert!(cell.trim_start_matches('"').starts_with('\''), "{cell}");
        }
    }
}
