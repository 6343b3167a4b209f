//! Updates a part of the page to newly rendered HTML. Elements that stay keep their focus, their
//! selection and their listeners.

use wasm_bindgen::JsCast;
use web_sys::{Element, Node};

/// Attributes that belong to the user once the page is shown: an opened `<details>`.
const KEPT: [&str; 1] = ["open"];

/// Makes the children of `shown` equal to those of `rendered`.
pub fn morph_children(shown: &Node, rendered: &Node) {
    let mut old = shown.first_child();
    let mut new = rendered.first_child();
    while let Some(next) = new {
        new = next.next_sibling();
        match old {
            Some(current) => {
                old = current.next_sibling();
                morph(shown, &current, &next);
            }
            None => drop(shown.append_child(&next)),
        }
    }
    while let Some(rest) = old {
        old = rest.next_sibling();
        let _ = shown.remove_child(&rest);
    }
}

fn morph(parent: &Node, old: &Node, new: &Node) {
    if old.node_type() != new.node_type() || old.node_name() != new.node_name() {
        let _ = parent.replace_child(new, old);
        return;
    }
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        (Some(old), Some(new)) => {
            // Its text is updated by the clock.
            let is_clock = old.has_attribute("data-relative") && old.get_attribute("datetime") == new.get_attribute("datetime");
            attributes(old, new);
            if !is_clock {
                morph_children(old, new);
            }
        }
        _ => {
            if old.node_value() != new.node_value() {
                old.set_node_value(new.node_value().as_deref());
            }
        }
    }
}

fn attributes(old: &Element, new: &Element) {
    for name in old.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        if !new.has_attribute(&name) && !KEPT.contains(&name.as_str()) {
            let _ = old.remove_attribute(&name);
        }
    }
    for name in new.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        let value = new.get_attribute(&name);
        if old.get_attribute(&name) != value && !KEPT.contains(&name.as_str()) {
            let _ = old.set_attribute(&name, value.as_deref().unwrap_or_default());
        }
    }
}
