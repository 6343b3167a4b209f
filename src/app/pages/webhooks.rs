//! The webhook inbox, for staff: Stripe's events, their status, and a replay of failed ones.

use crate::{
    app::{
        Page,
        address::{Address, address},
        calls::webhooks::webhooks,
        components::{
            Glyph, Icon,
            filter_form::{FilterErrors, FilterForm, Input, Segments},
            list::{ListWords, query, rows, show},
            live::{Live, live_content},
            webhook_table::WebhookTable,
        },
        filters::href,
        language,
        usage_summary::Tone,
    },
    domain::{
        list::{ListQuery, WebhookFilter},
        webhook::{WebhookPage, WebhookStatus},
    },
    text::{common, format, staff, staff::inbox},
};
use leptos::prelude::*;

static WORDS: ListWords = ListWords {
    count: common::events,
    glyph: Glyph::Inbox,
    empty: (staff::no_events, staff::no_events_text),
    unmatched: staff::no_event_matches,
    past_end: staff::no_more_events,
    fields: &[("type", common::search_too_long), ("q", common::search_too_long)],
};

type Query = ListQuery<WebhookFilter>;

/// `/admin/webhooks?status=&type=&q=&page=`.
pub async fn page() -> Page {
    let query: Query = query();
    let answer = webhooks(query.clone()).await;
    let replays = Replays::read(&address());
    let head = |answer: Result<&WebhookPage, &FilterErrors>| head(&query, answer, replays);
    let content = show(&WORDS, &query, answer, head, |page| {
        // Only the rows, so that input and focus are not lost.
        let rows = list(&query, &page);
        view! { <Live href=format!("/live{}", href(&query))>{rows}</Live> }.into_any()
    });
    Page::new(staff::webhooks(language()), content)
}

/// `/live/admin/webhooks`: the rows.
pub async fn live() -> AnyView {
    let query: Query = query();
    let answer = webhooks(query.clone()).await;
    live_content(answer, |page| list(&query, &page))
}

/// The result of the form that replays all failures, from the URL.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Replays {
    replayed: u64,
    still_failing: u64,
}

impl Replays {
    fn read(address: &Address) -> Option<Replays> {
        Some(Replays { replayed: address.parse("replayed")?, still_failing: address.parse("failing")? })
    }
}

fn head(query: &Query, answer: Result<&WebhookPage, &FilterErrors>, replays: Option<Replays>) -> AnyView {
    let language = language();
    let counts = answer.ok().map(|page| page.counts);
    let failures = counts.map_or(0, |counts| counts.failed + counts.dead);
    let replay_all = (failures > 0).then(|| {
        view! {
            <form method="post" action="/api/v1/admin/webhooks/replay">
                <button class="button">
                    <Icon glyph=Glyph::Again />
                    <span>{inbox::replay_all(language)}</span>
                </button>
            </form>
        }
    });
    let notice = replays.map(|Replays { replayed, still_failing }| {
        let tone = if still_failing == 0 { Tone::Good } else { Tone::Warning };
        view! {
            <p class=format!("notice {}", tone.class()) role="status">
                <Icon glyph=Glyph::of(tone) />
                <span>{inbox::replayed(language, replayed, still_failing)}</span>
            </p>
        }
    });
    let filter = &query.filter;
    let text = move |status: Option<WebhookStatus>| {
        let title = status.map_or_else(|| common::all(language), |status| inbox::status(language, status));
        counts.map_or_else(|| title.to_owned(), |counts| format!("{title} {}", format::integer(language, counts.of(status))))
    };
    let of_status = |status: Option<WebhookStatus>| href(&query.with(WebhookFilter { status: status.into(), ..filter.clone() }));
    let inputs = vec![
        Input::new("q", inbox::id_label(language), "search", filter.q.text()).growing(),
        Input::new("type", inbox::type_label(language), "search", filter.event_type.text()).growing(),
    ];
    let links = view! {
        <Segments
            label=common::status(language)
            values=WebhookStatus::ALL.to_vec()
            parameter=&filter.status
            text
            href=of_status
        />
    };
    view! {
        <header class="page-head">
            <div>
                <h1>{staff::webhooks(language)}</h1>
                <p class="page-sub">{inbox::subtitle(language)}</p>
            </div>
            <div class="actions">{replay_all}</div>
        </header>
        {notice}
        <FilterForm query label=inbox::events(language) inputs wrong=answer.err() links=links.into_any() />
    }
    .into_any()
}

fn list(query: &Query, page: &WebhookPage) -> AnyView {
    let table = (!page.events.is_empty()).then(|| view! { <WebhookTable events=&page.events /> }.into_any());
    rows(&WORDS, query, &page.pagination, table)
}
