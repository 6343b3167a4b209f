//! The user's own account: the password, the second factor, and sessions. Plain forms that work
//! without JavaScript.

mod password;
mod second_factor;
mod sessions;

use crate::{
    app::{
        Page,
        address::address,
        calls::session::{me, own_sessions, totp},
        components::{
            ProblemNotice,
            done_notice::{DoneNotice, FormError, summary},
            language_switch::LanguageSwitch,
        },
        form_result::{Outcome, Refusal, outcome},
        language,
        status::set_status,
    },
    domain::{error_code::ErrorCode, identity::Viewer, language::Language, second_factor::TotpState, session::OwnSessions},
    text::{account as words, problems},
};
use leptos::{either::Either, prelude::*};

/// `/account?done=`.
pub async fn page() -> Page {
    let language = language();
    let done = address().get("done").and_then(|word| said(language, word));
    let content = match (me().await, own_sessions().await, totp().await) {
        (Ok(viewer), Ok(sessions), Ok(state)) => Either::Left(show(viewer, sessions, state, outcome(), done)),
        (Err(problem), ..) | (_, Err(problem), _) | (.., Err(problem)) => Either::Right(view! { <ProblemNotice problem page=true /> }),
    };
    Page::new(words::title(language), content)
}

/// The message of a redirect after a form.
fn said(language: Language, word: &str) -> Option<&'static str> {
    Some(match word {
        "password" => words::password_changed(language),
        "session_ended" => words::session_ended(language),
        "totp_disabled" => words::totp_disabled(language),
        "others_ended" => words::others_ended(language),
        _ => return None,
    })
}

fn show(viewer: Viewer, sessions: OwnSessions, state: TotpState, outcome: Outcome, done: Option<&'static str>) -> impl IntoView {
    let Outcome { refused, offered, recovery_codes, .. } = outcome;
    let language = language();
    if let Some(refused) = &refused {
        set_status(refused.problem.status);
    }
    let refusal = |form: &str| refused.as_ref().filter(|refused| refused.form == form);
    // For a form without correctable fields.
    let of_second_factor = refused.as_ref().filter(|refused| refused.form.starts_with("totp-"));
    let other = refused.as_ref().filter(|refused| refused.form != "password" && !refused.form.starts_with("totp-")).map(|refused| {
        let text = match refused.code() {
            ErrorCode::NotFound => words::session_gone(language),
            code => problems::form(language, code),
        };
        view! { <FormError text /> }
    });
    let notice = done.map(|text| view! { <DoneNotice text /> });
    view! {
        <header class="page-head">
            <div>
                <h1>{words::title(language)}</h1>
                <p class="page-sub">{words::subtitle(language)}</p>
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

/// Why a form was rejected, unless the message is at its field.
fn notice(refusal: &Refusal) -> Option<AnyView> {
    summary(refusal, |field| label_of(language(), field))
}

/// The label of a field.
fn label_of(language: Language, parameter: &str) -> Option<String> {
    let label = match parameter {
        "current_password" => words::current_password(language),
        "new_password" => words::new_password(language),
        "code" => words::code(language),
        _ => return None,
    };
    Some(label.to_owned())
}
