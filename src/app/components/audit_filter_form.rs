//! Narrows the audit trail. It is a GET, so it works without JavaScript and every result has an address.

use super::{Glyph, Icon, filter_on_submit::filter_on_submit, invoice_filter_form::FILTER_PROBLEM};
use crate::app::{audit_filters::AuditFilters, local_path::AUDIT};
use leptos::prelude::*;

/// `wrong` names the field that the server couldn't use; `event_types` are proposed.
#[component]
pub fn AuditFilterForm<'a>(filters: &'a AuditFilters, event_types: &'a [String], wrong: Option<&'a str>) -> impl IntoView + use<> {
    let field = |name: &'static str, label: &'static str, kind: &'static str, value: &Option<String>| {
        let invalid = wrong == Some(name);
        // A date field refuses what is no date, with a warning; the message about it quotes it anyway.
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
    view! { <form method="get" action=AUDIT class="filters many" role="search" aria-label="Audit trail" on:submit=submit>{fields}</form> }
}
