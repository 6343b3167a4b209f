//! External links: text that a browser may only follow if it is an absolute https URL.

/// Longest accepted link.
const MOST_BYTES: usize = 2_048;

/// The link if it is an absolute `https` URL with a host and without user information (RFC 3986,
/// section 3.2), in visible ASCII. Everything else is rejected: `javascript:`, `data:`, `http:`,
/// relative references, and URLs that browsers parse differently.
pub fn https_link(text: &str) -> Option<&str> {
    let scheme = text.get(..8)?;
    let rest = text.get(8..)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host =
        authority.rsplit_once(':').map_or(authority, |(host, port)| if port.bytes().all(|b| b.is_ascii_digit()) { host } else { "" });
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let is_visible =
        text.len() <= MOST_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    (scheme.eq_ignore_ascii_case("https://") && is_host && is_visible).then_some(text)
}

/// The same for an optional value.
pub fn https_only(link: Option<String>) -> Option<String> {
    link.filter(|text| https_link(text).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stripe_urls_pass() {
        for link in [
            "https://invoice.stripe.com/i/acct_1/live_YWNjdF8?s=ap",
            "https://pay.stripe.com/receipts/payment/CAcaF%2Fx#part",
            "HTTPS://pay.example.com:8443/a",
        ] {
            assert_eq!(https_link(link), Some(link));
        }
    }

    #[test]
    fn other_schemes_and_spellings_are_rejected() {
        for text in [
            "",
            "https://",
            "https:///path",
            "https:/invoice.stripe.com",
            "http://invoice.stripe.com",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " https://a.example",
            "https://a.example\n",
            "java\tscript:x",
            "data:text/html,x",
            "//a.example",
            "/path",
            "vbscript:x",
            "file:///etc/passwd",
            "https://user@evil.example",
            "https://a.example:pw@evil.example",
            "https:\\\\a.example",
            "https://a.example\\@b.example",
            "https://a.example/\"onclick=\"x",
            "https://a.example/<b>",
            "https://ä.example",
        ] {
            assert_eq!(https_link(text), None, "{text:?}");
        }
        assert_eq!(https_link(&format!("https://a.example/{}", "x".repeat(MOST_BYTES))), None);
    }

    proptest! {
        #[test]
        fn accepted_links_start_with_https_and_a_host(text in "\\PC{0,40}|https://\\PC{0,40}") {
            if let Some(link) = https_link(&text) {
                prop_assert!(link[..8].eq_ignore_ascii_case("https://"));
                prop_assert!(link.as_bytes()[8].is_ascii_alphanumeric() || matches!(link.as_bytes()[8], b'-' | b'.'));
            }
        }
    }
}
