//! The list of customers: staff search it, and see the state of each mirror.

use crate::support::TestApp;
use apex_billing::domain::{identity::CustomerId, role::Role};
use serde_json::{Value, json};
use uuid::Uuid;

/// An invoice event of a customer. An invalid quantity makes it fail.
fn invoice_event(customer: &str, id: &str, total: Value) -> Value {
    json!({"id": id, "object": "event", "type": "invoice.finalized", "created": 1_790_000_000, "livemode": false,
    "api_version": "2026-07-29.dahlia", "data": {"object": {"id": format!("in_{id}"), "object": "invoice", "customer": customer,
        "status": "open", "currency": "usd", "created": 1_790_000_000, "total": total, "subtotal": 4200, "amount_due": 4200,
        "amount_paid": 0, "amount_remaining": 4200}}})
}

/// A completed run with a customer's discrepancies: whether each was confirmed and repaired.
async fn reconciled(app: &TestApp, scope: Option<CustomerId>, days_ago: i64, found: &[(CustomerId, bool, bool)]) {
    let ended = app.now() - time::Duration::days(days_ago);
    let run: Uuid = sqlx::query_scalar(
        "INSERT INTO reconciliations (actor, customer_id, window_to, repair, dry_run, tolerance, status, stage, within_tolerance, started_at,
                                      updated_at, finished_at)
         VALUES ('system', $1, $2, false, false, 0, 'completed', 'done', true, $2, $2, $2) RETURNING id",
    )
    .bind(scope.map(|customer| customer.0))
    .bind(ended)
    .fetch_one(&app.db)
    .await
    .unwrap();
    for (place, (customer, confirmed, repaired)) in found.iter().enumerate() {
        sqlx::query(
            "INSERT INTO reconciliation_discrepancies (reconciliation_id, confirmed, kind, object, object_id, customer_id, amount,
                                                       within_tolerance, fields, repaired_at)
             VALUES ($1, $2, 'amount', 'invoice', $3, $4, 1, false, '[]', $5)",
        )
        .bind(run)
        .bind(confirmed)
        .bind(format!("in_{place}"))
        .bind(customer.0)
        .bind(repaired.then_some(ended))
        .execute(&app.db)
        .await
        .unwrap();
    }
}

