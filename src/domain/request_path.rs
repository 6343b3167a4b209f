//! Whether a request's path is in canonical form.

/// Longest segment in bytes after decoding: a file system's limit for names.
const MOST_SEGMENT_BYTES: usize = 255;

/// The form of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling<'a> {
    Canonical,
    /// Canonical except for one trailing slash; contains the path without it.
    SlashAtEnd(&'a str),
    /// Another parser could read a different path, or a segment is too long.
    Other,
}

/// Canonical means: one slash before each segment; no dot segments, encoded or not; no unnecessary
/// percent-encoding, and no encoded slash, backslash or control character (RFC 3986, sections 2.3,
/// 5.2.4 and 6.2.2).
pub fn spelling(path: &str) -> Spelling<'_> {
    if path == "/" || is_canonical(path) {
        return Spelling::Canonical;
    }
    match path.strip_suffix('/') {
        Some(rest) if is_canonical(rest) => Spelling::SlashAtEnd(rest),
        _ => Spelling::Other,
    }
}

fn is_canonical(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|segments| segments.split('/').all(is_canonical_segment))
}

fn is_canonical_segment(segment: &str) -> bool {
    let decoded_bytes = segment.len().saturating_sub(2 * segment.matches('%').count());
    !matches!(segment, "" | "." | "..")
        && decoded_bytes <= MOST_SEGMENT_BYTES
        && !segment.contains(|c: char| c == '\\' || c.is_control())
        && escapes(segment).all(|byte| byte.is_some_and(must_be_encoded))
}

/// The percent-encoded bytes; None for a `%` without two hexadecimal digits.
fn escapes(segment: &str) -> impl Iterator<Item = Option<u8>> {
    segment.split('%').skip(1).map(|rest| {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u8::from_str_radix(digits, 16).ok()
    })
}

/// Neither unreserved, nor a separator, nor a control character.
const fn must_be_encoded(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !byte.is_ascii_control() && !matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    #[test]
    fn our_own_paths_are_canonical() {
        for path in [
            "/",
            "/billing/usage",
            "/api/v1/billing/invoices.csv",
            "/api/v1/admin/webhooks/evt_1%2B2",
            "/billing/invoices/a%20b",
            "/pkg/apex_billing.wasm",
            "/%C3%BC",
            "/%FF",
        ] {
            assert_eq!(spelling(path), Spelling::Canonical, "{path}");
        }
    }

    #[test]
    fn other_spellings_are_not() {
        for path in [
            "",
            "*",
            "//",
            "//admin",
            "/admin//webhooks",
            "/./admin",
            "/a/../admin",
            "/%2e%2e/admin",
            "/%2E/admin",
            "/%61dmin",
            "/adm%69n",
            "/admin%2Fwebhooks",
            "/admin%2fwebhooks",
            "/admin\\webhooks",
            "/admin%5Cwebhooks",
            "/admin%00",
            "/admin%0a",
            "/%7Eadmin",
            "/%",
            "/%4",
            "/%zz",
            "/admin/%",
            "/admin//",
            "admin",
        ] {
            assert_eq!(spelling(path), Spelling::Other, "{path:?}");
        }
        assert_eq!(spelling("/admin/"), Spelling::SlashAtEnd("/admin"));
        assert_eq!(spelling(&format!("/{}", "a".repeat(255))), Spelling::Canonical);
        assert_eq!(spelling(&format!("/{}", "a".repeat(256))), Spelling::Other);
    }

    proptest! {
        #[test]
        fn a_canonical_path_decodes_to_itself_and_no_other(path in "[/%.a-f0-9~\\\\-]{0,24}") {
            if spelling(&path) == Spelling::Canonical {
                let decoded = percent_decode_str(&path).collect::<Vec<u8>>();
                let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
                prop_assert_eq!(slashes(&decoded), slashes(path.as_bytes()));
                let segments: Vec<&[u8]> = decoded.split(|byte| *byte == b'/').skip(1).collect();
                prop_assert!(path == "/" || segments.iter().all(|segment| !matches!(*segment, b"" | b"." | b"..")));
            }
        }
    }
}
