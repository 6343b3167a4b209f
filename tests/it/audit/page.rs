//! The audit log's page: works without a script, each entry has expandable details.

use crate::support::TestApp;
use apex_billing::{domain::role::Role, service::audit::Sealer};
use serde_json::json;

#[tokio::test]
async fn staff_filter_the_log_without_a_script() {
    let app = TestApp::start().await;
    let customer = app.add_customer("forge").await;
    sqlx::query("INSERT INTO billing_audit (event_type, actor, customer_id, data, ip_address, user_agent) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind("test.changed")
        .bind("<b>ops</b>@people.example")
        .bind(customer.0)
        .bind(json!({"before": {"n": 41}, "after": {"n": 42}, "reason": "it was wrong"}))
        .bind("192.0.2.7")
        .bind("curl/8.5.0")
        .execute(&app.db)
        .await
        .unwrap();
    let staff = app.sign_in(Role::Admin, None).await;
    let page = staff.get("/admin/audit").await;
    assert_eq!(page.status, 200);
    let html = page.text();
    for text in ["test.changed", "192.0.2.7", "curl/8.5.0", "Before", "After", "it was wrong", "Not sealed yet", "No entry is sealed yet"] {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(html.contains("41") && html.contains("42") && html.contains("<details"), "{html}");
    assert!(html.contains("&lt;b>ops&lt;/b>@") || html.contains("&lt;b&gt;ops&lt;/b&gt;@"), "{html}");
    assert!(!html.contains("<b>ops</b>"), "{html}");
    assert!(html.contains(r#"<form method="get" action="/admin/audit""#) && html.contains(r#"href="/api/v1/admin/audit.csv""#), "{html}");

    Sealer::default().seal(&app.platform).await.unwrap();
    let narrowed = staff.get("/admin/audit?type=test.&actor=OPS&from=2020-01-01&page=1").await.text();
    assert!(narrowed.contains("Sealed up to entry") && narrowed.contains("192.0.2.7"), "{narrowed}");
    assert!(!narrowed.contains("<b>session.login</b>") && !narrowed.contains("<b>customer.put</b>"), "{narrowed}");
    let file = "/api/v1/admin/audit.csv?actor=OPS&amp;type=test.&amp;from=2020-01-01\"";
    assert!(narrowed.contains(file), "the file has the same filters: {narrowed}");
    let none = staff.get("/admin/audit?q=nothing+says+this").await.text();
    assert!(none.contains("No results") && none.contains("Clear filters"), "{none}");
}

#[tokio::test]
async fn a_long_log_is_paged_with_its_filters() {
    let app = TestApp::start().await;
    sqlx::query("INSERT INTO billing_audit (event_type, actor) SELECT 'test.many', 'n' || n FROM generate_series(1, 45) n")
        .execute(&app.db)
        .await
        .unwrap();
    let staff = app.sign_in(Role::Admin, None).await;
    let second = staff.get("/admin/audit?type=test.many&page=2").await.text();
    assert!(second.contains("Page 2 of 3") && second.contains("45 entries"), "{second}");
    assert!(second.contains(r#"href="/admin/audit?type=test.many&amp;page=3""#), "{second}");
    assert!(second.contains(">n25<") && second.contains(">n6<") && !second.contains(">n26<") && !second.contains(">n5<"), "{second}");
    let past = staff.get("/admin/audit?type=test.many&page=9").await.text();
    assert!(past.contains("No more entries") && past.contains("/admin/audit?type=test.many&amp;page=3"), "{past}");
}

#[tokio::test]
async fn the_page_names_invalid_filters_and_is_for_staff() {
    let app = TestApp::start().await;
    let customer = app.add_customer("forge").await;
    let staff = app.sign_in(Role::Admin, None).await;
    let page = staff.get("/admin/audit?from=yesterday&actor=ops").await;
    let html = page.text();
    assert_eq!(page.status, 422);
    assert!(html.contains("Enter a date such as 2026-11-30.") && html.contains(r#"value="ops""#), "{html}");
    for role in [Role::Publisher, Role::Readonly] {
        let page = app.sign_in(role, Some(customer)).await.get("/admin/audit").await;
        assert_eq!(page.status, 403);
        let html = page.text();
        assert!(html.contains("You don’t have access") && !html.contains(r#"href="/admin/audit""#), "{html}");
    }
    assert_eq!(app.client().get("/admin/audit").await.header("location"), Some("/login?next=/admin/audit"));
}
