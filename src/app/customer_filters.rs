//! The filters of the customers' list: all of them are in the URL, so that every view can be
//! linked.

use super::local_path::percent_encode;
use crate::app::local_path::CUSTOMERS;
use serde::{Deserialize, Serialize};

/// The unparsed query string; an empty form field means the same as a missing one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerFilters {
    pub q: Option<String>,
    pub page: Option<String>,
    pub limit: Option<String>,
}

impl CustomerFilters {
    /// The value of each field.
    pub fn from_fields(value: impl Fn(&str) -> Option<String>) -> CustomerFilters {
        let field = |name| value(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        CustomerFilters { q: field("q"), page: field("page"), limit: field("limit") }
    }

    /// The same list on another page.
    pub fn on_page(&self, page: u64) -> CustomerFilters {
        CustomerFilters { page: (page > 1).then(|| page.to_string()), ..self.clone() }
    }

    /// URL of this list; unset filters are left out.
    pub fn href(&self) -> String {
        let fields = [("q", &self.q), ("limit", &self.limit), ("page", &self.page)];
        let query: Vec<String> =
            fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", percent_encode(value.as_deref()?)))).collect();
        if query.is_empty() { CUSTOMERS.to_owned() } else { format!("{CUSTOMERS}?{}", query.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_has_the_search_and_the_page() {
        let filters = CustomerFilters::from_fields(|name| (name == "q").then(|| " a & b ".to_owned()));
        assert_eq!(filters.href(), "/admin/customers?q=a%20%26%20b");
        assert_eq!(filters.on_page(2).href(), "/admin/customers?q=a%20%26%20b&page=2");
        assert_eq!(filters.on_page(1), filters);
        assert_eq!(CustomerFilters::default().href(), "/admin/customers");
    }
}
