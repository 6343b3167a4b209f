//! Every change is audited with actor, customer, origin and data.

use crate::{
    outgoing::impatient,
    stripe::StandIn,
    support::{
        Client, TestApp,
        app::PASSWORD,
        client::Answer,
        stand_in::{SECRET_KEY, TestStandIn},
    },
};
use apex_billing::{
    domain::{identity::CustomerId, money::Currency, role::Role},
    service::{backfill, customers, users},
};
use axum::http::Method;
use serde_json::{Value, json};
use time::Duration;

const ADDRESS: &str = "192.0.2.9";
const AGENT: &str = "tests/1";
const FINANCE: &str = "finance@lumen.example";
const OPS: &str = "ops@apex.example";

/// Event type, actor, customer, origin and data.
type Row = (String, String, Option<String>, Option<String>, Option<String>);

struct Scene {
    stand_in: StandIn,
    app: TestApp,
    lumen: CustomerId,
    finance: Client,
    ops: Client,
}

/// A platform in step with a Stripe, a customer's user and a staff user.
async fn scene() -> Scene {
    let stand_in = StandIn::start().await;
    let app = TestApp::start_with_all(
        &[("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_API_BASE", &stand_in.base_url())],
        &[("settle-seconds = 10", "settle-seconds = 0")],
    )
    .await;
    stand_in.seed_customer("lumen");
    let lumen = app.add_customer("lumen").await;
    stand_in.seed_invoices("cus_lumen", 3);
    stand_in.advance(Duration::minutes(1));
    app.advance(Duration::minutes(1));
    backfill::full(&app.platform, &|_| ()).await.unwrap().unwrap();
    backfill::events(&app.platform, &|_| ()).await.unwrap().unwrap();
    for (email, role, customer) in [(FINANCE, Role::Publisher, Some(lumen)), (OPS, Role::Admin, None)] {
        users::put(&app.platform, email, PASSWORD, role, customer).await.unwrap();
    }
    let (finance, ops) = (sign_in(&app, FINANCE, PASSWORD).await, sign_in(&app, OPS, PASSWORD).await);
    let (finance, ops) = (known(&app).with_cookies_of(&finance), known(&app).with_cookies_of(&ops));
    Scene { stand_in, app, lumen, finance, ops }
}

fn known(app: &TestApp) -> Client {
    app.client().from(ADDRESS).with_header("user-agent", AGENT)
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    known(app).post_json("/api/v1/auth/login", &json!({"email": email, "password": password})).await
}

async fn send(client: &Client, method: Method, path: &str, body: Value) -> Answer {
    let answer = client.send(method, path, Some("application/json"), body.to_string().into_bytes()).await;
    assert!(answer.status < 300, "{path}: {}", answer.text());
    answer
}

