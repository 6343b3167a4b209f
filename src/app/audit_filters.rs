//! The audit log's filters: all of them are in the URL, so that every view can be linked.

use super::local_path::percent_encode;
use crate::app::local_path::AUDIT;
use serde::{Deserialize, Serialize};

/// The unparsed query string; an empty form field means the same as a missing one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilters {
    pub event_type: Option<String>,
    pub actor: Option<String>,
    pub customer_id: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub q: Option<String>,
    pub page: Option<String>,
    pub limit: Option<String>,
}

impl AuditFilters {
    /// The value of each field.
    pub fn from_fields(value: impl Fn(&str) -> Option<String>) -> AuditFilters {
        let field = |name| value(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        AuditFilters {
            event_type: field("type"),
            actor: field("actor"),
            customer_id: field("customer_id"),
            from: field("from"),
            to: field("to"),
            q: field("q"),
            page: field("page"),
            limit: field("limit"),
        }
    }

    /// The entries of one customer.
    pub fn of_customer(customer: &impl ToString) -> AuditFilters {
        AuditFilters { customer_id: Some(customer.to_string()), ..AuditFilters::default() }
    }

    /// Whether it filters, besides paging.
    pub const fn narrow(&self) -> bool {
        self.event_type.is_some()
            || self.actor.is_some()
            || self.customer_id.is_some()
            || self.from.is_some()
            || self.to.is_some()
            || self.q.is_some()
    }

    /// The same list on another page.
    pub fn on_page(&self, page: u64) -> AuditFilters {
        AuditFilters { page: (page > 1).then(|| page.to_string()), ..self.clone() }
    }

    /// URL of this list; unset filters are left out.
    pub fn href(&self) -> String {
        self.address(AUDIT, &[("limit", &self.limit), ("page", &self.page)])
    }

    /// URL of the CSV file of all matching entries.
    pub fn csv_href(&self) -> String {
        self.address("/api/v1/admin/audit.csv", &[])
    }

    fn address(&self, path: &str, paging: &[(&str, &Option<String>)]) -> String {
        let fields = [
            ("customer_id", &self.customer_id),
            ("actor", &self.actor),
            ("type", &self.event_type),
            ("from", &self.from),
            ("to", &self.to),
            ("q", &self.q),
        ];
        let query: Vec<String> =
            fields.iter().chain(paging).filter_map(|(name, value)| Some(format!("{name}={}", percent_encode(value.as_deref()?)))).collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_has_all_filters_and_files_are_not_paged() {
        let filters = AuditFilters::from_fields(|name| match name {
            "type" => Some("session.".into()),
            "actor" => Some(" ops@people.example ".into()),
            "from" => Some("2026-11-01".into()),
            "q" => Some("  ".into()),
            "page" => Some("3".into()),
            _ => None,
        });
        assert!(filters.narrow());
        assert_eq!(filters.href(), "/admin/audit?actor=ops%40people.example&type=session.&from=2026-11-01&page=3");
        assert_eq!(filters.csv_href(), "/api/v1/admin/audit.csv?actor=ops%40people.example&type=session.&from=2026-11-01");
        assert_eq!(filters.on_page(1).page, None);
        let of_customer = AuditFilters::of_customer(&"7d3f2a50");
        assert_eq!(of_customer.href(), "/admin/audit?customer_id=7d3f2a50");
        assert!(!AuditFilters::default().narrow());
        assert_eq!(AuditFilters::default().csv_href(), "/api/v1/admin/audit.csv");
    }
}
