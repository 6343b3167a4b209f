//! The pages as the server sends them: everything readable is there before any script runs.

use crate::support::TestApp;
use apex_billing::{config::Secret, demo, domain::identity::Role};

#[tokio::test]
async fn pages_lead_to_the_login_and_back() {
    let app = TestApp::start().await;
    let page = app.client().get("/billing/invoices?status=open").await;
    assert_eq!((page.status, page.header("location")), (303, Some("/login?next=/billing/invoices%3Fstatus%3Dopen")));
    let login = app
        .client()
        .with_header("cookie", "login_email=a%40b.example")
        .get("/login?next=%2Fbilling%2Finvoices%3Fstatus%3Dopen&error=invalid_credentials")
        .await;
    assert_eq!(login.status, 200);
    let html = login.text();
    assert!(html.contains(r#"action="/api/v1/auth/login""#) && html.contains(r#"value="/billing/invoices?status=open""#), "{html}");
    assert!(html.contains("a@b.example") && html.contains("role=\"alert\""), "{html}");
    let evil = app.client().get("/login?next=https%3A%2F%2Fevil.example").await.text();
    assert!(!evil.contains("value=\"https://evil.example"), "{evil}");

    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    assert_eq!(person.get("/login").await.header("location"), Some("/billing/usage"));
    assert_eq!(person.get("/").await.header("location"), Some("/billing/usage"));
}

#[tokio::test]
async fn the_demo_fills_every_page_and_a_second_run_changes_nothing() {
    let app = TestApp::start().await;
    let access = demo::Access::made_up(Secret(crate::support::app::WEBHOOK_SECRET.into()));
    demo::fill(&app.platform, &access).await.unwrap();
    let count = async || -> (i64, i64, i64, i64, i64) {
        sqlx::query_as(
            "SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM usage_events), (SELECT sum(version)::bigint FROM invoices),
                    (SELECT count(*) FROM stripe_webhook_events WHERE status <> 'applied'), (SELECT sum(quantity)::bigint FROM usage_records)",
        )
        .fetch_one(&app.db)
        .await
        .unwrap()
    };
    let first = count().await;
    assert_eq!((first.0, first.3), (24, 0));
    demo::fill(&app.platform, &access).await.unwrap();
    assert_eq!(count().await, first);

    let login = serde_json::json!({"email": "publisher@demo.test", "password": access.password.0});
    let person = app.client().with_cookies_of(&app.client().post_json("/api/v1/auth/login", &login).await);
    let usage = person.get("/billing/usage").await;
    let figures = person.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(usage.status, 200);
    let impressions = apex_billing::domain::money::group_thousands(figures["current_period"]["impressions"].as_u64().unwrap());
    assert!(usage.text().contains(&impressions), "{impressions}");
    assert!(figures["overages"]["total_overage_cost"].as_i64().unwrap() > 0);

    let list = person.get("/billing/invoices").await.text();
    for status in ["Open", "Paid", "Void", "Uncollectible", "Overdue"] {
        assert!(list.contains(status), "{status}");
    }
    let id = person.get("/api/v1/billing/invoices?status=paid").await.json()["invoices"][0]["id"].as_str().unwrap().to_owned();
    let invoice = person.get(&format!("/billing/invoices/{id}")).await;
    assert_eq!(invoice.status, 200);
    for text in ["Growth plan", "Payment received", &format!("/api/v1/billing/invoices/{id}/pdf")] {
        assert!(invoice.text().contains(text), "{text}");
    }
}

#[tokio::test]
async fn the_demo_keeps_out_of_a_database_that_is_in_use() {
    let app = TestApp::start().await;
    app.add_customer("lumen").await;
    let access = demo::Access::made_up(Secret(crate::support::app::WEBHOOK_SECRET.into()));
    assert!(demo::fill(&app.platform, &access).await.unwrap_err().to_string().contains("customers that are not the demo's"));
}

#[tokio::test]
async fn what_does_not_exist_is_a_page_with_status_404() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    for path in ["/nothing", "/billing/nothing", "/billing/invoices/7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11"] {
        let page = person.get(path).await;
        assert_eq!((page.status, page.header("content-type").map(|t| t.starts_with("text/html"))), (404, Some(true)), "{path}");
    }
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_explained_on_the_page() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let page = person.get("/billing/invoices?status=foo").await;
    assert_eq!(page.status, 422);
    assert!(page.text().contains("is not an invoice status"), "{}", page.text());
}

#[tokio::test]
async fn names_of_customers_are_text_and_never_markup() {
    let app = TestApp::start().await;
    let customer = app.add_customer("<script>alert(1)</script>").await;
    let page = app.sign_in(Role::Publisher, Some(customer)).await.get("/billing/usage").await.text();
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert(1)"), "{page}");
}

#[tokio::test]
async fn the_theme_is_remembered_without_javascript() {
    let app = TestApp::start().await;
    let answer = app.client().post("/theme", "application/x-www-form-urlencoded", b"theme=dark&next=/login".to_vec()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login")));
    let page = app.client().with_cookies_of(&answer).get("/login").await.text();
    assert!(page.contains(r#"data-theme="dark""#), "{page}");
    assert!(!app.client().get("/login").await.text().contains("data-theme"));
    let answer = app.client().post("/theme", "application/x-www-form-urlencoded", b"theme=pink".to_vec()).await;
    assert_eq!(answer.status, 422);
}
