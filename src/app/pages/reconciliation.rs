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
        format,
        list::{DiscrepancyFilter, ListQuery},
        reconcile::{Kind, ReconciliationDetail, ReconciliationStatus, ReconciliationSummary},
    },
    text::staff,
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
    let content = match reconciliation(id.clone(), query.clone()).await {
        Ok(run) if is_running(&run) => {
            let href = format!("/live{}", run_href(&id, &query));
            let run = show(run, &query, returned);
            EitherOf3::A(view! { <Live href>{run}</Live> })
        }
        Ok(run) => EitherOf3::B(show(run, &query, returned)),
        Err(problem) => EitherOf3::C(view! { <ProblemNotice problem page=true /> }),
    };
    let content = view! {
        <p class="back"><a href=RECONCILIATION><Icon glyph=Glyph::Previous /><span>"All runs"</span></a></p>
        {content}
    };
    Page::new("Reconciliation", content)
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

fn is_running(run: &ReconciliationDetail) -> bool {
    run.summary.status == ReconciliationStatus::Running
}

fn show(run: ReconciliationDetail, query: &ListQuery<DiscrepancyFilter>, returned: Option<Returned>) -> impl IntoView + use<> {
    let ReconciliationDetail { summary, found } = run;
    let id = summary.id.to_string();
    let over = summary.status != ReconciliationStatus::Running;
    let action = if over {
        let open = summary.status == ReconciliationStatus::Completed && summary.discrepancies > summary.repaired;
        Either::Left(open.then(|| {
            view! {
                <form class="actions" method="post" action=format!("/api/v1/admin/reconciliations/{id}/repair")>
                    <button class="button primary"><Icon glyph=Glyph::Again /><span>"Repair all"</span></button>
                </form>
            }
        }))
    } else {
        Either::Right(view! {
            <form class="actions" method="post" action=format!("/api/v1/admin/reconciliations/{id}/cancel")>
                <button class="button"><Icon glyph=Glyph::Pause /><span>"Cancel"</span></button>
            </form>
        })
    };
    let returned = returned.map(|returned| {
        let (tone, text) = match returned {
            Returned::Repaired { repaired, failed, left } => {
                let rest = if left > 0 { format!(" {left} more are left; repeat to repair them.") } else { String::new() };
                let tone = if failed == 0 { Tone::Good } else { Tone::Warning };
                (tone, format!("{} repaired; {failed} could not be.{rest}", format::counted(repaired, "difference")))
            }
            Returned::Failed => (Tone::Danger, "Stripe is unavailable at the moment. Try again in a minute.".to_owned()),
        };
        view! { <p class=format!("notice {}", tone.class()) role="status"><Icon glyph=Glyph::of(tone) /><span>{text}</span></p> }
    });
    let counted: i64 = found.kinds.iter().map(|kind| kind.count).sum();
    let count = |kind: Option<Kind>| match kind {
        None => counted,
        Some(kind) => found.kinds.iter().find(|count| count.kind == kind).map_or(0, |count| count.count),
    };
    let text = |kind: Option<Kind>| format!("{} {}", kind.map_or("All", Kind::title), count(kind));
    let of_kind = |kind: Option<Kind>| run_href(&id, &query.with(DiscrepancyFilter { kind: kind.into() }));
    let kinds = found.kinds.iter().map(|count| count.kind).collect();
    let kinds = view! { <Segments label="Kind" values=kinds parameter=&query.filter.kind text href=of_kind /> };
    let list = if found.discrepancies.is_empty() {
        let (title, text) = match summary.status {
            ReconciliationStatus::Completed if counted == 0 => ("All well", "Everything compared is equal on both sides."),
            ReconciliationStatus::Running => ("Nothing so far", "Differences appear here, and are compared again before the run ends."),
            ReconciliationStatus::Completed => ("Nothing of this kind", "Choose another kind above."),
            _ => ("Nothing found before it ended", "Objects that were not compared may still differ."),
        };
        Either::Left(view! { <section class="blank"><Icon glyph=Glyph::Search /><h2>{title}</h2><p>{text}</p></section> })
    } else {
        let href = |page| run_href(&id, &query.on_page(page));
        let limit_href = |limit| run_href(&id, &query.with_limit(limit));
        let count = staff::differences(language(), found.pagination.total);
        Either::Right(view! {
            <DiscrepancyTable run=&id discrepancies=&found.discrepancies repairable=over />
            <PageLinks pagination=&found.pagination count href=&href limit_href=&limit_href />
        })
    };
    view! {
        <header class="page-head">
            <div>
                <div class="title-row"><h1>"Run of " <Moment at=summary.started_at time=true /></h1><RunBadge run=&summary /></div>
                <p class="page-sub ids">{id.clone()}</p>
            </div>
            {action}
        </header>
        {returned}
        {progress(&summary)}
        {facts(&summary)}
        {kinds}
        {list}
    }
}

/// Its progress, or why it ended early.
fn progress(run: &ReconciliationSummary) -> impl IntoView + use<> {
    match (run.status, &run.error) {
        (ReconciliationStatus::Running, _) => {
            let total = run.rows_total.unwrap_or(0).max(run.rows_checked).max(1);
            let text = format!("{}: {} of about {total} compared", format::words(&run.stage), run.rows_checked);
            Some(Either::Left(view! {
                <p class="notice tone-neutral" role="status">
                    <progress max=total value=run.rows_checked aria-label="Compared"></progress>
                    <span>{text}</span>
                </p>
            }))
        }
        (_, Some(error)) => Some(Either::Right(view! {
            <p class="notice tone-danger"><Icon glyph=Glyph::Over /><span>"It ended early: " {error.clone()} "."</span></p>
        })),
        _ => None,
    }
}

fn facts(run: &ReconciliationSummary) -> impl IntoView + use<> {
    let checked = run.checked;
    view! {
        <dl class="facts wide-facts">
            <div><dt>"Scope"</dt><dd>{run.customer.clone().unwrap_or_else(|| "All customers".to_owned())}</dd></div>
            {run.from.map(|at| view! { <div><dt>"Made from"</dt><dd><Moment at time=true /></dd></div> })}
            <div><dt>"Data until"</dt><dd><Moment at=run.to time=true /></dd></div>
            <div><dt>"Started by"</dt><dd class="ids">{run.actor.clone()}</dd></div>
            {run.finished_at.map(|at| view! { <div><dt>"Ended"</dt><dd><Moment at time=true /></dd></div> })}
            <div><dt>"Objects compared"</dt><dd>{run.rows_checked}</dd></div>
            <div><dt>"Customers"</dt><dd>{checked.customers}</dd></div>
            <div><dt>"Subscriptions"</dt><dd>{checked.subscriptions}</dd></div>
            <div><dt>"Invoices"</dt><dd>{checked.invoices}</dd></div>
            <div><dt>"Amount"</dt><dd>{at_stake(&run.currency_totals)}</dd></div>
            <div><dt>"Repaired"</dt><dd>{run.repaired}</dd></div>
        </dl>
    }
}
