//! What all list pages share: the query in the URL, rows with pagination, and the views for an
//! empty list and for an invalid filter.

use super::{
    Glyph, ProblemNotice,
    blank::{Blank, past_the_end},
    pagination::PageLinks,
    unusable_filter::UnusableFilter,
};
use crate::{
    app::{
        address::address,
        calls::Problem,
        filters::{Filter, Listed, href, read},
        status::set_status,
    },
    domain::list::{ListQuery, Pagination},
};
use leptos::prelude::*;

/// The texts of a list page.
pub struct ListWords {
    /// Name of a row, in the singular.
    pub noun: &'static str,
    pub glyph: Glyph,
    /// Title and sentence of an empty list.
    pub empty: (&'static str, &'static str),
    /// The same if the filters match no row.
    pub unmatched: (&'static str, &'static str),
    /// Text of the link to the whole list.
    pub clear: &'static str,
    /// Parameters, each with the beginning of the message about an invalid value.
    pub parameters: &'static [(&'static str, &'static str)],
}

/// The query in the URL.
pub fn query<F: Filter>() -> ListQuery<F> {
    let address = address();
    read(|name| address.get(name).map(str::to_owned))
}

/// Shows a response: `head` with the form, then `result`. If a filter is invalid, the form stays,
/// so that it can be corrected; `head` then gets the name of the parameter instead of a page.
pub fn show<F: Listed, P>(
    words: &'static ListWords,
    query: &ListQuery<F>,
    answer: Result<P, Problem>,
    head: impl FnOnce(Result<&P, &str>) -> AnyView,
    result: impl FnOnce(P) -> AnyView,
) -> AnyView {
    match answer {
        Ok(page) => {
            let head = head(Ok(&page));
            view! { {head} {result(page)} }.into_any()
        }
        Err(problem) => {
            let parameter = problem.parameter.as_deref().filter(|_| problem.status == 422);
            match parameter.and_then(|name| words.parameters.iter().find(|(known, _)| *known == name)) {
                Some(&(name, field)) => {
                    set_status(problem.status);
                    let clear = href(&query.with(query.filter.cleared()));
                    view! {
                        {head(Err(name))}
                        <UnusableFilter field detail=problem.detail clear link=words.clear />
                    }
                    .into_any()
                }
                None => view! { <ProblemNotice problem page=true /> }.into_any(),
            }
        }
    }
}

/// The rows and the links to other pages; without rows, the reason.
pub fn rows<F: Listed>(words: &'static ListWords, query: &ListQuery<F>, pagination: &Pagination, table: Option<AnyView>) -> AnyView {
    if let Some(table) = table {
        let href = |page| href(&query.on_page(page));
        return view! {
            {table}
            <PageLinks pagination noun=words.noun href=&href />
        }
        .into_any();
    }
    let said = if pagination.total > 0 {
        past_the_end(href(&query.on_page(pagination.total_pages)))
    } else if query.filter.narrows() {
        let (title, text) = words.unmatched;
        (title, text, Some((href(&query.with(query.filter.cleared())), words.clear)))
    } else {
        let (title, text) = words.empty;
        (title, text, None)
    };
    view! { <Blank glyph=words.glyph said /> }.into_any()
}
