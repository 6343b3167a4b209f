//! `GET` and `PUT /billing/alerts`.

use super::{one, subscribed, use_impressions};
use crate::support::TestApp;
use apex_billing::{domain::role::Role, service::alerts};
use axum::http::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/billing/alerts";
const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn settings_are_returned_and_audited() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let usual = json!({"percent": [80, 90, 100, 110], "cost": [], "cap": null});
    let before = person.get(PATH).await.json();
    assert_eq!(
        before,
        json!({"enabled": true, "recipients": [], "currency": "usd", "metrics": {"impressions": usual, "api_calls": usual, "data_transfer_bytes": usual}})
    );
    let mut wanted = before.clone();
    wanted["recipients"] = json!(["cfo@lumen.example"]);
    wanted["metrics"]["impressions"] = json!({"percent": [50, 75], "cost": [5000], "cap": {"percent": 150}});
    let answer = person.send(Method::PUT, PATH, JSON, wanted.to_string().into_bytes()).await;
    assert_eq!((answer.status, answer.json()), (200, wanted.clone()));
    assert_eq!(person.get(PATH).await.json(), wanted);
    assert_eq!(person.send(Method::PUT, PATH, JSON, b"{}".to_vec()).await.json(), before);
    let trail = "SELECT string_agg(concat(data->'before'->'recipients', ' ', data->'after'->'recipients'), ', ' ORDER BY id)
                 FROM billing_audit WHERE event_type = 'alerts.changed' AND actor LIKE 'publisher-%' AND customer_id IS NOT NULL";
    assert_eq!(one(&app, trail).await, r#" ["cfo@lumen.example"], ["cfo@lumen.example"] []"#);
    assert_eq!(one(&app, "SELECT count(*)::text FROM events WHERE event_type = 'alerts.changed'").await, "2");
}

#[tokio::test]
async fn invalid_settings_are_named_and_change_nothing() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let before = person.get(PATH).await.json();
    let put = async |body: &str| person.send(Method::PUT, PATH, JSON, body.as_bytes().to_vec()).await;
    for (body, parameter) in [
        (json!({"recipients": ["invalid"]}), "recipients"),
        (json!({"metrics": {"impressions": {"percent": [0]}}}), "metrics.impressions.percent"),
        (json!({"metrics": {"clicks": {}}}), "metrics.clicks"),
        (json!({"volume": 11}), "volume"),
        (json!({"currency": "eur"}), "currency"),
        (Value::Null, "body"),
    ] {
        assert_eq!(put(&body.to_string()).await.problem(422, "invalid_parameter")["parameter"], parameter, "{body}");
    }
    put("{").await.problem(400, "invalid_json");
    put(&"[".repeat(1000)).await.problem(400, "invalid_json");
    put(&format!("\"{}\"", "x".repeat(70_000))).await.problem(413, "body_too_large");
    person.send(Method::PUT, PATH, JSON, b"\xff".to_vec()).await.problem(400, "invalid_json");
    person.send(Method::PUT, PATH, Some("text/plain"), b"{}".to_vec()).await.problem(415, "unsupported_media_type");
    person.send(Method::PUT, PATH, None, b"{}".to_vec()).await.problem(415, "unsupported_media_type");
    person.send(Method::DELETE, PATH, None, Vec::new()).await.problem(405, "method_not_allowed");
    assert_eq!(person.get(PATH).await.json(), before);
    assert_eq!(one(&app, "SELECT count(*)::text FROM usage_alert_settings").await, "0");
}

#[tokio::test]
async fn all_users_read_and_managers_change() {
    let app = TestApp::start().await;
    let (lumen, orbit) = (subscribed(&app, "lumen").await, subscribed(&app, "orbit").await);
    let put = b"{\"enabled\": false}".to_vec();
    for (client, status, code) in [
        (app.client(), 401, "unauthenticated"),
        (app.sign_in(Role::Readonly, Some(lumen)).await, 403, "forbidden"),
        (app.machine(lumen).await, 403, "forbidden"),
    ] {
        client.send(Method::PUT, PATH, JSON, put.clone()).await.problem(status, code);
        assert_eq!(client.get(PATH).await.status, if status == 401 { 401 } else { 200 });
    }
    // Another customer doesn't exist for this user.
    let publisher = app.sign_in(Role::Publisher, Some(lumen)).await;
    for path in [format!("{PATH}?customer_id={orbit}"), format!("{PATH}/fired?customer_id={orbit}"), format!("{PATH}?customer_id=nonsense")]
    {
        publisher.get(&path).await.problem(404, "not_found");
    }
    publisher.send(Method::PUT, &format!("{PATH}?customer_id={orbit}"), JSON, put.clone()).await.problem(404, "not_found");
    let staff = app.sign_in(Role::Admin, None).await;
    staff.send(Method::PUT, PATH, JSON, put.clone()).await.problem(422, "invalid_parameter");
    assert_eq!(staff.send(Method::PUT, &format!("{PATH}?customer_id={orbit}"), JSON, put).await.json()["enabled"], false);
    assert_eq!(publisher.get(PATH).await.json()["enabled"], true);
    // Cross-site requests are refused.
    let lured = publisher.clone().with_header("sec-fetch-site", "cross-site");
    lured.send(Method::PUT, PATH, JSON, b"{}".to_vec()).await.problem(403, "cross_site");
}

#[tokio::test]
async fn disabled_alerts_send_no_mail_and_are_readable() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    person.send(Method::PUT, PATH, JSON, b"{\"enabled\": false}".to_vec()).await;
    use_impressions(&app, customer, "a", 900_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    person.send(Method::PUT, PATH, JSON, b"{}".to_vec()).await;
    // After the change, the next run compares the usage.
    assert_eq!(alerts::fire_due(&app.platform, 10).await.unwrap(), 2);
    let fired = app.sign_in(Role::Readonly, Some(customer)).await.get(&format!("{PATH}/fired")).await.json();
    assert_eq!(
        fired["alerts"][0],
        json!({"metric": "impressions", "kind": "percent", "threshold": 90, "used": 900_000, "included": 1_000_000, "cost": 0, "currency": "usd",
               "start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z", "fired_at": "2026-11-22T15:50:00Z", "crossed_at": "2026-11-22T15:50:00Z", "rearmed_at": null, "notified_at": null})
    );
    assert_eq!(fired["alerts"].as_array().unwrap().len(), 2);
}
