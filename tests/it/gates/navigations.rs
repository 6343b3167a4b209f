//! Browser navigation: nothing after logout, a login after the session's end, and a page for every
//! error.

use super::*;

/// A browser that navigates to a URL.
fn browser(client: Client) -> Client {
    client
        .with_header("sec-fetch-mode", "navigate")
        .with_header("sec-fetch-site", "same-origin")
        .with_header("accept", "text/html,*/*;q=0.8")
}

/// URLs outside of the pages to which browsers navigate.
const DOWNLOADS: [&str; 4] = [
    "/api/v1/billing/invoices/in_1/pdf",
    "/api/v1/billing/invoices.csv",
    "/api/v1/billing/usage/history.csv?from=2026-11-01&to=2026-11-02",
    "/api/v1/admin/audit.csv",
];
const FORMS: [&str; 4] =
    ["/api/v1/billing/portal", "/api/v1/admin/view-as/stop", "/api/v1/admin/webhooks/replay", "/api/v1/admin/reconciliations"];

#[tokio::test]
async fn private_content_is_not_cached() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    app.deliver(&october("cus_lumen", Outcome::Paid)).await;
    for path in [
        "/billing/usage",
        "/billing/invoices",
        "/billing/settings",
        "/account",
        "/billing/nothing",
        "/api/v1/billing/invoices",
        "/api/v1/auth/me",
        "/api/v1/billing/invoices.csv",
        "/api/v1/billing/usage/current",
        "/api/v1/billing/invoices/nothing",
        "/api/v1/admin/audit",
    ] {
        assert_eq!(person.get(path).await.header("cache-control"), Some("no-store"), "{path}");
    }
    // A PDF is revalidated by its tag, and scripts are the same for all.
    let id = person.get("/api/v1/billing/invoices").await.json()["invoices"][0]["id"].as_str().unwrap().to_owned();
    let pdf = person.get(&format!("/api/v1/billing/invoices/{id}/pdf")).await;
    assert_eq!(pdf.header("cache-control"), Some("private, no-cache"));
    assert!(pdf.header("etag").is_some());
    assert_eq!(app.client().get("/login").await.header("cache-control"), Some("private, no-cache"));
}

#[tokio::test]
async fn signing_out_clears_the_browsers_cache() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    let form = person.post("/api/v1/auth/logout", FORM, Vec::new()).await;
    assert_eq!((form.status, form.header("location"), form.header("clear-site-data")), (303, Some("/login"), Some("\"cache\"")));
    let program = person.post("/api/v1/auth/logout", "application/json", Vec::new()).await;
    assert_eq!((program.status, program.header("clear-site-data")), (204, Some("\"cache\"")));
}

#[tokio::test]
async fn navigation_without_a_session_shows_the_login() {
    let app = TestApp::start().await;
    let stranger = browser(app.client());
    for path in DOWNLOADS {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").unwrap().starts_with("/login?next=/api/v1/"), "{:?}", answer.header("location"));
        // A browser without Fetch Metadata accepts HTML.
        assert_eq!(app.client().with_header("accept", "text/html").get(path).await.status, 303, "{path}");
        app.client().get(path).await.problem(401, "unauthenticated");
        app.client()
            .with_header("accept", "text/html")
            .with_header("sec-fetch-mode", "cors")
            .get(path)
            .await
            .problem(401, "unauthenticated");
    }
    for path in FORMS {
        let answer = stranger.post(path, FORM, Vec::new()).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/login?next=/billing/usage")), "{path}");
        app.client().post(path, FORM, Vec::new()).await.problem(401, "unauthenticated");
    }
    // Back to the browser's page, if it is one of ours.
    for (referer, next) in [
        ("http://127.0.0.1:3000/billing/invoices?page=2", "/billing/invoices%3Fpage%3D2"),
        ("https://evil.example/billing/invoices", "/billing/usage"),
    ] {
        let answer = stranger.clone().with_header("referer", referer).post(FORMS[0], FORM, Vec::new()).await;
        assert_eq!(answer.header("location"), Some(&*format!("/login?next={next}")));
    }
}

