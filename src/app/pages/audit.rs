//! The audit log, for staff: who changed what, and how far it is sealed.

use crate::{
    app::{
        audit_filters::AuditFilters,
        calls::{Problem, audit::audit},
        components::{
            Glyph, Icon, Moment, ProblemNotice,
            audit_entries::AuditEntries,
            audit_filter_form::AuditFilterForm,
            blank::{Blank, past_the_end},
            pagination::PageLinks,
            skeleton::Skeleton,
            unusable_filter::UnusableFilter,
        },
        local_path::AUDIT,
        status::set_status,
        usage_summary::Tone,
    },
    domain::audit::{AuditPage as Trail, SealSummary},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// Maximum number of entries that the server counts.
const MOST_COUNTED: u64 = 10_000;

/// `/admin/audit?customer_id=&actor=&type=&from=&to=&q=&page=`.
#[component]
pub fn AuditPage() -> impl IntoView {
    let query = use_query_map();
    let filters = Memo::new(move |_| query.with(|query| AuditFilters::from_fields(|name| query.get(name))));
    let page = Resource::new(
        move || filters.get(),
        |f: AuditFilters| async move {
            let asked = f.clone();
            (asked, audit(f.event_type, f.actor, f.customer_id, f.from, f.to, f.q, f.page, f.limit).await)
        },
    );
    view! {
        <Title text="Audit" />
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

fn show(filters: AuditFilters, answer: Result<Trail, Problem>) -> impl IntoView {
    let wrong = answer.as_ref().err().and_then(|problem| problem.parameter.clone());
    let event_types = answer.as_ref().map_or(&[][..], |trail| &trail.event_types);
    let form = view! { <AuditFilterForm filters=&filters event_types wrong=wrong.as_deref() /> };
    let file = answer.is_ok().then(|| {
        view! {
            <a class="button" href=filters.csv_href() rel="external">
                <Icon glyph=Glyph::Download />
                <span>"CSV"</span>
            </a>
        }
    });
    let result = match answer {
        Ok(trail) => Either::Left(view! {
            {chain(trail.sealed.as_ref())}
            {list(&trail, &filters)}
        }),
        Err(problem) => Either::Right(unusable(problem)),
    };
    view! {
        <header class="page-head">
            <div>
                <h1>"Audit"</h1>
                <p class="page-sub">"Who did what, to whom, and from where. Entries can’t be changed or deleted."</p>
            </div>
            <div class="actions">{file}</div>
        </header>
        {form}
        {result}
    }
}

/// How far the chain of seals reaches.
fn chain(sealed: Option<&SealSummary>) -> impl IntoView + use<> {
    let (tone, text) = match sealed {
        Some(seal) => {
            let (seq, last_id, at, hash) = (seal.seq, seal.last_id, seal.sealed_at, seal.hash.clone());
            let text = view! {
                {format!("Sealed up to entry {last_id}, seal {seq} of ")} <Moment at time=true /> ". Hash of the chain: "
                <code class="ids">{hash}</code>
            };
            (Tone::Good, Either::Left(text))
        }
        None => (Tone::Neutral, Either::Right("Nothing is sealed yet; the first seal follows within minutes.")),
    };
    view! {
        <p class=format!("notice {}", tone.class())>
            <Icon glyph=Glyph::of(tone) />
            <span>{text}</span>
        </p>
    }
}

fn list(trail: &Trail, filters: &AuditFilters) -> impl IntoView + use<> {
    let pagination = &trail.pagination;
    if !trail.entries.is_empty() {
        let href = |page| filters.on_page(page).href();
        return Either::Left(view! {
            <AuditEntries entries=&trail.entries sealed_upto=trail.sealed.as_ref().map(|seal| seal.last_id) />
            <PageLinks pagination noun="entry" href=&href />
            {(pagination.total >= MOST_COUNTED)
                .then(|| view! { <p class="quiet">"Only the newest entries are counted and paged; use filters or the file for older ones."</p> })}
        });
    }
    let said = if pagination.total > 0 {
        past_the_end(filters.on_page(pagination.total_pages).href())
    } else if filters.narrow() {
        ("Nothing matches", "No entry matches these filters.", Some((AUDIT.to_owned(), "Clear the filters")))
    } else {
        ("No entries yet", "The first one appears here with the first change.", None)
    };
    Either::Right(view! { <Blank glyph=Glyph::Trail said /> })
}

/// An invalid filter, explained by name.
fn unusable(problem: Problem) -> impl IntoView {
    set_status(problem.status);
    let field = match problem.parameter.as_deref() {
        Some("customer_id") => "The customer’s id can’t be used: ",
        Some("actor") => "The actor can’t be used: ",
        Some("type") => "The type can’t be used: ",
        Some("from") => "The first day can’t be used: ",
        Some("to") => "The last day can’t be used: ",
        Some("q") => "The text can’t be used: ",
        Some("page" | "limit") => "The page can’t be used: ",
        _ => "A filter can’t be used: ",
    };
    view! { <UnusableFilter field detail=problem.detail clear=AUDIT.to_owned().to_owned() /> }
}
