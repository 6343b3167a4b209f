//! Paging of a long list.

use super::{Glyph, Icon};
use crate::{
    app::language,
    domain::{format, list::Pagination},
    text::common as words,
};
use leptos::prelude::*;

/// Previous, next, the current page, and the number of pages.
#[component]
pub fn PageLinks<'a>(
    pagination: &'a Pagination,
    /// The listed items, in the singular.
    noun: &'static str,
    /// URL of a page with the current filters.
    href: &'a dyn Fn(u64) -> String,
) -> impl IntoView + use<> {
    let language = language();
    let page = u64::from(pagination.page);
    let pages = pagination.total_pages.max(1);
    let previous = (page > 1).then(|| href(page - 1));
    let next = (page < pages).then(|| href(page + 1));
    let nav = (pages > 1).then(|| {
        view! {
            <nav class="pages" aria-label=words::pages(language)>
                <a class="button" href=previous.clone() aria-disabled=previous.is_none().then_some("true") role=previous.is_none().then_some("link") rel="prev">
                    <Icon glyph=Glyph::Previous />
                    <span>{words::previous_page(language)}</span>
                </a>
                <span class="pages-where">{words::page_of(language, page, pages)}</span>
                <a class="button" href=next.clone() aria-disabled=next.is_none().then_some("true") role=next.is_none().then_some("link") rel="next">
                    <span>{words::next_page(language)}</span>
                    <Icon glyph=Glyph::Next />
                </a>
            </nav>
        }
    });
    view! {
        <div class="list-end">
            <p>{format::counted(pagination.total, noun)}</p>
            {nav}
        </div>
    }
}
