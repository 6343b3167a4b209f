//! Filters of lists in URLs: every view can be linked, and works without JavaScript.
//!
//! The filters are in [`domain::list`](crate::domain::list); this module writes them into the URL
//! of a page and reads them from it.

mod audit;
mod customers;
mod invoices;
mod reconciliations;
mod webhooks;

pub use audit::audit_of;
pub use reconciliations::run_href;
pub use webhooks::webhook_href;

use super::local_path::percent_encode;
use crate::domain::list::{ListQuery, Paging, Parameter, TimeBound};
use serde::{
    Serialize,
    de::{
        DeserializeOwned,
        value::{Error, MapDeserializer},
    },
};

/// A query parameter as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub value: Option<String>,
    pub invalid: bool,
}

impl Field {
    pub fn of<T: std::fmt::Display>(name: &'static str, parameter: &Parameter<T>) -> Field {
        Field { name, value: parameter.text(), invalid: parameter.is_invalid() }
    }
}

/// The filter of a list.
pub trait Filter: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The parameters, in the order of the URL.
    fn fields(&self) -> Vec<Field>;

    /// The first and the last day, of a list that is filtered by `from` and `to`.
    fn span(&self) -> Option<(&Parameter<TimeBound>, &Parameter<TimeBound>)> {
        None
    }

    /// The whole list, in the same order.
    #[must_use]
    fn cleared(&self) -> Self {
        Self::default()
    }

    /// Whether it filters, besides ordering.
    fn narrows(&self) -> bool {
        *self != self.cleared()
    }

    /// URL of the CSV file of all matching rows.
    fn file_href(&self, path: &str) -> String {
        address(path, self.fields())
    }
}

/// The filter of a list with its own page.
pub trait Listed: Filter {
    /// Path of the page.
    const PATH: &'static str;
}

/// Reads the query of a list from a URL or a form; `value` returns the text of a parameter.
pub fn read<F: Filter>(value: impl Fn(&str) -> Option<String>) -> ListQuery<F> {
    let names = F::default().fields().into_iter().chain(paging_fields(&Paging::default())).map(|field| field.name);
    let given = names.filter_map(|name| Some((name, value(name)?)));
    // Any text is a parameter, valid or invalid.
    serde::Deserialize::deserialize(MapDeserializer::<_, Error>::new(given)).unwrap_or_default()
}

/// URL of the page with this query; absent parameters are left out.
pub fn href<F: Listed>(query: &ListQuery<F>) -> String {
    let fields = query.filter.fields().into_iter().chain(paging_fields(&query.paging));
    address(F::PATH, fields)
}

fn paging_fields(paging: &Paging) -> [Field; 2] {
    [Field::of("limit", &paging.limit), Field::of("page", &paging.page)]
}

/// What is wrong with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not a value of its type.
    Invalid,
    /// A last day before the first.
    Backwards,
}

/// The invalid parameters of a query, in the order of the URL.
pub fn faults<F: Filter>(query: &ListQuery<F>) -> Vec<(&'static str, Fault)> {
    let fields = query.filter.fields().into_iter().chain(paging_fields(&query.paging));
    let mut faults: Vec<_> = fields.filter(|field| field.invalid).map(|field| (field.name, Fault::Invalid)).collect();
    let days = query.filter.span().and_then(|(from, to)| from.value().zip(to.value()));
    if days.is_some_and(|(from, to)| from.start() >= to.end()) {
        faults.push(("to", Fault::Backwards));
    }
    faults
}

