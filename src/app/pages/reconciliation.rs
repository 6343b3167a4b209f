//! One run: its progress, its discrepancies with both sides, and a way to repair them.

use crate::{
    app::{
        Page,
        address::address,
        calls::reconciliations::reconciliation,
        components::{
            Glyph, Icon, Moment, ProblemNotice,
            discrepancy_table::DiscrepancyTable,
            filter_form::Segments,
            list::query,
            live::{Live, LiveContent},
            pagination::PageLinks,
            run_badge::{RunBadge, at_stake},
        },
        filters::run_href,
        language,
        local_path::RECONCILIATION,
        status::set_status,
        usage_summary::Tone,
    },
    domain::{
        language::Language,
        list::{DiscrepancyFilter, ListQuery},
        reconcile::{Kind, ReconciliationDetail, ReconciliationStatus, ReconciliationSummary},
    },
    text::{common, format, staff, staff::runs as words},
};
use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};

/// The result of a form.
#[derive(Clone, PartialEq)]
enum Returned {
    Repaired { repaired: u64, failed: u64, left: u64 },
    Failed,
}

/// `/admin/reconciliation/:id?kind=&page=`.
pub async fn page(id: String) -> Page {
    let address = address();
    let returned = match (address.parse("repaired"), address.parse("failed"), address.parse("left")) {
        (Some(repaired), Some(failed), Some(left)) => Some(Returned::Repaired { repaired, failed, left }),
        _ => address.get("error").map(|_| Returned::Failed),
    };
    let query: ListQuery<DiscrepancyFilter> = query();
    let language = language();
    let answer = reconciliation(id.clone(), query.clone()).await;
    let title = answer.as_ref().map_or_else(|_| staff::reconciliation(language).to_owned(), |run| title(language, &run.summary));
    let content = match answer {
        Ok(run) if is_running(&run) => {
            let href = format!("/live{}", run_href(&id, &query));
            let run = show(run, &query, returned);
            EitherOf3::A(view! { <Live href>{run}</Live> })
        }
        Ok(run) => EitherOf3::B(show(run, &query, returned)),
        Err(problem) => EitherOf3::C(view! { <ProblemNotice problem page=true /> }),
    };
    let content = view! {
        <p class="back"><a href=RECONCILIATION><Icon glyph=Glyph::Previous /><span>{words::all_runs(language)}</span></a></p>
        {content}
    };
    Page::new(title, content)
}

/// `/live/admin/reconciliation/:id`: the same, until the run has ended.
pub async fn live(id: String) -> AnyView {
    let query: ListQuery<DiscrepancyFilter> = query();
    match reconciliation(id, query.clone()).await {
        Ok(run) => {
            let ended = !is_running(&run);
            let run = show(run, &query, None);
            view! { <LiveContent ended>{run}</LiveContent> }.into_any()
        }
        Err(problem) => {
            set_status(problem.status);
            ().into_any()
        }
    }
}

fn title(language: Language, run: &ReconciliationSummary) -> String {
    words::run_of(language, format::date_time(language, run.started_at))
}

fn is_running(run: &ReconciliationDetail) -> bool {
    run.summary.status == ReconciliationStatus::Running
}

