//! Addresses of pages, and the check that a redirect after signing in stays on this site.

/// The page after signing in, unless another was requested.
pub const HOME: &str = "/billing/usage";

// Addresses of the other pages.
pub const ACCOUNT: &str = "/account";
pub const AUDIT: &str = "/admin/audit";
pub const CUSTOMERS: &str = "/admin/customers";
pub const FEATURES: &str = "/admin/features";
pub const RECONCILIATION: &str = "/admin/reconciliation";
pub const WEBHOOKS: &str = "/admin/webhooks";
pub const INVOICES: &str = "/billing/invoices";
pub const SETTINGS: &str = "/billing/settings";

/// The path when it is one of this site. Browsers read `//host` and `/\host` as another site, and drop tabs and line breaks.
pub fn local_path(path: &str) -> Option<&str> {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.contains(char::is_control);
    local.then_some(path)
}

/// Where a form leads: to a path of ours, whatever it names.
pub fn next_path(next: &str) -> &str {
    local_path(next).unwrap_or(HOME)
}

/// Address of the login page that comes back to the given path.
pub fn login_path(next: &str) -> String {
    format!("/login?next={}", percent_encode(next))
}

/// Encodes a value for a query string: all but the unreserved characters of RFC 3986.
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
    fn a_query_survives_in_a_query() {
        assert_eq!(login_path("/billing/invoices?q=a b&page=2"), "/login?next=/billing/invoices%3Fq%3Da%20b%26page%3D2");
        assert_eq!(percent_encode("ü"), "%C3%BC");
    }
}
