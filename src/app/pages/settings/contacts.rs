//! Recipients of mail about the customer's bills.

use super::{
    field::{Field, Filled, Input},
    hidden, notice,
};
use crate::{
    app::{language, local_path::SETTINGS},
    domain::settings::{Contact, CustomerSettings},
    text::{common, settings as words},
};
use leptos::prelude::*;

/// Stripe's address, the contacts, and a form to add one.
pub fn panel(settings: &CustomerSettings, input: Input<'_>) -> impl IntoView + use<> {
    let language = language();
    let manages = settings.manages;
    let one = |contact: &Contact| {
        let email = contact.email.to_string();
        let remove = manages.then(|| {
            view! {
                <form method="post" action=SETTINGS>
                    {hidden("contact-remove")}
                    <input type="hidden" name="id" value=contact.id.to_string() />
                    <button class="button">{common::remove(language)} <span class="visually-hidden">" " {email.clone()}</span></button>
                </form>
            }
        });
        view! {
            <li>
                <div class="ids">
                    <span>{email}</span>
                    {contact.name.clone().map(|name| view! { <span class="quiet">{name}</span> })}
                </div>
                {remove}
            </li>
        }
    };
    let stripe = settings.billing_email.clone().map(|email| {
        view! {
            <li>
                <div class="ids">
                    <span>{email}</span>
                    <span class="quiet">{words::stripe_address(language)}</span>
                </div>
            </li>
        }
    });
    let filled = Filled { form: "contact", set: Vec::new(), input };
    let add = manages.then(|| {
        let email = Field { required: true, ..Field::new("email", "email", common::email(language)) };
        view! {
            <form method="post" action=SETTINGS class="filters" novalidate>
                {hidden("contact")}
                {filled.input(email)}
                {filled.input(Field::new("name", "text", words::name_optional(language)))}
                <button class="button">{words::add_contact(language)}</button>
            </form>
        }
    });
    view! {
        <section class="panel" aria-labelledby="contacts-title">
            <header class="panel-head"><h2 id="contacts-title">{words::contacts(language)}</h2></header>
            {notice(input)}
            <div class="entries">
                <ul class="entries">{stripe} {settings.contacts.iter().map(one).collect_view()}</ul>
                {add}
            </div>
        </section>
    }
}
