//! Queries of lists, shared by the URL of a page, the server function, the API, the CSV file and
//! the service.
//!
//! A parameter is parsed once, where a request arrives. An invalid one keeps its text, so that the
//! page can show it again, and the reason, so that the error can name it.

mod filters;
mod parameter;

pub use filters::{AuditFilter, CustomerFilter, DiscrepancyFilter, EveryRun, InvoiceFilter, WebhookFilter};
pub use parameter::{Limit, PageNumber, Parameter, SearchText, TimeBound};

use serde::{Deserialize, Serialize};

/// The filter and the page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery<F> {
    #[serde(flatten)]
    pub filter: F,
    #[serde(flatten)]
    pub paging: Paging,
}

impl<F: Clone> ListQuery<F> {
    /// The same list on another page.
    #[must_use]
    pub fn on_page(&self, page: u64) -> ListQuery<F> {
        let page = u32::try_from(page).ok().filter(|page| *page > 1).map(PageNumber);
        ListQuery { paging: Paging { page: page.into(), ..self.paging.clone() }, ..self.clone() }
    }

    /// The first page with another number of rows.
    #[must_use]
    pub fn with_limit(&self, limit: Limit) -> ListQuery<F> {
        let limit = Some(limit).filter(|limit| *limit != Limit::default());
        ListQuery { paging: Paging { page: Parameter::Absent, limit: limit.into() }, ..self.clone() }
    }

    /// The first page with another filter and the same number of rows.
    #[must_use]
    pub fn with(&self, filter: F) -> ListQuery<F> {
        ListQuery { filter, ..self.on_page(1) }
    }
}

impl<F> From<F> for ListQuery<F> {
    fn from(filter: F) -> ListQuery<F> {
        ListQuery { filter, paging: Paging::default() }
    }
}

/// The page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The first is 1.
    #[serde(default, skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = u32, minimum = 1, default = 1)]
    pub page: Parameter<PageNumber>,
    /// Rows per page.
    #[serde(default, skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = u32, minimum = 1, maximum = 100, default = 20)]
    pub limit: Parameter<Limit>,
}

/// Page `page` (from 1) of `total_pages`, `limit` rows each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Pagination {
    pub page: u32,
    pub limit: u32,
    pub total: u64,
    pub total_pages: u64,
}

impl Pagination {
    pub const fn new(page: PageNumber, limit: Limit, total: u64) -> Pagination {
        Pagination { page: page.0, limit: limit.0, total, total_pages: total.div_ceil(limit.0 as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invoice::InvoiceStatus;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(query: Value) -> ListQuery<InvoiceFilter> {
        serde_json::from_value(query).unwrap()
    }

    #[test]
    fn parameters_stand_side_by_side() {
        let query = read(json!({"status": "paid", "q": " INV 1 ", "from": "", "page": "3", "limit": "101"}));
        assert_eq!(query.filter.status, Parameter::Given(InvoiceStatus::Paid));
        assert_eq!(query.filter.from, Parameter::Absent);
        assert_eq!(query.paging.page, Parameter::Given(PageNumber(3)));
        assert!(matches!(&query.paging.limit, Parameter::Invalid { text, .. } if text == "101"));
        let written = serde_json::to_value(&query).unwrap();
        assert_eq!(written, json!({"status": "paid", "q": "INV 1", "page": "3", "limit": "101"}));
    }

    #[test]
    fn another_list_starts_at_its_first_page() {
        let query = read(json!({"status": "paid", "page": "3", "limit": "10"}));
        assert_eq!(query.with(InvoiceFilter::default()), read(json!({"limit": "10"})));
        assert_eq!(query.on_page(1), read(json!({"status": "paid", "limit": "10"})));
        assert_eq!(query.on_page(4).paging.page, Parameter::Given(PageNumber(4)));
        assert_eq!(query.with_limit(Limit(50)), read(json!({"status": "paid", "limit": "50"})));
        assert_eq!(query.with_limit(Limit(20)), read(json!({"status": "paid"})));
    }

    proptest! {
        #[test]
        fn a_query_survives_its_text(status in ".{0,8}", from in "[0-9-]{0,10}", q in ".{0,120}", page in "-?[0-9]{0,12}") {
            let query = read(json!({"status": status, "from": from, "q": q, "page": page}));
            let again: ListQuery<InvoiceFilter> = serde_json::from_value(serde_json::to_value(&query).unwrap()).unwrap();
            prop_assert_eq!(again, query);
        }

        #[test]
        fn pages_hold_every_row(limit in 1u32..=100, total in 0u64..100_000) {
            let pagination = Pagination::new(PageNumber(1), Limit(limit), total);
            prop_assert!(pagination.total_pages * u64::from(limit) >= total);
            prop_assert!(pagination.total_pages == 0 || (pagination.total_pages - 1) * u64::from(limit) < total);
        }
    }
}
