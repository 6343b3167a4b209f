//! Leaves empty fields of `<form data-tidy>` out of the URL.

#[cfg(feature = "hydrate")]
use crate::dom::{after, all, around, document, listen};

/// Starts listening for submitted forms.
#[cfg(feature = "hydrate")]
pub fn start() {
    use std::time::Duration;
    use wasm_bindgen::JsCast;
    use web_sys::{HtmlInputElement, HtmlSelectElement};

    let Some(document) = document() else { return };
    listen(&document, "submit", |event| {
        let Some(form) = around(&event, "form[data-tidy]") else { return };
        let empty: Vec<_> = all(&form, "[name]")
            .into_iter()
            .filter(|field| match (field.dyn_ref::<HtmlInputElement>(), field.dyn_ref::<HtmlSelectElement>()) {
                (Some(input), _) => input.value().is_empty(),
                (_, Some(select)) => select.value().is_empty(),
                _ => false,
            })
            .collect();
        for field in &empty {
            let _ = field.set_attribute("disabled", "");
        }
        // The page stays if the response is a download, or comes back from the history.
        after(Duration::ZERO, move || {
            for field in &empty {
                let _ = field.remove_attribute("disabled");
            }
        });
    });
}