#[tokio::test]
async fn every_change_has_actor_customer_origin_and_data() {
    let Scene { stand_in, app, lumen, finance, ops } = scene().await;
    let id = |answer: &Answer| answer.json()["id"].as_str().unwrap().to_owned();

    sign_in(&app, FINANCE, "not the password").await.problem(401, "invalid_credentials");
    let endless = format!("{}@lumen.example", "x".repeat(400));
    sign_in(&app, &endless, PASSWORD).await.problem(401, "invalid_credentials");
    finance.get("/api/v1/admin/audit").await.problem(403, "forbidden");
    send(&finance, Method::PUT, "/api/v1/billing/alerts", json!({"enabled": false})).await;
    let contact = send(&finance, Method::POST, "/api/v1/billing/contacts", json!({"email": "cfo@lumen.example", "name": "Ada"})).await;
    send(&finance, Method::POST, "/api/v1/billing/contacts", json!({"email": "cfo@lumen.example", "name": "Grace"})).await;
    send(&finance, Method::DELETE, &format!("/api/v1/billing/contacts/{}", id(&contact)), json!({})).await;
    let key = send(&finance, Method::POST, "/api/v1/billing/api-keys", json!({"name": "mediation"})).await;
    send(&finance, Method::DELETE, &format!("/api/v1/billing/api-keys/{}", id(&key)), json!({})).await;
    send(&finance, Method::POST, "/api/v1/billing/portal", json!({})).await;

    let event: String = sqlx::query_scalar("SELECT stripe_event_id FROM stripe_webhook_events WHERE customer_id IS NOT NULL LIMIT 1")
        .fetch_one(&app.db)
        .await
        .unwrap();
    send(&ops, Method::POST, &format!("/api/v1/admin/webhooks/{event}/replay"), json!({})).await;
    send(&ops, Method::PUT, "/api/v1/admin/features/invoicePdfEnabled", json!({"enabled": false, "reason": "fonts"})).await;
    let invoice = stand_in.work(|store| store.all("invoice").objects.values().next().unwrap()["id"].as_str().unwrap().to_owned());
    stand_in.tamper("invoice", &invoice, |invoice| invoice["total"] = json!(1));
    let run = ops.clone().with_header("idempotency-key", "one");
    let run = send(&run, Method::POST, "/api/v1/billing/reconcile", json!({"customer_id": lumen})).await.json();
    let run = run["reconciliation_id"].as_str().unwrap();
    stand_in.advance(Duration::minutes(1));
    app.advance(Duration::minutes(1));
    send(&ops, Method::POST, &format!("/api/v1/admin/reconciliations/{run}/repair"), json!({})).await;
    send(&ops, Method::POST, "/api/v1/admin/view-as", json!({"customer_id": lumen})).await;
    send(&ops, Method::POST, "/api/v1/admin/view-as/stop", json!({})).await;
    send(&ops, Method::POST, "/api/v1/auth/logout", json!({})).await;
    app.platform.incidents.settled().await;

    let expected = [
        ("session.login", FINANCE, Some("lumen")),
        ("session.refused", FINANCE, None),
        ("session.refused", &endless[..320], None),
        ("access.refused", FINANCE, Some("lumen")),
        ("alerts.changed", FINANCE, Some("lumen")),
        ("billing_contact.put", FINANCE, Some("lumen")),
        ("billing_contact.removed", FINANCE, Some("lumen")),
        ("api_key.created", FINANCE, Some("lumen")),
        ("api_key.revoked", FINANCE, Some("lumen")),
        ("portal.opened", FINANCE, Some("lumen")),
        ("session.login", OPS, None),
        ("webhook.replayed", OPS, Some("lumen")),
        ("feature.switched", OPS, None),
        ("reconciliation.started", OPS, Some("lumen")),
        ("reconciliation.discrepancy", OPS, Some("lumen")),
        ("reconciliation.completed", OPS, Some("lumen")),
        ("reconciliation.repaired", OPS, Some("lumen")),
        ("view_as.started", OPS, Some("lumen")),
        ("view_as.stopped", OPS, Some("lumen")),
        ("session.logout", OPS, None),
    ];
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT event_type, actor, customers.name, ip_address, user_agent
         FROM billing_audit LEFT JOIN customers ON customers.id = customer_id ORDER BY billing_audit.id",
    )
    .fetch_all(&app.db)
    .await
    .unwrap();
    for (event_type, actor, customer) in expected {
        let found = rows.iter().find(|row| (row.0.as_str(), row.1.as_str()) == (event_type, actor));
        let found = found.unwrap_or_else(|| panic!("no {event_type} of {actor} in {rows:#?}"));
        assert_eq!(found.2.as_deref(), customer, "{event_type}");
        assert_eq!((found.3.as_deref(), found.4.as_deref()), (Some(ADDRESS), Some(AGENT)), "{event_type}");
    }
    // All other entries have no address.
    let by_people: Vec<_> = rows.iter().filter(|row| row.1.contains('@')).collect();
    assert!(by_people.iter().all(|row| row.3.as_deref() == Some(ADDRESS) && row.4.as_deref() == Some(AGENT)), "{by_people:#?}");
    let known: Vec<&str> = expected.iter().map(|(event_type, ..)| *event_type).collect();
    assert!(by_people.iter().all(|row| known.contains(&row.0.as_str())), "an unchecked entry: {by_people:#?}");
}

