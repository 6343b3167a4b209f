//! A part of a page that stays current: fetches the part as HTML, and shows what has changed.

use crate::{
    dom::{after, all, document, listen, show},
    morph::morph_children,
};
use js_sys::Reflect;
use leptos::{html, prelude::*, task::spawn_local};
use std::{cell::Cell, cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, DomParser, Element, Event, Headers, RequestInit, RequestRedirect, Response, SupportedType, window};

/// Delays between two requests while nothing changes; a change starts them again. The last one
/// bounds what an idle tab transfers: each request and its 304 are about a kilobyte.
const DELAYS: [u64; 10] = [3, 3, 3, 5, 5, 10, 10, 20, 30, 60];
/// Delays after failed requests.
const RETRIES: [u64; 4] = [3, 5, 10, 30];
/// A request without a response by then has failed.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Keeps its children current. They are one element with `data-live`, the URL of its content, which
/// contains:
///
/// - `[data-live-content]`: the content;
/// - `[data-live-interrupted]`, hidden: shown while updates fail;
/// - `[data-live-signed-out]`, hidden: shown when the session has ended.
///
/// A hidden tab makes no requests. Content with `data-live-ended` ends the updates.
#[island]
pub fn LiveRegion(children: Children) -> impl IntoView {
    let region = NodeRef::<html::Div>::new();
    Effect::new(move || {
        if let Some(root) = region.get().and_then(|region| all(&region, "[data-live]").into_iter().next()) {
            Live::start(root);
        }
    });
    view! { <div class="contents" node_ref=region>{children()}</div> }
}

struct Live {
    root: Element,
    /// Of the content shown.
    etag: RefCell<Option<String>>,
    /// Number of requests since the last change.
    quiet: Cell<usize>,
    /// Number of failed requests in a row.
    failures: Cell<usize>,
    is_asking: Cell<bool>,
    /// Only the newest timer counts.
    timer: Cell<u32>,
}

/// The result of a request.
enum Answer {
    Unchanged,
    Content { html: String, etag: Option<String> },
    SignedOut,
    Failed,
}

impl Live {
    fn start(root: Element) {
        let etag = RefCell::new(root.get_attribute("data-live-etag"));
        let live = Rc::new(Live {
            root,
            etag,
            quiet: Cell::default(),
            failures: Cell::default(),
            is_asking: Cell::default(),
            timer: Cell::default(),
        });
        if let Some(document) = document() {
            let live = Rc::clone(&live);
            listen(&document, "visibilitychange", move |_| {
                live.quiet.set(0);
                live.ask_after(Duration::ZERO);
            });
        }
        live.ask_after(Duration::from_secs(DELAYS[0]));
    }

    fn ask_after(self: &Rc<Self>, delay: Duration) {
        let timer = self.timer.get().wrapping_add(1);
        self.timer.set(timer);
        let live = Rc::clone(self);
        after(delay, move || {
            if live.timer.get() == timer {
                live.ask();
            }
        });
    }

    fn ask(self: &Rc<Self>) {
        let Some(url) = self.root.get_attribute("data-live") else { return };
        if self.is_asking.get() || document().is_none_or(|document| document.hidden()) || !self.root.is_connected() {
            return;
        }
        self.is_asking.set(true);
        let live = Rc::clone(self);
        spawn_local(async move {
            let etag = live.etag.borrow().clone();
            let answer = fetch(&url, etag.as_deref()).await.unwrap_or(Answer::Failed);
            live.is_asking.set(false);
            if let Some(delay) = live.take(answer) {
                live.ask_after(Duration::from_secs(delay));
            }
        });
    }

    /// Shows an answer. Returns the delay before the next request, in seconds.
    fn take(&self, answer: Answer) -> Option<u64> {
        announce_newer_build();
        let failed = matches!(answer, Answer::Failed);
        self.failures.set(if failed { self.failures.get() + 1 } else { 0 });
        self.mark("[data-live-interrupted]", failed);
        match answer {
            Answer::Unchanged => self.quiet.set(self.quiet.get() + 1),
            Answer::Content { html, etag } => {
                self.quiet.set(0);
                self.etag.replace(etag);
                self.replace(&html);
            }
            Answer::SignedOut => {
                self.mark("[data-live-signed-out]", true);
                return None;
            }
            Answer::Failed => return Some(RETRIES[(self.failures.get() - 1).min(RETRIES.len() - 1)]),
        }
        Some(DELAYS[self.quiet.get().min(DELAYS.len() - 1)])
    }

    fn mark(&self, selector: &str, shown: bool) {
        for notice in all(&self.root, selector) {
            show(&notice, shown);
        }
    }

    fn replace(&self, html: &str) {
        let Some(parsed) = DomParser::new().ok().and_then(|parser| parser.parse_from_string(html, SupportedType::TextHtml).ok()) else {
            return;
        };
        let Some(new) = all(&parsed, "[data-live-content]").into_iter().next() else { return };
        let Some(shown) = all(&self.root, "[data-live-content]").into_iter().next() else { return };
        morph_children(&shown, &new);
        if new.has_attribute("data-live-ended") {
            let _ = self.root.remove_attribute("data-live");
        }
    }
}

/// Records on the page that the server is of another build.
fn note_build(build: Option<String>) {
    let (Some(build), Some(page)) = (build, document().and_then(|document| document.document_element())) else { return };
    if page.get_attribute("data-build").is_some_and(|shown| shown != build) {
        let _ = page.set_attribute("data-newer-build", &build);
    }
}

/// `boot.js` loads the page again, unless it has unsaved input: then the next update announces it
/// again.
fn announce_newer_build() {
    let Some(document) = document() else { return };
    if document.document_element().is_some_and(|page| page.has_attribute("data-newer-build"))
        && let Ok(event) = Event::new("newer-build")
    {
        let _ = document.dispatch_event(&event);
    }
}

async fn fetch(url: &str, etag: Option<&str>) -> Result<Answer, JsValue> {
    let Some(window) = window() else { return Ok(Answer::Failed) };
    let headers = Headers::new()?;
    if let Some(etag) = etag {
        headers.set("if-none-match", etag)?;
    }
    let abort = AbortController::new()?;
    let options = RequestInit::new();
    options.set_headers(&headers);
    // The login page is not the content.
    options.set_redirect(RequestRedirect::Manual);
    options.set_signal(Some(&abort.signal()));
    // Otherwise the browser would answer 304 from its own cache.
    let _ = Reflect::set(&options, &"cache".into(), &"no-store".into());
    after(TIMEOUT, move || abort.abort());
    let response: Response = JsFuture::from(window.fetch_with_str_and_init(url, &options)).await?.dyn_into()?;
    Ok(match response.status() {
        200 => {
            note_build(response.headers().get("apex-build")?);
            let etag = response.headers().get("etag")?;
            let html = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
            Answer::Content { html, etag }
        }
        304 => Answer::Unchanged,
        // 0: a redirect.
        0 | 401 | 403 => Answer::SignedOut,
        _ => Answer::Failed,
    })
}
