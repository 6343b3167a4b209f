//! The HTML document around a page.

use super::{Page, ThemePreference, language};
use crate::domain::PRODUCT;
use leptos::prelude::*;

/// Renders a page as a document. Only pages `with_islands` load scripts. Runs within the page's
/// [`Owner`].
pub fn document(options: &LeptosOptions, theme: ThemePreference, page: Page, with_islands: bool) -> String {
    let Page { title, content } = page;
    let title = if title.is_empty() { PRODUCT.to_owned() } else { format!("{title} · {PRODUCT}") };
    let asset = |suffix: &str| format!("/{}/{}.{suffix}", options.site_pkg_dir, options.output_name);
    let script = with_islands.then(|| view! { <script type="module" src=asset("js")></script> });
    view! {
        <!DOCTYPE html>
        <html lang=language().code() data-theme=theme.attribute()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <link rel="stylesheet" href=asset("css") />
                {script}
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
