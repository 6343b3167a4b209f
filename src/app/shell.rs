//! The HTML document around the app; rendered by the server only.

use super::{App, theme::ThemePreference};
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

/// A document without the app and without scripts.
pub fn plain(options: LeptosOptions, theme: ThemePreference, title: &'static str, body: impl FnOnce() -> AnyView) -> String {
    Owner::new().with(|| {
        view! {
            <!DOCTYPE html>
            <html lang="en" data-theme=theme.attribute()>
                <head>
                    {head(options)}
                    <title>{title}</title>
                </head>
                <body>{body()}</body>
            </html>
        }
        .to_html()
    })
}

/// The whole document. The theme comes from the request's context.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = use_context::<ThemePreference>().unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute()>
            <head>
                {head(options.clone())}
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The head of every document.
fn head(options: LeptosOptions) -> impl IntoView {
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
        <HashedStylesheet options />
    }
}
