//! Filters the list of invoices: links for the status, a form for the rest. All are GET, so they
//! work without JavaScript and every result has a URL.

use super::{Glyph, Icon, filter_on_submit::filter_on_submit};
use crate::{
    app::{filters::InvoiceFilters, local_path::INVOICES},
    domain::invoice::{InvoiceSort, InvoiceStatus},
};
use leptos::prelude::*;

/// Id of the message about an invalid filter.
pub const FILTER_PROBLEM: &str = "filter-problem";

/// `wrong`: the field that the server rejected.
#[component]
pub fn InvoiceFilterForm<'a>(filters: &'a InvoiceFilters, wrong: Option<&'a str>) -> impl IntoView + use<> {
    let statuses = std::iter::once(None).chain(InvoiceStatus::ALL.into_iter().map(Some));
    let status_link = |status: Option<InvoiceStatus>| {
        let value = status.map(InvoiceStatus::as_str);
        let current = (filters.status.as_deref() == value).then_some("true");
        view! { <li><a href=filters.with_status(value).href() aria-current=current>{status.map_or("All", InvoiceStatus::title)}</a></li> }
    };
    let input = |name: &'static str, kind: &'static str, value: &Option<String>| {
        let invalid = wrong == Some(name);
        // A date field drops an invalid date with a warning; the error message still quotes it.
        let value = value.clone().filter(|_| !(invalid && kind == "date")).unwrap_or_default();
        view! {
            <input
                id=format!("filter-{name}")
                name=name
                type=kind
                value=value.clone()
                prop:value=value
                autocomplete="off"
                aria-invalid=invalid.then_some("true")
                aria-describedby=invalid.then_some(FILTER_PROBLEM)
            />
        }
    };
    let chosen = filters.sort.as_deref().and_then(|name| name.parse::<InvoiceSort>().ok()).unwrap_or_default();
    let order = |sort: InvoiceSort| {
        // The default order is not in the URL.
        let name = if sort == InvoiceSort::default() { "" } else { sort.as_str() };
        view! { <option value=name selected=sort == chosen>{sort.title()}</option> }
    };
    let kept =
        |name: &'static str, value: &Option<String>| value.clone().map(|value| view! { <input type="hidden" name=name value=value /> });
    let fields = view! {
        {kept("status", &filters.status)}
        {kept("limit", &filters.limit)}
        <div class="field grow">
            <label for="filter-q">"Invoice number, text or amount"</label>
            {input("q", "search", &filters.q)}
        </div>
        <div class="field">
            <label for="filter-from">"Issued from"</label>
            {input("from", "date", &filters.from)}
        </div>
        <div class="field">
            <label for="filter-to">"Issued until"</label>
            {input("to", "date", &filters.to)}
        </div>
        <div class="field">
            <label for="filter-sort">"Order"</label>
            <select id="filter-sort" name="sort">{InvoiceSort::ALL.map(order).collect_view()}</select>
        </div>
        <button class="button">
            <Icon glyph=Glyph::Search />
            <span>"Apply"</span>
        </button>
    };
    let submit = filter_on_submit(|field| InvoiceFilters::from_fields(field).href());
    view! {
        <nav class="segments" aria-label="Status">
            <ul>{statuses.map(status_link).collect_view()}</ul>
        </nav>
        <form method="get" action=INVOICES class="filters" role="search" aria-label="Invoices" on:submit=submit>{fields}</form>
    }
}
