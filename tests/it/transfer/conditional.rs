//! Responses with tags: 304 while nothing changes.

use crate::support::TestApp;
use apex_billing::{api::openapi, domain::role::Role, http::conditional::POLLED};
use axum::http::Method;
use serde_json::json;
use time::Duration;

#[tokio::test]
async fn polled_json_is_304_while_it_is_unchanged() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "growth", "usd").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    for path in POLLED {
        let path =
            if path.ends_with("/history") { format!("{path}?metric=impressions&from=2026-11-01&to=2026-11-20") } else { path.to_owned() };
        let first = person.get(&path).await;
        assert_eq!(first.status, 200, "{path}: {}", first.text());
        let tag = first.header("etag").unwrap();
        app.advance(Duration::seconds(10));
        for known in [tag.to_owned(), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = person.clone().with_header("if-none-match", &known).get(&path).await;
            assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)), "{path}: {known}");
            assert_eq!((again.header("content-type"), again.header("content-length")), (None, None), "{path}");
            assert_eq!(again.header("cache-control"), first.header("cache-control"), "{path}");
            assert_eq!(again.header("vary"), Some("accept-encoding"), "{path}");
        }
        let other = person.clone().with_header("if-none-match", "W/\"other\"").get(&path).await;
        assert_eq!((other.status, other.header("etag")), (200, Some(tag)), "{path}");
        let head = person.send(Method::HEAD, &path, None, Vec::new()).await;
        assert_eq!((head.status, head.header("etag")), (200, Some(tag)), "{path}");
    }
}

#[tokio::test]
async fn a_change_has_a_new_tag() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let path = "/api/v1/billing/usage/current";
    let tag = person.get(path).await.header("etag").unwrap().to_owned();
    let event = json!({"id": "1", "metric": "impressions", "quantity": 7, "timestamp": "2026-11-22T15:40:00Z", "app_id": "game"});
    assert_eq!(app.machine(customer).await.post_json("/api/v1/usage/events", &event).await.status, 202);
    let after = person.with_header("if-none-match", &tag).get(path).await;
    assert_eq!((after.status, after.json()["current_period"]["impressions"].as_u64()), (200, Some(7)));
    assert_ne!(after.header("etag"), Some(&*tag));
}

#[tokio::test]
async fn errors_and_other_paths_have_no_tag() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let any = person.with_header("if-none-match", "*");
    assert_eq!(any.get("/api/v1/billing/invoices?page=0").await.problem(422, "invalid_parameter")["status"], 422);
    assert_eq!(app.client().with_header("if-none-match", "*").get("/api/v1/billing/alerts").await.status, 401);
    let me = any.get("/api/v1/auth/me").await;
    assert_eq!((me.status, me.header("etag")), (200, None));
}

#[test]
fn the_description_has_304_for_polled_json() {
    for path in POLLED {
        let get = &openapi::document()["paths"][path]["get"];
        assert!(get["responses"]["304"]["headers"]["ETag"]["$ref"].is_string(), "{path}");
        assert!(get["responses"]["200"]["headers"]["ETag"]["$ref"].is_string(), "{path}");
        let parameters = get["parameters"].as_array().unwrap();
        assert!(parameters.iter().any(|parameter| parameter["name"] == "If-None-Match" && parameter["in"] == "header"), "{path}");
    }
}
