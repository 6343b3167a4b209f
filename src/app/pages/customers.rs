//! Customers, for staff: identity, plan, and whether their mirror is up to date.

use crate::{
    app::{
        Page,
        calls::customers::customers,
        components::{
            Glyph,
            customer_table::CustomerTable,
            filter_form::{FilterErrors, FilterForm, Input},
            list::{ListWords, query, rows, show},
        },
        language,
    },
    domain::{
        customer::CustomerPage,
        list::{CustomerFilter, ListQuery},
    },
    text::{common, staff, staff::mirror},
};
use leptos::prelude::*;

static WORDS: ListWords = ListWords {
    count: staff::customer_count,
    glyph: Glyph::Customers,
    empty: (staff::no_customers, staff::no_customers_text),
    unmatched: staff::no_customer_matches,
    past_end: staff::no_more_customers,
    fields: &[("q", common::search_too_long)],
};

/// `/admin/customers?q=&page=`.
pub async fn page() -> Page {
    let query: ListQuery<CustomerFilter> = query();
    let answer = customers(query.clone()).await;
    Page::new(staff::customers(language()), show(&WORDS, &query, answer, |answer| head(&query, answer.err()), |page| list(&query, &page)))
}

fn head(query: &ListQuery<CustomerFilter>, wrong: Option<&FilterErrors>) -> AnyView {
    let language = language();
    let inputs = vec![Input::new("q", mirror::search_label(language), "search", query.filter.q.text()).growing()];
    view! {
        <header class="page-head">
            <div>
                <h1>{staff::customers(language)}</h1>
                <p class="page-sub">{mirror::subtitle(language)}</p>
            </div>
        </header>
        <FilterForm query label=staff::customers(language) inputs wrong action=common::search(language) />
    }
    .into_any()
}

fn list(query: &ListQuery<CustomerFilter>, page: &CustomerPage) -> AnyView {
    let table = (!page.customers.is_empty()).then(|| view! { <CustomerTable customers=&page.customers /> }.into_any());
    rows(&WORDS, query, &page.pagination, table)
}
