//! The audit log's list: filters, pages, the CSV file.

use crate::support::TestApp;
use apex_billing::{domain::role::Role, service::audit::Sealer};
use serde_json::{Value, json};

async fn with_entries() -> TestApp {
    let app = TestApp::start().await;
    let customer = app.add_customer("forge").await;
    for (event_type, actor, customer, data, address) in [
        ("test.changed", "ops@people.example", Some(customer.0), json!({"before": {"n": 1}, "after": {"n": 2}}), Some("192.0.2.7")),
        ("test.read", "=HYPERLINK(\"x\")", None, json!({"note": "100% sure"}), None),
        ("error", "system", None, json!({"job": "ship"}), None),
    ] {
        sqlx::query("INSERT INTO billing_audit (event_type, actor, customer_id, data, ip_address) VALUES ($1, $2, $3, $4, $5)")
            .bind(event_type)
            .bind(actor)
            .bind(customer)
            .bind(data)
            .bind(address)
            .execute(&app.db)
            .await
            .unwrap();
    }
    app
}

fn types(page: &Value) -> Vec<&str> {
    page["entries"].as_array().unwrap().iter().map(|entry| entry["event_type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn entries_are_filtered_and_paged_newest_first() {
    let app = with_entries().await;
    let customer: uuid::Uuid = sqlx::query_scalar("SELECT id FROM customers").fetch_one(&app.db).await.unwrap();
    let staff = app.sign_in(Role::Admin, None).await;
    let list = async |query: &str| {
        let answer = staff.get(&format!("/api/v1/admin/audit?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let all = list("").await;
    assert_eq!(types(&all), ["session.login", "user.put", "error", "test.read", "test.changed", "customer.put"]);
    assert_eq!(all["pagination"], json!({"page": 1, "limit": 20, "total": 6, "total_pages": 1}));
    assert_eq!(all["event_types"], json!(["customer.put", "error", "session.login", "test.changed", "test.read", "user.put"]));
    assert_eq!(all["sealed"], Value::Null);
    let changed = &all["entries"][4];
    assert_eq!((&changed["customer"], &changed["ip_address"]), (&json!("forge"), &json!("192.0.2.7")));
    assert_eq!(types(&list("type=test.").await), ["test.read", "test.changed"]);
    assert_eq!(types(&list("actor=OPS%40").await), ["test.changed"]);
    assert_eq!(types(&list(&format!("customer_id={customer}")).await), ["test.changed", "customer.put"]);
    assert_eq!(types(&list("q=100%25+sure").await), ["test.read"]);
    assert_eq!(types(&list("q=192.0.2.7").await), ["test.changed"]);
    assert!(types(&list("q=100_").await).is_empty());
    assert!(types(&list("to=2020-01-01").await).is_empty());
    assert_eq!(types(&list("from=2020-01-01&type=error").await), ["error"]);
    let second = list("limit=4&page=2").await;
    assert_eq!((types(&second), &second["pagination"]["total_pages"]), (vec!["test.changed", "customer.put"], &json!(2)));

    Sealer::default().seal(&app.platform).await.unwrap();
    let sealed = &list("").await["sealed"];
    assert_eq!((&sealed["seq"], sealed["hash"].as_str().unwrap().len()), (&json!(1), 64));
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let app = TestApp::start().await;
    let staff = app.sign_in(Role::Admin, None).await;
    let long = "x".repeat(101);
    for (query, parameter) in [
        ("page=0", "page"),
        ("page=10001", "page"),
        ("page=1000&limit=100", "page"),
        ("limit=101", "limit"),
        ("customer_id=forge", "customer_id"),
        ("from=yesterday", "from"),
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("type=a%00b", "type"),
        (&*format!("q={long}"), "q"),
        (&*format!("actor={long}"), "actor"),
    ] {
        let problem = staff.get(&format!("/api/v1/admin/audit?{query}")).await.problem(422, "invalid_parameter");
        assert_eq!(problem["parameter"], parameter, "{query}");
        if parameter != "page" && parameter != "limit" {
            staff.get(&format!("/api/v1/admin/audit.csv?{query}")).await.problem(422, "invalid_parameter");
        }
    }
}

#[tokio::test]
async fn the_file_has_every_entry_and_no_formula() {
    let app = with_entries().await;
    sqlx::query("INSERT INTO billing_audit (event_type, actor) SELECT 'test.many', 'n' || n FROM generate_series(1, 2500) n")
        .execute(&app.db)
        .await
        .unwrap();
    let staff = app.sign_in(Role::Admin, None).await;
    let answer = staff.get("/api/v1/admin/audit.csv?type=test.").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv; charset=utf-8; header=present")));
    let text = answer.text();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 2502);
    assert_eq!(lines[0], "id,created_at,event_type,actor,customer_id,customer,ip_address,user_agent,data");
    assert!(lines[1].contains(",n2500,") && lines[2500].contains(",n1,"), "newest first: {} … {}", lines[1], lines[2500]);
    assert!(lines[2501].contains("\"'=HYPERLINK(\"\"x\"\")\""), "{}", lines[2501]);
    assert!(lines[2502].contains("\"{\"\"after\"\":{\"\"n\"\":2}"), "{}", lines[2502]);
}

#[tokio::test]
async fn the_audit_log_is_for_staff() {
    let app = TestApp::start().await;
    let customer = app.add_customer("forge").await;
    for path in ["/api/v1/admin/audit", "/api/v1/admin/audit.csv"] {
        app.client().get(path).await.problem(401, "unauthenticated");
        app.sign_in(Role::Publisher, Some(customer)).await.get(path).await.problem(403, "forbidden");
        app.machine(customer).await.get(path).await.problem(403, "forbidden");
    }
}
