//! Prepares dates and external text for printing.

/// Makes external text safe for one printed line: no line breaks, no invisible characters that
/// reorder or hide text, and at most `limit` characters (with an ellipsis if cut).
pub fn one_line(text: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    printable(&words.join(" "), limit)
}

/// Like [`one_line`], but with line breaks. Two or more empty lines become one.
pub fn paragraphs(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for line in text.trim().lines() {
        let line: Vec<&str> = line.split_whitespace().collect();
        if !(line.is_empty() && out.ends_with("\n\n")) {
            out.push_str(&line.join(" "));
            out.push('\n');
        }
    }
    printable(out.trim_end(), limit)
}

fn printable(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            out.push('…');
            break;
        }
        // Control characters and bidirectional overrides (Unicode Standard Annex 9, section 2)
        // become the replacement character.
        let c =
            if (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') { '\u{fffd}' } else { c };
        out.push(c);
    }
    out
}

/// Keeps a date, or each date of a period, on one line: `1 – 30 November 2026` doesn't break, and
/// `15 November – 14 December 2026` only before its dash.
pub fn unbroken(dates: &str) -> String {
    match dates.split_once(" – ").filter(|(first, _)| first.contains(char::is_alphabetic)) {
        Some((first, last)) => format!("{} – {}", first.replace(' ', "\u{a0}"), last.replace(' ', "\u{a0}")),
        None => dates.replace(' ', "\u{a0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_stay_on_one_line() {
        assert_eq!(unbroken("1 – 30 November 2026"), "1\u{a0}–\u{a0}30\u{a0}November\u{a0}2026");
        assert_eq!(unbroken("15. Nov. – 14. Dez. 2026"), "15.\u{a0}Nov. – 14.\u{a0}Dez.\u{a0}2026");
    }

    #[test]
    fn text_is_one_line_without_control_characters() {
        assert_eq!(one_line("  a\t\r\n b\u{0}c ", 100), "a b\u{fffd}c");
        assert_eq!(one_line("pay \u{202e}99.1$", 100), "pay \u{fffd}99.1$");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(paragraphs("one\r\n\r\n\r\n\r\ntwo \n", 100), "one\n\ntwo");
    }
}
