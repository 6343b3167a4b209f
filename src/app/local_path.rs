//! Paths of pages, and the check that a redirect after login stays on this site.

/// The page after login, unless another was requested.
pub const HOME: &str = "/billing/usage";

// Paths of the other pages.
pub const ACCOUNT: &str = "/account";
pub const AUDIT: &str = "/admin/audit";
pub const CUSTOMERS: &str = "/admin/customers";
pub const FEATURES: &str = "/admin/features";
pub const RECONCILIATION: &str = "/admin/reconciliation";
pub const WEBHOOKS: &str = "/admin/webhooks";
pub const INVOICES: &str = "/billing/invoices";
pub const SETTINGS: &str = "/billing/settings";

/// The path if it belongs to this site. Browsers read `//host` and `/\host` as another site, and
/// drop tabs and line breaks.
pub fn local_path(path: &str) -> Option<&str> {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.contains(char::is_control);
    local.then_some(path)
}

/// The path if it is of a staff page and has at most 2,000 bytes.
pub fn staff_path(path: &str) -> Option<&str> {
    local_path(path).filter(|path| path.starts_with("/admin/") && path.len() <= 2_000)
}

/// A form's redirect: always one of our paths.
pub fn next_path(next: &str) -> &str {
    local_path(next).unwrap_or(HOME)
}

/// URL of the login page that returns to the given path.
pub fn login_path(next: &str) -> String {
    format!("/login?next={}", percent_encode(next))
}

/// Percent-encodes a query value: all but the unreserved characters of RFC 3986.
pub fn percent_encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_pass() {
        for good in ["/", "/billing/usage", "/billing/invoices?status=open&page=2"] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in
            ["", "billing", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/a\nb"]
        {
            assert_eq!(local_path(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_staff_pages_are_returned_to() {
        assert_eq!(staff_path("/admin/customers?q=a"), Some("/admin/customers?q=a"));
        let long = format!("/admin/customers?q={}", "a".repeat(2_000));
        for bad in ["/billing/usage", "//evil.example/admin/", "https://evil.example/admin/", "/admin/\n", &long] {
            assert_eq!(staff_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn queries_are_encoded_within_queries() {
        assert_eq!(login_path("/billing/invoices?q=a b&page=2"), "/login?next=/billing/invoices%3Fq%3Da%20b%26page%3D2");
        assert_eq!(percent_encode("ü"), "%C3%BC");
    }
}
