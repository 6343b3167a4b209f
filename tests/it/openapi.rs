//! The OpenAPI document compared with the router's routes.

use crate::support::TestApp;
use apex_billing::{
    api::openapi,
    domain::{
        features::Feature,
        invoice::{InvoiceSort, InvoiceStatus},
        metric::Metric,
        reconcile::Kind,
        role::Role,
        usage_event::RejectionCode,
        webhook::WebhookStatus,
    },
};
use axum::http::Method;
use serde_json::Value;
use std::collections::BTreeSet;

/// `GET /path/{}`: a parameter's name is not visible to clients.
fn named(method: &str, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    format!("{} {}", method.to_uppercase(), parts.join("/"))
}

/// A URL of a path: no object has this id.
fn example(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "7" } else { part }).collect();
    parts.join("/")
}

fn operations() -> impl Iterator<Item = (&'static String, &'static String, &'static Value)> {
    let paths = openapi::document()["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| item.as_object().expect("an item").iter().map(move |(method, operation)| (path, method, operation)))
}

#[tokio::test]
async fn every_route_is_documented_and_every_documented_one_exists() {
    let app = TestApp::start().await;
    // A handler is registered by its documentation; server functions are registered by Leptos.
    let mut paths: BTreeSet<&str> = operations().map(|(path, ..)| path.as_str()).collect();
    paths.extend(leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path));
    let mut registered = BTreeSet::new();
    for path in paths {
        let example = example(path);
        // No path accepts it, so the router lists the methods that it does accept.
        let answer = app.client().send(Method::TRACE, &example, None, Vec::new()).await;
        assert_eq!(answer.status, 405, "{example}");
        let allowed = answer.header("allow").expect("Allow").to_owned();
        registered.extend(allowed.split(',').map(str::trim).filter(|method| *method != "HEAD").map(|method| named(method, path)));
    }
    let documented: BTreeSet<String> = operations().map(|(path, method, _)| named(method, path)).collect();
    let undocumented: Vec<_> = registered.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&registered).collect();
    assert!(undocumented.is_empty() && gone.is_empty(), "not in src/api/openapi.rs: {undocumented:#?}; without a route: {gone:#?}");
}

#[tokio::test]
async fn anyone_gets_the_document_and_its_page() {
    let app = TestApp::start().await;
    let answer = app.client().get("/api/v1/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.text(), openapi::text());
    let page = app.client().get("/api/v1/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let html = page.text();
    for (path, _, operation) in operations() {
        assert!(html.contains(path.as_str()), "{path}");
        let id = operation["operationId"].as_str().expect("an id");
        assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
    }
    // It works with a strict policy, and loads nothing from other hosts.
    for unwanted in ["<script", "style=", "https://", "http://"] {
        assert!(!html.contains(unwanted), "{unwanted}");
    }
}

/// Every `$ref` of the document.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn references_resolve_and_operation_ids_are_unique() {
    let mut found = BTreeSet::new();
    references(openapi::document(), &mut found);
    for reference in found {
        assert!(openapi::document().pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let ids: BTreeSet<_> = operations().map(|(_, _, operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations().count());
    assert!(!openapi::text().contains("x-problems"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let app = TestApp::start().await;
    for method in [Method::GET, Method::POST, Method::DELETE] {
        app.client().send(method, "/api/v1/nowhere", None, Vec::new()).await.problem(404, "not_found");
    }
    let refused = app.client().send(Method::DELETE, "/api/v1/health", None, Vec::new()).await;
    refused.problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET,HEAD"));
    let looked = app.client().send(Method::HEAD, "/api/v1/meta/features", None, Vec::new()).await;
    assert_eq!((looked.status, looked.text().as_str()), (200, ""));
}

#[tokio::test]
async fn every_path_lists_methods_and_supports_head() {
    let app = TestApp::start().await;
    for (path, item) in openapi::document()["paths"].as_object().expect("paths") {
        let example = example(path);
        for method in [Method::OPTIONS, Method::PATCH] {
            let refused = app.client().send(method, &example, None, Vec::new()).await;
            // Health checks support HEAD.
            if path.starts_with("/api/") {
                refused.problem(405, "method_not_allowed");
            }
            assert_eq!(refused.status, 405, "{path}");
            let allowed = refused.header("allow").unwrap_or_default().to_lowercase();
            assert!(
                item.as_object().expect("an item").keys().all(|taken| allowed.split(',').any(|one| one.trim() == taken)),
                "{path}: {allowed}"
            );
        }
        if item.get("get").is_some() {
            let (got, looked) = (app.client().get(&example).await, app.client().send(Method::HEAD, &example, None, Vec::new()).await);
            assert_eq!((looked.status, looked.text().as_str()), (got.status, ""), "{path}");
            assert_eq!(looked.header("content-type"), got.header("content-type"), "{path}");
        }
    }
}

#[tokio::test]
async fn idempotency_keys_are_documented_where_used() {
    let app = TestApp::start().await;
    let staff = app.sign_in(Role::Admin, None).await;
    let mut required = Vec::new();
    // Without logout, which would end the session.
    for (path, method, operation) in operations().filter(|(path, method, _)| *method != "get" && !path.ends_with("/logout")) {
        let parameter = operation["parameters"].as_array().into_iter().flatten().find(|parameter| parameter["name"] == "Idempotency-Key");
        let staff = staff.clone().with_header("idempotency-key", "not visible");
        let answer = staff
            .send(
                Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method"),
                &example(path),
                Some("application/json"),
                b"{}".to_vec(),
            )
            .await;
        assert_eq!(answer.text().contains("idempotency_key_invalid"), parameter.is_some(), "{path}: {}", answer.text());
        if parameter.is_some_and(|parameter| parameter["required"] == true) {
            required.push(path.as_str());
        }
    }
    assert_eq!(required, ["/api/v1/billing/reconcile"]);
}

#[test]
fn documented_values_are_accepted() {
    let documented = |name: &str| -> Vec<&str> {
        let words = openapi::document()["components"]["schemas"][name]["enum"].as_array().expect(name);
        words.iter().map(|word| word.as_str().expect(name)).collect()
    };
    assert_eq!(documented("InvoiceSort"), InvoiceSort::ALL.map(InvoiceSort::as_str));
    assert_eq!(documented("InvoiceStatus"), InvoiceStatus::ALL.map(InvoiceStatus::as_str));
    assert_eq!(documented("DiscrepancyKind"), Kind::ALL.map(Kind::as_str));
    assert_eq!(documented("Metric"), Metric::ALL.map(Metric::as_str));
    assert_eq!(documented("WebhookStatus"), WebhookStatus::ALL.map(WebhookStatus::as_str));
    assert_eq!(documented("Feature"), Feature::ALL.map(Feature::name));
    assert_eq!(documented("RejectionCode"), RejectionCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
}

/// Shows a change's effect on clients. Examples of problems that operations share are left out:
/// they are made from `domain::error_code`.
#[test]
fn the_document_is_as_it_was_looked_at() {
    let mut document = openapi::document().clone();
    for (_, response) in document["components"]["responses"].as_object_mut().expect("responses") {
        *response = response["description"].take();
    }
    insta::assert_json_snapshot!(document, {".info.version" => "[version]"});
}
