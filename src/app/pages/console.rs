//! What every signed-in page stands in: navigation, the main landmark, and the switch that pauses billing.

use crate::{
    app::{
        calls::{Problem, features::features, session::me},
        components::{navigation::Navigation, skeleton::Skeleton},
        pages::paused::PausedPage,
    },
    domain::{features::Features, identity::Viewer},
};
use leptos::{either::Either, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};
use leptos_router::{components::Outlet, hooks::use_location};

/// What the pages inside share.
#[derive(Clone, Copy)]
pub struct Session {
    pub features: Resource<Result<Features, Problem>>,
    pub viewer: Resource<Result<Viewer, Problem>>,
}

/// The frame of `/billing/*`.
#[component]
pub fn Console() -> impl IntoView {
    let session = Session { features: Resource::new(|| (), |()| features()), viewer: Resource::new(|| (), |()| me()) };
    provide_context(session);
    // Where the switch can't be read, the page itself says what is wrong.
    let paused = move || async move { session.features.await.is_ok_and(|features| !features.billing_enabled) };

    let main = NodeRef::<leptos::html::Main>::new();
    let location = use_location();
    // After moving to another page the browser would leave the focus in the navigation.
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
        <div class="console">
            <Suspense fallback=|| view! { <Navigation billing=true viewer=None /> }>
                {move || Suspend::new(async move {
                    let billing = !paused().await;
                    view! { <Navigation billing viewer=session.viewer.await.ok() /> }
                })}
            </Suspense>
            <main id="main" class="main" tabindex="-1" node_ref=main>
                <Suspense fallback=|| view! { <Skeleton rows=5 /> }>
                    {move || Suspend::new(async move {
                        if paused().await { Either::Left(view! { <PausedPage /> }) } else { Either::Right(view! { <Outlet /> }) }
                    })}
                </Suspense>
            </main>
        </div>
    }
}
