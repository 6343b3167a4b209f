//! The user's sessions.

use crate::{
    app::{
        components::{Badge, Moment},
        language,
        local_path::ACCOUNT,
        usage_summary::Tone,
    },
    domain::session::{OwnSessions, SessionSummary, device},
    text::account as words,
};
use leptos::prelude::*;

/// Every session, with a button to end it.
pub fn panel(own: &OwnSessions) -> impl IntoView + use<> {
    let others = own.sessions.iter().any(|session| !session.current).then(|| {
        view! {
            <form method="post" action=ACCOUNT>
                <input type="hidden" name="form" value="sessions-end-others" />
                <button class="button">{words::sign_out_others(language())}</button>
            </form>
        }
    });
    view! {
        <section class="panel" aria-labelledby="sessions-title">
            <header class="panel-head"><h2 id="sessions-title">{words::sessions(language())}</h2> {others}</header>
            <ul class="entries">{own.sessions.iter().map(entry).collect_view()}</ul>
        </section>
    }
}

fn entry(session: &SessionSummary) -> impl IntoView + use<> {
    let language = language();
    let name = session.user_agent.as_deref().and_then(device).unwrap_or_else(|| words::unknown_device(language).to_owned());
    let address = session.ip_address.clone();
    let of = address.clone().map_or_else(|| name.clone(), |address| format!("{name}, {address}"));
    view! {
        <li>
            <div class="ids">
                <strong title=session.user_agent.clone()>{name}</strong>
                <span class="quiet">
                    {address.map(|address| format!("{address} · "))} {words::signed_in(language)} " " <Moment at=session.signed_in_at time=true /> " · " {words::last_seen(language)} " "
                    <Moment at=session.last_seen_at time=true />
                </span>
                {session.current.then(|| view! { <span class="badges"><Badge tone=Tone::Good text=words::this_session(language) /></span> })}
            </div>
            <form method="post" action=ACCOUNT>
                <input type="hidden" name="form" value="session-end" />
                <input type="hidden" name="id" value=session.id.to_string() />
                <button class="button">
                    {words::sign_out(language)} <span class="visually-hidden">" " {words::session_of(language, &of)}</span>
                </button>
            </form>
        </li>
    }
}
