//! Login, sessions, logout, and permissions.

use crate::support::{TestApp, app::PASSWORD};
use apex_billing::{
    domain::role::Role,
    service::{api_keys, users},
};
use serde_json::json;
use time::Duration;

#[tokio::test]
async fn login_sets_a_cookie_that_identifies_the_user() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    users::put(&app.platform, "Finance@Lumen.example", PASSWORD, Role::Publisher, Some(customer)).await.unwrap();

    let answer = app.client().post_json("/api/v1/auth/login", &json!({"email": "finance@lumen.example", "password": PASSWORD})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("auth_token=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(!cookie.contains("Secure"), "plain http in a test: {cookie}");

    let me = app.client().with_cookies_of(&answer).get("/api/v1/auth/me").await;
    assert_eq!(me.status, 200);
    assert_eq!(me.json(), json!({"email": "finance@lumen.example", "role": "publisher", "customer": {"id": customer, "name": "lumen"}}));
}

#[tokio::test]
async fn the_cookie_is_secure_behind_https() {
    let app = TestApp::start_with(&[("PUBLIC_URL", "https://billing.example.com")]).await;
    users::put(&app.platform, "ops@people.example", PASSWORD, Role::Admin, None).await.unwrap();
    let answer = app.client().post_json("/api/v1/auth/login", &json!({"email": "ops@people.example", "password": PASSWORD})).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-auth_token=") && cookie.contains("Secure") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(app.client().with_cookies_of(&answer).get("/api/v1/auth/me").await.status, 200);

    // API clients know the cookie by its old name; browsers must not use it, because a sibling host
    // could have set it.
    let plain = cookie.split(';').next().unwrap().trim_start_matches("__Host-").to_owned();
    let script = app.client().with_header("cookie", &plain);
    assert_eq!(script.get("/api/v1/auth/me").await.status, 200);
    script.clone().with_header("sec-fetch-site", "same-origin").get("/api/v1/auth/me").await.problem(401, "unauthenticated");
    let other = app.client().with_header("cookie", &format!("__Host-auth_token=other; {plain}"));
    other.get("/api/v1/auth/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let app = TestApp::start().await;
    users::put(&app.platform, "ops@people.example", PASSWORD, Role::Admin, None).await.unwrap();
    let wrong = app.client().post_json("/api/v1/auth/login", &json!({"email": "ops@people.example", "password": "not this one"})).await;
    let unknown = app.client().post_json("/api/v1/auth/login", &json!({"email": "unknown@people.example", "password": PASSWORD})).await;
    let (wrong, unknown) = (wrong.problem(401, "invalid_credentials"), unknown.problem(401, "invalid_credentials"));
    assert_eq!(wrong["detail"], unknown["detail"]);
    let refused: i64 =
        sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'session.refused'").fetch_one(&app.db).await.unwrap();
    assert_eq!(refused, 2);
}

#[tokio::test]
async fn the_login_form_works_without_javascript() {
    let app = TestApp::start().await;
    users::put(&app.platform, "ops@people.example", PASSWORD, Role::Admin, None).await.unwrap();
    let form = |body: &str| body.replace(' ', "+").into_bytes();
    let client = app.client().with_header("sec-fetch-site", "same-origin").with_header("accept", "text/html");

    let answer = client
        .post(
            "/api/v1/auth/login",
            "application/x-www-form-urlencoded",
            form(&format!("email=ops@people.example&password={PASSWORD}&next=/billing/invoices")),
        )
        .await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/billing/invoices")));

    let answer = client
        .post(
            "/api/v1/auth/login",
            "application/x-www-form-urlencoded",
            form("email=ops@people.example&password=x&next=https://evil.example"),
        )
        .await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/login?error=invalid_credentials&next=/billing/usage"));
}

#[tokio::test]
async fn the_session_gets_a_new_id_at_login_and_is_gone_after_logout() {
    let app = TestApp::start().await;
    users::put(&app.platform, "ops@people.example", PASSWORD, Role::Admin, None).await.unwrap();
    let login = json!({"email": "ops@people.example", "password": PASSWORD});
    let first = app.client().post_json("/api/v1/auth/login", &login).await;
    let client = app.client().with_cookies_of(&first);
    let second = client.post_json("/api/v1/auth/login", &login).await;
    assert_ne!(first.header("set-cookie").unwrap().split(';').next(), second.header("set-cookie").unwrap().split(';').next());
    client.get("/api/v1/auth/me").await.problem(401, "unauthenticated");

    let client = app.client().with_cookies_of(&second);
    assert_eq!(client.get("/api/v1/auth/me").await.status, 200);
    assert_eq!(client.post("/api/v1/auth/logout", "application/json", Vec::new()).await.status, 204);
    client.get("/api/v1/auth/me").await.problem(401, "unauthenticated");
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&app.db).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_session_ends_after_a_day_and_when_idle() {
    let app = TestApp::start().await;
    let client = app.sign_in(Role::Admin, None).await;
    app.advance(Duration::hours(23));
    assert_eq!(client.get("/api/v1/auth/me").await.status, 200);
    app.advance(Duration::hours(1));
    client.get("/api/v1/auth/me").await.problem(401, "unauthenticated");

    let client = app.sign_in(Role::Admin, None).await;
    sqlx::query("UPDATE sessions SET expires_at = now()").execute(&app.db).await.unwrap();
    client.get("/api/v1/auth/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn activity_pushes_the_idle_limit_back() {
    let app = TestApp::start().await;
    let client = app.sign_in(Role::Admin, None).await;
    let expiry =
        async || sqlx::query_scalar::<_, time::OffsetDateTime>("SELECT expires_at FROM sessions").fetch_one(&app.db).await.unwrap();
    sqlx::query("UPDATE sessions SET expires_at = now() + interval '1 minute'").execute(&app.db).await.unwrap();
    let before = expiry().await;
    app.advance(Duration::minutes(2));
    assert_eq!(client.get("/api/v1/auth/me").await.status, 200);
    assert!(expiry().await > before + Duration::hours(1));
}

#[tokio::test]
async fn disabling_a_user_takes_effect_at_once() {
    let app = TestApp::start().await;
    let client = app.sign_in(Role::Admin, None).await;
    sqlx::query("UPDATE users SET disabled_at = now()").execute(&app.db).await.unwrap();
    client.get("/api/v1/auth/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_key_reads_its_customers_billing_and_a_revoked_one_does_not() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let key = api_keys::create(&app.platform, customer, "mediation").await.unwrap();
    let machine = app.client().with_header("authorization", &format!("Bearer {key}"));
    assert_eq!(machine.get("/api/v1/billing/usage/current").await.status, 200);
    api_keys::revoke(&app.platform, &key[..13]).await.unwrap();
    machine.get("/api/v1/billing/usage/current").await.problem(401, "unauthenticated");
    for header in ["Bearer apex_0000", "Bearer", "Basic b3BzOm9wcw=="] {
        app.client().with_header("authorization", header).get("/api/v1/billing/usage/current").await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn unauthenticated_billing_requests_get_401() {
    let app = TestApp::start().await;
    for path in [
        "/api/v1/auth/me",
        "/api/v1/billing/usage/current",
        "/api/v1/billing/invoices",
        "/api/v1/billing/invoices/7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11",
        "/api/v1/billing/invoices/7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11/pdf",
    ] {
        let answer = app.client().get(path).await;
        let problem = answer.problem(401, "unauthenticated");
        assert_eq!(problem["instance"], path);
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="apex-billing""#));
    }
}

#[tokio::test]
async fn only_staff_may_name_another_customer() {
    let app = TestApp::start().await;
    let (mine, theirs) = (app.add_customer("lumen").await, app.add_customer("orbit").await);
    let publisher = app.sign_in(Role::Publisher, Some(mine)).await;
    let path = format!("/api/v1/billing/usage/current?customer_id={theirs}");
    publisher.get(&path).await.problem(404, "not_found");
    assert_eq!(publisher.get(&format!("/api/v1/billing/usage/current?customer_id={mine}")).await.status, 200);

    let staff = app.sign_in(Role::Admin, None).await;
    assert_eq!(staff.get(&path).await.status, 200);
    staff.get("/api/v1/billing/usage/current").await.problem(422, "invalid_parameter");
    staff.get("/api/v1/billing/usage/current?customer_id=7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11").await.problem(404, "not_found");
    staff.get("/api/v1/billing/usage/current?customer_id=lumen").await.problem(404, "not_found");
}

#[tokio::test]
async fn cross_site_requests_change_nothing() {
    let app = TestApp::start().await;
    let body = br#"{"email":"a@b","password":"c"}"#.to_vec();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let answer = app.client().with_header(name, value).post("/api/v1/auth/login", "application/json", body.clone()).await;
        answer.problem(403, "cross_site");
    }
    let own = app.client().with_header("origin", "http://127.0.0.1:3000").post("/api/v1/auth/login", "application/json", body).await;
    own.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn malformed_logins_are_refused() {
    let app = TestApp::start().await;
    let client = app.client();
    client.post("/api/v1/auth/login", "application/json", b"{".to_vec()).await.problem(400, "invalid_body");
    client.post("/api/v1/auth/login", "application/json", b"{}".to_vec()).await.problem(400, "invalid_body");
    client.post("/api/v1/auth/login", "text/plain", b"hello".to_vec()).await.problem(415, "unsupported_media_type");
    client.post("/api/v1/auth/login", "application/json", vec![b' '; 100_000]).await;
    client.get("/api/v1/auth/login").await.problem(405, "method_not_allowed");
    let long = json!({"email": "a@b.example", "password": "x".repeat(5000)});
    client.post_json("/api/v1/auth/login", &long).await.problem(401, "invalid_credentials");
}
