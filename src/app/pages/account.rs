//! The user's own account: the password, the second factor, and sessions. Plain forms that work
//! without JavaScript.

mod password;
mod second_factor;
mod sessions;

use crate::{
    app::{
        Page,
        address::address,
        calls::{
            Problem,
            session::{me, own_sessions, totp},
        },
        components::{
            Glyph, Icon, ProblemNotice,
            done_notice::{DoneNotice, not_saved},
            language_switch::LanguageSwitch,
        },
        form_result::{Outcome, Refusal, outcome},
        language,
        status::set_status,
    },
    domain::{identity::Viewer, language::Language, second_factor::TotpState, session::OwnSessions},
    text::account as words,
};
use leptos::{either::Either, prelude::*};

/// Id of the message about a rejected form.
const PROBLEM: &str = "account-problem";

/// `/account?done=`.
pub async fn page() -> Page {
    let done = address().get("done").and_then(said);
    let content = match (me().await, own_sessions().await, totp().await) {
        (Ok(viewer), Ok(sessions), Ok(state)) => Either::Left(show(viewer, sessions, state, outcome(), done)),
        (Err(problem), ..) | (_, Err(problem), _) | (.., Err(problem)) => Either::Right(view! { <ProblemNotice problem page=true /> }),
    };
    Page::new("Your account", content)
}

/// The message of a redirect after a form.
fn said(word: &str) -> Option<&'static str> {
    Some(match word {
        "password" => "Your password is changed, and every other session is ended.",
        "session_ended" => "The session is ended.",
        "totp_disabled" => "The second factor is off, and every other session is ended.",
        "others_ended" => "Every other session is ended.",
        _ => return None,
    })
}

fn show(viewer: Viewer, sessions: OwnSessions, state: TotpState, outcome: Outcome, done: Option<&'static str>) -> impl IntoView {
    let Outcome { refused, offered, recovery_codes, .. } = outcome;
    if let Some(refused) = &refused {
        set_status(refused.problem.status);
    }
    let refusal = |form: &str| refused.as_ref().filter(|refused| refused.form == form);
    // For a form without correctable fields.
    let of_second_factor = refused.as_ref().filter(|refused| refused.form.starts_with("totp-"));
    let other = refused.as_ref().filter(|refused| refused.form != "password" && !refused.form.starts_with("totp-")).map(notice);
    let notice = done.map(|text| view! { <DoneNotice text /> });
    view! {
        <header class="page-head">
            <div>
                <h1>"Your account"</h1>
                <p class="page-sub">"How you sign in, and where you are signed in."</p>
            </div>
        </header>
        {notice}
        {other}
        {(state.required && !state.enabled).then(second_factor::wanted)}
        {(!recovery_codes.is_empty()).then(|| second_factor::recovery_codes(recovery_codes))}
        {language_panel(viewer.language)}
        {password::panel(&viewer.email, refusal("password"))}
        {second_factor::panel(state, offered, of_second_factor)}
        {sessions::panel(&sessions)}
    }
}

/// The language of the console and of mails.
fn language_panel(chosen: Option<Language>) -> impl IntoView {
    let language = language();
    view! {
        <section class="panel" aria-labelledby="language-title">
            <header class="panel-head">
                <div>
                    <h2 id="language-title">{words::language(language)}</h2>
                    <p class="quiet">{words::language_hint(language)}</p>
                </div>
                <LanguageSwitch language chosen automatic=true />
            </header>
        </section>
    }
}

/// Why a form was rejected.
fn notice(refusal: &Refusal) -> impl IntoView + use<> {
    let Problem { status, code, .. } = &refusal.problem;
    let text = match (*status, code.as_str()) {
        (429, ..) => "Too many attempts didn’t succeed. Wait a few minutes, then try again.".to_owned(),
        (409, "totp_enabled") => "An authenticator app is set up already.".to_owned(),
        (409, "totp_not_offered") => "The set-up was interrupted. Start it again.".to_owned(),
        (404, ..) => "That session has ended already.".to_owned(),
        _ => not_saved(&refusal.problem, refusal.problem.parameter.as_deref().and_then(label_of)),
    };
    view! {
        <p id=PROBLEM class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{text}</span>
        </p>
    }
}

/// The label of a field.
fn label_of(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "current_password" => "Current password",
        "new_password" => "New password",
        "code" => "Code",
        _ => return None,
    })
}
