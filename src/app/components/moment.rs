//! An instant, written for people and for machines.

use crate::domain::format;
use leptos::prelude::*;
use time::OffsetDateTime;

/// The date of an instant, with the time of day where `time` asks for it; always UTC.
#[component]
pub fn Moment(at: OffsetDateTime, #[prop(optional)] time: bool) -> impl IntoView {
    let text = if time { format::date_time(at) } else { format::date(at) };
    view! { <time datetime=format::machine(at)>{text}</time> }
}
