//! Parts of pages that stay current while the page is open.

use super::{Glyph, Icon};
use crate::app::{address::address, calls::Problem, local_path::login_path, status::set_status};
use apex_islands::LiveRegion;
use leptos::prelude::*;

/// Shows its children, and then what `href` returns: the same content within [`LiveContent`], of
/// the path below `/live`.
#[component]
pub fn Live(href: String, children: Children) -> impl IntoView {
    let here = address().here;
    view! {
        <LiveRegion>
            <div class="contents" data-live=href>
                <p class="notice tone-warning" role="status" hidden data-live-interrupted="">
                    <Icon glyph=Glyph::Warning />
                    <span>"Updates can’t be fetched just now. This data stays until the connection is back."</span>
                </p>
                <p class="notice tone-danger" role="alert" hidden data-live-signed-out="">
                    <Icon glyph=Glyph::Over />
                    <span>
                        "You’re signed out. Your session has ended, so this page can’t be updated. "
                        <a href=login_path(&here)>"Sign in"</a>
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
