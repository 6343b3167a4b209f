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
    },
    domain::{
        customer::CustomerPage,
        list::{CustomerFilter, ListQuery},
    },
    text::{common, staff as words},
};
use leptos::prelude::*;

static WORDS: ListWords = ListWords {
    count: words::customer_count,
    glyph: Glyph::Customers,
    empty: (words::no_customers, words::no_customers_text),
    unmatched: words::no_customer_matches,
    past_end: words::no_more_customers,
    fields: &[("q", common::search_too_long)],
};

/// `/admin/customers?q=&page=`.
pub async fn page() -> Page {
    let query: ListQuery<CustomerFilter> = query();
    let answer = customers(query.clone()).await;
    Page::new("Customers", show(&WORDS, &query, answer, |answer| head(&query, answer.err()), |page| list(&query, &page)))
}

fn head(query: &ListQuery<CustomerFilter>, wrong: Option<&FilterErrors>) -> AnyView {
    let inputs = vec![Input::new("q", "Name, e-mail address, id or Stripe id", "search", query.filter.q.text()).growing()];
    view! {
        <header class="page-head">
            <div>
                <h1>"Customers"</h1>
                <p class="page-sub">"All customers, and the state of their mirror of Stripe."</p>
            </div>
        </header>
        <FilterForm query label="Customers" inputs wrong action="Search" />
    }
    .into_any()
}

fn list(query: &ListQuery<CustomerFilter>, page: &CustomerPage) -> AnyView {
    let table = (!page.customers.is_empty()).then(|| view! { <CustomerTable customers=&page.customers /> }.into_any());
    rows(&WORDS, query, &page.pagination, table)
}