async fn data(app: &TestApp, event_type: &str) -> Vec<Value> {
    sqlx::query_scalar("SELECT data FROM billing_audit WHERE event_type = $1 ORDER BY id")
        .bind(event_type)
        .fetch_all(&app.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn changes_have_old_and_new_values_but_no_password() {
    let app = TestApp::start().await;
    let lumen = app.add_customer("lumen").await;
    customers::put(&app.platform, "cus_lumen", "Lumen Ltd", "bills@lumen.example", Currency::USD).await.unwrap();
    let [added, renamed] = data(&app, "customer.put").await.try_into().unwrap();
    let first = json!({"name": "lumen", "email": "billing@lumen.example", "currency": "usd"});
    assert_eq!((&added["before"], &added["after"], &added["stripe_customer_id"]), (&Value::Null, &first, &json!("cus_lumen")));
    let second = json!({"name": "Lumen Ltd", "email": "bills@lumen.example", "currency": "usd"});
    assert_eq!((&renamed["before"], &renamed["after"]), (&first, &second));

    for (password, role, customer) in [("a first passphrase", Role::Readonly, Some(lumen)), ("a second passphrase", Role::Admin, None)] {
        users::put(&app.platform, "ada@lumen.example", password, role, customer).await.unwrap();
    }
    let [made, changed] = data(&app, "user.put").await.try_into().unwrap();
    let reader = json!({"role": "readonly", "customer_id": lumen, "enabled": true});
    assert_eq!(made, json!({"email": "ada@lumen.example", "before": null, "after": reader, "sessions_ended": 0}));
    let staff = json!({"role": "admin", "customer_id": null, "enabled": true});
    assert_eq!(changed, json!({"email": "ada@lumen.example", "before": reader, "after": staff, "sessions_ended": 0}));

    let person = app.sign_in(Role::Publisher, Some(lumen)).await;
    for name in ["Ada", "Grace"] {
        send(&person, Method::POST, "/api/v1/billing/contacts", json!({"email": "cfo@lumen.example", "name": name})).await;
    }
    let contacts = person.get("/api/v1/billing/contacts").await.json();
    let id = contacts[0]["id"].as_str().unwrap();
    send(&person, Method::DELETE, &format!("/api/v1/billing/contacts/{id}"), json!({})).await;
    let contact = |name: &str| json!({"id": id, "email": "cfo@lumen.example", "name": name});
    assert_eq!(
        data(&app, "billing_contact.put").await,
        [json!({"before": null, "after": contact("Ada")}), json!({"before": contact("Ada"), "after": contact("Grace")})]
    );
    assert_eq!(data(&app, "billing_contact.removed").await, [json!({"before": contact("Grace"), "after": null})]);
    send(&person, Method::PUT, "/api/v1/billing/alerts", json!({"enabled": false})).await;
    let [alerts] = data(&app, "alerts.changed").await.try_into().unwrap();
    assert_eq!(alerts["after"]["enabled"], false, "{alerts}");

    let everything: String = sqlx::query_scalar("SELECT string_agg(data::text, ' ') FROM billing_audit").fetch_one(&app.db).await.unwrap();
    assert!(!everything.contains("passphrase") && !everything.contains("argon2") && !everything.contains(PASSWORD), "{everything}");
}

#[tokio::test]
async fn linking_a_customer_is_audited() {
    let stand_in = StandIn::start().await;
    let app = TestApp::start_with(&[("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_API_BASE", &stand_in.base_url())]).await;
    let platform = impatient(&app);
    customers::create_in_stripe(&platform, "Nova", "bills@nova.example", Currency::USD).await.unwrap();
    let nova = json!({"name": "Nova", "email": "bills@nova.example", "currency": "usd"});
    assert_eq!(data(&app, "customer.put").await, [json!({"before": null, "after": nova})]);
    let [linked] = data(&app, "customer.linked").await.try_into().unwrap();
    assert_eq!(linked["before"], json!({"stripe_customer_id": null}));
    assert!(linked["after"]["stripe_customer_id"].as_str().is_some_and(|id| id.starts_with("cus_")), "{linked}");
}
