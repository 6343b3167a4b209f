//! The result of a form.

use super::{Glyph, Icon};
use crate::{
    app::{form_result::Refusal, language},
    text::problems,
};
use leptos::prelude::*;

/// A form succeeded.
#[component]
pub fn DoneNotice(text: &'static str) -> impl IntoView {
    view! {
        <p class="notice tone-good" role="status">
            <Icon glyph=Glyph::Check />
            <span>{text}</span>
        </p>
    }
}

/// An error that concerns a whole form.
#[component]
pub fn FormError(#[prop(into)] text: String) -> impl IntoView {
    view! {
        <p class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{text}</span>
        </p>
    }
}

/// The errors of a rejected form, above its fields. One invalid field has its message beside it, so
/// there is no summary. `label`: the page's label of a field.
pub fn summary(refusal: &Refusal, label: impl Fn(&str) -> Option<String>) -> Option<AnyView> {
    let language = language();
    if refusal.errors.is_empty() {
        let text = problems::form(language, refusal.code());
        return Some(view! { <FormError text /> }.into_any());
    }
    // A field that the form doesn't show.
    let hidden = refusal.errors.iter().any(|error| label(&error.field).is_none());
    if refusal.errors.len() == 1 && !hidden {
        return None;
    }
    let count = u64::try_from(refusal.errors.len()).unwrap_or(u64::MAX);
    let entry = |field: &str| {
        let sentence = refusal.sentence(language, field);
        let name = label(field).unwrap_or_else(|| field.to_owned());
        let href = format!("#{}", field_id(&refusal.form, field));
        view! { <li><a href=href>{name}</a> ": " {sentence}</li> }
    };
    let list = view! {
        <div class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <div>
                <p>{problems::errors(language, count)}</p>
                <ul class="error-list">{refusal.errors.iter().map(|error| entry(&error.field)).collect_view()}</ul>
            </div>
        </div>
    };
    Some(list.into_any())
}

/// The id of a form's field: names are unique per form, ids per page.
pub fn field_id(form: &str, name: &str) -> String {
    format!("{form}-{}", name.replace(['.', '_'], "-"))
}

/// The message beside an invalid field.
pub fn field_error(id: &str, text: Option<String>, alone: bool) -> Option<impl IntoView + use<>> {
    let id = format!("{id}-error");
    // Of several, the summary is announced.
    text.map(|text| view! { <p id=id class="field-error" role=alone.then_some("alert")>{text}</p> })
}
