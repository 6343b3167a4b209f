//! The list of invoices: the amounts due, then every invoice, filtered and ordered by the URL.

use crate::{
    app::{
        Page,
        address::address,
        calls::invoices::invoices,
        components::{
            Glyph, Icon,
            filter_form::{FilterErrors, FilterForm, Input, Segments},
            invoice_table::InvoiceTable,
            list::{ListWords, nothing_to_filter, query, rows, show},
        },
        filters::{Filter, href},
        language,
        pages::{console::Session, paused::paused_page},
    },
    domain::{
        invoice::{InvoicePage, InvoiceSort, InvoiceStatus, InvoiceTotals},
        list::{InvoiceFilter, ListQuery},
        money::Money,
    },
    text::{common, format, invoices as words},
};
use leptos::prelude::*;

static WORDS: ListWords = ListWords {
    count: words::count,
    glyph: Glyph::Invoice,
    empty: (words::none_yet, words::none_yet_text),
    unmatched: words::none_matches,
    past_end: words::no_more,
    fields: &[("q", common::search_too_long), ("from", common::enter_a_date), ("to", common::enter_a_date)],
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
    let head = |answer: Result<&InvoicePage, &FilterErrors>| head(&query, answer, session.may_open_portal(), refusal);
    Page::new(words::title(language()), show(&WORDS, &query, answer, head, |page| list(&query, &page)))
}

fn head(query: &ListQuery<InvoiceFilter>, answer: Result<&InvoicePage, &FilterErrors>, portal: bool, refusal: Option<String>) -> AnyView {
    let sums = answer.ok().map(|page| {
        // A currency without a debt is left out, unless there is no other.
        let owing: Vec<_> = page.totals.iter().filter(|sum| sum.open != 0).collect();
        if owing.is_empty() { page.totals.iter().take(1).map(totals).collect_view() } else { owing.into_iter().map(totals).collect_view() }
    });
    let filters = !answer.is_ok_and(|page| nothing_to_filter(query, &page.pagination));
    view! {
        <header class="page-head">
            <h1>{words::title(language())}</h1>
            <div class="totals">{sums} {portal.then(portal_form)}</div>
        </header>
        {refusal.map(|code| portal_refused(&code))}
        {filters.then(|| filter_form(query, answer.err()))}
    }
    .into_any()
}

fn filter_form(query: &ListQuery<InvoiceFilter>, wrong: Option<&FilterErrors>) -> impl IntoView + use<> {
    let language = language();
    let filter = &query.filter;
    let of_status = |status: Option<InvoiceStatus>| href(&query.with(InvoiceFilter { status: status.into(), ..filter.clone() }));
    let title = |status: Option<InvoiceStatus>| {
        status.map_or_else(|| words::all_statuses(language), |status| common::invoice_status(language, status)).to_owned()
    };
    let inputs = vec![
        Input::new("q", words::search_label(language), "search", filter.q.text()).growing(),
        Input::new("from", words::issued_from(language), "date", filter.from.text()),
        Input::new("to", words::issued_until(language), "date", filter.to.text()),
    ];
    let chosen = filter.sort.value().copied().unwrap_or_default();
    let order = |sort: InvoiceSort| {
        // The default order is not in the URL.
        let name = if sort == InvoiceSort::default() { "" } else { sort.as_str() };
        view! { <option value=name selected=sort == chosen>{words::sort(language, sort)}</option> }
    };
    let orders = view! {
        <div class="field">
            <label for="filter-sort">{words::order(language)}</label>
            <select id="filter-sort" name="sort">{InvoiceSort::ALL.map(order).collect_view()}</select>
        </div>
    };
    let links = view! {
        <Segments
            label=common::status(language)
            values=InvoiceStatus::ALL.to_vec()
            parameter=&filter.status
            text=title
            href=of_status
        />
    };
    view! { <FilterForm query label=words::title(language) inputs wrong links=links.into_any() more=orders.into_any() more_names=&["sort"] /> }
}

/// Opens Stripe's customer portal, with and without JavaScript.
fn portal_form() -> impl IntoView {
    view! {
        <form method="post" action="/api/v1/billing/portal">
            <button class="button">
                <Icon glyph=Glyph::External />
                <span>{words::manage_payment_method(language())}</span>
            </button>
        </form>
    }
}

fn portal_refused(code: &str) -> impl IntoView + use<> {
    let text = match code {
        "stripe_unavailable" => words::stripe_unavailable,
        "customer_portal_disabled" => words::portal_disabled,
        "no_stripe_customer" => words::no_payment_details,
        _ => words::portal_failed,
    };
    view! {
        <p class="notice tone-warning" role="alert">
            <Icon glyph=Glyph::Warning />
            <span>{text(language())}</span>
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
                <a href=href rel="external">{words::download_csv(language())}</a>
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
    let language = language();
    let money = |amount| format::money(language, Money::new(amount, totals.currency));
    view! {
        <dl class="total-pair">
            <div>
                <dt>{words::open(language)}</dt>
                <dd>{money(totals.open)}</dd>
            </div>
            <div class=(totals.overdue > 0).then_some("tone-danger")>
                <dt>{words::overdue_part(language)}</dt>
                <dd>{money(totals.overdue)}</dd>
            </div>
        </dl>
    }
}
