//! Thresholds that the current period has reached or is forecast to reach, and its caps.

use super::{Badge, Moment};
use crate::{
    app::{language, usage_summary::Tone},
    domain::{
        alert::{AlertStanding, Standing, State},
        format::last_day,
        usage::UsageCurrent,
    },
    text::{common, format, usage as words},
};
use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};

/// One row each.
#[component]
pub fn AlertTable<'a>(alerts: &'a AlertStanding, usage: &'a UsageCurrent) -> impl IntoView + use<> {
    let language = language();
    let end = format::day_month(language, last_day(&usage.current_period.period));
    let row = |one: Standing| {
        let (tone, text) = match one.state {
            State::Reached(_) => (Tone::Warning, words::reached(language)),
            State::Refusing(_) => (Tone::Danger, words::reached_and_refusing(language)),
            State::Expected => (Tone::Neutral, words::expected(language)),
            State::InForce => (Tone::Good, words::in_force(language)),
            State::Earlier(_) => (Tone::Neutral, words::reached_earlier(language)),
        };
        let when = match one.state {
            State::Reached(at) | State::Refusing(Some(at)) | State::Earlier(at) => {
                EitherOf3::A(view! { <small><Moment at time=true /></small> })
            }
            State::Expected => EitherOf3::B(view! { <small>{words::likely_by(language, &end)}</small> }),
            State::Refusing(None) | State::InForce => EitherOf3::C(()),
        };
        view! {
            <tr>
                <th scope="row">{common::metric(language, one.metric)}</th>
                <td>{words::threshold_text(language, &one)}</td>
                <td class="first"><Badge tone text icon=true /> {when}</td>
            </tr>
        }
    };
    let list = alerts.list(usage);
    let said = match (alerts.settings.enabled(), list.is_empty()) {
        (true, true) => Some(words::no_threshold_no_cap(language)),
        (false, true) => Some(words::alerts_off_no_cap(language)),
        (false, false) => Some(words::alerts_off(language)),
        (true, false) => None,
    };
    let table = if list.is_empty() {
        Either::Left(())
    } else {
        Either::Right(view! {
            <div class="table-frame">
                <table class="table rows alerts">
                    <caption class="visually-hidden">{words::alerts_caption(language)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{words::metric(language)}</th>
                            <th scope="col">{words::threshold(language)}</th>
                            <th scope="col">{words::state(language)}</th>
                        </tr>
                    </thead>
                    <tbody>{list.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        })
    };
    view! { {said.map(|said| view! { <p class="quiet">{said}</p> })} {table} }
}
