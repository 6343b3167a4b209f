//! Reconciliation runs, for staff: start one, and list earlier ones.

use crate::{
    app::{
        Page,
        address::address,
        calls::reconciliations::reconciliations,
        components::{
            Glyph, Icon, Moment,
            filter_form::FilterErrors,
            list::{ListWords, query, rows, show},
            run_badge::{RunBadge, at_stake},
        },
        filters::run_href,
        language,
    },
    domain::{
        list::{EveryRun, ListQuery},
        reconcile::{ReconciliationPage, ReconciliationSummary},
    },
    text::{common, format, staff, staff::runs},
};
use leptos::{either::Either, prelude::*};

static WORDS: ListWords = ListWords {
    count: staff::run_count,
    glyph: Glyph::Search,
    empty: (staff::no_runs, staff::no_runs_text),
    unmatched: staff::no_runs_text,
    past_end: staff::no_more_runs,
    fields: &[],
};

/// `/admin/reconciliation?page=`.
pub async fn page() -> Page {
    // The form redirects here with an error.
    let address = address();
    let wrong = address.get("error").map(|code| (code, address.get("field").unwrap_or_default()));
    let query: ListQuery<EveryRun> = query();
    let answer = reconciliations(query.clone()).await;
    let head = |answer: Result<&ReconciliationPage, &FilterErrors>| head(answer.ok(), wrong);
    let content = show(&WORDS, &query, answer, head, |page| {
        let table = (!page.reconciliations.is_empty()).then(|| table(&page.reconciliations).into_any());
        rows(&WORDS, &query, &page.pagination, table)
    });
    Page::new(staff::reconciliation(language()), content)
}

fn head(answer: Option<&ReconciliationPage>, wrong: Option<(&str, &str)>) -> AnyView {
    let language = language();
    let notice = wrong.map(|(code, field)| {
        let text = match (code, field) {
            ("reconciliation_running", _) => runs::already_running(language),
            (_, "from") => runs::invalid_from(language),
            (_, "to") => runs::invalid_to(language),
            (_, "customer_id") => runs::invalid_customer(language),
            ("stripe_not_configured", _) => runs::not_connected(language),
            _ => runs::not_started(language),
        };
        view! { <p class="notice tone-danger" role="alert"><Icon glyph=Glyph::Over /><span>{text}</span></p> }
    });
    let form = answer.map(|page| {
        if page.stripe_configured {
            Either::Left(view! {
                <form method="post" action="/api/v1/admin/reconciliations" class="filters" aria-label=runs::new_run(language)>
                    <div class="field"><label for="run-from">{common::from(language)}</label><input id="run-from" name="from" type="date" /></div>
                    <div class="field"><label for="run-to">{common::until(language)}</label><input id="run-to" name="to" type="date" /></div>
                    <div class="field grow">
                        <label for="run-customer">{runs::customer_id(language)}</label>
                        <input id="run-customer" name="customer_id" autocomplete="off" placeholder=runs::every_customer(language) />
                    </div>
                    <button class="button primary">
                        <Icon glyph=Glyph::Again />
                        <span>{runs::compare_now(language)}</span>
                    </button>
                </form>
            })
        } else {
            Either::Right(view! {
                <p class="notice tone-neutral">
                    <Icon glyph=Glyph::Info />
                    <span>{runs::not_connected(language)}</span>
                </p>
            })
        }
    });
    view! {
        <header class="page-head">
            <div>
                <h1>{staff::reconciliation(language)}</h1>
                <p class="page-sub">{runs::subtitle(language)}</p>
            </div>
        </header>
        {notice}
        {form}
    }
    .into_any()
}

fn table(list: &[ReconciliationSummary]) -> impl IntoView + use<> {
    let language = language();
    let count = |count: i64| format::integer(language, count.unsigned_abs());
    let rows: Vec<_> = list
        .iter()
        .map(|run| {
            let scope = run.customer.clone().unwrap_or_else(|| runs::all_customers(language).to_owned());
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row">
                        <a class="row-link" href=run_href(&run.id.to_string(), &ListQuery::default())><Moment at=run.started_at time=true /></a>
                        <small>{scope} ", " {runs::by(language, &run.actor)}</small>
                    </th>
                    <td role="cell"><RunBadge run=run /></td>
                    <td role="cell" class="number wide">{count(run.rows_checked)}</td>
                    <td role="cell" class="number end named" data-label=runs::differences_heading(language)>{count(run.discrepancies)}</td>
                    <td role="cell" class="number first">{at_stake(language, &run.currency_totals)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">{runs::runs(language)}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">{runs::run(language)}</th>
                        <th role="columnheader" scope="col">{runs::result(language)}</th>
                        <th role="columnheader" scope="col" class="number">{runs::compared(language)}</th>
                        <th role="columnheader" scope="col" class="number">{runs::differences_heading(language)}</th>
                        <th role="columnheader" scope="col" class="number">{runs::at_stake(language)}</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
}
