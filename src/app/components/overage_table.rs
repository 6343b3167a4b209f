//! What is over the plan, and what it costs.

use crate::domain::{
    metric::Metric,
    money::Money,
    usage::{UsageCurrent, show_quantity},
};
use leptos::prelude::*;

/// A row per metric and the total, with the forecast total beside it.
#[component]
pub fn OverageTable<'a>(usage: &'a UsageCurrent) -> impl IntoView + use<> {
    let overages = &usage.overages;
    let money = |amount| Money::new(amount, overages.currency).to_string();
    let row = |metric: Metric| {
        let over = match metric {
            Metric::Impressions => overages.impressions.amount,
            Metric::ApiCalls => overages.api_calls.amount,
            Metric::DataTransferBytes => overages.data_transfer.amount.0,
        };
        view! {
            <tr>
                <th scope="row">{metric.title()}</th>
                <td class="number">{show_quantity(metric, over)}</td>
                <td class="number">{money(overages.cost(metric))}</td>
            </tr>
        }
    };
    let expected = usage.forecast.as_ref().map(|forecast| {
        view! {
            <tr class="quiet">
                <th scope="row" colspan="2">"Expected by the period’s end"</th>
                <td class="number">{money(forecast.total_overage_cost)}</td>
            </tr>
        }
    });
    view! {
        <table class="table">
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
                    <td class="number">{money(overages.total_overage_cost)}</td>
                </tr>
                {expected}
            </tfoot>
        </table>
    }
}
