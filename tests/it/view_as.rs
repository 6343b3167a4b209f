//! Staff viewing as a customer see its data, read-only.

use crate::support::{Client, TestApp, app::PASSWORD, client::Answer};
use apex_billing::{
    domain::{identity::CustomerId, role::Role},
    service::users,
};
use axum::http::Method;
use serde_json::{Value, json};

const START: &str = "/api/v1/admin/view-as";
const STOP: &str = "/api/v1/admin/view-as/stop";
const FORM: &str = "application/x-www-form-urlencoded";

fn invoice_of(customer: &str, total: i64) -> Value {
    json!({"id": format!("evt_{customer}"), "object": "event", "type": "invoice.finalized", "created": 1_790_000_000, "livemode": false,
    "api_version": "2026-07-29.dahlia", "data": {"object": {"id": format!("in_{customer}"), "object": "invoice",
        "customer": format!("cus_{customer}"), "number": format!("{customer}-1"), "status": "open", "currency": "usd",
        "created": 1_790_000_000, "total": total, "subtotal": total, "amount_due": total, "amount_paid": 0, "amount_remaining": total}}})
}

struct Scene {
    app: TestApp,
    lumen: CustomerId,
    orbit: CustomerId,
    staff: Client,
}

/// Two customers with an invoice each, and a staff user without a customer.
async fn scene() -> Scene {
    let app = TestApp::start().await;
    let (lumen, orbit) = (app.add_customer("lumen").await, app.add_customer("orbit").await);
    app.subscribe(lumen, "starter", "usd").await;
    app.deliver(&[invoice_of("lumen", 1100), invoice_of("orbit", 2200)]).await;
    let staff = app.sign_in(Role::Admin, None).await.with_header("user-agent", "tests/1").from("192.0.2.9");
    Scene { app, lumen, orbit, staff }
}

async fn view(staff: &Client, customer: CustomerId) -> Answer {
    staff.post_json(START, &json!({"customer_id": customer})).await
}

/// Audit entries of viewing: type, customer, origin and data.
async fn trail(app: &TestApp) -> Vec<(String, String, String, String)> {
    sqlx::query_as(
        "SELECT event_type, customers.name, ip_address, user_agent FROM billing_audit JOIN customers ON customers.id = customer_id
         WHERE event_type LIKE 'view\\_as.%' ORDER BY billing_audit.id",
    )
    .fetch_all(&app.db)
    .await
    .unwrap()
}

fn entries(rows: &[(String, String, String, String)]) -> Vec<(&str, &str)> {
    assert!(rows.iter().all(|row| (row.2.as_str(), row.3.as_str()) == ("192.0.2.9", "tests/1")), "{rows:?}");
    rows.iter().map(|row| (row.0.as_str(), row.1.as_str())).collect()
}

#[tokio::test]
async fn viewing_staff_see_only_that_customers_data() {
    let Scene { app, lumen, orbit, staff } = scene().await;
    staff.get("/api/v1/billing/usage/current").await.problem(422, "invalid_parameter");
    let me = view(&staff, lumen).await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!((&me.json()["customer"], &me.json()["viewing"]), (&json!({"id": lumen, "name": "lumen"}), &json!(true)));
    assert_eq!(staff.get("/api/v1/auth/me").await.json(), me.json());

    let usage = staff.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(usage["subscription"]["plan_type"], "starter", "{usage}");
    let invoices = staff.get("/api/v1/billing/invoices").await.json();
    assert_eq!((invoices["invoices"].as_array().unwrap().len(), &invoices["invoices"][0]["number"]), (1, &json!("lumen-1")));
    let other = staff.get(&format!("/api/v1/billing/invoices?customer_id={orbit}")).await.json();
    let id = |list: &Value| list["invoices"][0]["id"].as_str().unwrap().to_owned();
    let (mine, theirs) = (id(&invoices), id(&other));
    assert_eq!(staff.get(&format!("/api/v1/billing/invoices/{mine}")).await.status, 200);
    staff.get(&format!("/api/v1/billing/invoices/{theirs}")).await.problem(404, "not_found");
    staff.get(&format!("/api/v1/billing/invoices/{theirs}/pdf")).await.problem(404, "not_found");
    assert_eq!(staff.get(&format!("/billing/invoices/{theirs}")).await.status, 404);

    // Another customer replaces the first. Repeating has no effect.
    assert_eq!(view(&staff, orbit).await.status, 200);
    assert_eq!(view(&staff, orbit).await.status, 200);
    assert_eq!(staff.get("/api/v1/billing/invoices").await.json()["invoices"][0]["number"], "orbit-1");
    assert_eq!(staff.post(STOP, "application/json", Vec::new()).await.status, 204);
    staff.get("/api/v1/billing/invoices").await.problem(422, "invalid_parameter");
    assert_eq!(staff.get(&format!("/api/v1/billing/invoices/{theirs}")).await.status, 200);
    assert_eq!(staff.post(STOP, "application/json", Vec::new()).await.status, 204);
    assert_eq!(
        entries(&trail(&app).await),
        [("view_as.started", "lumen"), ("view_as.stopped", "lumen"), ("view_as.started", "orbit"), ("view_as.stopped", "orbit")]
    );
}

