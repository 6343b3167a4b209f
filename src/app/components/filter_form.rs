//! Filters a list by a GET form, so that it works without JavaScript and every result has a URL.

use super::{Glyph, Icon};
use crate::{
    app::{
        filters::{Fault, Field, Listed},
        language,
    },
    domain::list::{ListQuery, Parameter},
    text::{Text, common},
};
use leptos::prelude::*;

/// The sentences about invalid fields of a form.
#[derive(Debug, Default)]
pub struct FilterErrors(Vec<(&'static str, &'static str)>);

impl FilterErrors {
    /// `fields`: the parameters with a field, each with the sentence about an invalid value.
    pub fn new(fields: &[(&'static str, Text)], faults: &[(&'static str, Fault)]) -> FilterErrors {
        let language = language();
        let sentence = |(name, fault): &(&'static str, Fault)| {
            let (_, invalid) = fields.iter().find(|(known, _)| known == name)?;
            let text = match fault {
                Fault::Invalid => invalid(language),
                Fault::Backwards => common::last_day_before_first(language),
            };
            Some((*name, text))
        };
        FilterErrors(faults.iter().filter_map(sentence).collect())
    }

    /// The sentence about a field.
    pub fn of(&self, name: &str) -> Option<&'static str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, sentence)| *sentence)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

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

    /// `focused`: it is the first invalid one.
    fn view(self, error: Option<&'static str>, focused: bool) -> impl IntoView + use<> {
        let Input { name, label, kind, value, grows, suggestions } = self;
        let id = format!("filter-{name}");
        let error_id = format!("{id}-error");
        // A date field drops text that is not a date; a text field shows it for correction.
        let is_text = error.is_some() && kind == "date";
        let message = error.map(|sentence| view! { <p id=error_id.clone() class="field-error">{sentence}</p> });
        view! {
            <div class=if grows { "field grow" } else { "field" }>
                <label for=id.clone()>{label}</label>
                <input
                    id=id
                    name=name
                    type=if is_text { "text" } else { kind }
                    value=value.unwrap_or_default()
                    list=suggestions
                    autocomplete="off"
                    autofocus=focused
                    aria-invalid=error.map(|_| "true")
                    aria-describedby=error.map(|_| error_id)
                />
                {message}
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
    /// What is wrong with the fields.
    wrong: Option<&'a FilterErrors>,
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
    let given = |filter: &F| filter.fields().iter().filter(|field| field.value.is_some()).count();
    let used = given(&query.filter).saturating_sub(given(&query.filter.cleared()));
    let shown = |name: &str| inputs.iter().any(|input| input.name == name) || more_names.contains(&name);
    let rest = query.filter.fields().into_iter().chain([Field::of("limit", &query.paging.limit)]).filter(|field| !shown(field.name));
    let valid = rest.filter(|field| !field.invalid);
    let hidden = valid
        .filter_map(|Field { name, value, .. }| value.map(|value| view! { <input type="hidden" name=name value=value /> }))
        .collect_view();
    let error = |name: &str| wrong.and_then(|errors| errors.of(name));
    let first = inputs.iter().position(|input| error(input.name).is_some());
    let inputs = inputs.into_iter().enumerate().map(|(place, input)| {
        let error = error(input.name);
        input.view(error, first == Some(place))
    });
    let inputs = inputs.collect_view();
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
        <details class="filter-box" open=wrong.is_some_and(|errors| !errors.is_empty())>
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
