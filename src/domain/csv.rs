//! CSV files (RFC 4180) that people open in a spreadsheet. The `csv` crate writes them. It has no
//! protection against formulas, so that part is ours.

use std::borrow::Cow;

/// Byte order mark: without it spreadsheets read the file in the system's code page. Some JSON
/// clients send one too.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Escapes text for a field: text that a spreadsheet would run as a formula gets a leading
/// apostrophe (OWASP, "CSV Injection"). Not for numbers: a negative number is not a formula.
pub fn text(text: &str) -> Cow<'_, str> {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r', '\n']);
    if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Rows of `N` fields as text, each ended by CRLF.
///
/// # Errors
/// None in practice: the rows have the same length, and writing to memory succeeds.
pub fn rows<const N: usize, F: AsRef<[u8]>>(rows: impl IntoIterator<Item = [F; N]>) -> std::io::Result<String> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        // Some spreadsheets also separate by semicolons; the `csv` crate quotes its comment
        // character.
        .comment(Some(b';'))
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(std::io::Error::other)?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_is_unchanged() {
        for plain in ["", "app_42", "com.example.game", "日本語", "3-2", "a b"] {
            assert_eq!(text(plain), plain);
            assert_eq!(rows([["1", plain, "2"]]).unwrap(), format!("1,{plain},2\r\n"));
        }
    }

    #[test]
    fn separators_and_quotes_are_quoted() {
        assert_eq!(rows([[r#"a,"b""#, "two\nlines", "a; b"]]).unwrap(), "\"a,\"\"b\"\"\",\"two\nlines\",\"a; b\"\r\n");
    }

    #[test]
    fn formulas_begin_with_an_apostrophe() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert!(text(formula).starts_with('\''), "{formula}");
        }
    }

    proptest! {
        #[test]
        fn fields_are_read_back_as_written(table in prop::collection::vec(prop::array::uniform3("\\PC*|[,;\"\r\n\t =]{0,6}"), 0..6)) {
            let written = rows(table.clone()).unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(written.as_bytes());
            let read: Vec<[String; 3]> = reader.deserialize().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(read, table);
        }
    }
}
