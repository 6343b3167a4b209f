//! The result of a form.

use super::{Glyph, Icon};
use crate::app::calls::Problem;
use leptos::prelude::*;
use std::fmt::Display;

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

/// Why a form was rejected; `label`: the page's label of the field in the problem.
pub fn not_saved(problem: &Problem, label: Option<impl Display>) -> String {
    let Problem { code, parameter, detail, .. } = problem;
    let Some(parameter) = parameter else { return format!("This couldn’t be saved ({code}). Try again in a moment.") };
    let detail = detail.strip_prefix(&format!("{parameter}: ")).unwrap_or(detail);
    // A question has its own punctuation, and the input is its subject.
    let end = if detail.ends_with(['.', '?']) { "" } else { "." };
    match label {
        Some(label) if detail.starts_with('“') => format!("{label}: {detail}{end}"),
        Some(label) => format!("{label}: this {detail}{end}"),
        None => format!("This can’t be saved: {detail}{end}"),
    }
}