#[tokio::test]
async fn viewing_is_read_only_unless_the_customer_is_named() {
    let Scene { app, lumen, orbit, staff } = scene().await;
    assert_eq!(view(&staff, lumen).await.status, 200);
    let id = "7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11";
    let writes = [
        (Method::PUT, "/api/v1/billing/alerts".to_owned(), json!({"enabled": false})),
        (Method::POST, "/api/v1/billing/contacts".to_owned(), json!({"email": "cfo@lumen.example"})),
        (Method::DELETE, format!("/api/v1/billing/contacts/{id}"), json!({})),
        (Method::POST, "/api/v1/billing/api-keys".to_owned(), json!({"name": "mine"})),
        (Method::DELETE, format!("/api/v1/billing/api-keys/{id}"), json!({})),
        (Method::POST, "/api/v1/billing/portal".to_owned(), json!({})),
    ];
    for (method, path, body) in &writes {
        for path in [path.clone(), format!("{path}?customer_id="), format!("{path}?customer_id=%20")] {
            let answer = staff.send(method.clone(), &path, Some("application/json"), body.to_string().into_bytes()).await;
            answer.problem(403, "viewing_as");
        }
    }
    let page = staff.post("/billing/settings", FORM, b"form=contact&name=x&email=cfo%40lumen.example".to_vec()).await;
    assert!(page.status == 403 && page.text().contains("Stop viewing first"), "{}", page.text());
    let kept: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM billing_contacts) + (SELECT count(*) FROM api_keys) + (SELECT count(*) FROM usage_alert_settings)",
    )
    .fetch_one(&app.db)
    .await
    .unwrap();
    assert_eq!(kept, 0);

    let named = format!("/api/v1/billing/contacts?customer_id={orbit}");
    assert_eq!(staff.post_json(&named, &json!({"email": "cfo@orbit.example"})).await.status, 201);
    assert!(staff.get("/api/v1/billing/contacts").await.json().as_array().unwrap().is_empty(), "lumen has none");
    assert_eq!(staff.get("/api/v1/billing/settings").await.json()["manages"], false);
    assert_eq!(staff.get(&format!("/api/v1/billing/settings?customer_id={orbit}")).await.json()["manages"], true);
}

