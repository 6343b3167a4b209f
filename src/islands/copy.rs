//! Copies the text of a button's `data-copy` to the clipboard.

#[cfg(feature = "hydrate")]
use crate::dom::{after, all, around, document, listen};

/// Starts listening for pressed buttons, and shows them: `<html data-can-copy>`. Browsers have a
/// clipboard only on pages from https or from this machine.
#[cfg(feature = "hydrate")]
pub fn start() {
    use js_sys::Reflect;
    use std::time::Duration;
    use wasm_bindgen_futures::{JsFuture, spawn_local};

    const SHOWN_FOR: Duration = Duration::from_secs(4);
    let (Some(document), Some(window)) = (document(), web_sys::window()) else { return };
    let navigator = window.navigator();
    if !Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| clipboard.is_object()) {
        return;
    }
    if let Some(html) = document.document_element() {
        let _ = html.set_attribute("data-can-copy", "");
    }
    listen(&document, "click", move |event| {
        let Some(button) = around(&event, "button[data-copy]") else { return };
        let (Some(text), Some(area)) = (button.get_attribute("data-copy"), button.parent_element()) else { return };
        let copied = navigator.clipboard().write_text(&text);
        spawn_local(async move {
            if JsFuture::from(copied).await.is_err() {
                return;
            }
            let (labels, announced) = (all(&button, "[data-copied]"), all(&area, "[data-copy-status]"));
            let Some(label) = labels.into_iter().next() else { return };
            let done = label.get_attribute("data-copied");
            // Pressed again while the label says so.
            if label.text_content() == done {
                return;
            }
            let before = label.text_content();
            label.set_text_content(done.as_deref());
            for element in &announced {
                element.set_text_content(done.as_deref());
            }
            after(SHOWN_FOR, move || {
                label.set_text_content(before.as_deref());
                for element in &announced {
                    element.set_text_content(None);
                }
            });
        });
    });
}
