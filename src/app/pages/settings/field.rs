//! A labelled field that keeps its input, linked to its hint and error.

use super::PROBLEM;
use crate::app::{
    alert_form::{FormField, value},
    form_result::Refusal,
};
use leptos::prelude::*;

/// The values of a form's fields: the input if the form was rejected, else the saved settings.
pub struct Filled<'a> {
    /// Field names are unique per form, ids per page.
    pub form: &'static str,
    pub set: Vec<FormField>,
    pub refusal: Option<&'a Refusal>,
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
        let fields = self.refusal.map_or(&self.set, |refusal| &refusal.fields);
        value(fields, name).to_owned()
    }

    /// Linked to the message if this field was rejected.
    pub fn input(&self, field: Field) -> impl IntoView + use<> {
        let Field { name, kind, label, hint, required, multiple } = field;
        let wrong = self.refusal.is_some_and(|refusal| refusal.problem.parameter.as_deref() == Some(&name));
        let id = format!("{}-{}", self.form, name.replace('.', "-"));
        let hint_id = format!("{id}-hint");
        let described: Vec<&str> = [hint.as_ref().map(|_| hint_id.as_str()), wrong.then_some(PROBLEM)].into_iter().flatten().collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        let value = self.value(&name);
        let hint = hint.map(|text| view! { <p id=hint_id.clone() class="freshness">{text}</p> });
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
                    autocomplete="off"
                    aria-invalid=wrong.then_some("true")
                    aria-describedby=described
                />
                {hint}
            </div>
        }
    }

    /// A choice of a few options.
    pub fn select(&self, name: &str, label: String, options: Vec<(&'static str, String)>) -> impl IntoView + use<> {
        let id = format!("{}-{}", self.form, name.replace('.', "-"));
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
