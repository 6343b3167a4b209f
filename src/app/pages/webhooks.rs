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
        usage_summary::Tone,
    },
    domain::{
        format,
        list::{ListQuery, WebhookFilter},
        money::group_thousands,
        webhook::{WebhookPage, WebhookStatus},
    },
    text::{common, staff as words},
};
use leptos::prelude::*;

static WORDS: ListWords = ListWords {
    count: common::events,
    glyph: Glyph::Inbox,
    empty: (words::no_events, words::no_events_text),
    unmatched: words::no_event_matches,
    past_end: words::no_more_events,
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
    Page::new("Webhooks", content)
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
    let counts = answer.ok().map(|page| page.counts);
    let failures = counts.map_or(0, |counts| counts.failed + counts.dead);
    let replay_all = (failures > 0).then(|| {
        view! {
            <form method="post" action="/api/v1/admin/webhooks/replay">
                <button class="button">
                    <Icon glyph=Glyph::Again />
                    <span>"Replay all failures"</span>
                </button>
            </form>
        }
    });
    let notice = replays.map(|Replays { replayed, still_failing }| {
        let tone = if still_failing == 0 { Tone::Good } else { Tone::Warning };
        view! {
            <p class=format!("notice {}", tone.class()) role="status">
                <Icon glyph=Glyph::of(tone) />
                <span>{format!("{} replayed; {} still can’t be applied.", format::counted(replayed, "event"), still_failing)}</span>
            </p>
        }
    });
    let filter = &query.filter;
    let text = move |status: Option<WebhookStatus>| {
        let title = status.map_or("All", WebhookStatus::title);
        counts.map_or_else(|| title.to_owned(), |counts| format!("{title} {}", group_thousands(counts.of(status))))
    };
    let of_status = |status: Option<WebhookStatus>| href(&query.with(WebhookFilter { status: status.into(), ..filter.clone() }));
    let inputs = vec![
        Input::new("q", "Event or object id", "search", filter.q.text()).growing(),
        Input::new("type", "Type begins with", "search", filter.event_type.text()).growing(),
    ];
    let links = view! {
        <Segments
            label="Status"
            values=WebhookStatus::ALL.to_vec()
            parameter=&filter.status
            text
            href=of_status
        />
    };
    view! {
        <header class="page-head">
            <div>
                <h1>"Webhooks"</h1>
                <p class="page-sub">"Every event that Stripe sent, with its status."</p>
            </div>
            <div class="actions">{replay_all}</div>
        </header>
        {notice}
        <FilterForm query label="Events" inputs wrong=answer.err() links=links.into_any() />
    }
    .into_any()
}

fn list(query: &Query, page: &WebhookPage) -> AnyView {
    let table = (!page.events.is_empty()).then(|| view! { <WebhookTable events=&page.events /> }.into_any());
    rows(&WORDS, query, &page.pagination, table)
}
