//! What all list pages share: the query in the URL, rows with pagination, and the views for an
//! empty list and for invalid filters.

use super::{
    Glyph, ProblemNotice,
    blank::{Blank, past_the_end},
    filter_form::FilterErrors,
    pagination::PageLinks,
    unusable_address::UnusableAddress,
};
use crate::{
    app::{
        address::address,
        calls::Problem,
        filters::{Fault, Filter, Listed, faults, href, read},
        language,
        status::set_status,
    },
    domain::{
        language::Language,
        list::{Limit, ListQuery, Pagination},
    },
    text::{Text, common},
};
use leptos::prelude::*;

/// The texts of a list page.
pub struct ListWords {
    /// `12 invoices`.
    pub count: fn(Language, u64) -> String,
    pub glyph: Glyph,
    /// Title and sentence of an empty list.
    pub empty: (Text, Text),
    /// The sentence if the filters match no row.
    pub unmatched: Text,
    /// The title of a page beyond the last.
    pub past_end: Text,
    /// Parameters with a field in the form, each with the sentence about an invalid value.
    pub fields: &'static [(&'static str, Text)],
}

/// The query in the URL.
pub fn query<F: Filter>() -> ListQuery<F> {
    let address = address();
    read(|name| address.get(name).map(str::to_owned))
}

/// Whether a list has no rows at all, so that a form to filter it is of no use.
pub fn nothing_to_filter<F: Filter>(query: &ListQuery<F>, pagination: &Pagination) -> bool {
    pagination.total == 0 && !query.filter.narrows()
}

/// Shows a response: `head` with the form, then `result`. If filters are invalid, the form stays,
/// so that they can be corrected; `head` then gets the errors instead of a page.
pub fn show<F: Listed, P>(
    words: &'static ListWords,
    query: &ListQuery<F>,
    answer: Result<P, Problem>,
    head: impl FnOnce(Result<&P, &FilterErrors>) -> AnyView,
    result: impl FnOnce(P) -> AnyView,
) -> AnyView {
    let problem = match answer {
        Ok(page) => {
            let head = head(Ok(&page));
            return view! { {head} {result(page)} }.into_any();
        }
        Err(problem) => problem,
    };
    let mut faults = faults(query);
    if problem.status != 422 || (faults.is_empty() && problem.parameter.is_none()) {
        return view! { <ProblemNotice problem page=true /> }.into_any();
    }
    set_status(problem.status);
    // The server also rejects valid values, such as a page beyond those that it counts.
    let rejected = problem.parameter.as_deref().and_then(|parameter| words.fields.iter().find(|(name, _)| *name == parameter));
    if let Some((name, _)) = rejected
        && faults.iter().all(|(known, _)| known != name)
    {
        faults.push((*name, Fault::Invalid));
    }
    let errors = FilterErrors::new(words.fields, &faults);
    let elsewhere = faults.is_empty() || faults.iter().any(|(name, _)| errors.of(name).is_none());
    let notice =
        elsewhere.then(|| view! { <UnusableAddress clear=href(&query.with(query.filter.cleared()).with_limit(Limit::default())) /> });
    view! { {head(Err(&errors))} {notice} }.into_any()
}

/// The rows and the links to other pages; without rows, the reason.
pub fn rows<F: Listed>(words: &'static ListWords, query: &ListQuery<F>, pagination: &Pagination, table: Option<AnyView>) -> AnyView {
    let language = language();
    if let Some(table) = table {
        let href_of_page = |page| href(&query.on_page(page));
        let href_of_limit = |limit| href(&query.with_limit(limit));
        return view! {
            {table}
            <PageLinks pagination count=(words.count)(language, pagination.total) href=&href_of_page limit_href=&href_of_limit />
        }
        .into_any();
    }
    let said = if pagination.total > 0 {
        past_the_end((words.past_end)(language), href(&query.on_page(pagination.total_pages)))
    } else if query.filter.narrows() {
        let all = href(&query.with(query.filter.cleared()));
        (common::no_results(language), (words.unmatched)(language), Some((all, common::clear_filters(language))))
    } else {
        let (title, text) = words.empty;
        (title(language), text(language), None)
    };
    view! { <Blank glyph=words.glyph said /> }.into_any()
}
