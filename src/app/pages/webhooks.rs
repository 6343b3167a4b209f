//! The webhook inbox, for staff: Stripe's events, their status, and a replay of failed ones.

use crate::{
    app::{
        calls::{Problem, webhooks::webhooks},
        clock::every,
        components::{
            Glyph, Icon, ProblemNotice,
            blank::{Blank, past_the_end},
            pagination::PageLinks,
            skeleton::Skeleton,
            unusable_filter::UnusableFilter,
            webhook_filter_form::WebhookFilterForm,
            webhook_table::WebhookTable,
        },
        local_path::WEBHOOKS,
        status::set_status,
        usage_summary::Tone,
        webhook_filters::WebhookFilters,
    },
    domain::{format, webhook::WebhookPage},
};
use leptos::{either::Either, prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use std::time::Duration;

/// Interval at which an open, visible page updates.
const REFRESH: Duration = Duration::from_secs(3);

/// The newest response since the page was loaded, and its filters.
type Live = RwSignal<Option<(WebhookFilters, WebhookPage)>>;

/// `/admin/webhooks?status=&type=&q=&page=`.
#[component]
pub fn WebhooksPage() -> impl IntoView {
    let query = use_query_map();
    let filters = Memo::new(move |_| query.with(|query| WebhookFilters::from_fields(|name| query.get(name))));
    let replays = Memo::new(move |_| query.with(Replays::read));
    let live = follow(filters);
    let page = Resource::new(
        move || filters.get(),
        |f: WebhookFilters| async move {
            let asked = f.clone();
            (asked, webhooks(f.status, f.event_type, f.q, f.page, f.limit).await)
        },
    );
    view! {
        <Title text="Webhooks" />
        <Transition fallback=|| view! { <Skeleton rows=8 /> }>
            {move || Suspend::new(async move {
                match page.await {
                    (_, Err(problem)) if problem.status != 422 => Either::Left(view! { <ProblemNotice problem page=true /> }),
                    (filters, answer) => Either::Right(show(filters, answer, replays.get_untracked(), live)),
                }
            })}
        </Transition>
    }
}

/// Browser only: updates repeatedly while the page is visible, so that new events and replays
/// appear.
fn follow(filters: Memo<WebhookFilters>) -> Live {
    let live = RwSignal::new(None);
    let asking = StoredValue::new(false);
    let ask = move || {
        if asking.get_value() || document().hidden() {
            return;
        }
        asking.set_value(true);
        let asked = filters.get_untracked();
        spawn_local(async move {
            let f = asked.clone();
            let answer = webhooks(f.status, f.event_type, f.q, f.page, f.limit).await;
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

fn show(filters: WebhookFilters, answer: Result<WebhookPage, Problem>, replays: Option<Replays>, live: Live) -> impl IntoView + use<> {
    let wrong = answer.as_ref().err().and_then(|problem| problem.parameter.clone());
    let counts = answer.as_ref().ok().map(|page| page.counts);
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
    let form = view! { <WebhookFilterForm filters=&filters counts wrong=wrong.as_deref() /> };
    let result = match answer {
        Ok(page) => {
            // Only the rows are updated, and only if they have changed, so that input and focus are
            // not lost.
            let newest = Memo::new({
                let filters = filters.clone();
                move |_| {
                    live.with(|live| live.as_ref().filter(|(of, _)| *of == filters).map_or_else(|| page.clone(), |(_, page)| page.clone()))
                }
            });
            Either::Left(move || newest.with(|page| list(page, &filters)))
        }
        Err(problem) => Either::Right(unusable(problem)),
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
        {form}
        {result}
    }
}

fn list(page: &WebhookPage, filters: &WebhookFilters) -> impl IntoView + use<> {
    if page.events.is_empty() {
        return Either::Left(empty(page, filters));
    }
    let href = |page| filters.on_page(page).href();
    Either::Right(view! {
        <WebhookTable events=&page.events />
        <PageLinks pagination=&page.pagination noun="event" href=&href />
    })
}

fn empty(page: &WebhookPage, filters: &WebhookFilters) -> impl IntoView + use<> {
    let said = if page.pagination.total > 0 {
        past_the_end(filters.on_page(page.pagination.total_pages).href())
    } else if filters.narrow() {
        ("Nothing matches", "No event matches these filters.", Some((WEBHOOKS.to_owned(), "Clear the filters")))
    } else {
        ("No events yet", "The first one appears here when Stripe sends it.", None)
    };
    view! { <Blank glyph=Glyph::Inbox said /> }
}

/// An invalid filter, explained by name.
fn unusable(problem: Problem) -> impl IntoView {
    set_status(problem.status);
    let field = match problem.parameter.as_deref() {
        Some("status") => "The status can’t be used: ",
        Some("type") => "The type can’t be used: ",
        Some("q") => "The id can’t be used: ",
        Some("page" | "limit") => "The page can’t be used: ",
        _ => "A filter can’t be used: ",
    };
    view! { <UnusableFilter field detail=problem.detail clear=WEBHOOKS.to_owned().to_owned() /> }
}
