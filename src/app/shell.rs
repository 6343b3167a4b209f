//! The HTML document around a page.

use super::{Page, ThemePreference, assets::Assets, language};
use crate::domain::PRODUCT;
use leptos::prelude::*;

/// What a document does beyond showing its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    /// Nothing.
    None,
    /// Loads the islands.
    Islands,
    /// Loads the islands, and is loaded again if its build is gone. Not for a response to a form,
    /// which the browser would send again.
    IslandsOfBuild,
}

/// Renders a page as a document. Runs within the page's [`Owner`].
pub fn document(assets: &Assets, theme: ThemePreference, page: Page, scripts: Scripts) -> String {
    let Page { title, content } = page;
    let title = if title.is_empty() { PRODUCT.to_owned() } else { format!("{title} · {PRODUCT}") };
    let build = assets.build.clone().filter(|_| scripts == Scripts::IslandsOfBuild);
    let style = assets.style.clone().map(|href| view! { <link rel="stylesheet" href=href /> });
    // The page is complete without it, so the style sheet comes first.
    let script = assets
        .script
        .clone()
        .filter(|_| scripts != Scripts::None)
        .map(|src| view! { <script type="module" src=src fetchpriority="low"></script> });
    view! {
        <!DOCTYPE html>
        <html lang=language().code() data-theme=theme.attribute() data-build=build>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                {style}
                {script}
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <title inner_html=escaped(&title)></title>
            </head>
            <body>{content}</body>
        </html>
    }
    .to_html()
}

/// Escapes text for an HTML element. A text in `<title>` would be followed by a comment of Leptos,
/// which browsers show.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
