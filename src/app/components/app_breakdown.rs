//! A period's days per app: a small chart each, and a table with the same numbers.

use crate::{
    app::{language, usage_comparison::AppDays},
    domain::{metric::Metric, share::percentages},
    text::{common, format, usage as words},
};
use leptos::{either::Either, prelude::*};
use time::{Duration, OffsetDateTime};

/// Height of a small chart in its own units; a day is ten wide.
const HEIGHT: u128 = 100;

/// Apps with the most usage first: name, amount and share. `first` is the period's first day.
#[component]
pub fn AppBreakdown<'a>(metric: Metric, first: OffsetDateTime, apps: &'a [AppDays]) -> impl IntoView + use<> {
    let language = language();
    let written = move |quantity| format::quantity(language, metric, quantity);
    let whole = apps.iter().fold(0_u64, |sum, app| sum.saturating_add(app.total()));
    if whole == 0 {
        return Either::Left(view! { <p class="quiet">{words::no_app(language)}</p> });
    }
    let shares = percentages(&apps.iter().map(AppDays::total).collect::<Vec<_>>());
    let items = apps
        .iter()
        .zip(shares)
        .map(|(app, share)| {
            let figures = format!("{} · {}", written(app.total()), format::percent(language, share));
            view! {
                <li>
                    <div>
                        <strong class="ids">{app.name.clone()}</strong>
                        <span class="quiet">{figures}</span>
                    </div>
                    {small_chart(&app.days)}
                </li>
            }
        })
        .collect_view();
    let heads = apps.iter().map(|app| view! { <th scope="col" class="number">{app.name.clone()}</th> }).collect_view();
    let count = apps.iter().map(|app| app.days.len()).max().unwrap_or(0);
    let rows = (0..count)
        .filter(|day| apps.iter().any(|app| app.days.get(*day).is_some_and(|quantity| *quantity > 0)))
        .map(|day| {
            let at = first + Duration::DAY * u32::try_from(day).unwrap_or(u32::MAX);
            let cells =
                apps.iter().map(|app| view! { <td class="number">{written(app.days.get(day).copied().unwrap_or(0))}</td> }).collect_view();
            view! { <tr><th scope="row">{format::day_month(language, at)}</th>{cells}</tr> }
        })
        .collect_view();
    let title = words::per_app_and_day(language, common::metric(language, metric));
    let caption = title.clone();
    Either::Right(view! {
        <p class="quiet">{words::own_scales(language)}</p>
        <ul class="entries">{items}</ul>
        <details class="chart-table">
            <summary>{words::show_apps(language)}</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=title>
                <table class="table">
                    <caption class="visually-hidden">{caption}</caption>
                    <thead><tr><th scope="col">{words::day(language)}</th>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    })
}

/// A picture next to the numbers; the table has the same content.
fn small_chart(days: &[u64]) -> impl IntoView + use<> {
    let highest = u128::from(days.iter().copied().max().unwrap_or(0).max(1));
    let columns: String = days
        .iter()
        .enumerate()
        .filter(|(_, quantity)| **quantity > 0)
        .map(|(day, quantity)| {
            // A day with any usage shows at least a line.
            let height = (u128::from(*quantity) * HEIGHT / highest).max(2);
            format!("M{} {HEIGHT}v-{height}h6v{height}z", day * 10 + 2)
        })
        .collect();
    view! {
        <svg width="144" height="40" viewBox=format!("0 0 {} {HEIGHT}", days.len() * 10) preserveAspectRatio="none" aria-hidden="true">
            <path class="chart-column" d=columns></path>
        </svg>
    }
}