fn names(page: &Value) -> Vec<&str> {
    page["customers"].as_array().unwrap().iter().map(|customer| customer["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn staff_find_customers_by_name_address_or_id() {
    let app = TestApp::start().await;
    let orbit = app.add_customer("orbit").await;
    for name in ["lumen", "Forge", "100%_sure"] {
        app.add_customer(name).await;
    }
    let staff = app.sign_in(Role::Admin, None).await;
    let list = async |query: &str| {
        let answer = staff.get(&format!("/api/v1/admin/customers?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let all = list("").await;
    assert_eq!(all["pagination"], json!({"page": 1, "limit": 20, "total": 4, "total_pages": 1}));
    let mut by_name = names(&all);
    by_name.sort_unstable();
    assert_eq!(by_name, ["100%_sure", "Forge", "lumen", "orbit"]);
    assert_eq!(names(&list("q=ORB").await), ["orbit"]);
    assert_eq!(names(&list("q=billing%40lumen.example").await), ["lumen"]);
    assert_eq!(names(&list("q=cus_forge").await), ["Forge"]);
    assert_eq!(names(&list(&format!("q={orbit}")).await), ["orbit"]);
    assert_eq!(names(&list("q=0%25_").await), ["100%_sure"]);
    assert!(names(&list("q=unmatched").await).is_empty());
    let (first, second) = (list("limit=3").await, list("limit=3&page=2").await);
    assert_eq!((names(&first).len(), names(&second).len(), &second["pagination"]["total_pages"]), (3, 1, &json!(2)));
    assert!(!names(&first).contains(&names(&second)[0]));
    for (query, parameter) in [("page=0", "page"), ("limit=101", "limit"), ("q=a%00b", "q"), (&*format!("q={}", "x".repeat(101)), "q")] {
        let problem = staff.get(&format!("/api/v1/admin/customers?{query}")).await.problem(422, "invalid_parameter");
        assert_eq!(problem["parameter"], parameter, "{query}");
    }
}

#[tokio::test]
async fn customers_have_their_plan_and_mirror_state() {
    let app = TestApp::start().await;
    let (forge, lumen) = (app.add_customer("forge").await, app.add_customer("lumen").await);
    sqlx::query("UPDATE customers SET created_at = '2026-01-01Z'").execute(&app.db).await.unwrap();
    app.subscribe(forge, "growth", "usd").await;
    app.deliver(&[
        invoice_event("cus_forge", "evt_good", json!(4200)),
        invoice_event("cus_forge", "evt_bad", json!("much")),
        invoice_event("cus_forge_2", "evt_of_another", json!("much")),
    ])
    .await;
    let staff = app.sign_in(Role::Admin, None).await;
    let of = async |name: &str| staff.get(&format!("/api/v1/admin/customers?q={name}")).await.json()["customers"][0].clone();
    let customer = of("forge").await;
    assert_eq!(
        (&customer["id"], &customer["email"], &customer["stripe_customer_id"], &customer["currency"], &customer["deleted"]),
        (&json!(forge), &json!("billing@forge.example"), &json!("cus_forge"), &json!("usd"), &json!(false))
    );
    assert_eq!((&customer["plan_type"], &customer["subscription_status"]), (&json!("growth"), &json!("active")));
    let mirror = &customer["mirror"];
    assert!(mirror["last_applied_at"].is_string(), "{mirror}");
    assert_eq!(mirror["failed_events"], 1, "{mirror}");
    assert_eq!((&mirror["reconciled_at"], &mirror["open_discrepancies"]), (&Value::Null, &Value::Null));
    let other = of("lumen").await;
    assert_eq!((&other["plan_type"], &other["subscription_status"]), (&Value::Null, &Value::Null));
    assert_eq!((&other["mirror"]["last_applied_at"], &other["mirror"]["failed_events"]), (&Value::Null, &json!(0)));

    // Discrepancies of an earlier run, and repaired or unconfirmed ones, are not open.
    reconciled(&app, None, 3, &[(forge, true, false), (forge, true, false), (forge, true, false)]).await;
    reconciled(
        &app,
        None,
        2,
        &[(forge, true, false), (forge, true, true), (forge, false, false), (lumen, true, false), (lumen, true, false)],
    )
    .await;
    assert_eq!(of("forge").await["mirror"]["open_discrepancies"], 1);
    assert_eq!(of("lumen").await["mirror"]["open_discrepancies"], 2);
    // A run over one customer doesn't cover others.
    reconciled(&app, Some(lumen), 1, &[]).await;
    assert_eq!(of("forge").await["mirror"]["open_discrepancies"], 1);
    assert_eq!(of("lumen").await["mirror"]["open_discrepancies"], 0);

    let html = staff.get("/admin/customers").await.text();
    for text in
        ["billing@forge.example", "cus_forge", "Growth", "Active", "1 event failed", "1 difference open", "In sync", "No subscription"]
    {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(html.contains(&format!("/admin/audit?customer_id={forge}")), "{html}");
}

#[tokio::test]
async fn the_page_searches_without_a_script_and_is_for_staff() {
    let app = TestApp::start().await;
    let (forge, _) = (app.add_customer("<i>forge</i>").await, app.add_customer("lumen").await);
    let staff = app.sign_in(Role::Admin, None).await;
    let html = staff.get("/admin/customers?q=forge").await.text();
    assert!(html.contains(r#"<form method="get" action="/admin/customers""#) && html.contains(r#"value="forge""#), "{html}");
    assert!(html.contains("1 customer<") && !html.contains("billing@lumen.example") && !html.contains("<i>forge</i>"), "{html}");
    let none = staff.get("/admin/customers?q=unmatched").await.text();
    assert!(none.contains("No results") && none.contains("Clear filters"), "{none}");
    let wrong = staff.get("/admin/customers?page=x").await;
    assert!(wrong.status == 422 && wrong.text().contains("has an invalid filter or page number"), "{}", wrong.text());

    let person = app.sign_in(Role::Publisher, Some(forge)).await;
    let page = person.get("/admin/customers").await;
    assert!(page.status == 403 && page.text().contains("You don’t have access"), "{}", page.text());
    person.get("/api/v1/admin/customers").await.problem(403, "forbidden");
    app.machine(forge).await.get("/api/v1/admin/customers").await.problem(403, "forbidden");
    app.client().get("/api/v1/admin/customers").await.problem(401, "unauthenticated");
}

/// F8.
#[tokio::test]
async fn a_run_does_not_cover_later_changes() {
    let app = TestApp::start().await;
    let customer = app.add_customer("forge").await;
    reconciled(&app, None, 1, &[]).await;
    let staff = app.sign_in(Role::Admin, None).await;
    let mirror = async || staff.get("/api/v1/admin/customers").await.json()["customers"][0]["mirror"].clone();
    let page = async || staff.get("/admin/customers").await.text();
    assert_eq!((&mirror().await["reconciled_at"], &mirror().await["open_discrepancies"]), (&Value::Null, &Value::Null));
    let html = page().await;
    assert!(html.contains("Not compared yet") && !html.contains("In sync"), "{html}");

    // Existed before the run began, and unchanged since.
    sqlx::query("UPDATE customers SET created_at = '2026-01-01Z'").execute(&app.db).await.unwrap();
    assert_eq!((&mirror().await["changed_since"], &mirror().await["open_discrepancies"]), (&json!(false), &json!(0)));
    assert!(page().await.contains("In sync"));

    app.deliver(&[invoice_event("cus_forge", "evt_new", json!(4200))]).await;
    assert_eq!(mirror().await["changed_since"], true);
    let html = page().await;
    assert!(html.contains("Changed since") && !html.contains("In sync"), "{html}");

    // A run over recent objects covers no older customer, and no run covers a customer without a
    // Stripe id.
    sqlx::query("UPDATE reconciliations SET window_from = '2026-11-01Z'").execute(&app.db).await.unwrap();
    assert_eq!(mirror().await["reconciled_at"], Value::Null);
    sqlx::query("UPDATE reconciliations SET window_from = NULL").execute(&app.db).await.unwrap();
    sqlx::query("UPDATE customers SET stripe_customer_id = NULL WHERE id = $1").bind(customer.0).execute(&app.db).await.unwrap();
    assert!(page().await.contains("Not compared yet"));
}
