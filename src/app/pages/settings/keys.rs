//! API keys: the list, creating one, revoking one.

use super::{
    field::{Field, Filled, Input},
    hidden, notice,
};
use crate::{
    app::{
        components::{Glyph, Icon, Moment, copy_button::CopyButton},
        language,
        local_path::SETTINGS,
    },
    domain::settings::{ApiKeySummary, NewApiKey},
    text::settings as words,
};
use leptos::{either::Either, prelude::*};

/// Shows a new key, once.
pub fn made(new: NewApiKey) -> impl IntoView {
    let language = language();
    view! {
        <div class="notice tone-good new-key">
            <Icon glyph=Glyph::Check />
            <div class="ids">
                <div role="status">
                    <p><strong>{words::key_created(language)}</strong></p>
                    <p>{words::key_once(language, &new.summary.name)}</p>
                </div>
                <p class="copied"><code>{new.key.clone()}</code> " " <CopyButton text=new.key of=new.summary.name /></p>
            </div>
        </div>
    }
}

/// Active keys, and a form to create one.
pub fn panel(keys: &[ApiKeySummary], input: Input<'_>) -> impl IntoView + use<> {
    let language = language();
    let list = if keys.is_empty() {
        Either::Left(view! { <p class="quiet">{words::no_keys(language)}</p> })
    } else {
        Either::Right(view! { <ul class="entries">{keys.iter().map(key).collect_view()}</ul> })
    };
    let name = Field { required: true, ..Field::new("name", "text", words::key_name(language)) };
    let filled = Filled { form: "key", set: Vec::new(), input };
    view! {
        <section class="panel" aria-labelledby="keys-title">
            <header class="panel-head"><h2 id="keys-title">{words::keys(language)}</h2></header>
            {notice(input)}
            <div class="entries">
                {list}
                <form method="post" action=SETTINGS class="filters" novalidate>
                    {hidden("key")}
                    <div class="grow">{filled.input(name)}</div>
                    <button class="button">{words::create_key(language)}</button>
                </form>
            </div>
        </section>
    }
}

fn key(key: &ApiKeySummary) -> impl IntoView + use<> {
    let language = language();
    let used = match key.last_used_at {
        None => Either::Left(words::never_used(language)),
        Some(at) => Either::Right(view! { {words::last_used(language)} " " <Moment at time=true /> }),
    };
    let name = key.name.clone();
    view! {
        <li>
            <div class="ids">
                <strong>{key.name.clone()}</strong>
                <span class="quiet">
                    <code>{key.prefix.clone()} "…"</code> " · " {words::key_made_on(language)} " " <Moment at=key.created_at /> " · " {used}
                </span>
            </div>
            // Two steps, because it can't be undone.
            <details class="chart-table">
                <summary>{words::revoke(language)} <span class="visually-hidden">" " {name.clone()}</span></summary>
                <form method="post" action=SETTINGS>
                    {hidden("key-revoke")}
                    <input type="hidden" name="id" value=key.id.to_string() />
                    <button class="button">{words::revoke_key(language)} <span class="visually-hidden">" " {name}</span></button>
                </form>
            </details>
        </li>
    }
}