#[tokio::test]
async fn the_login_reports_an_ended_session() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    app.advance(Duration::hours(25));
    let person = browser(person);
    let page = person.get("/billing/invoices").await;
    assert_eq!(page.header("location"), Some("/login?next=/billing/invoices&error=session_expired"));
    let file = person.get(DOWNLOADS[1]).await;
    assert_eq!(file.header("location"), Some("/login?next=/api/v1/billing/invoices.csv&error=session_expired"));
    let login = person.get(page.header("location").unwrap()).await;
    assert!(login.status == 200 && login.text().contains("Your session ended. Sign in to continue."), "{}", login.text());
}

#[tokio::test]
async fn a_navigation_that_fails_gets_a_page() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    let navigating = browser(person.clone());
    let page = |answer: &Answer, status: u16, text: &str| {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{:?}", answer.header("content-type"));
        assert!(answer.text().contains(text) && !answer.text().contains("urn:apex-billing"), "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-disposition"), None);
    };
    page(&navigating.get(DOWNLOADS[0]).await, 404, "Invoice not found");
    page(&navigating.get(DOWNLOADS[3]).await, 403, "You don’t have access");
    page(&navigating.get("/api/v1/billing/invoices.csv?status=foo").await, 422, "That request can’t be used");
    page(&navigating.get("/api/v1/nothing").await, 404, "Not found");
    page(&navigating.post(FORMS[1], FORM, Vec::new()).await, 403, "You don’t have access");
    page(&navigating.post("/theme", FORM, b"theme=pink".to_vec()).await, 422, "That request can’t be used");
    let from_elsewhere = person.clone().with_header("sec-fetch-mode", "navigate").with_header("sec-fetch-site", "cross-site");
    page(&from_elsewhere.post(FORMS[0], FORM, Vec::new()).await, 403, "You don’t have access");
    person.get(DOWNLOADS[0]).await.problem(404, "not_found");
    // API clients get problem+json, whatever they accept.
    let customer = app.add_customer("forge").await;
    browser(app.machine(customer).await).get(DOWNLOADS[0]).await.problem(404, "not_found");
    app.db.close().await;
    page(&navigating.get(DOWNLOADS[1]).await, 503, "We can’t reach our data just now");
}

#[tokio::test]
async fn the_email_of_a_failed_login_is_in_no_url() {
    let app = TestApp::start().await;
    let body = |email: &str| format!("email={email}&password=not+this+one&next=/billing/invoices").into_bytes();
    let answer = app.client().post("/api/v1/auth/login", FORM, body("ops%2Bbilling%40people.example")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login?error=invalid_credentials&next=/billing/invoices")));
    let cookie = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find(|value| value.starts_with("login_email="))
        .unwrap();
    assert!(cookie.contains("; Path=/login; Max-Age=120; HttpOnly; SameSite=Lax"), "{cookie}");
    let login = app.client().with_header("cookie", cookie.split(';').next().unwrap()).get(answer.header("location").unwrap()).await;
    assert!(login.text().contains(r#"value="ops+billing@people.example""#), "{}", login.text());
    assert_eq!(login.header("cache-control"), Some("no-store"));
    assert!(login.header("set-cookie").unwrap().starts_with("login_email=; Path=/login; Max-Age=0"), "once only");
    assert!(!app.client().get(answer.header("location").unwrap()).await.text().contains("ops"));
    // A link can't fill in another person's text.
    assert!(!app.client().get("/login?email=user@evil.example").await.text().contains(r#"value="user@evil.example""#));
    let markup = app.client().with_header("cookie", "login_email=%22%3E%3Cb%20class=mark%3E").get("/login").await;
    assert!(!markup.text().contains("<b class=mark"), "{}", markup.text());
    let endless = app.client().post("/api/v1/auth/login", FORM, body(&"e".repeat(2_000))).await;
    assert_eq!((endless.status, endless.header("location").unwrap().len() < 100), (303, true));
}
