//! The frame of every signed-in page: navigation and the main landmark.

use crate::{
    app::{
        Page,
        calls::{Problem, features::features, session::me},
        components::{navigation::Navigation, viewing_banner::ViewingBanner},
        language,
    },
    domain::{PRODUCT, features::Features, identity::Viewer},
    text::{common, navigation as words},
};
use leptos::prelude::*;
use std::sync::Arc;

/// Shared by the frame and its page.
#[derive(Clone)]
pub struct Session(Arc<Loaded>);

struct Loaded {
    features: Result<Features, Problem>,
    viewer: Result<Viewer, Problem>,
}

impl Session {
    pub async fn load() -> Session {
        Session(Arc::new(Loaded { features: features().await, viewer: me().await }))
    }

    fn features(&self) -> Option<&Features> {
        self.0.features.as_ref().ok()
    }

    /// The signed-in user, if it could be read.
    pub fn viewer(&self) -> Option<&Viewer> {
        self.0.viewer.as_ref().ok()
    }

    /// Whether billing is known to be off. If that can't be read, the page's own data show the
    /// error.
    pub fn paused(&self) -> bool {
        self.features().is_some_and(|features| !features.billing_enabled)
    }

    pub fn has_invoice_pdfs(&self) -> bool {
        self.features().is_some_and(|features| features.invoice_pdf_enabled)
    }

    /// Whether the user may open Stripe's portal for its customer.
    pub fn may_open_portal(&self) -> bool {
        self.features().is_some_and(|features| features.customer_portal_enabled)
            && self.viewer().is_some_and(|viewer| viewer.role.manages() && viewer.customer.is_some() && !viewer.viewing)
    }
}

/// A page within the frame of `/billing/*`, `/admin/*` and `/account`.
pub fn framed(session: &Session, Page { title, content }: Page) -> Page {
    let language = language();
    let viewer = session.viewer().cloned();
    let banner = viewer.clone().filter(|viewer| viewer.viewing).map(|viewer| view! { <ViewingBanner viewer /> });
    // Paper has no navigation, so it names the customer first.
    let customer = viewer.as_ref().and_then(|viewer| viewer.customer.as_ref()).map(|customer| format!("{} · ", customer.name));
    let content = view! {
        <p class="print-only print-head">{customer} {PRODUCT}</p>
        <a class="skip-link" href="#main">{words::skip_to_content(language)}</a>
        {banner}
        <div class="console">
            <Navigation billing=!session.paused() viewer />
            <main id="main" class="main" tabindex="-1">
                {content}
                <p class="times-note">{common::times_are_utc(language)}</p>
            </main>
        </div>
    };
    Page::new(title, content)
}
