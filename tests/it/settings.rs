//! `/billing/settings`: the page, its forms without JavaScript, contacts and keys.

use crate::support::TestApp;
use apex_billing::{
    app::local_path::percent_encode,
    domain::{identity::CustomerId, role::Role},
    service::api_keys,
};
use axum::http::Method;
use serde_json::{Value, json};

const PAGE: &str = "/billing/settings";
const FORM: &str = "application/x-www-form-urlencoded";
const KEYS: &str = "/api/v1/billing/api-keys";
const CONTACTS: &str = "/api/v1/billing/contacts";

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect::<Vec<_>>().join("&").into_bytes()
}

async fn one(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&app.db).await.unwrap()
}

async fn lumen(app: &TestApp) -> CustomerId {
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "growth", "usd").await;
    customer
}

fn event(id: &str) -> Value {
    json!({"id": id, "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:49:59Z", "app_id": "app_42"})
}

#[tokio::test]
async fn the_alert_form_saves_typed_input() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(lumen(&app).await)).await;
    let page = person.get(PAGE).await;
    assert_eq!(page.status, 200);
    let html = page.text();
    for text in ["80; 90; 100; 110", r#"aria-current="page""#, "billing@lumen.example", "No threshold has been reached", "Create key"] {
        assert!(html.contains(text), "{text} in {html}");
    }
    let fields = [
        ("form", "alerts"),
        ("enabled", "true"),
        ("recipients", "cfo@lumen.example, ops@lumen.example"),
        ("metrics.impressions.percent", "50; 75 %"),
        ("metrics.impressions.cost", "49.99; $1,500.00"),
        ("metrics.impressions.cap", "120"),
        ("metrics.impressions.cap_unit", "percent"),
        ("metrics.data_transfer_bytes.cap", "1 500 GB"),
        ("metrics.data_transfer_bytes.cap_unit", "quantity"),
    ];
    let answer = person.post(PAGE, FORM, form(&fields)).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/billing/settings?done=alerts")), "{}", answer.text());
    let set = person.get("/api/v1/billing/alerts").await.json();
    assert_eq!(set["recipients"], json!(["cfo@lumen.example", "ops@lumen.example"]));
    assert_eq!(set["metrics"]["impressions"], json!({"percent": [50, 75], "cost": [4999, 150_000], "cap": {"percent": 120}}));
    assert_eq!(set["metrics"]["data_transfer_bytes"]["cap"], json!({"quantity": 1_500_000_000_000u64}));
    let html = person.get("/billing/settings?done=alerts").await.text();
    for text in ["Alerts and caps saved.", r#"value="50; 75""#, r#"value="49.99; 1500""#, r#"value="1500""#] {
        assert!(html.contains(text), "{text}");
    }
}

