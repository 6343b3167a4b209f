//! Rate limits of unauthenticated requests per address.

use crate::support::{TestApp, app::PASSWORD, program};
use apex_billing::domain::role::Role;
use serde_json::json;
use time::Duration;

/// One a second, and a burst of twenty.
const FEW: (&str, &str) = ("anonymous-requests-per-second = 50", "anonymous-requests-per-second = 1");

#[tokio::test]
async fn rates_are_limited_per_address() {
    let app = TestApp::start_with_settings(&[FEW]).await;
    let anonymous = app.client().from("192.0.2.10");
    for _ in 0..20 {
        assert_eq!(anonymous.get("/api/v1/meta/features").await.status, 200);
    }
    let refused = anonymous.get("/api/v1/meta/features").await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    for path in ["/login", "/billing/usage", "/theme", "/nothing"] {
        assert_eq!(anonymous.get(path).await.status, 429, "{path}");
    }
    let login = json!({"email": "ops@people.example", "password": PASSWORD});
    anonymous.post_json("/api/v1/auth/login", &login).await.problem(429, "rate_limited");
    assert_eq!(app.client().from("192.0.2.11").get("/api/v1/meta/features").await.status, 200);
    app.advance(Duration::seconds(1));
    assert_eq!(anonymous.get("/login").await.status, 200);
}

#[tokio::test]
async fn users_stripe_health_checks_and_files_are_exempt() {
    let app = TestApp::start_with_settings(&[FEW]).await;
    let customer = app.add_customer("lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await.from("192.0.2.10");
    let machine = app.machine(customer).await.from("192.0.2.10");
    let anonymous = app.client().from("192.0.2.10");
    for _ in 0..25 {
        anonymous.get("/api/v1/meta/features").await;
    }
    anonymous.get("/api/v1/meta/features").await.problem(429, "rate_limited");
    for _ in 0..25 {
        assert_eq!(person.get("/api/v1/auth/me").await.status, 200);
        assert_eq!(machine.get("/api/v1/billing/invoices").await.status, 200);
        for path in ["/livez", "/readyz", "/api/v1/health", "/pkg/apex_billing.css", "/favicon.svg"] {
            assert_ne!(anonymous.get(path).await.status, 429, "{path}");
        }
        anonymous.post("/api/v1/webhooks/stripe", "application/json", b"{}".to_vec()).await.problem(400, "signature_missing");
    }
}

#[tokio::test]
async fn trying_keys_counts_and_proxies_do_not() {
    let app = TestApp::start_with_all(&[("TRUSTED_PROXIES", "10.0.0.0/8")], &[FEW]).await;
    let behind = |client: &str| app.client().from("10.0.0.1").with_header("x-forwarded-for", client);
    let guesser = behind("203.0.113.5").with_header("authorization", &format!("Bearer apex_{}", "0".repeat(64)));
    for _ in 0..20 {
        guesser.get("/api/v1/billing/invoices").await.problem(401, "unauthenticated");
    }
    guesser.get("/api/v1/billing/invoices").await.problem(429, "rate_limited");
    behind("203.0.113.5").get("/api/v1/meta/features").await.problem(429, "rate_limited");
    assert_eq!(behind("203.0.113.6").get("/api/v1/meta/features").await.status, 200);
}

#[tokio::test]
async fn it_holds_over_real_connections() {
    let app = TestApp::start_with_settings(&[FEW]).await;
    let address = app.listen().await;
    let address = address.trim_start_matches("http://").to_owned();
    let answers = tokio::task::spawn_blocking(move || (0..22).map(|_| program::get(&address, "/api/v1/meta/features")).collect::<Vec<_>>());
    let answers = answers.await.unwrap();
    assert!(answers[..20].iter().all(|answer| answer.starts_with("HTTP/1.1 200")), "{}", answers[0]);
    assert!(answers[20..].iter().all(|answer| answer.starts_with("HTTP/1.1 429")), "{}", answers[20]);
    assert!(answers[21].to_lowercase().contains("retry-after: 1"), "{}", answers[21]);
}
