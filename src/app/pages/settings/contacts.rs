//! Recipients of mail about the customer's bills.

use super::{
    field::{Field, Filled},
    notice,
};
use crate::{
    app::{form_result::Refusal, local_path::SETTINGS},
    domain::settings::{Contact, CustomerSettings},
};
use leptos::prelude::*;

/// Stripe's address, the contacts, and a form to add one.
pub fn panel(settings: &CustomerSettings, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let manages = settings.manages;
    let one = |contact: &Contact| {
        let email = contact.email.to_string();
        let remove = manages.then(|| {
            view! {
                <form method="post" action=SETTINGS>
                    <input type="hidden" name="form" value="contact-remove" />
                    <input type="hidden" name="id" value=contact.id.to_string() />
                    <button class="button">"Remove" <span class="visually-hidden">" " {email.clone()}</span></button>
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
                    <span class="quiet">"Invoices go to this address. Change it in Stripe’s customer portal."</span>
                </div>
            </li>
        }
    });
    let filled = Filled { form: "contact", set: Vec::new(), refusal };
    let add = manages.then(|| {
        let email = Field { required: true, ..Field::new("email", "email", "E-mail") };
        view! {
            <form method="post" action=SETTINGS class="filters">
                <input type="hidden" name="form" value="contact" />
                {filled.input(email)}
                {filled.input(Field::new("name", "text", "Name (optional)"))}
                <button class="button">"Add contact"</button>
            </form>
        }
    });
    view! {
        <section class="panel" aria-labelledby="contacts-title">
            <header class="panel-head"><h2 id="contacts-title">"Billing contacts"</h2></header>
            {refusal.map(notice)}
            <div class="entries">
                <ul class="entries">{stripe} {settings.contacts.iter().map(one).collect_view()}</ul>
                {add}
            </div>
        </section>
    }
}
