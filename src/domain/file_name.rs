//! Names of files that browsers save: `Content-Disposition` (RFC 6266), with names beyond ASCII by
//! RFC 8187.

use std::fmt::Write;

/// File systems allow 255 bytes per name; a browser appends ` (1)` to a duplicate.
const MAX_BYTES: usize = 200;

/// `text` as part of a file name: lower case, letters and digits of any script, hyphens for
/// everything else.
///
/// Empty if the text has no letter or digit.
pub fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.split(is_separator).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// Space, punctuation and symbols. Combining marks are not separators: Hindi or Thai would break.
fn is_separator(c: char) -> bool {
    if c.is_alphanumeric() {
        return false;
    }
    c.is_ascii()
        || c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{80}'..='\u{bf}' | '×' | '÷' | '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' | '\u{fe10}'..='\u{fe6f}')
        || matches!(c, '\u{feff}'..='\u{ff65}' | '\u{ffe0}'..='\u{ffff}' | '\u{1f000}'..='\u{1faff}' | '\u{e0000}'..)
}

/// The value of `Content-Disposition` that saves a response under a name with extension.
///
/// Characters that file systems or shells misread are replaced. A non-ASCII name is sent twice (RFC
/// 6266, section 5): in `filename*` whole, and in `filename` for clients without `filename*`.
pub fn content_disposition(name: &str) -> String {
    let name = safe(name);
    // `%` is replaced too: some browsers decode it (RFC 6266, appendix D).
    let ascii: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{ascii}\"");
    if ascii != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if is_attr_char(byte) {
                value.push(char::from(byte));
            } else {
                // Writing to a string never fails.
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}

/// A name that every file system accepts and that displays unambiguously.
fn safe(name: &str) -> String {
    let shown = name.chars().filter(|c| !is_invisible(*c));
    let replaced: String =
        shown.map(|c| if c.is_control() || matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*') { '-' } else { c }).collect();
    // A leading dot hides a file; Windows drops dots and spaces at the end.
    let trimmed = replaced.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if trimmed.is_empty() {
        return "download".to_owned();
    }
    if trimmed.len() <= MAX_BYTES {
        return trimmed.to_owned();
    }
    let (stem, extension) = match trimmed.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 10 => (stem, format!(".{extension}")),
        _ => (trimmed, String::new()),
    };
    let end = stem.floor_char_boundary(MAX_BYTES - extension.len());
    format!("{}{extension}", &stem[..end])
}

/// Characters that change how others are displayed: an extension could look like another one.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// RFC 8187 section 3.2.1.
const fn is_attr_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_ascii_name_is_sent_once() {
        assert_eq!(content_disposition("usage-lumen.csv"), "attachment; filename=\"usage-lumen.csv\"");
    }

    #[test]
    fn other_names_are_sent_as_rfc_8187() {
        assert_eq!(
            content_disposition("№ 17/ÄÖ.pdf"),
            "attachment; filename=\"_ 17-__.pdf\"; filename*=UTF-8''%E2%84%96%2017-%C3%84%C3%96.pdf"
        );
        assert_eq!(content_disposition("10%.csv"), "attachment; filename=\"10_.csv\"; filename*=UTF-8''10%25.csv");
    }

    #[test]
    fn unsafe_characters_are_replaced() {
        assert_eq!(content_disposition("../../etc/passwd"), "attachment; filename=\"-..-etc-passwd\"");
        assert_eq!(content_disposition("a\"b\\c\r\nd:e.pdf"), "attachment; filename=\"a-b-c--d-e.pdf\"");
        assert_eq!(content_disposition("fdp\u{202e}exe.csv"), "attachment; filename=\"fdpexe.csv\"");
        assert_eq!(content_disposition(" . "), "attachment; filename=\"download\"");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let shown = content_disposition(&format!("{}.csv", "x".repeat(500)));
        assert_eq!(shown, format!("attachment; filename=\"{}.csv\"", "x".repeat(196)));
    }

    #[test]
    fn a_slug_is_words_with_hyphens() {
        for (text, expected) in [
            ("Lumen Games", "lumen-games"),
            ("  O'Neill & Söhne GmbH ", "o-neill-söhne-gmbh"),
            ("№ 17/ÄÖ", "17-äö"),
            ("株式会社 ルーメン", "株式会社-ルーメン"),
            ("हिन्दी सेवा", "हिन्दी-सेवा"),
            ("น้ำใจ 🎬", "น้ำใจ"),
            ("—", ""),
        ] {
            assert_eq!(slug(text), expected);
        }
    }

    fn decode(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(if byte == b'%' {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            } else {
                byte
            });
        }
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn any_name_is_one_header_value(name in any::<String>()) {
            let value = content_disposition(&name);
            prop_assert!(value.bytes().all(|b| (b' '..0x7f).contains(&b)), "{value}");
            let quoted = value.strip_prefix("attachment; filename=\"").unwrap();
            let (ascii, rest) = quoted.split_once('"').unwrap();
            prop_assert!(!ascii.is_empty() && !ascii.contains(['/', '\\', '%']));
            if !rest.is_empty() {
                let encoded = rest.strip_prefix("; filename*=UTF-8''").unwrap();
                let decoded = decode(encoded);
                prop_assert!(decoded.len() <= MAX_BYTES && !decoded.contains('/'));
                prop_assert!(!decoded.is_ascii() || decoded.contains('%'));
            }
        }

        #[test]
        fn slugs_are_idempotent(text in "\\PC{0,40}") {
            let once = slug(&text);
            prop_assert!(!once.starts_with('-') && !once.ends_with('-') && !once.contains("--"), "{once}");
            prop_assert_eq!(slug(&once), once);
        }
    }
}
