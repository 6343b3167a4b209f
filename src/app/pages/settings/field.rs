//! A labelled field that keeps its input, linked to its hint and error.

use crate::app::{
    alert_form::{FormField, value},
    components::done_notice::{field_error, field_id},
    form_result::{Refusal, Unsaved},
    language,
};
use leptos::prelude::*;

/// The values of a form's fields: the input if the form was rejected or not saved, else the saved
/// settings.
#[derive(Clone)]
pub struct Filled<'a> {
    /// Field names are unique per form, ids per page.
    pub form: &'static str,
    pub set: Vec<FormField>,
    pub input: Input<'a>,
}

/// What was typed into a form before.
#[derive(Clone, Copy, Default)]
pub struct Input<'a> {
    pub refusal: Option<&'a Refusal>,
    pub unsaved: Option<&'a Unsaved>,
}

/// A one-line field.
pub struct Field {
    /// The value as submitted.
    pub name: String,
    pub kind: &'static str,
    pub label: String,
    pub hint: Option<String>,
    pub required: bool,
    /// Accepts several e-mail addresses, comma-separated.
    pub multiple: bool,
}

impl Field {
    /// An optional field.
    pub fn new(name: impl Into<String>, kind: &'static str, label: impl Into<String>) -> Field {
        Field { name: name.into(), kind, label: label.into(), hint: None, required: false, multiple: false }
    }
}

impl Filled<'_> {
    pub fn value(&self, name: &str) -> String {
        let refused = self.input.refusal.map(|refusal| &refusal.fields);
        let fields = refused.or(self.input.unsaved.map(|unsaved| &unsaved.fields)).unwrap_or(&self.set);
        value(fields, name).to_owned()
    }

    /// With its error beside it; the first invalid field of the form gets the focus.
    pub fn input(&self, field: Field) -> impl IntoView + use<> {
        let Field { name, kind, label, hint, required, multiple } = field;
        let refusal = self.input.refusal;
        let error = refusal.and_then(|refusal| refusal.sentence(language(), &name));
        let focused = refusal.and_then(Refusal::first) == Some(&name);
        let alone = refusal.is_some_and(|refusal| refusal.errors.len() == 1);
        let id = field_id(self.form, &name);
        let ids = [hint.as_ref().map(|_| format!("{id}-hint")), error.as_ref().map(|_| format!("{id}-error"))];
        let described = ids.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let described = (!described.is_empty()).then_some(described);
        let value = self.value(&name);
        let hint = hint.map(|text| view! { <p id=format!("{id}-hint") class="freshness">{text}</p> });
        let wrong = error.is_some();
        let message = field_error(&id, error, alone);
        view! {
            <div class="field">
                <label for=id.clone()>{label}</label>
                <input
                    id=id
                    name=name
                    type=kind
                    value=value
                    multiple=multiple
                    required=required
                    autofocus=focused
                    autocomplete="off"
                    aria-invalid=wrong.then_some("true")
                    aria-describedby=described
                />
                {message}
                {hint}
            </div>
        }
    }

    /// A choice of a few options.
    pub fn select(&self, name: &str, label: String, options: Vec<(&'static str, String)>) -> impl IntoView + use<> {
        let id = field_id(self.form, name);
        let chosen = self.value(name);
        let options =
            options.into_iter().map(|(value, text)| view! { <option value=value selected=value == chosen>{text}</option> }).collect_view();
        view! {
            <div class="field">
                <label for=id.clone()>{label}</label>
                <select id=id name=name.to_owned()>{options}</select>
            </div>
        }
    }
}
