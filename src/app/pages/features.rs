//! Feature switches, for staff: who set them, the effect of a switch, and the switch itself behind
//! a confirmation.

use crate::{
    app::{
        Page,
        address::address,
        calls::features::switches,
        components::{Badge, Glyph, Icon, Moment, ProblemNotice},
        language,
        local_path::FEATURES,
        status::set_status,
        usage_summary::Tone,
    },
    domain::features::{Feature, Hold, Switch},
    text::{common, staff, staff::switches as words},
};
use leptos::{either::Either, prelude::*};

/// `/admin/features?done=&refused=`.
pub async fn page() -> Page {
    let address = address();
    let content = match switches().await {
        Ok(switches) => Either::Left(show(&switches, address.parse::<Feature>("done"), address.get("refused"))),
        Err(problem) => Either::Right(view! { <ProblemNotice problem page=true /> }),
    };
    Page::new(staff::features(language()), content)
}

fn show(switches: &[Switch], done: Option<Feature>, refused: Option<&str>) -> impl IntoView + use<> {
    let language = language();
    let notice = done.and_then(|feature| switches.iter().find(|switch| switch.name == feature)).map(|switch| {
        let title = words::title(language, switch.name);
        let text = if switch.switched_on { words::switched_on_done(language, title) } else { words::switched_off_done(language, title) };
        view! {
            <p class="notice tone-good" role="status">
                <Icon glyph=Glyph::Check />
                <span>{text}</span>
            </p>
        }
    });
    let refused = refused.map(|code| {
        let (status, text) = match code {
            "not_found" => (404, words::unknown_feature(language)),
            "invalid_parameter" => (422, words::invalid_switch(language)),
            _ => (503, words::unavailable(language)),
        };
        set_status(status);
        view! {
            <p class="notice tone-danger" role="alert">
                <Icon glyph=Glyph::Over />
                <span>{text}</span>
            </p>
        }
    });
    view! {
        <header class="page-head">
            <div>
                <h1>{staff::features(language)}</h1>
                <p class="page-sub">{words::subtitle(language)}</p>
            </div>
        </header>
        {notice}
        {refused}
        {switches.iter().map(panel).collect_view()}
    }
}

fn panel(switch: &Switch) -> impl IntoView + use<> {
    let language = language();
    let feature = switch.name;
    let title_id = format!("{feature}-title");
    let (tone, state) = if switch.enabled { (Tone::Good, common::on(language)) } else { (Tone::Warning, common::off(language)) };
    let held = switch.held_off_by.map(|hold| {
        let text = words::hold(language, hold);
        view! {
            <p class="notice tone-warning">
                <Icon glyph=Glyph::Warning />
                <span>{text}</span>
            </p>
        }
    });
    // A switch can't turn on what the configuration keeps off.
    let is_fixed = matches!(switch.held_off_by, Some(Hold::Environment | Hold::Stripe));
    let change = (!is_fixed).then(|| confirmation(switch));
    let last = switch.changed_by.clone().zip(switch.changed_at).map(|(who, at)| {
        let by = if switch.switched_on { words::switched_on_by(language, &who) } else { words::switched_off_by(language, &who) };
        view! {
            <p class="freshness ids">
                {by} " " <Moment at time=true /> {switch.reason.clone().map(|reason| format!(": {reason}"))}
            </p>
        }
    });
    let never = last.is_none().then(|| view! { <p class="freshness">{words::never(language)}</p> });
    view! {
        <section class="panel feature" aria-labelledby=title_id.clone()>
            <header class="panel-head">
                <h2 id=title_id.clone()>{words::title(language, feature)}</h2>
                <Badge tone text=state icon=true />
            </header>
            <p>{words::about(language, feature)}</p>
            {held}
            {last}
            {never}
            {change}
        </section>
    }
}

/// The effect, a reason, and the button.
fn confirmation(switch: &Switch) -> impl IntoView + use<> {
    let feature = switch.name;
    let language = language();
    let title = words::title(language, feature);
    let to = !switch.switched_on;
    let (open, confirm) = if to {
        (words::switch_on(language), words::confirm_on(language, title))
    } else {
        (words::switch_off(language), words::confirm_off(language, title))
    };
    let id = format!("{feature}-reason");
    view! {
        <details class="confirm">
            <summary>{open} <span class="visually-hidden">" " {title}</span></summary>
            <form method="post" action=FEATURES>
                <p>{words::effect(language, feature, to)}</p>
                <input type="hidden" name="name" value=feature.name() />
                <input type="hidden" name="enabled" value=to.to_string() />
                <div class="field">
                    <label for=id.clone()>{words::reason(language)}</label>
                    <input id=id name="reason" type="text" maxlength="500" autocomplete="off" />
                </div>
                <button class="button primary">{confirm}</button>
            </form>
        </details>
    }
}
