//! The webhook inbox, for staff: Stripe's events, their status, and a replay of failed ones.

use crate::{
    app::{
        calls::webhooks::webhooks,
        clock::every,
        components::{
            Glyph, Icon,
            filter_form::{FilterForm, Input, Segments},
            list::{ListPage, ListWords, load, rows, show},
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
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use std::time::Duration;

/// Interval at which an open, visible page updates.
const REFRESH: Duration = Duration::from_secs(3);

static WORDS: ListWords = ListWords {
    noun: "event",
    glyph: Glyph::Inbox,
    empty: ("No events yet", "The first one appears here when Stripe sends it."),
    unmatched: ("Nothing matches", "No event matches these filters."),
    clear: "Clear the filters",
    parameters: &[
        ("status", "The status can’t be used: "),
        ("type", "The type can’t be used: "),
        ("q", "The id can’t be used: "),
        ("page", "The page can’t be used: "),
        ("limit", "The page can’t be used: "),
    ],
};

type Query = ListQuery<WebhookFilter>;

/// The newest response since the page was loaded, and its query.
type Live = RwSignal<Option<(Query, WebhookPage)>>;

/// `/admin/webhooks?status=&type=&q=&page=`.
#[component]
pub fn WebhooksPage() -> impl IntoView {
    let address = use_query_map();
    let replays = Memo::new(move |_| address.with(Replays::read));
    let (query, page) = load(webhooks);
    let live = follow(query);
    let content = move || async move {
        let (query, answer) = page.await;
        let head = |answer: Result<&WebhookPage, &str>| head(&query, answer, replays.get_untracked());
        show(&WORDS, &query, answer, head, |page| renewed(query.clone(), page, live))
    };
    view! { <ListPage title="Webhooks" content /> }
}

/// Browser only: updates repeatedly while the page is visible, so that new events and replays
/// appear.
fn follow(query: Memo<Query>) -> Live {
    let live = RwSignal::new(None);
    let asking = StoredValue::new(false);
    let ask = move || {
        if asking.get_value() || document().hidden() {
            return;
        }
        asking.set_value(true);
        let asked = query.get_untracked();
        spawn_local(async move {
            let answer = webhooks(asked.clone()).await;
            // The page may be gone, and its signals with it. Failed updates are retried; the rows
            // stay.
            asking.try_set_value(false);
            if let Ok(page) = answer {
                live.try_set(Some((asked, page)));
            }
        });
    };
    Effect::new(move || every(REFRESH, ask));
    live
}

/// The result of the form that replays all failures, from the URL.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Replays {
    replayed: u64,
    still_failing: u64,
}

impl Replays {
    fn read(query: &ParamsMap) -> Option<Replays> {
        let number = |name| query.get_str(name)?.parse::<u64>().ok();
        Some(Replays { replayed: number("replayed")?, still_failing: number("failing")? })
    }
}

fn head(query: &Query, answer: Result<&WebhookPage, &str>, replays: Option<Replays>) -> AnyView {
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
    view! {
        <header class="page-head">
            <div>
                <h1>"Webhooks"</h1>
                <p class="page-sub">"Every event that Stripe sent, with its status."</p>
            </div>
            <div class="actions">{replay_all}</div>
        </header>
        {notice}
        <Segments
            label="Status"
            values=WebhookStatus::ALL.to_vec()
            parameter=&filter.status
            text
            href=of_status
        />
        <FilterForm query label="Events" inputs wrong=answer.err() />
    }
    .into_any()
}

/// Only the rows are updated, and only if they have changed, so that input and focus are not lost.
fn renewed(query: Query, page: WebhookPage, live: Live) -> AnyView {
    let newest = Memo::new({
        let query = query.clone();
        move |_| live.with(|live| live.as_ref().filter(|(of, _)| *of == query).map_or_else(|| page.clone(), |(_, page)| page.clone()))
    });
    (move || newest.with(|page| list(&query, page))).into_any()
}

fn list(query: &Query, page: &WebhookPage) -> AnyView {
    let table = (!page.events.is_empty()).then(|| view! { <WebhookTable events=&page.events /> }.into_any());
    rows(&WORDS, query, &page.pagination, table)
}
