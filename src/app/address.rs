//! The URL of the request.

use leptos::prelude::*;
use percent_encoding::percent_decode_str;
use std::str::FromStr;

/// Path and query. The server provides it per request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub path: String,
    /// Path and query as requested.
    pub here: String,
    query: Vec<(String, String)>,
}

impl Address {
    /// `query`: without its question mark.
    pub fn new(path: &str, query: Option<&str>) -> Address {
        let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decoded(name), decoded(value)));
        let here = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        Address { path: path.to_owned(), here, query: pairs.collect() }
    }

    /// A parameter of the query; the last one of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as a value; None if it is absent or invalid.
    pub fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }
}

/// The URL of the request.
pub fn address() -> Address {
    use_context().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let address = Address::new("/billing/invoices", Some("q=a+b%26c&page=2&page=3&flag&&x=%FF"));
        assert_eq!(address.get("q"), Some("a b&c"));
        assert_eq!(address.parse::<u64>("page"), Some(3));
        assert_eq!((address.get("flag"), address.get("x"), address.get("none")), (Some(""), Some("\u{fffd}"), None));
        assert_eq!(address.here, "/billing/invoices?q=a+b%26c&page=2&page=3&flag&&x=%FF");
        assert_eq!(Address::new("/", None).here, "/");
    }
}
