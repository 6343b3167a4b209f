//! The browser's files, and how pages name them.

use crate::support::{TestApp, program::Workplace};
use apex_billing::domain::role::Role;
use axum::http::Method;
use std::fs;

const STYLE: &str = "apex_billing.00000000000000c5.css";
const SCRIPT: &str = "apex_billing.0000000000000015.js";

async fn site_at(folder: &str) -> TestApp {
    TestApp::start_with_settings(&[("site-root = \"target/site\"", &format!("site-root = \"{folder}\""))]).await
}

/// An app with a site of these files.
pub async fn with_site() -> (TestApp, Workplace) {
    let place = Workplace::new();
    let pkg = place.0.join("site/pkg");
    fs::create_dir_all(&pkg).unwrap();
    for (name, text) in [
        (STYLE, "a{}"),
        (&*format!("{STYLE}.br"), "by brotli"),
        (&*format!("{STYLE}.gz"), "by gzip"),
        (SCRIPT, "export {}"),
        ("apex_billing.css", "without a hash"),
        ("assets.json", &format!(r#"{{"build":"build-1","css":"{STYLE}","js":"{SCRIPT}"}}"#)),
        ("../favicon.svg", "<svg/>"),
    ] {
        fs::write(pkg.join(name), text).unwrap();
    }
    let app = site_at(place.0.join("site").to_str().unwrap()).await;
    (app, place)
}

#[tokio::test]
async fn files_named_by_content_are_cached_for_good() {
    let (app, _place) = with_site().await;
    let path = format!("/pkg/{STYLE}");
    for (accepted, coding, body) in
        [("", None, "a{}"), ("gzip", Some("gzip"), "by gzip"), ("gzip, deflate, br, zstd", Some("br"), "by brotli")]
    {
        let answer = app.client().with_header("accept-encoding", accepted).get(&path).await;
        assert_eq!((answer.status, answer.header("content-encoding"), &*answer.text()), (200, coding, body), "{accepted}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(answer.header("content-type"), Some("text/css"));
        assert!(answer.header("vary").is_some_and(|vary| vary.eq_ignore_ascii_case("accept-encoding")), "{:?}", answer.header("vary"));
    }
    let head = app.client().send(Method::HEAD, &path, None, Vec::new()).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("3"), 0));
    assert_eq!(app.client().post(&path, "text/plain", Vec::new()).await.status, 405);
}

#[tokio::test]
async fn other_names_are_404_and_never_cached() {
    let (app, _place) = with_site().await;
    for path in
        ["/pkg/apex_billing.css", "/pkg/assets.json", &format!("/pkg/{STYLE}.br"), "/pkg/apex_billing.ffffffffffffffff.js", "/pkg/a/b.js"]
    {
        let answer = app.client().get(path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (404, Some("no-store")), "{path}");
    }
    let icon = app.client().get("/favicon.svg").await;
    assert_eq!((icon.status, icon.header("cache-control")), (200, Some("public, max-age=3600")));
}

/// The page of an earlier build has no script of its own that could notice.
#[tokio::test]
async fn a_removed_script_is_answered_by_one_that_reloads() {
    let (app, _place) = with_site().await;
    let browser = app.client().with_header("sec-fetch-dest", "script");
    let answer = browser.get("/pkg/apex_billing.ffffffffffffffff.js").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/javascript")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.text().contains("location.reload()"));
    assert_eq!(browser.get("/pkg/apex_billing.ffffffffffffffff.css").await.status, 404);
    assert_eq!(browser.get(&format!("/pkg/{SCRIPT}")).await.text(), "export {}");
}

#[tokio::test]
async fn pages_name_the_style_sheet_first() {
    let (app, _place) = with_site().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let html = person.get("/billing/usage").await.page();
    let (style, script) = (html.find(&format!(r#"href="/pkg/{STYLE}""#)), html.find(&format!(r#"src="/pkg/{SCRIPT}""#)));
    assert!(style.is_some() && style < script, "{html}");
    assert!(html.contains(r#"data-build="build-1""#), "{html}");
    assert!(!html.contains("preload"), "{html}");
    // A reload would send the form again.
    let made = person.post("/billing/settings", "application/x-www-form-urlencoded", b"form=key&name=ads".to_vec()).await;
    let html = made.page();
    assert!(made.status == 200 && html.contains(SCRIPT) && !html.contains("data-build"), "{html}");
}

#[tokio::test]
async fn without_a_site_pages_are_plain_html() {
    let app = site_at("/nonexistent").await;
    let page = app.client().get("/login").await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("/pkg/") && !page.text().contains("data-build"), "{}", page.text());
}

#[tokio::test]
async fn pages_name_the_rules_for_prefetching() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let rules = person.get("/billing/usage").await.header("speculation-rules").unwrap().to_owned();
    let rules = app.client().get(rules.trim_matches('"')).await;
    assert_eq!((rules.status, rules.header("content-type")), (200, Some("application/speculationrules+json")));
    assert_eq!(rules.header("cache-control"), Some("public, max-age=3600"));
    let paths = rules.json()["prefetch"][0]["where"]["and"][0]["href_matches"].clone();
    assert!(paths.as_array().unwrap().iter().all(|path| !path.as_str().unwrap().starts_with("/api")), "{paths}");
    assert_eq!(app.client().get("/login").await.header("speculation-rules"), None);
}

#[tokio::test]
async fn prefetched_pages_record_nothing() {
    let app = TestApp::start().await;
    let staff = app.sign_in(Role::Admin, None).await.with_header("sec-purpose", "prefetch");
    let entries = async || -> i64 { sqlx::query_scalar("SELECT count(*) FROM billing_audit").fetch_one(&app.db).await.unwrap() };
    let before = entries().await;
    for path in ["/admin/customers", "/admin/reconciliation", "/admin/webhooks", "/admin/audit", "/admin/features", "/account"] {
        assert_eq!(staff.get(path).await.status, 200, "{path}");
    }
    app.platform.incidents.settled().await;
    assert_eq!(entries().await, before);
}
