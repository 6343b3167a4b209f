//! Settings that a customer manages: usage alerts and caps, billing contacts, API keys. Plain forms
//! that work without JavaScript.

mod alerts;
mod contacts;
mod field;
mod keys;

use crate::{
    app::{
        Page,
        address::address,
        calls::{Problem, settings::settings},
        components::{
            Glyph, Icon, ProblemNotice,
            done_notice::{DoneNotice, not_saved},
        },
        form_result::{Outcome, Refusal, outcome},
        pages::{console::Session, paused::paused_page},
        status::set_status,
    },
    domain::{alert::HOW_TO_CONFIRM, settings::CustomerSettings},
};
use leptos::{either::Either, prelude::*};

/// Id of the message about a rejected form.
const PROBLEM: &str = "settings-problem";

/// `/billing/settings?done=`.
pub async fn page() -> Page {
    if expect_context::<Session>().paused() {
        return paused_page();
    }
    let done = address().get("done").and_then(said);
    let content = match settings(None).await {
        Ok(settings) => Either::Left(show(settings, outcome(), done)),
        Err(problem) => Either::Right(view! { <ProblemNotice problem page=true /> }),
    };
    Page::new("Settings", content)
}

/// The message of a redirect after a form.
fn said(word: &str) -> Option<&'static str> {
    Some(match word {
        "alerts" => "The alert settings are saved.",
        "contact" => "The contact is saved.",
        "contact_removed" => "The contact is removed.",
        "key_revoked" => "The key is revoked; requests with it are refused.",
        _ => return None,
    })
}

fn show(settings: CustomerSettings, outcome: Outcome, done: Option<&'static str>) -> impl IntoView {
    let Outcome { made, refused, .. } = outcome;
    if let Some(refused) = &refused {
        set_status(refused.problem.status);
    }
    let manages = settings.manages;
    let refusal = |form: &str| refused.as_ref().filter(|refused| manages && refused.form == form);
    // For a form without correctable fields, or one that this user does not see.
    let other = refused.as_ref().filter(|refused| !(manages && matches!(refused.form.as_str(), "alerts" | "contact" | "key"))).map(notice);
    let notice = done.map(|text| view! { <DoneNotice text /> });
    view! {
        <header class="page-head">
            <div>
                <h1>"Settings"</h1>
                <p class="page-sub">"Usage alerts, caps, billing contacts and API keys."</p>
            </div>
        </header>
        {notice}
        {other}
        {made.map(keys::made)}
        {alerts::panel(&settings, refusal("alerts"))}
        {alerts::fired(&settings.fired)}
        {contacts::panel(&settings, refusal("contact"))}
        {settings.api_keys.as_deref().map(|list| keys::panel(list, refusal("key")))}
    }
}

/// Why a form was rejected.
fn notice(refusal: &Refusal) -> impl IntoView + use<> {
    let Problem { status, code, .. } = &refusal.problem;
    let text = match *status {
        _ if code == "viewing_as" => "You are viewing as this customer, which is read-only. Stop viewing first.".to_owned(),
        409 if code == "cap_confirmation_required" => {
            let asked = refusal.problem.detail.trim_end_matches(HOW_TO_CONFIRM).trim_end();
            format!("{asked} Nothing is saved yet. Should it be?")
        }
        403 => "Your role doesn’t include changing this. Ask a publisher of your account.".to_owned(),
        404 => "That no longer exists; this is the current state.".to_owned(),
        _ => not_saved(&refusal.problem, refusal.problem.parameter.as_deref().and_then(label_of)),
    };
    view! {
        <p id=PROBLEM class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{text}</span>
        </p>
    }
}

/// The label of a field.
fn label_of(parameter: &str) -> Option<String> {
    use crate::domain::metric::Metric;
    let label = match parameter {
        "recipients" => "Recipients".to_owned(),
        "email" => "E-mail".to_owned(),
        "name" => "Name".to_owned(),
        path => {
            let (metric, name) = path.strip_prefix("metrics.")?.split_once('.')?;
            let what = match name {
                "percent" => "alerts in percent",
                "cost" => "alerts in money",
                "cap" => "cap",
                _ => return None,
            };
            format!("{}, {what}", metric.parse::<Metric>().ok()?.title())
        }
    };
    Some(label)
}