#[tokio::test]
async fn pages_show_the_viewed_customer_without_scripts() {
    let Scene { app, lumen, staff, .. } = scene().await;
    let staff = staff.with_header("sec-fetch-site", "same-origin").with_header("accept", "text/html");
    let list = staff.get("/admin/customers").await.text();
    assert!(
        list.contains(r#"<form method="post" action="/api/v1/admin/view-as""#) && list.contains(&format!(r#"value="{lumen}""#)),
        "{list}"
    );
    assert!(!list.contains("Stop viewing"), "{list}");
    let without = staff.get("/billing/usage").await;
    assert!(without.status == 422 && without.text().contains("Choose a customer"), "{}", without.text());

    let answer = staff.post(START, FORM, format!("customer_id={lumen}").into_bytes()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/billing/usage")), "{}", answer.text());
    for path in ["/billing/usage", "/billing/invoices", "/billing/settings", "/admin/customers", "/admin/audit", "/admin/webhooks"] {
        let page = staff.get(path).await;
        let html = page.page();
        assert_eq!(page.status, 200, "{path}");
        assert!(html.contains("Viewing as ") && html.contains("<b>lumen</b>"), "{path}: {html}");
        assert!(html.contains(r#"<form method="post" action="/api/v1/admin/view-as/stop""#), "{path}: {html}");
    }
    let settings = staff.get("/billing/settings").await.text();
    assert!(!settings.contains(r#"value="contact""#) && !settings.contains(r#"value="key""#), "nothing to change: {settings}");

    let answer = staff.post(STOP, FORM, Vec::new()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/customers")));
    assert!(!staff.get("/admin/customers").await.text().contains("Stop viewing"));
    assert_eq!(entries(&trail(&app).await), [("view_as.started", "lumen"), ("view_as.stopped", "lumen")]);
}

#[tokio::test]
async fn only_staff_view_as_a_customer() {
    let Scene { app, lumen, orbit, .. } = scene().await;
    for role in [Role::Publisher, Role::Readonly] {
        let person = app.sign_in(role, Some(lumen)).await;
        view(&person, orbit).await.problem(403, "forbidden");
        person.post(STOP, "application/json", Vec::new()).await.problem(403, "forbidden");
        let form = person.post(START, FORM, format!("customer_id={orbit}").into_bytes()).await;
        assert_eq!((form.status, form.header("location")), (303, Some("/admin/customers")));
        assert_eq!(person.get("/api/v1/auth/me").await.json()["customer"]["name"], "lumen");
        // Not even with such a session.
        sqlx::query("UPDATE sessions SET data = jsonb_set(data, '{viewing}', to_jsonb($1::text))")
            .bind(orbit.to_string())
            .execute(&app.db)
            .await
            .unwrap();
        let me = person.get("/api/v1/auth/me").await.json();
        assert_eq!((&me["customer"]["name"], &me["viewing"]), (&json!("lumen"), &Value::Null));
    }
    view(&app.machine(lumen).await, orbit).await.problem(403, "forbidden");
    view(&app.client(), orbit).await.problem(401, "unauthenticated");
    assert!(trail(&app).await.is_empty());
}

#[tokio::test]
async fn unknown_customers_are_refused() {
    let Scene { app, staff, .. } = scene().await;
    for unknown in ["7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11", "lumen", ""] {
        staff.post_json(START, &json!({"customer_id": unknown})).await.problem(404, "not_found");
    }
    staff.post_json(START, &json!({})).await.problem(422, "invalid_parameter");
    staff.post(START, "application/json", b"{".to_vec()).await.problem(400, "invalid_json");
    staff.post(START, FORM, b"whom=lumen".to_vec()).await.problem(400, "invalid_body");
    let endless = format!("customer_id={}", "x".repeat(100_000)).into_bytes();
    staff.post(START, FORM, endless.clone()).await.problem(413, "body_too_large");
    staff.post(START, "application/json", endless).await.problem(413, "body_too_large");
    staff.post(START, "text/plain", b"lumen".to_vec()).await.problem(415, "unsupported_media_type");
    assert!(trail(&app).await.is_empty());
}

#[tokio::test]
async fn viewing_ends_with_the_session() {
    let Scene { app, lumen, orbit, staff } = scene().await;
    assert_eq!(view(&staff, lumen).await.status, 200);
    assert_eq!(staff.post("/api/v1/auth/logout", "application/json", Vec::new()).await.status, 204);
    assert_eq!(entries(&trail(&app).await), [("view_as.started", "lumen"), ("view_as.stopped", "lumen")]);
    let logout: Option<uuid::Uuid> =
        sqlx::query_scalar("SELECT customer_id FROM billing_audit WHERE event_type = 'session.logout'").fetch_one(&app.db).await.unwrap();
    assert_eq!(logout, None, "who signed out belongs to no customer");

    let staff = app.sign_in(Role::Admin, None).await;
    assert_eq!(view(&staff, orbit).await.status, 200);
    users::put(&app.platform, "other@people.example", PASSWORD, Role::Admin, None).await.unwrap();
    // In the same browser, with the same session.
    let login = staff.post_json("/api/v1/auth/login", &json!({"email": "other@people.example", "password": PASSWORD})).await;
    let me = app.client().with_cookies_of(&login).get("/api/v1/auth/me").await.json();
    assert_eq!((&me["email"], &me["customer"], &me["viewing"]), (&json!("other@people.example"), &Value::Null, &Value::Null));
}
