//! The list of invoices: the amounts due, then every invoice, filtered and ordered by the URL.

use crate::{
    app::{
        calls::{Problem, invoices::invoices},
        components::{
            Glyph, Icon, ProblemNotice,
            blank::{Blank, past_the_end},
            invoice_filter_form::InvoiceFilterForm,
            invoice_table::InvoiceTable,
            pagination::PageLinks,
            skeleton::Skeleton,
            unusable_filter::UnusableFilter,
        },
        filters::InvoiceFilters,
        pages::{console::Session, paused::PausedPage},
        status::set_status,
    },
    domain::{
        invoice::{InvoicePage, InvoiceTotals},
        money::Money,
    },
};
use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// `/billing/invoices?status=&from=&to=&q=&sort=&page=`.
#[component]
pub fn InvoicesPage() -> impl IntoView {
    let query = use_query_map();
    let session = expect_context::<Session>();
    // If the portal can't be opened, its form redirects here.
    let refusal = Memo::new(move |_| query.with(|query| query.get("portal")));
    let filters = Memo::new(move |_| query.with(InvoiceFilters::read));
    let page = Resource::new(
        move || filters.get(),
        |f: InvoiceFilters| async move {
            let asked = f.clone();
            (asked, invoices(f.page, f.limit, f.status, f.from, f.to, f.q, f.sort, None).await)
        },
    );
    view! {
        <Title text="Invoices" />
        <Transition fallback=|| view! { <Skeleton rows=8 /> }>
            {move || Suspend::new(async move {
                let portal = session.may_open_portal().await;
                match (session.paused().await, page.await) {
                    (true, _) => EitherOf3::A(view! { <PausedPage /> }),
                    (false, (_, Err(problem))) if !about_filters(&problem) => EitherOf3::B(view! { <ProblemNotice problem page=true /> }),
                    (false, (filters, answer)) => EitherOf3::C(show(&filters, answer, portal, refusal.get_untracked())),
                }
            })}
        </Transition>
    }
}

/// The URL has an invalid filter: the form stays, so that it can be corrected.
fn about_filters(problem: &Problem) -> bool {
    problem.status == 422 && problem.parameter.as_deref() != Some("customer_id")
}

fn show(filters: &InvoiceFilters, answer: Result<InvoicePage, Problem>, portal: bool, refusal: Option<String>) -> impl IntoView + use<> {
    let wrong = answer.as_ref().err().and_then(|problem| problem.parameter.clone());
    let sums = answer.as_ref().ok().map(|page| {
        // A currency without a debt is left out, unless there is no other.
        let owing: Vec<_> = page.totals.iter().filter(|sum| sum.open != 0).collect();
        if owing.is_empty() { page.totals.iter().take(1).map(totals).collect_view() } else { owing.into_iter().map(totals).collect_view() }
    });
    let result = match answer {
        Ok(page) => Either::Left(list(&page, filters)),
        Err(problem) => Either::Right(unusable(problem, filters)),
    };
    view! {
        <header class="page-head">
            <h1>"Invoices"</h1>
            <div class="totals">{sums} {portal.then(portal_form)}</div>
        </header>
        {refusal.map(|code| portal_refused(&code))}
        <InvoiceFilterForm filters wrong=wrong.as_deref() />
        {result}
    }
}

/// Opens Stripe's customer portal, with and without JavaScript.
fn portal_form() -> impl IntoView {
    view! {
        <form method="post" action="/api/v1/billing/portal">
            <button class="button">
                <Icon glyph=Glyph::External />
                <span>"Payment details at Stripe"</span>
            </button>
        </form>
    }
}

fn portal_refused(code: &str) -> impl IntoView + use<> {
    let text = match code {
        "stripe_unavailable" => "Stripe can’t be reached at the moment. Try again in a minute.",
        "customer_portal_disabled" => "The payment details can’t be opened at the moment. Try again later.",
        "no_stripe_customer" => "There are no payment details at Stripe yet.",
        _ => "The payment details can’t be opened at Stripe. If this persists, contact support.",
    };
    view! {
        <p class="notice tone-warning" role="alert">
            <Icon glyph=Glyph::Warning />
            <span>{text}</span>
        </p>
    }
}

fn list(page: &InvoicePage, filters: &InvoiceFilters) -> impl IntoView + use<> {
    if page.invoices.is_empty() {
        return Either::Left(empty(page, filters));
    }
    let href = |page| filters.on_page(page).href();
    Either::Right(view! {
        <InvoiceTable invoices=&page.invoices />
        <PageLinks pagination=&page.pagination noun="invoice" href=&href />
        <p>
            <a href=filters.file_href() rel="external">"Download as CSV"</a>
        </p>
    })
}

/// The amounts due in one currency, independent of the filters.
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
    let said = if page.pagination.total > 0 {
        past_the_end(filters.on_page(page.pagination.total_pages).href())
    } else if filters.narrow() {
        ("Nothing matches", "No invoice matches these filters.", Some((filters.cleared().href(), "Clear the filters")))
    } else {
        ("No invoices yet", "The first one appears here when your first billing period ends.", None)
    };
    view! { <Blank glyph=Glyph::Invoice said /> }
}

/// An invalid filter, explained by name.
fn unusable(problem: Problem, filters: &InvoiceFilters) -> impl IntoView + use<> {
    set_status(problem.status);
    let field = match problem.parameter.as_deref() {
        Some("from") => "“Issued from” can’t be used: ",
        Some("to") => "“Issued until” can’t be used: ",
        Some("q") => "The search text can’t be used: ",
        Some("status") => "The status can’t be used: ",
        Some("sort") => "The order can’t be used: ",
        Some("page" | "limit") => "The page can’t be used: ",
        _ => "A filter can’t be used: ",
    };
    view! { <UnusableFilter field detail=problem.detail clear=filters.cleared().href() /> }
}
