//! Submits a filter form without a reload and without empty fields in the URL.

use leptos::{ev::SubmitEvent, form::form_data_from_event};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// A form's submit handler; `address` builds the URL from the fields.
pub fn filter_on_submit(address: impl Fn(&dyn Fn(&str) -> Option<String>) -> String + 'static) -> impl Fn(SubmitEvent) + 'static {
    let navigate = use_navigate();
    move |event| {
        if let Ok(data) = form_data_from_event(&event) {
            event.prevent_default();
            let address = address(&|name| data.get(name).as_string());
            navigate(&address, NavigateOptions { scroll: false, ..NavigateOptions::default() });
        }
    }
}
