//! Login: a plain form that works without JavaScript.

use crate::app::{
    Page,
    address::address,
    components::{Glyph, Icon, brand::Brand, language_switch::LanguageSwitch, theme_switch::ThemeSwitch},
    language,
    local_path::{HOME, local_path},
};
use leptos::prelude::*;

/// The message of a failed attempt, by the code in the URL.
fn message(code: &str) -> &'static str {
    match code {
        "invalid_credentials" => "That e-mail and password don’t belong together. Check both and try again.",
        "rate_limited" => "There were too many attempts. Wait a few minutes, then try again.",
        "invalid_code" => "That code is wrong or was used before. Enter the one that your app shows now.",
        "cross_site" => "The form was sent from another site, so it wasn’t accepted. Try again from here.",
        "session_expired" => "Your session has ended. Sign in again to go on.",
        _ => "Signing in didn’t work. Try again in a moment.",
    }
}

/// The wait as text.
fn waiting(seconds: Option<u64>) -> String {
    match seconds {
        None => "a few minutes".to_owned(),
        Some(seconds @ ..=90) => format!("{} seconds", seconds.max(2)),
        Some(seconds) => format!("{} minutes", seconds.div_ceil(60).min(60)),
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
    let wait = query.parse("wait");
    let error = query.get("error").map(|code| match code {
        "login_throttled" => format!("Too many attempts didn’t succeed. Wait {}, then try again.", waiting(wait)),
        code => message(code).to_owned(),
    });
    let described = error.as_ref().map(|_| "login-error");
    let wrong = query.get("error").filter(|code| *code == "invalid_credentials").map(|_| "true");
    let known = !email.is_empty();
    if query.get("step") == Some("code") {
        return Page::new("Enter your code", code_step(error, next));
    }
    let content = view! {
        <main class="alone">
            <div class="login">
                <Brand />
                <h1>"Sign in"</h1>
                {error.map(refusal)}
                <form method="post" action="/api/v1/auth/login">
                    <input type="hidden" name="next" value=next />
                    <div class="field">
                        <label for="email">"E-mail"</label>
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
                        <label for="password">"Password"</label>
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
                    <button class="button primary wide">"Sign in"</button>
                </form>
            </div>
            <LanguageSwitch language=language() chosen=Some(language()) />
            <ThemeSwitch />
        </main>
    };
    Page::new("Sign in", content)
}

/// Why the login failed.
fn refusal(text: String) -> impl IntoView {
    view! {
        <p id="login-error" class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{text}</span>
        </p>
    }
}

/// The second step: the code after a password.
fn code_step(error: Option<String>, next: String) -> impl IntoView {
    let described = error.as_ref().map(|_| "login-error");
    let wrong = error.as_ref().map(|_| "true");
    view! {
        <main class="alone">
            <div class="login">
                <Brand />
                <h1>"Enter your code"</h1>
                {error.map(refusal)}
                <form method="post" action="/api/v1/auth/login/code">
                    <input type="hidden" name="next" value=next />
                    <div class="field">
                        <label for="code">"Code of your app, or a recovery code"</label>
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
                    <button class="button primary wide">"Sign in"</button>
                </form>
                <a href="/login">"Start again"</a>
            </div>
            <LanguageSwitch language=language() chosen=Some(language()) />
            <ThemeSwitch />
        </main>
    }
}
