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
    },
    domain::{
        list::{EveryRun, ListQuery},
        reconcile::{ReconciliationPage, ReconciliationSummary},
    },
    text::staff as words,
};
use leptos::{either::Either, prelude::*};

static WORDS: ListWords = ListWords {
    count: words::run_count,
    glyph: Glyph::Search,
    empty: (words::no_runs, words::no_runs_text),
    unmatched: words::no_runs_text,
    past_end: words::no_more_runs,
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
    Page::new("Reconciliation", content)
}

fn head(answer: Option<&ReconciliationPage>, wrong: Option<(&str, &str)>) -> AnyView {
    let notice = wrong.map(|(code, field)| {
        let text = match (code, field) {
            ("reconciliation_running", _) => "A run is already in progress: open it below, or wait for its end.",
            (_, "from") => "The first day must be before the last one, and not in the future.",
            (_, "to") => "The last day is not a date such as 2026-11-30.",
            (_, "customer_id") => "No customer with a Stripe id has this id.",
            ("stripe_not_configured", _) => "This platform is not connected to Stripe.",
            _ => "This can’t be compared.",
        };
        view! { <p class="notice tone-danger" role="alert"><Icon glyph=Glyph::Over /><span>{text}</span></p> }
    });
    let form = answer.map(|page| {
        if page.stripe_configured {
            Either::Left(view! {
                <form method="post" action="/api/v1/admin/reconciliations" class="filters" aria-label="New run">
                    <div class="field"><label for="run-from">"From"</label><input id="run-from" name="from" type="date" /></div>
                    <div class="field"><label for="run-to">"To"</label><input id="run-to" name="to" type="date" /></div>
                    <div class="field grow">
                        <label for="run-customer">"Customer id"</label>
                        <input id="run-customer" name="customer_id" autocomplete="off" placeholder="all" />
                    </div>
                    <button class="button primary">
                        <Icon glyph=Glyph::Again />
                        <span>"Compare now"</span>
                    </button>
                </form>
            })
        } else {
            Either::Right(view! {
                <p class="notice tone-neutral">
                    <Icon glyph=Glyph::Info />
                    <span>"This platform is not connected to Stripe: set STRIPE_SECRET_KEY to compare."</span>
                </p>
            })
        }
    });
    view! {
        <header class="page-head">
            <div>
                <h1>"Reconciliation"</h1>
                <p class="page-sub">"Compares this platform’s data with Stripe’s, object by object."</p>
            </div>
        </header>
        {notice}
        {form}
    }
    .into_any()
}

fn table(runs: &[ReconciliationSummary]) -> impl IntoView + use<> {
    let rows: Vec<_> = runs
        .iter()
        .map(|run| {
            let scope = run.customer.clone().unwrap_or_else(|| "All customers".to_owned());
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row">
                        <a class="row-link" href=run_href(&run.id.to_string(), &ListQuery::default())><Moment at=run.started_at time=true /></a>
                        <small>{scope} ", by " {run.actor.clone()}</small>
                    </th>
                    <td role="cell"><RunBadge run=run /></td>
                    <td role="cell" class="number wide">{run.rows_checked}</td>
                    <td role="cell" class="number end named" data-label="Differences">{run.discrepancies}</td>
                    <td role="cell" class="number first">{at_stake(&run.currency_totals)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">"Runs"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Run"</th>
                        <th role="columnheader" scope="col">"Result"</th>
                        <th role="columnheader" scope="col" class="number">"Compared"</th>
                        <th role="columnheader" scope="col" class="number">"Differences"</th>
                        <th role="columnheader" scope="col" class="number">"Amount"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
}
