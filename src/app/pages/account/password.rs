//! The form for a new password.

use super::notice;
use crate::{
    app::{
        components::done_notice::{field_error, field_id},
        form_result::Refusal,
        language,
        local_path::ACCOUNT,
    },
    text::{account as words, common},
};
use leptos::prelude::*;

/// The form. Input is never sent back.
pub fn panel(email: &str, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let language = language();
    let field = |name, label, autocomplete| secret_field("password", name, label, autocomplete, refusal);
    view! {
        <section class="panel" aria-labelledby="password-title">
            <header class="panel-head"><h2 id="password-title">{words::password(language)}</h2></header>
            {refusal.and_then(notice)}
            <form method="post" action=ACCOUNT class="own-form">
                <input type="hidden" name="form" value="password" />
                // Tells a password manager the account.
                <input
                    type="text"
                    name="username"
                    value=email.to_owned()
                    autocomplete="username"
                    hidden
                    aria-label=common::email(language)
                />
                {field("current_password", words::current_password(language), "current-password")}
                {field("new_password", words::new_password(language), "new-password")}
                <p class="freshness">{words::password_hint(language)}</p>
                <button class="button primary">{words::change_password(language)}</button>
            </form>
        </section>
    }
}

/// A password field, with its error beside it.
pub fn secret_field(
    form: &'static str,
    name: &'static str,
    label: &'static str,
    autocomplete: &'static str,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    let Wrong { id, error, described, focused, alone } = wrong(form, name, refusal);
    let invalid = error.is_some().then_some("true");
    let message = field_error(&id, error, alone);
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name=name
                type="password"
                autocomplete=autocomplete
                required
                autofocus=focused
                aria-invalid=invalid
                aria-describedby=described
            />
            {message}
        </div>
    }
}

/// A field's id, and what is wrong with it.
pub struct Wrong {
    pub id: String,
    pub error: Option<String>,
    /// The id of the error's element.
    pub described: Option<String>,
    pub focused: bool,
    pub alone: bool,
}

pub fn wrong(form: &str, name: &str, refusal: Option<&Refusal>) -> Wrong {
    let id = field_id(form, name);
    let error = refusal.and_then(|refusal| refusal.sentence(language(), name));
    let described = error.as_ref().map(|_| format!("{id}-error"));
    let focused = refusal.and_then(Refusal::first) == Some(name);
    let alone = refusal.is_some_and(|refusal| refusal.errors.len() == 1);
    Wrong { id, error, described, focused, alone }
}
