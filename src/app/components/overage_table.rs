//! The overage and its cost.

use crate::domain::{metric::Metric, money::Money, usage::UsageCurrent};
use leptos::prelude::*;

/// A row per metric and the total, with the forecast total.
#[component]
pub fn OverageTable<'a>(usage: &'a UsageCurrent) -> impl IntoView + use<> {
    let overages = &usage.overages;
    let unknown = || "Unknown".to_owned();
    let money = |amount: Option<i64>| amount.map_or_else(unknown, |amount| Money::new(amount, overages.currency).to_string());
    let row = |metric: Metric| {
        let over = overages.amount(metric).map_or_else(unknown, |over| metric.show(over));
        view! {
            <tr>
                <th scope="row">{metric.title()}</th>
                <td class="number named" data-label="Over the plan">{over}</td>
                <td class="number first">{money(overages.cost(metric))}</td>
            </tr>
        }
    };
    let expected = usage.forecast.as_ref().map(|forecast| {
        view! {
            <tr class="quiet">
                <th scope="row" colspan="2">"Expected by the period’s end"</th>
                <td class="number first">{money(forecast.total_overage_cost)}</td>
            </tr>
        }
    });
    let why = overages.unpriced.clone().map(|why| {
        view! { <p class="notice tone-warning">{format!("The cost is unknown: {why}.")}</p> }
    });
    view! {
        {why}
        <div class="table-frame">
        <table class="table rows">
            <caption class="visually-hidden">"Overage cost so far, per metric"</caption>
            <thead>
                <tr>
                    <th scope="col">"Metric"</th>
                    <th scope="col" class="number">"Over the plan"</th>
                    <th scope="col" class="number">"Cost"</th>
                </tr>
            </thead>
            <tbody>{Metric::ALL.map(row).collect_view()}</tbody>
            <tfoot>
                <tr>
                    <th scope="row" colspan="2">"Total so far"</th>
                    <td class="number first">{money(overages.total_overage_cost)}</td>
                </tr>
                {expected}
            </tfoot>
        </table>
        </div>
    }
}
