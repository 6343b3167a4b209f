//! Login: a plain form that works without JavaScript.

use crate::{
    app::{
        Page,
        address::address,
        components::{Glyph, Icon, brand::Brand, language_switch::LanguageSwitch, theme_switch::ThemeSwitch},
        language,
        local_path::{HOME, local_path},
    },
    domain::language::Language,
    text::{common, login as words},
};
use leptos::prelude::*;

/// Code in the URL of a login after the session ended, and of one that had a form with input.
pub const SESSION_EXPIRED: &str = "session_expired";
pub const SESSION_EXPIRED_UNSAVED: &str = "session_expired_unsaved";

/// Why the login page is shown, by the code in the URL.
struct Reason {
    text: String,
    /// A session that ended is no mistake of the user.
    is_error: bool,
}

impl Reason {
    fn of(language: Language, code: &str, wait: Option<u64>) -> Reason {
        let text = match code {
            "login_throttled" => words::throttled(language, wait),
            "invalid_credentials" => words::wrong(language).to_owned(),
            "rate_limited" => words::too_often(language).to_owned(),
            "invalid_code" => words::wrong_code(language).to_owned(),
            "cross_site" => words::cross_site(language).to_owned(),
            SESSION_EXPIRED => words::session_ended(language).to_owned(),
            SESSION_EXPIRED_UNSAVED => words::session_ended_unsaved(language).to_owned(),
            _ => words::failed(language).to_owned(),
        };
        Reason { text, is_error: !matches!(code, SESSION_EXPIRED | SESSION_EXPIRED_UNSAVED) }
    }
}

/// The e-mail address of a login that has just failed; only known on the server.
#[derive(Clone, Debug)]
pub struct LoginEmail(pub String);

/// `/login?next=&error=&wait=`, and `/login?step=code` if a code must follow.
pub fn page() -> Page {
    // The server redirects here with these.
    let query = address();
    let next = query.get("next").and_then(local_path).unwrap_or(HOME).to_owned();
    let email = use_context::<LoginEmail>().map(|LoginEmail(email)| email).unwrap_or_default();
    let language = language();
    let reason = query.get("error").map(|code| Reason::of(language, code, query.parse("wait")));
    let described = reason.as_ref().map(|_| "login-error");
    let wrong = query.get("error").filter(|code| *code == "invalid_credentials").map(|_| "true");
    let known = !email.is_empty();
    if query.get("step") == Some("code") {
        return Page::new(words::code_title(language), code_step(reason, next));
    }
    let content = view! {
        <main class="alone">
            <div class="login">
                <Brand />
                <h1>{words::title(language)}</h1>
                {reason.map(refusal)}
                <form method="post" action="/api/v1/auth/login">
                    <input type="hidden" name="next" value=next />
                    <div class="field">
                        <label for="email">{common::email(language)}</label>
                        <input
                            id="email"
                            name="email"
                            type="email"
                            autocomplete="username"
                            value=email
                            required
                            autofocus=!known
                            aria-invalid=wrong
                            aria-describedby=described
                        />
                    </div>
                    <div class="field">
                        <label for="password">{words::password(language)}</label>
                        <input
                            id="password"
                            name="password"
                            type="password"
                            autocomplete="current-password"
                            required
                            autofocus=known
                            aria-invalid=wrong
                            aria-describedby=described
                        />
                    </div>
                    <button class="button primary wide">{words::sign_in(language)}</button>
                </form>
            </div>
            <LanguageSwitch language chosen=Some(language) />
            <ThemeSwitch />
        </main>
    };
    Page::new(words::title(language), content)
}

/// Why one signs in again.
fn refusal(Reason { text, is_error }: Reason) -> impl IntoView {
    let (class, role, glyph) =
        if is_error { ("notice tone-danger", "alert", Glyph::Over) } else { ("notice tone-warning", "status", Glyph::Warning) };
    view! {
        <p id="login-error" class=class role=role>
            <Icon glyph />
            <span>{text}</span>
        </p>
    }
}

/// The second step: the code after a password.
fn code_step(reason: Option<Reason>, next: String) -> impl IntoView {
    let language = language();
    let described = reason.as_ref().map(|_| "login-error");
    let wrong = reason.as_ref().filter(|reason| reason.is_error).map(|_| "true");
    view! {
        <main class="alone">
            <div class="login">
                <Brand />
                <h1>{words::code_title(language)}</h1>
                {reason.map(refusal)}
                <form method="post" action="/api/v1/auth/login/code">
                    <input type="hidden" name="next" value=next />
                    <div class="field">
                        <label for="code">{words::code(language)}</label>
                        <input
                            id="code"
                            name="code"
                            type="text"
                            autocomplete="one-time-code"
                            autocapitalize="none"
                            spellcheck="false"
                            maxlength="40"
                            required
                            autofocus
                            aria-invalid=wrong
                            aria-describedby=described
                        />
                    </div>
                    <button class="button primary wide">{words::sign_in(language)}</button>
                </form>
                <a href="/login">{words::start_again(language)}</a>
            </div>
            <LanguageSwitch language chosen=Some(language) />
            <ThemeSwitch />
        </main>
    }
}
