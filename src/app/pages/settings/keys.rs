//! API keys: the list, creating one, revoking one.

use super::{
    field::{Field, Filled},
    notice,
};
use crate::{
    app::{
        components::{Glyph, Icon, Moment},
        form_result::Refusal,
        local_path::SETTINGS,
    },
    domain::settings::{ApiKeySummary, NewApiKey},
};
use leptos::{either::Either, prelude::*};

/// Shows a new key, once.
pub fn made(new: NewApiKey) -> impl IntoView {
    view! {
        <div class="notice tone-good" role="status">
            <Icon glyph=Glyph::Check />
            <div class="ids">
                <p>{format!("The key “{}” is created. Copy it now: it can’t be shown again.", new.summary.name)}</p>
                <code>{new.key}</code>
            </div>
        </div>
    }
}

/// Active keys, and a form to create one.
pub fn panel(keys: &[ApiKeySummary], refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let list = if keys.is_empty() {
        Either::Left(view! { <p class="quiet">"There is not an API key yet, so no usage can be sent."</p> })
    } else {
        Either::Right(view! { <ul class="entries">{keys.iter().map(key).collect_view()}</ul> })
    };
    let name = Field { required: true, ..Field::new("name", "text", "Name of the new key, e.g. the service that will use it") };
    let filled = Filled { form: "key", set: Vec::new(), refusal };
    view! {
        <section class="panel" aria-labelledby="keys-title">
            <header class="panel-head"><h2 id="keys-title">"API keys"</h2></header>
            {refusal.map(notice)}
            <div class="entries">
                {list}
                <form method="post" action=SETTINGS class="filters">
                    <input type="hidden" name="form" value="key" />
                    <div class="grow">{filled.input(name)}</div>
                    <button class="button">"Create key"</button>
                </form>
            </div>
        </section>
    }
}

fn key(key: &ApiKeySummary) -> impl IntoView + use<> {
    let used = match key.last_used_at {
        None => Either::Left("never used"),
        Some(at) => Either::Right(view! { "last used " <Moment at time=true /> }),
    };
    let name = key.name.clone();
    view! {
        <li>
            <div class="ids">
                <strong>{key.name.clone()}</strong>
                <span class="quiet"><code>{key.prefix.clone()} "…"</code> " · made " <Moment at=key.created_at /> " · " {used}</span>
            </div>
            // Two steps, because it can't be undone.
            <details class="chart-table">
                <summary>"Revoke" <span class="visually-hidden">" " {name.clone()}</span></summary>
                <form method="post" action=SETTINGS>
                    <input type="hidden" name="form" value="key-revoke" />
                    <input type="hidden" name="id" value=key.id.to_string() />
                    <button class="button">"Revoke for good" <span class="visually-hidden">" " {name}</span></button>
                </form>
            </details>
        </li>
    }
}
