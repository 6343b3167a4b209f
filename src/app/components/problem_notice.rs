//! An error message: what happened, what it means, what to do, and the request id for support.

use super::{Glyph, Icon};
use crate::{
    app::{
        Page,
        address::address,
        calls::Problem,
        language,
        local_path::{ACCOUNT, CUSTOMERS, HOME, INVOICES, RECONCILIATION, WEBHOOKS, login_path},
        status::set_status,
    },
    domain::{error_code::ErrorCode, language::Language},
    text::problems as words,
};
use leptos::prelude::*;

/// Title and text of a problem on the page with this path.
fn title_and_text(language: Language, problem: &Problem, path: &str) -> (&'static str, &'static str) {
    let code = problem.error_code();
    let (title, text) = words::page(language, code);
    match code {
        _ if is_without_customer(problem) => (words::no_customer(language), words::no_customer_text(language)),
        ErrorCode::NotFound if path.contains("/invoices/") => (words::invoice_gone(language), text),
        ErrorCode::NotFound if path.contains("/webhooks/") => (words::event_gone(language), text),
        ErrorCode::NotFound if path.contains("/reconciliation") => (words::run_gone(language), text),
        _ => (title, text),
    }
}

/// Staff on a page that shows one customer's data.
fn is_without_customer(problem: &Problem) -> bool {
    problem.is(ErrorCode::InvalidParameter) && problem.parameter.as_deref() == Some("customer_id")
}

fn reference(language: Language, problem: Problem) -> Option<impl IntoView> {
    let Problem { request_id, code, .. } = problem;
    request_id
        .map(|id| view! { <p class="problem-reference">{words::reference(language)} " " <code>{id}</code> " · " <code>{code}</code></p> })
}

/// A problem as a whole page outside the app, after an error in front of it. `at`: the path that
/// was requested. `path`: where to continue.
pub fn problem_page(problem: Problem, at: &str, path: String) -> Page {
    let language = language();
    let (title, text) = title_and_text(language, &problem, at);
    let action = if problem.status >= 500 || problem.status == 429 { words::try_again(language) } else { words::go_back(language) };
    let reference = reference(language, problem);
    let content = view! {
        <main>
            <section class="problem tone-danger" role="alert">
                <Icon glyph=Glyph::Over />
                <div class="problem-text">
                    <h1>{title}</h1> <p>{text}</p>
                    <div class="problem-actions">
                        <a class="button" href=path>{action}</a>
                    </div> {reference}
                </div>
            </section>
        </main>
    };
    Page::new(title, content)
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
    let language = language();
    let address = address();
    let (title, text) = title_and_text(language, &problem, &address.path);
    let action = action(language, &problem, &address.path, address.here);
    let reference = reference(language, problem);
    let heading = if page { view! { <h1>{title}</h1> }.into_any() } else { view! { <h2>{title}</h2> }.into_any() };
    view! {
        <section class="problem tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <div class="problem-text">{heading} <p>{text}</p> <div class="problem-actions">{action}</div> {reference}</div>
        </section>
    }
}

/// Where to continue from a page's problem.
fn action(language: Language, problem: &Problem, path: &str, here: String) -> Option<AnyView> {
    let link = |href: String, primary: bool, text: &'static str| {
        let class = if primary { "button primary" } else { "button" };
        Some(view! { <a class=class href=href>{text}</a> }.into_any())
    };
    let to = |path: &str| path.to_owned();
    match problem.error_code() {
        _ if problem.status == 401 => link(login_path(&here), true, words::sign_in(language)),
        _ if is_without_customer(problem) => link(to(CUSTOMERS), true, words::choose_customer(language)),
        ErrorCode::TotpEnrolmentRequired => link(to(ACCOUNT), true, words::your_account(language)),
        ErrorCode::Forbidden => link(to(HOME), false, words::your_usage(language)),
        ErrorCode::NotFound if path.starts_with(WEBHOOKS) => link(to(WEBHOOKS), false, words::all_events(language)),
        ErrorCode::NotFound if path.starts_with(RECONCILIATION) => link(to(RECONCILIATION), false, words::all_runs(language)),
        ErrorCode::NotFound if path.starts_with(CUSTOMERS) => link(to(CUSTOMERS), false, words::all_customers(language)),
        ErrorCode::NotFound => link(to(INVOICES), false, words::all_invoices(language)),
        _ if matches!(problem.status, 403 | 422) => None,
        _ => link(here, false, words::try_again(language)),
    }
}
