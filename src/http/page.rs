//! Renders pages from handlers: their contexts, and a page as the response to its own form.

use super::{
    conditional::{known_tags, not_modified, weak_tag},
    language, login_email, security_headers,
    state::Server,
};
use crate::app::{
    Page, SetStatus, ThemePreference,
    address::Address,
    form_result::Outcome,
    now::Now,
    pages::console::{Session, framed},
    shell::{self, Scripts},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use hydration_context::SsrSharedContext;
use leptos::{
    prelude::{AnyView, Owner, RenderHtml, provide_context},
    reactive::computed::ScopedFuture,
};
use std::{convert::Infallible, future::Future, sync::Arc};

/// Which links browsers prefetch; served by `server/pages.rs`.
const SPECULATION_RULES: (HeaderName, HeaderValue) =
    (HeaderName::from_static("speculation-rules"), HeaderValue::from_static("\"/speculation-rules.json\""));
/// The build of a live content's server: a page of another one reloads.
const BUILD: HeaderName = HeaderName::from_static("apex-build");

/// Renders a page without the console's frame.
pub async fn alone(server: &Server, parts: Parts, page: impl Future<Output = Page> + Send) -> Response {
    let (email, cookie) = login_email::take(&parts).unzip();
    let mut response = render(server, parts, Outcome::default(), async move {
        if let Some(email) = email {
            provide_context(email);
        }
        page.await
    })
    .await;
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Renders a page within the console's frame; `outcome`: of the form that it responds to.
pub async fn in_console(server: &Server, parts: Parts, outcome: Outcome, page: impl Future<Output = Page> + Send) -> Response {
    let mut response = render(server, parts, outcome, async move {
        let session = Session::load().await;
        provide_context(session.clone());
        framed(&session, page.await)
    })
    .await;
    let (name, rules) = SPECULATION_RULES;
    response.headers_mut().insert(name, rules);
    response
}

async fn render(server: &Server, parts: Parts, outcome: Outcome, page: impl Future<Output = Page> + Send) -> Response {
    let config = &server.platform.config;
    let (theme, status) = (theme_cookie(&parts).unwrap_or_default(), SetStatus::default());
    let scripts = if matches!(parts.method, Method::GET | Method::HEAD) { Scripts::IslandsOfBuild } else { Scripts::Islands };
    let owner = new_owner();
    owner.with(|| {
        provide_page_context(server, parts, theme, status.clone());
        provide_context(outcome);
    });
    let page = owner.with(|| ScopedFuture::new_untracked(page)).await;
    let html = owner.with(|| shell::document(&server.assets, theme, page, scripts));
    owner.cleanup();
    let mut response = (status_of(&status), Html(html)).into_response();
    if let Some(policy) = security_headers::of_page(config) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Renders the content of a page that stays current, for the island `LiveRegion`. Its tag ignores
/// texts that only depend on the time.
pub async fn live(server: &Server, parts: Parts, content: impl Future<Output = AnyView> + Send) -> Response {
    let known = known_tags(&parts.headers);
    let status = SetStatus::default();
    let owner = new_owner();
    owner.with(|| provide_page_context(server, parts, ThemePreference::System, status.clone()));
    let content = owner.with(|| ScopedFuture::new_untracked(content)).await;
    let html = owner.with(|| content.to_html());
    owner.cleanup();
    let status = status_of(&status);
    if status != StatusCode::OK {
        return status.into_response();
    }
    let build = server.assets.build.as_deref().unwrap_or_default();
    let tag = tag(build, &html);
    let is_known = known.contains(&tag);
    let mut response = if is_known { not_modified() } else { Html(html).into_response() };
    if !is_known && let Ok(build) = HeaderValue::from_str(build) {
        response.headers_mut().insert(BUILD, build);
    }
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// The owner of a page's contexts. Islands require a shared context, which is empty.
fn new_owner() -> Owner {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    // Only current while the page is rendered.
    owner.clone().unset();
    owner
}

/// A weak tag (RFC 9110, section 8.8.1) of content without the texts of `<time data-relative>`. A
/// new build has new tags, so that its first response is not a 304, which would not name it.
fn tag(build: &str, html: &str) -> HeaderValue {
    let parts = html.split("<time data-relative").enumerate().flat_map(|(index, part)| match part.split_once('>') {
        Some((attributes, rest)) if index > 0 => [attributes, rest.split_once('<').map_or("", |(_, rest)| rest)],
        _ => [part, ""],
    });
    weak_tag(std::iter::once(build).chain(parts).map(str::as_bytes))
}

fn status_of(status: &SetStatus) -> StatusCode {
    StatusCode::from_u16(status.get()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The contexts of pages.
fn provide_page_context(server: &Server, parts: Parts, theme: ThemePreference, status: SetStatus) {
    provide_call_context(server);
    provide_context(Address::new(parts.uri.path(), parts.uri.query()));
    provide_context(Now(server.platform.clock.now()));
    provide_context(language::of_parts(&parts));
    provide_context(parts);
    provide_context(theme);
    provide_context(status);
}

/// The context of server functions.
pub fn provide_call_context(server: &Server) {
    provide_context(server.platform.clone());
}

/// The colour scheme of a request.
pub struct Theme(pub ThemePreference);

impl<S: Sync> FromRequestParts<S> for Theme {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Theme, Infallible> {
        Ok(Theme(theme_cookie(parts).unwrap_or_default()))
    }
}

/// The colour scheme in the browser's cookie.
pub fn theme_cookie(parts: &Parts) -> Option<ThemePreference> {
    let cookies = parts.headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|pair| pair.trim().strip_prefix("theme=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_ignores_relative_times() {
        let content = |relative: &str, rest: &str| {
            tag("1", &format!("<p>1 <time data-relative datetime=\"2026-11-01T00:00:00Z\">{relative}</time> {rest}</p>"))
        };
        assert_eq!(content("12 seconds ago", "a"), content("1 minute ago", "a"));
        assert_ne!(content("1 minute ago", "a"), content("1 minute ago", "b"));
        assert_ne!(tag("1", "<p>a</p>"), tag("1", "<p>b</p>"));
        assert_ne!(tag("1", "<p>a</p>"), tag("2", "<p>a</p>"));
    }
}
