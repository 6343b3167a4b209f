//! What browsers load of the console: the few parts that are interactive. The server renders
//! everything else once, so its code is not in the WebAssembly.
//!
//! An island here adds behaviour to HTML that the server has rendered as its children. Texts and
//! data come from that HTML (`data-` attributes, hidden elements), so the code needs no words, no
//! types of the server and no JSON.

pub mod copy;
pub mod dom;
pub mod live;
pub mod morph;
pub mod relative_time;
pub mod theme;
pub mod tidy_form;

pub use live::LiveRegion;
pub use theme::{ThemeButtons, ThemePreference};

/// The browser's entry point, called by `boot.js` before it attaches the islands.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
    relative_time::start();
    tidy_form::start();
    copy::start();
}
