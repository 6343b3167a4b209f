//! A form that is sent after its session has ended: the login says why, and the same user finds the
//! input again, not saved.

use crate::support::{Client, TestApp, app::PASSWORD, client::Answer};
use apex_billing::{
    app::local_path::percent_encode,
    auth::totp,
    domain::{identity::CustomerId, role::Role},
    service::users,
};
use data_encoding::BASE32_NOPAD;
use serde_json::json;
use time::Duration;

const PAGE: &str = "/billing/settings";
const FORM: &str = "application/x-www-form-urlencoded";
const LOGIN: &str = "/api/v1/auth/login";
const KEPT: &str = "/login?next=/billing/settings&error=session_expired_unsaved";

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect::<Vec<_>>().join("&").into_bytes()
}

async fn add_user(app: &TestApp, email: &str, customer: CustomerId) {
    users::put(&app.platform, email, PASSWORD, Role::Publisher, Some(customer)).await.unwrap();
}

/// Signs in with the browser's cookies, and returns a browser with those of the response.
async fn sign_in(app: &TestApp, client: &Client, email: &str) -> Client {
    let answer = client.post(LOGIN, FORM, form(&[("email", email), ("password", PASSWORD), ("next", PAGE)])).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(PAGE)), "{}", answer.text());
    app.client().with_cookies_of(&answer)
}

