//! What everybody manages of the own account: the password, and where one is signed in. Plain forms, complete without JavaScript.

mod password;
mod sessions;

use crate::{
    app::{
        calls::{
            Problem,
            session::{me, own_sessions},
        },
        components::{Glyph, Icon, ProblemNotice, skeleton::Skeleton},
        outcome::{Outcome, Refusal, outcome},
        status::set_status,
    },
    domain::{identity::Viewer, session::OwnSessions},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// Address of the page, and of its forms.
pub const ACCOUNT: &str = "/account";

/// Where the message about a form that was not taken stands.
const PROBLEM: &str = "account-problem";

/// `/account?done=`.
#[component]
pub fn AccountPage() -> impl IntoView {
    let viewer = Resource::new(|| (), |()| me());
    let sessions = Resource::new(|| (), |()| own_sessions());
    let outcome = Resource::new(|| (), |()| outcome());
    let query = use_query_map();
    let done = Memo::new(move |_| query.with(|query| query.get_str("done").and_then(said)));
    view! {
        <Title text="Your account" />
        <Suspense fallback=|| view! { <Skeleton rows=8 /> }>
            {move || Suspend::new(async move {
                match (viewer.await, sessions.await, outcome.await) {
                    (Ok(viewer), Ok(sessions), outcome) => Either::Left(show(viewer, sessions, outcome, done.get_untracked())),
                    (Err(problem), ..) | (_, Err(problem), _) => Either::Right(view! { <ProblemNotice problem page=true /> }),
                }
            })}
        </Suspense>
    }
}

/// What the address says of the form that led here.
fn said(word: &str) -> Option<&'static str> {
    Some(match word {
        "password" => "Your password is changed, and every other session is ended.",
        "session_ended" => "The session is ended.",
        "others_ended" => "Every other session is ended.",
        _ => return None,
    })
}

fn show(viewer: Viewer, sessions: OwnSessions, outcome: Outcome, done: Option<&'static str>) -> impl IntoView {
    let refused = outcome.refused;
    if let Some(refused) = &refused {
        set_status(refused.problem.status);
    }
    let refusal = |form: &str| refused.as_ref().filter(|refused| refused.form == form);
    // Of a form that has nothing to correct.
    let other = refused.as_ref().filter(|refused| refused.form != "password").map(notice);
    let told = done.map(|text| {
        view! {
            <p class="notice tone-good" role="status">
                <Icon glyph=Glyph::Check />
                <span>{text}</span>
            </p>
        }
    });
    view! {
        <header class="page-head">
            <div>
                <h1>"Your account"</h1>
                <p class="page-sub">"Your password, and where you are signed in."</p>
            </div>
        </header>
        {told}
        {other}
        {password::panel(&viewer.email, refusal("password"))}
        {sessions::panel(&sessions)}
    }
}

/// Why a form was not taken.
fn notice(refusal: &Refusal) -> impl IntoView + use<> {
    let Problem { status, code, parameter, detail, .. } = &refusal.problem;
    let text = match (*status, code.as_str(), parameter.as_deref()) {
        (429, ..) => "Too many attempts didn’t succeed. Wait a few minutes, then try again.".to_owned(),
        (404, ..) => "That session has ended already.".to_owned(),
        (_, _, Some(parameter)) => {
            let detail = detail.strip_prefix(&format!("{parameter}: ")).unwrap_or(detail);
            match label_of(parameter) {
                Some(label) => format!("{label}: this {detail}."),
                None => format!("This can’t be saved: {detail}."),
            }
        }
        _ => format!("This couldn’t be saved ({code}). Try again in a moment."),
    };
    view! {
        <p id=PROBLEM class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{text}</span>
        </p>
    }
}

/// A field as its label names it.
fn label_of(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "current_password" => "Current password",
        "new_password" => "New password",
        _ => return None,
    })
}
