//! Filters a list by a GET form, so that it works without JavaScript and every result has a URL.

use super::{Glyph, Icon};
use crate::{
    app::{filters::Listed, language},
    domain::list::{ListQuery, Parameter},
    text::common,
};
use leptos::prelude::*;

/// Id of the message about an invalid filter.
pub const FILTER_PROBLEM: &str = "filter-problem";

/// An input of a filter form.
pub struct Input {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: Option<String>,
    grows: bool,
    suggestions: Option<&'static str>,
}

impl Input {
    /// `name`: of the parameter; `kind`: of the HTML element.
    pub fn new(name: &'static str, label: &'static str, kind: &'static str, value: Option<String>) -> Input {
        Input { name, label, kind, value, grows: false, suggestions: None }
    }

    /// Takes the remaining width.
    #[must_use]
    pub fn growing(self) -> Input {
        Input { grows: true, ..self }
    }

    /// Suggests the values of the `<datalist>` with this id.
    #[must_use]
    pub fn suggesting(self, list: &'static str) -> Input {
        Input { suggestions: Some(list), ..self }
    }

    fn view(self, wrong: Option<&str>) -> impl IntoView + use<> {
        let Input { name, label, kind, value, grows, suggestions } = self;
        let invalid = wrong == Some(name);
        // A date field drops an invalid date with a warning; the error message still quotes it.
        let value = value.filter(|_| !(invalid && kind == "date")).unwrap_or_default();
        view! {
            <div class=if grows { "field grow" } else { "field" }>
                <label for=format!("filter-{name}")>{label}</label>
                <input
                    id=format!("filter-{name}")
                    name=name
                    type=kind
                    value=value
                    list=suggestions
                    autocomplete="off"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=invalid.then_some(FILTER_PROBLEM)
                />
            </div>
        }
    }
}

/// The form of a list. It also sends the other parameters, except the page. On narrow screens, more
/// than one filter is behind a button that counts those in use.
#[component]
pub fn FilterForm<'a, F: Listed>(
    query: &'a ListQuery<F>,
    /// The name of the list.
    label: &'static str,
    inputs: Vec<Input>,
    /// The parameter that the server rejected.
    wrong: Option<&'a str>,
    /// Links above the form that filter too.
    #[prop(optional)]
    links: Option<AnyView>,
    /// Further inputs.
    #[prop(optional)]
    more: Option<AnyView>,
    /// Parameters of the further inputs.
    #[prop(optional)]
    more_names: &'static [&'static str],
    /// The button; "Apply" if absent.
    #[prop(optional)]
    action: Option<&'static str>,
) -> AnyView {
    let language = language();
    let action = action.unwrap_or_else(|| common::apply(language));
    let fits = inputs.len() == 1 && links.is_none() && more.is_none();
    let given = |filter: &F| filter.fields().into_iter().filter(|(_, value)| value.is_some()).count();
    let used = given(&query.filter).saturating_sub(given(&query.filter.cleared()));
    let shown = |name: &str| inputs.iter().any(|input| input.name == name) || more_names.contains(&name);
    let rest = query.filter.fields().into_iter().chain([("limit", query.paging.limit.text())]).filter(|field| !shown(field.0));
    let hidden = rest.filter_map(|(name, value)| value.map(|value| view! { <input type="hidden" name=name value=value /> })).collect_view();
    let inputs = inputs.into_iter().map(|input| input.view(wrong)).collect_view();
    let form = view! {
        <form
            method="get"
            action=F::PATH
            class="filters"
            role="search"
            aria-label=label
            data-tidy=""
        >
            {hidden}
            {inputs}
            {more}
            <button class="button">
                <Icon glyph=Glyph::Search />
                <span>{action}</span>
            </button>
        </form>
    };
    if fits {
        return form.into_any();
    }
    let count = (used > 0).then(|| view! { <span class="filter-count">{used}</span> });
    view! {
        <details class="filter-box" open=wrong.is_some()>
            <summary class="button">
                <Icon glyph=Glyph::Search />
                <span>{common::filters(language)}</span>
                {count}
            </summary>
            <div class="filter-content">{links} {form}</div>
        </details>
    }
    .into_any()
}

/// Links that filter a list by one value of a parameter, or show all of it.
#[component]
pub fn Segments<'a, T, X, H>(
    /// The name of the parameter.
    label: &'static str,
    values: Vec<T>,
    parameter: &'a Parameter<T>,
    /// Text of a link.
    text: X,
    href: H,
) -> AnyView
where
    T: Copy + PartialEq,
    X: Fn(Option<T>) -> String,
    H: Fn(Option<T>) -> String,
{
    let link = |value: Option<T>| {
        let current = (Parameter::from(value) == *parameter).then_some("true");
        view! { <li><a href=href(value) aria-current=current>{text(value)}</a></li> }
    };
    let links = std::iter::once(None).chain(values.into_iter().map(Some)).map(link).collect_view();
    view! {
        <nav class="segments" aria-label=label>
            <ul>{links}</ul>
        </nav>
    }
    .into_any()
}