/// The hidden field of the page's forms.
fn owner(page: &Answer) -> String {
    let html = page.text();
    let field = html.split("<input").find(|input| input.contains(r#"name="owner""#)).unwrap();
    field.split(r#"value=""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// An app with the users a and b of one customer, and the id of a in its forms.
async fn app() -> (TestApp, Client, String) {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "growth", "usd").await;
    add_user(&app, "a@people.example", customer).await;
    add_user(&app, "b@people.example", customer).await;
    let browser = sign_in(&app, &app.client(), "a@people.example").await;
    let owner = owner(&browser.get(PAGE).await);
    app.advance(Duration::hours(25));
    (app, browser, owner)
}

async fn settings_of(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM usage_alert_settings").fetch_one(&app.db).await.unwrap()
}

#[tokio::test]
async fn the_same_user_finds_the_input_not_saved() {
    let (app, browser, owner) = app().await;
    let typed =
        [("form", "alerts"), ("owner", &*owner), ("enabled", "true"), ("metrics.impressions.percent", "33; 44"), ("confirm", "true")];
    let answer = browser.post(PAGE, FORM, form(&typed)).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(KEPT)));
    let browser = app.client().with_cookies_of(&answer);
    let login = browser.get(KEPT).await.text();
    assert!(login.contains("Your session ended. Sign in and your changes will be there."), "{login}");
    // A wrong password does not lose it.
    let failed = browser.post(LOGIN, FORM, form(&[("email", "a@people.example"), ("password", "wrong"), ("next", PAGE)])).await;
    assert!(failed.header("location").unwrap().starts_with("/login?error=invalid_credentials"));

    let browser = sign_in(&app, &browser, "a@people.example").await;
    for _ in 0..2 {
        let html = browser.get(PAGE).await.text();
        assert!(html.contains("These changes are not saved yet.") && html.contains(r#"value="33; 44""#), "{html}");
    }
    assert_eq!(settings_of(&app).await, 0, "nothing is applied by itself");
    // Another form of the page leaves it.
    assert_eq!(browser.post(PAGE, FORM, form(&[("form", "contact"), ("email", "c@lumen.example")])).await.status, 303);
    assert!(browser.get(PAGE).await.text().contains("These changes are not saved yet."));
    assert_eq!(browser.post(PAGE, FORM, form(&typed)).await.status, 303);
    assert!(!browser.get(PAGE).await.text().contains("These changes are not saved yet."));
    assert_eq!(settings_of(&app).await, 1);
}

#[tokio::test]
async fn another_user_does_not_get_the_input() {
    let (app, browser, owner) = app().await;
    let answer = browser.post(PAGE, FORM, form(&[("form", "key"), ("owner", &owner), ("name", "Ad server of a")])).await;
    assert_eq!(answer.header("location"), Some(KEPT));
    let browser = app.client().with_cookies_of(&answer);
    let other = sign_in(&app, &browser, "b@people.example").await;
    assert!(!other.get(PAGE).await.text().contains("Ad server of a"));
    // It is gone for the first user too: the session was emptied.
    assert!(!sign_in(&app, &other, "a@people.example").await.get(PAGE).await.text().contains("Ad server of a"));
    // Another browser has nothing of it.
    let elsewhere = sign_in(&app, &app.client(), "a@people.example").await;
    assert!(!elsewhere.get(PAGE).await.text().contains("Ad server of a"));
}

#[tokio::test]
async fn input_can_be_discarded_and_expires() {
    let (app, browser, owner) = app().await;
    let key = form(&[("form", "key"), ("owner", &owner), ("name", "Ad server")]);
    let kept = app.client().with_cookies_of(&browser.post(PAGE, FORM, key.clone()).await);
    let mine = sign_in(&app, &kept, "a@people.example").await;
    assert!(mine.get(PAGE).await.text().contains(r#"value="Ad server""#));
    let discarded = mine.post(PAGE, FORM, form(&[("form", "discard")])).await;
    assert_eq!(discarded.header("location"), Some("/billing/settings?done=discarded"));
    assert!(!mine.get(PAGE).await.text().contains(r#"value="Ad server""#));

    let kept = app.client().with_cookies_of(&app.client().post(PAGE, FORM, key).await);
    app.advance(Duration::minutes(31));
    assert!(!sign_in(&app, &kept, "a@people.example").await.get(PAGE).await.text().contains(r#"value="Ad server""#));
}

#[tokio::test]
async fn secrets_large_forms_and_other_sites_are_not_stored() {
    let (app, browser, owner) = app().await;
    let plain = "/login?next=/billing/settings&error=session_expired";
    for fields in [
        form(&[("form", "key-revoke"), ("owner", &owner), ("id", "1")]),
        form(&[("form", "key"), ("name", "without an owner")]),
        form(&[("form", "key"), ("owner", &owner), ("name", &"x".repeat(9_000))]),
        b"form=key&owner=%FF".to_vec(),
    ] {
        let answer = browser.post(PAGE, FORM, fields).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(plain)));
    }
    let secret = form(&[("form", "password"), ("owner", &owner), ("current_password", "secret-guess"), ("new_password", "another secret")]);
    let answer = browser.post("/account", FORM, secret).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login?next=/account&error=session_expired")));
    // A form of another site plants nothing.
    let planted = form(&[("form", "key"), ("owner", &owner), ("name", "planted")]);
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")] {
        let lured = app.client().with_header(name, value).post(PAGE, FORM, planted.clone()).await;
        assert_eq!((lured.status, lured.header("set-cookie")), (403, None));
    }
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions WHERE data ? 'unsaved' OR data::text LIKE '%secret%'")
        .fetch_one(&app.db)
        .await
        .unwrap();
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn a_second_factor_in_between_keeps_the_input() {
    let (app, browser, owner) = app().await;
    let mine = sign_in(&app, &browser, "a@people.example").await;
    let offer = mine.post_json("/api/v1/auth/totp", &json!({"current_password": PASSWORD})).await.json();
    let secret = BASE32_NOPAD.decode(offer["secret"].as_str().unwrap().as_bytes()).unwrap();
    let code = || totp::code_at(&secret, app.now()).unwrap();
    assert_eq!(mine.post_json("/api/v1/auth/totp/confirm", &json!({"code": code()})).await.status, 200);
    app.advance(Duration::hours(25));
    let answer = mine.post(PAGE, FORM, form(&[("form", "key"), ("owner", &owner), ("name", "Ad server")])).await;
    let kept = app.client().with_cookies_of(&answer);
    let step = kept.post(LOGIN, FORM, form(&[("email", "a@people.example"), ("password", PASSWORD), ("next", PAGE)])).await;
    assert_eq!(step.header("location"), Some("/login?step=code&next=/billing/settings"));
    let halfway = app.client().with_cookies_of(&step);
    let done = halfway.post("/api/v1/auth/login/code", FORM, form(&[("code", &code()), ("next", PAGE)])).await;
    assert_eq!(done.header("location"), Some(PAGE));
    assert!(app.client().with_cookies_of(&done).get(PAGE).await.text().contains(r#"value="Ad server""#));
}

#[tokio::test]
async fn an_expired_cookie_still_gives_the_reason() {
    let (app, browser, _) = app().await;
    let marked = browser.get("/billing/usage").await;
    assert_eq!(marked.header("location"), Some("/login?next=/billing/usage&error=session_expired"));
    // The browser has deleted the session's cookie.
    let only_mark = app.client().with_header("cookie", "signed_in=1");
    assert_eq!(only_mark.get(PAGE).await.header("location"), Some(KEPT.trim_end_matches("_unsaved")));
    assert_eq!(app.client().get(PAGE).await.header("location"), Some("/login?next=/billing/settings"));
    let out = sign_in(&app, &app.client(), "a@people.example").await.post("/api/v1/auth/logout", FORM, Vec::new()).await;
    let cookies: Vec<_> = out.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("signed_in=;") && cookie.contains("Max-Age=0")), "{cookies:?}");
}

#[tokio::test]
async fn unknown_pages_keep_the_menu() {
    let (app, browser, _) = app().await;
    let mine = sign_in(&app, &browser, "a@people.example").await;
    let page = mine.get("/billing/nothing").await;
    assert_eq!(page.status, 404);
    assert!(page.text().contains("Page not found") && page.text().contains(r#"href="/billing/invoices""#), "{}", page.text());
    let stranger = app.client().get("/nothing").await;
    assert!(stranger.status == 404 && !stranger.text().contains(r#"href="/billing/invoices""#), "{}", stranger.text());
}
