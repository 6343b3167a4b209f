//! An error message: what happened, what it means, what to do, and the request id for support.

use super::{Glyph, Icon};
use crate::{
    app::{
        address::address,
        calls::Problem,
        local_path::{CUSTOMERS, WEBHOOKS, login_path},
        status::set_status,
    },
    domain::error_code::ErrorCode,
};
use leptos::prelude::*;

/// The text for a problem.
struct Words {
    title: &'static str,
    meaning: String,
    advice: &'static str,
}

fn words(problem: &Problem) -> Words {
    let say = |title, meaning: &str, advice| Words { title, meaning: meaning.to_owned(), advice };
    match problem.status {
        _ if problem.is(ErrorCode::BillingDisabled) => say(
            "Billing is paused",
            "Nothing is lost: usage and payments continue to be recorded.",
            "There’s nothing you need to do. Try again in a few minutes.",
        ),
        0 => say("The server can’t be reached", "This page couldn’t be loaded. Nothing is lost.", "Check your connection, then try again."),
        401 => say(
            "You’re signed out",
            "Your session has ended, so this page can’t be brought up to date.",
            "Sign in and you’ll come straight back to this page.",
        ),
        403 if problem.is(ErrorCode::TotpEnrolmentRequired) => say(
            "A second factor is missing",
            "Staff sign in with an authenticator app, and none is set up for you yet.",
            "Set one up under “Your account”.",
        ),
        403 => {
            say("This isn’t open to you", "Your role doesn’t include this page.", "Ask an administrator of your account if you need it.")
        }
        404 => {
            say("We can’t find that", "It doesn’t exist, or it belongs to another account.", "Check the address, or start from the list.")
        }
        422 if problem.parameter.as_deref() == Some("customer_id") => say(
            "No customer is chosen",
            "You’re signed in as staff, and this page shows one customer’s data.",
            "Choose the customer, and view as it.",
        ),
        400..500 if problem.status != 429 => {
            Words { title: "That request can’t be used", meaning: problem.detail.clone(), advice: "Correct it and try again." }
        }
        429 => say("Too many requests", "This page was asked for too often in a short time.", "Wait a minute, then try again."),
        _ if problem.is(ErrorCode::StorageFull) => say(
            "Nothing can be saved just now",
            "The server has no space left to store anything. What was saved before is safe; nothing of this request was stored.",
            "Try again later.",
        ),
        _ if problem.is(ErrorCode::Unavailable) => {
            say("We can’t reach our data just now", "This page couldn’t be put together. Nothing is lost.", "Try again in a minute.")
        }
        503 => say("We’re very busy just now", "This page couldn’t be put together in time. Nothing is lost.", "Try again in a moment."),
        _ => say(
            "Something went wrong on our side",
            "This page couldn’t be put together. Your data is safe.",
            "Try again. If it keeps happening, tell us the reference below.",
        ),
    }
}

/// A problem as a whole page outside the app, after an error in front of it. `path`: where to
/// continue.
pub fn problem_page(problem: Problem, path: String) -> impl IntoView {
    let Words { title, meaning, advice } = words(&problem);
    let action = if problem.status >= 500 || problem.status == 429 { "Try again" } else { "Go back" };
    let reference = problem
        .request_id
        .map(|id| view! { <p class="problem-reference">"Reference " <code>{id}</code> " · " <code>{problem.code}</code></p> });
    view! {
        <main>
            <section class="problem tone-danger" role="alert">
                <Icon glyph=Glyph::Over />
                <div class="problem-text">
                    <h1>{title}</h1> <p>{meaning} " " {advice}</p>
                    <div class="problem-actions">
                        <a class="button" href=path>{action}</a>
                    </div> {reference}
                </div>
            </section>
        </main>
    }
}

/// Shows a problem instead of the content, and sets the page's status.
#[component]
pub fn ProblemNotice(
    problem: Problem,
    /// If it replaces the whole page, its title becomes the page's heading.
    #[prop(optional)]
    page: bool,
) -> impl IntoView {
    set_status(problem.status);
    let Words { title, meaning, advice } = words(&problem);
    let address = address();
    let at_webhooks = address.path.starts_with(WEBHOOKS);
    let here = address.here;
    let action = match problem.status {
        401 => view! { <a class="button primary" href=login_path(&here)>"Sign in"</a> }.into_any(),
        403 => ().into_any(),
        404 if at_webhooks => view! { <a class="button" href=WEBHOOKS>"All events"</a> }.into_any(),
        404 => view! { <a class="button" href="/billing/invoices">"All invoices"</a> }.into_any(),
        422 if problem.parameter.as_deref() == Some("customer_id") => {
            view! { <a class="button primary" href=CUSTOMERS>"Choose a customer"</a> }.into_any()
        }
        422 => ().into_any(),
        _ => view! { <a class="button" href=here>"Try again"</a> }.into_any(),
    };
    let reference = problem
        .request_id
        .map(|id| view! { <p class="problem-reference">"Reference " <code>{id}</code> " · " <code>{problem.code}</code></p> });
    let heading = if page { view! { <h1>{title}</h1> }.into_any() } else { view! { <h2>{title}</h2> }.into_any() };
    view! {
        <section class="problem tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <div class="problem-text">
                {heading} <p>{meaning} " " {advice}</p> <div class="problem-actions">{action}</div> {reference}
            </div>
        </section>
    }
}
