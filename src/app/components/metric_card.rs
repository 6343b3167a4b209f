//! One metric of the current period.

use super::{Badge, usage_bar::UsageBar};
use crate::{
    app::usage_summary::Level,
    domain::{format, metric::Metric, money::Money, usage::UsageCurrent},
};
use leptos::prelude::*;

/// Usage against the included quantity with a bar, the forecast, and the overage.
#[component]
pub fn MetricCard<'a>(metric: Metric, usage: &'a UsageCurrent) -> impl IntoView + use<> {
    let used = usage.used()[metric];
    let included = usage.included().map(|included| included[metric]);
    let forecast = usage.forecast.as_ref().map(|forecast| forecast.quantities[metric]);
    let cost = match usage.overages.cost(metric) {
        Some(cost) => format!("costs {}", Money::new(cost, usage.overages.currency)),
        None => "cost unknown".to_owned(),
    };
    let level = included.map(|included| Level::of(used, included));

    let expected = forecast.map(|f| {
        let range = (f.low != f.high).then(|| format!("{} to {}", format::compact(metric, f.low), format::compact(metric, f.high)));
        view! {
            <div>
                <dt><span class="key-forecast" aria-hidden="true"></span>"Forecast"</dt>
                <dd>{metric.show(f.amount)} {range.map(|range| view! { <small>{range}</small> })}</dd>
            </div>
        }
    });
    let over = included.filter(|included| used > *included).map(|included| {
        view! {
            <div>
                <dt><span class="key-limit" aria-hidden="true"></span>"Over by"</dt>
                <dd>{metric.show(used - included)} <small>{cost.clone()}</small></dd>
            </div>
        }
    });
    let rest = included.filter(|included| used <= *included).map(|included| {
        view! {
            <div>
                <dt>"Left"</dt>
                <dd>{metric.show(included - used)}</dd>
            </div>
        }
    });
    view! {
        <article class="metric">
            <header>
                <h3>{metric.title()}</h3>
                {level.map(|level| view! { <Badge tone=level.tone() text=level.title() icon=true /> })}
            </header>
            <p class="figure">
                <strong>{metric.show(used)}</strong>
                {included.map(|included| view! { <span>{format!("of {} included", metric.show(included))}</span> })}
                {included.map(|included| view! { <span class="figure-percent">{format!("{}\u{a0}%", format::percent(used, included))}</span> })}
            </p>
            {included.map(|included| view! { <UsageBar metric used included forecast /> })}
            <dl class="facts">{over} {rest} {expected}</dl>
        </article>
    }
}
