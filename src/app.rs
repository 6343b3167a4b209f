//! The console: shell, routes, pages, components. Leptos only, for both targets.

pub mod calls;
use leptos::prelude::*;

/// Everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {}
