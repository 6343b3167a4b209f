//! Formats JSON for people; names, numbers and order are unchanged.

use serde::de::IgnoredAny;

/// Deeper levels are not indented further, to limit the size.
const MOST_INDENT: usize = 16;

/// Larger documents are unchanged.
const MOST_BYTES: usize = 64 * 1024;

/// One value per line, indented; invalid JSON is unchanged.
pub fn lay_out(text: &str) -> String {
    let text = text.trim();
    if text.len() > MOST_BYTES || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut after_opening = false;
    for c in text.chars() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let closing = matches!(c, '}' | ']');
        depth = if closing { depth.saturating_sub(1) } else { depth };
        // `{}` and `[]` stay together.
        if closing != after_opening {
            break_line(&mut out, depth);
        }
        after_opening = matches!(c, '{' | '[');
        out.push(c);
        match c {
            '{' | '[' => depth += 1,
            ',' => break_line(&mut out, depth),
            ':' => out.push(' '),
            '"' => in_string = true,
            _ => {}
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(MOST_INDENT)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_without_changing_content() {
        let text = r#" {"b":[1,{"x":1e400}],"a":{},"s":"a, {\"b\": [\\","e":[ ]} "#;
        let expected = "{\n  \"b\": [\n    1,\n    {\n      \"x\": 1e400\n    }\n  ],\n  \"a\": {},\n  \"s\": \"a, {\\\"b\\\": [\\\\\",\n  \"e\": []\n}";
        assert_eq!(lay_out(text), expected);
        for same in ["", "7", "[]", "nonsense { here", "{\"a\":"] {
            assert_eq!(lay_out(same), same);
        }
    }
}
