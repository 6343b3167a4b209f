//! The signed-in user, the theme, and the logout.

use super::{Glyph, Icon, theme_switch::ThemeSwitch};
use crate::{app::local_path::ACCOUNT, domain::identity::Viewer};
use leptos::prelude::*;

/// A button that opens the menu. A popover closes by Escape or a click outside, without a script.
#[component]
pub fn AccountMenu(viewer: Viewer) -> impl IntoView {
    let role = viewer.role.title();
    let whose = if viewer.viewing { "Viewing as" } else { "Customer" };
    let customer = viewer.customer.map(|customer| customer.name);
    let shown = customer.clone().unwrap_or_else(|| "No customer".to_owned());
    view! {
        <div class="account">
            <button class="account-button" type="button" popovertarget="account-menu">
                <Icon glyph=Glyph::Person />
                <span class="account-who visually-hidden">
                    <span class="visually-hidden">"Account: "</span>
                    <span class="account-name" title=shown.clone()>{shown.clone()}</span>
                    <span class="account-email" title=viewer.email.clone()>{viewer.email.clone()}</span>
                </span>
            </button>
            <div id="account-menu" class="account-menu" popover="auto" role="group" aria-label="Account">
                <dl class="account-facts">
                    <div>
                        <dt>"Signed in as"</dt>
                        <dd>{viewer.email}</dd>
                    </div>
                    {customer.map(|name| view! { <div><dt>{whose}</dt><dd>{name}</dd></div> })}
                    <div>
                        <dt>"Role"</dt>
                        <dd>{role}</dd>
                    </div>
                </dl>
                <ThemeSwitch />
                // A new page closes the menu.
                <a class="button wide" href=ACCOUNT rel="external">
                    <Icon glyph=Glyph::Person />
                    <span>"Your account"</span>
                </a>
                <form method="post" action="/api/v1/auth/logout">
                    <button class="button wide">
                        <Icon glyph=Glyph::SignOut />
                        <span>"Sign out"</span>
                    </button>
                </form>
            </div>
        </div>
    }
}
