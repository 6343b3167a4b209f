//! Narrows the list of invoices: links for the status, a form for the rest. All of it is a GET, so it works without JavaScript
//! and every result has an address.

use super::{Glyph, Icon};
use crate::{
    app::filters::{INVOICES, InvoiceFilters},
    domain::invoice::{InvoiceSort, InvoiceStatus},
};
use leptos::prelude::*;
use leptos_router::components::Form;

/// Where the message about an unusable filter stands.
pub const FILTER_PROBLEM: &str = "filter-problem";

/// `wrong` names the field that the server couldn't use.
#[component]
pub fn InvoiceFilterForm(filters: Memo<InvoiceFilters>, wrong: Signal<Option<String>>) -> impl IntoView {
    let statuses = std::iter::once(None).chain(InvoiceStatus::ALL.into_iter().map(Some));
    let status_link = move |status: Option<InvoiceStatus>| {
        let value = status.map(InvoiceStatus::as_str);
        view! {
            <li>
                <a
                    href=move || filters.get().with_status(value).href()
                    aria-current=move || (filters.get().status.as_deref() == value).then_some("true")
                >
                    {status.map_or("All", InvoiceStatus::title)}
                </a>
            </li>
        }
    };
    let invalid = move |name: &'static str| move || (wrong.get().as_deref() == Some(name)).then_some("true");
    let value = move |field: fn(&InvoiceFilters) -> &Option<String>| move || field(&filters.get()).clone().unwrap_or_default();
    let kept = move |name: &'static str, field: fn(&InvoiceFilters) -> &Option<String>| {
        move || field(&filters.get()).clone().map(|value| view! { <input type="hidden" name=name value=value /> })
    };
    let order = move |sort: InvoiceSort| {
        // The default order needs no word in the address.
        let name = if sort == InvoiceSort::default() { "" } else { sort.as_str() };
        let chosen =
            move || filters.with(|f| f.sort.as_deref().and_then(|name| name.parse::<InvoiceSort>().ok())).unwrap_or_default() == sort;
        view! { <option value=name selected=chosen>{sort.title()}</option> }
    };
    view! {
        <nav class="segments" aria-label="Status">
            <ul>{statuses.map(status_link).collect_view()}</ul>
        </nav>
        <Form method="GET" action=INVOICES attr:class="filters" attr:role="search" attr:aria-label="Invoices">
            {kept("status", |filters| &filters.status)}
            {kept("limit", |filters| &filters.limit)}
            <div class="field grow">
                <label for="filter-q">"Invoice number"</label>
                <input
                    id="filter-q"
                    name="q"
                    type="search"
                    value=value(|filters| &filters.q)
                    aria-invalid=invalid("q")
                    aria-describedby=FILTER_PROBLEM
                    autocomplete="off"
                    spellcheck="false"
                />
            </div>
            <div class="field">
                <label for="filter-from">"Issued from"</label>
                <input id="filter-from" name="from" type="date" value=value(|filters| &filters.from) aria-invalid=invalid("from") aria-describedby=FILTER_PROBLEM />
            </div>
            <div class="field">
                <label for="filter-to">"Issued until"</label>
                <input id="filter-to" name="to" type="date" value=value(|filters| &filters.to) aria-invalid=invalid("to") aria-describedby=FILTER_PROBLEM />
            </div>
            <div class="field">
                <label for="filter-sort">"Order"</label>
                <select id="filter-sort" name="sort" aria-invalid=invalid("sort")>{InvoiceSort::ALL.map(order).collect_view()}</select>
            </div>
            <button class="button">
                <Icon glyph=Glyph::Search />
                <span>"Apply"</span>
            </button>
        </Form>
    }
}
