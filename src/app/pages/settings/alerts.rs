//! Thresholds, recipients and caps; and alerts that fired.

use super::{
    field::{Field, Filled, Input},
    hidden, notice,
};
use crate::{
    app::{
        alert_form::{field, fields_of},
        components::{Badge, Moment},
        language,
        local_path::SETTINGS,
        usage_summary::Tone,
    },
    domain::{
        alert::{AlertSettings, Cap, FiredAlert},
        metric::{Metric, Unit},
        money::Money,
        settings::CustomerSettings,
    },
    text::{common, format, settings as words},
};
use leptos::{either::Either, prelude::*};
use time::{OffsetDateTime, UtcOffset};

/// A form for users who may change it, text for the others.
pub fn panel(settings: &CustomerSettings, input: Input<'_>) -> impl IntoView + use<> {
    let content = if settings.manages { Either::Left(form(settings, input)) } else { Either::Right(as_text(&settings.alerts)) };
    view! {
        <section class="panel" aria-labelledby="alerts-title">
            <header class="panel-head"><h2 id="alerts-title">{words::alerts(language())}</h2></header>
            {notice(input)}
            {content}
        </section>
    }
}

fn form(settings: &CustomerSettings, input: Input<'_>) -> impl IntoView + use<> {
    let language = language();
    let filled = Filled { form: "alerts", set: fields_of(&settings.alerts), input };
    let fallback = match (settings.contacts.is_empty(), &settings.billing_email) {
        (false, _) => words::fallback_contacts(language).to_owned(),
        (true, Some(email)) => email.clone(),
        (true, None) => words::fallback_unknown(language).to_owned(),
    };
    let hint = Some(words::recipients_hint(language, &fallback));
    let recipients = Field { hint, multiple: true, ..Field::new("recipients", "email", words::recipients(language)) };
    let money = settings.currency.code().to_uppercase();
    let metric = |metric: Metric| {
        let text = |name: &str, label: &str, hint: &str| {
            filled.input(Field { hint: Some(hint.to_owned()), ..Field::new(field(metric, name), "text", label) })
        };
        let unit = match metric.unit() {
            Unit::Count => common::metric(language, metric),
            Unit::Bytes => format::bytes_unit(language),
        };
        let id = format!("alerts-{metric}");
        view! {
            <div class="entries" role="group" aria-labelledby=id.clone()>
                <h3 id=id.clone()>{common::metric(language, metric)}</h3>
                {text("percent", words::percent_label(language), words::percent_hint(language))}
                {text("cost", &words::cost_label(language, &money), words::cost_hint(language))}
                {text("cap", words::cap(language), words::cap_hint(language))}
                {filled.select(
                    &field(metric, "cap_unit"),
                    words::unit(language).to_owned(),
                    vec![("percent", words::unit_percent(language).to_owned()), ("quantity", unit.to_owned())],
                )}
            </div>
        }
    };
    // While a question is open, neither answer is the primary one.
    let asks = input.refusal.is_some_and(|refusal| !refusal.caps.is_empty());
    let save = if asks { "button" } else { "button primary" };
    let mails = vec![("true", common::on(language).to_owned()), ("false", common::off(language).to_owned())];
    view! {
        <form method="post" action=SETTINGS class="entries" novalidate>
            {hidden("alerts")}
            <div class="columns even">
                {filled.select("enabled", words::email_alerts(language).to_owned(), mails)} {filled.input(recipients)}
            </div>
            <div class="metrics">{Metric::ALL.map(metric).collect_view()}</div>
            <div class="actions">
                // The first button is the one of the Enter key: it asks again.
                <button class=save>{words::save_alerts(language)}</button>
                {asks.then(|| view! {
                    <button class="button danger" name="confirm" value="true">{words::save_and_refuse(language)}</button>
                    <a href=SETTINGS rel="external">{words::discard(language)}</a>
                })}
            </div>
        </form>
    }
}

fn as_text(alerts: &AlertSettings) -> impl IntoView + use<> {
    let language = language();
    let fact = |name: &'static str, value: String| view! { <div><dt>{name}</dt><dd class="ids">{value}</dd></div> };
    let recipients: Vec<&str> = alerts.recipients().iter().map(|address| address.as_str()).collect();
    let notified = match (alerts.enabled(), recipients.is_empty()) {
        (false, _) => words::alerts_off(language).to_owned(),
        (true, true) => words::billing_contacts_noun(language).to_owned(),
        (true, false) => recipients.join(", "),
    };
    let percent = |percent: u32| format::percent(language, u64::from(percent));
    let metrics = Metric::ALL.map(|metric| {
        let set = alerts.metric(metric);
        let mut parts: Vec<String> = set.percent().iter().map(|value| percent(*value)).collect();
        parts.extend(set.cost().iter().map(|cost| format::money(language, Money::new(*cost, alerts.currency()))));
        parts.push(match set.cap() {
            None => words::no_cap(language).to_owned(),
            Some(Cap::Percent(value)) => words::cap_at(language, &percent(value)),
            Some(Cap::Quantity(quantity)) => words::cap_at(language, &format::quantity(language, metric, quantity)),
        });
        fact(common::metric(language, metric), parts.join(", "))
    });
    view! { <dl class="facts">{fact(words::notified(language), notified)} {metrics.collect_view()}</dl> }
}

/// Alerts of the current period.
pub fn fired(alerts: &[FiredAlert]) -> impl IntoView + use<> {
    let language = language();
    let one = |alert: &FiredAlert| {
        let (tone, text) = match alert.notified_at {
            Some(at) => (Tone::Good, words::emailed(language, &when(at, alert.reached_at()))),
            None => (Tone::Neutral, words::not_emailed(language).to_owned()),
        };
        view! {
            <li>
                <div>
                    <span>{words::fired_alert(language, alert)}</span>
                    <span class="quiet">
                        <Moment at=alert.reached_at() time=true />
                        {alert.rearmed_at.map(|at| view! { ", " {words::no_longer_reached(language)} " " <Moment at time=true /> })}
                    </span>
                </div>
                <span><Badge tone text /></span>
            </li>
        }
    };
    let list = if alerts.is_empty() {
        Either::Left(view! { <p class="quiet">{words::none_fired(language)}</p> })
    } else {
        Either::Right(view! { <ul class="entries">{alerts.iter().map(one).collect_view()}</ul> })
    };
    view! {
        <section class="panel" aria-labelledby="fired-title">
            <header class="panel-head"><h2 id="fired-title">{words::fired(language)}</h2></header>
            {list}
        </section>
    }
}

/// The time of day of a mail; of another day than the alert's, with the date.
fn when(mailed: OffsetDateTime, reached: OffsetDateTime) -> String {
    let (mailed, reached) = (mailed.to_offset(UtcOffset::UTC), reached.to_offset(UtcOffset::UTC));
    if mailed.date() == reached.date() {
        format!("{:02}:{:02}", mailed.hour(), mailed.minute())
    } else {
        format::date_time(language(), mailed)
    }
}
