//! Browser only: timers, listeners, and elements by selector.

use leptos::leptos_dom::helpers::set_timeout;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, Element, Event, EventTarget, Node, window};

/// The page's document.
pub fn document() -> Option<Document> {
    window()?.document()
}

/// The elements within `root` that match a selector.
pub fn all(root: &Node, selector: &str) -> Vec<Element> {
    let list = match (root.dyn_ref::<Document>(), root.dyn_ref::<Element>()) {
        (Some(document), _) => document.query_selector_all(selector),
        (_, Some(element)) => element.query_selector_all(selector),
        _ => return Vec::new(),
    };
    list.into_iter()
        .flat_map(|list| (0..list.length()).filter_map(move |at| list.item(at)))
        .filter_map(|node| node.dyn_into().ok())
        .collect()
}

/// The event's target or the nearest element around it that matches a selector.
pub fn around(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

/// Listens for as long as the page is open.
pub fn listen(target: &EventTarget, name: &str, work: impl FnMut(Event) + 'static) {
    let work = Closure::<dyn FnMut(Event)>::new(work).into_js_value();
    // Only an invalid name or listener fails.
    let _: Result<(), JsValue> = target.add_event_listener_with_callback(name, work.unchecked_ref());
}

/// Runs `work` after a delay.
pub fn after(delay: Duration, work: impl FnOnce() + 'static) {
    set_timeout(work, delay);
}

/// Shows or hides an element.
pub fn show(element: &Element, shown: bool) {
    let _: Result<bool, JsValue> = element.toggle_attribute_with_force("hidden", !shown);
}
