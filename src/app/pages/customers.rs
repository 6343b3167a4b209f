//! Customers, for staff: identity, plan, and whether their mirror is up to date.

use crate::{
    app::{
        calls::{Problem, customers::customers},
        components::{
            Glyph, Icon, ProblemNotice,
            blank::{Blank, past_the_end},
            customer_table::CustomerTable,
            filter_on_submit::filter_on_submit,
            invoice_filter_form::FILTER_PROBLEM,
            pagination::PageLinks,
            skeleton::Skeleton,
            unusable_filter::UnusableFilter,
        },
        customer_filters::CustomerFilters,
        local_path::CUSTOMERS,
        status::set_status,
    },
    domain::customer::CustomerPage,
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// `/admin/customers?q=&page=`.
#[component]
pub fn CustomersPage() -> impl IntoView {
    let query = use_query_map();
    let filters = Memo::new(move |_| query.with(|query| CustomerFilters::from_fields(|name| query.get(name))));
    let page = Resource::new(
        move || filters.get(),
        |f: CustomerFilters| async move {
            let asked = f.clone();
            (asked, customers(f.q, f.page, f.limit).await)
        },
    );
    view! {
        <Title text="Customers" />
        <Transition fallback=|| view! { <Skeleton rows=8 /> }>
            {move || Suspend::new(async move {
                match page.await {
                    (_, Err(problem)) if problem.status != 422 => Either::Left(view! { <ProblemNotice problem page=true /> }),
                    (filters, answer) => Either::Right(show(filters, answer)),
                }
            })}
        </Transition>
    }
}

fn show(filters: CustomerFilters, answer: Result<CustomerPage, Problem>) -> impl IntoView {
    let invalid = answer.as_ref().is_err_and(|problem| problem.parameter.as_deref() == Some("q"));
    let value = filters.q.clone().unwrap_or_default();
    let limit = filters.limit.clone().map(|value| view! { <input type="hidden" name="limit" value=value /> });
    let submit = filter_on_submit(|field| CustomerFilters::from_fields(field).href());
    let result = match answer {
        Ok(page) => Either::Left(list(&page, &filters)),
        Err(problem) => Either::Right(unusable(problem)),
    };
    view! {
        <header class="page-head">
            <div>
                <h1>"Customers"</h1>
                <p class="page-sub">"All customers, and the state of their mirror of Stripe."</p>
            </div>
        </header>
        <form method="get" action=CUSTOMERS class="filters" role="search" aria-label="Customers" on:submit=submit>
            {limit}
            <div class="field grow">
                <label for="filter-q">"Name, e-mail address, id or Stripe id"</label>
                <input
                    id="filter-q"
                    name="q"
                    type="search"
                    value=value.clone()
                    prop:value=value
                    autocomplete="off"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=invalid.then_some(FILTER_PROBLEM)
                />
            </div>
            <button class="button">
                <Icon glyph=Glyph::Search />
                <span>"Search"</span>
            </button>
        </form>
        {result}
    }
}

fn list(page: &CustomerPage, filters: &CustomerFilters) -> impl IntoView + use<> {
    if !page.customers.is_empty() {
        let href = |page| filters.on_page(page).href();
        return Either::Left(view! {
            <CustomerTable customers=&page.customers />
            <PageLinks pagination=&page.pagination noun="customer" href=&href />
        });
    }
    let said = if page.pagination.total > 0 {
        past_the_end(filters.on_page(page.pagination.total_pages).href())
    } else if filters.q.is_some() {
        ("No customer matches", "No customer’s name, address or id contains this text.", Some((CUSTOMERS.to_owned(), "Show all customers")))
    } else {
        ("No customers yet", "The first one appears here when it is added.", None)
    };
    Either::Right(view! { <Blank glyph=Glyph::Customers said /> })
}

/// An invalid search, explained by name.
fn unusable(problem: Problem) -> impl IntoView {
    set_status(problem.status);
    let field = match problem.parameter.as_deref() {
        Some("q") => "The text can’t be used: ",
        _ => "The page can’t be used: ",
    };
    view! { <UnusableFilter field detail=problem.detail clear=CUSTOMERS.to_owned().to_owned() link="Show all customers" /> }
}
