//! Permissions depend on the guard, never on the spelling of a path.

use super::*;
use apex_billing::{auth::Principal, guard, service::Error};
use axum::http::{Extensions, Method};
use uuid::Uuid;

/// Spellings of `/admin/webhooks` that some parser could normalise to it.
const SPELLINGS: [&str; 10] = [
    "/%61dmin/webhooks",
    "/admin/%77ebhooks",
    "/admin%2Fwebhooks",
    "/admin%5Cwebhooks",
    "/admin//webhooks",
    "//admin/webhooks",
    "/./admin/webhooks",
    "/admin/../admin/webhooks",
    "/%2E/admin/webhooks",
    "/admin/webhooks%00",
];

#[tokio::test]
async fn no_spelling_of_a_path_opens_a_staff_page() {
    let (_app, staff) = staff_without_second_factor().await;
    for path in SPELLINGS {
        let answer = staff.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{path}");
        assert!(!answer.text().contains("<script") && !answer.text().contains("Webhooks"), "{path}: {}", answer.text());
    }
    for path in ["/api/v1/%61dmin/webhooks", "/api//v1/admin/webhooks", "/api/v1/admin/webhooks/", "/api/v1/./admin/webhooks"] {
        staff.get(path).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_trailing_slash_redirects_to_the_canonical_path() {
    let (_app, staff) = staff_without_second_factor().await;
    let answer = staff.get("/admin/webhooks/?status=dead").await;
    assert_eq!((answer.status, answer.header("location")), (308, Some("/admin/webhooks?status=dead")));
    for path in ["//", "//evil.example/", "/admin//"] {
        let answer = staff.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (404, None), "{path}");
        assert!(!answer.text().contains("evil.example"), "{}", answer.text());
    }
    assert_eq!(staff.send(Method::POST, "/account/", Some(FORM), Vec::new()).await.status, 404);
}

#[tokio::test]
async fn the_guard_requires_the_second_factor() {
    let (app, staff) = staff_without_second_factor().await;
    let principal = |has_second_factor| Principal::User {
        id: Uuid::nil(),
        email: OPS.into(),
        role: Role::Admin,
        customer: None,
        customer_name: None,
        has_second_factor,
        viewing: None,
        language: None,
        customer_language: None,
    };
    let with = |has_second_factor| {
        let mut extensions = Extensions::new();
        extensions.insert(principal(has_second_factor));
        extensions
    };
    let platform = || app.platform.clone();
    assert!(matches!(guard::staff_of(platform(), &with(false)), Err(Error::TotpEnrolmentRequired)));
    assert!(matches!(guard::reader_of(platform(), &with(false)), Err(Error::TotpEnrolmentRequired)));
    assert!(matches!(guard::caller_of(platform(), &with(false), None).await, Err(Error::TotpEnrolmentRequired)));
    assert!(matches!(guard::manager_of(platform(), &with(false), None).await, Err(Error::TotpEnrolmentRequired)));
    assert!(guard::person_of(platform(), &with(false)).is_ok(), "the own account is where one is set up");
    assert!(guard::staff_of(platform(), &with(true)).is_ok() && guard::reader_of(platform(), &with(true)).is_ok());

    let customer = app.add_customer("lumen").await;
    for path in [
        "/api/v1/billing/invoices",
        "/api/v1/billing/invoice?id=in_1",
        "/api/v1/admin/features",
        "/api/v1/admin/customers",
        &format!("/api/v1/billing/invoices.csv?customer_id={customer}"),
        &format!("/api/v1/billing/usage/history.csv?customer_id={customer}"),
        "/api/v1/admin/audit.csv",
        "/api/v1/billing/invoices/in_1/pdf",
    ] {
        staff.get(path).await.problem(403, "totp_enrolment_required");
    }
    for path in ["/api/v1/billing/portal", "/api/v1/billing/reconcile", "/api/v1/admin/view-as", "/api/v1/admin/webhooks/replay"] {
        staff.clone().with_header("idempotency-key", "k").post_json(path, &json!({})).await.problem(403, "totp_enrolment_required");
    }
    // Public resources and the user's own account stay open.
    for path in ["/api/v1/auth/me", "/api/v1/auth/totp", "/api/v1/meta/features", "/api/v1/health", "/api/v1/openapi.json", "/account"] {
        assert_eq!(staff.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn long_paths_are_client_errors() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    for client in [&app.client(), &person] {
        for path in [format!("/{}", "a".repeat(256)), format!("/pkg/{}.js", "b".repeat(300)), format!("/billing/{}", "c".repeat(1_000))] {
            assert_eq!(client.get(&path).await.status, 404, "{}", path.len());
        }
        let endless = client.get(&format!("/{}", "d/".repeat(1_500))).await;
        assert!(endless.status == 414 && endless.body.len() < 3_000, "{}", endless.text());
        client.get(&format!("/api/v1/billing/invoices/{}", "e".repeat(300))).await.problem(404, "not_found");
        client.get(&format!("/api/{}", "f/".repeat(1_500))).await.problem(414, "path_too_long");
    }
    app.platform.incidents.settled().await;
    let errors: i64 = sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'error'").fetch_one(&app.db).await.unwrap();
    assert_eq!(errors, 0);
}

#[tokio::test]
async fn other_auth_schemes_matter_only_where_required() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    for value in ["Basic b3BzOm9wcw==", "Negotiate abc", "Bearer of-an-orchestrator", "Bearer", "x", "\u{fc}"] {
        let probe = app.client().with_header("authorization", value);
        for path in ["/livez", "/readyz", "/api/v1/health", "/api/v1/meta/features", "/api/v1/openapi.json", "/api/v1/docs", "/login"] {
            assert_eq!(probe.get(path).await.status, 200, "{path} with {value}");
        }
        probe.post("/api/v1/webhooks/stripe", "application/json", b"{}".to_vec()).await.problem(400, "signature_missing");
        probe.get("/api/v1/billing/invoices").await.problem(401, "unauthenticated");
        probe.post_json("/api/v1/usage/events", &json!({})).await.problem(401, "unauthenticated");
    }
    // A proxy's password doesn't hide a session; an invalid key does.
    assert_eq!(person.clone().with_header("authorization", "Basic b3BzOm9wcw==").get("/api/v1/auth/me").await.status, 200);
    person.with_header("authorization", "Bearer nonsense").get("/api/v1/auth/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn public_resources_work_without_the_database() {
    let app = TestApp::start().await;
    let (customer, person) = publisher(&app, "lumen").await;
    let machine = app.machine(customer).await;
    app.db.close().await;
    for client in [&person, &machine] {
        for path in ["/livez", "/api/v1/openapi.json", "/api/v1/meta/features", "/login"] {
            assert_eq!(client.get(path).await.status, 200, "{path}");
        }
        client.get("/api/v1/billing/invoices").await.problem(503, "unavailable");
    }
    assert_eq!(person.get("/billing/invoices").await.status, 503);
}

#[tokio::test]
async fn stripe_invoice_ids_find_only_own_invoices() {
    let app = TestApp::start().await;
    let (_, mine) = publisher(&app, "lumen").await;
    let (_, other) = publisher(&app, "forge").await;
    app.deliver(&october("cus_lumen", Outcome::Paid)).await;
    let invoice = mine.get("/api/v1/billing/invoices").await.json()["invoices"][0].clone();
    let (id, stripe_id) = (invoice["id"].as_str().unwrap(), invoice["stripe_invoice_id"].as_str().unwrap());
    let staff = app.sign_in(Role::Admin, None).await;
    for client in [&mine, &staff] {
        for path in [format!("/api/v1/billing/invoices/{stripe_id}"), format!("/api/v1/billing/invoice?id={stripe_id}")] {
            assert_eq!(client.get(&path).await.json()["id"], id, "{path}");
        }
        let pdf = client.get(&format!("/api/v1/billing/invoices/{stripe_id}/pdf")).await;
        assert_eq!((pdf.status, pdf.header("content-type")), (200, Some("application/pdf")));
        assert_eq!(client.get(&format!("/billing/invoices/{stripe_id}")).await.status, 200);
    }
    for path in ["", "/pdf"] {
        other.get(&format!("/api/v1/billing/invoices/{stripe_id}{path}")).await.problem(404, "not_found");
        for wrong in ["in_", "in_nothing", "in_%27--", "IN_1", &format!("in_{}", "x".repeat(252))] {
            mine.get(&format!("/api/v1/billing/invoices/{wrong}{path}")).await.problem(404, "not_found");
        }
    }
    assert_eq!(other.get(&format!("/billing/invoices/{stripe_id}")).await.status, 404);
}
