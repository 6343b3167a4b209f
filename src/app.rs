//! The console: shell, routes, pages, components. Leptos only, for both targets.

pub mod calls;
