//! Paging of a long list.

use super::{Glyph, Icon};
use crate::{
    app::language,
    domain::list::{Limit, Pagination},
    text::{common as words, format},
};
use leptos::prelude::*;

/// Offered numbers of rows on a page.
const LIMITS: [Limit; 3] = [Limit(20), Limit(50), Limit(100)];

/// The number of rows, the pages, and how many rows a page has.
#[component]
pub fn PageLinks<'a>(
    pagination: &'a Pagination,
    /// The number of rows, with their name.
    count: String,
    /// URL of a page with the current filters.
    href: &'a dyn Fn(u64) -> String,
    /// URL of the first page with another number of rows.
    limit_href: &'a dyn Fn(Limit) -> String,
) -> impl IntoView + use<> {
    let pages = pagination.total_pages.max(1);
    let nav = (pages > 1).then(|| page_links(pagination.page.into(), pages, href));
    let sizes = (pagination.total > u64::from(LIMITS[0].0) || pagination.limit != LIMITS[0].0).then(|| sizes(pagination.limit, limit_href));
    view! {
        <div class="list-end">
            <p>{count}</p>
            {sizes}
            {nav}
        </div>
    }
}

fn page_links(page: u64, pages: u64, href: &dyn Fn(u64) -> String) -> impl IntoView + use<> {
    let language = language();
    let previous = (page > 1).then(|| href(page - 1));
    let next = (page < pages).then(|| href(page + 1));
    // With two pages, "previous" and "next" are all there is.
    let numbers = (pages > 2).then(|| {
        let entry = |number: Option<u64>| match number {
            Some(number) => {
                let current = (number == page).then_some("page");
                let label = words::page(language, number);
                view! { <li><a href=href(number) aria-label=label aria-current=current>{format::integer(language, number)}</a></li> }
                    .into_any()
            }
            None => view! { <li aria-hidden="true">"…"</li> }.into_any(),
        };
        view! { <ol class="page-numbers">{numbers(page, pages).into_iter().map(entry).collect_view()}</ol> }
    });
    view! {
        <nav class="pages" aria-label=words::pages(language)>
            <a class="button" href=previous.clone() aria-disabled=previous.is_none().then_some("true") role=previous.is_none().then_some("link") rel="prev">
                <Icon glyph=Glyph::Previous />
                <span>{words::previous_page(language)}</span>
            </a>
            <span class="pages-where">{words::page_of(language, page, pages)}</span>
            {numbers}
            <a class="button" href=next.clone() aria-disabled=next.is_none().then_some("true") role=next.is_none().then_some("link") rel="next">
                <span>{words::next_page(language)}</span>
                <Icon glyph=Glyph::Next />
            </a>
        </nav>
    }
}

fn sizes(limit: u32, href: &dyn Fn(Limit) -> String) -> impl IntoView + use<> {
    let language = language();
    let link = |size: Limit| {
        let current = (size.0 == limit).then_some("true");
        let number = format::integer(language, size.0.into());
        view! { <li><a href=href(size) aria-current=current>{number}</a></li> }
    };
    view! {
        <nav class="page-sizes" aria-label=words::rows_per_page(language)>
            <span aria-hidden="true">{words::rows_per_page(language)}</span>
            <ul>{LIMITS.map(link).collect_view()}</ul>
        </nav>
    }
}

/// The linked pages: the first, the last, the current one and its neighbours. `None` is a gap.
fn numbers(page: u64, pages: u64) -> Vec<Option<u64>> {
    let (low, high) = (page.saturating_sub(1).max(2), page.saturating_add(1).min(pages.saturating_sub(1)));
    let mut numbers = vec![Some(1)];
    // A gap of one page is that page.
    match low {
        0..=2 => {}
        3 => numbers.push(Some(2)),
        _ => numbers.push(None),
    }
    numbers.extend((low..=high).map(Some));
    match pages.saturating_sub(high) {
        0..=1 => {}
        2 => numbers.push(Some(pages - 1)),
        _ => numbers.push(None),
    }
    numbers.push(Some(pages));
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gaps_stand_for_several_pages() {
        let shown = |page, pages| {
            let words = numbers(page, pages).into_iter().map(|number| number.map_or_else(|| "…".to_owned(), |number| number.to_string()));
            words.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(1, 3), "1 2 3");
        assert_eq!(shown(1, 150), "1 2 … 150");
        assert_eq!(shown(4, 150), "1 2 3 4 5 … 150");
        assert_eq!(shown(75, 150), "1 … 74 75 76 … 150");
        assert_eq!(shown(150, 150), "1 … 149 150");
        assert_eq!(shown(148, 150), "1 … 147 148 149 150");
    }

    proptest! {
        #[test]
        fn links_ascend_and_reach_both_ends(pages in 3u64..1_000, at in 0.0f64..1.0) {
            let page = 1 + (at * (pages - 1) as f64) as u64;
            let linked = numbers(page, pages);
            let known: Vec<u64> = linked.iter().flatten().copied().collect();
            prop_assert!(known.is_sorted_by(|a, b| a < b));
            prop_assert!(linked.len() <= 7);
            prop_assert_eq!((known[0], known[known.len() - 1]), (1, pages));
            prop_assert!(known.contains(&page));
            // Neighbours in the list are neighbours, unless a gap is between them.
            for pair in linked.windows(2) {
                if let [Some(a), Some(b)] = pair {
                    prop_assert_eq!(a + 1, *b);
                }
            }
        }
    }
}
