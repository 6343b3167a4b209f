//! Filters the audit log. It is a GET form, so it works without JavaScript and every result has a
//! URL.

use super::{Glyph, Icon, filter_on_submit::filter_on_submit, invoice_filter_form::FILTER_PROBLEM};
use crate::app::{audit_filters::AuditFilters, local_path::AUDIT};
use leptos::prelude::*;

/// `wrong`: the field that the server rejected; `event_types`: suggestions.
#[component]
pub fn AuditFilterForm<'a>(filters: &'a AuditFilters, event_types: &'a [String], wrong: Option<&'a str>) -> impl IntoView + use<> {
    let field = |name: &'static str, label: &'static str, kind: &'static str, value: &Option<String>| {
        let invalid = wrong == Some(name);
        // A date field drops an invalid date with a warning; the error message still quotes it.
        let value = value.clone().filter(|_| !(invalid && kind == "date")).unwrap_or_default();
        view! {
            <div class="field">
                <label for=format!("filter-{name}")>{label}</label>
                <input
                    id=format!("filter-{name}")
                    name=name
                    type=kind
                    value=value.clone()
                    prop:value=value
                    list=(name == "type").then_some("event-types")
                    autocomplete="off"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=invalid.then_some(FILTER_PROBLEM)
                />
            </div>
        }
    };
    let known = event_types.iter().map(|name| view! { <option value=name.clone()></option> }).collect_view();
    let limit = filters.limit.clone().map(|value| view! { <input type="hidden" name="limit" value=value /> });
    let fields = view! {
        {limit}
        {field("q", "Text or address", "search", &filters.q)}
        {field("type", "Type begins with", "text", &filters.event_type)}
        {field("actor", "Done by", "search", &filters.actor)}
        {field("customer_id", "Customer id", "search", &filters.customer_id)}
        {field("from", "From", "date", &filters.from)}
        {field("to", "Until", "date", &filters.to)}
        <datalist id="event-types">{known}</datalist>
        <button class="button">
            <Icon glyph=Glyph::Search />
            <span>"Apply"</span>
        </button>
    };
    let submit = filter_on_submit(|field| AuditFilters::from_fields(field).href());
    view! { <form method="get" action=AUDIT class="filters many" role="search" aria-label="Audit log" on:submit=submit>{fields}</form> }
}
