//! One metric of the current period.

use super::{Badge, usage_bar::UsageBar};
use crate::{
    app::{language, usage_summary::Level},
    domain::{format::percent as share, language::Language, metric::Metric, money::Money, usage::UsageCurrent},
    text::{common, format, usage as words},
};
use leptos::prelude::*;

/// Usage against the included quantity with a bar, the forecast, and the overage.
#[component]
pub fn MetricCard<'a>(metric: Metric, usage: &'a UsageCurrent) -> impl IntoView + use<> {
    let language = language();
    let quantity = |quantity| format::quantity(language, metric, quantity);
    let used = usage.used()[metric];
    let included = usage.included().map(|included| included[metric]);
    let forecast = usage.forecast.as_ref().map(|forecast| forecast.quantities[metric]);
    let cost = match usage.overages.cost(metric) {
        Some(cost) => words::costs(language, Money::new(cost, usage.overages.currency)),
        None => words::cost_unknown(language).to_owned(),
    };
    let level = included.map(|included| Level::of(used, included));

    let expected = forecast.map(|f| {
        let range = (f.low != f.high).then(|| words::likely(language, &range(language, metric, f.low, f.high)));
        view! {
            <div>
                <dt><span class="key-forecast" aria-hidden="true"></span>{words::forecast(language)}</dt>
                <dd>{quantity(f.amount)} {range.map(|range| view! { <small>{range}</small> })}</dd>
            </div>
        }
    });
    let over = included.filter(|included| used > *included).map(|included| {
        view! {
            <div>
                <dt><span class="key-limit" aria-hidden="true"></span>{words::over_by(language)}</dt>
                <dd>{quantity(used - included)} <small>{cost.clone()}</small></dd>
            </div>
        }
    });
    let rest = included.filter(|included| used <= *included).map(|included| {
        view! {
            <div>
                <dt>{words::left(language)}</dt>
                <dd>{quantity(included - used)}</dd>
            </div>
        }
    });
    view! {
        <article class="metric">
            <header>
                <h3>{common::metric(language, metric)}</h3>
                {level.map(|level| view! { <Badge tone=level.tone() text=level.title(language) icon=true /> })}
            </header>
            <p class="figure">
                <strong>{quantity(used)}</strong>
                {included.map(|included| view! { <span>{words::of_included(language, &quantity(included))}</span> })}
                {included.map(|included| view! { <span class="figure-percent">{format::percent(language, share(used, included))}</span> })}
            </p>
            {included.map(|included| view! { <UsageBar metric used included forecast /> })}
            <dl class="facts">{over} {rest} {expected}</dl>
        </article>
    }
}

/// An interval in few characters, or in full where its ends would look the same.
fn range(language: Language, metric: Metric, low: u64, high: u64) -> String {
    let ends = |write: fn(Language, Metric, u64) -> String| (write(language, metric, low), write(language, metric, high));
    let short = ends(format::compact);
    let (low, high) = if short.0 == short.1 { ends(format::quantity) } else { short };
    if low == high { low } else { format!("{low}–{high}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_two_different_ends() {
        let english = |low, high| range(Language::English, Metric::Impressions, low, high);
        assert_eq!(english(18_000_000, 18_400_000), "18M–18.4M");
        assert_eq!(english(1_011_200, 1_011_900), "1,011,200–1,011,900");
        assert_eq!(range(Language::German, Metric::Impressions, 18_000_000, 18_400_000), "18 Mio.–18,4 Mio.".replace(' ', "\u{a0}"));
    }
}