fn show(run: ReconciliationDetail, query: &ListQuery<DiscrepancyFilter>, returned: Option<Returned>) -> impl IntoView + use<> {
    let language = language();
    let ReconciliationDetail { summary, found } = run;
    let id = summary.id.to_string();
    let over = summary.status != ReconciliationStatus::Running;
    let action = if over {
        let open = summary.status == ReconciliationStatus::Completed && summary.discrepancies > summary.repaired;
        Either::Left(open.then(|| {
            view! {
                <form class="actions" method="post" action=format!("/api/v1/admin/reconciliations/{id}/repair")>
                    <button class="button primary" aria-describedby="repair-effect">
                        <Icon glyph=Glyph::Again />
                        <span>{words::repair_all(language)}</span>
                    </button>
                </form>
            }
        }))
    } else {
        Either::Right(view! {
            <form class="actions" method="post" action=format!("/api/v1/admin/reconciliations/{id}/cancel")>
                <button class="button"><Icon glyph=Glyph::Pause /><span>{words::cancel(language)}</span></button>
            </form>
        })
    };
    let unrepaired = u64::try_from(summary.discrepancies - summary.repaired).unwrap_or(0);
    let effect = (summary.status == ReconciliationStatus::Completed && unrepaired > 0)
        .then(|| view! { <p id="repair-effect" class="quiet">{words::repair_all_effect(language, unrepaired)}</p> });
    let returned = returned.map(|returned| {
        let (tone, text) = match returned {
            Returned::Repaired { repaired, failed, left } => {
                let rest = if left > 0 { format!(" {}", words::left(language, left)) } else { String::new() };
                let tone = if failed == 0 { Tone::Good } else { Tone::Warning };
                (tone, format!("{}{rest}", words::repaired_count(language, repaired, failed)))
            }
            Returned::Failed => (Tone::Danger, words::stripe_unavailable(language).to_owned()),
        };
        view! { <p class=format!("notice {}", tone.class()) role="status"><Icon glyph=Glyph::of(tone) /><span>{text}</span></p> }
    });
    let counted: i64 = found.kinds.iter().map(|kind| kind.count).sum();
    let count = |kind: Option<Kind>| match kind {
        None => counted,
        Some(kind) => found.kinds.iter().find(|count| count.kind == kind).map_or(0, |count| count.count),
    };
    let text = |kind: Option<Kind>| {
        let name = kind.map_or_else(|| common::all(language), |kind| words::kind(language, kind));
        format!("{name} {}", format::integer(language, count(kind).unsigned_abs()))
    };
    let of_kind = |kind: Option<Kind>| run_href(&id, &query.with(DiscrepancyFilter { kind: kind.into() }));
    let kinds = found.kinds.iter().map(|count| count.kind).collect();
    let kinds = view! { <Segments label=words::kind_label(language) values=kinds parameter=&query.filter.kind text href=of_kind /> };
    let list = if found.discrepancies.is_empty() {
        let (title, text) = match summary.status {
            ReconciliationStatus::Completed if counted == 0 => (words::nothing_differs(language), words::nothing_differs_text(language)),
            ReconciliationStatus::Running => (words::nothing_so_far(language), words::nothing_so_far_text(language)),
            ReconciliationStatus::Completed => (words::nothing_of_kind(language), words::nothing_of_kind_text(language)),
            _ => (words::ended_early(language), words::ended_early_text(language)),
        };
        Either::Left(view! { <section class="blank"><Icon glyph=Glyph::Search /><h2>{title}</h2><p>{text}</p></section> })
    } else {
        let href = |page| run_href(&id, &query.on_page(page));
        let limit_href = |limit| run_href(&id, &query.with_limit(limit));
        let count = staff::differences(language, found.pagination.total);
        Either::Right(view! {
            <DiscrepancyTable run=&id discrepancies=&found.discrepancies repairable=over />
            <PageLinks pagination=&found.pagination count href=&href limit_href=&limit_href />
        })
    };
    view! {
        <header class="page-head">
            <div>
                <div class="title-row"><h1>{title(language, &summary)}</h1><RunBadge run=&summary /></div>
                <p class="page-sub ids">{id.clone()}</p>
            </div>
            {action}
        </header>
        {returned}
        {effect}
        {progress(&summary)}
        {facts(&summary)}
        {kinds}
        {list}
    }
}

/// Its progress, or why it ended early.
fn progress(run: &ReconciliationSummary) -> impl IntoView + use<> {
    let language = language();
    match (run.status, &run.error) {
        (ReconciliationStatus::Running, _) => {
            let total = run.rows_total.unwrap_or(0).max(run.rows_checked).max(1);
            let text =
                words::progress(language, &words::stage(language, &run.stage), run.rows_checked.unsigned_abs(), total.unsigned_abs());
            Some(Either::Left(view! {
                <p class="notice tone-neutral" role="status">
                    <progress max=total value=run.rows_checked aria-label=words::compared(language)></progress>
                    <span>{text}</span>
                </p>
            }))
        }
        (_, Some(error)) => Some(Either::Right(view! {
            <p class="notice tone-danger"><Icon glyph=Glyph::Over /><span>{words::ended_because(language, error)}</span></p>
        })),
        _ => None,
    }
}

fn facts(run: &ReconciliationSummary) -> impl IntoView + use<> {
    let language = language();
    let checked = run.checked;
    let count = |count: i64| format::integer(language, count.unsigned_abs());
    view! {
        <dl class="facts wide-facts">
            <div><dt>{words::scope(language)}</dt><dd>{run.customer.clone().unwrap_or_else(|| words::all_customers(language).to_owned())}</dd></div>
            {run.from.map(|at| view! { <div><dt>{words::created_from(language)}</dt><dd><Moment at time=true /></dd></div> })}
            <div><dt>{words::created_until(language)}</dt><dd><Moment at=run.to time=true /></dd></div>
            <div><dt>{words::started_by(language)}</dt><dd class="ids">{run.actor.clone()}</dd></div>
            {run.finished_at.map(|at| view! { <div><dt>{words::ended(language)}</dt><dd><Moment at time=true /></dd></div> })}
            <div><dt>{words::objects_compared(language)}</dt><dd>{count(run.rows_checked)}</dd></div>
            <div><dt>{words::customers(language)}</dt><dd>{count(checked.customers)}</dd></div>
            <div><dt>{words::subscriptions(language)}</dt><dd>{count(checked.subscriptions)}</dd></div>
            <div><dt>{words::invoices(language)}</dt><dd>{count(checked.invoices)}</dd></div>
            <div><dt>{words::at_stake(language)}</dt><dd>{at_stake(language, &run.currency_totals)}</dd></div>
            <div><dt>{words::repaired(language)}</dt><dd>{count(run.repaired)}</dd></div>
        </dl>
    }
}
