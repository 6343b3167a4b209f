//! The user's sessions.

use crate::{
    app::{
        components::{Badge, Moment},
        local_path::ACCOUNT,
        usage_summary::Tone,
    },
    domain::session::{OwnSessions, SessionSummary, device},
};
use leptos::prelude::*;

/// Every session, with a button to end it.
pub fn panel(own: &OwnSessions) -> impl IntoView + use<> {
    let others = own.sessions.iter().any(|session| !session.current).then(|| {
        view! {
            <form method="post" action=ACCOUNT>
                <input type="hidden" name="form" value="sessions-end-others" />
                <button class="button">"End all others"</button>
            </form>
        }
    });
    view! {
        <section class="panel" aria-labelledby="sessions-title">
            <header class="panel-head"><h2 id="sessions-title">"Sessions"</h2> {others}</header>
            <ul class="entries">{own.sessions.iter().map(entry).collect_view()}</ul>
        </section>
    }
}

fn entry(session: &SessionSummary) -> impl IntoView + use<> {
    let name = session.user_agent.as_deref().and_then(device).unwrap_or_else(|| "Unknown program".to_owned());
    let address = session.ip_address.clone();
    let of = address.clone().map_or_else(|| name.clone(), |address| format!("{name}, {address}"));
    view! {
        <li>
            <div class="ids">
                <strong title=session.user_agent.clone()>{name}</strong>
                <span class="quiet">
                    {address.map(|address| format!("{address} · "))} "signed in " <Moment at=session.signed_in_at time=true /> " · last seen "
                    <Moment at=session.last_seen_at time=true />
                </span>
                {session.current.then(|| view! { <span class="badges"><Badge tone=Tone::Good text="This session" /></span> })}
            </div>
            <form method="post" action=ACCOUNT>
                <input type="hidden" name="form" value="session-end" />
                <input type="hidden" name="id" value=session.id.to_string() />
                <button class="button">"End" <span class="visually-hidden">" the session of " {of}</span></button>
            </form>
        </li>
    }
}