fn address(path: &str, fields: impl IntoIterator<Item = Field>) -> String {
    let query: Vec<String> =
        fields.into_iter().filter_map(|Field { name, value, .. }| Some(format!("{name}={}", percent_encode(&value?)))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::list::{AuditFilter, CustomerFilter, EveryRun, InvoiceFilter, WebhookFilter};
    use proptest::prelude::*;

    fn query<F: Filter>(fields: &[(&str, &str)]) -> ListQuery<F> {
        read(|name| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_address_holds_every_filter() {
        let invoices: ListQuery<InvoiceFilter> = query(&[("status", "open"), ("q", " INV 1&2 "), ("page", "3")]);
        assert_eq!(href(&invoices), "/billing/invoices?status=open&q=INV%201%262&page=3");
        assert_eq!(href(&invoices.on_page(1)), "/billing/invoices?status=open&q=INV%201%262");
        let webhooks: ListQuery<WebhookFilter> = query(&[("status", "failed"), ("type", "invoice."), ("q", "  "), ("page", "3")]);
        assert_eq!(href(&webhooks), "/admin/webhooks?status=failed&type=invoice.&page=3");
        let audit: ListQuery<AuditFilter> = query(&[("type", "session."), ("actor", "ops@people.example"), ("from", "2026-11-01")]);
        assert_eq!(href(&audit), "/admin/audit?actor=ops%40people.example&type=session.&from=2026-11-01");
        let customers: ListQuery<CustomerFilter> = query(&[("q", "a & b"), ("limit", "50")]);
        assert_eq!(href(&customers), "/admin/customers?q=a%20%26%20b&limit=50");
        assert_eq!(href(&query::<EveryRun>(&[("page", "2")])), "/admin/reconciliation?page=2");
        assert_eq!(href(&ListQuery::<InvoiceFilter>::default()), "/billing/invoices");
    }

    #[test]
    fn a_file_has_all_pages_of_the_same_list() {
        let invoices: ListQuery<InvoiceFilter> = query(&[("status", "open"), ("sort", "total"), ("page", "3"), ("limit", "5")]);
        assert_eq!(invoices.filter.file_href("/api/v1/billing/invoices.csv"), "/api/v1/billing/invoices.csv?status=open&sort=total");
        assert_eq!(AuditFilter::default().file_href("/api/v1/admin/audit.csv"), "/api/v1/admin/audit.csv");
    }

    #[test]
    fn every_invalid_parameter_is_found() {
        let invoices = |fields: &[(&str, &str)]| faults(&query::<InvoiceFilter>(fields));
        assert!(invoices(&[("from", "2026-11-30"), ("to", "2026-11-30"), ("limit", "100")]).is_empty());
        assert_eq!(invoices(&[("from", "2026-12-01"), ("to", "2026-11-30")]), [("to", Fault::Backwards)]);
        let all = invoices(&[("status", "x"), ("from", "eighty"), ("to", "2026-13-01"), ("page", "0")]);
        assert_eq!(all, ["status", "from", "to", "page"].map(|name| (name, Fault::Invalid)));
        let text = "x".repeat(101);
        let both = invoices(&[("q", text.as_str()), ("from", "2026-12-01"), ("to", "2026-11-30")]);
        assert_eq!(both, [("q", Fault::Invalid), ("to", Fault::Backwards)]);
    }

    #[test]
    fn order_and_empty_fields_do_not_narrow() {
        let ordered: ListQuery<InvoiceFilter> = query(&[("status", ""), ("q", "  "), ("sort", "total")]);
        assert!(!ordered.filter.narrows());
        assert_eq!(ordered.filter.cleared(), ordered.filter);
        let narrowed: ListQuery<InvoiceFilter> = query(&[("status", "nonsense"), ("sort", "total")]);
        assert!(narrowed.filter.narrows());
        assert_eq!(narrowed.filter.cleared(), ordered.filter);
        assert!(!query::<EveryRun>(&[("page", "2")]).filter.narrows());
    }

    proptest! {
        /// Any typed text survives its URL.
        #[test]
        fn a_query_survives_its_address(status in ".{0,6}", q in ".{0,110}", from in "[0-9-]{0,10}", limit in "[0-9]{0,4}") {
            let typed: ListQuery<InvoiceFilter> = query(&[("status", &status), ("q", &q), ("from", &from), ("limit", &limit)]);
            let address = href(&typed);
            let text = address.split_once('?').map_or("", |(_, text)| text);
            let again: ListQuery<InvoiceFilter> = read(|name| {
                let pair = text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                pair.map(|value| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
            });
            prop_assert_eq!(again, typed);
        }
    }
}
