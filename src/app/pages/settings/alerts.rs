//! Thresholds, recipients and caps; and alerts that fired.

use super::{
    field::{Field, Filled},
    notice,
};
use crate::{
    app::{
        alert_form::{field, fields_of},
        components::{Badge, Moment},
        form_result::Refusal,
        local_path::SETTINGS,
        usage_summary::Tone,
    },
    domain::{
        alert::{AlertSettings, Cap, FiredAlert},
        error_code::ErrorCode,
        metric::{Metric, Unit},
        money::Money,
        settings::CustomerSettings,
    },
};
use leptos::{either::Either, prelude::*};

/// A form for users who may change it, text for the others.
pub fn panel(settings: &CustomerSettings, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let content = if settings.manages { Either::Left(form(settings, refusal)) } else { Either::Right(words(&settings.alerts)) };
    view! {
        <section class="panel" aria-labelledby="alerts-title">
            <header class="panel-head"><h2 id="alerts-title">"Usage alerts"</h2></header>
            {refusal.map(notice)}
            {content}
        </section>
    }
}

fn form(settings: &CustomerSettings, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let filled = Filled { form: "alerts", set: fields_of(&settings.alerts), refusal };
    let fallback = match (settings.contacts.is_empty(), &settings.billing_email) {
        (false, _) => "the billing contacts below".to_owned(),
        (true, Some(email)) => email.clone(),
        (true, None) => "no one, because no address is known".to_owned(),
    };
    let hint = Some(format!("Up to ten e-mail addresses, separated by commas. If empty: {fallback}."));
    let recipients = Field { hint, multiple: true, ..Field::new("recipients", "email", "Recipients") };
    let money = settings.currency.code().to_uppercase();
    let metric = |metric: Metric| {
        let text = |name: &str, label: &str, hint: &str| {
            filled.input(Field { hint: Some(hint.to_owned()), ..Field::new(field(metric, name), "text", label) })
        };
        let unit = match metric.unit() {
            Unit::Count => metric.title(),
            Unit::Bytes => "GB",
        };
        let id = format!("alerts-{metric}");
        view! {
            <div class="entries" role="group" aria-labelledby=id.clone()>
                <h3 id=id.clone()>{metric.title()}</h3>
                {text("percent", "Alert at % of the included quantity", "Several separated by semicolons, for example 80; 90; 100; 110")}
                {text("cost", &format!("Alert at overage in {money}"), "Several separated by semicolons, for example 50; 1,500")}
                {text("cap", "Cap", "Events beyond it are refused and not counted. If empty: no cap.")}
                {filled.select(
                    &field(metric, "cap_unit"),
                    "Cap counts in".to_owned(),
                    vec![("percent", "% of the included quantity".to_owned()), ("quantity", unit.to_owned())],
                )}
            </div>
        }
    };
    // While a question is open, neither answer is the primary one.
    let asks = refusal.is_some_and(|refusal| refusal.problem.is(ErrorCode::CapConfirmationRequired));
    let save = if asks { "button" } else { "button primary" };
    let mails = vec![("true", "Notify".to_owned()), ("false", "Don’t notify".to_owned())];
    view! {
        <form method="post" action=SETTINGS class="entries">
            <input type="hidden" name="form" value="alerts" />
            <div class="columns even">
                {filled.select("enabled", "When a threshold is reached".to_owned(), mails)} {filled.input(recipients)}
            </div>
            <div class="metrics">{Metric::ALL.map(metric).collect_view()}</div>
            <div class="actions">
                // The first button is the one of the Enter key: it asks again.
                <button class=save>"Save alerts"</button>
                {asks.then(|| view! {
                    <button class="button danger" name="confirm" value="true">"Save, and refuse from now on"</button>
                    <a href=SETTINGS rel="external">"Discard the changes"</a>
                })}
            </div>
        </form>
    }
}

fn words(alerts: &AlertSettings) -> impl IntoView + use<> {
    let fact = |name: String, value: String| view! { <div><dt>{name}</dt><dd class="ids">{value}</dd></div> };
    let recipients: Vec<&str> = alerts.recipients().iter().map(|address| address.as_str()).collect();
    let notified = match (alerts.enabled(), recipients.is_empty()) {
        (false, _) => "no one: alerts are switched off".to_owned(),
        (true, true) => "the billing contacts".to_owned(),
        (true, false) => recipients.join(", "),
    };
    let metrics = Metric::ALL.map(|metric| {
        let set = alerts.metric(metric);
        let mut parts: Vec<String> = set.percent().iter().map(|percent| format!("{percent}\u{a0}%")).collect();
        parts.extend(set.cost().iter().map(|cost| Money::new(*cost, alerts.currency()).to_string()));
        parts.push(match set.cap() {
            None => "no cap".to_owned(),
            Some(Cap::Percent(percent)) => format!("cap at {percent}\u{a0}%"),
            Some(Cap::Quantity(quantity)) => format!("cap at {}", metric.show(quantity)),
        });
        fact(metric.title().to_owned(), parts.join(", "))
    });
    view! { <dl class="facts">{fact("Notified".to_owned(), notified)} {metrics.collect_view()}</dl> }
}

/// Alerts of the current period.
pub fn fired(alerts: &[FiredAlert]) -> impl IntoView + use<> {
    let one = |alert: &FiredAlert| {
        let (tone, text) = if alert.notified_at.is_some() { (Tone::Good, "Notified") } else { (Tone::Neutral, "Not notified yet") };
        view! {
            <li>
                <div>
                    <span>{alert.sentence()}</span>
                    <span class="quiet">
                        <Moment at=alert.reached_at() time=true />
                        {alert.rearmed_at.map(|at| view! { ", no longer reached since " <Moment at time=true /> })}
                    </span>
                </div>
                <span><Badge tone text /></span>
            </li>
        }
    };
    let list = if alerts.is_empty() {
        Either::Left(view! { <p class="quiet">"No threshold has been reached in this period."</p> })
    } else {
        Either::Right(view! { <ul class="entries">{alerts.iter().map(one).collect_view()}</ul> })
    };
    view! {
        <section class="panel" aria-labelledby="fired-title">
            <header class="panel-head"><h2 id="fired-title">"Reached in this period"</h2></header>
            {list}
        </section>
    }
}
