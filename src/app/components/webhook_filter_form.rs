//! Filters the inbox: links with counts for the status, a form for the rest. All are GET, so they
//! work without JavaScript and every result has a URL.

use super::{Glyph, Icon, filter_on_submit::filter_on_submit, invoice_filter_form::FILTER_PROBLEM};
use crate::{
    app::{local_path::WEBHOOKS, webhook_filters::WebhookFilters},
    domain::{
        money::group_thousands,
        webhook::{WebhookCounts, WebhookStatus},
    },
};
use leptos::prelude::*;

/// `wrong`: the field that the server rejected; then there are no counts.
#[component]
pub fn WebhookFilterForm<'a>(filters: &'a WebhookFilters, counts: Option<WebhookCounts>, wrong: Option<&'a str>) -> impl IntoView + use<> {
    let statuses = std::iter::once(None).chain(WebhookStatus::ALL.into_iter().map(Some));
    let status_link = |status: Option<WebhookStatus>| {
        let value = status.map(WebhookStatus::as_str);
        let current = (filters.status.as_deref() == value).then_some("true");
        let title = status.map_or("All", WebhookStatus::title);
        let text = counts.map_or_else(|| title.to_owned(), |counts| format!("{title} {}", group_thousands(counts.of(status))));
        view! { <li><a href=filters.with_status(value).href() aria-current=current>{text}</a></li> }
    };
    let field = |name: &'static str, label: &'static str, value: &Option<String>| {
        let invalid = wrong == Some(name);
        let value = value.clone().unwrap_or_default();
        view! {
            <div class="field grow">
                <label for=format!("filter-{name}")>{label}</label>
                <input
                    id=format!("filter-{name}")
                    name=name
                    type="search"
                    value=value.clone()
                    prop:value=value
                    autocomplete="off"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=invalid.then_some(FILTER_PROBLEM)
                />
            </div>
        }
    };
    let kept =
        |name: &'static str, value: &Option<String>| value.clone().map(|value| view! { <input type="hidden" name=name value=value /> });
    let fields = view! {
        {kept("status", &filters.status)}
        {kept("limit", &filters.limit)}
        {field("q", "Event or object id", &filters.q)}
        {field("type", "Type begins with", &filters.event_type)}
        <button class="button">
            <Icon glyph=Glyph::Search />
            <span>"Apply"</span>
        </button>
    };
    let submit = filter_on_submit(|field| WebhookFilters::from_fields(field).href());
    view! {
        <nav class="segments" aria-label="Status">
            <ul>{statuses.map(status_link).collect_view()}</ul>
        </nav>
        <form method="get" action=WEBHOOKS class="filters" role="search" aria-label="Events" on:submit=submit>{fields}</form>
    }
}
