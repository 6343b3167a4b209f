//! Pages as rendered by the server: complete before any script runs.

use crate::support::TestApp;
use apex_billing::{
    config::Secret,
    demo,
    domain::{metric::Metric, period::Period, plan::PlanType, rating::rate, role::Role},
    service::ingest,
    store::postgres::usage,
};
use axum::http::Method;

#[tokio::test]
async fn pages_redirect_to_the_login_and_back() {
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
    assert_eq!((first.0, first.3), (28, 0));
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

/// A year of invoices, and the billed usage.
#[tokio::test]
async fn each_invoice_of_the_demo_bills_the_usage_shown() {
    let app = TestApp::start().await;
    let access = demo::Access::made_up(Secret(crate::support::app::WEBHOOK_SECRET.into()));
    demo::fill(&app.platform, &access).await.unwrap();
    let mut compared = 0;
    for (email, plan, currency) in [("publisher@demo.test", PlanType::Growth, "usd"), ("readonly@demo.test", PlanType::Starter, "jpy")] {
        let login = serde_json::json!({"email": email, "password": access.password.0});
        let person = app.client().with_cookies_of(&app.client().post_json("/api/v1/auth/login", &login).await);
        let customer: uuid::Uuid =
            sqlx::query_scalar("SELECT id FROM customers WHERE currency = $1").bind(currency).fetch_one(&app.db).await.unwrap();
        let list = person.get("/api/v1/billing/invoices?limit=100").await.json();
        for invoice in list["invoices"].as_array().unwrap() {
            let invoice = person.get(&format!("/api/v1/billing/invoices/{}", invoice["id"].as_str().unwrap())).await.json();
            let lines = invoice["line_items"].as_array().unwrap();
            let is_of_subscription = |line: &&serde_json::Value| line["description"].as_str().unwrap().ends_with(" plan");
            let Some(fee) = lines.iter().find(is_of_subscription) else { continue };
            let period: Period = serde_json::from_value(fee["period"].clone()).unwrap();
            let offer = usage::offer(&app.db, plan, currency.parse().unwrap(), period.start()).await.unwrap().unwrap();
            let plan = offer.prices.unwrap();
            for metric in Metric::ALL {
                let used: i64 = sqlx::query_scalar(
                    "SELECT coalesce(sum(quantity), 0)::bigint FROM usage_records
                     WHERE customer_id = $1 AND metric = $2 AND hour >= $3 AND hour < $4",
                )
                .bind(customer)
                .bind(metric.as_str())
                .bind(period.start())
                .bind(period.end())
                .fetch_one(&app.db)
                .await
                .unwrap();
                assert!(used > 0, "{} has no {metric} behind it", invoice["number"]);
                let terms = plan.terms[metric];
                let packages = rate(terms, used.unsigned_abs()).amount.div_ceil(terms.package.get());
                let over = format!("{} over ", metric.title());
                let billed: u64 = lines
                    .iter()
                    .filter(|line| line["description"].as_str().unwrap().starts_with(&over))
                    .map(|line| line["quantity"].as_u64().unwrap())
                    .sum();
                assert_eq!(billed, packages, "{}: {metric}", invoice["number"]);
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 24);
}

/// A cap set in the demo must not prevent its next start.
#[tokio::test]
async fn the_demo_restarts_despite_a_reached_cap() {
    let app = TestApp::start().await;
    let access = demo::Access::made_up(Secret(crate::support::app::WEBHOOK_SECRET.into()));
    demo::fill(&app.platform, &access).await.unwrap();
    let login = serde_json::json!({"email": "publisher@demo.test", "password": access.password.0});
    let person = app.client().with_cookies_of(&app.client().post_json("/api/v1/auth/login", &login).await);
    let used = async || {
        let figures = person.get("/api/v1/billing/usage/current").await.json();
        figures["current_period"]["impressions"].as_u64().unwrap()
    };
    let cap = serde_json::json!({"metrics": {"impressions": {"cap": {"quantity": used().await + 1}}}});
    let body = serde_json::to_vec(&cap).unwrap();
    let saved = person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let now = app.platform.clock.now().format(&time::format_description::well_known::Rfc3339).unwrap();
    let event = serde_json::json!({"id": "beyond", "metric": "impressions", "quantity": 9, "timestamp": now, "app_id": "puzzle_quest"});
    let machine = app.client().with_header("authorization", &format!("Bearer {}", access.api_key.0));
    assert_eq!(machine.post_json("/api/v1/usage/events", &event).await.status, 202);
    ingest::settle(&app.platform).await.unwrap();
    let before = used().await;
    demo::fill(&app.platform, &access).await.unwrap();
    assert_eq!(used().await, before);
}

#[tokio::test]
async fn the_demo_rejects_a_database_in_use() {
    let app = TestApp::start().await;
    app.add_customer("lumen").await;
    let access = demo::Access::made_up(Secret(crate::support::app::WEBHOOK_SECRET.into()));
    assert!(demo::fill(&app.platform, &access).await.unwrap_err().to_string().contains("customers that are not the demo's"));
}

#[tokio::test]
async fn unknown_pages_have_status_404() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    for path in ["/nothing", "/billing/nothing", "/billing/invoices/7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11"] {
        let page = person.get(path).await;
        assert_eq!((page.status, page.header("content-type").map(|t| t.starts_with("text/html"))), (404, Some(true)), "{path}");
    }
}

#[tokio::test]
async fn invalid_filters_are_explained_on_the_page() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let page = person.get("/billing/invoices?status=foo").await;
    assert_eq!(page.status, 422);
    let html = page.page();
    assert!(html.contains("The page’s address has an invalid filter or page number.") && html.contains(r#"role="alert""#), "{html}");
    assert!(html.contains(r#"<a href="/billing/invoices">Clear filters</a>"#) && !html.contains("autofocus"), "{html}");

    // All at once, each at its field; the first has the focus.
    let sentences =
        ["Enter a date such as 2026-11-30.", "Geben Sie ein Datum wie 2026-11-30 ein.", "Saisissez une date telle que 2026-11-30."];
    for (language, sentence) in ["en", "de", "fr"].into_iter().zip(sentences) {
        let path = "/billing/invoices?from=eighty&to=2026-13-01&q=text";
        let page = person.clone().with_header("accept-language", language).get(path).await;
        let html = page.page();
        assert_eq!((page.status, html.matches(sentence).count(), html.matches(" autofocus").count()), (422, 2, 1), "{html}");
        for name in ["from", "to"] {
            assert!(html.contains(&format!(r#"aria-describedby="filter-{name}-error""#)), "{html}");
            assert!(html.contains(&format!(r#"id="filter-{name}-error""#)), "{html}");
        }
        assert!(html.contains(r#"value="eighty""#) && html.contains(r#"value="text""#) && !html.contains("RFC 3339"), "{html}");
    }
    let html = person.get("/billing/invoices?from=2026-11-30&to=2026-11-01").await.page();
    assert!(html.contains("The last day is before the first.") && html.contains(r#"value="2026-11-01""#), "{html}");
    // The API keeps its own texts.
    let problem = person.get("/api/v1/billing/invoices?from=eighty").await.problem(422, "invalid_parameter");
    assert_eq!(problem["parameter"], "from");
    assert!(problem["detail"].as_str().unwrap().contains("RFC 3339"), "{problem}");
}

#[tokio::test]
async fn an_empty_list_has_no_filters() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let html = person.get("/billing/invoices").await.page();
    assert!(html.contains("No invoices yet") && !html.contains(r#"role="search""#), "{html}");
    let html = person.get("/billing/invoices?status=open").await.page();
    assert!(html.contains("No results") && html.contains(r#"role="search""#), "{html}");
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
