//! The filters of the invoice list: all of them are in the URL, so that every view can be linked.

use super::local_path::percent_encode;
use crate::app::local_path::INVOICES;
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

/// The unparsed query string; an empty form field means the same as a missing one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceFilters {
    pub page: Option<String>,
    pub limit: Option<String>,
    pub status: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub q: Option<String>,
    pub sort: Option<String>,
}

impl InvoiceFilters {
    /// Parses a URL's query.
    pub fn read(query: &ParamsMap) -> InvoiceFilters {
        InvoiceFilters::from_fields(|name| query.get(name))
    }

    /// The value of each field.
    pub fn from_fields(value: impl Fn(&str) -> Option<String>) -> InvoiceFilters {
        let field = |name| value(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        InvoiceFilters {
            page: field("page"),
            limit: field("limit"),
            status: field("status"),
            from: field("from"),
            to: field("to"),
            q: field("q"),
            sort: field("sort"),
        }
    }

    /// Whether it filters, besides ordering and paging.
    pub fn narrow(&self) -> bool {
        self.status.is_some() || self.from.is_some() || self.to.is_some() || self.q.is_some()
    }

    /// The same list on another page.
    pub fn on_page(&self, page: u64) -> InvoiceFilters {
        InvoiceFilters { page: (page > 1).then(|| page.to_string()), ..self.clone() }
    }

    /// The same list with another status, from its first page.
    pub fn with_status(&self, status: Option<&str>) -> InvoiceFilters {
        InvoiceFilters { status: status.map(str::to_owned), page: None, ..self.clone() }
    }

    /// Everything, in the same order.
    pub fn cleared(&self) -> InvoiceFilters {
        InvoiceFilters { sort: self.sort.clone(), limit: self.limit.clone(), ..InvoiceFilters::default() }
    }

    /// URL of this list; unset filters are left out.
    pub fn href(&self) -> String {
        self.under(INVOICES)
    }

    /// URL of the CSV file of all matching invoices.
    pub fn file_href(&self) -> String {
        InvoiceFilters { limit: None, page: None, ..self.clone() }.under("/api/v1/billing/invoices.csv")
    }

    fn under(&self, path: &str) -> String {
        let fields = [
            ("status", &self.status),
            ("from", &self.from),
            ("to", &self.to),
            ("q", &self.q),
            ("sort", &self.sort),
            ("limit", &self.limit),
            ("page", &self.page),
        ];
        let query: Vec<String> =
            fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", percent_encode(value.as_deref()?)))).collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters() -> InvoiceFilters {
        InvoiceFilters { status: Some("open".into()), q: Some("INV 1&2".into()), page: Some("3".into()), ..InvoiceFilters::default() }
    }

    #[test]
    fn the_file_has_all_pages_of_the_same_list() {
        assert_eq!(filters().file_href(), "/api/v1/billing/invoices.csv?status=open&q=INV%201%262");
        assert_eq!(InvoiceFilters::default().file_href(), "/api/v1/billing/invoices.csv");
    }

    #[test]
    fn the_url_has_all_filters() {
        assert_eq!(filters().href(), "/billing/invoices?status=open&q=INV%201%262&page=3");
        assert_eq!(InvoiceFilters::default().href(), "/billing/invoices");
    }

    #[test]
    fn another_status_starts_at_the_first_page() {
        assert_eq!(filters().with_status(Some("paid")).href(), "/billing/invoices?status=paid&q=INV%201%262");
        assert_eq!(filters().with_status(None).on_page(1).href(), "/billing/invoices?q=INV%201%262");
    }

    #[test]
    fn empty_fields_do_not_narrow() {
        let query: ParamsMap = [("status", ""), ("q", "  "), ("sort", "total")].into_iter().collect();
        let read = InvoiceFilters::read(&query);
        assert_eq!(read, InvoiceFilters { sort: Some("total".into()), ..InvoiceFilters::default() });
        assert!(!read.narrow());
    }
}
