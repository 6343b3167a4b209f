//! A metric's usage bar: used against included, with the forecast marked.

use crate::{
    app::{language, usage_summary::Level},
    domain::{
        forecast::Forecast,
        format::{percent, share},
        metric::Metric,
    },
    text::{common, format, usage as words},
};
use leptos::prelude::*;

/// A bar over the included quantity or, if more is used or expected, over that; then the limit is
/// marked.
#[component]
pub fn UsageBar(metric: Metric, used: u64, included: u64, forecast: Option<Forecast>) -> impl IntoView {
    let expected = forecast.map(|forecast| forecast.amount);
    let reach = included.max(used).max(forecast.map_or(0, |f| f.high)).max(1);
    let level = Level::of(used, included);
    let language = language();
    let quantity = |quantity| format::quantity(language, metric, quantity);
    let percent = format::percent(language, percent(used, included));
    let mut label =
        words::bar(language, common::metric(language, metric), &quantity(used), &quantity(included), &percent, level.title(language));
    if let Some(amount) = expected {
        label = format!("{label} {}", words::bar_forecast(language, &quantity(amount)));
    }
    let band = forecast.map(|f| {
        let width = share(f.high.saturating_sub(f.low), reach);
        view! { <rect class="bar-band" x=share(f.low, reach) width=width y="7" height="12"></rect> }
    });
    let mark = expected.map(|amount| {
        let x = share(amount, reach);
        view! { <line class="bar-forecast" x1=x.clone() x2=x y1="2" y2="24"></line> }
    });
    let limit = (included < reach).then(|| {
        let x = share(included, reach);
        view! { <line class="bar-limit" x1=x.clone() x2=x y1="4" y2="22"></line> }
    });
    view! {
        <svg class=format!("bar {}", level.bar_tone().class()) width="100%" height="26" role="img" aria-label=label>
            <rect class="bar-track" width="100%" y="7" height="12" rx="6"></rect>
            {band}
            <rect class="bar-fill" width=share(used, reach) y="7" height="12" rx="6"></rect>
            {limit}
            {mark}
        </svg>
    }
}
