//! An instant, for people and in machine-readable form.

use crate::domain::format;
use leptos::prelude::*;
use time::OffsetDateTime;

/// An instant's date, with `time` also its time of day; always UTC.
#[component]
pub fn Moment(at: OffsetDateTime, #[prop(optional)] time: bool) -> impl IntoView {
    let text = if time { format::date_time(at) } else { format::date(at) };
    view! { <time datetime=format::machine(at)>{text}</time> }
}
