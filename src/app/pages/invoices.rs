//! The list of invoices: what is owed, then every invoice, narrowed and ordered by the address.

use crate::{
    app::{
        calls::{Problem, invoices::invoices},
        components::{
            Glyph, Icon, ProblemNotice,
            invoice_filter_form::{FILTER_PROBLEM, InvoiceFilterForm},
            invoice_table::InvoiceTable,
            pagination::PageLinks,
            skeleton::Skeleton,
        },
        filters::InvoiceFilters,
        status::set_status,
    },
    domain::{
        invoice::{InvoicePage, InvoiceTotals},
        money::Money,
    },
};
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// `/billing/invoices?status=&from=&to=&q=&sort=&page=`.
#[component]
pub fn InvoicesPage() -> impl IntoView {
    let query = use_query_map();
    let filters = Memo::new(move |_| query.with(InvoiceFilters::read));
    let page = Resource::new(
        move || filters.get(),
        |f: InvoiceFilters| async move {
            let answer = invoices(
                f.page.clone(),
                f.limit.clone(),
                f.status.clone(),
                f.from.clone(),
                f.to.clone(),
                f.q.clone(),
                f.sort.clone(),
                None,
            )
            .await;
            (f, answer)
        },
    );
    // The field is marked after hydration only: the server's HTML names it in words.
    let wrong = RwSignal::new(None);
    Effect::new(move || wrong.set(page.get().and_then(|(_, answer)| answer.err()).and_then(|problem| problem.parameter)));
    view! {
        <Title text="Invoices" />
        <header class="page-head">
            <h1>"Invoices"</h1>
        </header>
        <InvoiceFilterForm filters wrong=wrong.into() />
        <Transition fallback=|| view! { <Skeleton rows=8 /> }>
            {move || Suspend::new(async move {
                match page.await {
                    (filters, Ok(page)) => EitherOf3::A(list(&page, &filters)),
                    (filters, Err(problem)) if problem.status == 422 && problem.parameter.as_deref() != Some("customer_id") => EitherOf3::B(unusable(problem, &filters)),
                    (_, Err(problem)) => EitherOf3::C(view! { <ProblemNotice problem /> }),
                }
            })}
        </Transition>
    }
}

fn list(page: &InvoicePage, filters: &InvoiceFilters) -> impl IntoView + use<> {
    let rows = if page.invoices.is_empty() {
        empty(page, filters).into_any()
    } else {
        view! {
            <InvoiceTable invoices=&page.invoices />
            <PageLinks pagination=&page.pagination filters />
        }
        .into_any()
    };
    view! {
        <div class="totals">{page.totals.iter().map(totals).collect_view()}</div>
        {rows}
    }
}

/// What is owed in one currency, whatever the list is narrowed to.
fn totals(totals: &InvoiceTotals) -> impl IntoView + use<> {
    let money = |amount| Money::new(amount, totals.currency).to_string();
    view! {
        <dl class="total-pair">
            <div>
                <dt>"Open"</dt>
                <dd>{money(totals.open)}</dd>
            </div>
            <div class=(totals.overdue > 0).then_some("tone-danger")>
                <dt>"Of that overdue"</dt>
                <dd>{money(totals.overdue)}</dd>
            </div>
        </dl>
    }
}

fn empty(page: &InvoicePage, filters: &InvoiceFilters) -> impl IntoView + use<> {
    let (title, text, link) = if page.pagination.total > 0 {
        (
            "This page is past the end",
            "The list is shorter than that.",
            Some((filters.on_page(page.pagination.total_pages).href(), "Go to the last page")),
        )
    } else if filters.narrow() {
        ("Nothing matches", "No invoice fits these filters.", Some((filters.cleared().href(), "Clear the filters")))
    } else {
        ("No invoices yet", "The first one appears here when your first billing period ends.", None)
    };
    view! {
        <section class="blank">
            <Icon glyph=Glyph::Invoice />
            <h2>{title}</h2>
            <p>{text}</p>
            {link.map(|(href, text)| view! { <a class="button" href=href>{text}</a> })}
        </section>
    }
}

/// A filter that can't be used, said in words that name it.
fn unusable(problem: Problem, filters: &InvoiceFilters) -> impl IntoView + use<> {
    set_status(problem.status);
    let field = match problem.parameter.as_deref() {
        Some("from") => "“Issued from” can’t be used: ",
        Some("to") => "“Issued until” can’t be used: ",
        Some("q") => "The invoice number can’t be used: ",
        Some("status") => "The status can’t be used: ",
        Some("sort") => "The order can’t be used: ",
        Some("page" | "limit") => "The page can’t be used: ",
        _ => "A filter can’t be used: ",
    };
    view! {
        <p id=FILTER_PROBLEM class="form-error tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{field} {problem.detail} ". " <a href=filters.cleared().href()>"Clear the filters"</a></span>
        </p>
    }
}
