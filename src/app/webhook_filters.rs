//! The inbox's filters: all of them are in the URL, so that every view can be linked.

use super::local_path::percent_encode;
use crate::app::local_path::WEBHOOKS;
use serde::{Deserialize, Serialize};

/// The unparsed query string; an empty form field means the same as a missing one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookFilters {
    pub status: Option<String>,
    pub event_type: Option<String>,
    pub q: Option<String>,
    pub page: Option<String>,
    pub limit: Option<String>,
}

impl WebhookFilters {
    /// The value of each field.
    pub fn from_fields(value: impl Fn(&str) -> Option<String>) -> WebhookFilters {
        let field = |name| value(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        WebhookFilters { status: field("status"), event_type: field("type"), q: field("q"), page: field("page"), limit: field("limit") }
    }

    /// Whether it filters, besides paging.
    pub const fn narrow(&self) -> bool {
        self.status.is_some() || self.event_type.is_some() || self.q.is_some()
    }

    /// The same list on another page.
    pub fn on_page(&self, page: u64) -> WebhookFilters {
        WebhookFilters { page: (page > 1).then(|| page.to_string()), ..self.clone() }
    }

    /// The same list with another status, from its first page.
    pub fn with_status(&self, status: Option<&str>) -> WebhookFilters {
        WebhookFilters { status: status.map(str::to_owned), page: None, ..self.clone() }
    }

    /// URL of this list; unset filters are left out.
    pub fn href(&self) -> String {
        let fields = [("status", &self.status), ("type", &self.event_type), ("q", &self.q), ("limit", &self.limit), ("page", &self.page)];
        let query: Vec<String> =
            fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", percent_encode(value.as_deref()?)))).collect();
        if query.is_empty() { WEBHOOKS.to_owned() } else { format!("{WEBHOOKS}?{}", query.join("&")) }
    }
}

/// URL of an event's page.
pub fn webhook_href(id: &str) -> String {
    format!("{WEBHOOKS}/{}", percent_encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_has_all_filters() {
        let filters = WebhookFilters::from_fields(|name| match name {
            "status" => Some("failed".into()),
            "type" => Some("invoice.".into()),
            "q" => Some("  ".into()),
            "page" => Some("3".into()),
            _ => None,
        });
        assert!(filters.narrow());
        assert_eq!(filters.href(), "/admin/webhooks?status=failed&type=invoice.&page=3");
        assert_eq!(filters.with_status(None).href(), "/admin/webhooks?type=invoice.");
        assert_eq!(webhook_href("sha256:ab"), "/admin/webhooks/sha256%3Aab");
    }
}
