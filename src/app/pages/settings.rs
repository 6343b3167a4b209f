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
        calls::settings::settings,
        components::{
            Glyph, Icon, ProblemNotice,
            done_notice::{DoneNotice, FormError, summary},
        },
        form_result::{Outcome, Refusal, Unsaved, outcome},
        language,
        local_path::SETTINGS,
        pages::{console::Session, paused::paused_page},
        status::set_status,
    },
    domain::{language::Language, metric::Metric, settings::CustomerSettings},
    text::{common, problems, settings as words},
};
use field::Input;
use leptos::{either::Either, prelude::*};

/// The forms with fields that a person types.
pub const TYPED: [&str; 3] = ["alerts", "contact", "key"];

/// The hidden field with the id of the user whose page it is.
pub const OWNER: &str = "owner";

/// The user whose page this is, for a form whose session has ended when it is sent.
#[derive(Clone)]
struct FormOwner(String);

/// `/billing/settings?done=`.
pub async fn page() -> Page {
    if expect_context::<Session>().paused() {
        return paused_page();
    }
    let language = language();
    let done = address().get("done").and_then(|word| said(language, word));
    if let Ok(person) = crate::guard::person().await {
        provide_context(FormOwner(person.id.to_string()));
    }
    let content = match settings(None).await {
        Ok(settings) => Either::Left(show(settings, outcome(), done)),
        Err(problem) => Either::Right(view! { <ProblemNotice problem page=true /> }),
    };
    Page::new(words::title(language), content)
}

/// The message of a redirect after a form.
fn said(language: Language, word: &str) -> Option<&'static str> {
    Some(match word {
        "alerts" => words::alerts_saved(language),
        "contact" => words::contact_saved(language),
        "contact_removed" => words::contact_removed(language),
        "key_revoked" => words::key_revoked(language),
        "discarded" => words::changes_discarded(language),
        _ => return None,
    })
}

fn show(settings: CustomerSettings, outcome: Outcome, done: Option<&'static str>) -> impl IntoView {
    let Outcome { made, refused, unsaved, .. } = outcome;
    let language = language();
    if let Some(refused) = &refused {
        set_status(refused.problem.status);
    }
    let manages = settings.manages;
    let input = |form: &str| Input {
        refusal: refused.as_ref().filter(|refused| manages && refused.form == form),
        unsaved: unsaved.as_ref().filter(|unsaved| manages && unsaved.form == form),
    };
    // For a form without correctable fields, or one that this user does not see.
    let other = refused.as_ref().filter(|refused| !(manages && TYPED.contains(&refused.form.as_str()))).map(|refused| {
        let text = problems::form(language, refused.code());
        view! { <FormError text /> }
    });
    let notice = done.map(|text| view! { <DoneNotice text /> });
    view! {
        <header class="page-head">
            <div>
                <h1>{words::title(language)}</h1>
                <p class="page-sub">{words::subtitle(language)}</p>
            </div>
        </header>
        {notice}
        {other}
        {made.map(keys::made)}
        {alerts::panel(&settings, input("alerts"))}
        {alerts::fired(&settings.fired)}
        {contacts::panel(&settings, input("contact"))}
        {settings.api_keys.as_deref().map(|list| keys::panel(list, input("key")))}
    }
}

/// Above a form's fields: why it was rejected, or that its input is not saved yet.
fn notice(input: Input<'_>) -> Option<AnyView> {
    let language = language();
    if let Some(refusal) = input.refusal {
        return match refusal.caps.as_slice() {
            [] => summary(refusal, |field| label_of(language, refusal, field)),
            caps => Some(view! { <FormError text=words::cap_question(language, caps) /> }.into_any()),
        };
    }
    input.unsaved.map(|Unsaved { form, .. }| {
        // A form of its own: it changes what the server has stored.
        let discard = view! {
            <form method="post" action=SETTINGS>
                <input type="hidden" name="form" value="discard" />
                <button class="button">{words::discard(language)}</button>
            </form>
        };
        view! {
            <div class="notice tone-warning unsaved" data-unsaved=form.clone()>
                <Icon glyph=Glyph::Warning />
                <p role="status">{words::unsaved(language)}</p>
                {discard}
            </div>
        }
        .into_any()
    })
}

/// The hidden fields of a form.
fn hidden(form: &'static str) -> impl IntoView {
    let owner = use_context::<FormOwner>().map(|FormOwner(id)| view! { <input type="hidden" name=OWNER value=id /> });
    view! {
        <input type="hidden" name="form" value=form />
        {owner}
    }
}

/// The label of a field that the form shows.
fn label_of(language: Language, refusal: &Refusal, field: &str) -> Option<String> {
    let label = match (refusal.form.as_str(), field) {
        ("alerts", "recipients") => words::recipients(language).to_owned(),
        ("contact", "email") => common::email(language).to_owned(),
        ("contact", "name") => words::name_optional(language).to_owned(),
        ("key", "name") => words::key_name(language).to_owned(),
        ("alerts", path) => {
            let (metric, name) = path.strip_prefix("metrics.")?.split_once('.')?;
            let what = match name {
                "percent" => words::percent_label(language),
                // Without the currency, which the field's label has.
                "cost" => words::cost_summary(language),
                "cap" => words::cap(language),
                _ => return None,
            };
            format!("{}, {what}", common::metric(language, metric.parse::<Metric>().ok()?))
        }
        _ => return None,
    };
    Some(label)
}
