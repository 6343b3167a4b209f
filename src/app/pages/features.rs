//! Feature switches, for staff: who set them, the effect of a switch, and the switch itself behind
//! a confirmation.

use crate::{
    app::{
        Page,
        address::address,
        calls::features::switches,
        components::{Badge, Glyph, Icon, Moment, ProblemNotice},
        local_path::FEATURES,
        status::set_status,
        usage_summary::Tone,
    },
    domain::features::{Feature, Hold, Switch},
};
use leptos::{either::Either, prelude::*};

/// `/admin/features?done=&refused=`.
pub async fn page() -> Page {
    let address = address();
    let content = match switches().await {
        Ok(switches) => Either::Left(show(&switches, address.parse::<Feature>("done"), address.get("refused"))),
        Err(problem) => Either::Right(view! { <ProblemNotice problem page=true /> }),
    };
    Page::new("Features", content)
}

fn show(switches: &[Switch], done: Option<Feature>, refused: Option<&str>) -> impl IntoView + use<> {
    let notice = done.and_then(|feature| switches.iter().find(|switch| switch.name == feature)).map(|switch| {
        let state = if switch.switched_on { "on" } else { "off" };
        view! {
            <p class="notice tone-good" role="status">
                <Icon glyph=Glyph::Check />
                <span>{format!("{}: switched {state}. Every server follows within two seconds.", switch.name.title())}</span>
            </p>
        }
    });
    let refused = refused.map(|code| {
        let (status, text) = match code {
            "not_found" => (404, "There is no such feature. Nothing was switched."),
            "invalid_parameter" => {
                (422, "Nothing was switched: a reason has at most 500 characters, and no control characters; a switch is on or off.")
            }
            _ => (503, "Nothing was switched. Try again in a moment."),
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
                <h1>"Features"</h1>
                <p class="page-sub">"What customers and their programs can use. A switch takes effect on every server within two seconds, and persists."</p>
            </div>
        </header>
        {notice}
        {refused}
        {switches.iter().map(panel).collect_view()}
    }
}

fn panel(switch: &Switch) -> impl IntoView + use<> {
    let feature = switch.name;
    let title_id = format!("{feature}-title");
    let (tone, state) = if switch.enabled { (Tone::Good, "On") } else { (Tone::Warning, "Off") };
    let held = switch.held_off_by.map(|hold| {
        let text = match hold {
            Hold::Environment => "BILLING_ENABLED=false is set on this server and overrides the switch.",
            Hold::Billing => "It is off because billing is off.",
            Hold::Stripe => "It is off because this platform is not connected to Stripe (STRIPE_SECRET_KEY).",
        };
        view! {
            <p class="notice tone-warning">
                <Icon glyph=Glyph::Warning />
                <span>{text}</span>
            </p>
        }
    });
    let position = if switch.switched_on { "on" } else { "off" };
    let last = switch.changed_by.clone().zip(switch.changed_at).map(|(who, at)| {
        view! {
            <p class="freshness ids">
                {format!("Switched {position} by {who}, ")} <Moment at time=true /> {switch.reason.clone().map(|reason| format!(": {reason}"))}
            </p>
        }
    });
    let never = last.is_none().then(|| view! { <p class="freshness">"It has never been switched."</p> });
    view! {
        <section class="panel feature" aria-labelledby=title_id.clone()>
            <header class="panel-head">
                <h2 id=title_id.clone()>{feature.title()}</h2>
                <Badge tone text=state icon=true />
            </header>
            <p>{what(feature)}</p>
            {held}
            {last}
            {never}
            {confirmation(switch)}
        </section>
    }
}

/// The effect, a reason, and the button.
fn confirmation(switch: &Switch) -> impl IntoView + use<> {
    let feature = switch.name;
    let to = !switch.switched_on;
    let word = if to { "on" } else { "off" };
    let id = format!("{feature}-reason");
    view! {
        <details class="confirm">
            <summary>{format!("Switch {word}…")} <span class="visually-hidden">" " {feature.title()}</span></summary>
            <form method="post" action=FEATURES>
                <p>{effect(feature, to)}</p>
                <input type="hidden" name="name" value=feature.name() />
                <input type="hidden" name="enabled" value=to.to_string() />
                <div class="field">
                    <label for=id.clone()>"Reason, for the audit log"</label>
                    <input id=id name="reason" type="text" maxlength="500" autocomplete="off" />
                </div>
                <button class="button primary">{format!("Switch {} {word}", feature.title())}</button>
            </form>
        </details>
    }
}

const fn what(feature: Feature) -> &'static str {
    match feature {
        Feature::Billing => "Customers’ pages under /billing, and the API under /api/v1/billing.",
        Feature::UsageIngest => "Usage events from customers.",
        Feature::InvoicePdf => "Invoices as PDF.",
        Feature::CustomerPortal => "The link to Stripe’s customer portal.",
    }
}

/// The effect of a switch.
const fn effect(feature: Feature, on: bool) -> &'static str {
    match (feature, on) {
        (Feature::Billing, false) => {
            "All users see a page that says billing is paused, API clients get a 503, and no alerts are sent. Staff pages stay available. Stripe’s webhooks are still verified and stored, and applied once billing is on again. Usage is still accepted."
        }
        (Feature::Billing, true) => "Pages and API are available again, and the webhooks received meanwhile are applied.",
        (Feature::UsageIngest, false) => {
            "Senders get a 503 with Retry-After and should retry; events that are never retried are not billed."
        }
        (Feature::UsageIngest, true) => "Usage events are accepted again. Refused events count when they are retried, up to 35 days back.",
        (Feature::InvoicePdf, false) => "Invoices stay visible; their download is hidden, and API clients get a 503.",
        (Feature::InvoicePdf, true) => "Invoices can be downloaded again.",
        (Feature::CustomerPortal, false) => "The button to Stripe’s portal is hidden, and API clients get a 503.",
        (Feature::CustomerPortal, true) => "The button to Stripe’s portal is shown again, if Stripe is connected.",
    }
}
