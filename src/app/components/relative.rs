//! How far an instant is from now.

use crate::{
    app::{language, now::now},
    text::format,
};
use leptos::prelude::*;
use time::OffsetDateTime;

/// `in 3 days`, `2 minutes ago`; browsers update the text while the page is open.
#[component]
pub fn Relative(at: OffsetDateTime) -> impl IntoView {
    view! { <time data-relative="" datetime=format::machine(at)>{format::relative(language(), at, now())}</time> }
}
