//! The form for a new password.

use super::{PROBLEM, notice};
use crate::app::{form_result::Refusal, local_path::ACCOUNT};
use leptos::prelude::*;

/// The form. Input is never sent back.
pub fn panel(email: &str, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let field = |name, label, autocomplete| secret_field("password", name, label, autocomplete, refusal);
    view! {
        <section class="panel" aria-labelledby="password-title">
            <header class="panel-head"><h2 id="password-title">"Password"</h2></header>
            {refusal.map(notice)}
            <form method="post" action=ACCOUNT class="own-form">
                <input type="hidden" name="form" value="password" />
                // Tells a password manager the account.
                <input type="text" name="username" value=email.to_owned() autocomplete="username" hidden aria-label="E-mail" />
                {field("current_password", "Current password", "current-password")}
                {field("new_password", "New password", "new-password")}
                <p class="freshness">"At least 8 characters. Changing it signs you out everywhere else."</p>
                <button class="button primary">"Change password"</button>
            </form>
        </section>
    }
}

/// A password field, linked to the message if it was rejected.
pub fn secret_field(
    form: &'static str,
    name: &'static str,
    label: &'static str,
    autocomplete: &'static str,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    let wrong = refusal.is_some_and(|refusal| refusal.problem.parameter.as_deref() == Some(name));
    let id = format!("{form}-{}", name.replace('_', "-"));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name=name
                type="password"
                autocomplete=autocomplete
                required
                aria-invalid=wrong.then_some("true")
                aria-describedby=wrong.then_some(PROBLEM)
            />
        </div>
    }
}
