//! One event of the inbox: its object, its status and the reason, the payload, and a replay.

use crate::{
    app::{
        Page,
        address::address,
        calls::webhooks::webhook,
        components::{Glyph, Icon, Moment, ProblemNotice, WebhookBadge},
        json_text::lay_out,
        language,
        local_path::{CUSTOMERS, WEBHOOKS, percent_encode},
        stripe_dashboard::dashboard_href,
        usage_summary::Tone,
    },
    domain::webhook::{WebhookDetail, WebhookStatus},
    text::{common, format, staff::inbox as words},
};
use leptos::{either::Either, prelude::*};

/// `/admin/webhooks/:id`.
pub async fn page(id: String) -> Page {
    let language = language();
    // The form redirects here with the replay's result.
    let replayed = address().parse::<WebhookStatus>("replayed");
    let (title, content) = match webhook(id).await {
        Ok(event) => (event.summary.event_type.clone(), Either::Left(show(event, replayed))),
        Err(problem) => (words::webhook_event(language).to_owned(), Either::Right(view! { <ProblemNotice problem page=true /> })),
    };
    let content = view! {
        <p class="back"><a href=WEBHOOKS><Icon glyph=Glyph::Previous /><span>{words::all_events(language)}</span></a></p>
        {content}
    };
    Page::new(title, content)
}

fn show(event: WebhookDetail, replayed: Option<WebhookStatus>) -> impl IntoView {
    let language = language();
    let summary = event.summary;
    let mode = event.livemode.map(|live| if live { words::live(language) } else { words::test(language) });
    let notice = replayed.map(|status| {
        let tone = match status {
            WebhookStatus::Applied => Tone::Good,
            WebhookStatus::Ignored | WebhookStatus::Received => Tone::Neutral,
            WebhookStatus::Failed | WebhookStatus::Dead => Tone::Warning,
        };
        let text = words::replay_result(language, status);
        view! {
            <p class=format!("notice {}", tone.class()) role="status">
                <Icon glyph=Glyph::of(tone) />
                <span>{text}</span>
            </p>
        }
    });
    let reason = summary.error.clone().map(|reason| {
        let (tone, title) = if summary.status.is_failure() {
            (Tone::Danger, words::cannot_apply(language))
        } else {
            (Tone::Neutral, words::was_ignored(language))
        };
        view! {
            <p class=format!("notice ids {}", tone.class())>
                <Icon glyph=Glyph::of(tone) />
                <span>{title} " " {reason}</span>
            </p>
        }
    });
    let fact =
        |name: &'static str, value: Option<String>| value.map(|value| view! { <div><dt>{name}</dt><dd class="ids">{value}</dd></div> });
    let stripe_link = |id: &str| {
        let href = dashboard_href(id, event.livemode);
        href.map(|href| view! { " · " <a href=href rel="external noreferrer">{words::open_in_stripe(language)}</a> })
    };
    let object = |name: &'static str, id: Option<String>| {
        id.map(|id| {
            let link = stripe_link(&id);
            view! { <div><dt>{name}</dt><dd class="ids">{id} {link}</dd></div> }
        })
    };
    let customer = summary.customer.clone().map(|name| {
        let href = format!("{CUSTOMERS}?q={}", percent_encode(&name));
        view! { <div><dt>{common::customer(language)}</dt><dd class="ids"><a href=href>{name}</a></dd></div> }
    });
    let invoice_id = event.stripe_invoice_id.clone().filter(|id| summary.object_id.as_ref() != Some(id));
    view! {
        <header class="page-head">
            <div>
                <div class="title-row"><h1 class="ids">{summary.event_type.clone()}</h1><WebhookBadge status=summary.status /></div>
                <p class="page-sub ids">{summary.id.clone()}</p>
            </div>
            <form class="actions" method="post" action=format!("/api/v1{WEBHOOKS}/{}/replay", percent_encode(&summary.id))>
                <button class="button primary">
                    <Icon glyph=Glyph::Again />
                    <span>{words::replay(language)}</span>
                </button>
            </form>
        </header>
        {notice}
        {reason}
        <dl class="facts wide-facts">
            {object(words::object(language), summary.object_id.clone())}
            {customer}
            {object(words::invoice(language), invoice_id)}
            {event.happened_at.map(|at| view! { <div><dt>{words::occurred(language)}</dt><dd><Moment at time=true /></dd></div> })}
            <div><dt>{words::received(language)}</dt><dd><Moment at=summary.received_at time=true /></dd></div>
            {summary.processed_at.map(|at| view! { <div><dt>{words::last_attempt(language)}</dt><dd><Moment at time=true /></dd></div> })}
            {fact(words::attempts(language), Some(format::integer(language, summary.attempts.into())))}
            {fact(words::api_version(language), event.api_version)}
            {fact(words::mode(language), mode.map(str::to_owned))}
        </dl>
        <section class="panel" aria-labelledby="payload-title">
            <header class="panel-head"><h2 id="payload-title">{words::payload(language)}</h2></header>
            <pre class="payload"><code>{lay_out(&event.payload)}</code></pre>
        </section>
    }
}
