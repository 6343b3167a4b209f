//! Security headers for browsers, and the client's address.

use crate::{
    support::{TestApp, app::PASSWORD},
    transfer::files::with_site,
};
use apex_billing::{domain::role::Role, service::users};
use serde_json::json;

#[tokio::test]
async fn pages_have_no_inline_scripts_or_styles() {
    let (app, _place) = with_site().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    for path in ["/billing/usage", "/billing/invoices", "/billing/settings", "/billing/nothing"] {
        let page = person.get(path).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{policy}");
        let html = page.text();
        let scripts: Vec<&str> = html.split("<script").skip(1).map(|rest| rest.split_once("</script>").unwrap().0).collect();
        assert!(!scripts.is_empty(), "{path}");
        assert!(scripts.iter().all(|script| script.contains(" src=\"/pkg/") && script.ends_with('>')), "{path}: {scripts:?}");
        assert!(!html.contains(" style=\"") && !html.contains(" onclick=") && !html.contains("<style"), "{path}");
    }
}

#[tokio::test]
async fn every_response_has_a_browser_policy() {
    let app = TestApp::start_with(&[("PUBLIC_URL", "https://billing.example.com")]).await;
    let big = vec![b' '; 100_000];
    let answers = [
        app.client().get("/login").await,
        app.client().get("/billing/usage").await,
        app.client().get("/pkg/nothing.js").await,
        app.client().get("/api/v1/health").await,
        app.client().get("/api/v1/billing/invoices").await,
        app.client().get("/livez").await,
        app.client().post("/theme", "application/x-www-form-urlencoded", b"theme=dark".to_vec()).await,
        app.client().post("/api/v1/auth/login", "application/json", big).await,
        app.client().with_header("origin", "https://evil.example").post("/theme", "text/plain", Vec::new()).await,
    ];
    for answer in answers {
        let is = |name: &str, value: &str| assert_eq!(answer.header(name), Some(value), "{name} of {}: {}", answer.status, answer.text());
        is("strict-transport-security", "max-age=31536000; includeSubDomains");
        is("x-content-type-options", "nosniff");
        is("referrer-policy", "same-origin");
        is("cross-origin-opener-policy", "same-origin");
        is("cross-origin-resource-policy", "same-origin");
        assert!(answer.header("permissions-policy").unwrap().contains("camera=()"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert!(policy.contains("object-src 'none'") && policy.contains("base-uri 'none'"), "{policy}");
        assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1);
    }
    let plain = TestApp::start().await.client().get("/login").await;
    assert_eq!(plain.header("strict-transport-security"), None);
}

#[tokio::test]
async fn form_action_allows_stripe_only_with_a_key() {
    let policy_with = async |variables: &[(&str, &str)]| {
        let app = TestApp::start_with(variables).await;
        app.client().get("/login").await.header("content-security-policy").unwrap().to_owned()
    };
    assert!(policy_with(&[]).await.contains("form-action 'self';"));
    let key = ("STRIPE_SECRET_KEY", "sk_test_1");
    assert!(policy_with(&[key]).await.contains("form-action 'self' https://billing.stripe.com;"));
    let stand_in = policy_with(&[key, ("STRIPE_API_BASE", "http://127.0.0.1:12111/")]).await;
    assert!(stand_in.contains("form-action 'self' http://127.0.0.1:12111;"), "{stand_in}");
}

#[tokio::test]
async fn the_audit_log_trusts_only_our_proxies() {
    let app = TestApp::start_with(&[("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7")]).await;
    users::put(&app.platform, "ops@people.example", PASSWORD, Role::Admin, None).await.unwrap();
    for (peer, forwarded, expected) in [
        ("10.1.1.1", "127.0.0.1, 203.0.113.5, 192.0.2.7", "203.0.113.5"),
        ("198.51.100.1", "203.0.113.5", "198.51.100.1"),
        ("10.1.1.1", "'; DROP TABLE users; --", "10.1.1.1"),
    ] {
        let client = app.client().from(peer).with_header("x-forwarded-for", forwarded);
        let answer = client.post_json("/api/v1/auth/login", &json!({"email": "ops@people.example", "password": PASSWORD})).await;
        assert_eq!(answer.status, 200);
        let noted: String =
            sqlx::query_scalar("SELECT ip_address FROM billing_audit WHERE event_type = 'session.login' ORDER BY id DESC LIMIT 1")
                .fetch_one(&app.db)
                .await
                .unwrap();
        assert_eq!(noted, expected);
    }
}
