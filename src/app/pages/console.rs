//! The frame of every signed-in page: navigation and the main landmark.

use crate::{
    app::{
        calls::{Problem, features::features, session::me},
        components::{navigation::Navigation, viewing_banner::ViewingBanner},
    },
    domain::{features::Features, identity::Viewer},
};
use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};
use leptos_router::{components::Outlet, hooks::use_location};

/// Shared by the pages inside.
#[derive(Clone, Copy)]
pub struct Session {
    /// The features.
    pub features: Resource<Result<Features, Problem>>,
    /// The signed-in user.
    pub viewer: Resource<Result<Viewer, Problem>>,
}

impl Session {
    /// Whether billing is known to be off. If that can't be read, the page's own data show the
    /// error.
    pub async fn paused(self) -> bool {
        self.features.await.is_ok_and(|features| !features.billing_enabled)
    }

    /// Whether the user may open Stripe's portal for its customer.
    pub async fn may_open_portal(self) -> bool {
        self.features.await.is_ok_and(|features| features.customer_portal_enabled)
            && self.viewer.await.is_ok_and(|viewer| viewer.role.manages() && viewer.customer.is_some() && !viewer.viewing)
    }
}

/// The frame of `/billing/*` and `/admin/*`. The pages are outside its `<Suspense>`: inside, the
/// server would render each one, and fetch its data, each time the suspense checks its resources.
#[component]
pub fn Console() -> impl IntoView {
    let session = Session { features: Resource::new(|| (), |()| features()), viewer: Resource::new(|| (), |()| me()) };
    provide_context(session);
    let main = NodeRef::<leptos::html::Main>::new();
    let location = use_location();
    // After navigation the browser would leave the focus in the navigation.
    Effect::new(move |before: Option<String>| {
        let path = location.pathname.get();
        if before.is_some_and(|before| before != path)
            && let Some(main) = main.get_untracked()
        {
            let _ = main.unchecked_ref::<HtmlElement>().focus();
        }
        path
    });
    view! {
        <a class="skip-link" href="#main" rel="external">"Skip to the content"</a>
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                session.viewer.await.ok().filter(|viewer| viewer.viewing).map(|viewer| view! { <ViewingBanner viewer /> })
            })}
        </Suspense>
        <div class="console">
            <Suspense fallback=|| view! { <Navigation billing=true viewer=None /> }>
                {move || Suspend::new(async move {
                    let billing = !session.paused().await;
                    view! { <Navigation billing viewer=session.viewer.await.ok() /> }
                })}
            </Suspense>
            <main id="main" class="main" tabindex="-1" node_ref=main>
                <Outlet />
            </main>
        </div>
    }
}
