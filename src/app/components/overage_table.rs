//! The overage and its cost.

use crate::{
    app::language,
    domain::{format::last_day, metric::Metric, money::Money, usage::UsageCurrent},
    text::{common, format, usage as words},
};
use leptos::prelude::*;

/// A row per metric and the total, with the forecast total.
#[component]
pub fn OverageTable<'a>(usage: &'a UsageCurrent) -> impl IntoView + use<> {
    let language = language();
    let overages = &usage.overages;
    let unknown = || words::unknown(language).to_owned();
    let money = |amount: Option<i64>| amount.map_or_else(unknown, |amount| format::money(language, Money::new(amount, overages.currency)));
    let row = |metric: Metric| {
        let over = overages.amount(metric).map_or_else(unknown, |over| format::quantity(language, metric, over));
        view! {
            <tr>
                <th scope="row">{common::metric(language, metric)}</th>
                <td class="number named" data-label=words::over_the_plan(language)>{over}</td>
                <td class="number first">{money(overages.cost(metric))}</td>
            </tr>
        }
    };
    let end = format::day_month(language, last_day(&usage.current_period.period));
    let expected = usage.forecast.as_ref().map(|forecast| {
        view! {
            <tr class="quiet">
                <th scope="row" colspan="2">{words::likely_by(language, &end)}</th>
                <td class="number first">{money(forecast.total_overage_cost)}</td>
            </tr>
        }
    });
    let why = overages.unpriced_reason.as_ref().map(|why| words::unpriced(language, why)).map(|why| {
        view! { <p class="notice tone-warning">{words::cost_is_unknown(language, &why)}</p> }
    });
    view! {
        {why}
        <div class="table-frame">
        <table class="table rows">
            <caption class="visually-hidden">{words::overage_caption(language)}</caption>
            <thead>
                <tr>
                    <th scope="col">{words::metric(language)}</th>
                    <th scope="col" class="number">{words::over_the_plan(language)}</th>
                    <th scope="col" class="number">{words::cost(language)}</th>
                </tr>
            </thead>
            <tbody>{Metric::ALL.map(row).collect_view()}</tbody>
            <tfoot>
                <tr>
                    <th scope="row" colspan="2">{words::total_so_far(language)}</th>
                    <td class="number first">{money(overages.total_overage_cost)}</td>
                </tr>
                {expected}
            </tfoot>
        </table>
        </div>
        <p class="quiet">{words::before_tax(language)}</p>
    }
}
