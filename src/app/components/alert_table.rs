//! Thresholds that the current period has reached or is forecast to reach, and its caps.

use super::{Badge, Moment};
use crate::{
    app::usage_summary::Tone,
    domain::{
        alert::{AlertStanding, Standing, State},
        format,
        usage::UsageCurrent,
    },
};
use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};

/// One row each.
#[component]
pub fn AlertTable<'a>(alerts: &'a AlertStanding, usage: &'a UsageCurrent) -> impl IntoView + use<> {
    let end = format::day_month(format::last_day(&usage.current_period.period));
    let row = |one: Standing| {
        let (tone, text) = match one.state {
            State::Reached(_) => (Tone::Warning, "Reached"),
            State::Refusing(_) => (Tone::Danger, "Reached, more is refused"),
            State::Expected => (Tone::Neutral, "Expected"),
            State::InForce => (Tone::Good, "In force"),
            State::Earlier(_) => (Tone::Neutral, "Reached earlier"),
        };
        let when = match one.state {
            State::Reached(at) | State::Refusing(Some(at)) | State::Earlier(at) => {
                EitherOf3::A(view! { <small><Moment at time=true /></small> })
            }
            State::Expected => EitherOf3::B(view! { <small>{format!("by {end} at this pace")}</small> }),
            State::Refusing(None) | State::InForce => EitherOf3::C(()),
        };
        view! {
            <tr>
                <th scope="row">{one.metric.title()}</th>
                <td>{one.threshold_text()}</td>
                <td class="first"><Badge tone text icon=true /> {when}</td>
            </tr>
        }
    };
    let list = alerts.list(usage);
    let said = match (alerts.settings.enabled(), list.is_empty()) {
        (true, true) => Some("No threshold has been reached in this period, and none is expected to be. No cap is set."),
        (false, true) => Some("Alerts are switched off, and no cap is set."),
        (false, false) => Some("Alerts are switched off. Caps still apply."),
        (true, false) => None,
    };
    let table = if list.is_empty() {
        Either::Left(())
    } else {
        Either::Right(view! {
            <div class="table-frame">
                <table class="table rows alerts">
                    <caption class="visually-hidden">"Thresholds that were reached or are expected, and caps"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Metric"</th>
                            <th scope="col">"Threshold"</th>
                            <th scope="col">"State"</th>
                        </tr>
                    </thead>
                    <tbody>{list.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        })
    };
    view! { {said.map(|said| view! { <p class="quiet">{said}</p> })} {table} }
}
