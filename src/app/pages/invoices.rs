//! The list of invoices: the amounts due, then every invoice, filtered and ordered by the URL.

use crate::{
    app::{
        Page,
        address::address,
        calls::invoices::invoices,
        components::{
            Glyph, Icon,
            filter_form::{FilterForm, Input, Segments},
            invoice_table::InvoiceTable,
            list::{ListWords, query, rows, show},
        },
        filters::{Filter, href},
        pages::{console::Session, paused::paused_page},
    },
    domain::{
        invoice::{InvoicePage, InvoiceSort, InvoiceStatus, InvoiceTotals},
        list::{InvoiceFilter, ListQuery},
        money::Money,
    },
};
use leptos::prelude::*;

static WORDS: ListWords = ListWords {
    noun: "invoice",
    glyph: Glyph::Invoice,
    empty: ("No invoices yet", "The first one appears here when your first billing period ends."),
    unmatched: ("Nothing matches", "No invoice matches these filters."),
    clear: "Clear the filters",
    parameters: &[
        ("from", "“Issued from” can’t be used: "),
        ("to", "“Issued until” can’t be used: "),
        ("q", "The search text can’t be used: "),
        ("status", "The status can’t be used: "),
        ("sort", "The order can’t be used: "),
        ("page", "The page can’t be used: "),
        ("limit", "The page can’t be used: "),
    ],
};

/// `/billing/invoices?status=&from=&to=&q=&sort=&page=`.
pub async fn page() -> Page {
    let session = expect_context::<Session>();
    if session.paused() {
        return paused_page();
    }
    let query: ListQuery<InvoiceFilter> = query();
    let answer = invoices(query.clone(), None).await;
    // If the portal can't be opened, its form redirects here.
    let refusal = address().get("portal").map(str::to_owned);
    let head = |answer: Result<&InvoicePage, &str>| head(&query, answer, session.may_open_portal(), refusal);
    Page::new("Invoices", show(&WORDS, &query, answer, head, |page| list(&query, &page)))
}

fn head(query: &ListQuery<InvoiceFilter>, answer: Result<&InvoicePage, &str>, portal: bool, refusal: Option<String>) -> AnyView {
    let sums = answer.ok().map(|page| {
        // A currency without a debt is left out, unless there is no other.
        let owing: Vec<_> = page.totals.iter().filter(|sum| sum.open != 0).collect();
        if owing.is_empty() { page.totals.iter().take(1).map(totals).collect_view() } else { owing.into_iter().map(totals).collect_view() }
    });
    view! {
        <header class="page-head">
            <h1>"Invoices"</h1>
            <div class="totals">{sums} {portal.then(portal_form)}</div>
        </header>
        {refusal.map(|code| portal_refused(&code))}
        {filter_form(query, answer.err())}
    }
    .into_any()
}

fn filter_form(query: &ListQuery<InvoiceFilter>, wrong: Option<&str>) -> impl IntoView + use<> {
    let filter = &query.filter;
    let of_status = |status: Option<InvoiceStatus>| href(&query.with(InvoiceFilter { status: status.into(), ..filter.clone() }));
    let title = |status: Option<InvoiceStatus>| status.map_or("All", InvoiceStatus::title).to_owned();
    let inputs = vec![
        Input::new("q", "Invoice number, text or amount", "search", filter.q.text()).growing(),
        Input::new("from", "Issued from", "date", filter.from.text()),
        Input::new("to", "Issued until", "date", filter.to.text()),
    ];
    let chosen = filter.sort.value().copied().unwrap_or_default();
    let order = |sort: InvoiceSort| {
        // The default order is not in the URL.
        let name = if sort == InvoiceSort::default() { "" } else { sort.as_str() };
        view! { <option value=name selected=sort == chosen>{sort.title()}</option> }
    };
    let orders = view! {
        <div class="field">
            <label for="filter-sort">"Order"</label>
            <select id="filter-sort" name="sort">{InvoiceSort::ALL.map(order).collect_view()}</select>
        </div>
    };
    let links = view! {
        <Segments
            label="Status"
            values=InvoiceStatus::ALL.to_vec()
            parameter=&filter.status
            text=title
            href=of_status
        />
    };
    view! { <FilterForm query label="Invoices" inputs wrong links=links.into_any() more=orders.into_any() more_names=&["sort"] /> }
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

fn list(query: &ListQuery<InvoiceFilter>, page: &InvoicePage) -> AnyView {
    let any = !page.invoices.is_empty();
    let table = any.then(|| view! { <InvoiceTable invoices=&page.invoices /> }.into_any());
    let file = any.then(|| {
        let href = query.filter.file_href("/api/v1/billing/invoices.csv");
        view! {
            <p>
                <a href=href rel="external">"Download as CSV"</a>
            </p>
        }
    });
    view! {
        {rows(&WORDS, query, &page.pagination, table)}
        {file}
    }
    .into_any()
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
