//! A labelled field that keeps what was typed and is tied to its hint and to what is wrong with it.

use super::PROBLEM;
use crate::app::{
    alert_form::{FormField, value},
    form_result::Refusal,
};
use leptos::prelude::*;

/// What a form's fields hold: what was typed, where the form was not taken, else what is set.
pub struct Filled<'a> {
    /// Names of fields are the form's own; their ids are the page's.
    pub form: &'static str,
    pub set: Vec<FormField>,
    pub refusal: Option<&'a Refusal>,
}

/// A field of one line.
pub struct Field {
    /// As the form sends it.
    pub name: String,
    pub kind: &'static str,
    pub label: String,
    pub hint: Option<String>,
    pub required: bool,
    /// Takes several e-mail addresses, with commas between them.
    pub multiple: bool,
}

impl Field {
    /// A field that may be left empty.
    pub fn new(name: impl Into<String>, kind: &'static str, label: impl Into<String>) -> Field {
        Field { name: name.into(), kind, label: label.into(), hint: None, required: false, multiple: false }
    }
}

impl Filled<'_> {
    pub fn value(&self, name: &str) -> String {
        let fields = self.refusal.map_or(&self.set, |refusal| &refusal.fields);
        value(fields, name).to_owned()
    }

    /// Tied to the message when it is this field that can't be used.
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

    /// One of a few.
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
