//! The signed-in user, the theme, and the logout.

use super::{Glyph, Icon, theme_switch::ThemeSwitch};
use crate::{
    app::{language, local_path::ACCOUNT},
    domain::identity::Viewer,
    text::{common, navigation as words},
};
use leptos::prelude::*;

/// A button that opens the menu. A popover closes by Escape or a click outside, without a script.
#[component]
pub fn AccountMenu(viewer: Viewer) -> impl IntoView {
    let language = language();
    let role = common::role(language, viewer.role);
    let whose = if viewer.viewing { words::viewing_as(language) } else { words::customer(language) };
    let customer = viewer.customer.map(|customer| customer.name);
    let shown = customer.clone().unwrap_or_else(|| words::no_customer(language).to_owned());
    view! {
        <div class="account">
            <button class="account-button" type="button" popovertarget="account-menu">
                <Icon glyph=Glyph::Person />
                <span class="account-who visually-hidden">
                    <span class="visually-hidden">{words::account_of(language)} " "</span>
                    <span class="account-name" title=shown.clone()>{shown.clone()}</span>
                    <span class="account-email" title=viewer.email.clone()>{viewer.email.clone()}</span>
                </span>
            </button>
            <div id="account-menu" class="account-menu" popover="auto" role="group" aria-label=words::account(language)>
                <dl class="account-facts">
                    <div>
                        <dt>{words::signed_in_as(language)}</dt>
                        <dd>{viewer.email}</dd>
                    </div>
                    {customer.map(|name| view! { <div><dt>{whose}</dt><dd>{name}</dd></div> })}
                    <div>
                        <dt>{words::role(language)}</dt>
                        <dd>{role}</dd>
                    </div>
                </dl>
                <ThemeSwitch />
                // A new page closes the menu.
                <a class="button wide" href=ACCOUNT rel="external">
                    <Icon glyph=Glyph::Person />
                    <span>{words::your_account(language)}</span>
                </a>
                <form method="post" action="/api/v1/auth/logout">
                    <button class="button wide">
                        <Icon glyph=Glyph::SignOut />
                        <span>{words::sign_out(language)}</span>
                    </button>
                </form>
            </div>
        </div>
    }
}
