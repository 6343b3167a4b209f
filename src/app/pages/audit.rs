//! The audit log, for staff: who changed what, and how far it is sealed.

use crate::{
    app::{
        Page,
        calls::audit::audit,
        components::{
            Glyph, Icon, Moment,
            audit_entries::AuditEntries,
            filter_form::{FilterErrors, FilterForm, Input},
            list::{ListWords, query, rows, show},
        },
        filters::Filter,
        language,
        usage_summary::Tone,
    },
    domain::{
        audit::{AuditPage as Trail, SealSummary},
        list::{AuditFilter, ListQuery},
    },
    text::{common, staff, staff::log},
};
use leptos::{either::Either, prelude::*};

/// Maximum number of entries that the server counts.
const MOST_COUNTED: u64 = 10_000;

static WORDS: ListWords = ListWords {
    count: common::entries,
    glyph: Glyph::Trail,
    empty: (staff::no_entries, staff::no_entries_text),
    unmatched: staff::no_entry_matches,
    past_end: staff::no_more_entries,
    fields: &[
        ("customer_id", staff::enter_a_customer_id),
        ("actor", common::search_too_long),
        ("type", common::search_too_long),
        ("from", common::enter_a_date),
        ("to", common::enter_a_date),
        ("q", common::search_too_long),
    ],
};

/// `/admin/audit?customer_id=&actor=&type=&from=&to=&q=&page=`.
pub async fn page() -> Page {
    let query: ListQuery<AuditFilter> = query();
    let answer = audit(query.clone()).await;
    Page::new(staff::audit(language()), show(&WORDS, &query, answer, |answer| head(&query, answer), |page| list(&query, &page)))
}

fn head(query: &ListQuery<AuditFilter>, answer: Result<&Trail, &FilterErrors>) -> AnyView {
    let language = language();
    let filter = &query.filter;
    let file = answer.is_ok().then(|| {
        view! {
            <a class="button" href=filter.file_href("/api/v1/admin/audit.csv") rel="external">
                <Icon glyph=Glyph::Download />
                <span>"CSV"</span>
            </a>
        }
    });
    let known = answer.map_or(&[][..], |trail| &trail.event_types);
    let known = known.iter().map(|name| view! { <option value=name.clone()>{log::event_type(language, name)}</option> }).collect_view();
    let inputs = vec![
        Input::new("q", log::text_label(language), "search", filter.q.text()),
        Input::new("type", log::type_label(language), "text", filter.event_type.text()).suggesting("event-types"),
        Input::new("actor", log::actor_label(language), "search", filter.actor.text()),
        Input::new("customer_id", log::customer_label(language), "search", filter.customer_id.text()),
        Input::new("from", common::from(language), "date", filter.from.text()),
        Input::new("to", common::until(language), "date", filter.to.text()),
    ];
    let suggestions = view! { <datalist id="event-types">{known}</datalist> };
    view! {
        <header class="page-head">
            <div>
                <h1>{staff::audit(language)}</h1>
                <p class="page-sub">{log::subtitle(language)}</p>
            </div>
            <div class="actions">{file}</div>
        </header>
        <FilterForm query label=staff::audit(language) inputs wrong=answer.err() more=suggestions.into_any() />
    }
    .into_any()
}

/// How far the chain of seals reaches.
fn chain(sealed: Option<&SealSummary>) -> impl IntoView + use<> {
    let language = language();
    let (tone, text) = match sealed {
        Some(seal) => {
            let (at, hash) = (seal.sealed_at, seal.hash.clone());
            let upto = log::sealed_up_to(language, seal.last_id.to_string(), seal.seq.to_string());
            let text = view! {
                {upto} " " <Moment at time=true /> ". " {log::hash(language)} " "
                <code class="ids">{hash}</code>
            };
            (Tone::Good, Either::Left(text))
        }
        None => (Tone::Neutral, Either::Right(log::nothing_sealed(language))),
    };
    view! {
        <p class=format!("notice {}", tone.class())>
            <Icon glyph=Glyph::of(tone) />
            <span>{text}</span>
        </p>
    }
}

fn list(query: &ListQuery<AuditFilter>, trail: &Trail) -> AnyView {
    let any = !trail.entries.is_empty();
    let sealed_upto = trail.sealed.as_ref().map(|seal| seal.last_id);
    let table = any.then(|| view! { <AuditEntries entries=&trail.entries sealed_upto /> }.into_any());
    let uncounted = (any && trail.pagination.total >= MOST_COUNTED).then(|| view! { <p class="quiet">{log::only_newest(language())}</p> });
    view! {
        {chain(trail.sealed.as_ref())}
        {rows(&WORDS, query, &trail.pagination, table)}
        {uncounted}
    }
    .into_any()
}