#[tokio::test]
async fn a_rejected_form_keeps_input_and_names_the_field() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(lumen(&app).await)).await;
    let typed = [
        ("form", "alerts"),
        ("enabled", "false"),
        ("recipients", "<script>alert(1)</script>"),
        ("metrics.impressions.percent", "33"),
        ("metrics.api_calls.cap", "7"),
    ];
    let answer = person.post(PAGE, FORM, form(&typed)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (422, Some("no-store")));
    let html = answer.text();
    assert!(
        html.contains(r#"value="33""#)
            && html.contains("Enter an e-mail address such as name@example.com.")
            && html.contains(r#"role="alert""#),
        "{html}"
    );
    assert!(html.contains(r#"aria-invalid="true""#) && html.contains("alerts-recipients-hint alerts-recipients-error"), "{html}");
    assert!(!html.contains("<script>alert(1)"), "{html}");
    assert_eq!(one(&app, "SELECT count(*)::text FROM usage_alert_settings").await, "0");
    let answer = person.post(PAGE, FORM, form(&[("form", "nonsense")])).await;
    assert!(answer.status == 422 && answer.text().contains("Nothing was changed."), "{}", answer.text());
    assert_eq!(person.post(PAGE, "application/json", b"{}".to_vec()).await.status, 415);
    let answer = person.post(PAGE, FORM, form(&[("form", "contact"), ("email", "invalid")])).await;
    assert!(
        answer.status == 422
            && answer.text().contains("Enter an e-mail address such as name@example.com.")
            && answer.text().contains(r#"value="invalid""#),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn all_invalid_fields_are_shown_at_once() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(lumen(&app).await)).await;
    let typed = [
        ("form", "alerts"),
        ("enabled", "true"),
        ("recipients", "cfo@lumen.example, a@b"),
        ("metrics.impressions.percent", "eighty"),
        ("metrics.api_calls.cost", "0"),
        ("metrics.data_transfer_bytes.cap", "2000"),
        ("metrics.data_transfer_bytes.cap_unit", "percent"),
    ];
    let html = person.post(PAGE, FORM, form(&typed)).await.page();
    assert_eq!(html.matches(r#"aria-invalid="true""#).count(), 4, "{html}");
    assert_eq!(html.matches("autofocus").count(), 1, "{html}");
    let first = html.split("<input").find(|input| input.contains("autofocus")).unwrap();
    assert!(first.contains(r#"id="alerts-recipients""#), "{first}");
    for text in [
        "Nothing was saved. Correct 4 fields:",
        "in place of “a@b”.",
        "Enter percentages such as 80; 90; 100.",
        "Enter amounts from $0.01 to $10,000,000,000.00.",
        "Enter whole numbers from 1 to 1,000.",
        r##"href="#alerts-metrics-impressions-percent""##,
        r#"id="alerts-metrics-impressions-percent-error""#,
        r#"value="eighty""#,
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
    // One invalid field has no summary: its message is announced.
    let html = person.post(PAGE, FORM, form(&[("form", "key"), ("name", "")])).await.page();
    assert!(html.contains("Fill in this field.") && !html.contains("Correct 1"), "{html}");
    assert_eq!(html.matches(r#"role="alert""#).count(), 1, "{html}");
    let html = person.post(PAGE, FORM, form(&[("form", "contact"), ("email", "a@b"), ("name", &"x".repeat(101))])).await.page();
    assert!(html.contains("Correct 2 fields:") && html.contains("Enter at most 100 characters"), "{html}");

    // Programs get stable codes.
    let body = json!({"recipients": ["a@b"], "metrics": {"impressions": {"percent": [0]}}});
    let problem = person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body.to_string().into_bytes()).await;
    let problem = problem.problem(422, "invalid_parameter");
    assert_eq!(problem["parameter"], "recipients");
    let codes: Vec<Value> = problem["errors"].as_array().unwrap().iter().map(|error| json!([error["parameter"], error["code"]])).collect();
    assert_eq!(codes, [json!(["recipients", "invalid_email"]), json!(["metrics.impressions.percent", "out_of_range"])]);
}

#[tokio::test]
async fn ambiguous_amounts_are_questioned() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(lumen(&app).await)).await;
    let post = async |name: &str, text: &str| {
        person
            .post(
                PAGE,
                FORM,
                form(&[("form", "alerts"), ("enabled", "true"), (name, text), ("metrics.data_transfer_bytes.cap_unit", "quantity")]),
            )
            .await
    };
    for (name, text, asked) in [
        ("metrics.impressions.cost", "1.500", "“1.500” can be read in two ways. Did you mean 1500? Or 1.50?"),
        ("metrics.impressions.cost", "1, 500", "Did you mean 1500? Or several, separated by semicolons: 1; 500?"),
        ("metrics.impressions.cost", "50 €", "“50 €” is not in USD."),
        ("metrics.impressions.percent", "1,000", "Did you mean 1000? Or several, separated by semicolons: 1; 000?"),
        ("metrics.data_transfer_bytes.cap", "1,500", "“1,500” can be read in two ways. Did you mean 1500? Or 1.50?"),
    ] {
        let answer = post(name, text).await;
        assert!(answer.status == 422 && answer.text().contains(asked), "{asked} in {}", answer.text());
        assert!(answer.text().contains(&format!("value=\"{text}\"")), "{}", answer.text());
    }
    assert_eq!(one(&app, "SELECT count(*)::text FROM usage_alert_settings").await, "0");
    for (text, cents) in [("1,500", 150_000), ("1500", 150_000), ("$1,500.00", 150_000), ("1.500,00", 150_000), ("1 500", 150_000)] {
        assert_eq!(post("metrics.impressions.cost", text).await.status, 303, "{text}");
        let set = person.get("/api/v1/billing/alerts").await.json();
        assert_eq!(set["metrics"]["impressions"]["cost"], json!([cents]), "{text}");
    }
}

#[tokio::test]
async fn a_cap_below_usage_needs_confirmation() {
    let app = TestApp::start().await;
    let customer = lumen(&app).await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let used = json!({"id": "a", "metric": "impressions", "quantity": 12_560_000, "timestamp": "2026-11-22T15:49:59Z", "app_id": "app_42"});
    assert_eq!(app.machine(customer).await.post_json("/api/v1/usage/events", &used).await.status, 202);
    let fields = [
        ("form", "alerts"),
        ("enabled", "true"),
        ("metrics.impressions.percent", "33"),
        ("metrics.impressions.cap", "5,000,000"),
        ("metrics.impressions.cap_unit", "quantity"),
    ];
    let asked = person.post(PAGE, FORM, form(&fields)).await;
    let html = asked.page();
    assert_eq!((asked.status, asked.header("cache-control")), (409, Some("no-store")), "{html}");
    for text in [
        "This refuses impressions from now on: 12,560,000 are used, the cap is 5,000,000. Nothing is saved yet. Save it anyway?",
        r#"name="confirm" value="true""#,
        "Save, and refuse from now on",
        r#"value="5,000,000""#,
        r#"value="33""#,
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
    // Texts for API clients are only in the page's data.
    let notice = html.split(r#"role="alert""#).nth(1).and_then(|rest| rest.split("</p>").next()).unwrap_or_default();
    assert!(!notice.contains("send it again"), "{notice}");
    assert_eq!(one(&app, "SELECT count(*)::text FROM usage_alert_settings").await, "0");
    // The form's first button, which the Enter key presses, confirms nothing.
    assert!(html.find("Save alerts").unwrap() < html.find(r#"name="confirm""#).unwrap());
    let confirmed: Vec<_> = fields.into_iter().chain([("confirm", "true")]).collect();
    let saved = person.post(PAGE, FORM, form(&confirmed)).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/billing/settings?done=alerts")), "{}", saved.text());
    assert!(!person.get(PAGE).await.text().contains("refuse from now on"));
}

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(lumen(&app).await)).await;
    let made = person.post(PAGE, FORM, form(&[("form", "key"), ("name", "mediation-eu")])).await;
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")));
    let html = made.text();
    let at = html.find("<code>apex_").unwrap() + 6;
    let key = &html[at..at + 69];
    let machine = app.client().with_header("authorization", &format!("Bearer {key}"));
    assert_eq!(machine.post_json("/api/v1/usage/events", &event("a")).await.status, 202, "{key}");
    let page = person.get(PAGE).await.text();
    assert!(page.contains("mediation-eu") && page.contains(&key[..13]) && page.contains("last used") && !page.contains(key), "{page}");
    let list = person.get(KEYS).await.json();
    assert_eq!((&list[0]["name"], &list[0]["last_used_at"]), (&json!("mediation-eu"), &json!("2026-11-22T15:50:00Z")));
    assert!(!list.to_string().contains(&key[13..]));

    let id = list[0]["id"].as_str().unwrap();
    let revoked = person.post(PAGE, FORM, form(&[("form", "key-revoke"), ("id", id)])).await;
    assert_eq!((revoked.status, revoked.header("location")), (303, Some("/billing/settings?done=key_revoked")));
    machine.post_json("/api/v1/usage/events", &event("b")).await.problem(401, "unauthenticated");
    let again = person.post(PAGE, FORM, form(&[("form", "key-revoke"), ("id", id)])).await;
    assert!(again.status == 404 && again.text().contains("no longer exists"), "{}", again.text());
    let trail = "SELECT string_agg(concat(event_type, ' ', data->>'name'), ', ' ORDER BY id) FROM billing_audit
                 WHERE event_type LIKE 'api_key.%' AND actor LIKE 'publisher-%'";
    assert_eq!(one(&app, trail).await, "api_key.created mediation-eu, api_key.revoked mediation-eu");
    assert!(
        !one(
            &app,
            "SELECT concat((SELECT string_agg(data::text, '') FROM billing_audit), (SELECT string_agg(data::text, '') FROM events))"
        )
        .await
        .contains(&key[13..])
    );
}

#[tokio::test]
async fn programs_manage_keys_and_contacts_too() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(lumen(&app).await)).await;
    let made = person.post_json(KEYS, &json!({"name": "eu"})).await;
    assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")));
    assert!(made.json()["key"].as_str().unwrap().starts_with(made.json()["prefix"].as_str().unwrap()));
    for (body, parameter) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "a\u{0}"}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({}), "body"),
        (json!({"name": "x", "role": "admin"}), "body"),
    ] {
        assert_eq!(person.post_json(KEYS, &body).await.problem(422, "invalid_parameter")["parameter"], parameter, "{body}");
    }
    let path = format!("{KEYS}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(person.send(Method::DELETE, &path, None, Vec::new()).await.status, 204);
    person.send(Method::DELETE, &path, None, Vec::new()).await.problem(404, "not_found");
    person.send(Method::DELETE, &format!("{KEYS}/nonsense"), None, Vec::new()).await.problem(404, "not_found");

    let contact = person.post_json(CONTACTS, &json!({"email": "CFO@lumen.example", "name": "Books"})).await;
    assert_eq!((contact.status, &contact.json()["email"]), (201, &json!("cfo@lumen.example")));
    // The same address again is the same contact under another name.
    let renamed = person.post_json(CONTACTS, &json!({"email": "cfo@lumen.example", "name": "Accounts"})).await.json();
    assert_eq!(person.get(CONTACTS).await.json(), json!([renamed]));
    assert_eq!(renamed["id"], contact.json()["id"]);
    for n in 0..19 {
        assert_eq!(person.post_json(CONTACTS, &json!({"email": format!("p{n}@lumen.example")})).await.status, 201);
    }
    person.post_json(CONTACTS, &json!({"email": "one.more@lumen.example"})).await.problem(422, "invalid_parameter");
    let path = format!("{CONTACTS}/{}", renamed["id"].as_str().unwrap());
    assert_eq!(person.send(Method::DELETE, &path, None, Vec::new()).await.status, 204);
    person.send(Method::DELETE, &path, None, Vec::new()).await.problem(404, "not_found");
}

#[tokio::test]
async fn users_manage_only_their_own_settings() {
    let app = TestApp::start().await;
    let customer = lumen(&app).await;
    let other = app.add_customer("orbit").await;
    api_keys::create(&app.platform, other, "theirs").await.unwrap();
    let id = one(&app, "SELECT id::text FROM api_keys").await;
    let publisher = app.sign_in(Role::Publisher, Some(customer)).await;
    let contact = app.sign_in(Role::Publisher, Some(other)).await.post_json(CONTACTS, &json!({"email": "a@orbit.example"})).await.json();
    for path in
        [format!("{KEYS}/{id}"), format!("{CONTACTS}/{}", contact["id"].as_str().unwrap()), format!("{KEYS}/{id}?customer_id={other}")]
    {
        publisher.send(Method::DELETE, &path, None, Vec::new()).await.problem(404, "not_found");
    }
    publisher.get(&format!("{KEYS}?customer_id={other}")).await.problem(404, "not_found");
    publisher.get(&format!("/api/v1/billing/settings?customer_id={other}")).await.problem(404, "not_found");
    assert_eq!(publisher.post(PAGE, FORM, form(&[("form", "key-revoke"), ("id", &id)])).await.status, 404);

    let reader = app.sign_in(Role::Readonly, Some(customer)).await;
    let machine = app.machine(customer).await;
    for client in [&reader, &machine] {
        client.get(KEYS).await.problem(403, "forbidden");
        client.post_json(KEYS, &json!({"name": "mine"})).await.problem(403, "forbidden");
        client.post_json(CONTACTS, &json!({"email": "a@b.example"})).await.problem(403, "forbidden");
        client.send(Method::DELETE, &format!("{KEYS}/{id}"), None, Vec::new()).await.problem(403, "forbidden");
    }
    let page = reader.get(PAGE).await;
    assert!(page.status == 200 && !page.text().contains("keys-title") && !page.text().contains("Save alerts"), "{}", page.text());
    assert!(page.text().contains("no cap"), "{}", page.text());
    let refused = reader.post(PAGE, FORM, form(&[("form", "key"), ("name", "mine")])).await;
    assert!(refused.status == 403 && refused.text().contains("Your role does not include"), "{}", refused.text());
    let anonymous = app.client().post(PAGE, FORM, form(&[("form", "key"), ("name", "mine")])).await;
    assert_eq!((anonymous.status, anonymous.header("location")), (303, Some("/login?next=/billing/settings&error=session_expired")));
    let lured = publisher.with_header("sec-fetch-site", "cross-site").post(PAGE, FORM, form(&[("form", "key"), ("name", "mine")])).await;
    assert_eq!(lured.status, 403);
    assert_eq!(one(&app, "SELECT count(*)::text FROM api_keys WHERE name = 'mine'").await, "0");
}

#[tokio::test]
async fn billing_off_refuses_changes() {
    let app = TestApp::start_with(&[("BILLING_ENABLED", "false")]).await;
    let person = app.sign_in(Role::Publisher, Some(lumen(&app).await)).await;
    assert_eq!(person.get(PAGE).await.status, 503);
    person.get("/api/v1/billing/alerts").await.problem(503, "billing_disabled");
    let answer = person.post(PAGE, FORM, form(&[("form", "key"), ("name", "mine")])).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(PAGE)));
    assert_eq!(one(&app, "SELECT count(*)::text FROM api_keys").await, "0");
}
