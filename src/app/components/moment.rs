//! An instant, for people and in machine-readable form.

use crate::{app::language, text::format};
use leptos::prelude::*;
use time::OffsetDateTime;

/// An instant's date, with `time` also its time of day; always UTC, which pages say once.
#[component]
pub fn Moment(at: OffsetDateTime, #[prop(optional)] time: bool) -> impl IntoView {
    let language = language();
    let text = if time { format::date_time(language, at) } else { format::date(language, at) };
    view! { <time datetime=format::machine(at)>{text}</time> }
}
