//! One event of the inbox: its object, its status and the reason, the payload, and a replay.

use crate::{
    app::{
        Page,
        address::address,
        calls::webhooks::webhook,
        components::{Glyph, Icon, Moment, ProblemNotice, WebhookBadge},
        json_text::lay_out,
        local_path::{WEBHOOKS, percent_encode},
        usage_summary::Tone,
    },
    domain::webhook::{WebhookDetail, WebhookStatus},
};
use leptos::{either::Either, prelude::*};

/// `/admin/webhooks/:id`.
pub async fn page(id: String) -> Page {
    // The form redirects here with the replay's result.
    let replayed = address().parse::<WebhookStatus>("replayed");
    let (title, content) = match webhook(id).await {
        Ok(event) => (event.summary.event_type.clone(), Either::Left(show(event, replayed))),
        Err(problem) => ("Webhook event".to_owned(), Either::Right(view! { <ProblemNotice problem page=true /> })),
    };
    let content = view! {
        <p class="back"><a href=WEBHOOKS><Icon glyph=Glyph::Previous /><span>"All events"</span></a></p>
        {content}
    };
    Page::new(title, content)
}

fn show(event: WebhookDetail, replayed: Option<WebhookStatus>) -> impl IntoView {
    let summary = event.summary;
    let mode = event.livemode.map(|live| if live { "Live" } else { "Test" });
    let notice = replayed.map(|status| {
        let (tone, text) = match status {
            WebhookStatus::Applied => (Tone::Good, "Replayed: the event is applied."),
            WebhookStatus::Ignored => (Tone::Neutral, "Replayed: the event is ignored."),
            WebhookStatus::Received => (Tone::Neutral, "The event will be applied when billing is switched on again."),
            WebhookStatus::Failed | WebhookStatus::Dead => (Tone::Warning, "Replayed, but the event still can’t be applied."),
        };
        view! {
            <p class=format!("notice {}", tone.class()) role="status">
                <Icon glyph=Glyph::of(tone) />
                <span>{text}</span>
            </p>
        }
    });
    let reason = summary.error.clone().map(|reason| {
        let (tone, title) =
            if summary.status.is_failure() { (Tone::Danger, "It can’t be applied: ") } else { (Tone::Neutral, "It was ignored: ") };
        view! {
            <p class=format!("notice ids {}", tone.class())>
                <Icon glyph=Glyph::of(tone) />
                <span>{title} {reason}</span>
            </p>
        }
    });
    let fact =
        |name: &'static str, value: Option<String>| value.map(|value| view! { <div><dt>{name}</dt><dd class="ids">{value}</dd></div> });
    view! {
        <header class="page-head">
            <div>
                <div class="title-row"><h1 class="ids">{summary.event_type.clone()}</h1><WebhookBadge status=summary.status /></div>
                <p class="page-sub ids">{summary.id.clone()}</p>
            </div>
            <form class="actions" method="post" action=format!("/api/v1{WEBHOOKS}/{}/replay", percent_encode(&summary.id))>
                <button class="button primary">
                    <Icon glyph=Glyph::Again />
                    <span>"Replay"</span>
                </button>
            </form>
        </header>
        {notice}
        {reason}
        <dl class="facts wide-facts">
            {fact("About", summary.object_id)}
            {fact("Customer", summary.customer)}
            {fact("Invoice", event.stripe_invoice_id)}
            {event.happened_at.map(|at| view! { <div><dt>"Happened"</dt><dd><Moment at time=true /></dd></div> })}
            <div><dt>"Received"</dt><dd><Moment at=summary.received_at time=true /></dd></div>
            {summary.processed_at.map(|at| view! { <div><dt>"Last tried"</dt><dd><Moment at time=true /></dd></div> })}
            {fact("Tries", Some(summary.attempts.to_string()))}
            {fact("API version", event.api_version)}
            {fact("Mode", mode.map(str::to_owned))}
        </dl>
        <section class="panel" aria-labelledby="payload-title">
            <header class="panel-head"><h2 id="payload-title">"Payload"</h2></header>
            <pre class="payload"><code>{lay_out(&event.payload)}</code></pre>
        </section>
    }
}
