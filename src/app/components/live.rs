//! Parts of pages that stay current while the page is open.

use super::{Glyph, Icon};
use crate::{
    app::{address::address, calls::Problem, language, local_path::login_path, status::set_status},
    text::common as words,
};
use apex_islands::LiveRegion;
use leptos::prelude::*;

/// Shows its children, and then what `href` returns: the same content within [`LiveContent`], of
/// the path below `/live`.
#[component]
pub fn Live(href: String, children: Children) -> impl IntoView {
    let (language, here) = (language(), address().here);
    view! {
        <LiveRegion>
            <div class="contents" data-live=href>
                <p class="notice tone-warning" role="status" hidden data-live-interrupted="">
                    <Icon glyph=Glyph::Warning />
                    <span>{words::updates_interrupted(language)}</span>
                </p>
                <p class="notice tone-danger" role="alert" hidden data-live-signed-out="">
                    <Icon glyph=Glyph::Over />
                    <span>
                        {words::updates_signed_out(language)} " "
                        <a href=login_path(&here)>{words::sign_in(language)}</a>
                    </span>
                </p>
                <LiveContent>{children()}</LiveContent>
            </div>
        </LiveRegion>
    }
}

/// The content that an update replaces. After an `ended` one there are no further updates.
#[component]
pub fn LiveContent(#[prop(optional)] ended: bool, children: Children) -> impl IntoView {
    view! { <div class="contents" data-live-content="" data-live-ended=ended.then_some("")>{children()}</div> }
}

/// The response of a path below `/live`.
pub fn live_content<T>(answer: Result<T, Problem>, show: impl FnOnce(T) -> AnyView) -> AnyView {
    match answer {
        Ok(content) => {
            let content = show(content);
            view! { <LiveContent>{content}</LiveContent> }.into_any()
        }
        Err(problem) => {
            set_status(problem.status);
            ().into_any()
        }
    }
}
